/** Values on the stack of location expressions: untyped ones of address size, and typed ones (DWARF 5 section 2.5.1.4). */
import { OP } from './dwarf-constants';

export interface StackType {
  encoding: 'signed' | 'unsigned' | 'float';
  bytes: number;
}
/** `bits` is the unsigned representation; no type: the generic type, an integer of address size. */
export interface StackValue {
  bits: bigint;
  type?: StackType;
}

/** The value has no meaning: division by zero, an operator that floats lack. `why` for people. */
export class Unavailable extends Error {
  override readonly name = 'Unavailable';
}

export const signedOf = (value: StackValue, addressBits: number): bigint =>
  BigInt.asIntN(value.type ? value.type.bytes * 8 : addressBits, value.bits);
export const unsignedOf = (value: StackValue, addressBits: number): bigint =>
  BigInt.asUintN(value.type ? value.type.bytes * 8 : addressBits, value.bits);

const scratch = new DataView(new ArrayBuffer(8));
export const toFloat = ({ bits, type }: StackValue): number => {
  scratch.setBigUint64(0, BigInt.asUintN(64, bits), true);
  if (type!.bytes === 4) return scratch.getFloat32(0, true);
  if (type!.bytes === 8) return scratch.getFloat64(0, true);
  throw new Unavailable(`floats of ${type!.bytes} bytes are not computed with`);
};
const fromFloat = (value: number, type: StackType): StackValue => {
  scratch.setBigUint64(0, 0n, true);
  if (type.bytes === 4) scratch.setFloat32(0, value, true);
  else if (type.bytes === 8) scratch.setFloat64(0, value, true);
  else throw new Unavailable(`floats of ${type.bytes} bytes are not computed with`);
  return { bits: scratch.getBigUint64(0, true), type };
};

const wholeOf = (value: number): bigint => {
  if (!Number.isFinite(value)) throw new Unavailable(`its location makes an integer of ${value}`);
  return BigInt(Math.trunc(value));
};

/** DW_OP_convert: the same number in another type. */
export const convert = (value: StackValue, type: StackType | undefined, addressBits: number): StackValue => {
  const isFloat = value.type?.encoding === 'float';
  if (type?.encoding === 'float') {
    const number = isFloat
      ? toFloat(value)
      : Number(value.type?.encoding === 'signed' ? signedOf(value, addressBits) : unsignedOf(value, addressBits));
    return fromFloat(number, type);
  }
  const integer = isFloat
    ? wholeOf(toFloat(value))
    : value.type?.encoding === 'signed'
      ? signedOf(value, addressBits)
      : unsignedOf(value, addressBits);
  return { bits: BigInt.asUintN(type ? type.bytes * 8 : addressBits, integer), ...(type && { type }) };
};

/** Operators with two operands; `b` was on top. */
export const binary = (op: number, a: StackValue, b: StackValue, addressBits: number): StackValue => {
  if (a.type?.encoding === 'float') return binaryFloat(op, a, b);
  const width = a.type ? a.type.bytes * 8 : addressBits;
  const make = (bits: bigint): StackValue => ({ bits: BigInt.asUintN(width, bits), ...(a.type && { type: a.type }) });
  const truth = (yes: boolean): StackValue => ({ bits: yes ? 1n : 0n });
  // Untyped values are signed where it matters, except in DW_OP_mod and DW_OP_shr (DWARF 5 section 2.5.1.4).
  const unsigned = a.type?.encoding === 'unsigned';
  const [x, y] = unsigned ? [a.bits, unsignedOf(b, addressBits)] : [signedOf(a, addressBits), signedOf(b, addressBits)];
  const shift = unsignedOf(b, addressBits);
  const zero = (): void => {
    if (b.bits === 0n) throw new Unavailable('its location divides by zero');
  };
  switch (op) {
    case OP.and:
      return make(x & y);
    case OP.or:
      return make(x | y);
    case OP.xor:
      return make(x ^ y);
    case OP.plus:
      return make(x + y);
    case OP.minus:
      return make(x - y);
    case OP.mul:
      return make(x * y);
    case OP.div:
      zero();
      return make(x / y);
    case OP.mod:
      zero();
      return a.type ? make(x % y) : make(a.bits % b.bits);
    case OP.shl:
      return make(shift >= BigInt(width) ? 0n : x << shift);
    case OP.shr:
      return make(shift >= BigInt(width) ? 0n : unsignedOf(a, addressBits) >> shift);
    case OP.shra:
      return make(signedOf(a, addressBits) >> (shift >= BigInt(width) ? BigInt(width) : shift));
    case OP.eq:
      return truth(x === y);
    case OP.ne:
      return truth(x !== y);
    case OP.lt:
      return truth(x < y);
    case OP.le:
      return truth(x <= y);
    case OP.gt:
      return truth(x > y);
    default:
      return truth(x >= y);
  }
};

const binaryFloat = (op: number, a: StackValue, b: StackValue): StackValue => {
  const [x, y] = [toFloat(a), b.type ? toFloat(b) : Number(b.bits)];
  const truth = (yes: boolean): StackValue => ({ bits: yes ? 1n : 0n });
  switch (op) {
    case OP.plus:
      return fromFloat(x + y, a.type!);
    case OP.minus:
      return fromFloat(x - y, a.type!);
    case OP.mul:
      return fromFloat(x * y, a.type!);
    case OP.div:
      return fromFloat(x / y, a.type!);
    case OP.eq:
      return truth(x === y);
    case OP.ne:
      return truth(x !== y);
    case OP.lt:
      return truth(x < y);
    case OP.le:
      return truth(x <= y);
    case OP.gt:
      return truth(x > y);
    case OP.ge:
      return truth(x >= y);
    default:
      throw new Unavailable('its location has an operator that floats lack');
  }
};

export const unary = (op: number, a: StackValue, addressBits: number): StackValue => {
  const width = a.type ? a.type.bytes * 8 : addressBits;
  const kept = a.type && { type: a.type };
  if (a.type?.encoding === 'float') {
    const value = toFloat(a);
    if (op === OP.not) throw new Unavailable('its location has an operator that floats lack');
    return fromFloat(op === OP.neg ? -value : Math.abs(value), a.type);
  }
  const value = signedOf(a, addressBits);
  const result = op === OP.not ? ~value : op === OP.neg || value < 0n ? -value : value;
  return { bits: BigInt.asUintN(width, result), ...kept };
};
