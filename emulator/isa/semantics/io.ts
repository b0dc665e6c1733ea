/** IN, OUT, INS, OUTS. Whether the port may be used has been decided before (cpu/dispatch.ts). */
import { GPR, RFLAGS, SEG } from '../../x86/registers';
import type { Processor } from '../../cpu/ports';
import type { Instruction, SystemMeaning } from '../instruction';
import { linearOperand, readGpr, writeGpr } from '../operands';

type Bytes = 1 | 2 | 4;

/** REX.W does not widen a port. */
const accumulatorBits = (insn: Instruction, index: number): 8 | 16 | 32 => {
  const operand = insn.operands[index];
  return operand.kind === 'gpr' && operand.size < 32 ? (operand.size as 8 | 16) : 32;
};
const portOf = (cpu: Processor, insn: Instruction, index: number): number => {
  const operand = insn.operands[index];
  return operand.kind === 'immediate' ? Number(operand.value & 0xffn) : cpu.state.gpr16(GPR.RDX);
};

// Guests poll ports: numbers here, not bigint.
export const input: SystemMeaning = (cpu, insn) => {
  const { state } = cpu;
  const bits = accumulatorBits(insn, 0);
  const value = cpu.readPort(portOf(cpu, insn, 1), (bits / 8) as Bytes);
  if (bits === 32) state.setGpr32(GPR.RAX, value);
  else state.setGpr16(GPR.RAX, bits === 16 ? value : (state.gpr16(GPR.RAX) & 0xff00) | (value & 0xff));
};
export const output: SystemMeaning = (cpu, insn) => {
  const bits = accumulatorBits(insn, 1);
  const value = cpu.state.gpr32(GPR.RAX);
  const narrow = bits === 32 ? value : value & (bits === 16 ? 0xffff : 0xff);
  cpu.writePort(portOf(cpu, insn, 0), (bits / 8) as Bytes, narrow);
};

/** One iteration. With REP, RIP stays until the count is used up: every iteration is an instruction. */
const iteration =
  (pointer: number, transfer: (cpu: Processor, insn: Instruction, bytes: Bytes) => void): SystemMeaning =>
  (cpu, insn) => {
    const { state } = cpu;
    const repeated = insn.rep !== 'none';
    const width = insn.addressSize;
    const count = readGpr(state, GPR.RCX, width);
    if (repeated && count === 0n) return undefined;
    const memory = insn.operands.find((o) => o.kind === 'memory');
    const bytes = (Math.min(memory?.kind === 'memory' ? memory.size : insn.operandSize, 32) / 8) as Bytes;
    transfer(cpu, insn, bytes);
    const step = state.systemFlags & RFLAGS.DF ? -BigInt(bytes) : BigInt(bytes);
    writeGpr(state, pointer, width, readGpr(state, pointer, width) + step);
    if (!repeated) return undefined;
    writeGpr(state, GPR.RCX, width, count - 1n);
    return count === 1n ? undefined : 'jumped';
  };

export const inputString = iteration(GPR.RDI, (cpu, insn, bytes) => {
  const gva = cpu.linear(SEG.ES, readGpr(cpu.state, GPR.RDI, insn.addressSize), bytes, 'write');
  // The port may not be read, with what that does, if the memory cannot take it.
  cpu.probeWrite(gva, bytes);
  cpu.write(gva, bytes, BigInt(cpu.readPort(cpu.state.gpr16(GPR.RDX), bytes) >>> 0));
});
export const outputString = iteration(GPR.RSI, (cpu, insn, bytes) => {
  const value = cpu.read(linearOperand(cpu, insn, bytes, 'read'), bytes);
  cpu.writePort(cpu.state.gpr16(GPR.RDX), bytes, Number(value));
});
