/**
 * The small language that meanings are written in. A meaning is a function on an Emitter; each tier is a subclass that
 * says where registers, immediates and flags live and how to leave. What is here is the same for all: operands, memory
 * through the TLB, the stack, flags, conditions.
 *
 * Rules for meanings:
 *  - Everything that can fault comes before everything that changes a register or a flag; of two stores, the first may
 *    only be followed by one that cannot fault (memory writes are committed as they are emitted).
 *  - `read`, `modify`, `load`, `gpr` are computed where they are written and can be used any number of times; results of
 *    operators are trees: `let` what is used twice.
 *  - Values of up to 32 bits are I32, zero-extended; 64 bits are I64; 128 bits are V128.
 */
import { I32, I64, V128, call, constant, i32, i64, load, select } from './wasm';
import type { FunctionBuilder, Local, Value, ValueType, Width } from './wasm';
import * as layout from './layout';
import { GPR, SEG } from '../x86/registers';

export type Size = 8 | 16 | 32 | 64;

/** How segments enter an address: `flat64` only FS and GS have bases; `flat32` none has; `general` base and limit. */
export type Addressing = 'flat64' | 'flat32' | 'general';

/** What emitted code may depend on. Two instructions of one form share their code in the interpreter. */
export interface Form {
  operandSize: Size;
  addressSize: 16 | 32 | 64;
  stackSize: 16 | 32 | 64;
  /** Of the memory operand and of string operands. */
  addressing: Addressing;
  /** The stack's: SS is never overridden. */
  stackAddressing: Addressing;
  /** The memory operand uses FS or GS in flat64. */
  based: boolean;
  operands: readonly {
    kind: 'gpr' | 'memory' | 'absolute' | 'rip' | 'immediate' | 'target' | 'vector' | 'mmx';
    size: number;
  }[];
  rep: 'none' | 'rep' | 'repne';
}

/** CF, PF, AF, ZF, SF, OF: how an operation left them. Missing ones are unchanged. Values are I32, 0 or 1. */
export interface PartialFlags {
  carry?: Value;
  overflow?: Value;
  adjust?: Value;
  /** ZF, SF and PF follow from it. */
  result?: Value;
}

/** Memory that is read and then written, translated once. */
export interface Cell {
  value: Value;
  set(value: Value): void;
}

/** Condition codes in encoding order without the inverting low bit (SDM vol. 1 appendix B). */
export const CONDITION = { O: 0, B: 2, Z: 4, BE: 6, S: 8, P: 10, L: 12, LE: 14 } as const;

/** Functions that are out of line in every tier. The first three are answered by the processor (cpu/memory-port.ts). */
export const HELPERS = {
  /** (gva low, gva high, bytes, site) -> address in linear memory to read from; 0: fault. */
  slowRead: { parameters: [I32, I32, I32, I32], results: [I32] },
  /**
   * As slowRead, for writing; `bytes` | 0x100: the old value is wanted too. Memory that is not plain RAM is directed to a
   * slot of SCRATCH: call slowCommit with it after storing.
   */
  slowWrite: { parameters: [I32, I32, I32, I32], results: [I32] },
  /** Carries out the write that slowWrite directed to SCRATCH. */
  slowCommit: { parameters: [I32], results: [] },
  /** (segment, offset, bytes, 1 when writing) -> linear address; -1 with the fault pending. */
  segmentLinear: { parameters: [I32, I64, I32, I32], results: [I64] },
  /** (site) Many iterations of REP MOVS or REP STOS at once, registers and budget included; 0: do one the plain way. */
  bulkString: { parameters: [I32], results: [I32] },
  /** High halves of the 128-bit product. */
  mulHighU: { parameters: [I64, I64], results: [I64] },
  mulHighS: { parameters: [I64, I64], results: [I64] },
  /** (high, low, divisor) -> quotient, remainder in SCRATCH; the divisor is greater than high. */
  divideU: { parameters: [I64, I64, I64], results: [I64] },
} as const satisfies Record<string, { parameters: ValueType[]; results: ValueType[] }>;
export type Helper = keyof typeof HELPERS;
/** Index of each helper in the module that is being built. */
export type HelperIndices = Record<Helper, number>;

export const typeOf = (size: number): ValueType => (size === 128 ? V128 : size === 64 ? I64 : I32);

export abstract class Emitter {
  /** The memory operand between `modify` and `write`. */
  private modified?: Cell;
  private memoryLinear?: Value;

  constructor(
    readonly f: FunctionBuilder,
    readonly form: Form,
    protected readonly helpers: HelperIndices,
  ) {}

  // --- What a tier supplies.
  /** A register operand, `size` bits from its low end. */
  protected abstract registerOperand(index: number, size: number): Value;
  protected abstract setRegisterOperand(index: number, size: number, value: Value): void;
  protected abstract immediateOperand(size: number): Value;
  /** Base, index, scale and displacement of the memory operand as an I64, not yet truncated to the address size. */
  protected abstract addressSum(): Value;
  /** The memory operand's segment base, where form.based. */
  protected abstract memorySegmentBase(): Value;
  /** The memory operand's segment number, where form.addressing is `general`. */
  protected abstract memorySegment(): Value;
  /** Names the instruction to the slow paths. */
  protected abstract site(): Value;
  /** Leaves with the fault that is pending; the instruction has not happened. */
  protected abstract leaveFaulted(): void;
  abstract gpr(index: number, size: Size): Value;
  abstract setGpr(index: number, size: Size, value: Value): void;
  protected abstract flagWord(address: number): Value;
  protected abstract setFlagWord(address: number, value: Value): void;
  /** RIP of the next instruction, as an offset in CS. */
  abstract nextRip(): Value;
  /** Ends the instruction: to the branch target that was decoded, to an I64 offset in CS, or to the next one. */
  abstract jump(): void;
  abstract jumpIndirect(target: Value): void;
  abstract fallThrough(): void;
  /** Retired instructions and skipped idle time, in instructions, before this one: I64. What the TSC counts. */
  abstract ticks(): Value;
  /** Ends the instruction by executing it again: the next iteration of a repeated string instruction. */
  abstract again(): void;
  /** Does many iterations of this REP MOVS or REP STOS at once where it can, registers and budget included: I32, how many. */
  abstract bulkString(): Value;

  // --- Small things.
  get size(): Size {
    return this.form.operandSize;
  }
  let(value: Value): Value {
    return this.f.let(value);
  }
  if(condition: Value, then: () => void, otherwise?: () => void): void {
    this.f.if(condition, then, otherwise);
  }
  /** A variable for values that differ by path. */
  variable(type: ValueType): Local {
    return this.f.local(type);
  }
  constant(value: number | bigint, size: number = this.size): Value {
    return constant(typeOf(size), value);
  }
  /** Sign-extends a value of `size` bits over its type. */
  signed(value: Value, size: number = this.size): Value {
    return size < 32 ? value.signExtend(size as 8 | 16) : value;
  }
  /** Sign-extends a value of `size` bits to I64. */
  signed64(value: Value, size: number = this.size): Value {
    return size === 64 ? value : this.signed(value, size).extendS();
  }
  /** Zero-extends to I64. */
  wide(value: Value): Value {
    return value.type === I64 ? value : value.extendU();
  }
  /** An I64 or I32 cut to `size` bits. */
  truncate(value: Value, size: number = this.size): Value {
    if (size === 64) return this.wide(value);
    const low = value.type === I64 ? value.wrap() : value;
    return size === 32 ? low : low.and(size === 8 ? 0xff : 0xffff);
  }
  /** I32 0 or 1: the sign bit of a value of `size` bits. */
  sign(value: Value, size: number = this.size): Value {
    return value.type === I64 ? value.shrU(63).wrap() : value.shrU(size - 1).and(1);
  }
  helper(name: Helper, type: ValueType, operands: readonly Value[]): Value {
    return call(this.helpers[name], type, operands);
  }

  /** Raises an exception: the instruction has not happened. */
  raise(vector: number, errorCode?: number): void {
    this.f.store(32, i32(0), i32(vector | (errorCode === undefined ? 0 : 0x100)), layout.EXIT_FAULT);
    this.f.store(32, i32(0), i32(errorCode ?? 0), layout.EXIT_FAULT_CODE);
    this.leaveFaulted();
  }
  raiseIf(condition: Value, vector: number, errorCode?: number): void {
    this.if(condition, () => this.raise(vector, errorCode));
  }

  // --- Operands.
  operandSize(index: number): number {
    return this.form.operands[index].size;
  }
  isMemory(index: number): boolean {
    const { kind } = this.form.operands[index];
    return kind === 'memory' || kind === 'absolute' || kind === 'rip';
  }
  read(index: number, size: number = this.operandSize(index)): Value {
    const { kind } = this.form.operands[index];
    if (kind === 'immediate') return this.let(this.immediateOperand(size));
    if (this.isMemory(index)) return this.loadLinear(this.memoryOperand(size / 8, false), size as Width);
    return this.let(this.registerOperand(index, size));
  }
  /** Reads an operand that `write` will write: a fault is a write fault, and the address is translated once. */
  modify(index: number): Value {
    if (!this.isMemory(index)) return this.read(index);
    const size = this.operandSize(index) as Width;
    this.modified = this.cell(this.memoryOperand(size / 8, true), size);
    return this.modified.value;
  }
  write(index: number, value: Value, size: number = this.operandSize(index)): void {
    if (!this.isMemory(index)) this.setRegisterOperand(index, size, value);
    else if (this.modified) this.modified.set(value);
    else this.storeLinear(this.memoryOperand(size / 8, true), size as Width, value);
  }

  // --- Addresses.
  /** The memory operand's offset in its segment, I64, truncated to the address size. */
  offset(): Value {
    return this.let(this.truncateAddress(this.addressSum()));
  }
  truncateAddress(sum: Value): Value {
    const bits = this.form.addressSize;
    return bits === 64 ? sum : bits === 32 ? sum.wrap().extendU() : sum.and(0xffff);
  }
  private memoryOperand(bytes: number, writing: boolean): Value {
    if (this.memoryLinear) return this.memoryLinear;
    const offset = this.offset();
    if (this.form.addressing === 'general') this.memoryLinear = this.checkedLinear(this.memorySegment(), offset, bytes, writing);
    else this.memoryLinear = this.form.based ? this.let(offset.add(this.memorySegmentBase())) : offset;
    return this.memoryLinear;
  } // prettier-ignore
  /** Linear address of an implicit operand: `segment` a number or, for the source of string instructions, the memory operand's. */
  linear(segment: number | 'memory', offset: Value, bytes: number, writing: boolean): Value {
    const addressing = segment === SEG.SS ? this.form.stackAddressing : this.form.addressing;
    if (addressing === 'general') return this.checkedLinear(segment === 'memory' ? this.memorySegment() : i32(segment), offset, bytes, writing); // prettier-ignore
    return segment === 'memory' && this.form.based ? this.let(offset.add(this.memorySegmentBase())) : this.let(offset);
  }
  private checkedLinear(segment: Value, offset: Value, bytes: number, writing: boolean): Value {
    const linear = this.let(this.helper('segmentLinear', I64, [segment, offset, i32(bytes), i32(writing ? 1 : 0)]));
    this.if(linear.eq(-1n), () => this.leaveFaulted());
    return linear;
  }

  // --- Memory through the software TLB.
  private tlb(table: number, linear: Value, bytes: number): { hit: Value; host: Value } {
    const index = linear
      .shrU(8)
      .wrap()
      .and((layout.TLB_ENTRIES - 1) << 4);
    const entry = this.let(load(32, i32(0), table).add(index));
    const last = bytes === 1 ? linear : linear.add(bytes - 1);
    return { hit: load(64, entry).eq(last.and(-4096n)), host: linear.wrap().add(load(32, entry, 8)) };
  }
  /** Where in linear memory to access `bytes` at a gva; leaves when that faults. */
  private hostAddress(linear: Value, bytes: number, intent: 'read' | 'write' | 'modify'): Value {
    const { hit, host } = this.tlb(intent === 'read' ? layout.TLB_READ : layout.TLB_WRITE, linear, bytes);
    const address = this.variable(I32);
    const result = this.f.get(address);
    this.if(
      hit,
      () => this.f.set(address, host),
      () => {
        const info = bytes | (intent === 'modify' ? 0x100 : 0);
        const parts = [linear.wrap(), linear.shrU(32).wrap(), i32(info), this.site()];
        this.f.set(address, this.helper(intent === 'read' ? 'slowRead' : 'slowWrite', I32, parts));
        this.if(result.eqz(), () => this.leaveFaulted());
      },
    );
    return result;
  }
  loadLinear(linear: Value, size: Width): Value {
    return this.let(load(size, this.hostAddress(linear, size / 8, 'read')));
  }
  storeLinear(linear: Value, size: Width, value: Value): void {
    const kept = this.let(value);
    this.storeHost(this.hostAddress(linear, size / 8, 'write'), size, kept);
  }
  private storeHost(host: Value, size: Width, value: Value): void {
    this.f.store(size, host, value);
    this.if(host.ltU(layout.SCRATCH_END), () => this.f.call(this.helpers.slowCommit, [host]));
  }
  private cell(linear: Value, size: Width): Cell {
    const host = this.hostAddress(linear, size / 8, 'modify');
    // Memory that answers through SCRATCH has one value there at a time: what was read is kept.
    return { value: this.let(load(size, host)), set: (value) => this.storeHost(host, size, value) };
  }
  loadAt(segment: number | 'memory', offset: Value, size: Size): Value {
    return this.loadLinear(this.linear(segment, offset, size / 8, false), size);
  }
  modifyAt(segment: number | 'memory', offset: Value, size: Size): Cell {
    return this.cell(this.linear(segment, offset, size / 8, true), size);
  }
  storeAt(segment: number | 'memory', offset: Value, size: Size, value: Value): void {
    this.storeLinear(this.linear(segment, offset, size / 8, true), size, value);
  }

  // --- The stack.
  private stackMask(sp: Value): Value {
    return this.truncate(sp, this.form.stackSize);
  }
  get stackPointer(): Value {
    return this.gpr(GPR.RSP, this.form.stackSize);
  }
  setStackPointer(value: Value): void {
    this.setGpr(GPR.RSP, this.form.stackSize, value);
  }
  stackAdd(sp: Value, bytes: number): Value {
    return this.let(this.stackMask(sp.add(bytes)));
  }
  /** Stores below the stack pointer and moves it. */
  push(value: Value, size: Size = this.size): void {
    const sp = this.stackAdd(this.stackPointer, -size / 8);
    this.storeAt(SEG.SS, this.wide(sp), size, value);
    this.setStackPointer(sp);
  }
  /** The value at the top; the caller moves the stack pointer when nothing can fault any more. */
  top(size: Size = this.size): Value {
    return this.loadAt(SEG.SS, this.wide(this.stackPointer), size);
  }

  // --- Flags. The words and what they mean: layout.ts.
  private words(s: Value, x: Value, y: Value, r?: Value, p: Value = i64(0)): void {
    this.setFlagWord(layout.FLAG_S, s);
    this.setFlagWord(layout.FLAG_X, x);
    this.setFlagWord(layout.FLAG_Y, y);
    if (!r) return;
    this.setFlagWord(layout.FLAG_R, r);
    this.setFlagWord(layout.FLAG_P, p);
  }
  flagsAdd(left: Value, right: Value, result: Value, size: number = this.size): void {
    const r = this.let(this.signed64(result, size));
    this.words(r, this.signed64(left, size), this.signed64(right, size), r);
  }
  flagsSub(left: Value, right: Value, result: Value, size: number = this.size): void {
    const r = this.let(this.signed64(result, size));
    this.words(this.signed64(left, size), r, this.signed64(right, size), r);
  }
  flagsLogic(result: Value, size: number = this.size): void {
    this.words(i64(0), i64(0), i64(0), this.signed64(result, size));
  }
  flags(partial: PartialFlags, size: number = this.size): void {
    const { result } = partial;
    const carry = this.let((partial.carry ?? this.carry()).extendU());
    const overflow = this.let((partial.overflow ?? this.condition(CONDITION.O)).extendU());
    const adjust = this.let((partial.adjust ?? this.adjust()).extendU());
    // Words from which CF, OF and AF follow as asked: the cases are worked out in cpu/state.ts, set rflags.
    const both = this.let(carry.and(overflow).neg());
    const s = this.let(overflow.and(carry.xor(1n)).neg());
    const x = this.let(both.or(carry));
    const correction = s.xor(x).xor(both).shrU(4).and(1n).xor(adjust).shl(4);
    this.words(s, x, both.xor(correction), result && this.signed64(result, size));
  }
  /** Changes ZF alone. */
  setZero(zero: Value): void {
    const sign = this.let(this.condition(CONDITION.S).extendU());
    const odd = this.let(this.condition(CONDITION.P).extendU().xor(1n));
    const r = this.let(zero.extendU().xor(1n));
    this.setFlagWord(layout.FLAG_R, r);
    this.setFlagWord(layout.FLAG_P, sign.shl(63).or(r.xor(odd)));
  }
  /** CF as I32. */
  carry(): Value {
    return this.let(this.condition(CONDITION.B));
  }
  /** AF as I32. */
  adjust(): Value {
    return this.flagWord(layout.FLAG_S).xor(this.flagWord(layout.FLAG_X)).xor(this.flagWord(layout.FLAG_Y)).shrU(4).wrap().and(1); // prettier-ignore
  }
  /** A condition code 0-15 (SDM vol. 1 appendix B) as I32, 0 or 1. */
  condition(code: number): Value {
    const plain = this.plainCondition(code & 14);
    return code & 1 ? plain.eqz() : plain;
  }
  private plainCondition(code: number): Value {
    const word = (address: number): Value => this.flagWord(address);
    const s = word(layout.FLAG_S);
    const r = word(layout.FLAG_R);
    const overflow = (): Value => s.xor(word(layout.FLAG_X)).and(s.xor(word(layout.FLAG_Y)));
    const signed = (): Value => r.xor(word(layout.FLAG_P));
    const below = (): Value => s.ltU(word(layout.FLAG_X));
    switch (code) {
      case CONDITION.O: return overflow().ltS(0n);
      case CONDITION.B: return below();
      case CONDITION.Z: return r.eqz();
      case CONDITION.BE: return below().or(r.eqz());
      case CONDITION.S: return signed().ltS(0n);
      case CONDITION.P: return signed().wrap().and(0xff).popcnt().and(1).eqz();
      case CONDITION.L: return signed().xor(overflow()).ltS(0n);
      default: return signed().xor(overflow()).ltS(0n).or(r.eqz());
    } // prettier-ignore
  }
  /** RFLAGS without the arithmetic flags, I32. */
  systemFlags(): Value {
    return load(32, i32(0), layout.RFLAGS_SYSTEM);
  }
  setSystemFlags(value: Value): void {
    this.f.store(32, i32(0), value, layout.RFLAGS_SYSTEM);
  }
  /** I32 from any word of the processor's state (layout.ts): control registers, MXCSR. */
  state32(address: number): Value {
    return this.let(load(32, i32(0), address));
  }
  setState32(address: number, value: Value): void {
    this.f.store(32, i32(0), value, address);
  }

  /** +bytes or -bytes by DF, I64. */
  stringStep(bytes: number): Value {
    return select(this.systemFlags().and(0x400), i64(-bytes), i64(bytes));
  }
}
