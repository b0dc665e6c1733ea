/**
 * Binary floating point in software, exact and independent of the machine it runs on: values as integers times powers
 * of two, and one rounding to any IEEE 754 format. x87 (float80.ts) and the rarer SSE paths stand on it.
 *
 * Exceptions are bits in the order of the x87 status word and of MXCSR (SDM vol. 1 sections 8.1.3 and 10.2.3).
 */
import { assert } from './assert';

export const EXCEPTION = {
  INVALID: 1,
  DENORMAL: 2,
  ZERO_DIVIDE: 4,
  OVERFLOW: 8,
  UNDERFLOW: 16,
  PRECISION: 32,
} as const;

/** Rounding control as the control words number it (SDM vol. 1 table 4-8). */
export const ROUND = { NEAREST: 0, DOWN: 1, UP: 2, ZERO: 3 } as const;

/** What operations obey, and what they report. */
export class Environment {
  /** Exceptions that occurred. */
  flags = 0;
  /** The last rounding increased the magnitude: C1 of the x87. */
  roundedUp = false;

  constructor(
    /** ROUND */
    readonly rounding: number,
    /** Significant bits of results: 24, 53 or 64. */
    readonly precision: number,
    /** Masked exceptions. */
    readonly masks: number,
  ) {}

  /** True when the exception is unmasked: the operation must not complete. */
  raise(exception: number): boolean {
    this.flags |= exception;
    return (exception & ~this.masks) !== 0;
  }
}

/** (-1)**sign * m * 2**q, m >= 0. */
export interface Exact {
  sign: number;
  m: bigint;
  q: number;
}

/** A finite or infinite number in a format: `significand` with its integer bit, `exponent` biased; 0 for denormals. */
export interface Rounded {
  sign: number;
  exponent: number;
  significand: bigint;
}

export interface Format {
  /** Bits of the significand with the integer bit. */
  significandBits: number;
  /** Largest exponent, which is also the bias. */
  bias: number;
  /** What is added to or taken from the exponent when underflow or overflow is unmasked (SDM vol. 1 section 8.5.4). */
  wrap: number;
}
export const FORMAT32: Format = { significandBits: 24, bias: 127, wrap: 192 };
export const FORMAT64: Format = { significandBits: 53, bias: 1023, wrap: 1536 };
export const FORMAT80: Format = { significandBits: 64, bias: 16383, wrap: 24576 };

export function bitLength(m: bigint): number {
  if (m <= 0xffff_ffffn) return 32 - Math.clz32(Number(m));
  if (m <= 0xffff_ffff_ffff_ffffn) return 64 - Math.clz32(Number(m >> 32n));
  const text = m.toString(16);
  return text.length * 4 - (Math.clz32(parseInt(text[0], 16)) - 28);
}

/** m / 2**shift rounded to an integer; `inexact` and `up` (away from zero) say what happened. */
export function shiftRound(m: bigint, shift: number, sign: number, rounding: number): { value: bigint; inexact: boolean; up: boolean } {
  if (shift <= 0) return { value: m << BigInt(-shift), inexact: false, up: false };
  const value = m >> BigInt(shift);
  const rest = m - (value << BigInt(shift));
  if (rest === 0n) return { value, inexact: false, up: false };
  let up: boolean;
  if (rounding === ROUND.NEAREST) {
    const half = 1n << BigInt(shift - 1);
    up = rest > half || (rest === half && (value & 1n) === 1n);
  } else up = rounding === (sign ? ROUND.DOWN : ROUND.UP);
  return { value: up ? value + 1n : value, inexact: true, up };
} // prettier-ignore

/**
 * Rounds m * 2**q, not zero, to `precision` bits in `format`, with the masked responses to overflow and underflow, or
 * with a wrapped exponent where they are unmasked. Tininess is detected after rounding (SDM vol. 1 section 4.9.1.5).
 * Where m stands for more digits than it has (a quotient, a root), its last bit is sticky: give three more than needed.
 */
export function round(env: Environment, format: Format, { sign, m, q }: Exact, precision = env.precision): Rounded {
  assert(m > 0n, 'zero has no place to round at');
  const length = bitLength(m);
  let exponent = q + length - 1 + format.bias;
  let r = shiftRound(m, length - precision, sign, env.rounding);
  const carried = bitLength(r.value) > precision;
  if (exponent + (carried ? 1 : 0) < 1) {
    if (env.masks & EXCEPTION.UNDERFLOW) {
      // One unit of the least denormal exponent is worth 2**(1 - bias - (precision - 1)).
      r = shiftRound(m, 2 - format.bias - precision - q, sign, env.rounding);
      if (r.inexact) env.flags |= EXCEPTION.UNDERFLOW;
      finish(env, r);
      const significand = r.value << BigInt(format.significandBits - precision);
      return { sign, exponent: bitLength(significand) === format.significandBits ? 1 : 0, significand };
    }
    env.flags |= EXCEPTION.UNDERFLOW;
    exponent += format.wrap;
    // FSCALE can go so far that no exponent is left to wrap to; conversions have no result then.
    if (exponent + (carried ? 1 : 0) < 1) {
      if (format === FORMAT80 || r.inexact) env.flags |= EXCEPTION.PRECISION;
      return { sign, exponent: 0, significand: 0n };
    }
  }
  if (carried) {
    r.value >>= 1n;
    exponent++;
  }
  const infinity = 2 * format.bias + 1;
  if (exponent >= infinity) {
    env.flags |= EXCEPTION.OVERFLOW;
    if (env.masks & EXCEPTION.OVERFLOW) return overflowed(env, format, sign, precision);
    // As above: infinity, whatever the direction of rounding.
    if (exponent - format.wrap >= infinity) {
      if (format === FORMAT80 || r.inexact) env.flags |= EXCEPTION.PRECISION;
      env.roundedUp = true;
      return { sign, exponent: infinity, significand: 1n << BigInt(format.significandBits - 1) };
    }
    exponent -= format.wrap;
  }
  finish(env, r);
  return { sign, exponent, significand: r.value << BigInt(format.significandBits - precision) };
}

function finish(env: Environment, r: { inexact: boolean; up: boolean }): void {
  if (r.inexact) env.flags |= EXCEPTION.PRECISION;
  env.roundedUp = r.up;
}

/** Infinity, or the largest number where the direction of rounding forbids it (SDM vol. 1 table 4-10). */
function overflowed(env: Environment, format: Format, sign: number, precision: number): Rounded {
  const toInfinity = env.rounding === ROUND.NEAREST || env.rounding === (sign ? ROUND.DOWN : ROUND.UP);
  env.flags |= EXCEPTION.PRECISION;
  env.roundedUp = toInfinity;
  const bits = BigInt(format.significandBits);
  if (toInfinity) return { sign, exponent: 2 * format.bias + 1, significand: 1n << (bits - 1n) };
  const low = BigInt(format.significandBits - precision);
  return { sign, exponent: 2 * format.bias, significand: ((1n << bits) - 1n) & -(1n << low) };
}

/** Beyond this distance the smaller addend can only be felt as sticky. */
const FAR = 200;

/** The exact sum; m is 0 when the operands cancel or are both 0 (the caller knows the sign of such a zero). */
export function addExact(a: Exact, b: Exact): Exact {
  if (a.m === 0n) return b;
  if (b.m === 0n) return a;
  const topA = a.q + bitLength(a.m);
  const topB = b.q + bitLength(b.m);
  const [big, small] = topA >= topB ? [a, b] : [b, a];
  let q = Math.min(a.q, b.q);
  let m: bigint;
  if (Math.abs(topA - topB) > FAR) {
    q = big.q - FAR;
    m = (big.m << BigInt(FAR)) + (big.sign === small.sign ? 1n : -1n);
    return { sign: big.sign, m, q };
  }
  const x = a.m << BigInt(a.q - q);
  const y = b.m << BigInt(b.q - q);
  m = (a.sign ? -x : x) + (b.sign ? -y : y);
  return m < 0n ? { sign: 1, m: -m, q } : { sign: 0, m, q };
}

export const multiplyExact = (a: Exact, b: Exact): Exact => ({ sign: a.sign ^ b.sign, m: a.m * b.m, q: a.q + b.q });

/** At least 70 bits of the quotient, the last one sticky. b is not 0. */
export function divideExact(a: Exact, b: Exact): Exact {
  const shift = Math.max(0, 70 + bitLength(b.m) - bitLength(a.m));
  const dividend = a.m << BigInt(shift);
  const quotient = dividend / b.m;
  const sticky = quotient * b.m === dividend ? 0n : 1n;
  return { sign: a.sign ^ b.sign, m: (quotient << 1n) | sticky, q: a.q - shift - b.q - 1 };
}

/** The integer part of a square root, by Newton's iteration from above. */
export function integerSqrt(n: bigint): bigint {
  if (n < 2n) return n;
  let x = 1n << BigInt((bitLength(n) + 1) >> 1);
  for (;;) {
    const next = (x + n / x) >> 1n;
    if (next >= x) return x;
    x = next;
  }
}

/** At least 70 bits of the root of a positive number, the last one sticky. */
export function sqrtExact(a: Exact): Exact {
  let shift = Math.max(0, 140 - bitLength(a.m));
  if ((a.q - shift) & 1) shift++;
  const scaled = a.m << BigInt(shift);
  const root = integerSqrt(scaled);
  return { sign: 0, m: (root << 1n) | (root * root === scaled ? 0n : 1n), q: (a.q - shift) / 2 - 1 };
}

/** Negative, zero or positive as a is less than, equal to or greater than b. */
export function compareExact(a: Exact, b: Exact): number {
  const difference = addExact(a, { ...b, sign: b.sign ^ 1 });
  return difference.m === 0n ? 0 : difference.sign ? -1 : 1;
}

/** Rounded to an integer by the environment's rounding (or another), the sign kept apart. */
export function toInteger(env: Environment, { sign, m, q }: Exact, rounding = env.rounding): { magnitude: bigint; inexact: boolean; up: boolean } {
  // Far below one half everything is alike.
  if (m !== 0n && q + bitLength(m) < -2) return toInteger(env, { sign, m: 1n, q: -2 }, rounding);
  const { value, inexact, up } = shiftRound(m, -q, sign, rounding);
  return { magnitude: value, inexact, up };
} // prettier-ignore
