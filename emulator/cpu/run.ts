/**
 * The step loop: what happens between two instructions (traps, interrupts, breakpoints, timers, another processor's
 * turn), and in between generated code (generated-run.ts) that runs until one of them is due.
 */
import type { Stop, TrapEvent } from '../machine/api';
import * as layout from '../execution/layout';
import { arrival, asleep } from './arrivals';
import { Breakpoints } from './breakpoints';
import type { Cpu } from './cpu';
import { NS_PER_INSTRUCTION } from '../util/time';
import { deliver, describe, isSoftware } from './events';
import type { Delivery } from './events';
import type { PendingEvent } from './exit-cause';
import type { Tier } from '../execution/tier';
import { GeneratedRun } from './generated-run';
import { linearRip } from './mode';
import { eventOf, GuestExit, GuestFault, Interruption } from './ports';
import type { Executor, RunUser, SharedRun, StepHost } from './step-host';
import { executed } from './stretch';
import { ACTIVITY, QUANTUM, Turns } from './turns';
import type { Turn } from './turns';

const ACTIVITY_AT = layout.SYSTEM_ADDRESS.activity;
/** V8 replaces code of a running function only when it is entered anew: return to the loop this often. */
const LONGEST_RUN = 1 << 20;
/** Exceptions in a row, each raised by the way to the handler of the last: the guest will not get out, but its user may. */
const FRUITLESS = 1000;
/** A step of a processor that has no turn lets the others run so long before it returns. */
const STEP_PATIENCE = 50_000;

export class StepLoop implements RunUser {
  readonly breakpoints: Breakpoints;
  readonly generated: GeneratedRun;
  private readonly turns: Turns;
  private readonly executor: Executor | undefined;
  /** RunUser. */
  retired = 0;
  /** A watchpoint was hit by the instruction that is executing. */
  private watched?: Stop;
  private readonly shutdownCause = new Map<Cpu, TrapEvent>();
  /** The last stop was at a breakpoint here and now: the next run passes it. */
  private passing?: { cpu: Cpu; gva: bigint; at: number };
  /** One processor is to execute one instruction. */
  private stepping?: { cpu: Cpu; done: boolean };
  /** Exceptions delivered, and waits for a device, since an instruction retired. */
  private fruitless = 0;

  /** `cpus`: the first is current (CpuState). */
  constructor(
    cpus: readonly Cpu[],
    private readonly host: StepHost,
    memory: WebAssembly.Memory,
    tier: Tier = 'compiler',
    shared?: SharedRun,
  ) {
    const mmus = cpus.map((cpu) => cpu.mmu);
    const executing = (): number | undefined => (this.generated.isOf(this) ? this.turns.cpu.apicId : undefined);
    this.breakpoints = new Breakpoints(
      mmus,
      (gva) => {
        for (const place of [gva, ...(this.executor?.placesOf?.(gva) ?? [])])
          this.generated.code.cache.forgetLinear(place);
      },
      shared?.mmu && { mmu: shared.mmu, owner: cpus[0].number, cpu: executing },
    );
    this.breakpoints.onWatch = (stop) => {
      this.watched ??= stop;
      this.requestExit();
    };
    this.executor = shared?.executor;
    this.generated = shared?.generated ?? new GeneratedRun(cpus[0], this, memory, tier);
    this.turns = new Turns(cpus, (cpu) => this.generated.switchTo(cpu));
    for (const cpu of cpus) {
      for (const tlb of cpu.mmu.tlbs.all)
        tlb.onFlush = (what) => this.generated.code.cache.flushJumpCache(tlb.number, what);
      cpu.attention = () => this.requestExit();
      cpu.onTripleFault = (event) => this.shutdownCause.set(cpu, event);
    }
  }

  /** Whose turn it is. */
  get cpu(): Cpu {
    return this.turns.cpu;
  }
  readonly saveTurn = (): Turn => this.turns.save();

  // --- Time.
  /** Retired instructions, exact also in the middle of a block. */
  get instructions(): number {
    return this.generated.isOf(this) ? this.generated.instructions : this.retired;
  }
  /** Guest time in ns. */
  get now(): number {
    return this.instructions * NS_PER_INSTRUCTION + this.host.idle;
  }

  /** Leave generated code when the instruction that is executing is done. */
  requestExit(): void {
    this.generated.requestExit();
  }

  get idle(): number { return this.host.idle; } // prettier-ignore
  get undisturbed(): boolean { return !this.executor; } // prettier-ignore
  readonly isBreakpoint = (gva: bigint): boolean => this.breakpoints.has(gva);
  get hasBreakpoints(): boolean {
    return this.breakpoints.any;
  }
  /** Of several that share generated code, this one goes on. */
  resume(): void {
    this.generated.use(this);
    this.generated.switchTo(this.turns.cpu);
  }

  /** Another past: nothing that was decoded or counted holds. */
  restart(retired = 0, turn: Turn = { cpu: 0, left: QUANTUM }): void {
    this.passing = this.watched = undefined;
    this.shutdownCause.clear();
    this.turns.restore(turn);
    this.generated.restart(retired);
    this.executor?.reset();
    for (const cpu of this.turns.cpus) cpu.mmu.tlbs.flush();
  }

  // --- The loop.

  /** Runs until `instructions` more have retired, or something stops it. */
  run(instructions: number): Stop {
    const end = this.generated.retired + instructions;
    this.fruitless = 0;
    for (;;) {
      const requested = this.host.stopRequested();
      if (requested) return requested;
      if (this.host.nextDeadline() <= this.now) this.host.tick();
      this.turns.pass();
      const boundary = this.boundary();
      if (boundary === 'taken') continue;
      if (boundary) return boundary;
      if (this.generated.retired >= end || this.stepping?.done || this.fruitless >= FRUITLESS) return { kind: 'limit' };
      const stop = this.cpu.state.word(ACTIVITY_AT) === Number(ACTIVITY.active) ? this.advance(end) : this.skipIdle();
      if (stop) return stop;
    }
  }

  /**
   * Until `cpu` has executed one instruction, the others as their turns come. `requested`: it has not had its turn for a
   * while; ask again.
   */
  step(cpu: Cpu): Stop {
    if (!this.turns.several) return this.run(1);
    const stepping = (this.stepping = { cpu, done: false });
    const stop = this.run(STEP_PATIENCE);
    this.stepping = undefined;
    return stop.kind === 'limit' && !stepping.done ? { kind: 'requested' } : stop;
  }

  /** As much as may run at once. */
  private advance(end: number): Stop | undefined {
    const { cpu, generated, turns } = this;
    const due = Math.ceil((this.host.nextDeadline() - this.now) / NS_PER_INSTRUCTION);
    let until = Math.min(end - generated.retired, due, LONGEST_RUN, cpu.overseer?.patience?.() ?? Infinity);
    if (turns.several) {
      const { most, pauseEnds } = turns.next();
      until = Math.min(until, this.stepping?.cpu === cpu ? 1 : most);
      cpu.state.view.setInt32(layout.GIVE_WAY, pauseEnds ? 1 : 0, true);
    }
    if (until <= 0) return undefined;
    const before = generated.retired;
    const stop = this.stretch(until);
    const done = generated.retired - before;
    if (done === 0) return stop;
    this.fruitless = 0;
    turns.spend(done);
    if (generated.gaveWay) turns.giveWay();
    generated.gaveWay = false;
    if (this.stepping?.cpu === cpu) this.stepping.done = true;
    return stop;
  }

  /** Traps of the last instruction and interrupts, by priority (SDM vol. 3A table 6-2). */
  private boundary(): Stop | 'taken' | undefined {
    const { cpu } = this;
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
    const due = cpu.overseer?.due();
    if (due) {
      this.leave(due);
      return 'taken';
    }
    if (asleep(cpu, () => this.generated.codeMoved())) return undefined;
    const event = arrival(cpu);
    return event && this.take(event);
  }

  private take(event: PendingEvent, asked = false): Stop | 'taken' {
    const { cpu } = this;
    const described = describe(cpu, event);
    let outcome: Delivery;
    try {
      outcome = this.executor ? this.executor.deliver(cpu, event, asked) : deliver(cpu, event, asked);
    } catch (thrown) {
      if (!(thrown instanceof GuestExit)) throw thrown;
      this.leave(thrown);
      return 'taken';
    }
    this.generated.codeMoved();
    if (outcome === 'held') return { kind: 'trap', cpu: cpu.apicId, event: this.describeHeld(described) };
    // One that gets no further than to its next exception must not keep the turn for ever.
    if (!isSoftware(event.kind)) this.turns.spend(1);
    this.fruitless++;
    return outcome === 'shutdown' ? this.tripleFault(cpu, described) : 'taken';
  }
  private tripleFault(cpu: Cpu, cause?: TrapEvent): Stop {
    return { kind: 'triple-fault', cpu: cpu.apicId, event: (this.shutdownCause.get(cpu) ?? cause)! };
  }
  private describeHeld(fallback: TrapEvent): TrapEvent {
    return this.cpu.heldEvent ? describe(this.cpu, this.cpu.heldEvent) : fallback;
  }

  /** This processor cannot run. If nobody can, time jumps to when a device acts next. */
  private skipIdle(): Stop | undefined {
    const { host, turns } = this;
    if (turns.anyCanRun) return undefined;
    const { canWake, shutDown } = turns;
    if (shutDown && !canWake) return this.tripleFault(shutDown);
    // An NMI could still come, but nothing on this board raises one by itself.
    if (!canWake) return { kind: 'dead-halt' };
    const deadline = Math.min(host.nextDeadline(), turns.wakesAt * NS_PER_INSTRUCTION);
    if (deadline === Infinity) return { kind: 'idle' };
    if (deadline > this.now) host.idle += deadline - this.now;
    this.fruitless++;
    host.tick();
    return host.sharesIdleTime ? { kind: 'limit' } : undefined;
  }

  /** One entry into generated code of at most `budget` instructions; a fault that it raised is delivered. */
  private stretch(budget: number): Stop | undefined {
    const { cpu } = this;
    const stop = this.atBreakpoint(this.pc());
    if (stop) return stop;
    const left = executed(this.generated, cpu, budget, this.executor);
    if (left instanceof Interruption)
      return left instanceof GuestFault ? this.fault(left) : this.leave(left as GuestExit);
    if (left) return left;
    // A software interrupt that a filter held back.
    return cpu.heldEvent && { kind: 'trap', cpu: cpu.apicId, event: describe(cpu, cpu.heldEvent) };
  }

  /** The guest that ran on the processor leaves it to its owner. */
  private leave(exit: GuestExit): undefined {
    this.cpu.overseer!.leave(exit);
    this.generated.codeMoved();
    this.turns.spend(1);
    this.fruitless++;
  }

  private fault(fault: GuestFault): Stop | undefined {
    const outcome = this.take(eventOf(fault, this.cpu.state.rip));
    return outcome === 'taken' ? undefined : outcome;
  }

  /** Generated code came to a breakpoint: whether it has to leave. */
  stopsAt(gva: bigint): boolean {
    this.executor?.settle(this.cpu);
    return this.breakpoints.decide(gva, this.cpu.apicId, this.instructions);
  }

  private atBreakpoint(pc: bigint): Stop | undefined {
    if (!this.breakpoints.has(pc)) return undefined;
    const { cpu, passing } = this;
    const at = this.generated.retired;
    if (passing?.cpu === cpu && passing.gva === pc && passing.at === at) return undefined;
    const ids = this.breakpoints.hits(pc, cpu.apicId, at);
    if (ids.length === 0) return undefined;
    this.passing = { cpu, gva: pc, at };
    return { kind: 'breakpoint', cpu: cpu.apicId, gva: pc, ids: [...ids] };
  }

  /** Linear address of the next instruction. */
  pc(): bigint {
    return linearRip(this.cpu.state);
  }
}
