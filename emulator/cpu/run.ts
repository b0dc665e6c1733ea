/**
 * The step loop of one processor: what happens between two instructions (traps, interrupts, breakpoints, timers), and
 * in between generated code that runs until one of them is due. Stops after exactly N instructions for any N: a block that
 * is longer than what is left runs with a STOP in its middle.
 */
import type { Instruction } from '../isa/instruction';
import type { Block } from '../execution/code-cache';
import { nextRip } from '../execution/forms';
import * as layout from '../execution/layout';
import { EXIT, HANDLER, RECORD, RECORD_BYTES } from '../execution/record';
import { GeneratedCode } from '../execution/tier';
import type { Stop, TrapEvent } from '../machine/api';
import { RFLAGS, SEG, VECTOR } from '../x86/registers';
import { assert } from '../util/assert';
import { Breakpoints } from './breakpoints';
import type { Cpu } from './cpu';
import { NS_PER_INSTRUCTION } from '../util/time';
import { dispatchCalled } from './dispatch';
import { deliver, describe } from './events';
import type { PendingEvent } from './events';
import { executionMode } from './mode';
import { MemoryPort } from './memory-port';
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
/** Taken out of the budget to make generated code leave at the next block. */
const EXIT_NOW = 1 << 30;
/** V8 replaces code of a running function only when it is entered anew: return to the loop this often. */
const LONGEST_RUN = 1 << 20;

export class StepLoop {
  readonly code: GeneratedCode;
  readonly port: MemoryPort;
  readonly breakpoints: Breakpoints;
  /** Retired, up to the last time generated code returned. */
  private retired = 0;
  /** While generated code runs: the budget that it got, less what was taken to make it leave. */
  private granted = 0;
  private running = false;
  /** A record that reads STOP for now, and the handler that belongs there. */
  private patched?: { record: number; handler: number };
  /** To link the block that comes next to: word and linear address of the branch. */
  private link?: { word: number; from: bigint; to: bigint; generation: number };
  private codeBase = -1n;
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
    this.port = new MemoryPort(cpu.state, cpu.mmu, (record) => this.instructionAt(record));
    this.breakpoints = new Breakpoints(cpu.mmu, (gva) => this.code.cache.forgetLinear(gva));
    this.breakpoints.onWatch = (stop) => {
      this.watched ??= stop;
      this.requestExit();
    };
    const { slowRead, slowWrite, slowCommit, bulkString } = this.port;
    const imports = { slowRead, slowWrite, slowCommit, bulkString, called: this.called };
    this.code = new GeneratedCode(memory, imports, {
      physical: cpu.mmu.physical,
      fetch: (gva) => cpu.mmu.fetch(gva),
      codeSegment: () => this.codeSegment(),
      isBreakpoint: (gva) => this.breakpoints.has(gva),
      hasFeature: (name) => cpu.has(name),
    });
    cpu.mmu.tlb.onFlush = () => this.code.cache.flushJumpCache();
    cpu.onTripleFault = (event) => (this.shutdownCause = event);
  }

  // --- Time.
  /** Retired instructions, exact also in the middle of a block. */
  get instructions(): number {
    return this.retired + (this.running ? this.inFlight() : 0);
  }
  /** Instructions before the one at `port.site` since generated code was entered. */
  private inFlight(): number {
    const { cache } = this.code;
    const block = cache.blockOf(this.port.site);
    const left = this.cpu.state.view.getInt32(layout.BUDGET, true);
    return this.granted - left - (block.instructions.length - cache.position(this.port.site));
  }
  /** Guest time in ns. */
  get now(): number {
    return this.instructions * NS_PER_INSTRUCTION + this.host.idle;
  }

  /** Another past: nothing that was decoded or counted holds. */
  restart(retired = 0): void {
    this.retired = retired;
    this.link = this.passing = this.watched = this.shutdownCause = undefined;
    this.code.cache.clear();
    this.cpu.mmu.tlb.flush();
  }

  // --- The loop.

  /** Runs until `instructions` more have retired, or something stops it. */
  run(instructions: number): Stop {
    const end = this.retired + instructions;
    for (;;) {
      const requested = this.host.stopRequested();
      if (requested) return requested;
      if (this.host.nextDeadline() <= this.now) this.host.tick();
      const boundary = this.boundary();
      if (boundary) return boundary;
      if (this.retired >= end) return { kind: 'limit' };
      if (this.cpu.state.system('activity') !== ACTIVITY.active) {
        const stop = this.skipIdle();
        if (stop) return stop;
        continue;
      }
      const due = Math.ceil((this.host.nextDeadline() - this.now) / NS_PER_INSTRUCTION);
      const until = Math.min(end - this.retired, due, LONGEST_RUN);
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
    this.codeMoved();
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
    const { cpu, code } = this;
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
      const block = code.cache.lookup(state.rip, executionMode(state));
      this.connect(block);
      cpu.vectored = false;
      this.execute(block, single ? 1 : budget);
      // A software interrupt that a filter held back.
      if (cpu.heldEvent) return { kind: 'trap', cpu: 0, event: describe(cpu, cpu.heldEvent) };
      if (!single) return undefined;
      const trap = cpu.debug.afterInstruction(trapFlag && !cpu.vectored, resumeFlag);
      if (shadow) state.setSystem('interruptibility', state.system('interruptibility') & ~shadow);
      return trap && this.fault(trap);
    } catch (fault) {
      if (!(fault instanceof GuestFault)) throw fault;
      this.link = undefined;
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
    this.codeMoved();
  }

  private atBreakpoint(pc: bigint): Stop | undefined {
    if (!this.breakpoints.has(pc)) return undefined;
    if (this.passing?.gva === pc && this.passing.at === this.retired) return undefined;
    const ids = this.breakpoints.hits(pc);
    if (ids.length === 0) return undefined;
    this.passing = { gva: pc, at: this.retired };
    return { kind: 'breakpoint', cpu: 0, gva: pc, ids };
  }

  /** Linear address of the next instruction. */
  pc(): bigint {
    const { state } = this.cpu;
    const { rip } = state;
    return executionMode(state).codeSize === 64 ? rip : BigInt.asUintN(32, state.segmentBase(SEG.CS) + rip);
  }
  private codeSegment(): { base: bigint; limit: bigint } {
    const { base, limit } = this.cpu.state.segment(SEG.CS);
    const long = executionMode(this.cpu.state).codeSize === 64;
    return { base, limit: long ? (1n << 64n) - 1n : BigInt(limit) };
  }
  /** The jump cache knows offsets in CS: with another base they mean something else. */
  private codeMoved(): void {
    const base = this.cpu.state.segmentBase(SEG.CS);
    if (base === this.codeBase) return;
    this.codeBase = base;
    this.code.cache.flushJumpCache();
    this.link = undefined;
  }

  // --- Generated code.

  /** Makes the way that led here direct, and known to indirect branches. */
  private connect(block: Block): void {
    const { cache } = this.code;
    const { link } = this;
    // An interrupt may have come in between: then the link waits for another time.
    if (link && link.generation === cache.generation && link.to === block.rip) cache.link(link.word, link.from, block);
    this.link = undefined;
    cache.enterJumpCache(block);
  }

  private execute(block: Block, budget: number): void {
    const { view } = this.cpu.state;
    const whole = block.instructions.length <= budget;
    if (!whole) this.patch(block.address + budget * RECORD_BYTES);
    this.granted = whole ? budget : block.instructions.length;
    view.setInt32(layout.BUDGET, this.granted, true);
    this.setTicksBase();
    this.running = true;
    this.port.site = block.address;
    try {
      this.code.run(block.address);
    } finally {
      this.running = false;
      this.unpatch();
    }
    this.settle();
  }

  private setTicksBase(): void {
    const { view } = this.cpu.state;
    const base = this.retired + Math.floor(this.host.idle / NS_PER_INSTRUCTION) + this.granted;
    view.setUint32(layout.TICKS_BASE, base >>> 0, true);
    view.setInt32(layout.TICKS_BASE + 4, Math.floor(base / 0x1_0000_0000), true);
  }

  private patch(record: number): void {
    const { view } = this.cpu.state;
    this.unpatch();
    this.patched = { record, handler: view.getUint32(record + RECORD.HANDLER, true) };
    view.setUint32(record + RECORD.HANDLER, HANDLER.STOP, true);
  }
  private unpatch(): void {
    if (!this.patched) return;
    const { record, handler } = this.patched;
    this.patched = undefined;
    if (this.code.cache.blockOf(record)?.alive) this.cpu.state.view.setUint32(record + RECORD.HANDLER, handler, true);
  }

  /** Leave generated code when the instruction that is executing is done. */
  requestExit(): void {
    if (!this.running || this.granted < 0) return;
    const { cache } = this.code;
    const { view } = this.cpu.state;
    const { site } = this.port;
    const last = cache.blockOf(site).instructions.length - 1;
    // A block cut short keeps its STOP: it comes later than the next instruction, or is it.
    if (cache.position(site) < last && this.patched?.record !== site + RECORD_BYTES) this.patch(site + RECORD_BYTES);
    view.setInt32(layout.BUDGET, view.getInt32(layout.BUDGET, true) - EXIT_NOW, true);
    this.granted -= EXIT_NOW;
    this.setTicksBase();
  }

  /** Why it returned; brings RIP and the count of instructions up to date, throws what is to be delivered. */
  private settle(): void {
    const { state } = this.cpu;
    const { view } = state;
    const record = view.getUint32(layout.EXIT_RECORD, true);
    const { cache } = this.code;
    const block = cache.blockOf(record);
    const position = cache.position(record);
    const rest = block.instructions.length - position;
    const left = view.getInt32(layout.BUDGET, true);
    const insn = block.instructions[position] as Instruction | undefined;
    const retire = (untouched: number): void => void (this.retired += this.granted - left - untouched);
    switch (view.getInt32(layout.EXIT_REASON, true)) {
      case EXIT.LINK: {
        retire(0);
        const word = view.getUint32(layout.EXIT_LINK, true);
        if (word) this.link = { word, from: block.gva, to: state.rip, generation: cache.generation };
        return;
      }
      case EXIT.BUDGET:
        retire(0);
        state.rip = block.rip;
        return;
      case EXIT.STOP:
        retire(rest);
        // The record after the last instruction only falls through.
        state.rip = insn ? insn.rip : view.getBigUint64(record + RECORD.NEXT_RIP, true);
        return;
      case EXIT.AGAIN:
        retire(rest - 1);
        state.rip = insn!.rip;
        return;
      case EXIT.CALLED:
        retire(rest - 1);
        this.codeMoved();
        return;
      case EXIT.FAULT:
        retire(rest);
        state.rip = insn!.rip;
        throw this.port.takeFault();
      default:
        assert(false, 'generated code returned without a reason');
    }
  }

  private instructionAt(record: number): Instruction {
    const { cache } = this.code;
    return cache.blockOf(record).instructions[cache.position(record)];
  }

  /** Plain meanings, called from generated code: 0 to go on behind it. */
  private readonly called = (record: number): number => {
    const { cpu } = this;
    const { state } = cpu;
    const insn = this.instructionAt(record);
    this.port.site = record;
    state.rip = insn.rip;
    state.view.setUint32(layout.EXIT_RECORD, record, true);
    try {
      const jumped = dispatchCalled(cpu, insn) === 'jumped';
      if (!jumped && !insn.row.attributes.ends) return 0;
      if (!jumped) state.rip = nextRip(insn);
      state.view.setInt32(layout.EXIT_REASON, EXIT.CALLED, true);
    } catch (fault) {
      if (!(fault instanceof GuestFault)) throw fault;
      // A trap comes after the instruction: it has happened, and its RIP is the next one.
      this.port.failed(fault);
      state.view.setInt32(layout.EXIT_REASON, EXIT.FAULT, true);
    }
    return 1;
  };
}
