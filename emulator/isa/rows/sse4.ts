/** SSE4.1 and SSE4.2. SDM vol. 2D tables. POPCNT is with the integers. */
import type { RowAttributes } from '../instruction';
import { called, emitted, guarded } from '../row';
import type { RowSpec } from '../row';
import * as emit from '../semantics/float-emit';
import type { Shape } from '../semantics/float-lanes';
import * as sse from '../semantics/sse';
import { dotProduct } from '../semantics/sse3';
import * as sse4 from '../semantics/sse4';
import { compareStrings } from '../semantics/sse4-string';
import { round } from '../semantics/sse-float';

const first: RowAttributes = { feature: 'sse4.1' };
const second: RowAttributes = { feature: 'sse4.2' };
const inRegister: RowAttributes = { ...first, form: 'register' };
const inMemory: RowAttributes = { ...first, form: 'memory' };

/** Opcode, name, WebAssembly's SIMD opcode. */
const PACKED: readonly [string, string, number][] = [
  ['29', 'pcmpeqq', 0xd6], ['2b', 'packusdw', 0x86], ['38', 'pminsb', 0x76], ['39', 'pminsd', 0xb6], ['3a', 'pminuw', 0x97], ['3b', 'pminud', 0xb7],
  ['3c', 'pmaxsb', 0x78], ['3d', 'pmaxsd', 0xb8], ['3e', 'pmaxuw', 0x99], ['3f', 'pmaxud', 0xb9], ['40', 'pmulld', 0xb5],
]; // prettier-ignore
const EXTENSIONS: readonly [string, 8 | 16 | 32, 16 | 32 | 64, string][] = [
  ['bw', 8, 16, 'h'], ['bd', 8, 32, 'k'], ['bq', 8, 64, 'e'], ['wd', 16, 32, 'h'], ['wq', 16, 64, 'k'], ['dq', 32, 64, 'h'],
]; // prettier-ignore
const ROUNDS: readonly [string, Shape, string][] = [['08', 'ps', 'W'], ['09', 'pd', 'W'], ['0a', 'ss', 'Wd'], ['0b', 'sd', 'Wq']]; // prettier-ignore

export const sse4Rows: readonly RowSpec[] = [
  ...PACKED.map(([opcode, name, simd]) => emitted(`66 0f 38 ${opcode} /r`, name, 'V,W', sse.packed(simd), first)),
  emitted('66 0f 38 28 /r', 'pmuldq', 'V,W', sse.combine(sse4.muldq), first),
  emitted('66 0f 38 37 /r', 'pcmpgtq', 'V,W', sse.packed(0xd9), second),
  ...EXTENSIONS.flatMap(([name, from, to, size], i) => [
    emitted(`66 0f 38 2${i} /r`, `pmovsx${name}`, `V,W${size}`, sse4.extend('s', from, to), first),
    emitted(`66 0f 38 3${i} /r`, `pmovzx${name}`, `V,W${size}`, sse4.extend('z', from, to), first),
  ]),
  emitted('66 0f 38 17 /r', 'ptest', 'V,W', sse4.ptest, { ...first, writes: 'OSZAPC' }),
  emitted('66 0f 38 2a /r', 'movntdqa', 'V,M', sse.load(128, 'aligned'), inMemory),
  emitted('66 0f 38 41 /r', 'phminposuw', 'V,W', sse4.phminposuw, first),
  emitted('66 0f 3a 42 /r', 'mpsadbw', 'V,W,Ib', sse4.mpsadbw, first),

  emitted('66 0f 3a 0c /r', 'blendps', 'V,W,Ib', sse4.blend(32), first),
  emitted('66 0f 3a 0d /r', 'blendpd', 'V,W,Ib', sse4.blend(64), first),
  emitted('66 0f 3a 0e /r', 'pblendw', 'V,W,Ib', sse4.blend(16), first),
  emitted('66 0f 38 10 /r', 'pblendvb', 'V,W,XMM0', sse4.blendVariable(8), first),
  emitted('66 0f 38 14 /r', 'blendvps', 'V,W,XMM0', sse4.blendVariable(32), first),
  emitted('66 0f 38 15 /r', 'blendvpd', 'V,W,XMM0', sse4.blendVariable(64), first),

  emitted('66 0f 3a 14 /r', 'pextrb', 'Rd,V,Ib', sse4.extract(8), inRegister),
  emitted('66 0f 3a 14 /r', 'pextrb', 'Mb,V,Ib', sse4.extract(8), inMemory),
  emitted('66 0f 3a 15 /r', 'pextrw', 'Rd,V,Ib', sse4.extract(16), inRegister),
  emitted('66 0f 3a 15 /r', 'pextrw', 'Mw,V,Ib', sse4.extract(16), inMemory),
  emitted('66 0f 3a 16 /r', 'pextrd', 'Ey,V,Ib', sse4.extract('operand'), first),
  emitted('66 0f 3a 17 /r', 'extractps', 'Ed,V,Ib', sse4.extract(32), first),
  emitted('66 0f 3a 20 /r', 'pinsrb', 'V,Rd,Ib', sse4.insert(8), inRegister),
  emitted('66 0f 3a 20 /r', 'pinsrb', 'V,Mb,Ib', sse4.insert(8), inMemory),
  emitted('66 0f 3a 21 /r', 'insertps', 'V,Wd,Ib', sse4.insertps, first),
  emitted('66 0f 3a 22 /r', 'pinsrd', 'V,Ey,Ib', sse4.insert('operand'), first),

  ...ROUNDS.map(([opcode, shape, w]) => guarded(`66 0f 3a ${opcode} /r`, `round${shape}`, `V,${w},Ib`, emit.round(shape), round(shape), first)),
  called('66 0f 3a 40 /r', 'dpps', 'V,W,Ib', dotProduct('ps'), first),
  called('66 0f 3a 41 /r', 'dppd', 'V,W,Ib', dotProduct('pd'), first),

  called('66 0f 3a 60 /r', 'pcmpestrm', 'V,W,Ib', compareStrings(true, false), { ...second, writes: 'OSZAPC' }),
  called('66 0f 3a 61 /r', 'pcmpestri', 'V,W,Ib', compareStrings(true, true), { ...second, writes: 'OSZAPC' }),
  called('66 0f 3a 62 /r', 'pcmpistrm', 'V,W,Ib', compareStrings(false, false), { ...second, writes: 'OSZAPC' }),
  called('66 0f 3a 63 /r', 'pcmpistri', 'V,W,Ib', compareStrings(false, true), { ...second, writes: 'OSZAPC' }),
  emitted('f2 0f 38 f0 /r', 'crc32', 'Gy,Eb', sse4.crc32, second),
  emitted('f2 0f 38 f1 /r', 'crc32', 'Gy,Ev', sse4.crc32, second),
]; // prettier-ignore
