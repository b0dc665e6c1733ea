/** What the step loop and generated code ask of those around them. */
import type { Stop } from '../machine/api';
import type { Mmu } from '../mmu/access';
import type { Cpu } from './cpu';
import type { Delivery } from './events';
import type { PendingEvent } from './exit-cause';
import type { GeneratedRun } from './generated-run';

/** What the step loop asks of the board and the machine. */
export interface StepHost {
  /** ns since power-on when devices want to be ticked; Infinity: never. */
  nextDeadline(): number;
  tick(): void;
  /** ns that no instruction filled: skipped while halted. */
  idle: number;
  /** `run` returns when time has been skipped: others can use it. */
  readonly sharesIdleTime?: boolean;
  /** A hook, or a device, wants `run` to return after the instruction. */
  stopRequested(): Stop | undefined;
}

/** Whose instructions run: a machine, or one of the domains that share a host. */
export interface RunUser {
  /** ns that no instruction filled. */
  readonly idle: number;
  /** Blocks end at these, where `stopsAt` is asked. */
  isBreakpoint(gva: bigint): boolean;
  readonly hasBreakpoints: boolean;
  stopsAt(gva: bigint): boolean;
  /** Between two instructions nobody looks but who is told by a requested exit, an interrupt, a trap or a shadow. */
  readonly undisturbed: boolean;
  /** Retired instructions while another one runs. */
  retired: number;
}

/** What runs a guest's instructions where its processor does not do so itself: a technique of the hypervisor. */
export interface Executor {
  /** At most `budget` instructions of this processor, or one that leaves nothing to do but wait. Throws Interruption. */
  run(cpu: Cpu, budget: number): Stop | undefined;
  /** Another past: what was derived from the guest's memory and registers is void. */
  reset(): void;
  /** Brings the processor's registers up to date, in the middle of `run`: somebody looks. */
  settle(cpu: Cpu): void;
  /** Where the code at an address of the guest is executed instead: linear addresses. */
  placesOf?(gva: bigint): bigint[];
  /** An event that `run` did not raise, on its way to the guest. */
  deliver(cpu: Cpu, event: PendingEvent, asked: boolean): Delivery;
}

/** What domains of one host have in common. */
export interface SharedRun {
  generated: GeneratedRun;
  executor?: Executor;
  /** Of the physical processor, where it runs the guest's instructions. */
  mmu?: Mmu;
}
