/**
 * One instruction inside a compiled region: registers are WebAssembly locals, immediates and addresses constants, flags
 * wait until somebody asks (lazy-flags.ts). What becomes of control flow and of exits is the region's (compiler.ts).
 */
import type { Instruction } from '../isa/instruction';
import { SUM_FLAGS } from './analysis';
import { Emitter } from './builder';
import type { StackPage } from './builder-tlb';
import type { Form, Helper, HelperCallees, PartialFlags, Size } from './builder';
import { nextRip, slotOf } from './forms';
import * as layout from './layout';
import { conditionOf, wordOf } from './lazy-flags';
import type { Pending } from './lazy-flags';
import { I32, constant, i32, i64, load } from './wasm';
import type { FunctionBuilder, Local, Value } from './wasm';
import { GPR } from '../x86/registers';

/** Where an instruction stands: its record in the interpreter's block names it to the slow paths and to the run loop. */
export interface Site {
  readonly insn: Instruction;
  readonly record: number;
  /** The record's immediate field. */
  readonly immediate: bigint;
  /** Flags are kept in memory throughout: they are written piecewise, or on one of several ways through it. */
  readonly direct: boolean;
  /** Flag words that somebody can see afterwards. */
  readonly liveAfter: number;
}

/** Its memory operand is at the stack pointer. With an index it walks through an array, whose pages the stack's would only delay. */
export const onStack = ({ memory }: Instruction): boolean => memory?.base === GPR.RSP && memory.index < 0;

/** The region around an instruction. */
export interface RegionFrame {
  readonly f: FunctionBuilder;
  readonly helpers: HelperCallees;
  /** Flags at this point of the code. */
  pending: Pending;
  register(index: number): Local;
  tlb(writing: boolean): Value;
  readonly stackPage: StackPage | undefined;
  takeStackPage(): void;
  /** I32: what is left of the budget in the middle of this instruction's block, as the interpreter would have it. */
  budget(): Value;
  flush(): void;
  fault(site: Site): void;
  jump(site: Site): void;
  fallThrough(site: Site): void;
  jumpIndirect(site: Site, target: Value): void;
  again(site: Site): void;
  plain(site: Site): void;
  giveWay(site: Site): void;
  bulkString(site: Site, info: Value): Value;
  /** Instructions of the block from this one on, which were paid for and have not happened. */
  ahead(site: Site): number;
}

export class RegionEmitter extends Emitter {
  constructor(
    private readonly frame: RegionFrame,
    private readonly at: Site,
    form: Form,
  ) {
    super(frame.f, form, frame.helpers);
  }

  // --- Registers.
  private partOf(index: number, size: number): Value {
    const value = this.f.get(this.frame.register(index));
    if (size === 64) return value;
    const low = value.wrap();
    return size === 32 ? low : low.and(size === 8 ? 0xff : 0xffff);
  }
  private setPart(index: number, size: number, value: Value): void {
    const local = this.frame.register(index);
    if (size === 64) this.f.set(local, value);
    // A 32-bit result clears the upper half (SDM vol. 1 section 3.4.1.1).
    else if (size === 32) this.f.set(local, value.extendU());
    else this.f.set(local, this.f.get(local).and(size === 8 ? -0x100n : -0x1_0000n).or(this.truncate(value, size).extendU())); // prettier-ignore
  }
  gpr(index: number, size: Size): Value {
    return this.let(this.partOf(index, size));
  }
  setGpr(index: number, size: Size, value: Value): void {
    this.setPart(index, size, value);
  }
  protected registerOperand(index: number, size: number, upper: boolean): Value {
    const operand = this.at.insn.operands[index];
    if (operand.kind !== 'gpr') return load(size as Size, i32(0), slotOf(operand) + (upper ? 16 : 0));
    if (operand.index < 16) return this.partOf(operand.index, size);
    return this.f
      .get(this.frame.register(operand.index - 16))
      .wrap()
      .shrU(8)
      .and(0xff);
  }
  protected setRegisterOperand(index: number, size: number, value: Value, upper: boolean): void {
    const operand = this.at.insn.operands[index];
    if (operand.kind === 'gpr') {
      if (operand.index < 16) return this.setPart(operand.index, size, value);
      const local = this.frame.register(operand.index - 16);
      return this.f.set(local, this.f.get(local).and(~0xff00n).or(value.and(0xff).extendU().shl(8)));
    }
    const slot = slotOf(operand);
    this.f.store(size as Size, i32(0), value, slot + (upper ? 16 : 0));
    // What lies above in the x87 register becomes ones (SDM vol. 1 section 9.2.1).
    if (operand.kind === 'mmx') this.f.store(16, i32(0), i32(0xffff), slot + 8);
  }
  protected immediateOperand(size: number): Value {
    return constant(size === 64 ? i64(0).type : I32, BigInt.asUintN(size, this.at.immediate));
  }

  // --- Addresses.
  protected addressSum(): Value {
    // A RIP-relative displacement already is the whole address.
    const { base, index, scale, displacement } = this.at.insn.memory!;
    let sum: Value | undefined = base >= 0 ? this.f.get(this.frame.register(base)) : undefined;
    if (index >= 0) {
      const scaled = this.f.get(this.frame.register(index)).shl(scale);
      sum = sum ? sum.add(scaled) : scaled;
    }
    return sum ? sum.add(displacement) : i64(displacement);
  }
  protected memorySegmentBase(): Value {
    return load(64, i32(0), layout.SEGMENTS + this.at.insn.memory!.segment * layout.SEGMENT_SIZE);
  }
  protected memorySegment(): Value {
    return i32(this.at.insn.memory?.segment ?? 0);
  }
  protected override get operandOnStack(): boolean {
    return onStack(this.at.insn);
  }
  protected site(): Value {
    return i32(this.at.record);
  }
  protected override tlbTable(writing: boolean): Value {
    return this.frame.tlb(writing);
  }
  protected override get stackPage(): StackPage | undefined {
    return this.frame.stackPage;
  }
  protected override tlbChanged(): void {
    this.frame.takeStackPage();
  }
  protected override slowPath(writing: boolean): Helper {
    return writing ? 'regionWrite' : 'regionRead';
  }
  protected override storeHost(host: Value, size: Size | 128, value: Value): void {
    this.f.store(size, host, value);
  }

  // --- Flags.
  override get flagsWanted(): boolean {
    return this.at.direct || this.at.liveAfter !== 0;
  }
  private defer(pending: Pending): void {
    this.frame.pending = this.at.liveAfter === 0 ? { kind: 'memory' } : pending;
  }
  override flagsAdd(left: Value, right: Value, result: Value, size: number = this.size): void {
    if (this.at.direct) return super.flagsAdd(left, right, result, size);
    this.defer({ kind: 'add', left: this.let(left), right: this.let(right), result: this.let(result), size });
  }
  override flagsSub(left: Value, right: Value, result: Value, size: number = this.size): void {
    if (this.at.direct) return super.flagsSub(left, right, result, size);
    this.defer({ kind: 'sub', left: this.let(left), right: this.let(right), result: this.let(result), size });
  }
  override flagsLogic(result: Value, size: number = this.size): void {
    if (this.at.direct) return super.flagsLogic(result, size);
    this.defer({ kind: 'logic', result: this.let(result), size });
  }
  override flags(partial: PartialFlags, size: number = this.size): void {
    if (this.at.direct) return super.flags(partial, size);
    if (!partial.result) {
      if (this.at.liveAfter & SUM_FLAGS) super.flags(partial, size);
      return;
    }
    if (this.at.liveAfter === 0) return this.defer({ kind: 'memory' });
    const carry = this.let(partial.carry ?? this.carry());
    const overflow = this.let(partial.overflow ?? this.condition(0));
    const adjust = this.let(partial.adjust ?? this.adjust());
    this.defer({ kind: 'parts', carry, overflow, adjust, result: this.let(partial.result), size });
  }
  protected override plainCondition(code: number): Value {
    return conditionOf(this.frame.pending, code) ?? super.plainCondition(code);
  }
  protected flagWord(address: number): Value {
    return wordOf(this.f, this.frame.pending, address) ?? load(64, i32(0), address);
  }
  protected setFlagWord(address: number, value: Value): void {
    if (this.frame.pending.kind !== 'memory') {
      const kept = this.let(value);
      this.frame.flush();
      return this.f.store(64, i32(0), kept, address);
    }
    this.f.store(64, i32(0), value, address);
  }

  // --- Ends.
  protected leaveFaulted(): void {
    this.frame.fault(this.at);
  }
  nextRip(): Value {
    return i64(nextRip(this.at.insn));
  }
  jump(): void {
    this.frame.jump(this.at);
  }
  fallThrough(): void {
    this.frame.fallThrough(this.at);
  }
  jumpIndirect(target: Value): void {
    this.frame.jumpIndirect(this.at, target);
  }
  again(): void {
    this.frame.again(this.at);
  }
  plain(): void {
    this.frame.plain(this.at);
  }
  override giveWay(): void {
    this.if(this.state32(layout.GIVE_WAY), () => this.frame.giveWay(this.at));
  }
  protected bulk(info: Value): Value {
    return this.frame.bulkString(this.at, info);
  }
  ticks(): Value {
    const ahead = this.frame.budget().add(this.frame.ahead(this.at));
    return load(64, i32(0), layout.TICKS_BASE).sub(ahead.extendS());
  }
}
