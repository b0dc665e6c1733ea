/** Operands of plain meanings: reading, writing, addresses. All through Processor; emitted meanings never come here. */
import type { Access, Processor } from '../cpu/ports';
import type { CpuState } from '../cpu/state';
import { assert } from '../util/assert';
import { RFLAGS } from '../x86/registers';
import type { Instruction, MemoryAddress } from './instruction';

/** Offset in CS of the instruction that follows. */
export const nextRip = (insn: Instruction): bigint =>
  BigInt.asUintN(insn.codeSize === 64 ? 64 : 32, insn.rip + BigInt(insn.length));

/** Offset in the operand's segment, wrapped to the width of the address. */
export function effectiveAddress(state: CpuState, memory: MemoryAddress): bigint {
  let offset = memory.displacement;
  if (memory.base >= 0) offset += state.gpr(memory.base);
  if (memory.index >= 0) offset += state.gpr(memory.index) << BigInt(memory.scale);
  return BigInt.asUintN(memory.size, offset);
}

/** Linear address of the memory operand, `skip` bytes into it, checked for `bytes`. */
export function linearOperand(cpu: Processor, insn: Instruction, bytes: number, access: Access, skip = 0): bigint {
  const { memory } = insn;
  assert(memory, `${insn.row.mnemonic} has no memory operand`);
  const offset = BigInt.asUintN(memory.size, effectiveAddress(cpu.state, memory) + BigInt(skip));
  return cpu.linear(memory.segment, offset, bytes, access);
}

type Bytes = 1 | 2 | 4 | 8;

/** Unsigned, of the operand's size. `bits` overrides a memory operand's size. */
export function readOperand(cpu: Processor, insn: Instruction, index: number, bits?: number): bigint {
  const operand = insn.operands[index];
  const { state } = cpu;
  switch (operand.kind) {
    case 'gpr':
      return readGpr(state, operand.index, operand.size);
    case 'memory': {
      const bytes = ((bits ?? operand.size) / 8) as Bytes;
      return cpu.read(linearOperand(cpu, insn, bytes, 'read'), bytes);
    }
    case 'immediate':
      return operand.value;
    case 'segment':
      return BigInt(state.selector(operand.index));
    case 'relative':
      return operand.target;
    default:
      return assert(false, `${insn.row.mnemonic} reads an operand of kind ${operand.kind}`) as never;
  }
}

/** A 32-bit register write clears the upper half; 8 and 16 bits leave the rest. */
export function writeOperand(cpu: Processor, insn: Instruction, index: number, value: bigint, bits?: number): void {
  const operand = insn.operands[index];
  if (operand.kind === 'gpr') {
    writeGpr(cpu.state, operand.index, operand.size, value);
    return;
  }
  assert(operand.kind === 'memory', `${insn.row.mnemonic} writes an operand of kind ${operand.kind}`);
  const bytes = ((bits ?? operand.size) / 8) as Bytes;
  cpu.write(linearOperand(cpu, insn, bytes, 'write'), bytes, BigInt.asUintN(bytes * 8, value));
}

/** `index` 16 to 19: AH, CH, DH, BH. `size` in bits. */
export function readGpr(state: CpuState, index: number, size: number): bigint {
  if (index >= 16) return (state.gpr(index - 16) >> 8n) & 0xffn;
  return BigInt.asUintN(size, state.gpr(index));
}
export function writeGpr(state: CpuState, index: number, size: number, value: bigint): void {
  value = BigInt.asUintN(size, value);
  if (index >= 16) {
    const old = state.gpr(index - 16);
    state.setGpr(index - 16, (old & ~0xff00n) | (value << 8n));
  } else if (size >= 32) {
    state.setGpr(index, value);
  } else {
    const mask = (1n << BigInt(size)) - 1n;
    state.setGpr(index, (state.gpr(index) & ~mask) | value);
  }
}

/** The encoding number of a register operand. */
export function registerOf(insn: Instruction, index: number): number {
  const operand = insn.operands[index];
  assert('index' in operand, `${insn.row.mnemonic}: operand ${index} is no register`);
  return operand.index;
}

export function setZero(cpu: Processor, on: boolean): void {
  const flags = cpu.state.rflags;
  cpu.state.rflags = on ? flags | RFLAGS.ZF : flags & ~RFLAGS.ZF;
}
