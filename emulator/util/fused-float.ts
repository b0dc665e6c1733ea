/** FMA and binary16 beside binary-float.ts: a product and a sum with one rounding, and conversions of halves. */
import { finish, infinityBits, invalid, isNan, nan, noteDenormals, pack, quiet, unpack } from './binary-float';
import type { SseEnvironment } from './binary-float';
import { EXCEPTION, Environment, FORMAT32, addExact, multiplyExact, round } from './softfloat';
import type { Format } from './softfloat';

/** x * y + z with one rounding, the product or the addend with the other sign. NaNs come first in this order. */
export function multiplyAdd(env: SseEnvironment, format: Format, operands: readonly [bigint, bigint, bigint], negateProduct: boolean, negateAddend: boolean): bigint {
  const all = operands.map((bits) => unpack(env, format, bits));
  const [a, b, c] = all;
  const infinite = a.class === 'infinity' || b.class === 'infinity';
  const invalidProduct = infinite && (a.class === 'zero' || b.class === 'zero');
  const asNan = nan(env, format, all);
  if (asNan !== undefined) return asNan;
  if (invalidProduct) return invalid(env, format);
  const sign = a.sign ^ b.sign ^ (negateProduct ? 1 : 0);
  const addend = c.sign ^ (negateAddend ? 1 : 0);
  if (infinite && c.class === 'infinity' && sign !== addend) return invalid(env, format);
  noteDenormals(env, all);
  if (infinite) return infinityBits(format, sign);
  if (c.class === 'infinity') return infinityBits(format, addend);
  const product = { ...multiplyExact(a.value, b.value), sign };
  const zeroSign = product.m === 0n && c.class === 'zero' && sign === addend ? sign : env.rounding === 1 ? 1 : 0;
  return finish(env, format, addExact(product, { ...c.value, sign: addend }), zeroSign);
} // prettier-ignore

const FORMAT16: Format = { significandBits: 11, bias: 15, wrap: 24 };
/** Binary16 to binary32. MXCSR's denormals-are-zeros does not hold for halves, and they set no DE. */
export function fromHalf(env: SseEnvironment, bits: bigint): bigint {
  const sign = Number(bits >> 15n) & 1;
  const exponent = Number(bits >> 10n) & 31;
  const fraction = bits & 0x3ffn;
  if (exponent === 31) {
    if (fraction && !(fraction & 0x200n)) env.raise(EXCEPTION.INVALID);
    return fraction ? quiet(FORMAT32, pack(FORMAT32, sign, 255n, fraction << 13n)) : infinityBits(FORMAT32, sign);
  }
  return finish(env, FORMAT32, { sign, m: exponent ? fraction | 0x400n : fraction, q: (exponent || 1) - 25 });
}
/** Binary32 to binary16. Flush-to-zero does not hold. */
export function toHalf(env: SseEnvironment, bits: bigint, rounding: number): bigint {
  const half = (sign: number, exponent: bigint, fraction: bigint): bigint => (BigInt(sign) << 15n) | (exponent << 10n) | (fraction & 0x3ffn);
  const a = unpack(env, FORMAT32, bits);
  if (isNan(a)) {
    if (a.class === 'signalling') env.raise(EXCEPTION.INVALID);
    return half(a.sign, 31n, ((a.bits & 0x7f_ffffn) >> 13n) | 0x200n);
  }
  if (a.class === 'infinity') return half(a.sign, 31n, 0n);
  if (a.class === 'zero') return half(a.sign, 0n, 0n);
  noteDenormals(env, [a]);
  const own = new Environment(rounding, 11, env.masks);
  const { sign, exponent, significand } = round(own, FORMAT16, a.value);
  env.flags |= own.flags;
  return half(sign, BigInt(exponent), significand);
} // prettier-ignore
