/**
 * The step loop of one processor: what happens between two instructions (traps, interrupts, breakpoints, timers), and
 * in between generated code (generated-run.ts) that runs until one of them is due.
 */
import type { Stop, TrapEvent } from '../machine/api';
import { RFLAGS, SEG, VECTOR } from '../x86/registers';
import { Breakpoints } from './breakpoints';
import type { Cpu } from './cpu';
import { NS_PER_INSTRUCTION } from '../util/time';
import { deliver, describe } from './events';
import type { PendingEvent } from './events';
import { GeneratedRun } from './generated-run';
import { executionMode } from './mode';
import { GuestFault } from './ports';

/** What the step loop asks of the board and the machine. */
export interface StepHost {
  /** ns since power-on when devices want to be ticked; Infinity: never. */
  nextDeadline(): number;
  tick(): void;
  /** ns that no instruction filled: skipped while halted. */
  idle: number;
  /** A hook, or a device, wants `run` to return after the instruction. */
  stopRequested(): Stop | undefined;
}

export const ACTIVITY = { active: 0n, halted: 1n, waitForSipi: 2n, shutdown: 3n } as const;
const BLOCKED_BY = { sti: 1n, movSs: 2n, nmi: 4n } as const;
/** V8 replaces code of a running function only when it is entered anew: return to the loop this often. */
const LONGEST_RUN = 1 << 20;

export class StepLoop {
  readonly breakpoints: Breakpoints;
  private readonly generated: GeneratedRun;
  /** A watchpoint was hit by the instruction that is executing. */
  private watched?: Stop;
  private shutdownCause?: TrapEvent;
  /** The last stop was at a breakpoint here and now: the next run passes it. */
  private passing?: { gva: bigint; at: number };

  constructor(
    private readonly cpu: Cpu,
    private readonly host: StepHost,
    memory: WebAssembly.Memory,
  ) {
    this.breakpoints = new Breakpoints(cpu.mmu, (gva) => this.generated.code.cache.forgetLinear(gva));
    this.breakpoints.onWatch = (stop) => {
      this.watched ??= stop;
      this.requestExit();
    };
    this.generated = new GeneratedRun(cpu, host, memory, (gva) => this.breakpoints.has(gva));
    cpu.mmu.tlb.onFlush = () => this.generated.code.cache.flushJumpCache(cpu.apicId);
    cpu.onTripleFault = (event) => (this.shutdownCause = event);
  }

  // --- Time.
  /** Retired instructions, exact also in the middle of a block. */
  get instructions(): number {
    return this.generated.instructions;
  }
  /** Guest time in ns. */
  get now(): number {
    return this.instructions * NS_PER_INSTRUCTION + this.host.idle;
  }

  /** Leave generated code when the instruction that is executing is done. */
  requestExit(): void {
    this.generated.requestExit();
  }

  /** Another past: nothing that was decoded or counted holds. */
  restart(retired = 0): void {
    this.passing = this.watched = this.shutdownCause = undefined;
    this.generated.restart(retired);
    this.cpu.mmu.tlb.flush();
  }

  // --- The loop.

  /** Runs until `instructions` more have retired, or something stops it. */
  run(instructions: number): Stop {
    const end = this.generated.retired + instructions;
    for (;;) {
      const requested = this.host.stopRequested();
      if (requested) return requested;
      if (this.host.nextDeadline() <= this.now) this.host.tick();
      const boundary = this.boundary();
      if (boundary) return boundary;
      if (this.generated.retired >= end) return { kind: 'limit' };
      if (this.cpu.state.system('activity') !== ACTIVITY.active) {
        const stop = this.skipIdle();
        if (stop) return stop;
        continue;
      }
      const due = Math.ceil((this.host.nextDeadline() - this.now) / NS_PER_INSTRUCTION);
      const until = Math.min(end - this.generated.retired, due, LONGEST_RUN);
      if (until <= 0) continue;
      const stop = this.stretch(until);
      if (stop) return stop;
    }
  }

  /** Traps of the last instruction and interrupts, by priority (SDM vol. 3A table 6-2). */
  private boundary(): Stop | undefined {
    const { cpu } = this;
    const { state } = cpu;
    if (this.watched) {
      const stop = this.watched;
      this.watched = undefined;
      return stop;
    }
    if (cpu.heldEvent) {
      const event = cpu.heldEvent;
      cpu.heldEvent = undefined;
      return this.take(event, true);
    }
    if (cpu.interrupts.takeInit()) cpu.reset('init');
    if (state.system('activity') === ACTIVITY.shutdown) return undefined;
    if (state.system('activity') === ACTIVITY.waitForSipi) {
      const page = cpu.interrupts.takeSipi();
      if (page >= 0) this.startUp(page);
      return undefined;
    }
    const blocked = state.system('interruptibility');
    const shadow = blocked & (BLOCKED_BY.sti | BLOCKED_BY.movSs);
    if (!shadow && !(blocked & BLOCKED_BY.nmi) && cpu.interrupts.takeNmi())
      return this.take({ vector: VECTOR.NMI, kind: 'nmi', returnRip: state.rip });
    if (!shadow && state.systemFlags & RFLAGS.IF && cpu.interrupts.pending()) {
      const vector = cpu.interrupts.acknowledge();
      return this.take({ vector, kind: 'interrupt', returnRip: state.rip });
    }
    return undefined;
  }

  private take(event: PendingEvent, asked = false): Stop | undefined {
    const described = describe(this.cpu, event);
    const outcome = deliver(this.cpu, event, asked);
    this.generated.codeMoved();
    if (outcome === 'held') return { kind: 'trap', cpu: 0, event: this.describeHeld(described) };
    if (outcome === 'shutdown') return { kind: 'triple-fault', cpu: 0, event: this.shutdownCause ?? described };
    return undefined;
  }
  private describeHeld(fallback: TrapEvent): TrapEvent {
    return this.cpu.heldEvent ? describe(this.cpu, this.cpu.heldEvent) : fallback;
  }

  /** Halted: time jumps to when a device acts next. */
  private skipIdle(): Stop | undefined {
    const { cpu, host } = this;
    if (cpu.state.system('activity') === ACTIVITY.shutdown)
      return { kind: 'triple-fault', cpu: 0, event: this.shutdownCause! };
    const deadline = host.nextDeadline();
    const wakes = (cpu.state.systemFlags & RFLAGS.IF) !== 0;
    if (deadline === Infinity) return { kind: wakes ? 'idle' : 'dead-halt' };
    // An NMI could still come, but nothing on this board raises one by itself.
    if (!wakes && cpu.state.system('activity') === ACTIVITY.halted) return { kind: 'dead-halt' };
    if (deadline > this.now) host.idle += deadline - this.now;
    host.tick();
    return undefined;
  } // prettier-ignore

  /** One entry into generated code of at most `budget` instructions; a fault that it raised is delivered. */
  private stretch(budget: number): Stop | undefined {
    const { cpu } = this;
    const { state } = cpu;
    const pc = this.pc();
    const stop = this.atBreakpoint(pc);
    if (stop) return stop;
    // What lasts for one instruction: the shadow of STI and MOV SS, RF, a trap after each (TF), debug registers.
    const shadow = state.system('interruptibility') & (BLOCKED_BY.sti | BLOCKED_BY.movSs);
    const trapFlag = (state.systemFlags & RFLAGS.TF) !== 0;
    const resumeFlag = (state.systemFlags & RFLAGS.RF) !== 0;
    const single = shadow !== 0n || trapFlag || resumeFlag || cpu.debug.armed();
    try {
      if (single) {
        const due = cpu.debug.checkInstruction();
        if (due) throw due;
      }
      cpu.vectored = false;
      this.generated.run(single ? 1 : budget);
      // A software interrupt that a filter held back.
      if (cpu.heldEvent) return { kind: 'trap', cpu: 0, event: describe(cpu, cpu.heldEvent) };
      if (!single) return undefined;
      const trap = cpu.debug.afterInstruction(trapFlag && !cpu.vectored, resumeFlag);
      if (shadow) state.setSystem('interruptibility', state.system('interruptibility') & ~shadow);
      return trap && this.fault(trap);
    } catch (fault) {
      if (!(fault instanceof GuestFault)) throw fault;
      this.generated.forgetLink();
      return this.fault(fault);
    }
  }

  private fault(fault: GuestFault): Stop | undefined {
    const { vector, errorCode, address, trap } = fault;
    return this.take({ vector, kind: trap ? 'trap' : 'fault', errorCode, address, returnRip: this.cpu.state.rip });
  }

  /** Start-up IPI: real mode at page * 4 KiB (SDM vol. 3A section 8.4.4). */
  private startUp(page: number): void {
    const { state } = this.cpu;
    state.setSegment(SEG.CS, { ...state.segment(SEG.CS), selector: page << 8, base: BigInt(page << 12) });
    state.rip = 0n;
    state.setSystem('activity', ACTIVITY.active);
    this.cpu.modeChanged();
    this.generated.codeMoved();
  }

  private atBreakpoint(pc: bigint): Stop | undefined {
    if (!this.breakpoints.has(pc)) return undefined;
    if (this.passing?.gva === pc && this.passing.at === this.generated.retired) return undefined;
    const ids = this.breakpoints.hits(pc);
    if (ids.length === 0) return undefined;
    this.passing = { gva: pc, at: this.generated.retired };
    return { kind: 'breakpoint', cpu: 0, gva: pc, ids };
  }

  /** Linear address of the next instruction. */
  pc(): bigint {
    const { state } = this.cpu;
    const { rip } = state;
    return executionMode(state).codeSize === 64 ? rip : BigInt.asUintN(32, state.segmentBase(SEG.CS) + rip);
  }
}
