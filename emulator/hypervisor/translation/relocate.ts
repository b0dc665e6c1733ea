/** Bytes of instructions for another place. Enough of the encoding to move an instruction, none to make one up (SDM vol. 2A chapter 2). */
import type { Instruction } from '../../isa/instruction';
import { assert } from '../../util/assert';

const LEGACY = new Set([0x66, 0x67, 0xf0, 0xf2, 0xf3, 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65]);
const MAX_INSTRUCTION_BYTES = 15;
const REX_X = 2;
const VEX_X = 0x40;
/** ModRM.rm that means SIB, and the SIB that means a displacement alone. */
const RM_SIB = 4;
const SIB_ABSOLUTE = 0x25;

/** As the sign extension of a 32-bit field. */
export const fits32 = (value: bigint): boolean =>
  BigInt.asUintN(64, BigInt.asIntN(32, value)) === BigInt.asUintN(64, value);
export const le32 = (value: number): number[] => [value & 255, (value >> 8) & 255, (value >> 16) & 255, value >>> 24];
const low32 = (value: bigint): number => Number(BigInt.asIntN(32, value));

const isRex = (byte: number): boolean => (byte & 0xf0) === 0x40;
/** How many there are, in 64-bit code. */
function prefixes(bytes: ArrayLike<number>): number {
  let at = 0;
  while (LEGACY.has(bytes[at]) || isRex(bytes[at])) at++;
  return at;
}

/** The same instruction wherever it lies; undefined: an address relative to RIP that no other form reaches. */
export function relocated(bytes: Uint8Array, { memory, codeSize }: Instruction): number[] | undefined {
  if (!memory?.ripRelative) return [...bytes];
  const target = memory.displacement;
  if (codeSize !== 64 || !fits32(target)) return undefined;
  const out = [...bytes];
  let at = prefixes(out);
  if (out[at] === 0xc4) {
    out[at + 1] |= VEX_X;
    at += 4;
  } else if (out[at] === 0xc5) {
    at += 3;
  } else {
    // It counts where it is the last prefix (SDM vol. 2A section 2.2.1).
    if (at > 0 && isRex(out[at - 1])) out[at - 1] &= ~REX_X;
    if (out[at] === 0x0f) at += out[at + 1] === 0x38 || out[at + 1] === 0x3a ? 3 : 2;
    else at += 1;
  }
  assert((out[at] & 0xc7) === 5, 'ModRM of an address relative to RIP');
  out.splice(at, 5, (out[at] & ~7) | RM_SIB, SIB_ABSOLUTE, ...le32(low32(target)));
  return out.length > MAX_INSTRUCTION_BYTES ? undefined : out;
}

/** JMP rel32; `from`: where it lies. */
export const JUMP_BYTES = 5;
export const jump = (from: number, to: number): number[] => [0xe9, ...le32((to - from - JUMP_BYTES) | 0)];
/** Jcc rel32 with the condition of a Jcc. */
export function branch(bytes: Uint8Array, from: number, to: number): number[] {
  const at = prefixes(bytes);
  const condition = (bytes[at] === 0x0f ? bytes[at + 1] : bytes[at]) & 15;
  return [0x0f, 0x80 | condition, ...le32((to - from - 6) | 0)];
}
/** LOOP or JCXZ over the jump that follows it to one behind that. */
export function loop(bytes: Uint8Array, codeSize: number): number[] {
  const opcode = bytes[bytes.length - 2];
  const narrow = bytes.subarray(0, -2).includes(0x67) && codeSize !== 16 ? [0x67] : [];
  return [...narrow, opcode, JUMP_BYTES];
}
/** PUSH imm32, as wide as the stack's words; undefined: more than it can say. */
export const push = (value: bigint, codeSize: number): number[] | undefined =>
  codeSize === 32 || fits32(value) ? [0x68, ...le32(low32(value))] : undefined;
/** INT n: leaves translated code. */
export const CALL_OUT = [0xcd, 0x20] as const;
/** RDPMC, which ring 1 may not execute and translated code has no other use for: answered in place. */
export const IN_PLACE = [0x0f, 0x33] as const;
/** A place whose translation does not exist yet; as long as the jump that takes its place. */
export const STUB: readonly number[] = [0xcd, 0x21, 0xcc, 0xcc, 0xcc];
export const STUB_VECTOR = 0x21;
