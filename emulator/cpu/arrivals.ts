/** What comes to a processor between two instructions: INIT, start-up, NMI, interrupts (SDM vol. 3A table 6-2). */
import { RFLAGS, VECTOR } from '../x86/registers';
import type { Cpu } from './cpu';
import type { PendingEvent } from './exit-cause';
import { startUp } from './reset';
import { BLOCKED_BY, SHADOWS } from './stretch';
import { ACTIVITY, interruptsOpen } from './turns';
import { VM_MODE } from './vm-mode';

/** It does nothing now, whatever comes. `moved`: a start-up IPI told it where to begin. */
export function asleep(cpu: Cpu, moved: () => void): boolean {
  if (!cpu.overseer && !holdsInit(cpu) && cpu.interrupts.takeInit()) cpu.reset('init');
  const activity = cpu.state.system('activity');
  if (activity === ACTIVITY.shutdown) return true;
  if (activity !== ACTIVITY.waitForSipi) return false;
  const page = cpu.interrupts.takeSipi();
  if (page >= 0) {
    startUp(cpu, page);
    moved();
  }
  return true;
}

/** INIT waits in VMX root operation, and while GIF is clear (SDM vol. 3C 24.8, APM vol. 2 15.17). */
const holdsInit = ({ state }: Cpu): boolean =>
  state.system('vm_mode') === VM_MODE.vmxRoot || (state.system('interruptibility') & BLOCKED_BY.gif) !== 0n;

/** The event that is to be delivered now; it is thereby taken. */
export function arrival({ state, interrupts, overseer }: Cpu): PendingEvent | undefined {
  const blocked = state.system('interruptibility');
  if (blocked & (SHADOWS | BLOCKED_BY.gif)) return undefined;
  if (!(blocked & BLOCKED_BY.nmi) && interrupts.takeNmi())
    return { vector: VECTOR.NMI, kind: 'nmi', returnRip: state.rip };
  // What leaves the guest has left it; what is its own comes before virtual ones (APM vol. 2 15.21.4).
  const own = !overseer?.takesInterrupts && interruptsOpen(state, overseer) && interrupts.pending();
  if (own) return { vector: interrupts.acknowledge(), kind: 'interrupt', returnRip: state.rip };
  const virtual = state.systemFlags & RFLAGS.IF ? overseer?.virtualInterrupt?.() : undefined;
  return virtual === undefined ? undefined : { vector: virtual, kind: 'interrupt', returnRip: state.rip };
}
