/** Shuffles, insertions and byte shifts by an immediate, MASKMOVDQU: lanes picked at run time, as plain meanings. */
import { GPR, SEG } from '../../x86/registers';
import type { Instruction, SystemMeaning } from '../instruction';
import { readGpr, readOperand, writeOperand } from '../operands';
import { available, readVector, writeVector } from './sse-float';

const immediate = (insn: Instruction): number => {
  for (const operand of insn.operands) if (operand.kind === 'immediate') return Number(operand.value & 0xffn);
  return 0;
};
const lane = (value: bigint, bits: number, index: number): bigint =>
  BigInt.asUintN(bits, value >> BigInt(bits * index));
const join = (bits: number, lanes: readonly bigint[]): bigint => lanes.reduceRight((all, l) => (all << BigInt(bits)) | l, 0n); // prettier-ignore
/** Four two-bit selectors. */
const selectors = (order: number): number[] => [0, 2, 4, 6].map((shift) => (order >> shift) & 3);

/** destination = f(destination, source, immediate). */
const shuffled = (f: (a: bigint, b: bigint, order: number) => bigint): SystemMeaning => (cpu, insn) => {
  available(cpu);
  const b = readVector(cpu, insn, 1, 16);
  writeVector(cpu, insn, 0, f(readVector(cpu, insn, 0, 16), b, immediate(insn)));
}; // prettier-ignore
export const pshufd = shuffled((_, b, order) => join(32, selectors(order).map((i) => lane(b, 32, i)))); // prettier-ignore
const words = (b: bigint, half: 0 | 1, order: number): bigint => join(16, selectors(order).map((i) => lane(b, 16, half * 4 + i))); // prettier-ignore
export const pshuflw = shuffled((_, b, order) => (lane(b, 64, 1) << 64n) | words(b, 0, order));
export const pshufhw = shuffled((_, b, order) => (words(b, 1, order) << 64n) | lane(b, 64, 0));
export const shufps = shuffled((a, b, order) => join(32, selectors(order).map((i, at) => lane(at < 2 ? a : b, 32, i)))); // prettier-ignore
export const shufpd = shuffled((a, b, order) => join(64, [lane(a, 64, order & 1), lane(b, 64, (order >> 1) & 1)]));

export const byteShift = (left: boolean): SystemMeaning => (cpu, insn) => {
  available(cpu);
  const by = BigInt(Math.min(immediate(insn), 16) * 8);
  const value = readVector(cpu, insn, 0, 16);
  writeVector(cpu, insn, 0, left ? BigInt.asUintN(128, value << by) : value >> by);
}; // prettier-ignore

export const pinsrw: SystemMeaning = (cpu, insn) => {
  available(cpu);
  const word = readOperand(cpu, insn, 1, 16) & 0xffffn;
  const at = BigInt((immediate(insn) & 7) * 16);
  const old = readVector(cpu, insn, 0, 16);
  writeVector(cpu, insn, 0, (old & ~(0xffffn << at)) | (word << at));
};
export const pextrw: SystemMeaning = (cpu, insn) => {
  available(cpu);
  writeOperand(cpu, insn, 0, lane(readVector(cpu, insn, 1, 16), 16, immediate(insn) & 7));
};

/** Bytes of the first operand whose mask byte is negative, to DS:rDI. */
export const maskmovdqu: SystemMeaning = (cpu, insn) => {
  available(cpu);
  const [value, mask] = [readVector(cpu, insn, 0, 16), readVector(cpu, insn, 1, 16)];
  const segment = insn.segmentOverride >= 0 ? insn.segmentOverride : SEG.DS;
  const gva = cpu.linear(segment, readGpr(cpu.state, GPR.RDI, insn.addressSize), 16, 'write');
  const chosen = Array.from({ length: 16 }, (_, i) => i).filter((i) => lane(mask, 8, i) & 0x80n);
  for (const i of chosen) cpu.probeWrite(gva + BigInt(i), 1);
  for (const i of chosen) cpu.write(gva + BigInt(i), 1, lane(value, 8, i));
};
