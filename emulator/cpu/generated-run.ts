/**
 * Generated code on the current processor: enters it with a budget, stops it early where asked, and afterwards brings RIP
 * and the count of instructions up to date. Stops after exactly N instructions for any N (budget.ts).
 */
import type { Block } from '../execution/block';
import type { CodeSource } from '../execution/code-cache';
import { nextRip } from '../execution/forms';
import * as layout from '../execution/layout';
import { EXIT, GO_ON, LEAVE, RECORD, RETRY } from '../execution/record';
import { GeneratedCode } from '../execution/tier';
import type { Tier } from '../execution/tier';
import type { PhysicalMemory } from '../mmu/physical-memory';
import { assert } from '../util/assert';
import { NS_PER_INSTRUCTION } from '../util/time';
import { SEG } from '../x86/registers';
import { Budget } from './budget';
import type { Cpu } from './cpu';
import { dispatchCalled } from './dispatch';
import { codeSource } from './code-source';
import { MemoryPort } from './memory-port';
import type { RunUser } from './step-host';
import { executionMode } from './mode';
import { Interruption } from './ports';
import { passesOn } from './stretch';

export class GeneratedRun {
  readonly code: GeneratedCode;
  private readonly port: MemoryPort;
  /** Retired, up to the last time generated code returned. */
  retired = 0;
  private readonly budget: Budget;
  /** To link the block that comes next to: word and linear address of the branch. */
  private link?: { word: number; from: bigint; to: bigint; generation: number };
  /** Base of CS that the jump cache's offsets are relative to, by TLB. */
  private readonly codeBases = new Map<Cpu['mmu']['tlb'], bigint>();
  /** While translated code runs: CodeSource.redirect, and the address that an instruction of it has in the guest. */
  redirect?: CodeSource['redirect'];
  guestRip?: (rip: bigint) => bigint | undefined;
  /** It returned to find the next block, or the one that took a void one's place, or because of an instruction that ends one. */
  get onItsWay(): boolean {
    return this.way && this.budget.granted >= 0 && !this.cpu.heldEvent;
  }
  private way = false;
  /** It returned to find the next block, and for nothing else. */
  private linked = false;
  /** The last instruction was a plain meaning that ended its block: the mode and the flags may be others. */
  calledLast = false;
  /** What the last entry raised; with `keeps` it is only left here, since V8 takes microseconds to throw. */
  left?: Interruption;
  keeps = false;
  /** PAUSE was executed while another processor could run. */
  gaveWay = false;

  /** `cpu` is current. `host`: where code lies, if that is not the memory that the processor sees. */
  constructor(
    private cpu: Cpu,
    private user: RunUser,
    memory: WebAssembly.Memory,
    tier: Tier = 'compiler',
    host: PhysicalMemory = cpu.mmu.physical,
  ) {
    this.port = new MemoryPort(cpu.state, cpu.mmu, (record) => this.code.cache.instructionAt(record));
    const { slowRead, slowWrite, slowCommit, regionRead, regionWrite, bulkSlow } = this.port;
    const imports = { slowRead, slowWrite, slowCommit, regionRead, regionWrite, bulkSlow, giveWay: this.giveWay, guard: this.guard, called: this.called }; // prettier-ignore
    const source = codeSource(
      host,
      () => this.cpu,
      {
        isBreakpoint: (gva) => this.user.isBreakpoint(this.guestRip?.(gva) ?? gva),
        hasBreakpoints: () => this.user.hasBreakpoints,
      },
      (rip) => this.redirect?.(rip),
    );
    this.code = new GeneratedCode(memory, imports, source, tier);
    if (this.code.regions) this.code.regions.onKill = () => this.requestExit();
    this.budget = new Budget(cpu.state.view, this.code.cache, this.port, () => this.ticksOnEntry);
    this.goOn(cpu);
  }

  /** Retired instructions, exact also in the middle of a block. */
  get instructions(): number {
    return this.retired + this.budget.inFlight;
  }
  /** Time of whoever runs. */
  readonly ticks = (): bigint => BigInt(this.ticksOnEntry + this.budget.inFlight);
  private get ticksOnEntry(): number {
    return this.retired + Math.floor(this.user.idle / NS_PER_INSTRUCTION);
  }

  /** From now on these instructions are another one's. */
  use(user: RunUser): void {
    if (user === this.user) return;
    assert(!this.budget.running, 'users take turns between two instructions');
    this.user.retired = this.retired;
    this.user = user;
    this.retired = user.retired;
    this.link = undefined;
    this.onUser?.();
  }
  /** Called when another user goes on. */
  onUser?: () => void;
  /** Users and processors but these may be gone for good: nothing of them is kept, no code either. */
  retire(cpu: Cpu, user: RunUser): void {
    this.switchTo(cpu);
    this.use(user);
    this.code.cache.clear();
    this.codeBases.clear();
  }
  readonly isOf = (user: RunUser): boolean => user === this.user;
  /** Another processor's turn: its registers move to where generated code works. */
  switchTo(cpu: Cpu): void {
    if (cpu === this.cpu) return;
    this.cpu.state.park();
    cpu.state.unpark();
    this.goOn(cpu);
  }

  /** As `switchTo`, for one that goes on with the registers as they are, but for some (CpuState.handTo). */
  handOver(cpu: Cpu, first = 0, end = 0): void {
    this.cpu.state.handTo(cpu.state, first, end);
    this.goOn(cpu);
  }
  private goOn(cpu: Cpu): void {
    assert(!this.budget.running, 'processors take turns between two instructions');
    this.cpu = cpu;
    cpu.onPause = this.onPause;
    this.port.switchTo(cpu.state, cpu.mmu);
    this.link = undefined;
  }

  /** Another past: nothing that was decoded or counted holds. */
  restart(retired: number): void {
    this.retired = retired;
    this.link = undefined;
    this.code.cache.clear();
  }
  /** The way on from the last block is not the one its branch took. */
  readonly forgetLink = (): void => void (this.link = undefined);

  /** The jump cache knows offsets in CS: with another base they mean something else. */
  codeMoved(): void {
    const { tlb } = this.cpu.mmu;
    const base = this.cpu.state.segmentBase(SEG.CS);
    if (base === this.codeBases.get(tlb)) return;
    this.codeBases.set(tlb, base);
    this.code.cache.flushJumpCache(tlb.number, 'all');
    this.link = undefined;
  }

  /** Makes the way that led here direct, and known to indirect branches. `rip`: as the branch named it. */
  private connect(block: Block, rip: bigint): void {
    const { link, code } = this;
    // An interrupt may have come in between: then the link waits for another time.
    if (!link) block.indirect = true;
    else if (link.generation === code.cache.generation && link.to === rip) code.cache.link(link.word, link.from, block);
    this.link = undefined;
    code.cache.enterJumpCache(block, rip);
  }

  /**
   * Runs at most `budget` instructions from RIP on, from block to block until somebody has to look, or up to a breakpoint.
   * Throws the fault that it raised, or that fetching raised.
   */
  run(budget: number): void {
    const { state } = this.cpu;
    const { retired } = this;
    const end = retired + budget;
    this.left = undefined;
    do {
      this.code.regions?.poll(this.retired);
      const { rip } = state;
      const block = this.code.cache.lookup(rip, executionMode(state));
      this.connect(block, rip);
      if (block.entry !== block.address && this.retired !== retired) return void (this.way = false);
      state.rip = block.rip;
      this.runFrom(block, end - this.retired);
    } while (this.linked && this.budget.granted >= 0 && this.retired < end);
  }
  private runFrom(block: Block, budget: number): void {
    const { state } = this.cpu;
    const before = this.retired;
    this.execute(block, budget);
    // It left to say that the block is hot, before anything happened.
    if (this.warmed && this.retired === before) this.execute(block, budget);
    this.warmed = false;
    if (!this.retry) return;
    this.retry = false;
    // One instruction alone is never a region's: the interpreter does what compiled code leaves to it.
    this.execute(this.code.cache.lookup(state.rip, executionMode(state)), 1);
  }
  private retry = false;
  private warmed = false;

  private execute(block: Block, budget: number): void {
    this.budget.begin(block, budget);
    this.port.site = block.address;
    try {
      this.code.run(block.address);
    } finally {
      this.budget.end();
    }
    this.settle();
  }

  /** Leave generated code when the instruction that is executing is done. */
  requestExit(): void {
    this.budget.requestExit();
  }
  private readonly giveWay = (site: number): void => {
    this.port.site = site;
    this.gaveWay = true;
    this.requestExit();
  };

  private readonly onPause = (): void => this.giveWay(this.port.site);
  private readonly guard = (record: number): number => {
    const { address, gva, count, rip } = this.code.cache.blockOf(record);
    // As inside the block, which has been paid for.
    this.budget.spend(count);
    this.port.site = address;
    this.cpu.state.rip = rip;
    const stops = this.user.stopsAt(this.guestRip?.(gva) ?? gva);
    this.budget.spend(-count);
    return stops ? 1 : 0;
  };

  /** Why it returned; brings RIP and the count of instructions up to date, throws what is to be delivered. */
  private settle(): void {
    const { state } = this.cpu;
    const { view } = state;
    const record = view.getUint32(layout.EXIT_RECORD, true);
    const { cache } = this.code;
    const block = cache.blockOf(record);
    const rest = block.count - cache.position(record);
    const retire = (after: number): void => void (this.retired += this.budget.granted - this.budget.left - after);
    const reason = view.getInt32(layout.EXIT_REASON, true);
    this.calledLast = reason === EXIT.CALLED;
    this.linked = reason === EXIT.LINK;
    this.way = this.linked || this.calledLast || !block.alive;
    switch (reason) {
      case EXIT.LINK: {
        retire(0);
        const word = view.getUint32(layout.EXIT_LINK, true);
        return void (word && (this.link = { word, from: block.gva, to: state.rip, generation: cache.generation }));
      }
      case EXIT.BUDGET:
        retire(0);
        return void (state.rip = block.rip);
      case EXIT.STOP:
        retire(rest);
        // The record after the last instruction only falls through.
        state.rip = rest > 0 ? cache.ripAt(record) : view.getBigUint64(record + RECORD.NEXT_RIP, true);
        return;
      case EXIT.AGAIN:
        retire(rest - 1);
        return void (state.rip = cache.ripAt(record));
      case EXIT.CALLED:
        retire(rest - 1);
        return this.codeMoved();
      case EXIT.FAULT:
        retire(rest);
        state.rip = cache.ripAt(record);
        if (view.getUint32(layout.EXIT_FAULT, true) === RETRY) return void (this.retry = true);
        this.left = this.port.takeFault();
        if (!this.keeps) throw this.left;
        return;
      case EXIT.HOT:
        retire(0);
        state.rip = block.rip;
        this.code.regions?.hot(block);
        return void (this.warmed = true);
      default:
        assert(false, 'generated code returned without a reason');
    }
  }

  /** Plain meanings, called from generated code (builder-types.ts, HELPERS). */
  private readonly called = (record: number): number => {
    const { state } = this.cpu;
    const insn = this.code.cache.instructionAt(record);
    this.port.site = record;
    state.rip = insn.rip;
    state.view.setUint32(layout.EXIT_RECORD, record, true);
    try {
      const outcome = dispatchCalled(this.cpu, insn);
      if (outcome instanceof Interruption) return this.port.failed(outcome);
      if (!outcome && !insn.row.attributes.ends) return 0;
      if (!outcome) state.rip = nextRip(insn);
      const goesOn = insn.row.attributes.ends === true && passesOn(this.cpu, this.user, this.budget.left);
      if (goesOn) this.codeMoved();
      if (goesOn) state.view.setUint32(layout.EXIT_LINK, 0, true);
      state.view.setInt32(layout.EXIT_REASON, goesOn ? EXIT.LINK : EXIT.CALLED, true);
      return goesOn ? GO_ON : LEAVE;
    } catch (fault) {
      if (!(fault instanceof Interruption)) throw fault;
      // A trap comes after the instruction: it has happened, and its RIP is the next one.
      return this.port.failed(fault);
    }
  };
}
