/** Addresses as people and clients write them: each carries its space, and 64 bits do not fit a JSON number. */
import type { Inspector } from '../emulator/machine/api';
import { UserError } from '../emulator/util/assert';

/** Guest-virtual, guest-physical, host-physical. Without a hypervisor the last two are one. */
export type Space = 'gv' | 'gp' | 'hp';

export interface Address {
  space: Space;
  /** gva below 2^64; gpa and hpa below PHYSICAL_END. */
  value: bigint;
}

/** Physical addresses are below (SDM vol. 3A 4.1.4). */
export const PHYSICAL_END = 1n << 52n;
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

/** `gv:0x...`, `gp:0x...`, `hp:0x...`, or a plain number, which is guest-virtual. `place` is for the message. */
export const parseAddress = (text: string, place: string): Address => {
  const match = FORM.exec(text);
  if (match === null) {
    throw new UserError(
      `'${place}' is ${JSON.stringify(text)}; write an address as gv:0x1000, gp:0x1000 or hp:0x1000.`,
    );
  }
  const space = (match[1] ?? 'gv').toLowerCase();
  const value = BigInt(match[2]!);
  const limit = space === 'gv' ? 1n << 64n : PHYSICAL_END;
  if (value >= limit) {
    throw new UserError(`'${place}' is ${text}; ${space}: addresses are below ${shortHex(limit)}.`);
  }
  return { space: space as Space, value };
};

/** The reference under which a client asks for memory again. Plain for gv: disassembly views do arithmetic on it. */
export const memoryReference = (address: Address): string =>
  address.space === 'gv' ? hex(address.value) : `${address.space}:${hex(address.value)}`;

/** As much as is there, from the start. */
export function readSpace(inspect: Inspector, cpu: number, { space, value }: Address, bytes: number): Uint8Array {
  if (space === 'gv') return inspect.readVirtual(cpu, value, bytes);
  return space === 'gp' ? inspect.readPhysical(Number(value), bytes) : inspect.tables.readHost(Number(value), bytes);
}
/** Bytes written. The user is above the guest: rights do not count. */
export function writeSpace(inspect: Inspector, cpu: number, { space, value }: Address, bytes: Uint8Array): number {
  if (space === 'gv') return inspect.writeVirtual(cpu, value, bytes);
  return space === 'gp' ? inspect.writePhysical(Number(value), bytes) : inspect.tables.writeHost(Number(value), bytes);
}
