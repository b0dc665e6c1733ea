/**
 * Several processors take turns on one host: round robin, QUANTUM retired instructions each. Whoever halts, or waits in a
 * loop with PAUSE, gives the rest of its turn away. All of it follows from the state of the
 * machine, so that a run is the same however it is cut into pieces; whose turn it is and what is left of it is state.
 *
 * A turn ends between two instructions (or two iterations of a repeated string instruction): locked instructions need
 * no lock. Time is the number of instructions that all processors together have retired, and the TSC is the time: it is
 * the same on all, and each of N busy processors has 1/N of the speed.
 */
import type { Cpu } from './cpu';
import { RFLAGS } from '../x86/registers';

/**
 * Long enough that changing processors costs next to nothing, short enough that one that spins on a lock without PAUSE
 * does not waste a millisecond of guest time.
 */
export const QUANTUM = 20_000;
/** PAUSE does not end a turn that is shorter: two processors that both wait must not change places at each PAUSE. */
const SHORTEST = 500;

/** As a VMCS has them (SDM vol. 3C 25.4.2). */
export const ACTIVITY = { active: 0n, halted: 1n, shutdown: 2n, waitForSipi: 3n } as const;
const NMI_BLOCKED = 4n;
const GIF_CLEAR = 8n;

/** Plain data. */
export interface Turn {
  cpu: number;
  /** Instructions. */
  left: number;
}

export class Turns {
  /** Whose turn it is. */
  cpu: Cpu;
  private left = QUANTUM;

  constructor(
    readonly cpus: readonly Cpu[],
    private readonly switchTo: (cpu: Cpu) => void,
  ) {
    this.cpu = cpus[0];
  }

  save(): Turn {
    return { cpu: this.cpu.apicId, left: this.left };
  }
  restore({ cpu, left }: Turn): void {
    this.give(cpu);
    this.left = left;
  }

  /** Gives the turn to the next one that can use it, if it is over. When nobody can, nothing changes. */
  pass(): void {
    const { cpus } = this;
    if (!this.several) return;
    // What was held back for the user to look at is delivered first.
    if ((this.left > 0 || this.cpu.heldEvent) && canRun(this.cpu)) return;
    for (let i = 1; i <= cpus.length; i++) {
      const next = (this.cpu.apicId + i) % cpus.length;
      if (canRun(cpus[next])) return this.give(next);
    }
  }
  private give(index: number): void {
    this.left = QUANTUM;
    const cpu = this.cpus[index];
    if (cpu === this.cpu) return;
    this.switchTo(cpu);
    this.cpu = cpu;
  }
  /** The processor executed PAUSE. */
  giveWay(): void {
    this.left = 0;
  }
  /** Instructions, or deliveries of exceptions that retired none. */
  spend(count: number): void {
    this.left -= count;
  }

  get several(): boolean {
    return this.cpus.length > 1;
  }
  /** How many instructions may run at once, and whether a PAUSE among them ends the turn. */
  next(): { most: number; pauseEnds: boolean } {
    const young = this.left - (QUANTUM - SHORTEST);
    return young > 0 ? { most: young, pauseEnds: false } : { most: this.left, pauseEnds: true };
  }

  /** Somebody has something to do. */
  get anyCanRun(): boolean {
    return this.cpus.some(canRun);
  }
  /** Some interrupt could wake somebody, or time. */
  get canWake(): boolean {
    const some = ({ state, overseer }: Cpu): boolean =>
      (state.systemFlags & RFLAGS.IF) !== 0 || overseer?.takesInterrupts === true || overseer?.interruptsOpen === true;
    return this.wakesAt < Infinity || this.cpus.some((cpu) => cpu.state.system('activity') === ACTIVITY.halted && some(cpu));
  } // prettier-ignore
  /** Ticks after which somebody wakes by himself. */
  get wakesAt(): number {
    return this.cpus.reduce((first, { overseer }) => Math.min(first, overseer?.wakesAt ?? Infinity), Infinity);
  }
  /** One that is shut down by a triple fault. */
  get shutDown(): Cpu | undefined {
    return this.cpus.find(({ state }) => state.system('activity') === ACTIVITY.shutdown);
  }
}

/** Has instructions to execute, or an event to take that makes it so. */
function canRun({ state, interrupts, heldEvent, overseer }: Cpu): boolean {
  const activity = state.system('activity');
  if (activity === ACTIVITY.active || heldEvent) return true;
  const { nmi, init, sipi } = interrupts.signals();
  if (init || overseer?.wakesNow) return true;
  if (activity === ACTIVITY.shutdown) return false;
  if (activity === ACTIVITY.waitForSipi) return sipi;
  const blocked = state.system('interruptibility');
  if (nmi && !(blocked & (NMI_BLOCKED | GIF_CLEAR))) return true;
  if (overseer?.takesInterrupts && interrupts.pending()) return true;
  if (blocked & GIF_CLEAR) return false;
  const virtual = (state.systemFlags & RFLAGS.IF) !== 0 && overseer?.virtualPending === true;
  return virtual || (interruptsOpen(state, overseer) && interrupts.pending());
}

/** External interrupts go through the IDT in force: RFLAGS.IF says so, or whoever owns the processor. */
export const interruptsOpen = (state: Cpu['state'], overseer: Cpu['overseer']): boolean =>
  overseer?.interruptsOpen ?? (state.systemFlags & RFLAGS.IF) !== 0;

/** An interrupt or a filter could hold the processor back, or be held back, before its next instruction. */
export const somethingWaits = ({ interrupts, onEvent }: Cpu): boolean =>
  onEvent !== undefined || interrupts.pending() || interrupts.signals().nmi;
/** Something does so now: what IF holds back waits for an instruction that sets it, each of which asks again. */
export const somethingComes = ({ state, interrupts, onEvent }: Cpu): boolean =>
  onEvent !== undefined || ((state.systemFlags & RFLAGS.IF) !== 0 && interrupts.pending()) || interrupts.signals().nmi;
