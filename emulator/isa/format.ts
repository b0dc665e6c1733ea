/** One decoded instruction as text, Intel syntax: what the rows know, for places where no disassembler library is. */
import { GPR_NAMES, SEG_NAMES } from '../x86/registers';
import type { Instruction, MemoryAddress, Operand, OperandSize } from './instruction';

const LOW8 = ['al', 'cl', 'dl', 'bl', 'spl', 'bpl', 'sil', 'dil'];
const HIGH8 = ['ah', 'ch', 'dh', 'bh'];
const PTR: Record<number, string> = { 8: 'byte ptr ', 16: 'word ptr ', 32: 'dword ptr ', 48: 'fword ptr ', 64: 'qword ptr ', 80: 'tbyte ptr ', 128: 'xmmword ptr ', 256: 'ymmword ptr ' }; // prettier-ignore

export const hex = (value: bigint | number): string => `0x${value.toString(16)}`;

/** `rax`, `eax`, `ax`, `al`, `ah`, `r8d`... */
export function gprName(index: number, size: OperandSize): string {
  if (index >= 16) return HIGH8[index - 16];
  const name = GPR_NAMES[index];
  if (index >= 8) return name + { 64: '', 32: 'd', 16: 'w', 8: 'b' }[size];
  if (size === 8) return LOW8[index];
  return size === 64 ? name : size === 32 ? `e${name.slice(1)}` : name.slice(1);
}

function memoryText(memory: MemoryAddress, size: number): string {
  const parts: string[] = [];
  if (memory.base >= 0) parts.push(gprName(memory.base, memory.size));
  const vector = memory.vectorIndex && `${memory.vectorIndex === 256 ? 'ymm' : 'xmm'}${memory.index}`;
  if (memory.index >= 0)
    parts.push((vector ?? gprName(memory.index, memory.size)) + (memory.scale ? `*${1 << memory.scale}` : ''));
  const displacement = BigInt.asIntN(64, memory.displacement);
  let text = parts.join('+');
  if (parts.length === 0) text = hex(BigInt.asUintN(memory.size, displacement));
  else if (displacement !== 0n) text += displacement < 0n ? `-${hex(-displacement)}` : `+${hex(displacement)}`;
  const usual = memory.base === 4 || memory.base === 5 ? 'ss' : 'ds';
  const segment = SEG_NAMES[memory.segment];
  return `${PTR[size] ?? ''}${segment === usual ? '' : `${segment}:`}[${text}]`;
}

function operandText(operand: Operand, insn: Instruction): string {
  switch (operand.kind) {
    case 'gpr': return gprName(operand.index, operand.size);
    case 'segment': return SEG_NAMES[operand.index];
    case 'control': return `cr${operand.index}`;
    case 'debug': return `dr${operand.index}`;
    case 'st': return `st(${operand.index})`;
    case 'mmx': return `mm${operand.index}`;
    case 'xmm': return `${operand.size === 256 ? 'ymm' : 'xmm'}${operand.index}`;
    case 'memory': return insn.memory ? memoryText(insn.memory, operand.size) : '';
    case 'immediate': return hex(operand.value);
    case 'relative': return hex(operand.target);
    case 'far': return `${hex(operand.selector)}:${hex(operand.offset)}`;
  } // prettier-ignore
}

export function format(insn: Instruction): string {
  const prefix = insn.lock ? 'lock ' : insn.rep !== 'none' && insn.row.attributes.repeat ? `${insn.rep} ` : '';
  const operands = insn.operands.map((o) => operandText(o, insn)).filter((text) => text !== '');
  return `${prefix}${insn.row.mnemonic}${operands.length ? ` ${operands.join(', ')}` : ''}`;
}
