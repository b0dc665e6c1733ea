/** One decoded instruction of ours and of iced-x86 in the same words, so that they can be compared as text. */
import * as iced from 'iced-x86';
import type { Instruction, Operand } from '../../emulator/isa/instruction';
import { SEG_NAMES } from '../../emulator/x86/registers';

const LOW = ['al', 'cl', 'dl', 'bl', 'spl', 'bpl', 'sil', 'dil'];
const WORD = ['ax', 'cx', 'dx', 'bx', 'sp', 'bp', 'si', 'di'];

export function gprName(index: number, size: number): string {
  if (index >= 16) return ['ah', 'ch', 'dh', 'bh'][index - 16];
  if (index >= 8) return `r${index}${{ 8: 'l', 16: 'w', 32: 'd', 64: '' }[size]}`;
  return size === 8 ? LOW[index] : size === 16 ? WORD[index] : size === 32 ? `e${WORD[index]}` : `r${WORD[index]}`;
}

/** In 64-bit mode only FS and GS are segments (SDM vol. 1 section 3.4.2.1). */
const segmentName = (name: string, codeSize: number): string =>
  codeSize === 64 && name !== 'fs' && name !== 'gs' ? 'flat' : name;

const hex = (value: bigint, size = 64): string => `0x${BigInt.asUintN(size, value).toString(16)}`;

function ourOperand(o: Operand, i: Instruction): string {
  switch (o.kind) {
    case 'gpr': return gprName(o.index, o.size);
    case 'segment': return SEG_NAMES[o.index];
    case 'control': return `cr${o.index}`;
    case 'debug': return `dr${o.index}`;
    case 'st': return `st${o.index}`;
    case 'mmx': return `mm${o.index}`;
    case 'xmm': return `${o.size === 256 ? 'ymm' : 'xmm'}${o.index}`;
    case 'immediate': return hex(o.value, o.size);
    case 'relative': return `to ${hex(o.target)}`;
    case 'far': return `${hex(BigInt(o.selector))}:${hex(BigInt(o.offset))}`;
    case 'memory': {
      const m = i.memory!;
      const register = (index: number): string => (index < 0 ? 'none' : gprName(index, m.size));
      const displacement = hex(m.displacement, m.size);
      return `[${segmentName(SEG_NAMES[m.segment], i.codeSize)} ${register(m.base)} ${m.vectorIndex ? `${m.vectorIndex === 256 ? 'y' : 'x'}mm${m.index}` : register(m.index)}*${1 << m.scale} ${displacement}]`;
    }
  } // prettier-ignore
}
export const ourOperands = (i: Instruction): string[] => i.operands.map((o) => ourOperand(o, i));

const registerName = (register: iced.Register): string => iced.Register[register].toLowerCase();

function addressSize(i: iced.Instruction, codeSize: number): number {
  const register = registerName(i.memoryBase === iced.Register.None ? i.memoryIndex : i.memoryBase);
  if (register !== 'none') return /^(r\d+|r[a-z]{2})$/.test(register) ? 64 : /^(e|r\d+d)/.test(register) ? 32 : 16;
  return i.memoryDisplSize === 8 ? 64 : i.memoryDisplSize === 2 ? 16 : codeSize === 64 ? 64 : 32;
}

function theirOperand(i: iced.Instruction, n: number, codeSize: number, ours?: Operand): string {
  const kind = i.opKind(n);
  const K = iced.OpKind;
  const segment = segmentName(registerName(i.memorySegment), codeSize);
  const es = segmentName('es', codeSize);
  switch (kind) {
    case K.Register: return registerName(i.opRegister(n));
    case K.NearBranch16: case K.NearBranch32: case K.NearBranch64: return `to ${hex(i.nearBranchTarget)}`;
    case K.FarBranch16: case K.FarBranch32: return `${hex(BigInt(i.farBranchSelector))}:${hex(BigInt(kind === K.FarBranch16 ? i.farBranch16 : i.farBranch32))}`;
    case K.MemorySegSI: return `[${segment} si none*1 0x0]`;
    case K.MemorySegESI: return `[${segment} esi none*1 0x0]`;
    case K.MemorySegRSI: return `[${segment} rsi none*1 0x0]`;
    case K.MemorySegDI: return `[${segment} di none*1 0x0]`;
    case K.MemorySegEDI: return `[${segment} edi none*1 0x0]`;
    case K.MemorySegRDI: return `[${segment} rdi none*1 0x0]`;
    case K.MemoryESDI: return `[${es} di none*1 0x0]`;
    case K.MemoryESEDI: return `[${es} edi none*1 0x0]`;
    case K.MemoryESRDI: return `[${es} rdi none*1 0x0]`;
    case K.Memory: {
      const relative = i.isIpRelMemoryOperand;
      const base = relative ? 'none' : registerName(i.memoryBase);
      const index = registerName(i.memoryIndex);
      const size = relative ? (i.memoryBase === iced.Register.EIP ? 32 : 64) : addressSize(i, codeSize);
      return `[${segment} ${base} ${index}*${index === 'none' ? 1 : i.memoryIndexScale} ${hex(i.memoryDisplacement, size)}]`;
    }
    default: return hex(i.immediate(n), ours?.kind === 'immediate' ? ours.size : 64);
  } // prettier-ignore
}
/** `ours` says how wide immediates are: iced-x86 extends all to 64 bits. */
export const theirOperands = (i: iced.Instruction, ours: Instruction): string[] =>
  Array.from({ length: i.opCount }, (_, n) => theirOperand(i, n, ours.codeSize, ours.operands[n]));

export const theirMnemonic = (i: iced.Instruction): string => iced.Mnemonic[i.mnemonic].toLowerCase();
