/** IN, OUT, INS, OUTS. Whether the port may be used has been decided before (cpu/dispatch.ts). */
import { GPR, RFLAGS, SEG } from '../../x86/registers';
import type { Processor } from '../../cpu/ports';
import type { Instruction, SystemMeaning } from '../instruction';
import { linearOperand, readGpr, readOperand, writeGpr } from '../operands';

type Bytes = 1 | 2 | 4;

/** REX.W does not widen a port. */
const accumulatorBits = (insn: Instruction, index: number): 8 | 16 | 32 => {
  const operand = insn.operands[index];
  return operand.kind === 'gpr' && operand.size < 32 ? (operand.size as 8 | 16) : 32;
};
const portOf = (cpu: Processor, insn: Instruction, index: number): number =>
  Number(readOperand(cpu, insn, index) & (insn.operands[index].kind === 'immediate' ? 0xffn : 0xffffn));

export const input: SystemMeaning = (cpu, insn) => {
  const bits = accumulatorBits(insn, 0);
  const value = cpu.readPort(portOf(cpu, insn, 1), (bits / 8) as Bytes);
  writeGpr(cpu.state, GPR.RAX, bits, BigInt(value >>> 0));
};
export const output: SystemMeaning = (cpu, insn) => {
  const bits = accumulatorBits(insn, 1);
  cpu.writePort(portOf(cpu, insn, 0), (bits / 8) as Bytes, Number(readGpr(cpu.state, GPR.RAX, bits)));
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
