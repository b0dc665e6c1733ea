/** Integer, bit and stack instructions. SDM vol. 2; opcode maps in vol. 2D appendix A. */
import type { RowAttributes } from '../instruction';
import { emitted, guarded } from '../row';
import type { RowSpec } from '../row';
import * as arithmetic from '../semantics/arithmetic';
import * as bits from '../semantics/bits';
import * as flags from '../semantics/flags';
import * as move from '../semantics/move';
import * as multiply from '../semantics/multiply';
import * as stack from '../semantics/stack';
import type { Emitter } from '../../execution/builder';

const hex = (value: number): string => value.toString(16).padStart(2, '0');
const ALL = 'OSZAPC';
const locked: RowAttributes = { lock: true, writes: ALL };

/** The eight ALU operations: six encodings each, and three with immediates behind 80, 81, 83. */
const alu = (base: number, mnemonic: string, meaning: (e: Emitter) => void, attributes: RowAttributes): RowSpec[] => [
  emitted(`${hex(base)} /r`, mnemonic, 'Eb,Gb', meaning, attributes),
  emitted(`${hex(base + 1)} /r`, mnemonic, 'Ev,Gv', meaning, attributes),
  emitted(`${hex(base + 2)} /r`, mnemonic, 'Gb,Eb', meaning, attributes),
  emitted(`${hex(base + 3)} /r`, mnemonic, 'Gv,Ev', meaning, attributes),
  emitted(hex(base + 4), mnemonic, 'AL,Ib', meaning, attributes),
  emitted(hex(base + 5), mnemonic, 'rAX,Iz', meaning, attributes),
  emitted(`80 /${base >> 3}`, mnemonic, 'Eb,Ib', meaning, attributes),
  emitted(`81 /${base >> 3}`, mnemonic, 'Ev,Iz', meaning, attributes),
  // 82 repeats 80, outside 64-bit mode.
  emitted(`82 /${base >> 3}`, mnemonic, 'Eb,Ib', meaning, { ...attributes, not64: true }),
  emitted(`83 /${base >> 3}`, mnemonic, 'Ev,Ibs', meaning, attributes),
];

const shiftFlags: RowAttributes = { writes: ALL, undefined: 'OA' };
const rotateFlags: RowAttributes = { writes: 'OC', undefined: 'O' };
const rotateCarryFlags: RowAttributes = { writes: 'OC', undefined: 'O', reads: 'C' };
/** OF of shifts and rotates is undefined for other counts (SDM vol. 2B, RCL, SAL). */
const byOne = (attributes: RowAttributes): RowAttributes => ({ ...attributes, undefined: attributes.undefined?.replace('O', '') ?? '' }); // prettier-ignore
/** Group 2: by an immediate, by 1, by CL. */
const shifts = (extension: number, mnemonic: string, meaning: (e: Emitter) => void, attributes: RowAttributes): RowSpec[] => [
  emitted(`c0 /${extension}`, mnemonic, 'Eb,Ib', meaning, attributes),
  emitted(`c1 /${extension}`, mnemonic, 'Ev,Ib', meaning, attributes),
  emitted(`d0 /${extension}`, mnemonic, 'Eb,1', meaning, byOne(attributes)),
  emitted(`d1 /${extension}`, mnemonic, 'Ev,1', meaning, byOne(attributes)),
  emitted(`d2 /${extension}`, mnemonic, 'Eb,CL', meaning, attributes),
  emitted(`d3 /${extension}`, mnemonic, 'Ev,CL', meaning, attributes),
]; // prettier-ignore

/** Group 3: F6 on bytes, F7 on words and wider. */
const unary = (extension: number, mnemonic: string, meaning: (e: Emitter) => void, attributes: RowAttributes): RowSpec[] => [
  emitted(`f6 /${extension}`, mnemonic, 'Eb', meaning, attributes),
  emitted(`f7 /${extension}`, mnemonic, 'Ev', meaning, attributes),
]; // prettier-ignore

const NAMES = ['o', 'no', 'b', 'ae', 'e', 'ne', 'be', 'a', 's', 'ns', 'p', 'np', 'l', 'ge', 'le', 'g'];
const READS = ['O', 'O', 'C', 'C', 'Z', 'Z', 'CZ', 'CZ', 'S', 'S', 'P', 'P', 'SO', 'SO', 'SOZ', 'SOZ'];
const conditional: RowSpec[] = NAMES.flatMap((name, code) => [
  emitted(`0f ${hex(0x40 + code)} /r`, `cmov${name}`, 'Gv,Ev', move.cmov(code), { reads: READS[code] }),
  emitted(`0f ${hex(0x90 + code)} /r`, `set${name}`, 'Eb', move.setcc(code), { reads: READS[code] }),
]);

const bitTests: RowSpec[] = (['bt', 'bts', 'btr', 'btc'] as const).flatMap((name, i) => {
  const attributes: RowAttributes = { writes: 'C', undefined: 'OSAP', lock: name !== 'bt' };
  return [
    emitted(`0f ${hex(0xa3 + i * 8)} /r`, name, 'Ev,Gv', bits.bitTest(name), attributes),
    emitted(`0f ba /${4 + i}`, name, 'Ev,Ib', bits.bitTest(name), attributes),
  ];
});

const multiplyFlags: RowAttributes = { writes: ALL, undefined: 'SZAP' };
const divideFlags: RowAttributes = { undefined: ALL };
const decimal: RowAttributes = { not64: true, writes: ALL, undefined: 'O', reads: 'AC' };

export const integerRows: readonly RowSpec[] = [
  ...alu(0x00, 'add', arithmetic.add, locked),
  ...alu(0x08, 'or', arithmetic.or, { ...locked, undefined: 'A' }),
  ...alu(0x10, 'adc', arithmetic.adc, { ...locked, reads: 'C' }),
  ...alu(0x18, 'sbb', arithmetic.sbb, { ...locked, reads: 'C' }),
  ...alu(0x20, 'and', arithmetic.and, { ...locked, undefined: 'A' }),
  ...alu(0x28, 'sub', arithmetic.sub, locked),
  ...alu(0x30, 'xor', arithmetic.xor, { ...locked, undefined: 'A' }),
  ...alu(0x38, 'cmp', arithmetic.cmp, { writes: ALL }),

  emitted('27', 'daa', '', arithmetic.daa, decimal),
  emitted('2f', 'das', '', arithmetic.das, decimal),
  emitted('37', 'aaa', '', arithmetic.aaa, { ...decimal, undefined: 'OSZP' }),
  emitted('3f', 'aas', '', arithmetic.aas, { ...decimal, undefined: 'OSZP' }),
  emitted('d4', 'aam', 'Ib', arithmetic.aam, { ...decimal, undefined: 'OAC', reads: '' }),
  emitted('d5', 'aad', 'Ib', arithmetic.aad, { ...decimal, undefined: 'OAC', reads: '' }),

  emitted('40+r', 'inc', 'Zv', arithmetic.inc, { not64: true, writes: 'OSZAP' }),
  emitted('48+r', 'dec', 'Zv', arithmetic.dec, { not64: true, writes: 'OSZAP' }),
  emitted('fe /0', 'inc', 'Eb', arithmetic.inc, { writes: 'OSZAP', lock: true }),
  emitted('ff /0', 'inc', 'Ev', arithmetic.inc, { writes: 'OSZAP', lock: true }),
  emitted('fe /1', 'dec', 'Eb', arithmetic.dec, { writes: 'OSZAP', lock: true }),
  emitted('ff /1', 'dec', 'Ev', arithmetic.dec, { writes: 'OSZAP', lock: true }),

  emitted('84 /r', 'test', 'Eb,Gb', arithmetic.test, { writes: ALL, undefined: 'A' }),
  emitted('85 /r', 'test', 'Ev,Gv', arithmetic.test, { writes: ALL, undefined: 'A' }),
  emitted('a8', 'test', 'AL,Ib', arithmetic.test, { writes: ALL, undefined: 'A' }),
  emitted('a9', 'test', 'rAX,Iz', arithmetic.test, { writes: ALL, undefined: 'A' }),
  // /1 is an undocumented alias of /0.
  ...[0, 1].flatMap((extension) => [
    emitted(`f6 /${extension}`, 'test', 'Eb,Ib', arithmetic.test, { writes: ALL, undefined: 'A' }),
    emitted(`f7 /${extension}`, 'test', 'Ev,Iz', arithmetic.test, { writes: ALL, undefined: 'A' }),
  ]),
  ...unary(2, 'not', arithmetic.not, { lock: true }),
  ...unary(3, 'neg', arithmetic.neg, locked),
  ...unary(4, 'mul', multiply.mul, multiplyFlags),
  ...unary(5, 'imul', multiply.imul1, multiplyFlags),
  ...unary(6, 'div', multiply.div, divideFlags),
  ...unary(7, 'idiv', multiply.idiv, divideFlags),
  emitted('0f af /r', 'imul', 'Gv,Ev', multiply.imul2, multiplyFlags),
  emitted('69 /r', 'imul', 'Gv,Ev,Iz', multiply.imul3, multiplyFlags),
  emitted('6b /r', 'imul', 'Gv,Ev,Ibs', multiply.imul3, multiplyFlags),

  emitted('0f b0 /r', 'cmpxchg', 'Eb,Gb', arithmetic.cmpxchg, locked),
  emitted('0f b1 /r', 'cmpxchg', 'Ev,Gv', arithmetic.cmpxchg, locked),
  emitted('0f c7 /1', 'cmpxchg8b', 'Mq', arithmetic.cmpxchgPair, { writes: 'Z', lock: true, form: 'memory' }),
  emitted('rex.w 0f c7 /1', 'cmpxchg16b', 'Mdq', arithmetic.cmpxchgPair, { writes: 'Z', lock: true, form: 'memory' }),
  emitted('0f c0 /r', 'xadd', 'Eb,Gb', arithmetic.xadd, locked),
  emitted('0f c1 /r', 'xadd', 'Ev,Gv', arithmetic.xadd, locked),

  ...shifts(0, 'rol', bits.rol, rotateFlags),
  ...shifts(1, 'ror', bits.ror, rotateFlags),
  ...shifts(2, 'rcl', bits.rcl, rotateCarryFlags),
  ...shifts(3, 'rcr', bits.rcr, rotateCarryFlags),
  ...shifts(4, 'shl', bits.shl, shiftFlags),
  ...shifts(5, 'shr', bits.shr, shiftFlags),
  // /6 is an undocumented alias of /4.
  ...shifts(6, 'shl', bits.shl, shiftFlags),
  ...shifts(7, 'sar', bits.sar, shiftFlags),
  emitted('0f a4 /r', 'shld', 'Ev,Gv,Ib', bits.shld, shiftFlags),
  emitted('0f a5 /r', 'shld', 'Ev,Gv,CL', bits.shld, shiftFlags),
  emitted('0f ac /r', 'shrd', 'Ev,Gv,Ib', bits.shrd, shiftFlags),
  emitted('0f ad /r', 'shrd', 'Ev,Gv,CL', bits.shrd, shiftFlags),
  ...bitTests,
  emitted('0f bc /r', 'bsf', 'Gv,Ev', bits.bsf, { writes: 'Z', undefined: 'OSAPC' }),
  emitted('0f bd /r', 'bsr', 'Gv,Ev', bits.bsr, { writes: 'Z', undefined: 'OSAPC' }),
  emitted('f3 0f bc /r', 'tzcnt', 'Gv,Ev', bits.tzcnt, { writes: 'ZC', undefined: 'OSAP' }),
  emitted('f3 0f bd /r', 'lzcnt', 'Gv,Ev', bits.lzcnt, { writes: 'ZC', undefined: 'OSAP' }),
  emitted('f3 0f b8 /r', 'popcnt', 'Gv,Ev', bits.popcnt, { writes: ALL }),

  emitted('88 /r', 'mov', 'Eb,Gb', move.mov),
  emitted('89 /r', 'mov', 'Ev,Gv', move.mov),
  emitted('8a /r', 'mov', 'Gb,Eb', move.mov),
  emitted('8b /r', 'mov', 'Gv,Ev', move.mov),
  emitted('a0', 'mov', 'AL,Ob', move.mov),
  emitted('a1', 'mov', 'rAX,Ov', move.mov),
  emitted('a2', 'mov', 'Ob,AL', move.mov),
  emitted('a3', 'mov', 'Ov,rAX', move.mov),
  emitted('b0+r', 'mov', 'Zb,Ib', move.mov),
  emitted('b8+r', 'mov', 'Zv,Iv', move.mov),
  emitted('c6 /0', 'mov', 'Eb,Ib', move.mov),
  emitted('c7 /0', 'mov', 'Ev,Iz', move.mov),
  emitted('np 0f c3 /r', 'movnti', 'My,Gy', move.mov, { form: 'memory' }),
  emitted('8d /r', 'lea', 'Gv,M', move.lea, { form: 'memory' }),
  emitted('0f b6 /r', 'movzx', 'Gv,Eb', move.movzx),
  emitted('0f b7 /r', 'movzx', 'Gv,Ew', move.movzx),
  emitted('0f be /r', 'movsx', 'Gv,Eb', move.movsx),
  emitted('0f bf /r', 'movsx', 'Gv,Ew', move.movsx),
  emitted('63 /r', 'movsxd', 'Gv,Ez', move.movsx, { only64: true }),
  emitted('86 /r', 'xchg', 'Eb,Gb', move.xchg, { lock: true }),
  emitted('87 /r', 'xchg', 'Ev,Gv', move.xchg, { lock: true }),
  emitted('nb 90', 'nop', '', move.nop),
  guarded('f3 90', 'pause', '', move.pause, move.pausePlain, { intercept: 'pause' }),
  emitted('90+r', 'xchg', 'Zv,rAX', move.xchg),
  emitted('98', 'cbw', '', move.extendAccumulator),
  emitted('99', 'cwd', '', move.signToData),
  emitted('0f c8+r', 'bswap', 'Zv', move.bswap),
  emitted('nfx 0f 38 f0 /r', 'movbe', 'Gv,Mv', move.movbe, { form: 'memory' }),
  emitted('nfx 0f 38 f1 /r', 'movbe', 'Mv,Gv', move.movbe, { form: 'memory' }),
  emitted('d7', 'xlat', 'Xb', move.xlat),
  ...conditional,

  // Hints: what a processor without the feature executes as NOP (ENDBR, PREFETCH, multi-byte NOP), and fences.
  ...['0d', '18', '19', '1a', '1b', '1c', '1d', '1e', '1f'].map((byte) => emitted(`0f ${byte} /r`, 'nop', 'Ev', move.nop)), // prettier-ignore
  ...[5, 6, 7].map((n) =>
    emitted(`np 0f ae /${n}`, ['lfence', 'mfence', 'sfence'][n - 5], '', move.nop, { form: 'register' }),
  ),

  emitted('50+r', 'push', 'Zv', stack.push, { default64: true }),
  emitted('58+r', 'pop', 'Zv', stack.pop, { default64: true }),
  emitted('68', 'push', 'Iz', stack.push, { default64: true }),
  emitted('6a', 'push', 'Ibs', stack.push, { default64: true }),
  emitted('ff /6', 'push', 'Ev', stack.push, { default64: true }),
  emitted('8f /0', 'pop', 'Ev', stack.pop, { default64: true }),
  emitted('60', 'pusha', '', stack.pusha, { not64: true }),
  emitted('61', 'popa', '', stack.popa, { not64: true }),
  emitted('c8', 'enter', 'Iw,Ib', stack.enter, { default64: true }),
  emitted('c9', 'leave', '', stack.leave, { default64: true }),
  emitted('62 /r', 'bound', 'Gv,M', stack.bound, { not64: true, form: 'memory' }),
  emitted('d6', 'salc', '', stack.salc, { not64: true, reads: 'C' }),

  emitted('f5', 'cmc', '', flags.cmc, { writes: 'C', reads: 'C' }),
  emitted('f8', 'clc', '', flags.clc, { writes: 'C' }),
  emitted('f9', 'stc', '', flags.stc, { writes: 'C' }),
  emitted('fc', 'cld', '', flags.cld, { writes: 'D' }),
  emitted('fd', 'std', '', flags.std, { writes: 'D' }),
  emitted('9e', 'sahf', '', flags.sahf, { writes: 'SZAPC' }),
  emitted('9f', 'lahf', '', flags.lahf, { reads: 'SZAPC' }),
];
