/**
 * Binary32 and binary64 arithmetic on bits, as SSE has it: SDM vol. 1 sections 4.8.3, 10.2.3, 11.5. Results are those of
 * the masked responses; the caller looks at the flags. NaNs: the first operand's, made quiet, before the second's.
 */
import {
  EXCEPTION, Environment, FORMAT32, addExact, bitLength, compareExact, divideExact, multiplyExact, round, shiftRound, sqrtExact, toInteger,
} from './softfloat'; // prettier-ignore
import type { Exact, Format } from './softfloat';

/** Obeys MXCSR: rounding, masks, denormals-are-zeros, flush-to-zero. */
export class SseEnvironment extends Environment {
  readonly denormalsAreZeros: boolean;
  readonly flushToZero: boolean;
  constructor(mxcsr: number) {
    super((mxcsr >> 13) & 3, 0, (mxcsr >> 7) & 0x3f);
    this.denormalsAreZeros = (mxcsr & 0x40) !== 0;
    this.flushToZero = (mxcsr & 0x8000) !== 0;
  }
}

type Class = 'zero' | 'denormal' | 'normal' | 'infinity' | 'quiet' | 'signalling';
export interface Unpacked {
  class: Class;
  bits: bigint;
  sign: number;
  /** Of finite numbers. */
  value: Exact;
}

const fractionBits = (format: Format): bigint => BigInt(format.significandBits - 1);
const signShift = (format: Format): bigint => (format === FORMAT32 ? 31n : 63n);
const top = (format: Format): bigint => BigInt(2 * format.bias + 1);

export function pack(format: Format, sign: number, exponent: bigint, significand: bigint): bigint {
  const n = fractionBits(format);
  return (BigInt(sign) << signShift(format)) | (exponent << n) | (significand & ((1n << n) - 1n));
}
export const zeroBits = (format: Format, sign: number): bigint => pack(format, sign, 0n, 0n);
export const infinityBits = (format: Format, sign: number): bigint => pack(format, sign, top(format), 0n);
/** The QNaN floating-point indefinite. */
export const defaultNan = (format: Format): bigint => pack(format, 1, top(format), 1n << (fractionBits(format) - 1n));
export const quiet = (format: Format, bits: bigint): bigint => bits | (1n << (fractionBits(format) - 1n));

export function unpack(env: SseEnvironment, format: Format, bits: bigint): Unpacked {
  const n = fractionBits(format);
  const sign = Number(bits >> signShift(format)) & 1;
  const exponent = Number((bits >> n) & top(format));
  const fraction = bits & ((1n << n) - 1n);
  const value = { sign, m: exponent ? fraction | (1n << n) : fraction, q: (exponent || 1) - format.bias - Number(n) };
  const make = (kind: Class): Unpacked => ({ class: kind, bits, sign, value });
  if (exponent === Number(top(format))) return make(fraction === 0n ? 'infinity' : fraction >> (n - 1n) ? 'quiet' : 'signalling'); // prettier-ignore
  if (exponent) return make('normal');
  if (fraction === 0n) return make('zero');
  if (env.denormalsAreZeros) return { class: 'zero', bits: zeroBits(format, sign), sign, value: { sign, m: 0n, q: 0 } };
  return make('denormal');
}

export const isNan = (a: Unpacked): boolean => a.class === 'quiet' || a.class === 'signalling';

/** The result where an operand is a NaN. */
export function nan(env: SseEnvironment, format: Format, operands: readonly Unpacked[]): bigint | undefined {
  const first = operands.find(isNan);
  if (!first) return undefined;
  if (operands.some((o) => o.class === 'signalling')) env.raise(EXCEPTION.INVALID);
  return quiet(format, first.bits);
}
export function invalid(env: SseEnvironment, format: Format): bigint {
  env.raise(EXCEPTION.INVALID);
  return defaultNan(format);
}
export function noteDenormals(env: SseEnvironment, operands: readonly Unpacked[]): void {
  if (operands.some((o) => o.class === 'denormal')) env.raise(EXCEPTION.DENORMAL);
}

/** Rounds to the format, flushing tiny results where MXCSR asks for it. */
export function finish(env: SseEnvironment, format: Format, value: Exact, zeroSign = value.sign): bigint {
  if (value.m === 0n) return zeroBits(format, zeroSign);
  const { sign, exponent, significand } = round(env, format, value, format.significandBits);
  if (exponent === 0 && env.flushToZero && env.masks & EXCEPTION.UNDERFLOW) {
    env.flags |= EXCEPTION.UNDERFLOW | EXCEPTION.PRECISION;
    return zeroBits(format, sign);
  }
  return pack(format, sign, BigInt(exponent), significand);
}

export type Lane = (env: SseEnvironment, format: Format, a: bigint, b: bigint) => bigint;

const sum = (negate: 0 | 1): Lane => (env, format, x, y) => {
  const [a, b] = [unpack(env, format, x), unpack(env, format, y)];
  const asNan = nan(env, format, [a, b]);
  if (asNan !== undefined) return asNan;
  const bSign = b.sign ^ negate;
  if (a.class === 'infinity' && b.class === 'infinity' && a.sign !== bSign) return invalid(env, format);
  noteDenormals(env, [a, b]);
  if (a.class === 'infinity') return a.bits;
  if (b.class === 'infinity') return infinityBits(format, bSign);
  const zeroSign = a.class === 'zero' && b.class === 'zero' && a.sign === bSign ? a.sign : env.rounding === 1 ? 1 : 0;
  return finish(env, format, addExact(a.value, { ...b.value, sign: bSign }), zeroSign);
}; // prettier-ignore
export const add = sum(0);
export const subtract = sum(1);

export const multiply: Lane = (env, format, x, y) => {
  const operands = [unpack(env, format, x), unpack(env, format, y)];
  const asNan = nan(env, format, operands);
  if (asNan !== undefined) return asNan;
  const [a, b] = operands;
  const infinite = a.class === 'infinity' || b.class === 'infinity';
  if (infinite && (a.class === 'zero' || b.class === 'zero')) return invalid(env, format);
  noteDenormals(env, operands);
  return infinite ? infinityBits(format, a.sign ^ b.sign) : finish(env, format, multiplyExact(a.value, b.value));
};

export const divide: Lane = (env, format, x, y) => {
  const operands = [unpack(env, format, x), unpack(env, format, y)];
  const asNan = nan(env, format, operands);
  if (asNan !== undefined) return asNan;
  const [a, b] = operands;
  const sign = a.sign ^ b.sign;
  if (a.class === b.class && (a.class === 'zero' || a.class === 'infinity')) return invalid(env, format);
  if (b.class === 'zero' && a.class !== 'infinity') {
    env.raise(EXCEPTION.ZERO_DIVIDE);
    return infinityBits(format, sign);
  }
  noteDenormals(env, operands);
  if (a.class === 'infinity') return infinityBits(format, sign);
  if (a.class === 'zero' || b.class === 'infinity') return zeroBits(format, sign);
  return finish(env, format, divideExact(a.value, b.value));
};

/** Of b: the source operand. */
export const squareRoot: Lane = (env, format, _, y) => {
  const b = unpack(env, format, y);
  const asNan = nan(env, format, [b]);
  if (asNan !== undefined) return asNan;
  if (b.class === 'zero') return b.bits;
  if (b.sign) return invalid(env, format);
  noteDenormals(env, [b]);
  return b.class === 'infinity' ? b.bits : finish(env, format, sqrtExact(b.value));
};

const LEAST = { 32: 2 ** -126, 64: 2 ** -1022 } as const;
/** Zero or normal: no NaN, no infinity, no denormal. */
function isPlain(x: number, bits: 32 | 64): boolean {
  const magnitude = Math.abs(x);
  return magnitude === 0 || (magnitude >= LEAST[bits] && magnitude < Infinity);
}

const scratch = new DataView(new ArrayBuffer(8));
const widthOf = (format: Format): 32 | 64 => (format === FORMAT32 ? 32 : 64);
/** As a JavaScript number; undefined for denormals, infinities and NaNs: those go the long way. */
function plainNumber(format: Format, bits: bigint): number | undefined {
  scratch.setBigUint64(0, bits);
  const x = format === FORMAT32 ? scratch.getFloat32(4) : scratch.getFloat64(0);
  return isPlain(x, widthOf(format)) ? x : undefined;
}
/** Of a number that the format holds. */
function numberBits(format: Format, x: number): bigint {
  if (format !== FORMAT32) scratch.setFloat64(0, x);
  else {
    scratch.setUint32(0, 0);
    scratch.setFloat32(4, x);
  }
  return scratch.getBigUint64(0);
}

export type Order = 'less' | 'equal' | 'greater' | 'unordered';
/** `signals`: quiet NaNs are invalid as well. */
export function order(env: SseEnvironment, format: Format, x: bigint, y: bigint, signals: boolean): Order {
  const [plainX, plainY] = [plainNumber(format, x), plainNumber(format, y)];
  if (plainX !== undefined && plainY !== undefined)
    return plainX < plainY ? 'less' : plainX > plainY ? 'greater' : 'equal';
  const operands = [unpack(env, format, x), unpack(env, format, y)];
  if (operands.some(isNan)) {
    if (signals || operands.some((o) => o.class === 'signalling')) env.raise(EXCEPTION.INVALID);
    return 'unordered';
  }
  noteDenormals(env, operands);
  const [a, b] = operands.map((o) => (o.class === 'infinity' ? { sign: o.sign, m: 1n, q: 5000 } : o.value));
  const difference = compareExact(a, b);
  return difference < 0 ? 'less' : difference > 0 ? 'greater' : 'equal';
}

/** The second operand wins where they are equal or not comparable (SDM vol. 2, MINPS). */
const extreme = (wanted: Order): Lane => (env, format, x, y) => {
  const found = order(env, format, x, y, true);
  const of = (bits: bigint): bigint => unpack(env, format, bits).bits;
  return of(found === wanted ? x : y);
}; // prettier-ignore
export const minimum = extreme('less');
export const maximum = extreme('greater');

/**
 * All ones or 0 by a predicate of 0 to 31 (SDM vol. 2 table 3-1). The low three bits say what holds between numbers: EQ LT LE
 * never, and their opposites; bit 3 turns the answer for NaNs around, bit 4 whether quiet ones are invalid.
 */
export const comparison = (predicate: number): Lane => (env, format, x, y) => {
  const ordering = (predicate & 3) === 1 || (predicate & 3) === 2;
  const found = order(env, format, x, y, ordering !== (predicate & 16) > 0);
  const opposite = (predicate & 4) !== 0;
  const holds = found === 'unordered'
    ? (((predicate & 3) === 3) !== opposite) !== (predicate & 8) > 0
    : [found === 'equal', found === 'less', found !== 'greater', false][predicate & 3] !== opposite;
  return holds ? pack(format, 1, top(format), -1n) : 0n;
}; // prettier-ignore

/** To an integer in the same format; NaNs and infinities stay. `silent`: PE is not raised. */
export function roundToIntegral(env: SseEnvironment, format: Format, bits: bigint, rounding = env.rounding, silent = false): bigint {
  const a = unpack(env, format, bits);
  const asNan = nan(env, format, [a]);
  if (asNan !== undefined) return asNan;
  if (a.class === 'infinity' || a.class === 'zero') return a.bits;
  const { magnitude, inexact } = toInteger(env, a.value, rounding);
  if (inexact && !silent) env.raise(EXCEPTION.PRECISION);
  return finish(env, format, { sign: a.sign, m: magnitude, q: 0 });
} // prettier-ignore

/** Between the two formats. */
export function convert(env: SseEnvironment, from: Format, to: Format, bits: bigint): bigint {
  const plain = plainNumber(from, bits);
  if (plain !== undefined && isPlain(Math.fround(plain), 32) && Math.fround(plain) === plain)
    return numberBits(to, plain);
  const a = unpack(env, from, bits);
  if (isNan(a)) {
    if (a.class === 'signalling') env.raise(EXCEPTION.INVALID);
    const [n, m] = [fractionBits(from), fractionBits(to)];
    const fraction = a.bits & ((1n << n) - 1n);
    return quiet(to, pack(to, a.sign, top(to), m > n ? fraction << (m - n) : fraction >> (n - m)));
  }
  if (a.class === 'infinity') return infinityBits(to, a.sign);
  if (a.class === 'zero') return zeroBits(to, a.sign);
  noteDenormals(env, [a]);
  return finish(env, to, a.value);
}

/** To a signed integer, as its unsigned bits; the integer indefinite where it does not fit. */
export function toSigned(env: SseEnvironment, format: Format, bits: bigint, size: 32 | 64, truncate: boolean): bigint {
  const plain = plainNumber(format, bits);
  if (plain !== undefined && Math.abs(plain) < 2 ** 31) {
    const whole = Math.trunc(plain);
    if (whole !== plain && truncate) env.raise(EXCEPTION.PRECISION);
    if (whole === plain || truncate) return BigInt.asUintN(size, BigInt(whole));
  }
  const a = unpack(env, format, bits);
  const limit = 1n << BigInt(size - 1);
  const fits = !isNan(a) && a.class !== 'infinity' && a.value.q + bitLength(a.value.m) <= 70;
  if (fits) {
    const { magnitude, inexact } = toInteger(env, a.value, truncate ? 3 : env.rounding);
    const value = a.sign ? -magnitude : magnitude;
    if (value >= -limit && value < limit) {
      if (inexact) env.raise(EXCEPTION.PRECISION);
      return BigInt.asUintN(size, value);
    }
  }
  env.raise(EXCEPTION.INVALID);
  return limit;
}

export function fromSigned(env: SseEnvironment, format: Format, value: bigint): bigint {
  const number = Number(value);
  if (Math.abs(number) < (format === FORMAT32 ? 2 ** 24 : 2 ** 53)) return numberBits(format, number);
  return finish(env, format, { sign: value < 0n ? 1 : 0, m: value < 0n ? -value : value, q: 0 });
}

/** 1/x or 1/sqrt(x) to 12 bits (RCPPS, RSQRTPS): within the error that the manual allows; raises nothing. */
export const approximate = (root: boolean): Lane => (_, format, __, y) => {
  const env = new SseEnvironment(0x1fc0);
  const b = unpack(env, format, y);
  const asNan = nan(env, format, [b]);
  if (asNan !== undefined) return asNan;
  if (b.class === 'zero') return infinityBits(format, b.sign);
  if (root && b.sign) return defaultNan(format);
  if (b.class === 'infinity') return zeroBits(format, b.sign);
  const one = { sign: 0, m: 1n << 150n, q: -150 };
  const exact = divideExact(one, root ? sqrtExact(b.value) : b.value);
  const length = bitLength(exact.m);
  const { value } = shiftRound(exact.m, length - 12, 0, 0);
  env.flags = 0;
  const rounded = finish(env, format, { sign: exact.sign, m: value, q: exact.q + length - 12 });
  return env.flags & EXCEPTION.UNDERFLOW || unpack(env, format, rounded).class === 'zero' ? zeroBits(format, b.sign) : rounded;
}; // prettier-ignore
