/**
 * Instructions with a VEX prefix that an SSE row exists of: derived from those rows, which say what they mean. What is said
 * here is the shape alone: whether there is a first source (VEX.vvvv), which vector lengths exist, and the feature.
 * SDM vol. 1 tables 14-2 to 14-9; vol. 2 for each instruction.
 */
import type { RowAttributes } from '../instruction';
import { called, emitted } from '../row';
import type { RowSpec } from '../row';
import * as vex from '../semantics/vex';
import { aesRows } from './crypto';
import { sseRows } from './sse';
import { sse4Rows } from './sse4';
import { ssse3Rows } from './ssse3';

/** No form with VEX, or one that is written below because SSE's meaning does not fit. */
const NOT_DERIVED =
  /^(mov(u|a)p[sd]|movs[sd]|movnt.*|movdq[au]|movmskp[sd]|pmovmskb|movddup|lddqu|ptest|p?blendv.*|crc32)$/;
/** One source: the destination is not read. */
const UNARY =
  /^((sqrt|rsqrt|rcp|round)p[sd]|cvt[a-z0-9]*(ps|pd|dq|si)|pabs.|pshuf(d|hw|lw)|pmov[sz]x..|phminposuw|mov(sl|sh)dup|u?comis[sd]|aesimc|aeskeygenassist|pcmp.str.|pextr.|extractps|movd|movq|maskmovdqu|ldmxcsr|stmxcsr)$/;
/** One lane of floats: VEX.L is ignored. */
const SCALAR = /^((add|sub|mul|div|min|max|sqrt|rsqrt|rcp|round|cmp|u?comi)s[sd]|cvtt?(ss|sd)2(ss|sd|si)|cvtsi2s[sd])$/;
/** 128 bits alone. */
const SHORT =
  /^(dppd|insertps|extractps|pinsr.|pextr.|phminposuw|pcmp.str.|aesimc|aeskeygenassist|mov[lh]p[sd]|movhlps|movlhps|movd|movq|maskmovdqu|(ld|st)mxcsr)$/;
/** Packed floats have 256 bits by AVX; integers only by AVX2. */
const FLOATS = /(p[sd]|ps2pd|pd2ps|p[sd]2dq|dq2p[sd]|dup)$/;
const INTEGERS_NAMED_LIKE_FLOATS = /^cvt/;

const isMmx = (row: RowSpec): boolean => /(^|,)[PQN]/.test(row.operands);
/** Stores: memory comes first. */
const isStore = (row: RowSpec): boolean => /^(W[dq]|E|R|M)/.test(row.operands);

/** The operands under VEX. `x`: a vector of 128 bits whatever VEX.L says. */
function operandsOf(row: RowSpec): string {
  const operands = row.operands.split(',');
  const scalar = SCALAR.test(row.mnemonic);
  const name = (text: string): string => (scalar && text === 'V' ? 'Vx' : text);
  // The count of a shift has 128 bits, a narrowed result as well.
  if (/^ps(ll|ra|rl)[wdq]$/.test(row.mnemonic) && operands[1] === 'W') operands[1] = 'Wx';
  if (/^cvtt?pd2(ps|dq)$/.test(row.mnemonic)) operands[0] = 'Vx';
  if (UNARY.test(row.mnemonic) || isStore(row)) return operands.map(name).join();
  if (operands[0] === 'U') return ['H', ...operands].join();
  return [name(operands[0]), scalar ? 'Hx' : 'H', ...operands.slice(1)].join();
}

function derive(row: RowSpec, lengths: string, feature: string): RowSpec {
  const { mnemonic, meaning } = row;
  const attributes: RowAttributes = { ...row.attributes, feature };
  const opcode = `vex ${lengths}${row.opcode}`;
  const operands = operandsOf(row);
  if (meaning.kind === 'call') return called(opcode, `v${mnemonic}`, operands, meaning.call, attributes);
  const first = !UNARY.test(mnemonic) && !isStore(row);
  return { opcode, mnemonic: `v${mnemonic}`, operands, meaning: { ...meaning, emit: vex.vex(meaning.emit, first) }, attributes };
} // prettier-ignore

function withLengths(row: RowSpec): RowSpec[] {
  const { mnemonic } = row;
  if (SHORT.test(mnemonic)) return [derive(row, 'l0 ', 'avx')];
  if (SCALAR.test(mnemonic)) return [derive(row, '', 'avx')];
  if (/^aes|^pclmul/.test(mnemonic)) return [derive(row, 'l0 ', 'avx'), derive(row, 'l1 ', mnemonic === 'pclmulqdq' ? 'vpclmulqdq' : 'vaes')]; // prettier-ignore
  const floats = FLOATS.test(mnemonic) || INTEGERS_NAMED_LIKE_FLOATS.test(mnemonic);
  return floats ? [derive(row, '', 'avx')] : [derive(row, 'l0 ', 'avx'), derive(row, 'l1 ', 'avx2')];
}

const derived = [...sseRows, ...ssse3Rows, ...sse4Rows, ...aesRows]
  .filter((row) => !isMmx(row) && !NOT_DERIVED.test(row.mnemonic))
  .flatMap(withLengths);

const avx: RowAttributes = { feature: 'avx' };
const inMemory: RowAttributes = { feature: 'avx', form: 'memory' };
const inRegister: RowAttributes = { feature: 'avx', form: 'register' };

/** Prefix, opcodes of load and store, name, alignment. */
const WHOLE: readonly [string, string, string, string, boolean][] = [
  ['np', '10', '11', 'movups', false], ['66', '10', '11', 'movupd', false], ['np', '28', '29', 'movaps', true], ['66', '28', '29', 'movapd', true],
  ['66', '6f', '7f', 'movdqa', true], ['f3', '6f', '7f', 'movdqu', false],
]; // prettier-ignore

const moves: RowSpec[] = [
  ...WHOLE.flatMap(([prefix, load, store, name, aligned]) => [
    emitted(`vex ${prefix} 0f ${load} /r`, `v${name}`, 'V,W', vex.load(aligned), avx),
    emitted(`vex ${prefix} 0f ${store} /r`, `v${name}`, 'W,V', vex.store(aligned), avx),
  ]),
  ...([['np', '2b', 'ps'], ['66', '2b', 'pd'], ['66', 'e7', 'dq']] as const).map(([prefix, opcode, name]) =>
    emitted(`vex ${prefix} 0f ${opcode} /r`, `vmovnt${name}`, 'W,V', vex.store(true), inMemory)),
  emitted('vex l0 66 0f 38 2a /r', 'vmovntdqa', 'V,W', vex.load(true), inMemory),
  emitted('vex l1 66 0f 38 2a /r', 'vmovntdqa', 'V,W', vex.load(true), { ...inMemory, feature: 'avx2' }),
  emitted('vex f2 0f f0 /r', 'vlddqu', 'V,W', vex.load(false), inMemory),
  ...([['f3', 'd', 'movss', 32], ['f2', 'q', 'movsd', 64]] as const).flatMap(([prefix, size, name, bits]) => [
    emitted(`vex ${prefix} 0f 10 /r`, `v${name}`, `Vx,W${size}`, vex.loadLow(bits), inMemory),
    emitted(`vex ${prefix} 0f 11 /r`, `v${name}`, `W${size},Vx`, vex.storeLow(bits), inMemory),
    emitted(`vex ${prefix} 0f 10 /r`, `v${name}`, 'Vx,Hx,Ux', vex.mergeLow(bits), inRegister),
    emitted(`vex ${prefix} 0f 11 /r`, `v${name}`, 'Ux,Hx,Vx', vex.mergeLow(bits), inRegister),
  ]),
  emitted('vex l0 f2 0f 12 /r', 'vmovddup', 'V,Wq', vex.movddup, avx),
  emitted('vex l1 f2 0f 12 /r', 'vmovddup', 'V,W', vex.movddup, avx),
  emitted('vex np 0f 50 /r', 'vmovmskps', 'Gd,U', vex.signMask(0xa4, 4), inRegister),
  emitted('vex 66 0f 50 /r', 'vmovmskpd', 'Gd,U', vex.signMask(0xc4, 2), inRegister),
  emitted('vex l0 66 0f d7 /r', 'vpmovmskb', 'Gd,U', vex.signMask(0x64, 16), inRegister),
  emitted('vex l1 66 0f d7 /r', 'vpmovmskb', 'Gd,U', vex.signMask(0x64, 16), { ...inRegister, feature: 'avx2' }),
  emitted('vex 66 0f 38 17 /r', 'vptest', 'V,W', vex.test(-1n), { ...avx, writes: 'OSZAPC' }),
  emitted('vex w0 66 0f 38 0e /r', 'vtestps', 'V,W', vex.test(0x8000_0000_8000_0000n), { ...avx, writes: 'OSZAPC' }),
  emitted('vex w0 66 0f 38 0f /r', 'vtestpd', 'V,W', vex.test(0x8000_0000_0000_0000n), { ...avx, writes: 'OSZAPC' }),
  ...([['l0', 'vzeroupper', false], ['l1', 'vzeroall', true]] as const).flatMap(([length, name, all]) => [
    emitted(`vex ${length} np 0f 77`, name, '', vex.clear(all, 16), { ...avx, only64: true }),
    emitted(`vex ${length} np 0f 77`, name, '', vex.clear(all, 8), { ...avx, not64: true }),
  ]),
]; // prettier-ignore

export const avxRows: readonly RowSpec[] = [...derived, ...moves];
