/** SSE and SSE2 on XMM registers. SDM vol. 2D table A-3. MMX registers are not here. */
import type { Emitter } from '../../execution/builder';
import type { RowAttributes } from '../instruction';
import { called, emitted, guarded } from '../row';
import type { RowSpec } from '../row';
import { maskmovdqu } from '../semantics/mmx-convert';
import * as sse from '../semantics/sse';
import * as emit from '../semantics/float-emit';
import type { Shape } from '../semantics/float-lanes';
import * as float from '../semantics/sse-float';
import * as pick from '../semantics/sse-shuffle';
import * as lanes from '../../util/binary-float';

const first: RowAttributes = { feature: 'sse' };
const second: RowAttributes = { feature: 'sse2' };
const memory = (attributes: RowAttributes): RowAttributes => ({ ...attributes, form: 'memory' });
const register = (attributes: RowAttributes): RowAttributes => ({ ...attributes, form: 'register' });

/** Prefix, memory size and feature of the four shapes of a floating-point operation. */
const SHAPES: readonly [Shape, string, string, RowAttributes][] = [
  ['ps', 'np', 'W', first], ['ss', 'f3', 'Wd', first], ['pd', '66', 'W', second], ['sd', 'f2', 'Wq', second],
]; // prettier-ignore
const floats = (opcode: string, name: string, f: (shape: Shape) => (e: Emitter) => void, lane: lanes.Lane): RowSpec[] =>
  SHAPES.map(([shape, prefix, w, attributes]) =>
    guarded(`${prefix} 0f ${opcode} /r`, name + shape, `V,${w}`, f(shape), float.lanes(shape, lane), attributes),
  );
const approximate = (opcode: string, name: string, lane: lanes.Lane): RowSpec[] =>
  SHAPES.slice(0, 2).map(([shape, prefix, w, attributes]) =>
    called(`${prefix} 0f ${opcode} /r`, name + shape, `V,${w}`, float.lanes(shape, lane), attributes),
  );
const flags: RowAttributes = { writes: 'OSZAPC' };

const arithmetic: RowSpec[] = [
  ...floats('58', 'add', (s) => emit.arithmetic(s, 'add'), lanes.add), ...floats('59', 'mul', (s) => emit.arithmetic(s, 'mul'), lanes.multiply),
  ...floats('5c', 'sub', (s) => emit.arithmetic(s, 'sub'), lanes.subtract), ...floats('5e', 'div', (s) => emit.arithmetic(s, 'div'), lanes.divide),
  ...floats('5d', 'min', (s) => emit.extreme(s, 'min'), lanes.minimum), ...floats('5f', 'max', (s) => emit.extreme(s, 'max'), lanes.maximum),
  ...floats('51', 'sqrt', (s) => emit.arithmetic(s, 'sqrt'), lanes.squareRoot),
  ...approximate('52', 'rsqrt', lanes.approximate(true)), ...approximate('53', 'rcp', lanes.approximate(false)),
  ...SHAPES.map(([shape, prefix, w, attributes]) => guarded(`${prefix} 0f c2 /r`, `cmp${shape}`, `V,${w},Ib`, emit.compare(shape), float.compare(shape), attributes)),
  guarded('np 0f 2e /r', 'ucomiss', 'V,Wd', emit.compareToFlags('ss'), float.compareToFlags('ss', false), { ...first, ...flags }),
  guarded('np 0f 2f /r', 'comiss', 'V,Wd', emit.compareToFlags('ss'), float.compareToFlags('ss', true), { ...first, ...flags }),
  guarded('66 0f 2e /r', 'ucomisd', 'V,Wq', emit.compareToFlags('sd'), float.compareToFlags('sd', false), { ...second, ...flags }),
  guarded('66 0f 2f /r', 'comisd', 'V,Wq', emit.compareToFlags('sd'), float.compareToFlags('sd', true), { ...second, ...flags }),
]; // prettier-ignore

const conversions: RowSpec[] = [
  guarded('f3 0f 2a /r', 'cvtsi2ss', 'V,Ey', emit.fromInteger('ss'), float.fromInteger('ss'), first),
  guarded('f2 0f 2a /r', 'cvtsi2sd', 'V,Ey', emit.fromInteger('sd'), float.fromInteger('sd'), second),
  guarded('f3 0f 2c /r', 'cvttss2si', 'Gy,Wd', emit.toInteger('ss', true), float.toInteger('ss', true), first),
  guarded('f2 0f 2c /r', 'cvttsd2si', 'Gy,Wq', emit.toInteger('sd', true), float.toInteger('sd', true), second),
  guarded('f3 0f 2d /r', 'cvtss2si', 'Gy,Wd', emit.toInteger('ss', false), float.toInteger('ss', false), first),
  guarded('f2 0f 2d /r', 'cvtsd2si', 'Gy,Wq', emit.toInteger('sd', false), float.toInteger('sd', false), second),
  guarded('np 0f 5a /r', 'cvtps2pd', 'V,Wh', emit.widenPair, float.cvtps2pd, second),
  guarded('66 0f 5a /r', 'cvtpd2ps', 'V,W', emit.narrowPair, float.cvtpd2ps, second),
  guarded('f3 0f 5a /r', 'cvtss2sd', 'V,Wd', emit.resize('ss'), float.cvtss2sd, second),
  guarded('f2 0f 5a /r', 'cvtsd2ss', 'V,Wq', emit.resize('sd'), float.cvtsd2ss, second),
  guarded('np 0f 5b /r', 'cvtdq2ps', 'V,W', emit.cvtdq2ps, float.cvtdq2ps, second),
  guarded('66 0f 5b /r', 'cvtps2dq', 'V,W', emit.toIntegers('ps', false), float.cvtps2dq(false), second),
  guarded('f3 0f 5b /r', 'cvttps2dq', 'V,W', emit.toIntegers('ps', true), float.cvtps2dq(true), second),
  emitted('f3 0f e6 /r', 'cvtdq2pd', 'V,Wh', emit.cvtdq2pd, second),
  guarded('f2 0f e6 /r', 'cvtpd2dq', 'V,W', emit.toIntegers('pd', false), float.cvtpd2dq(false), second),
  guarded('66 0f e6 /r', 'cvttpd2dq', 'V,W', emit.toIntegers('pd', true), float.cvtpd2dq(true), second),
]; // prettier-ignore

const moves: RowSpec[] = [
  ...([['np', 'ps', first], ['66', 'pd', second]] as const).flatMap(([prefix, shape, attributes]) => [
    emitted(`${prefix} 0f 10 /r`, `movu${shape}`, 'V,W', sse.load(128, 'unaligned'), attributes),
    emitted(`${prefix} 0f 11 /r`, `movu${shape}`, 'W,V', sse.store(128, 'unaligned'), attributes),
    emitted(`${prefix} 0f 28 /r`, `mova${shape}`, 'V,W', sse.load(128, 'aligned'), attributes),
    emitted(`${prefix} 0f 29 /r`, `mova${shape}`, 'W,V', sse.store(128, 'aligned'), attributes),
    emitted(`${prefix} 0f 2b /r`, `movnt${shape}`, 'W,V', sse.store(128, 'aligned'), memory(attributes)),
    emitted(`${prefix} 0f 12 /r`, `movl${shape}`, 'V,Wq', sse.intoHalf(0, 1), memory(attributes)),
    emitted(`${prefix} 0f 13 /r`, `movl${shape}`, 'Wq,V', sse.storeHalf(0), memory(attributes)),
    emitted(`${prefix} 0f 16 /r`, `movh${shape}`, 'V,Wq', sse.intoHalf(1, 0), memory(attributes)),
    emitted(`${prefix} 0f 17 /r`, `movh${shape}`, 'Wq,V', sse.storeHalf(1), memory(attributes)),
    emitted(`${prefix} 0f 50 /r`, `movmsk${shape}`, 'Gd,U', sse.signMask(shape === 'ps' ? 0xa4 : 0xc4), register(attributes)),
    emitted(`${prefix} 0f 54 /r`, `and${shape}`, 'V,W', sse.packed(0x4e), attributes),
    emitted(`${prefix} 0f 55 /r`, `andn${shape}`, 'V,W', sse.combine(sse.COMBINE.andn), attributes),
    emitted(`${prefix} 0f 56 /r`, `or${shape}`, 'V,W', sse.packed(0x50), attributes),
    emitted(`${prefix} 0f 57 /r`, `xor${shape}`, 'V,W', sse.packed(0x51), attributes),
    emitted(`${prefix} 0f c6 /r`, `shuf${shape}`, 'V,W,Ib', shape === 'ps' ? pick.shufps : pick.shufpd, attributes),
    emitted(`${prefix} 0f 14 /r`, `unpckl${shape}`, 'V,W', sse.combine(shape === 'ps' ? sse.COMBINE.unpckld : sse.COMBINE.unpcklq), attributes),
    emitted(`${prefix} 0f 15 /r`, `unpckh${shape}`, 'V,W', sse.combine(shape === 'ps' ? sse.COMBINE.unpckhd : sse.COMBINE.unpckhq), attributes),
  ]),
  emitted('np 0f 12 /r', 'movhlps', 'V,U', sse.intoHalf(0, 1), register(first)),
  emitted('np 0f 16 /r', 'movlhps', 'V,U', sse.intoHalf(1, 0), register(first)),
  emitted('f3 0f 10 /r', 'movss', 'V,Wd', sse.loadLow(32, false), first),
  emitted('f3 0f 11 /r', 'movss', 'Wd,V', sse.store(32, 'unaligned'), first),
  emitted('f2 0f 10 /r', 'movsd', 'V,Wq', sse.loadLow(64, false), second),
  emitted('f2 0f 11 /r', 'movsd', 'Wq,V', sse.store(64, 'unaligned'), second),
  emitted('66 0f 6e /r', 'movd', 'V,Ey', sse.fromGeneral, second),
  emitted('66 0f 7e /r', 'movd', 'Ey,V', sse.toGeneral, second),
  emitted('f3 0f 7e /r', 'movq', 'V,Wq', sse.loadLow(64, true), second),
  emitted('66 0f d6 /r', 'movq', 'Wq,V', sse.storeQuad, second),
  emitted('66 0f 6f /r', 'movdqa', 'V,W', sse.load(128, 'aligned'), second),
  emitted('66 0f 7f /r', 'movdqa', 'W,V', sse.store(128, 'aligned'), second),
  emitted('f3 0f 6f /r', 'movdqu', 'V,W', sse.load(128, 'unaligned'), second),
  emitted('f3 0f 7f /r', 'movdqu', 'W,V', sse.store(128, 'unaligned'), second),
  emitted('66 0f e7 /r', 'movntdq', 'W,V', sse.store(128, 'aligned'), memory(second)),
  emitted('66 0f d7 /r', 'pmovmskb', 'Gd,U', sse.signMask(0x64), register(second)),
  called('66 0f f7 /r', 'maskmovdqu', 'V,U', maskmovdqu, register(second)),
  called('np 0f ae /2', 'ldmxcsr', 'Md', float.ldmxcsr, memory(first)),
  called('np 0f ae /3', 'stmxcsr', 'Md', float.stmxcsr, memory(first)),
]; // prettier-ignore

/** Opcode, name, WebAssembly's SIMD opcode. */
const PACKED: readonly [string, string, number][] = [
  ['63', 'packsswb', 0x65], ['67', 'packuswb', 0x66], ['6b', 'packssdw', 0x85],
  ['64', 'pcmpgtb', 0x27], ['65', 'pcmpgtw', 0x31], ['66', 'pcmpgtd', 0x3b], ['74', 'pcmpeqb', 0x23], ['75', 'pcmpeqw', 0x2d], ['76', 'pcmpeqd', 0x37],
  ['d4', 'paddq', 0xce], ['d5', 'pmullw', 0x95], ['d8', 'psubusb', 0x73], ['d9', 'psubusw', 0x93], ['da', 'pminub', 0x77], ['db', 'pand', 0x4e],
  ['dc', 'paddusb', 0x70], ['dd', 'paddusw', 0x90], ['de', 'pmaxub', 0x79], ['e0', 'pavgb', 0x7b], ['e3', 'pavgw', 0x9b],
  ['e8', 'psubsb', 0x72], ['e9', 'psubsw', 0x92], ['ea', 'pminsw', 0x96], ['eb', 'por', 0x50], ['ec', 'paddsb', 0x6f], ['ed', 'paddsw', 0x8f],
  ['ee', 'pmaxsw', 0x98], ['ef', 'pxor', 0x51], ['f5', 'pmaddwd', 0xba], ['f8', 'psubb', 0x71], ['f9', 'psubw', 0x91], ['fa', 'psubd', 0xb1],
  ['fb', 'psubq', 0xd1], ['fc', 'paddb', 0x6e], ['fd', 'paddw', 0x8e], ['fe', 'paddd', 0xae],
]; // prettier-ignore
const COMBINED: readonly [string, string, keyof typeof sse.COMBINE][] = [
  ['60', 'punpcklbw', 'unpcklb'], ['61', 'punpcklwd', 'unpcklw'], ['62', 'punpckldq', 'unpckld'], ['6c', 'punpcklqdq', 'unpcklq'],
  ['68', 'punpckhbw', 'unpckhb'], ['69', 'punpckhwd', 'unpckhw'], ['6a', 'punpckhdq', 'unpckhd'], ['6d', 'punpckhqdq', 'unpckhq'],
  ['df', 'pandn', 'andn'], ['e4', 'pmulhuw', 'mulhuw'], ['e5', 'pmulhw', 'mulhw'], ['f4', 'pmuludq', 'muludq'], ['f6', 'psadbw', 'sadbw'],
]; // prettier-ignore
const SHIFTS: readonly [string, string, string, 16 | 32 | 64, 'l' | 'ra' | 'rl'][] = [
  ['d1', '71 /2', 'psrlw', 16, 'rl'], ['d2', '72 /2', 'psrld', 32, 'rl'], ['d3', '73 /2', 'psrlq', 64, 'rl'],
  ['e1', '71 /4', 'psraw', 16, 'ra'], ['e2', '72 /4', 'psrad', 32, 'ra'],
  ['f1', '71 /6', 'psllw', 16, 'l'], ['f2', '72 /6', 'pslld', 32, 'l'], ['f3', '73 /6', 'psllq', 64, 'l'],
]; // prettier-ignore

const integers: RowSpec[] = [
  ...PACKED.map(([opcode, name, simd]) => emitted(`66 0f ${opcode} /r`, name, 'V,W', sse.packed(simd), second)),
  ...COMBINED.map(([opcode, name, f]) =>
    emitted(`66 0f ${opcode} /r`, name, 'V,W', sse.combine(sse.COMBINE[f]), second),
  ),
  ...SHIFTS.flatMap(([opcode, group, name, lane, kind]) => [
    emitted(`66 0f ${opcode} /r`, name, 'V,W', sse.shift(lane, kind), second),
    emitted(`66 0f ${group}`, name, 'U,Ib', sse.shift(lane, kind), register(second)),
  ]),
  emitted('66 0f 73 /3', 'psrldq', 'U,Ib', pick.byteShift(false), register(second)),
  emitted('66 0f 73 /7', 'pslldq', 'U,Ib', pick.byteShift(true), register(second)),
  emitted('66 0f 70 /r', 'pshufd', 'V,W,Ib', pick.pshufd, second),
  emitted('f2 0f 70 /r', 'pshuflw', 'V,W,Ib', pick.pshuflw, second),
  emitted('f3 0f 70 /r', 'pshufhw', 'V,W,Ib', pick.pshufhw, second),
  emitted('66 0f c4 /r', 'pinsrw', 'V,Ed,Ib', pick.pinsrw, second),
  emitted('66 0f c5 /r', 'pextrw', 'Gd,U,Ib', pick.pextrw, register(second)),
];

export const sseRows: readonly RowSpec[] = [...arithmetic, ...conversions, ...moves, ...integers];
