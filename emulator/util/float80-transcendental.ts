/**
 * The transcendental x87 functions, by series on big integers: about 100 bits are right before the one rounding, so
 * results are within one unit in the last place (in fact nearly always the nearest), and the same everywhere.
 * SDM vol. 1 section 8.3.10, vol. 2 F2XM1, FYL2X, FYL2XP1, FPTAN, FPATAN, FSIN, FCOS, FSINCOS.
 */
import { addExact, bitLength, divideExact, multiplyExact } from './softfloat';
import type { Exact } from './softfloat';

/** Fixed point: a number is value / 2**F. */
const F = 320;
const ONE = 1n << BigInt(F);
const SCALE = BigInt(F);
const multiply = (a: bigint, b: bigint): bigint => (a * b) >> SCALE;
const divide = (a: bigint, b: bigint): bigint => (a << SCALE) / b;

/** arctan(1 / n), fixed point. */
function arctanInverse(n: bigint): bigint {
  const square = n * n;
  let term = ONE / n;
  let sum = term;
  for (let k = 3n, sign = -1n; term !== 0n; k += 2n, sign = -sign) {
    term /= square;
    sum += (sign * term) / k;
  }
  return sum;
}
/** Machin's formula. */
export const PI = 4n * (4n * arctanInverse(5n) - arctanInverse(239n));

/** 2 * artanh(z) for |z| <= 1/3. */
function logarithmSeries(z: bigint): bigint {
  const square = multiply(z, z);
  let term = z;
  let sum = 0n;
  for (let k = 1n; term !== 0n && term !== -1n; k += 2n) {
    sum += term / k;
    term = multiply(term, square);
  }
  return 2n * sum;
}
const LN2 = logarithmSeries(ONE / 3n);
const SQRT2 = 3n * (ONE >> 1n) - (ONE >> 4n) - (ONE >> 5n);

/** Fixed point of an exact number whose magnitude is at least 2**-100 and moderate. */
const fixed = ({ sign, m, q }: Exact): bigint => {
  const shift = q + F;
  const value = shift >= 0 ? m << BigInt(shift) : m >> BigInt(-shift);
  return sign ? -value : value;
};
const unfixed = (value: bigint): Exact => ({ sign: value < 0n ? 1 : 0, m: value < 0n ? -value : value, q: -F });
/** Exponent of the leading bit. */
const magnitude = (x: Exact): number => x.q + bitLength(x.m) - 1;

/** Where a function is x * (1 - tiny): the value, a little less in magnitude (or more), so that it rounds right. */
const nudged = (x: Exact, larger: boolean): Exact => ({ sign: x.sign, m: (x.m << 200n) + (larger ? 1n : -1n), q: x.q - 200 }); // prettier-ignore
/** Multiplies by a fixed-point constant. */
const times = (x: Exact, constant: bigint): Exact => multiplyExact(x, { sign: 0, m: constant, q: -F });
/** Arguments smaller than 2 to this power are done by the first term of their series. */
const TINY = -100;

/** 2**x - 1 for -1 <= x <= 1, x not 0. */
export function exp2Minus1(x: Exact): Exact {
  if (magnitude(x) < TINY) return nudged(times(x, LN2), x.sign === 0);
  const y = multiply(fixed(x), LN2);
  let term = y;
  let sum = 0n;
  for (let k = 2n; term !== 0n && term !== -1n; k++) {
    sum += term;
    term = multiply(term, y) / k;
  }
  return unfixed(sum);
}

/** The natural logarithm of the fixed-point number 1 + f, which is near 1: between 1/sqrt(2) and sqrt(2). */
const logNear1 = (f: bigint): bigint => logarithmSeries(divide(f, 2n * ONE + f));

/** The binary logarithm of a positive number; m is 0 for 1. */
export function log2(x: Exact): Exact {
  let exponent = magnitude(x);
  let mantissa = fixed({ sign: 0, m: x.m, q: x.q - exponent });
  if (mantissa > SQRT2) {
    mantissa >>= 1n;
    exponent++;
  }
  return unfixed(BigInt(exponent) * ONE + divide(logNear1(mantissa - ONE), LN2));
}

/** log2(1 + x) for x in the range of FYL2XP1 (beyond it as well, while 1 + x > 0). */
export function log2Plus1(x: Exact): Exact {
  if (magnitude(x) < TINY) return nudged(divideExact({ sign: x.sign, m: x.m << 200n, q: x.q - 200 }, { sign: 0, m: LN2, q: -F }), x.sign === 1); // prettier-ignore
  // The series is for numbers near 1.
  if (magnitude(x) >= -2) return log2(addExact(x, { sign: 0, m: 1n, q: 0 }));
  return unfixed(divide(logNear1(fixed(x)), LN2));
}

/** arctan of a fixed-point number between 0 and 1. */
function arctan(t: bigint): bigint {
  // Halve the angle a few times: arctan t = 2 arctan(t / (1 + sqrt(1 + t*t))).
  let halvings = 0n;
  while (t > ONE >> 4n) {
    t = divide(t, ONE + squareRoot(ONE + multiply(t, t)));
    halvings++;
  }
  const square = multiply(t, t);
  let term = t;
  let sum = 0n;
  for (let k = 1n; term !== 0n && term !== -1n; k += 2n) {
    sum += term / k;
    term = -multiply(term, square);
  }
  return sum << halvings;
}
function squareRoot(value: bigint): bigint {
  const n = value << SCALE;
  let x = ONE * 2n;
  for (;;) {
    const next = (x + n / x) >> 1n;
    if (next >= x) return x;
    x = next;
  }
}

/** The angle of the point (x, y), both finite and not 0, in (-pi, pi). */
export function arctan2(y: Exact, x: Exact): Exact {
  const distance = magnitude(y) - magnitude(x);
  const sign = y.sign;
  const [ay, ax] = [
    { ...y, sign: 0 },
    { ...x, sign: 0 },
  ];
  if (distance < TINY && !x.sign) return { ...nudged(divideExact({ ...ay, m: ay.m << 200n, q: ay.q - 200 }, ax), false), sign }; // prettier-ignore
  let angle: bigint;
  if (distance < -F) angle = 1n;
  else if (distance > F) angle = PI / 2n - 1n;
  else {
    const steep = distance > 0 || (distance === 0 && fixed({ ...ay, q: ay.q - magnitude(x) }) > fixed({ ...ax, q: ax.q - magnitude(x) })); // prettier-ignore
    const [top, bottom] = steep ? [ax, ay] : [ay, ax];
    const t = divideExact({ ...top, m: top.m << 400n, q: top.q - 400 }, bottom);
    const small = arctan(fixed(t));
    angle = steep ? PI / 2n - small : small;
  }
  if (x.sign) angle = PI - angle;
  return { ...unfixed(angle), sign };
}

/** pi as x87 processors have it for reducing angles: to 66 bits (SDM vol. 1 section 8.3.8). */
const REDUCING_PI = 0xc90fdaa22168c234cn << BigInt(F - 66);

function reduceAngle(x: Exact): { quadrant: number; angle: bigint } {
  const half = REDUCING_PI / 2n;
  const value = fixed({ ...x, sign: 0 });
  const quotient = (value * 2n + half) / (2n * half);
  return { quadrant: Number(quotient & 3n), angle: value - quotient * half };
}
function sineSeries(x: bigint, start: bigint, first: bigint): bigint {
  const square = multiply(x, x);
  let term = first;
  let sum = 0n;
  for (let k = start; term !== 0n && term !== -1n; k += 2n) {
    sum += term;
    term = -multiply(term, square) / ((k + 1n) * (k + 2n));
  }
  return sum;
}

/** Sine and cosine of a number not 0 and less than 2**63 in magnitude. */
export function sineCosine(x: Exact): { sine: Exact; cosine: Exact } {
  if (magnitude(x) < TINY) return { sine: nudged(x, false), cosine: nudged({ sign: 0, m: 1n, q: 0 }, false) };
  const { quadrant, angle } = reduceAngle(x);
  const sine = sineSeries(angle, 1n, angle);
  const cosine = sineSeries(angle, 0n, ONE);
  const [s, c] = [[sine, cosine], [cosine, -sine], [-sine, -cosine], [-cosine, sine]][quadrant]; // prettier-ignore
  return { sine: unfixed(x.sign ? -s : s), cosine: unfixed(c) };
}

/** Tangent of a number not 0 and less than 2**63 in magnitude. */
export function tangent(x: Exact): Exact {
  if (magnitude(x) < TINY) return nudged(x, true);
  const { sine, cosine } = sineCosine(x);
  return divideExact({ ...sine, m: sine.m << 200n, q: sine.q - 200 }, cosine);
}

/** numerator / 2**F / denominator. */
export const fraction = (numerator: bigint, denominator: bigint): Exact => unfixed(numerator / denominator);
