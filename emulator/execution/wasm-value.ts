/** WebAssembly values as expression trees. Opcodes: core specification 2.0, sections 5.3 (types) and 5.4 (instructions). */
import { assert } from '../util/assert';
import type { Bytes } from './wasm-bytes';

export const I32 = 0x7f;
export const I64 = 0x7e;
export const F32 = 0x7d;
export const F64 = 0x7c;
export const V128 = 0x7b;
export type ValueType = typeof I32 | typeof I64 | typeof F32 | typeof F64 | typeof V128;

/** Opcodes of the i32 form; the i64 form of an operator is 0x12 further, of a comparison 0x0b. */
const OP = {
  add: 0x6a, sub: 0x6b, mul: 0x6c, divS: 0x6d, divU: 0x6e, remS: 0x6f, remU: 0x70, and: 0x71, or: 0x72, xor: 0x73,
  shl: 0x74, shrS: 0x75, shrU: 0x76, rotl: 0x77, rotr: 0x78,
  eq: 0x46, ne: 0x47, ltS: 0x48, ltU: 0x49, gtS: 0x4a, gtU: 0x4b, leS: 0x4c, leU: 0x4d, geS: 0x4e, geU: 0x4f,
} as const; // prettier-ignore
type Op = keyof typeof OP;

const FOLD32: Partial<Record<Op, (a: number, b: number) => number>> = {
  add: (a, b) => a + b, sub: (a, b) => a - b, and: (a, b) => a & b, or: (a, b) => a | b, xor: (a, b) => a ^ b,
  shl: (a, b) => a << b, shrS: (a, b) => a >> b, shrU: (a, b) => a >>> b,
}; // prettier-ignore
const FOLD64: Partial<Record<Op, (a: bigint, b: bigint) => bigint>> = {
  add: (a, b) => a + b, sub: (a, b) => a - b, and: (a, b) => a & b, or: (a, b) => a | b, xor: (a, b) => a ^ b,
  shl: (a, b) => a << (b & 63n), shrS: (a, b) => BigInt.asIntN(64, a) >> (b & 63n), shrU: (a, b) => BigInt.asUintN(64, a) >> (b & 63n),
}; // prettier-ignore
const ZERO_IS_NEUTRAL: readonly Op[] = ['add', 'sub', 'or', 'xor', 'shl', 'shrS', 'shrU', 'rotl', 'rotr'];

type Literal = number | bigint;

/**
 * An expression that leaves one value on the stack. Pure as long as its leaves are (constants and locals that are
 * written once): using one twice computes it twice, FunctionBuilder.let computes it once.
 */
export class Value {
  /** FunctionBuilder.let gave it: it lies in a local that is never written again. */
  kept = false;

  constructor(
    readonly type: ValueType,
    readonly emit: (code: Bytes) => void,
    /** Known value: number for I32, bigint for I64. */
    readonly constant?: Literal,
    /** The I32 of which this I64 is the extension. */
    private readonly narrow?: Value,
  ) {}

  private operator(op: Op, other: Value | Literal, comparison = false): Value {
    const b = other instanceof Value ? other : constant(this.type, other);
    assert(this.type === b.type && (this.type === I32 || this.type === I64), `operands of ${op} differ in type`);
    if (b.constant !== undefined && !comparison) {
      if (this.constant !== undefined) {
        const folded = this.type === I32 ? FOLD32[op]?.(this.constant as number, b.constant as number) : FOLD64[op]?.(this.constant as bigint, b.constant as bigint); // prettier-ignore
        if (folded !== undefined) return constant(this.type, folded);
      }
      if ((b.constant === 0 || b.constant === 0n) && ZERO_IS_NEUTRAL.includes(op)) return this;
    }
    const opcode = OP[op] + (this.type === I32 ? 0 : comparison ? 0x0b : 0x12);
    return new Value(comparison ? I32 : this.type, (code) => {
      this.emit(code);
      b.emit(code);
      code.u8(opcode);
    });
  }
  add(b: Value | Literal): Value {
    return this.operator('add', b);
  }
  sub(b: Value | Literal): Value {
    return this.operator('sub', b);
  }
  mul(b: Value | Literal): Value {
    return this.operator('mul', b);
  }
  divS(b: Value | Literal): Value {
    return this.operator('divS', b);
  }
  divU(b: Value | Literal): Value {
    return this.operator('divU', b);
  }
  remS(b: Value | Literal): Value {
    return this.operator('remS', b);
  }
  remU(b: Value | Literal): Value {
    return this.operator('remU', b);
  }
  and(b: Value | Literal): Value {
    return this.operator('and', b);
  }
  or(b: Value | Literal): Value {
    return this.operator('or', b);
  }
  xor(b: Value | Literal): Value {
    return this.operator('xor', b);
  }
  shl(b: Value | Literal): Value {
    return this.operator('shl', b);
  }
  shrS(b: Value | Literal): Value {
    return this.operator('shrS', b);
  }
  shrU(b: Value | Literal): Value {
    return this.operator('shrU', b);
  }
  rotl(b: Value | Literal): Value {
    return this.operator('rotl', b);
  }
  rotr(b: Value | Literal): Value {
    return this.operator('rotr', b);
  }
  eq(b: Value | Literal): Value {
    return this.operator('eq', b, true);
  }
  ne(b: Value | Literal): Value {
    return this.operator('ne', b, true);
  }
  ltS(b: Value | Literal): Value {
    return this.operator('ltS', b, true);
  }
  ltU(b: Value | Literal): Value {
    return this.operator('ltU', b, true);
  }
  gtS(b: Value | Literal): Value {
    return this.operator('gtS', b, true);
  }
  gtU(b: Value | Literal): Value {
    return this.operator('gtU', b, true);
  }
  leS(b: Value | Literal): Value {
    return this.operator('leS', b, true);
  }
  leU(b: Value | Literal): Value {
    return this.operator('leU', b, true);
  }
  geS(b: Value | Literal): Value {
    return this.operator('geS', b, true);
  }
  geU(b: Value | Literal): Value {
    return this.operator('geU', b, true);
  }
  private unary(type: ValueType, opcode: number, narrow?: Value): Value {
    return new Value(
      type,
      (code) => {
        this.emit(code);
        code.u8(opcode);
      },
      undefined,
      narrow,
    );
  }
  /** 1 where the value is 0. */
  eqz(): Value {
    return this.unary(I32, this.type === I64 ? 0x50 : 0x45);
  }
  clz(): Value {
    return this.unary(this.type, this.type === I64 ? 0x79 : 0x67);
  }
  ctz(): Value {
    return this.unary(this.type, this.type === I64 ? 0x7a : 0x68);
  }
  popcnt(): Value {
    return this.unary(this.type, this.type === I64 ? 0x7b : 0x69);
  }
  not(): Value {
    return this.xor(this.type === I64 ? -1n : -1);
  }
  neg(): Value {
    return constant(this.type, 0).sub(this);
  }
  /** I64 to its low 32 bits. */
  wrap(): Value {
    if (this.constant !== undefined) return constant(I32, Number(BigInt.asIntN(32, this.constant as bigint)));
    return this.narrow ?? this.unary(I32, 0xa7);
  }
  /** I32 to I64. */
  extendU(): Value {
    return this.constant !== undefined ? constant(I64, BigInt((this.constant as number) >>> 0)) : this.unary(I64, 0xad, this); // prettier-ignore
  }
  extendS(): Value {
    return this.constant !== undefined ? constant(I64, BigInt(this.constant)) : this.unary(I64, 0xac, this);
  }
  /** The low 8, 16 or 32 bits sign-extended over the type. */
  signExtend(from: 8 | 16 | 32): Value {
    if (this.constant !== undefined) return constant(this.type, BigInt.asIntN(from, BigInt(this.constant)));
    if (this.type === I32) return from === 32 ? this : this.unary(I32, from === 8 ? 0xc0 : 0xc1);
    return this.unary(I64, from === 8 ? 0xc2 : from === 16 ? 0xc3 : 0xc4);
  }
  /** Any one-operand instruction that is not named above: conversions, reinterpretations, float functions. */
  convert(type: ValueType, opcode: number): Value {
    return this.unary(type, opcode);
  }
  /** One-operand instructions of two bytes: the saturating truncations. */
  prefixed(type: ValueType, prefix: number, opcode: number): Value {
    return new Value(type, (code) => {
      this.emit(code);
      code.append([prefix, opcode]);
    });
  }
  /** Any two-operand instruction that is not named above. */
  binary(type: ValueType, opcode: number, b: Value): Value {
    return new Value(type, (code) => {
      this.emit(code);
      b.emit(code);
      code.u8(opcode);
    });
  }
}

export function constant(type: ValueType, value: Literal): Value {
  if (type === I32) {
    const number = typeof value === 'number' ? value | 0 : Number(BigInt.asIntN(32, value));
    return new Value(I32, (code) => (code.u8(0x41), code.s32(number)), number);
  }
  assert(type === I64, 'constants are I32 or I64');
  const wide = BigInt.asIntN(64, BigInt(value));
  return new Value(I64, (code) => (code.u8(0x42), code.s64(wide)), wide);
}
export const i32 = (value: number): Value => constant(I32, value);
export const i64 = (value: Literal): Value => constant(I64, value);

/** `condition` is I32; both sides are computed. */
export const select = (condition: Value, whenTrue: Value, whenFalse: Value): Value => {
  assert(whenTrue.type === whenFalse.type, 'sides of select differ in type');
  return new Value(whenTrue.type, (code) => {
    whenTrue.emit(code);
    whenFalse.emit(code);
    condition.emit(code);
    if (whenTrue.type === V128) code.append([0x1c, 1, V128]);
    else code.u8(0x1b);
  });
};

/** SIMD instruction `opcode` (0xfd space) on operands from left to right, with immediate bytes. */
export const simd = (type: ValueType, opcode: number, operands: readonly Value[], immediates: readonly number[] = []): Value =>
  new Value(type, (code) => {
    for (const operand of operands) operand.emit(code);
    code.u8(0xfd);
    code.u32(opcode);
    code.append(immediates);
  }); // prettier-ignore

export type Width = 8 | 16 | 32 | 64 | 128;
const LOAD: Record<Width, [number, ValueType]> = { 8: [0x2d, I32], 16: [0x2f, I32], 32: [0x28, I32], 64: [0x29, I64], 128: [0, V128] }; // prettier-ignore

/** Zero-extended load: I32 up to 32 bits, I64 for 64, V128 for 128. Not pure: `let` it before memory changes. */
export const load = (width: Width, address: Value, offset = 0): Value => {
  const [opcode, type] = LOAD[width];
  return new Value(type, (code) => {
    address.emit(code);
    if (width === 128) code.append([0xfd, 0]);
    else code.u8(opcode);
    code.u8(0);
    code.u32(offset);
  });
};
/** 32 bits of memory sign-extended to I64. */
export const load32S = (address: Value, offset = 0): Value =>
  new Value(I64, (code) => {
    address.emit(code);
    code.append([0x34, 0]);
    code.u32(offset);
  });
/** A function of the module by its index, or whatever lies at a place of the table. */
export type Callee = number | { readonly signature: number; readonly place: Value };

/** The instruction alone: its operands are on the stack. */
export function emitCall(code: Bytes, callee: Callee): void {
  if (typeof callee === 'number') {
    code.u8(0x10);
    code.u32(callee);
    return;
  }
  callee.place.emit(code);
  code.u8(0x11);
  code.u32(callee.signature);
  code.u8(0);
}
/** Call with one result. */
export const call = (callee: Callee, type: ValueType, operands: readonly Value[]): Value =>
  new Value(type, (code) => {
    for (const operand of operands) operand.emit(code);
    emitCall(code, callee);
  });
