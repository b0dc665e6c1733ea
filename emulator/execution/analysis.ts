/**
 * What an emitted instruction does, found by running its meaning against an emitter that takes notes: which flag words and
 * registers it reads and writes, whether it can fault, how it ends. The compiler plans a region with it.
 */
import { Emitter } from './builder';
import { operandsOf, shapeOf } from './form-number';
import type { Form, HelperCallees, PartialFlags, Size } from './builder';
import { FunctionBuilder, I32, I64, constant, load } from './wasm';
import type { Value } from './wasm';
import * as layout from './layout';
import type { Instruction } from '../isa/instruction';

/** A bit for each of the five words of flags (layout.ts, FLAG_S and further). */
export const flagBit = (address: number): number => 1 << ((address - layout.FLAG_S) >> 3);
export const ALL_FLAGS = 0x1f;
/** Those that carry, overflow and adjust follow from. */
export const SUM_FLAGS = flagBit(layout.FLAG_S) | flagBit(layout.FLAG_X) | flagBit(layout.FLAG_Y);

export interface Facts {
  /** Flag words that it needs; that it only needs to leave some flags as they were; that it replaces whatever happens. */
  readonly reads: number;
  readonly keeps: number;
  readonly writes: number;
  /** Flags are written under a condition. */
  readonly piecewise: boolean;
  /** General registers, by number, that it names by itself; operands that it writes. */
  readonly registers: number;
  readonly written: number;
  readonly operandsWritten: number;
  readonly mayFault: boolean;
  /** Accesses the stack besides its operands. */
  readonly stack: boolean;
  /** Needs all registers where they belong: calls out. */
  readonly callsOut: boolean;
  /** Leaves for the next instruction from its middle. */
  readonly skips: boolean;
  readonly repeats: boolean;
  /** For instructions that end a block. */
  readonly jumps: boolean;
  readonly falls: boolean;
  readonly jumpsIndirect: boolean;
}

type Notes = { -readonly [K in keyof Facts]: Facts[K] };

const NO_HELPERS = new Proxy({}, { get: () => 0 }) as HelperCallees;

class NotingEmitter extends Emitter {
  readonly notes: Notes = {
    reads: 0, keeps: 0, writes: 0, piecewise: false, registers: 0, written: 0, operandsWritten: 0, mayFault: false, stack: false,
    callsOut: false, skips: false, repeats: false, jumps: false, falls: false, jumpsIndirect: false,
  }; // prettier-ignore
  private nesting = 0;

  constructor(
    form: Form,
    private readonly insn: Instruction,
    private readonly ends: boolean,
  ) {
    super(new FunctionBuilder(), form, NO_HELPERS);
  }
  override if(condition: Value, then: () => void, otherwise?: () => void): void {
    this.nesting++;
    super.if(condition, then, otherwise);
    this.nesting--;
  }
  private something(size: number): Value {
    return load(size as Size, constant(I32, 0));
  }

  protected registerOperand(_index: number, size: number): Value {
    return this.something(size);
  }
  protected setRegisterOperand(index: number): void {
    this.notes.operandsWritten |= 1 << index;
  }
  protected immediateOperand(size: number): Value {
    const operand = this.insn.operands.find((o) => o.kind === 'immediate');
    return constant(size === 64 ? I64 : I32, BigInt.asUintN(size, operand?.value ?? 0n));
  }
  protected addressSum(): Value {
    return this.something(64);
  }
  protected memorySegmentBase(): Value {
    return this.something(64);
  }
  protected memorySegment(): Value {
    return constant(I32, 0);
  }
  protected site(): Value {
    return constant(I32, 0);
  }
  protected leaveFaulted(): void {
    this.notes.mayFault = true;
  }
  gpr(index: number, size: Size): Value {
    this.notes.registers |= 1 << index;
    return this.let(this.something(size));
  }
  setGpr(index: number): void {
    this.notes.registers |= 1 << index;
    this.notes.written |= 1 << index;
  }
  protected override get stackPage(): undefined {
    this.notes.stack = true;
    return undefined;
  }
  private reading(bits: number): void {
    this.notes.reads |= bits & ~this.notes.writes;
  }
  private writing(bits: number): void {
    if (this.nesting > 0) this.notes.piecewise = true;
    else this.notes.writes |= bits;
  }
  protected flagWord(address: number): Value {
    this.reading(flagBit(address));
    return this.something(64);
  }
  protected setFlagWord(address: number): void {
    this.writing(flagBit(address));
  }
  protected override words(): void {
    this.writing(ALL_FLAGS);
  }
  override flags(partial: PartialFlags): void {
    if (!partial.carry || !partial.overflow || !partial.adjust) this.notes.keeps |= SUM_FLAGS & ~this.notes.writes;
    this.writing(partial.result ? ALL_FLAGS : SUM_FLAGS);
  }
  nextRip(): Value {
    return constant(I64, 0);
  }
  jump(): void {
    this.notes.jumps = true;
  }
  jumpIndirect(): void {
    this.notes.jumpsIndirect = true;
  }
  fallThrough(): void {
    this.notes.falls = true;
    if (!this.ends) this.notes.skips = true;
  }
  ticks(): Value {
    return this.something(64);
  }
  again(): void {
    this.notes.repeats = true;
  }
  plain(): void {
    this.notes.callsOut = true;
    this.notes.skips = true;
  }
  protected bulk(): Value {
    this.notes.callsOut = true;
    return this.something(32);
  }
  override giveWay(): void {
    this.notes.callsOut = true;
  }
}

/** By shapeOf, then by operandsOf and a byte immediate. */
const known = new Map<number, Map<number, Facts>>();

/** Byte immediates are part of what is found: a shift by a constant writes all flags. */
export function analyse(insn: Instruction, form: Form): Facts {
  const immediate = insn.operands.find((o) => o.kind === 'immediate');
  const shape = shapeOf(insn.row, form);
  const rest = operandsOf(form) * 512 + (immediate?.size === 8 ? Number(immediate.value) : 256);
  let same = known.get(shape);
  if (!same) known.set(shape, (same = new Map()));
  const before = same.get(rest);
  if (before) return before;
  const { meaning, attributes } = insn.row;
  const emitter = new NotingEmitter(form, insn, attributes.ends === true);
  if (meaning.kind === 'emit') meaning.emit(emitter);
  same.set(rest, emitter.notes);
  return emitter.notes;
}
