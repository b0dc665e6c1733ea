/** Addresses as people and clients write them: each carries its space, and 64 bits do not fit a JSON number. */
import { UserError } from '../emulator/util/assert';

export type Space = 'gv' | 'gp';

export interface Address {
  space: Space;
  /** gva below 2^64, or gpa below 2^52. */
  value: bigint;
}

const MASK64 = (1n << 64n) - 1n;

/** `0x` and 16 digits; 8 where addresses have 32 bits. */
export const hex = (value: bigint | number, digits = 16): string =>
  `0x${BigInt.asUintN(64, BigInt(value)).toString(16).padStart(digits, '0')}`;

/** As short as it goes: error codes, offsets, sizes. */
export const shortHex = (value: bigint | number): string => `0x${value.toString(16)}`;

/** How many digits an address has in a mode of Inspector.mode. */
export const addressDigits = (mode: string): number => (mode === 'long' ? 16 : 8);

export const wrap64 = (value: bigint): bigint => value & MASK64;

const FORM = /^\s*(?:(gv|gp|hp):)?\s*(0x[0-9a-f]+|[0-9]+)\s*$/i;

/** Whether the text is meant as an address with its space, not as an expression. */
export const looksLikeAddress = (text: string): boolean => FORM.test(text);

/** `gv:0x...`, `gp:0x...`, or a plain number, which is guest-virtual. `place` is for the message. */
export const parseAddress = (text: string, place: string): Address => {
  const match = FORM.exec(text);
  if (match === null) {
    throw new UserError(`'${place}' is ${JSON.stringify(text)}; write an address as gv:0x1000 or gp:0x1000.`);
  }
  const space = (match[1] ?? 'gv').toLowerCase();
  if (space === 'hp') {
    throw new UserError(`'${place}' is ${text}; there is no hypervisor, so gp: is the lowest space. Write gp:0x...`);
  }
  const value = BigInt(match[2]!);
  const limit = space === 'gp' ? 1n << 52n : 1n << 64n;
  if (value >= limit) {
    throw new UserError(`'${place}' is ${text}; ${space}: addresses are below ${shortHex(limit)}.`);
  }
  return { space: space as Space, value };
};

/** The reference under which a client asks for memory again. Plain for gv: disassembly views do arithmetic on it. */
export const memoryReference = (address: Address): string =>
  address.space === 'gp' ? `gp:${hex(address.value)}` : hex(address.value);
