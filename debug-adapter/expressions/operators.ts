/** Arithmetic on C values, as closures that are made once and run often. */
import { UserError } from '../../emulator/util/assert';
import type { Type } from '../symbols/api';
import { arithmeticOf, commonType, INT, promoted, wrap } from './c-types';
import { convertTo, isBoolean } from './values';

export type Read = () => bigint | number;
export interface Operand {
  type: Type;
  read: Read;
}

const COMPARISONS: readonly string[] = ['==', '!=', '<', '>', '<=', '>='];

const INTEGER: Readonly<Record<string, ((a: bigint, b: bigint) => bigint) | undefined>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / nonZero(b),
  '%': (a, b) => a % nonZero(b),
  '&': (a, b) => a & b,
  '|': (a, b) => a | b,
  '^': (a, b) => a ^ b,
};
const FLOATING: Readonly<Record<string, ((a: number, b: number) => number) | undefined>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
};
const nonZero = (divisor: bigint): bigint => {
  if (divisor === 0n) throw new UserError('The expression divides by zero.');
  return divisor;
};

/** The operand in a type: without a closure where its values are in range already. */
export const converted = (operand: Operand, type: Type): Read => {
  const [from, to] = [arithmeticOf(operand.type)!, arithmeticOf(type)!];
  const { read } = operand;
  // Every number but 0 becomes true (6.3.1.2): convertTo knows.
  if (from.kind === 'integer' && to.kind === 'integer' && !isBoolean(type)) {
    const fits = from.signed === to.signed ? from.bits <= to.bits : !from.signed && from.bits < to.bits;
    if (fits) return read;
    const { bits, signed } = to;
    return signed ? () => BigInt.asIntN(bits, read() as bigint) : () => BigInt.asUintN(bits, read() as bigint);
  }
  return () => convertTo(type, read());
};

/** Undefined: the operator does not exist for these types. Both have arithmetic; pointers count as integers here. */
export const binaryOperator = (operator: string, left: Operand, right: Operand): Operand | undefined => {
  const type = commonType(left.type, right.type);
  if (COMPARISONS.includes(operator)) {
    const [a, b] = [converted(left, type), converted(right, type)];
    return { type: INT, read: comparison(operator, a, b) };
  }
  if (operator === '<<' || operator === '>>') return shift(operator, left, right);
  const arithmetic = arithmeticOf(type)!;
  const [a, b] = [converted(left, type), converted(right, type)];
  if (arithmetic.kind === 'float') {
    const compute = FLOATING[operator];
    return compute && { type, read: () => convertTo(type, compute(a() as number, b() as number)) };
  }
  const compute = INTEGER[operator];
  if (!compute) return undefined;
  const { bits, signed } = arithmetic;
  // And, or, exclusive or of values in range stay in range.
  if (operator === '&' || operator === '|' || operator === '^')
    return { type, read: () => compute(a() as bigint, b() as bigint) };
  return { type, read: () => wrap(compute(a() as bigint, b() as bigint), bits, signed) };
};

/** Conditions of breakpoints are mostly `something == constant`: one closure each, no table at run time. */
const comparison = (operator: string, a: Read, b: Read): Read => {
  switch (operator) {
    case '==':
      return () => (a() === b() ? 1n : 0n);
    case '!=':
      return () => (a() !== b() ? 1n : 0n);
    case '<':
      return () => (a() < b() ? 1n : 0n);
    case '>':
      return () => (a() > b() ? 1n : 0n);
    case '<=':
      return () => (a() <= b() ? 1n : 0n);
    default:
      return () => (a() >= b() ? 1n : 0n);
  }
};

/** The result has the promoted left type (6.5.7); counts beyond the width, which C leaves open, give 0 or the sign. */
const shift = (operator: string, left: Operand, right: Operand): Operand | undefined => {
  const type = promoted(left.type);
  const arithmetic = arithmeticOf(type)!;
  if (arithmetic.kind === 'float' || arithmeticOf(right.type)!.kind === 'float') return undefined;
  const { bits, signed } = arithmetic;
  const [value, count] = [converted(left, type), right.read];
  const amount = (): bigint => {
    const n = count() as bigint;
    if (n < 0n) throw new UserError('The expression shifts by a negative number.');
    return n > BigInt(bits) ? BigInt(bits) : n;
  };
  return operator === '<<'
    ? { type, read: () => wrap((value() as bigint) << amount(), bits, signed) }
    : { type, read: () => (value() as bigint) >> amount() };
};

/** `-` `+` `~` on something with arithmetic. */
export const unaryOperator = (operator: string, operand: Operand): Operand | undefined => {
  const type = promoted(operand.type);
  const arithmetic = arithmeticOf(type)!;
  const read = converted(operand, type);
  if (operator === '+') return { type, read };
  if (arithmetic.kind === 'float') return operator === '-' ? { type, read: () => -read() } : undefined;
  const { bits, signed } = arithmetic;
  return operator === '-'
    ? { type, read: () => wrap(-(read() as bigint), bits, signed) }
    : { type, read: () => wrap(~(read() as bigint), bits, signed) };
};
