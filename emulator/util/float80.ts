/**
 * The 80-bit extended format of the x87 and its arithmetic: SDM vol. 1 sections 4.2.2, 4.8 and chapter 8. Results and
 * flags are those of the masked responses; where an exception that precedes the operation is unmasked, there is no result
 * (undefined), and nothing may be stored or popped.
 */
import {
  EXCEPTION, FORMAT32, FORMAT80, addExact, bitLength, compareExact, divideExact, multiplyExact, round, sqrtExact,
} from './softfloat'; // prettier-ignore
import type { Environment, Exact, Format, Rounded } from './softfloat';

/** As encoded: 15-bit biased exponent, 64-bit significand with the explicit integer bit. */
export interface Float80 extends Rounded {
  /** A denormal binary32 or binary64 operand, which is normal here, but raises as the denormal that it was. */
  wasDenormal?: boolean;
}

export type Kind = 'zero' | 'denormal' | 'normal' | 'infinity' | 'quiet' | 'signalling' | 'unsupported';

const INTEGER_BIT = 1n << 63n;
const QUIET_BIT = 1n << 62n;
const MAX = 0x7fff;

export const INDEFINITE: Float80 = { sign: 1, exponent: MAX, significand: INTEGER_BIT | QUIET_BIT };
export const zero = (sign: number): Float80 => ({ sign, exponent: 0, significand: 0n });
export const infinity = (sign: number): Float80 => ({ sign, exponent: MAX, significand: INTEGER_BIT });
export const ONE: Float80 = { sign: 0, exponent: 16383, significand: INTEGER_BIT };

/** Pseudo-denormals count as denormals: they are valued alike and raise the same. Unnormals and the like are unsupported. */
export function kindOf({ exponent, significand, wasDenormal }: Float80): Kind {
  if (wasDenormal) return 'denormal';
  if (exponent === 0) return significand === 0n ? 'zero' : 'denormal';
  if (significand < INTEGER_BIT) return 'unsupported';
  if (exponent < MAX) return 'normal';
  if (significand === INTEGER_BIT) return 'infinity';
  return significand & QUIET_BIT ? 'quiet' : 'signalling';
}
export const isNan = (kind: Kind): boolean => kind === 'quiet' || kind === 'signalling';

/** Of a finite number. */
export const exact = ({ sign, exponent, significand }: Float80): Exact => ({ sign, m: significand, q: (exponent || 1) - 16383 - 63 }); // prettier-ignore

export const quieted = (a: Float80): Float80 => ({ ...a, significand: a.significand | QUIET_BIT });

/** Rounds to 64 bits or the precision given; an exact zero gets `zeroSign`. */
export function result(env: Environment, value: Exact, zeroSign = value.sign, precision = env.precision): Float80 {
  if (value.m === 0n) return zero(zeroSign);
  return round(env, FORMAT80, value, precision);
}

function invalid(env: Environment): Float80 | undefined {
  return env.raise(EXCEPTION.INVALID) ? undefined : INDEFINITE;
}

/** Which of two NaNs is the result (SDM vol. 1 table 4-7): a quiet one before a signalling one, else the larger significand. */
function chooseNan(a: Float80, b: Float80): Float80 {
  const [ka, kb] = [kindOf(a), kindOf(b)];
  if (!isNan(ka)) return quieted(b);
  if (!isNan(kb)) return quieted(a);
  if (ka !== kb) return ka === 'quiet' ? a : b;
  if (a.significand !== b.significand) return quieted(a.significand > b.significand ? a : b);
  return quieted(a.sign ? b : a);
}

/**
 * The part that all operations share: unsupported encodings, NaNs. `done` with the result (or none), or the kinds of
 * the operands, none of which is a NaN.
 */
export function nanOperands(env: Environment, operands: readonly Float80[]): { done: true; value: Float80 | undefined } | { done: false; kinds: Kind[] } {
  const kinds = operands.map(kindOf);
  if (kinds.includes('unsupported')) return { done: true, value: invalid(env) };
  if (!kinds.some(isNan)) return { done: false, kinds };
  if (kinds.includes('signalling') && env.raise(EXCEPTION.INVALID)) return { done: true, value: undefined };
  const [a, b] = operands;
  return { done: true, value: b === undefined ? quieted(a) : chooseNan(a, b) };
} // prettier-ignore

/** Raises the denormal-operand exception if there is such an operand; true when it is unmasked. */
export const denormal = (env: Environment, kinds: readonly Kind[]): boolean =>
  kinds.includes('denormal') && env.raise(EXCEPTION.DENORMAL);

export function add(env: Environment, a: Float80, b: Float80): Float80 | undefined {
  const checked = nanOperands(env, [a, b]);
  if (checked.done) return checked.value;
  const [ka, kb] = checked.kinds;
  if (ka === 'infinity' && kb === 'infinity' && a.sign !== b.sign) return invalid(env);
  if (denormal(env, checked.kinds)) return undefined;
  if (ka === 'infinity') return a;
  if (kb === 'infinity') return b;
  // Two zeros of one sign keep it; a zero out of a difference is negative only when rounding down.
  const zeroSign = ka === 'zero' && kb === 'zero' && a.sign === b.sign ? a.sign : env.rounding === 1 ? 1 : 0;
  return result(env, addExact(exact(a), exact(b)), zeroSign);
}

export const negate = (a: Float80): Float80 => ({ ...a, sign: a.sign ^ 1 });

export function subtract(env: Environment, a: Float80, b: Float80): Float80 | undefined {
  // A NaN keeps its sign: only numbers are negated.
  return isNan(kindOf(a)) || isNan(kindOf(b)) ? add(env, a, b) : add(env, a, negate(b));
}

export function multiply(env: Environment, a: Float80, b: Float80): Float80 | undefined {
  const checked = nanOperands(env, [a, b]);
  if (checked.done) return checked.value;
  const { kinds } = checked;
  const sign = a.sign ^ b.sign;
  const infinite = kinds.includes('infinity');
  if (infinite && kinds.includes('zero')) return invalid(env);
  if (denormal(env, kinds)) return undefined;
  return infinite ? infinity(sign) : result(env, multiplyExact(exact(a), exact(b)));
}

/** a / b. */
export function divide(env: Environment, a: Float80, b: Float80): Float80 | undefined {
  const checked = nanOperands(env, [a, b]);
  if (checked.done) return checked.value;
  const [ka, kb] = checked.kinds;
  const sign = a.sign ^ b.sign;
  if (ka === kb && (ka === 'zero' || ka === 'infinity')) return invalid(env);
  if (kb === 'zero' && ka !== 'infinity') return env.raise(EXCEPTION.ZERO_DIVIDE) ? undefined : infinity(sign);
  if (denormal(env, checked.kinds)) return undefined;
  if (ka === 'infinity') return infinity(sign);
  if (ka === 'zero' || kb === 'infinity') return zero(sign);
  return result(env, divideExact(exact(a), exact(b)));
}

export function squareRoot(env: Environment, a: Float80): Float80 | undefined {
  const checked = nanOperands(env, [a]);
  if (checked.done) return checked.value;
  const [kind] = checked.kinds;
  if (kind === 'zero') return a;
  if (a.sign) return invalid(env);
  if (denormal(env, checked.kinds)) return undefined;
  return kind === 'infinity' ? a : result(env, sqrtExact(exact(a)));
}

export type Order = 'less' | 'equal' | 'greater' | 'unordered';
/** Undefined when an unmasked exception forbids the answer. `quiet`: quiet NaNs are no exception (FUCOM). */
export function compare(env: Environment, a: Float80, b: Float80, quiet: boolean): Order | undefined {
  const kinds = [kindOf(a), kindOf(b)];
  if (kinds.includes('unsupported') || kinds.some(isNan)) {
    const silent = quiet && !kinds.includes('unsupported') && !kinds.includes('signalling');
    return !silent && env.raise(EXCEPTION.INVALID) ? undefined : 'unordered';
  }
  if (denormal(env, kinds)) return undefined;
  const value = (x: Float80, kind: Kind): Exact => (kind === 'infinity' ? { sign: x.sign, m: 1n, q: 40000 } : exact(x));
  const order = compareExact(value(a, kinds[0]), value(b, kinds[1]));
  return order < 0 ? 'less' : order > 0 ? 'greater' : 'equal';
}

// --- Binary32 and binary64.
const fractionBits = (format: Format): bigint => BigInt(format.significandBits - 1);

/** From the bits of a binary32 or binary64. Denormals and signalling NaNs raise (FLD m32fp, m64fp). */
export function fromBinary(env: Environment, format: Format, bits: bigint): Float80 | undefined {
  const n = fractionBits(format);
  const fraction = bits & ((1n << n) - 1n);
  const top = 2 * format.bias + 1;
  const exponent = Number(bits >> n) & top;
  const sign = Number(bits >> BigInt(format === FORMAT32 ? 31 : 63)) & 1;
  if (exponent === top) {
    if (fraction === 0n) return infinity(sign);
    const nan = { sign, exponent: MAX, significand: INTEGER_BIT | (fraction << (63n - n)) };
    if (nan.significand & QUIET_BIT) return nan;
    return env.raise(EXCEPTION.INVALID) ? undefined : quieted(nan);
  }
  if (exponent !== 0) return { sign, exponent: exponent - format.bias + 16383, significand: INTEGER_BIT | (fraction << (63n - n)) }; // prettier-ignore
  if (fraction === 0n) return zero(sign);
  if (env.raise(EXCEPTION.DENORMAL)) return undefined;
  const length = bitLength(fraction);
  // Its value is fraction * 2**(1 - bias - n).
  return { sign, exponent: 16384 - format.bias - Number(n) + length - 1, significand: fraction << BigInt(64 - length) };
}

/** To the bits of a binary32 or binary64; undefined when an unmasked exception forbids to store. */
export function toBinary(env: Environment, format: Format, a: Float80): bigint | undefined {
  const n = fractionBits(format);
  const top = BigInt(2 * format.bias + 1);
  const pack = (sign: number, exponent: bigint, fraction: bigint): bigint =>
    (BigInt(sign) << (format === FORMAT32 ? 31n : 63n)) | (exponent << n) | (fraction & ((1n << n) - 1n));
  const checked = nanOperands(env, [a]);
  if (checked.done) return checked.value && pack(checked.value.sign, top, checked.value.significand >> (63n - n));
  const [kind] = checked.kinds;
  if (kind === 'infinity') return pack(a.sign, top, 0n);
  if (kind === 'zero') return pack(a.sign, 0n, 0n);
  const before = env.flags;
  const rounded = round(env, format, exact(a), format.significandBits);
  const raised = env.flags & ~before & (EXCEPTION.OVERFLOW | EXCEPTION.UNDERFLOW);
  if (raised & ~env.masks) {
    // Nothing is stored, so nothing was rounded.
    env.flags &= ~EXCEPTION.PRECISION | before;
    env.roundedUp = false;
    return undefined;
  }
  return pack(rounded.sign, BigInt(rounded.exponent), rounded.significand);
}
