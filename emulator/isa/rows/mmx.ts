/** MMX, and what SSE and SSE2 added on MMX registers. SDM vol. 2D table A-3. */
import type { RowAttributes } from '../instruction';
import { called, emitted } from '../row';
import type { RowSpec } from '../row';
import * as mmx from '../semantics/mmx';
import * as convert from '../semantics/mmx-convert';
import { COMBINE } from '../semantics/sse';
import type { Shift } from '../semantics/sse';

type Feature = 'mmx' | 'sse' | 'sse2';
const has = (feature: Feature): RowAttributes => ({ feature });
const inRegister = (feature: Feature): RowAttributes => ({ feature, form: 'register' });

/** Opcode, name, WebAssembly's SIMD opcode, feature. */
const PACKED: readonly [string, string, number, Feature?][] = [
  ['64', 'pcmpgtb', 0x27], ['65', 'pcmpgtw', 0x31], ['66', 'pcmpgtd', 0x3b], ['74', 'pcmpeqb', 0x23], ['75', 'pcmpeqw', 0x2d], ['76', 'pcmpeqd', 0x37],
  ['d4', 'paddq', 0xce, 'sse2'], ['d5', 'pmullw', 0x95], ['d8', 'psubusb', 0x73], ['d9', 'psubusw', 0x93], ['da', 'pminub', 0x77, 'sse'], ['db', 'pand', 0x4e],
  ['dc', 'paddusb', 0x70], ['dd', 'paddusw', 0x90], ['de', 'pmaxub', 0x79, 'sse'], ['e0', 'pavgb', 0x7b, 'sse'], ['e3', 'pavgw', 0x9b, 'sse'],
  ['e8', 'psubsb', 0x72], ['e9', 'psubsw', 0x92], ['ea', 'pminsw', 0x96, 'sse'], ['eb', 'por', 0x50], ['ec', 'paddsb', 0x6f], ['ed', 'paddsw', 0x8f],
  ['ee', 'pmaxsw', 0x98, 'sse'], ['ef', 'pxor', 0x51], ['f5', 'pmaddwd', 0xba], ['f8', 'psubb', 0x71], ['f9', 'psubw', 0x91], ['fa', 'psubd', 0xb1],
  ['fb', 'psubq', 0xd1, 'sse2'], ['fc', 'paddb', 0x6e], ['fd', 'paddw', 0x8e], ['fe', 'paddd', 0xae],
]; // prettier-ignore
const COMBINED: readonly [string, string, keyof typeof COMBINE, Feature?][] = [
  ['df', 'pandn', 'andn'], ['e4', 'pmulhuw', 'mulhuw', 'sse'], ['e5', 'pmulhw', 'mulhw'], ['f4', 'pmuludq', 'muludq', 'sse2'], ['f6', 'psadbw', 'sadbw', 'sse'],
]; // prettier-ignore
const PACKS: readonly [string, string, number][] = [['63', 'packsswb', 0x65], ['67', 'packuswb', 0x66], ['6b', 'packssdw', 0x85]]; // prettier-ignore
/** Opcodes of the low and the high form. */
const UNPACKS: readonly [string, string, string, keyof typeof COMBINE][] = [
  ['60', '68', 'bw', 'unpcklb'], ['61', '69', 'wd', 'unpcklw'], ['62', '6a', 'dq', 'unpckld'],
]; // prettier-ignore
const SHIFTS: readonly [string, string, string, 16 | 32 | 64, Shift][] = [
  ['d1', '71 /2', 'psrlw', 16, 'rl'], ['d2', '72 /2', 'psrld', 32, 'rl'], ['d3', '73 /2', 'psrlq', 64, 'rl'],
  ['e1', '71 /4', 'psraw', 16, 'ra'], ['e2', '72 /4', 'psrad', 32, 'ra'],
  ['f1', '71 /6', 'psllw', 16, 'l'], ['f2', '72 /6', 'pslld', 32, 'l'], ['f3', '73 /6', 'psllq', 64, 'l'],
]; // prettier-ignore

const operations: RowSpec[] = [
  ...PACKED.map(([opcode, name, simd, feature]) => emitted(`np 0f ${opcode} /r`, name, 'P,Q', mmx.packed(simd), has(feature ?? 'mmx'))),
  ...COMBINED.map(([opcode, name, f, feature]) => emitted(`np 0f ${opcode} /r`, name, 'P,Q', mmx.combine(COMBINE[f]), has(feature ?? 'mmx'))),
  ...PACKS.map(([opcode, name, simd]) => emitted(`np 0f ${opcode} /r`, name, 'P,Q', mmx.pack(simd), has('mmx'))),
  ...UNPACKS.flatMap(([low, high, lanes, f]) => [
    emitted(`np 0f ${low} /r`, `punpckl${lanes}`, 'P,Qd', mmx.combine(COMBINE[f], 32), has('mmx')),
    emitted(`np 0f ${high} /r`, `punpckh${lanes}`, 'P,Q', mmx.unpackHigh(COMBINE[f]), has('mmx')),
  ]),
  ...SHIFTS.flatMap(([opcode, group, name, lane, kind]) => [
    emitted(`np 0f ${opcode} /r`, name, 'P,Q', mmx.shift(lane, kind), has('mmx')),
    emitted(`np 0f ${group}`, name, 'N,Ib', mmx.shift(lane, kind), inRegister('mmx')),
  ]),
  emitted('np 0f 70 /r', 'pshufw', 'P,Q,Ib', mmx.pshufw, has('sse')),
  emitted('np 0f c4 /r', 'pinsrw', 'P,Ed,Ib', mmx.pinsrw, has('sse')),
  emitted('np 0f c5 /r', 'pextrw', 'Gd,N,Ib', mmx.pextrw, inRegister('sse')),
]; // prettier-ignore

const moves: RowSpec[] = [
  emitted('np 0f 77', 'emms', '', mmx.emms, has('mmx')),
  emitted('np 0f 6e /r', 'movd', 'P,Ey', mmx.load64, has('mmx')),
  emitted('np 0f 7e /r', 'movd', 'Ey,P', mmx.store, has('mmx')),
  emitted('np 0f 6f /r', 'movq', 'P,Q', mmx.load64, has('mmx')),
  emitted('np 0f 7f /r', 'movq', 'Q,P', mmx.store, has('mmx')),
  emitted('np 0f e7 /r', 'movntq', 'Q,P', mmx.store, { feature: 'sse', form: 'memory' }),
  emitted('np 0f d7 /r', 'pmovmskb', 'Gd,N', mmx.pmovmskb, inRegister('sse')),
  emitted('f3 0f d6 /r', 'movq2dq', 'V,N', mmx.movq2dq, inRegister('sse2')),
  emitted('f2 0f d6 /r', 'movdq2q', 'P,U', mmx.movdq2q, inRegister('sse2')),
  called('np 0f f7 /r', 'maskmovq', 'P,N', convert.maskmovq, inRegister('sse')),
];

const conversions: RowSpec[] = [
  called('np 0f 2a /r', 'cvtpi2ps', 'V,Q', convert.fromIntegers(32), has('sse')),
  called('66 0f 2a /r', 'cvtpi2pd', 'V,Q', convert.fromIntegers(64), has('sse2')),
  called('np 0f 2c /r', 'cvttps2pi', 'P,Wq', convert.toIntegers(32, true), has('sse')),
  called('np 0f 2d /r', 'cvtps2pi', 'P,Wq', convert.toIntegers(32, false), has('sse')),
  called('66 0f 2c /r', 'cvttpd2pi', 'P,W', convert.toIntegers(64, true), has('sse2')),
  called('66 0f 2d /r', 'cvtpd2pi', 'P,W', convert.toIntegers(64, false), has('sse2')),
];

export const mmxRows: readonly RowSpec[] = [...operations, ...moves, ...conversions];
