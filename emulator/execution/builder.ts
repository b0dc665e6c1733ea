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
import { i32, i64, load, select } from './wasm';
import type { Value } from './wasm';
import { sumWords } from './builder-flags';
import { MemoryEmitter } from './builder-memory';
import { BULK, CONDITION } from './builder-types';
import type { PartialFlags } from './builder-types';
import * as layout from './layout';
import { SEG } from '../x86/registers';

export * from './builder-types';

export abstract class Emitter extends MemoryEmitter {
  // --- What a tier supplies besides operands.
  protected abstract flagWord(address: number): Value;
  protected abstract setFlagWord(address: number, value: Value): void;
  /** RIP of the next instruction, as an offset in CS. */
  abstract nextRip(): Value;
  /** The branch target that was decoded: an I64 offset in CS. */
  target(): Value {
    return this.let(this.immediateOperand(64));
  }
  /** Ends the instruction: to the branch target that was decoded, to an I64 offset in CS, or to the next one. */
  abstract jump(): void;
  abstract jumpIndirect(target: Value): void;
  abstract fallThrough(): void;
  /** Retired instructions and skipped idle time, in instructions, before this one: I64. What the TSC counts. */
  abstract ticks(): Value;
  /** Ends the instruction by executing it again: the next iteration of a repeated string instruction. */
  abstract again(): void;
  /**
   * Ends the instruction by the row's plain meaning, which does all of it: for operands that the emitted code does not handle.
   * Nothing has been written before.
   */
  abstract plain(): void;
  /** Does many iterations of this REP MOVS or REP STOS at once where it can, registers and budget included: I32, how many. */
  protected abstract bulk(info: Value): Value;
  bulkString(kind: 'move' | 'fill'): Value {
    const { addressing, based, addressSize } = this.form;
    const flat = addressing === 'flat64' && !based && addressSize === 64;
    return this.bulk(i32((this.size / 8) | (kind === 'move' ? BULK.MOVE : 0) | (flat ? BULK.FLAT : 0)));
  }

  // --- Flags. The words and what they mean: layout.ts.
  /** Somebody can see the flags that this instruction leaves: where computing them is dear, a meaning asks. */
  get flagsWanted(): boolean {
    return true;
  }
  protected words(s: Value, x: Value, y: Value, r?: Value, p: Value = i64(0)): void {
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
    const { s, x, y } = sumWords((value) => this.let(value), carry, overflow, adjust);
    this.words(s, x, y, result && this.signed64(result, size));
  }
  /** ZF, SF and PF in combinations that no result has: R says ZF, P corrects the rest (layout.ts). I32, 0 or 1 each. */
  setZeroSignParity(zero: Value, sign: Value, parity: Value): void {
    const r = this.let(zero.xor(1).extendU());
    const p = this.let(
      sign
        .extendU()
        .shl(63)
        .or(r.xor(parity.xor(1).extendU())),
    );
    this.setFlagWord(layout.FLAG_R, r);
    this.setFlagWord(layout.FLAG_P, p);
  }
  /** Changes ZF alone. */
  setZero(zero: Value): void {
    this.setZeroSignParity(
      this.let(zero),
      this.let(this.condition(CONDITION.S)),
      this.let(this.condition(CONDITION.P)),
    );
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
  protected plainCondition(code: number): Value {
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
  /** The current privilege level, I32: the DPL of SS, as in cpu/state.ts. */
  cpl(): Value {
    const attributes = layout.SEGMENTS + SEG.SS * layout.SEGMENT_SIZE + layout.SEGMENT.ATTRIBUTES;
    return load(32, i32(0), attributes).shrU(5).and(3);
  }
  /** I32 from any word of the processor's state (layout.ts): control registers, MXCSR. */
  state32(address: number): Value {
    return this.let(load(32, i32(0), address));
  }

  /** Lets another processor have its turn after this instruction, where one can run. */
  giveWay(): void {
    this.if(this.state32(layout.GIVE_WAY), () => this.f.call(this.helpers.giveWay, [this.site()]));
  }

  /** +bytes or -bytes by DF, I64. */
  stringStep(bytes: number): Value {
    return select(this.systemFlags().and(0x400), i64(-bytes), i64(bytes));
  }
}
