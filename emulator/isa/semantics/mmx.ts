/**
 * MMX: the eight 64-bit registers that lie over the x87's. SDM vol. 1 section 9.5, vol. 3A chapter 13: every instruction
 * sets TOP to 0, EMMS as well, and all but EMMS mark all of them valid (table 13-2); a write sets the exponent that lies above to ones (the emitter does,
 * for operands of kind `mmx`). The arithmetic is SSE2's on the low half of a vector.
 * Not modelled: FERR# for a pending x87 exception with CR0.NE = 0, which is then not reported here.
 */
import type { Emitter } from '../../execution/builder';
import * as layout from '../../execution/layout';
import { I32, i32, load, simd } from '../../execution/wasm';
import type { Value } from '../../execution/wasm';
import { CR0, VECTOR } from '../../x86/registers';
import { CR0_AT, COMBINE, available as sseAvailable, binary, lane64, low64, shifted, shuffle } from './sse';
import type { Shift } from './sse';
import { shuffledWords, withWord, wordOf } from './sse-shuffle';

/** In the status word. */
const TOP = 0x3800;

/** #UD, #NM, and #MF for an x87 exception that is pending (SDM vol. 3A table 13-1). */
function available(e: Emitter): void {
  const cr0 = e.state32(CR0_AT);
  e.raiseIf(cr0.and(CR0.EM), VECTOR.UD);
  e.raiseIf(cr0.and(CR0.TS), VECTOR.NM);
  const pending = load(16, i32(0), layout.X87_STATUS).shrU(7).and(cr0.shrU(5)).and(1);
  e.raiseIf(pending, VECTOR.MF);
}
/** After everything that can fault. */
function enter(e: Emitter, tags = 0xff): void {
  e.f.store(16, i32(0), load(16, i32(0), layout.X87_STATUS).and(~TOP), layout.X87_STATUS);
  e.f.store(8, i32(0), i32(tags), layout.X87_TAGS);
}

export function emms(e: Emitter): void {
  available(e);
  enter(e, 0);
}

const low = (v: Value): Value => lane64(v, 0);
type Combine = (a: Value, b: Value) => Value;
/** destination = f(destination, source) on vectors of which the low half counts; `bits` of a source in memory are read. */
export const combine = (f: Combine, bits: 32 | 64 = 64) => (e: Emitter): void => {
  available(e);
  const source = e.read(1, e.isMemory(1) ? bits : 64);
  const b = e.let(low64(e.wide(source)));
  const a = e.let(low64(e.read(0, 64)));
  enter(e);
  e.write(0, low(f(a, b)), 64);
}; // prettier-ignore
/** The same with an immediate. */
export const combineImmediate = (f: (a: Value, b: Value, immediate: Value) => Value) => (e: Emitter): void =>
  combine((a, b) => f(a, b, e.read(2, 8)))(e); // prettier-ignore
export const packed = (opcode: number): ((e: Emitter) => void) => combine((a, b) => binary(opcode, a, b));
/** The destination's lanes below the source's, as one vector that f turns into lanes half as wide or half as many. */
export const joined = (f: Combine): ((e: Emitter) => void) =>
  combine((a, b) => {
    const both = COMBINE.unpcklq(a, b);
    return f(both, both);
  });
export const pack = (opcode: number): ((e: Emitter) => void) => joined((a, b) => binary(opcode, a, b));
/** PUNPCKH...: the upper halves of the low quadwords, brought down. */
const upper = (v: Value): Value => shuffle(v, v, [4, 5, 6, 7, 4, 5, 6, 7, 4, 5, 6, 7, 4, 5, 6, 7]);
export const unpackHigh = (f: Combine): ((e: Emitter) => void) => combine((a, b) => f(upper(a), upper(b)));

export const shift = (lane: 16 | 32 | 64, kind: Shift) => (e: Emitter): void => {
  available(e);
  const count = e.form.operands[1].kind === 'immediate' ? e.let(e.read(1, 8).extendU()) : e.read(1, 64);
  const value = e.let(low64(e.read(0, 64)));
  enter(e);
  e.write(0, low(shifted(e, lane, kind, value, count)), 64);
}; // prettier-ignore

/** MOVD and MOVQ to an MMX register: 32 bits are zero-extended. */
export function load64(e: Emitter): void {
  available(e);
  const value = e.wide(e.read(1));
  enter(e);
  e.write(0, value, 64);
}
/** MOVD, MOVQ and MOVNTQ from an MMX register, to where the operand is. */
export function store(e: Emitter): void {
  available(e);
  const size = e.operandSize(0);
  e.write(0, e.read(1, size), size);
  enter(e);
}

export function pshufw(e: Emitter): void {
  available(e);
  const value = e.read(1, 64);
  enter(e);
  e.write(0, shuffledWords(value, e.read(2, 8)), 64);
}
export function pinsrw(e: Emitter): void {
  available(e);
  const word = e.read(1, 16);
  enter(e);
  e.write(0, low(withWord(low64(e.read(0, 64)), word, e.read(2, 8).and(3))), 64);
}
export function pextrw(e: Emitter): void {
  available(e);
  const word = wordOf(low64(e.read(1, 64)), e.read(2, 8).and(3));
  enter(e);
  e.write(0, word);
}
export function pmovmskb(e: Emitter): void {
  available(e);
  const mask = e.let(simd(I32, 0x64, [low64(e.read(1, 64))]));
  enter(e);
  e.write(0, mask);
}

/** Between the register files; both kinds of checks. */
export function movq2dq(e: Emitter): void {
  sseAvailable(e);
  available(e);
  const value = e.read(1, 64);
  enter(e);
  e.write(0, low64(value), 128);
}
export function movdq2q(e: Emitter): void {
  sseAvailable(e);
  available(e);
  const value = e.read(1, 64);
  enter(e);
  e.write(0, value, 64);
}
