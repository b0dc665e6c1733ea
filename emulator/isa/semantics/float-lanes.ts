/**
 * The four shapes of SSE's floats (one single, one double, packed ones) as WebAssembly has them, and the questions that
 * the emitted arithmetic asks of their bits. Masks are I32 for scalars and all-ones lanes for packed.
 */
import { F32, F64, I32, I64, V128, constant, i32, i64, simd } from '../../execution/wasm';
import type { Value, ValueType } from '../../execution/wasm';

export type Shape = 'ps' | 'ss' | 'pd' | 'sd';
export type FloatOperation = 'add' | 'sub' | 'mul' | 'div' | 'sqrt' | 'ceil' | 'floor' | 'trunc' | 'nearest' | 'abs';
export type Comparison = 'eq' | 'lt' | 'le';

/** Core specification 2.0, section 5.4.6, and 5.4.8 for vectors. */
const OPCODES: Record<Shape, Record<FloatOperation | Comparison, number>> = {
  ss: { add: 0x92, sub: 0x93, mul: 0x94, div: 0x95, sqrt: 0x91, ceil: 0x8d, floor: 0x8e, trunc: 0x8f, nearest: 0x90, abs: 0x8b, eq: 0x5b, lt: 0x5d, le: 0x5f },
  sd: { add: 0xa0, sub: 0xa1, mul: 0xa2, div: 0xa3, sqrt: 0x9f, ceil: 0x9b, floor: 0x9c, trunc: 0x9d, nearest: 0x9e, abs: 0x99, eq: 0x61, lt: 0x63, le: 0x65 },
  ps: { add: 0xe4, sub: 0xe5, mul: 0xe6, div: 0xe7, sqrt: 0xe3, ceil: 0x67, floor: 0x68, trunc: 0x69, nearest: 0x6a, abs: 0xe0, eq: 0x41, lt: 0x43, le: 0x45 },
  pd: { add: 0xf0, sub: 0xf1, mul: 0xf2, div: 0xf3, sqrt: 0xef, ceil: 0x74, floor: 0x75, trunc: 0x7a, nearest: 0x94, abs: 0xec, eq: 0x47, lt: 0x49, le: 0x4b },
}; // prettier-ignore

/** Of binary32 and binary64: sign, infinity, least normal number. */
const BITS = {
  32: { sign: 1n << 31n, infinity: 0x7f80_0000n, least: 0x80_0000n },
  64: { sign: 1n << 63n, infinity: 0x7ff0_0000_0000_0000n, least: 1n << 52n },
} as const;

export class Lanes {
  readonly packed: boolean;
  readonly laneBits: 32 | 64;
  /** Bits of an operand. */
  readonly bits: 32 | 64 | 128;

  constructor(readonly shape: Shape) {
    this.packed = shape[0] === 'p';
    this.laneBits = shape[1] === 's' ? 32 : 64;
    this.bits = this.packed ? 128 : this.laneBits;
  }

  private get integerType(): ValueType {
    return this.packed ? V128 : this.laneBits === 32 ? I32 : I64;
  }
  private get floatType(): ValueType {
    return this.packed ? V128 : this.laneBits === 32 ? F32 : F64;
  }
  /** From bits to what arithmetic works on, and back. */
  float(bits: Value): Value {
    return this.packed ? bits : bits.convert(this.floatType, this.laneBits === 32 ? 0xbe : 0xbf);
  }
  toBits(value: Value): Value {
    return this.packed ? value : value.convert(this.integerType, this.laneBits === 32 ? 0xbc : 0xbd);
  }
  unary(operation: FloatOperation, a: Value): Value {
    const opcode = OPCODES[this.shape][operation];
    return this.packed ? simd(V128, opcode, [a]) : a.convert(this.floatType, opcode);
  }
  binary(operation: FloatOperation, a: Value, b: Value): Value {
    const opcode = OPCODES[this.shape][operation];
    return this.packed ? simd(V128, opcode, [a, b]) : a.binary(this.floatType, opcode, b);
  }
  /** A mask. */
  compare(comparison: Comparison, a: Value, b: Value): Value {
    const opcode = OPCODES[this.shape][comparison];
    return this.packed ? simd(V128, opcode, [a, b]) : a.binary(I32, opcode, b);
  }
  /** An integer in every lane. */
  constant(value: bigint): Value {
    if (!this.packed) return constant(this.integerType, value);
    return this.laneBits === 32 ? simd(V128, 0x11, [i32(Number(BigInt.asIntN(32, value)))]) : simd(V128, 0x12, [i64(value)]);
  } // prettier-ignore
  and(a: Value, b: Value): Value {
    return this.packed ? simd(V128, 0x4e, [a, b]) : a.and(b);
  }
  or(a: Value, b: Value): Value {
    return this.packed ? simd(V128, 0x50, [a, b]) : a.or(b);
  }
  xor(a: Value, b: Value): Value {
    return this.packed ? simd(V128, 0x51, [a, b]) : a.xor(b);
  }
  /** I32: the mask holds in every lane. */
  all(mask: Value): Value {
    return this.packed ? simd(I32, this.laneBits === 32 ? 0xa3 : 0xc3, [mask]) : mask;
  }

  /** Whether the bits without the sign are in [low, high), unsigned, where low may be -n for what wraps around. */
  private within(bits: Value, low: bigint, high: bigint): Value {
    const { sign } = BITS[this.laneBits];
    const magnitude = this.and(bits, this.constant(sign - 1n));
    if (!this.packed) return magnitude.sub(this.constant(low)).ltU(this.constant(high - low));
    // Vectors of quadwords have no unsigned comparison: both sides are moved by the sign bit.
    const wide = this.laneBits === 64;
    const moved = simd(V128, wide ? 0xce : 0xae, [magnitude, this.constant(sign - low)]);
    return simd(V128, wide ? 0xd8 : 0x39, [moved, this.constant(high - low - sign)]);
  }
  private not(mask: Value): Value {
    return this.packed ? simd(V128, 0x4d, [mask]) : mask.eqz();
  }
  isZero(bits: Value): Value {
    return this.within(bits, 0n, 1n);
  }
  notDenormal(bits: Value): Value {
    return this.not(this.within(bits, 1n, BITS[this.laneBits].least));
  }
  isFinite(bits: Value): Value {
    return this.within(bits, 0n, BITS[this.laneBits].infinity);
  }
  /** At least twice the least normal number, and finite: whatever was rounded to it was not tiny. */
  isAmple(bits: Value): Value {
    const { least, infinity } = BITS[this.laneBits];
    return this.within(bits, 2n * least, infinity);
  }
  isNumber(bits: Value): Value {
    return this.within(bits, 0n, BITS[this.laneBits].infinity + 1n);
  }
}

export const LANES = { ps: new Lanes('ps'), ss: new Lanes('ss'), pd: new Lanes('pd'), sd: new Lanes('sd') } as const;
