/** What a VMCS says of the instruction that left: information and displacement (SDM vol. 3C 28.2.5, tables 28-8 to 28-15). */
import type { Instruction, Operand } from '../isa/instruction';

const MEMORY_ABSENT = { index: 1 << 22, base: 1 << 27 } as const;
const REGISTER = 1 << 10;
const SIZES = { 16: 0, 32: 1, 64: 2 } as const;

const gprs = (operands: readonly Operand[]): number[] => operands.flatMap((o) => (o.kind === 'gpr' ? [o.index] : []));

/** Table 28-8: INS and OUTS, address size and segment. */
export const stringInfo = ({ addressSize, memory }: Instruction): number =>
  (SIZES[addressSize] << 7) | ((memory?.segment ?? 0) << 15);

/** Scale, address size, segment, index and base of an operand in memory, at the places that all tables share. */
function memoryInfo({ addressSize, memory }: Instruction): number {
  if (!memory) return REGISTER;
  const { scale, index, base, segment } = memory;
  return (
    scale |
    (SIZES[addressSize] << 7) |
    (segment << 15) |
    (index >= 0 ? index << 18 : MEMORY_ABSENT.index) |
    (base >= 0 ? base << 23 : MEMORY_ABSENT.base)
  );
}
/** Tables 28-13 and 28-14: VMREAD, VMWRITE, INVEPT, INVVPID, INVPCID, VMPTRLD and the like. Registers are at 6:3 and 31:28. */
export function operandInfo(instruction: Instruction): number {
  const { memory, operands, row } = instruction;
  const named = gprs(operands);
  if (memory) return memoryInfo(instruction) | ((named[0] ?? 0) << 28);
  // VMREAD and VMWRITE between registers: where the value is, and where the field's encoding.
  const [value, encoding] = row.mnemonic === 'vmwrite' ? [named[1], named[0]] : named;
  return REGISTER | ((value ?? 0) << 3) | ((encoding ?? 0) << 28);
}
/** Tables 28-10 and 28-11. `which`: the instruction identity of bits 29:28. */
export function tableInfo(instruction: Instruction, which: number): number {
  const wide = instruction.operandSize === 16 ? 0 : 1 << 11;
  const register = instruction.memory ? 0 : (gprs(instruction.operands)[0] ?? 0) << 3;
  return memoryInfo(instruction) | wide | register | (which << 28);
}
/** Table 28-12: RDRAND and RDSEED, register and operand size. */
export const randomInfo = ({ operands, operandSize }: Instruction): number =>
  ((gprs(operands)[0] ?? 0) << 3) | (SIZES[operandSize as 16 | 32 | 64] << 11);

/** The exit qualification of instructions with an operand in memory: its displacement. */
export const displacementOf = ({ memory }: Instruction): bigint => BigInt.asUintN(64, memory?.displacement ?? 0n);
