/**
 * F2XM1, FYL2X, FYL2XP1, FPTAN, FPATAN, FSIN, FCOS, FSINCOS: special operands as the tables of SDM vol. 2 have them, the
 * rest by util/float80-transcendental.ts. Precision control does not apply (SDM vol. 1 section 8.1.5.2).
 */
import * as float from '../../util/float80';
import type { Float80, Kind } from '../../util/float80';
import * as functions from '../../util/float80-transcendental';
import { EXCEPTION, multiplyExact } from '../../util/softfloat';
import type { Exact, Environment } from '../../util/softfloat';
import type { SystemMeaning } from '../instruction';
import { STATUS, available, recordPointers } from './x87-unit';
import type { Unit } from './x87-unit';

type Result = Float80 | undefined;

/** Rounds what was computed, which is never exact. */
function inexact(env: Environment, value: Exact): Float80 {
  env.flags |= EXCEPTION.PRECISION;
  return float.result(env, value, value.sign, 64);
}
const invalid = (env: Environment): Result => (env.raise(EXCEPTION.INVALID) ? undefined : float.INDEFINITE);
const piTimes = (numerator: bigint, denominator: bigint, sign: number): Exact => ({ ...functions.fraction(functions.PI * numerator, denominator), sign }); // prettier-ignore

function exp2Minus1(env: Environment, a: Float80): Result {
  const checked = float.nanOperands(env, [a]);
  if (checked.done) return checked.value;
  const [kind] = checked.kinds;
  if (kind === 'zero') return a;
  if (kind === 'infinity') return a.sign ? { ...float.ONE, sign: 1 } : a;
  if (float.denormal(env, checked.kinds)) return undefined;
  // Undefined outside of -1 to 1: the argument stays.
  if (a.exponent > 16383 || (a.exponent === 16383 && a.significand > 1n << 63n)) {
    env.flags |= EXCEPTION.PRECISION;
    return a;
  }
  if (a.exponent === 16383) return a.sign ? { ...a, exponent: 16382 } : a;
  return inexact(env, functions.exp2Minus1(float.exact(a)));
}

/** b * log2(a), a = ST0, b = ST1. */
function yLog2(env: Environment, a: Float80, b: Float80): Result {
  const checked = float.nanOperands(env, [a, b]);
  if (checked.done) return checked.value;
  const [ka, kb] = checked.kinds;
  if (a.sign && ka !== 'zero') return invalid(env);
  if (ka === 'zero') {
    if (kb === 'zero') return invalid(env);
    if (kb === 'infinity') return float.infinity(b.sign ^ 1);
    return env.raise(EXCEPTION.ZERO_DIVIDE) ? undefined : float.infinity(b.sign ^ 1);
  }
  if (ka === 'infinity') {
    if (kb === 'zero') return invalid(env);
    return float.denormal(env, checked.kinds) ? undefined : float.infinity(b.sign);
  }
  const logarithm = functions.log2(float.exact(a));
  return logarithmTimes(env, logarithm, b, checked.kinds);
}

/** b * log2(1 + a). */
function yLog2Plus1(env: Environment, a: Float80, b: Float80): Result {
  const checked = float.nanOperands(env, [a, b]);
  if (checked.done) return checked.value;
  const [ka, kb] = checked.kinds;
  if (ka === 'infinity' && (a.sign || kb === 'zero')) return invalid(env);
  if (ka === 'zero' && kb === 'infinity') return invalid(env);
  if (float.denormal(env, checked.kinds)) return undefined;
  if (ka === 'infinity') return float.infinity(b.sign);
  if (ka === 'zero' || (kb === 'zero' && a.sign)) return float.zero(a.sign ^ b.sign);
  // Undefined at and below -1: the argument stays, as for F2XM1.
  if (a.sign && a.exponent >= 16383) {
    env.flags |= EXCEPTION.PRECISION;
    return a;
  }
  const x = float.exact(a);
  const big = a.exponent > 16383 + 200;
  return logarithmTimes(env, big ? functions.log2(x) : functions.log2Plus1(x), b, [kb]);
}

function logarithmTimes(env: Environment, logarithm: Exact, b: Float80, kinds: readonly Kind[]): Result {
  const kb = float.kindOf(b);
  if (logarithm.m === 0n) {
    if (kb === 'infinity') return invalid(env);
    return float.denormal(env, kinds) ? undefined : float.zero(b.sign);
  }
  if (float.denormal(env, kinds)) return undefined;
  const sign = logarithm.sign ^ b.sign;
  if (kb === 'infinity') return float.infinity(sign);
  if (kb === 'zero') return float.zero(sign);
  return inexact(env, multiplyExact(logarithm, float.exact(b)));
}

/** arctan(b / a) by quadrants, a = ST0, b = ST1 (SDM vol. 2 table 3-30). */
function arctangent(env: Environment, a: Float80, b: Float80): Result {
  const checked = float.nanOperands(env, [a, b]);
  if (checked.done) return checked.value;
  const [ka, kb] = checked.kinds;
  if (float.denormal(env, checked.kinds)) return undefined;
  if (kb === 'infinity') return inexact(env, ka === 'infinity' ? piTimes(a.sign ? 3n : 1n, 4n, b.sign) : piTimes(1n, 2n, b.sign)); // prettier-ignore
  if (kb === 'zero' || ka === 'infinity') return a.sign ? inexact(env, piTimes(1n, 1n, b.sign)) : float.zero(b.sign);
  if (ka === 'zero') return inexact(env, piTimes(1n, 2n, b.sign));
  return inexact(env, functions.arctan2(float.exact(b), float.exact(a)));
}

/** Two operands, the result into ST1, pop. */
const binary = (f: (env: Environment, a: Float80, b: Float80) => Result): SystemMeaning => (cpu, instruction) => {
  const unit = available(cpu);
  recordPointers(unit, instruction);
  if (unit.isEmpty(0) || unit.isEmpty(1)) {
    if (!unit.stackFault()) return;
    unit.set(1, float.INDEFINITE);
  } else {
    const env = unit.environment();
    const result = f(env, unit.get(0), unit.get(1));
    unit.finish(env);
    if (!result) return;
    unit.set(1, result);
  }
  unit.pop();
}; // prettier-ignore
export const fyl2x = binary(yLog2);
export const fyl2xp1 = binary(yLog2Plus1);
export const fpatan = binary(arctangent);

export const f2xm1: SystemMeaning = (cpu, instruction) => {
  const unit = available(cpu);
  recordPointers(unit, instruction);
  if (unit.isEmpty(0)) {
    if (unit.stackFault()) unit.set(0, float.INDEFINITE);
    return;
  }
  const env = unit.environment();
  const result = exp2Minus1(env, unit.get(0));
  unit.finish(env);
  if (result) unit.set(0, result);
};

interface Angle {
  first: Float80;
  /** What is pushed after `first` has replaced ST0. */
  second?: Float80;
}

/** Common to sine, cosine and tangent: out of range sets C2 and does nothing else. */
const trigonometric = (atZero: (a: Float80) => Angle, f: (env: Environment, x: Exact) => Angle): SystemMeaning => (cpu, instruction) => {
  const unit = available(cpu);
  recordPointers(unit, instruction);
  const pushes = atZero(float.ONE).second !== undefined;
  if (unit.isEmpty(0) || (pushes && !unit.isEmpty(7))) {
    unit.setConditions(0, STATUS.C2);
    if (!unit.stackFault(!unit.isEmpty(0))) return;
    return deliver(unit, { first: float.INDEFINITE, second: pushes ? float.INDEFINITE : undefined });
  }
  const a = unit.get(0);
  const env = unit.environment();
  const angle = angleOf(env, a, pushes, atZero, f);
  unit.finish(env);
  unit.setConditions(angle === 'out of range' ? STATUS.C2 : 0, STATUS.C2);
  if (angle && angle !== 'out of range') deliver(unit, angle);
}; // prettier-ignore

function angleOf(env: Environment, a: Float80, pushes: boolean, atZero: (a: Float80) => Angle, f: (env: Environment, x: Exact) => Angle): Angle | 'out of range' | undefined {
  const twice = (value: Result): Angle | undefined => value && { first: value, second: pushes ? value : undefined };
  const checked = float.nanOperands(env, [a]);
  if (checked.done) return twice(checked.value);
  const [kind] = checked.kinds;
  if (kind === 'infinity') return twice(invalid(env));
  if (kind === 'zero') return atZero(a);
  if (a.exponent >= 16383 + 63) return 'out of range';
  if (float.denormal(env, checked.kinds)) return undefined;
  return f(env, float.exact(a));
} // prettier-ignore

function deliver(unit: Unit, { first, second }: Angle): void {
  unit.set(0, first);
  if (second === undefined) return;
  unit.top--;
  unit.set(0, second);
}

export const fsin = trigonometric((a) => ({ first: a }), (env, x) => ({ first: inexact(env, functions.sineCosine(x).sine) })); // prettier-ignore
export const fcos = trigonometric(() => ({ first: float.ONE }), (env, x) => ({ first: inexact(env, functions.sineCosine(x).cosine) })); // prettier-ignore
export const fsincos = trigonometric((a) => ({ first: a, second: float.ONE }), (env, x) => {
  const { sine, cosine } = functions.sineCosine(x);
  return { first: inexact(env, sine), second: inexact(env, cosine) };
}); // prettier-ignore
export const fptan = trigonometric((a) => ({ first: a, second: float.ONE }), (env, x) => ({ first: inexact(env, functions.tangent(x)), second: float.ONE })); // prettier-ignore
