/** Masked loads and stores, gathers, and blends of four operands: plain meanings. SDM vol. 2C VMASKMOV, VPGATHERDD, VBLENDVPS. */
import type { Processor } from '../../cpu/ports';
import type { Instruction, SystemMeaning } from '../instruction';
import { effectiveAddress } from '../operands';
import { join, split } from './sse-float';
import { available, vectorBytes, writeVector } from './vector-operands';

const register = (insn: Instruction, index: number): number => (insn.operands[index] as { index: number }).index;
const isSet = (lane: bigint, bits: number): boolean => ((lane >> BigInt(bits - 1)) & 1n ? true : false);

/** Linear address of lane `i` of the memory operand. */
function laneAddress(cpu: Processor, insn: Instruction, offset: bigint, bytes: number, access: 'read' | 'write'): bigint {
  const { segment, size } = insn.memory!;
  return cpu.linear(segment, BigInt.asUintN(size, offset), bytes, access);
} // prettier-ignore

/** VMASKMOVPS and the like from memory: lanes whose mask is not set are 0, and memory is not touched there. */
export const maskedLoad = (bits: 32 | 64): SystemMeaning => (cpu, insn) => {
  available(cpu, insn);
  const bytes = vectorBytes(insn);
  const start = effectiveAddress(cpu.state, insn.memory!);
  const step = bits / 8;
  const mask = split(cpu.state.vector(register(insn, 1), 32), bits, bytes / step);
  const lanes = mask.map((lane, i) =>
    isSet(lane, bits) ? cpu.read(laneAddress(cpu, insn, start + BigInt(i * step), step, 'read'), step as 4 | 8) : 0n);
  writeVector(cpu, insn, join(lanes, bits));
}; // prettier-ignore
export const maskedStore = (bits: 32 | 64): SystemMeaning => (cpu, insn) => {
  available(cpu, insn);
  const count = (vectorBytes(insn) * 8) / bits;
  const start = effectiveAddress(cpu.state, insn.memory!);
  const step = bits / 8;
  const mask = split(cpu.state.vector(register(insn, 1), 32), bits, count);
  const lanes = split(cpu.state.vector(register(insn, 2), 32), bits, count);
  const chosen = lanes.flatMap((lane, i) => isSet(mask[i], bits) ? [{ lane, gva: laneAddress(cpu, insn, start + BigInt(i * step), step, 'write') }] : []);
  for (const { gva } of chosen) cpu.probeWrite(gva, step);
  for (const { gva, lane } of chosen) cpu.write(gva, step as 4 | 8, lane);
}; // prettier-ignore

/** VBLENDVPS and the like: operand 3 says where a lane is operand 2's. */
export const blendBy = (bits: 8 | 32 | 64): SystemMeaning => (cpu, insn) => {
  available(cpu, insn);
  const bytes = vectorBytes(insn);
  const count = (bytes * 8) / bits;
  const of = (index: number): bigint[] => split(cpu.state.vector(register(insn, index), 32), bits, count);
  const memory = insn.operands[2].kind === 'memory';
  const gva = memory ? laneAddress(cpu, insn, effectiveAddress(cpu.state, insn.memory!), bytes, 'read') : 0n;
  const parts = memory ? Array.from({ length: bytes / 8 }, (_, i) => cpu.read(gva + BigInt(i * 8), 8)) : [];
  const second = memory ? split(join(parts, 64), bits, count) : of(2);
  const [first, mask] = [of(1), of(3)];
  writeVector(cpu, insn, join(first.map((lane, i) => (isSet(mask[i], bits) ? second[i] : lane)), bits));
}; // prettier-ignore

/**
 * VPGATHERDD and the like: a lane for each index whose mask is set, from memory of its own. What was gathered before a fault stays,
 * with its mask cleared, and the instruction goes on there.
 */
export const gather = (indexBits: 32 | 64, bits: 32 | 64): SystemMeaning => (cpu, insn) => {
  available(cpu, insn);
  const { memory } = insn;
  const [target, mask] = [register(insn, 0), register(insn, 2)];
  const from = memory!.index;
  const { state } = cpu;
  const count = (vectorBytes(insn) * 8) / Math.max(indexBits, bits);
  const indices = split(state.vector(from, 32), indexBits, count);
  const lanes = split(state.vector(target, 32), bits, count);
  const masks = split(state.vector(mask, 32), bits, count).map((lane) => isSet(lane, bits));
  const base = effectiveAddress(state, { ...memory!, index: -1 });
  const ones = (1n << BigInt(bits)) - 1n;
  // What lies above is cleared in the end: after a fault it is still there.
  const commit = (done: boolean): void => {
    const bytes = (count * bits) / 8;
    for (const [index, value] of [[target, lanes], [mask, masks.map((on) => (on ? ones : 0n))]] as const) {
      const kept = done ? 0n : (state.vector(index, 32) >> BigInt(bytes * 8)) << BigInt(bytes * 8);
      state.setVector(index, kept | join(value, bits), 32);
    }
  };
  let done = false;
  try {
    indices.forEach((index, i) => {
      if (!masks[i]) return;
      const offset = base + (BigInt.asIntN(indexBits, index) << BigInt(memory!.scale));
      const bytes = (bits / 8) as 4 | 8;
      lanes[i] = cpu.read(laneAddress(cpu, insn, offset, bytes, 'read'), bytes);
      masks[i] = false;
    });
    done = true;
  } finally {
    commit(done);
  }
}; // prettier-ignore
