/** From what made a guest leave to the exit that people see. */
import type { Cpu } from '../cpu/cpu';
import type { ExitCause } from '../cpu/exit-cause';
import { interceptedBy } from '../cpu/intercepts';
import type { GeneratedRun } from '../cpu/generated-run';
import { executionMode, linearRip } from '../cpu/mode';
import { eventOf, GuestExit, Interruption } from '../cpu/ports';
import type { GuestFault } from '../cpu/ports';
import type { Instruction } from '../isa/instruction';
import { VECTOR } from '../x86/registers';
import type { VmExit } from './exit';
import type { Guest } from './guest';

/** The one at a processor's RIP, if it can be fetched. The processor is current. */
export function instructionAt({ code }: GeneratedRun, { state }: Cpu): Instruction | undefined {
  try {
    return code.cache.lookup(state.rip, executionMode(state)).instructions[0];
  } catch (thrown) {
    if (thrown instanceof Interruption) return undefined;
    throw thrown;
  }
}

/** Faults that privileged instructions raise when they are executed deprivileged. */
const PRIVILEGE: readonly number[] = [VECTOR.GP, VECTOR.UD, VECTOR.TS, VECTOR.NP, VECTOR.SS];

const exitAt = (guest: Guest, cpu: Cpu, cause: ExitCause): VmExit => ({
  reason: cause.reason,
  cause,
  domain: guest.index,
  vcpu: cpu.apicId,
  gva: linearRip(cpu.state),
  cpl: cpu.state.cpl,
  at: guest.instructions,
});

/** What a control block says. `code`: the vendor's number; `instruction`: for its name alone. */
export function vendorExit(guest: Guest, cpu: Cpu, cause: ExitCause, code: number, instruction?: Instruction): VmExit {
  const exit = exitAt(guest, cpu, cause);
  exit.code = code;
  if (instruction) exit.mnemonic = instruction.row.mnemonic;
  if (cause.reason !== 'nested-fault') return exit;
  exit.gpa = cause.gpa;
  if (!guest.physical.isRam(cause.gpa)) exit.reason = 'mmio';
  return exit;
}

/** What a deprivileged guest left for. `look`: the instruction at its RIP. */
export function exitOf(guest: Guest, cpu: Cpu, thrown: Interruption, look: () => Instruction | undefined): VmExit {
  const cause = causeOf(cpu, thrown);
  const exit = exitAt(guest, cpu, cause);
  if (cause.reason !== 'exception') return exit;
  const { event } = cause;
  if (event.address !== undefined) exit.address = event.address;
  exit.reason = 'reflected-event';
  if (event.kind !== 'fault' || event.vector === VECTOR.PF || !PRIVILEGE.includes(event.vector)) return exit;
  const instruction = look();
  if (!instruction) return exit;
  exit.mnemonic = instruction.row.mnemonic;
  const { privileged, io } = instruction.row.attributes;
  if (privileged || io || exit.cpl === 0) {
    exit.cause = interceptedBy(cpu, instruction) ?? cause;
    exit.reason = exit.cause === cause ? 'privileged-instruction' : exit.cause.reason;
  }
  return exit;
}

function causeOf(cpu: Cpu, thrown: Interruption): ExitCause {
  if (thrown instanceof GuestExit) return thrown.cause;
  return { reason: 'exception', event: eventOf(thrown as GuestFault, cpu.state.rip) };
}
