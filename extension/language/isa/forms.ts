/** Whether the operands of a written instruction fit a row, and what a row's operands look like to people. */
import { parseEncoding } from '../../../emulator/isa/encoding';
import type { Encoding, OperandNotation } from '../../../emulator/isa/encoding';
import type { Row } from '../../../emulator/isa/instruction';
import type { Dialect, Shape } from '../syntax/tree';
import { registerNamed } from './registers';
import type { Register } from './registers';

const encodings = new Map<Row, Encoding>();
export function encodingOf(row: Row): Encoding {
  const known = encodings.get(row) ?? parseEncoding(row);
  encodings.set(row, known);
  return known;
}

export type OperandSize = 16 | 32 | 64;
/** In bits; 0 where the size says nothing. */
export function bitsOf({ where, size }: OperandNotation, operandSize: OperandSize): number {
  if (where === 'rAX') return operandSize;
  if (where === 'AL' || where === 'CL') return 8;
  if (where === 'AX' || where === 'DX') return 16;
  switch (size) {
    case 'b': case 'bs': return 8;
    case 'w': return 16;
    case 'd': return 32;
    case 'q': return 64;
    case 't': return 80;
    case 'dq': case 'x': return 128;
    case 'v': return operandSize;
    case 'z': return operandSize === 16 ? 16 : 32;
    case 'y': return operandSize === 64 ? 64 : 32;
    default: return 0;
  } // prettier-ignore
}

/** `kind`: no such operand here. `size`: right kind, wrong width. */
export type Fit = 'fits' | 'size' | 'kind';
const sized = (right: boolean): Fit => (right ? 'fits' : 'size');

const isGpr = (register: Register | undefined, number?: number): boolean =>
  register?.class === 'gpr' && (number === undefined || register.number === number);

const FIXED_GPR: Readonly<Record<string, number>> = { AL: 0, AX: 0, rAX: 0, CL: 1, DX: 2 };
const FIXED_SEGMENT: Readonly<Record<string, number>> = { ES: 0, CS: 1, SS: 2, DS: 3, FS: 4, GS: 5 };

/** `registers of several widths` where assemblers take any and the processor the low part: MOVMSKPS, SLDT, LAR... */
export const ANY_WIDTH =
  /^(v?movmskp[sd]|v?pmovmskb|v?pextr[bw]|v?extractps|v?pinsr[bw]|lar|lsl|sldt|str|smsw|lldt|ltr|lmsw|verr|verw|vmread|vmwrite|rd[fg]sbase|invpcid|invept|invvpid|crc32|nop|clflush|clflushopt|clwb|rdpid|movsxd)$/;

/** Of the shapes that assemblers accept for the notation, in the mode that has this operand size. */
export function fit(shape: Shape, notation: OperandNotation, operandSize: OperandSize, row: Row, dialect: Dialect): Fit {
  const att = dialect === 'att';
  if (shape.kind === 'unknown') return 'fits';
  const { where } = notation;
  const bits = bitsOf(notation, operandSize);
  if (shape.kind === 'register') return fitRegister(registerNamed(shape.name), notation, bits, row);
  if (shape.kind === 'indirect') return /^(jmp|call)$/.test(row.mnemonic) && /^[EM]$/.test(where) ? fit(shape.inner.kind === 'symbol' ? { kind: 'memory', absolute: true } : shape.inner, notation, operandSize, row, dialect) : 'kind';
  const memory = /^[EMOXYQW]$/.test(where) || (where === 'A' && !att);
  if (shape.kind === 'memory') {
    if (where === 'DX') return att ? 'fits' : 'kind';
    if (where === 'J' && dialect === 'intel') return 'fits';
    if (!memory || row.attributes.form === 'register') return 'kind';
    const vectorBits = where === 'W' && (notation.size === '' || 'hke'.includes(notation.size)) ? 0 : bits;
    return sized(shape.bits === undefined || vectorBits === 0 || shape.bits === vectorBits || ANY_WIDTH.test(row.mnemonic) || row.operands.includes('Sw'));
  }
  if (shape.kind === 'far') return where === 'A' ? 'fits' : 'kind';
  if (shape.kind === 'immediate') {
    if (where === '1') return shape.value === undefined || shape.value === 1n ? 'fits' : 'kind';
    return where === 'I' || (!att && ((dialect === 'nasm' ? /^[JA]$/ : /^[JAO]$/).test(where) || (row.mnemonic === 'lea' && where === 'M'))) ? 'fits' : 'kind';
  }
  // A name: AT&T reads it as an address, the others as what fits.
  const target = where === 'J' || where === 'A';
  // A branch to a name is direct; through memory it says so, by a star or brackets.
  if (/^(jmp|call)$/.test(row.mnemonic)) return target ? 'fits' : 'kind';
  if (dialect === 'nasm') return target || where === 'I' || where === '1' || (row.mnemonic === 'lea' && where === 'M') ? 'fits' : 'kind';
  return target || memory && row.attributes.form !== 'register' || (!att && /^[I1]$/.test(where)) ? 'fits' : 'kind';
} // prettier-ignore

function fitRegister(register: Register | undefined, notation: OperandNotation, bits: number, row: Row): Fit {
  const { where, size } = notation;
  if (register === undefined) return 'fits';
  if (where in FIXED_GPR) return isGpr(register, FIXED_GPR[where]) && !(register.bits === 8 && register.number > 3) ? sized(register.bits === bits || where === 'CL' || where === 'DX') : 'kind';
  if (where in FIXED_SEGMENT) return register.class === 'segment' && register.number === FIXED_SEGMENT[where] ? 'fits' : 'kind';
  const vector = register.class === 'vector';
  switch (where) {
    case 'E': case 'R': case 'G': case 'Z': case 'B': {
      if (row.attributes.form === 'memory' && where === 'E') return 'kind';
      if (register.class !== 'gpr') return 'kind';
      return sized(bits === 0 || register.bits === bits || (((ANY_WIDTH.test(row.mnemonic) && !(where === 'G' && row.mnemonic === 'movsxd')) || row.operands.includes('Sw')) && (register.bits >= 16 || row.mnemonic === 'pinsrb')));
    }
    case 'S': return register.class === 'segment' ? 'fits' : 'kind';
    case 'C': return register.class === 'control' ? 'fits' : 'kind';
    case 'D': return register.class === 'debug' ? 'fits' : 'kind';
    case 'P': case 'Q': case 'N': return register.class === 'mmx' ? 'fits' : 'kind';
    case 'ST0': return register.class === 'st' ? (register.number === 0 ? 'fits' : 'kind') : 'kind';
    case 'STi': return register.class === 'st' ? 'fits' : 'kind';
    case 'XMM0': return vector && register.number === 0 ? 'fits' : 'kind';
    case 'V': case 'U': case 'W': case 'H': case 'L':
      if (!vector) return 'kind';
      return sized(row.opcode.startsWith('vex') ? register.bits <= 256 : register.bits === 128 || size === 'dq' && register.bits === 128);
    default: return 'kind';
  }
} // prettier-ignore

const WHERE_TEXT: Readonly<Record<string, (bits: string) => string>> = {
  E: (bits) => `r/m${bits}`, G: (bits) => `r${bits}`, R: (bits) => `r${bits}`, Z: (bits) => `r${bits}`, B: (bits) => `r${bits}`,
  M: (bits) => `m${bits}`, I: (bits) => `imm${bits}`, J: (bits) => `rel${bits}`, A: () => 'ptr16:16/32', O: (bits) => `moffs${bits}`,
  S: () => 'Sreg', C: () => 'CR0-CR8', D: () => 'DR0-DR7', X: (bits) => `m${bits}`, Y: (bits) => `m${bits}`, P: () => 'mm', Q: (bits) => `mm/m${bits}`, N: () => 'mm',
  V: () => 'xmm', U: () => 'xmm', H: () => 'xmm', L: () => 'xmm', W: (bits) => `xmm/m${bits}`,
  ST0: () => 'ST(0)', STi: () => 'ST(i)', XMM0: () => '<XMM0>', rAX: (bits) => ({ '16/32/64': 'AX/EAX/RAX', '16/32': 'AX/EAX' })[bits] ?? 'rAX',
}; // prettier-ignore
const SIZE_TEXT: Readonly<Record<string, string>> = {
  b: '8', bs: '8', w: '16', d: '32', q: '64', t: '80', dq: '128', v: '16/32/64', z: '16/32', y: '32/64', n: '32/64', p: '16:16/32/64', s: '16&32/64',
  '': '', h: '64/128', k: '32/64', e: '16/32', x: '128',
}; // prettier-ignore

/** As the manual writes an operand: `r/m32`, `imm8`, `xmm/m64`. */
export function operandText(notation: OperandNotation, row: Row): string {
  const text = WHERE_TEXT[notation.where]?.(notation.where === 'rAX' ? '16/32/64' : (SIZE_TEXT[notation.size] ?? ''));
  if (text === undefined) return notation.where;
  if (notation.where === 'W' && notation.size === '') return row.opcode.startsWith('vex') ? 'xmm/m128' : 'xmm/m128';
  return row.opcode.startsWith('vex') && !/l0/.test(row.opcode) && notation.size !== 'x' ? text.replace(/xmm/, 'xmm/ymm').replace(/ymm\/m128/, 'ymm/m128/256') : text;
} // prettier-ignore
export const rowText = (row: Row): string =>
  `${row.mnemonic.toUpperCase()} ${encodingOf(row).operands.map((each) => operandText(each, row)).join(', ')}`.trim(); // prettier-ignore
