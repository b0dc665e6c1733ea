/** AVX and AVX2 instructions that SSE does not have, FMA3 and F16C. SDM vol. 1 sections 14.4 to 14.7; vol. 2C. */
import type { RowAttributes } from '../instruction';
import { called, emitted } from '../row';
import type { RowSpec } from '../row';
import * as avx from '../semantics/avx';
import * as memory from '../semantics/avx-memory';
import type { Shape } from '../semantics/float-lanes';
import * as fma from '../semantics/fma';
import { blend } from '../semantics/sse4';
import { pshufd } from '../semantics/sse-shuffle';
import { vex } from '../semantics/vex';

const first: RowAttributes = { feature: 'avx' };
const second: RowAttributes = { feature: 'avx2' };
const inMemory = (attributes: RowAttributes): RowAttributes => ({ ...attributes, form: 'memory' });
const inRegister = (attributes: RowAttributes): RowAttributes => ({ ...attributes, form: 'register' });

const permutations: RowSpec[] = [
  emitted('vex w0 66 0f 38 18 /r', 'vbroadcastss', 'V,Wd', avx.broadcast(32), inMemory(first)),
  emitted('vex w0 66 0f 38 18 /r', 'vbroadcastss', 'V,Ux', avx.broadcast(32), inRegister(second)),
  emitted('vex l1 w0 66 0f 38 19 /r', 'vbroadcastsd', 'V,Wq', avx.broadcast(64), inMemory(first)),
  emitted('vex l1 w0 66 0f 38 19 /r', 'vbroadcastsd', 'V,Ux', avx.broadcast(64), inRegister(second)),
  emitted('vex l1 w0 66 0f 38 1a /r', 'vbroadcastf128', 'V,Wx', avx.broadcastHalf, inMemory(first)),
  emitted('vex l1 w0 66 0f 38 5a /r', 'vbroadcasti128', 'V,Wx', avx.broadcastHalf, inMemory(second)),
  ...([['78', 'b', 8, 'b'], ['79', 'w', 16, 'w'], ['58', 'd', 32, 'd'], ['59', 'q', 64, 'q']] as const).map(([opcode, name, lane, size]) =>
    emitted(`vex w0 66 0f 38 ${opcode} /r`, `vpbroadcast${name}`, `V,W${size}`, avx.broadcast(lane), second)),
  ...([['18', '19', '06', 'f', first], ['38', '39', '46', 'i', second]] as const).flatMap(([insert, extract, both, letter, attributes]) => [
    emitted(`vex l1 w0 66 0f 3a ${insert} /r`, `vinsert${letter}128`, 'V,H,Wx,Ib', avx.insertHalf, attributes),
    emitted(`vex l1 w0 66 0f 3a ${extract} /r`, `vextract${letter}128`, 'Wx,V,Ib', avx.extractHalf, attributes),
    emitted(`vex l1 w0 66 0f 3a ${both} /r`, `vperm2${letter}128`, 'V,H,W,Ib', avx.permuteHalves, attributes),
  ]),
  emitted('vex w0 66 0f 38 0c /r', 'vpermilps', 'V,H,W', vex(avx.permuteSingles, true), first),
  emitted('vex w0 66 0f 38 0d /r', 'vpermilpd', 'V,H,W', vex(avx.permuteDoubles, true), first),
  emitted('vex w0 66 0f 3a 04 /r', 'vpermilps', 'V,W,Ib', vex(pshufd, false), first),
  emitted('vex w0 66 0f 3a 05 /r', 'vpermilpd', 'V,W,Ib', vex(avx.permuteDoublesBy, false), first),
  emitted('vex l1 w0 66 0f 38 36 /r', 'vpermd', 'V,H,W', avx.permuteDoublewords, second),
  emitted('vex l1 w0 66 0f 38 16 /r', 'vpermps', 'V,H,W', avx.permuteDoublewords, second),
  emitted('vex l1 w1 66 0f 3a 00 /r', 'vpermq', 'V,W,Ib', avx.permuteQuadwords, second),
  emitted('vex l1 w1 66 0f 3a 01 /r', 'vpermpd', 'V,W,Ib', avx.permuteQuadwords, second),
  emitted('vex w0 66 0f 3a 02 /r', 'vpblendd', 'V,H,W,Ib', vex(blend(32), true), second),
  emitted('vex w0 66 0f 38 47 /r', 'vpsllvd', 'V,H,W', vex(avx.shiftLanes(32, 'l'), true), second),
  emitted('vex w1 66 0f 38 47 /r', 'vpsllvq', 'V,H,W', vex(avx.shiftLanes(64, 'l'), true), second),
  emitted('vex w0 66 0f 38 45 /r', 'vpsrlvd', 'V,H,W', vex(avx.shiftLanes(32, 'rl'), true), second),
  emitted('vex w1 66 0f 38 45 /r', 'vpsrlvq', 'V,H,W', vex(avx.shiftLanes(64, 'rl'), true), second),
  emitted('vex w0 66 0f 38 46 /r', 'vpsravd', 'V,H,W', vex(avx.shiftLanes(32, 'ra'), true), second),
]; // prettier-ignore

const MASKED: readonly [string, string, string, string, 32 | 64, RowAttributes][] = [
  ['w0', '2c', '2e', 'vmaskmovps', 32, first], ['w0', '2d', '2f', 'vmaskmovpd', 64, first],
  ['w0', '8c', '8e', 'vpmaskmovd', 32, second], ['w1', '8c', '8e', 'vpmaskmovq', 64, second],
]; // prettier-ignore
const GATHERS: readonly [string, string, string, 32 | 64, 32 | 64][] = [
  ['w0', '90', 'vpgatherdd', 32, 32], ['w1', '90', 'vpgatherdq', 32, 64], ['w0', '91', 'vpgatherqd', 64, 32], ['w1', '91', 'vpgatherqq', 64, 64],
  ['w0', '92', 'vgatherdps', 32, 32], ['w1', '92', 'vgatherdpd', 32, 64], ['w0', '93', 'vgatherqps', 64, 32], ['w1', '93', 'vgatherqpd', 64, 64],
]; // prettier-ignore
const memories: RowSpec[] = [
  ...MASKED.flatMap(([w, load, store, name, lane, attributes]) => [
    called(`vex ${w} 66 0f 38 ${load} /r`, name, 'V,H,W', memory.maskedLoad(lane), inMemory(attributes)),
    called(`vex ${w} 66 0f 38 ${store} /r`, name, 'W,H,V', memory.maskedStore(lane), inMemory(attributes)),
  ]),
  ...GATHERS.map(([w, opcode, name, index, lane]) => {
    // Fewer lanes than the vectors would hold: with quadword indices, doublewords fill half.
    const vector = index > lane ? 'x' : '';
    const indices = lane > index ? 'x' : '';
    return called(`vex ${w} 66 0f 38 ${opcode} /r`, name, `V${vector},Mi${indices},H${vector}`, memory.gather(index, lane), inMemory(second)); // prettier-ignore
  }),
  called('vex w0 66 0f 3a 4a /r', 'vblendvps', 'V,H,W,L', memory.blendBy(32), first),
  called('vex w0 66 0f 3a 4b /r', 'vblendvpd', 'V,H,W,L', memory.blendBy(64), first),
  called('vex l0 w0 66 0f 3a 4c /r', 'vpblendvb', 'V,H,W,L', memory.blendBy(8), first),
  called('vex l1 w0 66 0f 3a 4c /r', 'vpblendvb', 'V,H,W,L', memory.blendBy(8), second),
];

/** Low digit of the opcode, name, shapes, signs. The high digit is the order: 9 132, a 213, b 231. */
const FUSED: readonly [string, string, readonly ['ps', 'pd'] | readonly ['ss', 'sd'], fma.Signs][] = [
  ['6', 'fmaddsub', ['ps', 'pd'], { alternate: 'even' }], ['7', 'fmsubadd', ['ps', 'pd'], { alternate: 'odd' }],
  ['8', 'fmadd', ['ps', 'pd'], {}], ['9', 'fmadd', ['ss', 'sd'], {}],
  ['a', 'fmsub', ['ps', 'pd'], { addend: true }], ['b', 'fmsub', ['ss', 'sd'], { addend: true }],
  ['c', 'fnmadd', ['ps', 'pd'], { product: true }], ['d', 'fnmadd', ['ss', 'sd'], { product: true }],
  ['e', 'fnmsub', ['ps', 'pd'], { product: true, addend: true }], ['f', 'fnmsub', ['ss', 'sd'], { product: true, addend: true }],
]; // prettier-ignore
const OPERANDS: Record<Shape, string> = { ps: 'V,H,W', pd: 'V,H,W', ss: 'Vx,Hx,Wd', sd: 'Vx,Hx,Wq' };
const fusedRows: RowSpec[] = ([['9', '132'], ['a', '213'], ['b', '231']] as const).flatMap(([digit, order]) =>
  FUSED.flatMap(([low, name, shapes, signs]) =>
    shapes.map((shape, w) => called(`vex w${w} 66 0f 38 ${digit}${low} /r`, `v${name}${order}${shape}`, OPERANDS[shape], fma.fused(shape, order, signs), { feature: 'fma' })),
  ),
); // prettier-ignore

export const avx2Rows: readonly RowSpec[] = [
  ...permutations,
  ...memories,
  ...fusedRows,
  called('vex w0 66 0f 38 13 /r', 'vcvtph2ps', 'V,Wh', fma.fromHalf, { feature: 'f16c' }),
  called('vex w0 66 0f 3a 1d /r', 'vcvtps2ph', 'Wh,V,Ib', fma.toHalf, { feature: 'f16c' }),
];
