/**
 * The common case of binary-float.ts in JavaScript's own numbers: rounding to nearest, operands that are zero or normal, a
 * result well inside the normal range. ECMAScript defines these operations to the bit (IEEE 754 binary64, Math.fround for
 * binary32, where rounding twice is harmless: 53 >= 2 * 24 + 2), so the platform does not matter. Only precision can be lost:
 * each operation says whether it was exact, by the error terms of Dekker and Knuth.
 */
export interface Quick {
  /** In binary64. */
  compute(x: number, y: number): number;
  /** Whether a zero result is a true one: not an underflow. */
  zero(x: number, y: number): boolean;
  /** Whether r, rounded to binary64, is exact; undefined where that cannot be told. */
  exact(x: number, y: number, r: number): boolean | undefined;
}

/** Error of a sum (Knuth, TAOCP vol. 2, 4.2.2 theorem B). */
function sumError(x: number, y: number, r: number): number {
  const v = r - x;
  return x - (r - v) + (y - v);
}
const SPLIT = 2 ** 27 + 1;
/** Products whose error term can neither overflow nor underflow. */
const LARGE = 2 ** 490;
const SMALL = 2 ** -480;
const splittable = (x: number): boolean => x === 0 || (Math.abs(x) < LARGE && Math.abs(x) > SMALL);

/** Whether x * y is p exactly (Dekker's product). */
function isProduct(x: number, y: number, p: number): boolean | undefined {
  if (!splittable(x) || !splittable(y)) return undefined;
  if (x * y !== p) return false;
  const [xScaled, yScaled] = [x * SPLIT, y * SPLIT];
  const [xHigh, yHigh] = [xScaled - (xScaled - x), yScaled - (yScaled - y)];
  const [xLow, yLow] = [x - xHigh, y - yHigh];
  return xHigh * yHigh - p + xHigh * yLow + xLow * yHigh + xLow * yLow === 0;
}

export const QUICK = {
  add: { compute: (x, y) => x + y, zero: () => true, exact: (x, y, r) => sumError(x, y, r) === 0 },
  subtract: { compute: (x, y) => x - y, zero: () => true, exact: (x, y, r) => sumError(x, -y, r) === 0 },
  multiply: { compute: (x, y) => x * y, zero: (x, y) => x === 0 || y === 0, exact: isProduct },
  divide: { compute: (x, y) => x / y, zero: (x) => x === 0, exact: (x, y, r) => isProduct(r, y, x) },
  squareRoot: { compute: (_, y) => Math.sqrt(y), zero: () => true, exact: (_, y, r) => isProduct(r, r, y) },
} as const satisfies Record<string, Quick>;

const LEAST = { 32: 2 ** -126, 64: 2 ** -1022 } as const;
/** Zero or normal: no NaN, no infinity, no denormal. */
export function isPlain(x: number, bits: 32 | 64): boolean {
  const magnitude = Math.abs(x);
  return magnitude === 0 || (magnitude >= LEAST[bits] && magnitude < Infinity);
}

/** The result of an operation; NaN where the exact way must be gone. */
export function perform(quick: Quick, bits: 32 | 64, x: number, y: number): number {
  if (!isPlain(x, bits) || !isPlain(y, bits)) return NaN;
  const wide = quick.compute(x, y);
  if (wide === 0) return quick.zero(x, y) ? wide : NaN;
  const r = bits === 32 ? Math.fround(wide) : wide;
  const magnitude = Math.abs(r);
  return magnitude >= 2 * LEAST[bits] && magnitude < Infinity ? r : NaN;
}
/** Whether such a result lost nothing; undefined where that cannot be told. */
export function isExact(quick: Quick, x: number, y: number, r: number): boolean | undefined {
  const wide = quick.compute(x, y);
  return r === wide ? quick.exact(x, y, wide) : false;
}
