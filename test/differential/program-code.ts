/**
 * Where random programs and their data lie, and the few instructions that hold them together, for 64-, 32- and 16-bit code:
 * loop counters, jumps, registers set, code written. host/sequences.c repeats the numbers.
 */
import type { CodeSize } from '../../emulator/isa/instruction';
import { little } from './encode';
import { PLACE } from './oracle';

export const CODE_BYTES = 0x3000;
/** In the data pages: what the generator's own instructions use, away from the area. */
export const DATA_OFFSET = {
  /** Grows down. */ STACK: 0x1800,
  /** 16 values for MXCSR, 16 for the x87 control word. */ MXCSR: 0x1e00, CONTROL: 0x1e40,
  /** Eight addresses of code, of the size of its pointers. */ TARGETS: 0x1e80,
  /** Counts down at every loop's head; below 0 the program ends. */ FUEL: 0x1f00,
} as const; // prettier-ignore

export interface Code {
  readonly size: CodeSize;
  /** Offset in CS, and linear address, of the first byte. */
  readonly rip: number;
  readonly linear: number;
  /** Data is where 16 bits reach, too. */
  readonly low: boolean;
}

const data = (code: Code, offset: number): number => (code.low ? PLACE.DATA_LOW : PLACE.DATA) + offset;

/** `reg` field and opcode with the absolute address behind. */
function absolute({ size }: Code, opcode: number[], reg: number, address: number, immediate: number[]): number[] {
  const field = reg << 3;
  if (size === 64) return [...opcode, field | 4, 0x25, ...little(BigInt(address), 4), ...immediate];
  if (size === 32) return [...opcode, field | 5, ...little(BigInt(address), 4), ...immediate];
  if (address < 0x1_0000) return [...opcode, field | 6, ...little(BigInt(address), 2), ...immediate];
  return [0x67, ...opcode, field | 5, ...little(BigInt(address), 4), ...immediate];
}
/** Prefix of a 32-bit operand. */
const wide = ({ size }: Code): number[] => (size === 16 ? [0x66] : []);

export const setRegister = (code: Code, index: number, value: bigint): number[] =>
  code.size === 64
    ? [0x48 | (index >> 3), 0xb8 | (index & 7), ...little(value, 8)]
    : [...wide(code), 0xb8 | (index & 7), ...little(value, 4)];
/** SUB: it leaves all flags defined. */
export const burnFuel = (code: Code): number[] =>
  absolute(code, [...wide(code), 0x83], 5, data(code, DATA_OFFSET.FUEL), [1]);
export const testFuel = (code: Code, mask: number): number[] =>
  absolute(code, [0xf6], 0, data(code, DATA_OFFSET.FUEL), [mask]);
/** CMP of two registers: all flags are defined afterwards. */
export const compare = (code: Code, a: number, b: number): number[] =>
  code.size === 64 ? [0x48 | (a >> 3) | ((b >> 3) << 2), 0x39, 0xc0 | ((b & 7) << 3) | (a & 7)] : [0x39, 0xc0 | ((b & 7) << 3) | (a & 7)]; // prettier-ignore
/** FXCH with itself: C1 is defined afterwards. */
export const exchangeTop: readonly number[] = [0xd9, 0xc8];
export const loadMxcsr = (code: Code, which: number): number[] =>
  absolute(code, [0x0f, 0xae], 2, data(code, DATA_OFFSET.MXCSR + which * 4), []);
export const loadControl = (code: Code, which: number): number[] =>
  absolute(code, [0xd9], 5, data(code, DATA_OFFSET.CONTROL + which * 2), []);
export const jumpToRegister = (index: number, call: boolean): number[] =>
  index >= 8 ? [0x41, 0xff, (call ? 0xd0 : 0xe0) | (index & 7)] : [0xff, (call ? 0xd0 : 0xe0) | index];
/** AND index, 7; JMP [targets + index * pointer]: 32- and 64-bit code. */
export function jumpByTable(code: Code, index: number): number[] {
  const [rex, scale] = code.size === 64 ? [[0x48 | (index >> 3)], 3] : [[], 2];
  const mask = [...rex, 0x83, 0xe0 | (index & 7), 7];
  const rexIndex = index >= 8 ? [0x42] : [];
  const address = little(BigInt(data(code, DATA_OFFSET.TARGETS)), 4);
  return [...mask, ...rexIndex, 0xff, 0x24, (scale << 6) | ((index & 7) << 3) | 5, ...address];
}
/** XOR of a byte of code. */
export const flipCode = (code: Code, at: number, mask: number): number[] =>
  absolute(code, [0x80], 6, code.linear + at, [mask]);

const near = ({ size }: Code): number => (size === 16 ? 2 : 4);
/** A jump or call whose distance comes later: its bytes, the last of which are the distance. */
export const nearJump = (code: Code, opcode: number[]): { bytes: number[]; width: number } => ({
  bytes: [...opcode, ...little(0n, near(code))],
  width: near(code),
});
