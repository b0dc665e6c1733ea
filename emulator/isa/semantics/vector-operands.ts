/** Vector operands of plain meanings, with and without a VEX prefix (SDM vol. 1 section 14.1.2). */
import type { Processor } from '../../cpu/ports';
import { GuestFault } from '../../cpu/ports';
import { CR0, CR4, RFLAGS, VECTOR } from '../../x86/registers';
import type { Instruction } from '../instruction';
import { linearOperand } from '../operands';

/** XCR0: SSE and AVX state. */
export const AVX_STATE = 6;

/** #UD and #NM as every SSE instruction (SDM vol. 3A table 14-1), or every one with a VEX prefix (vol. 2A table 2-18). */
export function available(cpu: Processor, insn: Instruction): void {
  const cr0 = cpu.state.system32('cr0');
  const cr4 = cpu.state.system32('cr4');
  if (insn.vex) {
    const enabled = cr4 & CR4.OSXSAVE && (cpu.state.system32('xcr0') & AVX_STATE) === AVX_STATE;
    if (!enabled || !(cr0 & CR0.PE) || cpu.state.systemFlags & RFLAGS.VM) throw new GuestFault(VECTOR.UD);
  } else if (cr0 & CR0.EM || !(cr4 & CR4.OSFXSR)) throw new GuestFault(VECTOR.UD);
  if (cr0 & CR0.TS) throw new GuestFault(VECTOR.NM);
}

/** Bytes of the vectors that the instruction works on. */
export const vectorBytes = (insn: Instruction): 16 | 32 => (insn.vex === 256 ? 32 : 16);

const hasFirstSource = (insn: Instruction): boolean => insn.row.operands.includes('H');
/** Where an operand of the SSE row is: with VEX.vvvv as first source, all but the destination are one further. */
export const sourceIndex = (insn: Instruction, index: number): number => index + (insn.vex && hasFirstSource(insn) ? 1 : 0); // prettier-ignore

/** The low `bytes` of a source, numbered as in the SSE row; sixteen in memory must be aligned without VEX. */
export function readVector(
  cpu: Processor,
  insn: Instruction,
  index: number,
  bytes: 2 | 4 | 8 | 16 | 32,
  unaligned = insn.vex > 0,
): bigint {
  const operand = insn.operands[sourceIndex(insn, index)];
  if (operand.kind === 'xmm') return BigInt.asUintN(bytes * 8, cpu.state.vector(operand.index, bytes > 16 ? 32 : 16));
  const gva = linearOperand(cpu, insn, bytes, 'read');
  if (bytes <= 8) return cpu.read(gva, bytes as 2 | 4 | 8);
  if (!unaligned && gva & 15n) throw new GuestFault(VECTOR.GP, 0);
  let value = 0n;
  for (let at = 0; at < bytes; at += 8) value |= cpu.read(gva + BigInt(at), 8) << BigInt(at * 8);
  return value;
}

/** Sixteen bytes from any address: of the string comparisons, which never ask for alignment. */
export const readUnaligned = (cpu: Processor, insn: Instruction, index: number): bigint => readVector(cpu, insn, index, 16, true); // prettier-ignore

/**
 * Operand 0. `bits` below 128: of a vector the rest stays, with VEX that of the first source. A VEX prefix clears what lies
 * above the vectors.
 */
export function writeVector(cpu: Processor, insn: Instruction, value: bigint, bits = 128): void {
  const { index } = insn.operands[0] as { index: number };
  const { state } = cpu;
  if (bits < 128) {
    const rest = insn.operands[sourceIndex(insn, 0)] as { index: number };
    value |= (state.vector(rest.index) >> BigInt(bits)) << BigInt(bits);
  }
  state.setVector(index, value, insn.vex ? 32 : 16);
}
