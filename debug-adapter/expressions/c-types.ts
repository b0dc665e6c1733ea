/** C's arithmetic types and conversions: C17 6.3.1, LP64 and ILP32. Integers are bigint, always in the range of their type. */
import type { Type } from '../symbols/api';
import { typeName } from '../symbols/type-names';
import type { Token } from './lexer';

export type Base = Extract<Type, { kind: 'base' }>;
/** What arithmetic needs to know of a type. */
export type Arithmetic = { kind: 'integer'; bits: number; signed: boolean } | { kind: 'float'; bytes: number };

const base = (name: string, bytes: number, encoding: Base['encoding']): Base => ({
  kind: 'base',
  name,
  bytes,
  encoding,
});
export const INT = base('int', 4, 'signed');
export const UNSIGNED = base('unsigned int', 4, 'unsigned');
export const LONG_LONG = base('long long int', 8, 'signed');
export const UNSIGNED_LONG_LONG = base('long long unsigned int', 8, 'unsigned');
export const INT128 = base('__int128', 16, 'signed');
export const UNSIGNED_INT128 = base('__int128 unsigned', 16, 'unsigned');
export const DOUBLE = base('double', 8, 'float');
export const FLOAT = base('float', 4, 'float');
export const CHAR = base('char', 1, 'char');
const LONG = { 4: base('long int', 4, 'signed'), 8: base('long int', 8, 'signed') } as const;
const UNSIGNED_LONG = { 4: base('long unsigned int', 4, 'unsigned'), 8: base('long unsigned int', 8, 'unsigned') } as const; // prettier-ignore
export const longType = (pointerBytes: 4 | 8, signed: boolean): Base => (signed ? LONG : UNSIGNED_LONG)[pointerBytes];
export const unsignedOfBytes = (bytes: number): Base => base(`uint${bytes * 8}_t`, bytes, 'unsigned');

export const pointerTo = (type: Type, bytes: number): Type => {
  const pointer: Type = { kind: 'pointer', name: '', bytes, to: () => type };
  return { ...pointer, name: typeName(pointer) };
};
export const arrayOf = (type: Type, count: number): Type => {
  const array: Type = { kind: 'array', name: '', bytes: type.bytes * count, of: () => type, count };
  return { ...array, name: typeName(array) };
};

/** `unsigned long` and its other spellings. */
export const baseTypeNamed = (words: readonly string[], pointerBytes: 4 | 8): Type | undefined => {
  const count = (word: string): number => words.filter((w) => w === word).length;
  const others = words.filter((w) => !['signed', 'unsigned', 'int', 'long', 'short'].includes(w));
  const unsigned = count('unsigned') > 0;
  if (others.length > 1) return undefined;
  switch (others[0]) {
    case 'void':
      return words.length === 1 ? { kind: 'void', name: 'void', bytes: 0 } : undefined;
    case 'char':
      return unsigned
        ? base('unsigned char', 1, 'unsigned-char')
        : count('signed') > 0
          ? base('signed char', 1, 'char')
          : CHAR;
    case 'bool':
    case '_Bool':
      return base('_Bool', 1, 'boolean');
    case 'float':
      return FLOAT;
    case 'double':
      return count('long') > 0 ? base('long double', pointerBytes === 8 ? 16 : 12, 'float') : DOUBLE;
    case '__int128':
      return unsigned ? UNSIGNED_INT128 : INT128;
    case undefined:
      break;
    default:
      return undefined;
  }
  if (count('short') > 0) return unsigned ? base('short unsigned int', 2, 'unsigned') : base('short int', 2, 'signed');
  if (count('long') >= 2) return unsigned ? UNSIGNED_LONG_LONG : LONG_LONG;
  if (count('long') === 1) return longType(pointerBytes, !unsigned);
  return unsigned ? UNSIGNED : INT;
};

/** Without typedefs and qualifiers. */
export const bare = (type: Type): Type => {
  let at = type;
  for (let i = 0; i < 64 && (at.kind === 'typedef' || at.kind === 'qualified'); i++) at = at.to();
  return at;
};

/** Of base types, enumerations and pointers; undefined for everything without arithmetic. */
export const arithmeticOf = (type: Type): Arithmetic | undefined => {
  const t = bare(type);
  if (t.kind === 'enum') return { kind: 'integer', bits: t.bytes * 8, signed: t.signed };
  if (t.kind === 'pointer') return { kind: 'integer', bits: t.bytes * 8, signed: false };
  if (t.kind !== 'base') return undefined;
  if (t.encoding === 'float') return { kind: 'float', bytes: t.bytes };
  return { kind: 'integer', bits: t.bytes * 8, signed: t.encoding === 'signed' || t.encoding === 'char' };
};

export const wrap = (value: bigint, bits: number, signed: boolean): bigint =>
  signed ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value);

/** Integer promotion (6.3.1.1): what is smaller than int becomes int. */
export const promoted = (type: Type): Type => {
  const t = bare(type);
  const a = arithmeticOf(t);
  if (!a || a.kind === 'float' || t.kind === 'pointer') return t;
  if (a.bits < 32) return INT;
  if (t.kind === 'enum') return a.bits === 32 ? (a.signed ? INT : UNSIGNED) : a.signed ? LONG_LONG : UNSIGNED_LONG_LONG;
  return t;
};
/** Usual arithmetic conversions (6.3.1.8). Both have arithmetic. */
export const commonType = (left: Type, right: Type): Type => {
  const [a, b] = [arithmeticOf(left)!, arithmeticOf(right)!];
  if (a.kind === 'float' || b.kind === 'float') {
    const largest = Math.max(a.kind === 'float' ? a.bytes : 0, b.kind === 'float' ? b.bytes : 0);
    return largest <= 4 ? FLOAT : DOUBLE;
  }
  const [p, q] = [promoted(left), promoted(right)];
  const [x, y] = [arithmeticOf(p) as typeof a, arithmeticOf(q) as typeof a];
  if (x.bits !== y.bits) return x.bits > y.bits ? p : q;
  return x.signed ? q : p;
};

/** C17 6.4.4.1: the first type of the list that holds it. */
export const literalType = (token: Extract<Token, { kind: 'integer' }>, pointerBytes: 4 | 8): Type => {
  const { value, decimal, unsigned, longs } = token;
  const fits = (bits: number, signed: boolean): boolean => value < 1n << BigInt(signed ? bits - 1 : bits);
  for (const [bits, type, asUnsigned, rank] of [
    [32, INT, UNSIGNED, 0],
    [pointerBytes * 8, longType(pointerBytes, true), longType(pointerBytes, false), 1],
    [64, LONG_LONG, UNSIGNED_LONG_LONG, 2],
    [128, INT128, UNSIGNED_INT128, 2],
  ] as const) {
    if (rank < longs) continue;
    if (!unsigned && fits(bits, true)) return type;
    if ((unsigned || !decimal) && fits(bits, false)) return asUnsigned;
  }
  return UNSIGNED_INT128;
};
