/** Operands, addresses, the stack: the same for every tier. */
import { I64, constant, i32 } from './wasm';
import type { Value, Width } from './wasm';
import { typeOf } from './builder-types';
import { TlbEmitter } from './builder-tlb';
import type { Cell, Size } from './builder-types';
import * as layout from './layout';
import { GPR, SEG } from '../x86/registers';

/** The part of an Emitter that reaches operands and memory; builder.ts says what it is for and adds the rest. */
export abstract class MemoryEmitter extends TlbEmitter {
  /** The memory operand between `modify` and `write`. */
  private modified?: Cell;
  private memoryLinear?: Value;

  // --- What a tier supplies.
  /** A register operand, `size` bits from its low end; `upper`: from bit 128 of a vector. */
  protected abstract registerOperand(index: number, size: number, upper: boolean): Value;
  protected abstract setRegisterOperand(index: number, size: number, value: Value, upper: boolean): void;
  protected abstract immediateOperand(size: number): Value;
  /** Base, index, scale and displacement of the memory operand as an I64, not yet truncated to the address size. */
  protected abstract addressSum(): Value;
  /** The memory operand's segment base, where form.based. */
  protected abstract memorySegmentBase(): Value;
  /** The memory operand's segment number, where form.addressing is `general`. */
  protected abstract memorySegment(): Value;
  /** The memory operand's base is the stack pointer. */
  protected get operandOnStack(): boolean {
    return false;
  }
  abstract gpr(index: number, size: Size): Value;
  abstract setGpr(index: number, size: Size, value: Value): void;

  // --- Small things.
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

  /** Raises an exception: the instruction has not happened. */
  raise(vector: number, errorCode?: number): void {
    this.f.store(32, i32(0), i32(vector | (errorCode === undefined ? 0 : 0x100)), layout.EXIT_FAULT);
    this.f.store(32, i32(0), i32(errorCode ?? 0), layout.EXIT_FAULT_CODE);
    this.leaveFaulted();
  }
  raiseIf(condition: Value, vector: number, errorCode?: number): void {
    this.f.if(condition, () => this.raise(vector, errorCode), undefined, false);
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
    if (this.isMemory(index))
      return this.loadLinear(this.memoryOperand(size / 8, false), size as Width, this.operandOnStack);
    return this.let(this.registerOperand(index, size, false));
  }
  /** Reads an operand that `write` will write: a fault is a write fault, and the address is translated once. */
  modify(index: number): Value {
    if (!this.isMemory(index)) return this.read(index);
    const size = this.operandSize(index) as Width;
    this.modified = this.cell(this.memoryOperand(size / 8, true), size, this.operandOnStack);
    return this.modified.value;
  }
  write(index: number, value: Value, size: number = this.operandSize(index)): void {
    if (!this.isMemory(index)) this.setRegisterOperand(index, size, value, false);
    else if (this.modified) this.modified.set(value);
    else this.storeLinear(this.memoryOperand(size / 8, true), size as Width, value, this.operandOnStack);
  }

  /** The upper 128 bits of a vector register of 256. */
  readUpper(index: number): Value {
    return this.let(this.registerOperand(index, 128, true));
  }
  writeUpper(index: number, value: Value): void {
    this.setRegisterOperand(index, 128, value, true);
  }

  /** A half of a vector register by its number. */
  setVectorHalf(register: number, half: 0 | 1, value: Value): void {
    this.f.store(128, i32(0), value, layout.VECTORS + register * layout.VECTOR_SIZE + half * 16);
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
    this.f.if(linear.eq(-1n), () => this.leaveFaulted(), undefined, false);
    return linear;
  }

  loadAt(segment: number | 'memory', offset: Value, size: Size): Value {
    return this.loadLinear(this.linear(segment, offset, size / 8, false), size, segment === SEG.SS);
  }
  modifyAt(segment: number | 'memory', offset: Value, size: Size): Cell {
    return this.cell(this.linear(segment, offset, size / 8, true), size, segment === SEG.SS);
  }
  storeAt(segment: number | 'memory', offset: Value, size: Size, value: Value): void {
    this.storeLinear(this.linear(segment, offset, size / 8, true), size, value, segment === SEG.SS);
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
}
