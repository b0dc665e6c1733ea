/**
 * 80-bit numbers and integers: conversions, rounding to an integer, partial remainders, scaling, extraction.
 * SDM vol. 1 sections 8.3.5 and 8.5, vol. 2 FIST, FBSTP, FRNDINT, FPREM, FPREM1, FSCALE, FXTRACT.
 */
import { INDEFINITE, denormal, exact, infinity, kindOf, nanOperands, result, zero } from './float80';
import type { Float80 } from './float80';
import { EXCEPTION, ROUND, bitLength, toInteger } from './softfloat';
import type { Environment } from './softfloat';

/** Exact: every 64-bit integer has an 80-bit form. */
export function fromInteger(value: bigint): Float80 {
  if (value === 0n) return zero(0);
  const magnitude = value < 0n ? -value : value;
  const length = bitLength(magnitude);
  return { sign: value < 0n ? 1 : 0, exponent: 16382 + length, significand: magnitude << BigInt(64 - length) };
}

/** Rounds within `limit` (magnitudes, negative and positive); undefined: invalid. Raises precision, not invalid. */
function roundedInteger(env: Environment, a: Float80, lowest: bigint, highest: bigint, rounding: number): bigint | undefined {
  const kind = kindOf(a);
  if (kind === 'zero') return 0n;
  if (kind !== 'normal' && kind !== 'denormal') return undefined;
  if (a.exponent > 16383 + 70) return undefined;
  const { magnitude, inexact, up } = toInteger(env, exact(a), rounding);
  const value = a.sign ? -magnitude : magnitude;
  if (value < lowest || value > highest) return undefined;
  if (inexact) env.flags |= EXCEPTION.PRECISION;
  env.roundedUp = up;
  return value;
} // prettier-ignore

/** To a two's-complement integer of 16, 32 or 64 bits, as its unsigned bits; undefined when nothing may be stored. */
export function toSigned(
  env: Environment,
  a: Float80,
  bits: 16 | 32 | 64,
  rounding = env.rounding,
): bigint | undefined {
  const limit = 1n << BigInt(bits - 1);
  const value = roundedInteger(env, a, -limit, limit - 1n, rounding);
  if (value !== undefined) return BigInt.asUintN(bits, value);
  return env.raise(EXCEPTION.INVALID) ? undefined : limit;
}

const DECIMAL_LIMIT = 10n ** 18n - 1n;
/** The packed-decimal indefinite (SDM vol. 1 table 4-4). */
const DECIMAL_INDEFINITE = 0xffff_c000_0000_0000_0000n;

/** To 80 bits of packed decimal; undefined when nothing may be stored. */
export function toDecimal(env: Environment, a: Float80): bigint | undefined {
  const value = roundedInteger(env, a, -DECIMAL_LIMIT, DECIMAL_LIMIT, env.rounding);
  if (value === undefined) return env.raise(EXCEPTION.INVALID) ? undefined : DECIMAL_INDEFINITE;
  const digits = BigInt(`0x${(value < 0n ? -value : value).toString()}`);
  return (BigInt(a.sign) << 79n) | digits;
}

/** From 80 bits of packed decimal. Digits above 9 are undefined by the manual; they count as what they are in binary. */
export function fromDecimal(bits: bigint): Float80 {
  let value = 0n;
  for (let shift = 68n; shift >= 0n; shift -= 4n) value = value * 10n + ((bits >> shift) & 0xfn);
  const sign = Number((bits >> 79n) & 1n);
  return { ...fromInteger(value), sign };
}

/** FRNDINT. */
export function roundToInteger(env: Environment, a: Float80): Float80 | undefined {
  const checked = nanOperands(env, [a]);
  if (checked.done) return checked.value;
  const [kind] = checked.kinds;
  if (kind === 'zero' || kind === 'infinity' || a.exponent >= 16383 + 63) return a;
  if (denormal(env, checked.kinds)) return undefined;
  const { magnitude, inexact, up } = toInteger(env, exact(a));
  if (inexact) env.flags |= EXCEPTION.PRECISION;
  env.roundedUp = up;
  return { ...fromInteger(magnitude), sign: a.sign };
}

/** FSCALE: a * 2**trunc(b). */
export function scale(env: Environment, a: Float80, b: Float80): Float80 | undefined {
  const checked = nanOperands(env, [a, b]);
  if (checked.done) return checked.value;
  const [ka, kb] = checked.kinds;
  if (kb === 'infinity') {
    const wrong = b.sign ? ka === 'infinity' : ka === 'zero';
    if (wrong) return env.raise(EXCEPTION.INVALID) ? undefined : INDEFINITE;
    if (denormal(env, checked.kinds)) return undefined;
    return b.sign ? zero(a.sign) : infinity(a.sign);
  }
  if (denormal(env, checked.kinds)) return undefined;
  if (ka === 'infinity' || ka === 'zero' || kb === 'zero')
    return ka === 'denormal' ? result(env, exact(a), a.sign, 64) : a;
  const { magnitude } = toInteger(
    env,
    b.exponent > 16383 + 17 ? { sign: b.sign, m: 0x10000n, q: 0 } : exact(b),
    ROUND.ZERO,
  );
  const value = exact(a);
  const by = Number(magnitude) * (b.sign ? -1 : 1);
  return result(env, { ...value, q: value.q + by }, a.sign, 64);
}

/** FXTRACT: exponent (to ST0 before the push) and significand; undefined when an unmasked exception forbids both. */
export function extract(env: Environment, a: Float80): { exponent: Float80; significand: Float80 } | undefined {
  const checked = nanOperands(env, [a]);
  if (checked.done) return checked.value && { exponent: checked.value, significand: checked.value };
  const [kind] = checked.kinds;
  if (kind === 'infinity') return { exponent: infinity(0), significand: a };
  if (kind === 'zero') return env.raise(EXCEPTION.ZERO_DIVIDE) ? undefined : { exponent: infinity(1), significand: a };
  if (denormal(env, checked.kinds)) return undefined;
  const length = bitLength(a.significand);
  const exponent = fromInteger(BigInt((a.exponent || 1) - 16383 - (64 - length)));
  return {
    exponent,
    significand: { sign: a.sign, exponent: 16383, significand: a.significand << BigInt(64 - length) },
  };
}

export interface Remainder {
  value: Float80;
  /** The low three bits of the quotient; undefined when the reduction is incomplete (C2); none for NaNs. */
  quotient: number | 'none' | undefined;
}

/** FPREM (`nearest` false) and FPREM1. Reduces exponents by up to 63 at a time, as the manual allows. */
export function remainder(env: Environment, a: Float80, b: Float80, nearest: boolean): Remainder | undefined {
  const checked = nanOperands(env, [a, b]);
  if (checked.done) return checked.value && { value: checked.value, quotient: 'none' };
  const [ka, kb] = checked.kinds;
  if (ka === 'infinity' || kb === 'zero')
    return env.raise(EXCEPTION.INVALID) ? undefined : { value: INDEFINITE, quotient: 'none' };
  if (denormal(env, checked.kinds)) return undefined;
  if (ka === 'zero' || kb === 'infinity')
    return { value: ka === 'denormal' ? result(env, exact(a), a.sign, 64) : a, quotient: 0 };
  const x = exact(a);
  const y = exact(b);
  const distance = x.q + bitLength(x.m) - (y.q + bitLength(y.m));
  if (distance >= 64) {
    const less = distance - (32 + (distance & 31));
    return { value: reduce(env, a.sign, x.m, x.q, y.m, y.q + less).value, quotient: undefined };
  }
  if (distance < -1) return { value: result(env, x, a.sign, 64), quotient: 0 };
  const { value, quotient, rest, divisor, q } = reduce(env, a.sign, x.m, x.q, y.m, y.q);
  // To the nearest multiple, an even one in a tie.
  const twice = rest * 2n;
  if (nearest && (twice > divisor || (twice === divisor && quotient & 1n)))
    return {
      value: result(env, { sign: a.sign ^ 1, m: divisor - rest, q }, a.sign, 64),
      quotient: Number((quotient + 1n) & 7n),
    };
  return { value, quotient: Number(quotient & 7n) };
}

function reduce(env: Environment, sign: number, m: bigint, mq: number, d: bigint, dq: number) {
  const q = Math.min(mq, dq);
  const dividend = m << BigInt(mq - q);
  const divisor = d << BigInt(dq - q);
  const quotient = dividend / divisor;
  const rest = dividend - quotient * divisor;
  return { value: result(env, { sign, m: rest, q }, sign, 64), quotient, rest, divisor, q };
}
