/** Places of values, and reading and writing scalars there. */
import { UserError } from '../../emulator/util/assert';
import type { Location, Type } from '../symbols/api';
import { littleEndian, toBytes } from '../symbols/location-expressions';
import { readLocation } from '../symbols/read-location';
import { Unavailable } from '../symbols/typed-values';
import { type Arithmetic, arithmeticOf, bare, wrap } from './c-types';

/** Guest-virtual, guest-physical, host-physical. */
export type Space = 'gv' | 'gp' | 'hp';

/** What expressions ask of the stopped guest. Reads may come back short; writes return the bytes written. */
export interface Guest {
  read(space: Space, address: bigint, bytes: number): Uint8Array;
  write?(space: Space, address: bigint, bytes: Uint8Array): number;
  /** Registers of the frame by DWARF number, for variables that live in one. */
  dwarfRegister?(number: number): bigint | undefined;
  setDwarfRegister?(number: number, value: bigint): boolean;
  setRegister?(name: string, value: bigint): boolean;
}

/** Bits of the place that a bit field has. */
export interface Bits {
  offset: number;
  size: number;
}
export type Place =
  | { kind: 'memory'; space: Space; address: bigint; bits?: Bits }
  /** A variable's location that is not memory; `offset` bytes into it. */
  | { kind: 'location'; location: Location; offset: number; whole: number; bits?: Bits }
  | { kind: 'register'; name: string };

/** Integers (also pointers, enumerations, booleans), floats, text; undefined for structures, arrays, functions. */
export type Scalar = bigint | number | string | undefined;

/** The result of an expression. */
export interface Value {
  type: Type;
  value: Scalar;
  /** Where it is, if it has a place: then it can be assigned to and its address taken. */
  location?: Place;
  /** Why there is no value: optimised out, not mapped. */
  unavailable?: string;
}

/** Looking must not change anything, as a read of a device may. */
const NO_MEMORY = 'nothing is mapped there, or a device, which is not touched';

/** Bytes at a place. Throws UserError when they cannot be read. */
export const readPlace = (guest: Guest, place: Place, bytes: number): Uint8Array => {
  if (place.kind === 'memory') {
    const read = guest.read(place.space, place.address, bytes);
    if (read.length < bytes)
      throw new UserError(
        `Memory at ${place.space}:0x${(place.address + BigInt(read.length)).toString(16)} cannot be read: ${NO_MEMORY}.`,
      );
    return read;
  }
  if (place.kind === 'register') throw new UserError(`Register ${place.name} has no bytes.`);
  try {
    const target = {
      register: (number: number) => guest.dwarfRegister?.(number),
      memory: (gva: bigint, n: number) => readPlace(guest, { kind: 'memory', space: 'gv', address: gva }, n),
    };
    return readLocation(place.location, place.whole, target).subarray(place.offset, place.offset + bytes);
  } catch (error) {
    if (error instanceof Unavailable) throw new UserError(`The value is not available: ${error.message}.`);
    throw error;
  }
};

/** Of the widest integer that C has, and of what holds a long double. */
const WIDEST_BYTES = 16;
const bytesOf = (type: Type, arithmetic: Arithmetic): number => {
  const bytes = arithmetic.kind === 'float' ? arithmetic.bytes : arithmetic.bits / 8;
  if (bytes > WIDEST_BYTES) throw new UserError(`${type.name} has ${bytes} bytes: numbers of that size are not known.`);
  return bytes;
};

/** The scalar of that type; undefined for aggregates. */
export const loadScalar = (guest: Guest, type: Type, place: Place): Scalar => {
  const arithmetic = arithmeticOf(type);
  if (!arithmetic) return undefined;
  const whole = bytesOf(type, arithmetic);
  if (arithmetic.kind === 'float') return decodeFloat(readPlace(guest, place, whole));
  const bits = place.kind === 'register' ? undefined : place.bits;
  if (!bits) return wrap(littleEndian(readPlace(guest, place, whole)), arithmetic.bits, arithmetic.signed);
  const bytes = Math.ceil((bits.offset + bits.size) / 8);
  return wrap(littleEndian(readPlace(guest, place, bytes)) >> BigInt(bits.offset), bits.size, arithmetic.signed);
};

/** Writes a scalar that has been converted to the type. Throws UserError with the reason when it cannot. */
export const storeScalar = (guest: Guest, type: Type, place: Place, value: bigint | number): void => {
  const arithmetic = arithmeticOf(type);
  if (!arithmetic) throw new UserError(`A value of type ${type.name} cannot be assigned as a whole.`);
  if (place.kind === 'register') {
    if (!guest.setRegister?.(place.name, BigInt(value)))
      throw new UserError(`Register ${place.name} cannot be written.`);
    return;
  }
  const bytes = bytesOf(type, arithmetic);
  if (typeof value === 'number') return storeBytes(guest, place, encodeFloat(value, bytes));
  if (!place.bits) return storeBytes(guest, place, toBytes(BigInt.asUintN(bytes * 8, value), bytes));
  const { offset, size } = place.bits;
  const span = Math.ceil((offset + size) / 8);
  const old = littleEndian(readPlace(guest, place, span));
  const mask = ((1n << BigInt(size)) - 1n) << BigInt(offset);
  storeBytes(guest, place, toBytes((old & ~mask) | ((value << BigInt(offset)) & mask), span));
};

export const storeBytes = (guest: Guest, place: Place, bytes: Uint8Array): void => {
  if (place.kind === 'memory') {
    const written = guest.write?.(place.space, place.address, bytes) ?? 0;
    if (written < bytes.length)
      throw new UserError(`Memory at ${place.space}:0x${place.address.toString(16)} cannot be written: ${NO_MEMORY}.`);
    return;
  }
  if (place.kind === 'location' && place.location.kind === 'register') {
    const { number } = place.location;
    const old = toBytes(guest.dwarfRegister?.(number) ?? 0n, 8);
    old.set(bytes.subarray(0, 8), place.offset);
    if (guest.setDwarfRegister?.(number, littleEndian(old))) return;
    throw new UserError(`Register ${number} (DWARF number), where the variable is, cannot be written in this frame.`);
  }
  throw new UserError('The value cannot be written: it is computed, or scattered over several places.');
};

/** A member or element `offset` bytes inside. */
export const placeInside = (place: Place, offset: number, bits?: Bits): Place => {
  if (place.kind === 'memory')
    return { kind: 'memory', space: place.space, address: place.address + BigInt(offset), ...(bits && { bits }) };
  if (place.kind === 'location') return { ...place, offset: place.offset + offset, ...(bits && { bits }) };
  return place;
};
/** Where a located variable is. */
export const placeOf = (location: Location, bytes: number): Place =>
  location.kind === 'memory'
    ? { kind: 'memory', space: 'gv', address: location.gva }
    : { kind: 'location', location, offset: 0, whole: bytes };

/** A value in memory or elsewhere, with the reason instead of an exception where it cannot be read. */
export const valueAt = (guest: Guest, type: Type, place: Place): Value => {
  if (place.kind === 'location' && place.location.kind === 'unavailable')
    return { type, value: undefined, unavailable: place.location.why };
  try {
    return { type, value: loadScalar(guest, type, place), location: place };
  } catch (error) {
    if (error instanceof UserError) return { type, value: undefined, location: place, unavailable: error.message };
    throw error;
  }
};

const decodeFloat = (bytes: Uint8Array): number => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length === 4) return view.getFloat32(0, true);
  if (bytes.length === 8) return view.getFloat64(0, true);
  if (bytes.length < 10) throw new UserError(`Floats of ${bytes.length} bytes are not known.`);
  // x87 extended precision (SDM vol. 1 section 4.2.2): the integer bit is explicit. As exact as a double can be.
  const sign = view.getUint16(8, true) & 0x8000 ? -1 : 1;
  const exponent = view.getUint16(8, true) & 0x7fff;
  const fraction = view.getBigUint64(0, true);
  if (exponent === 0x7fff) return BigInt.asUintN(63, fraction) === 0n ? sign * Infinity : NaN;
  if (fraction === 0n) return sign * 0;
  const scale = exponent - 16383 - 63;
  return scale < -1000
    ? sign * Number(fraction) * 2 ** -1000 * 2 ** Math.max(scale + 1000, -1074)
    : sign * Number(fraction) * 2 ** scale;
};
const encodeFloat = (value: number, bytes: number): Uint8Array => {
  const result = new Uint8Array(bytes);
  const view = new DataView(result.buffer);
  if (bytes === 4) view.setFloat32(0, value, true);
  else if (bytes === 8) view.setFloat64(0, value, true);
  else {
    const wide = new DataView(new ArrayBuffer(8));
    wide.setFloat64(0, value);
    const bits = wide.getBigUint64(0);
    const exponent = Number((bits >> 52n) & 0x7ffn);
    if (exponent === 0 && value !== 0) throw new UserError('The number is too small to be written as a long double.');
    const special = exponent === 0x7ff;
    view.setUint16(
      8,
      (value < 0 || Object.is(value, -0) ? 0x8000 : 0) | (value === 0 ? 0 : special ? 0x7fff : exponent - 1023 + 16383),
      true,
    );
    view.setBigUint64(0, value === 0 ? 0n : (1n << 63n) | ((bits & 0xf_ffff_ffff_ffffn) << 11n), true);
  }
  return result;
};

/** A number in the range of a type: what assignment and casts do (C17 6.3.1.3, 6.3.1.4). */
export const convertTo = (type: Type, value: bigint | number): bigint | number => {
  const arithmetic = arithmeticOf(type);
  if (!arithmetic) return value;
  if (arithmetic.kind === 'float') return arithmetic.bytes === 4 ? Math.fround(Number(value)) : Number(value);
  if (isBoolean(type)) return Number(value) !== 0 ? 1n : 0n;
  if (typeof value === 'number' && !Number.isFinite(value)) return 0n;
  return wrap(typeof value === 'number' ? BigInt(Math.trunc(value)) : value, arithmetic.bits, arithmetic.signed);
};
export const isBoolean = (type: Type): boolean => {
  const t = bare(type);
  return t.kind === 'base' && t.encoding === 'boolean';
};
