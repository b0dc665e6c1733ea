/**
 * Shuffles, insertions and byte shifts by an immediate. The immediate differs between instructions of one form, so that
 * WebAssembly's shuffles, whose lanes are fixed, do not do: byte indices for `swizzle` are computed from it.
 */
import type { Emitter } from '../../execution/builder';
import { I32, V128, i32, select, simd } from '../../execution/wasm';
import type { Value } from '../../execution/wasm';
import { available, binary, immediateOfHalf, lane64, low64, shuffle, source } from './sse';

const vector = (bytes: readonly number[]): Value => simd(V128, 0x0c, [], bytes);
const words = (...values: number[]): Value => vector(values.flatMap((v) => [v & 0xff, v >> 8]));
const longs = (...values: number[]): Value => vector(values.flatMap((v) => [v, v >> 8, v >> 16, v >>> 24].map((b) => b & 0xff))); // prettier-ignore
export const splat8 = (v: Value): Value => simd(V128, 0x0f, [v]);
const splat16 = (v: Value): Value => simd(V128, 0x10, [v]);
const splat32 = (v: Value): Value => simd(V128, 0x11, [v]);
/** Bytes of `a` picked by an index each; 0 for indices beyond 15. */
export const swizzle = (a: Value, indices: Value): Value => binary(0x0e, a, indices);

/** Indices of the doublewords that four two-bit selectors pick: each is multiplied into bits 7:6 of its lane first. */
const doublewords = (order: Value): Value => {
  const aligned = binary(0xb5, splat32(order), longs(64, 16, 4, 1));
  const selected = binary(0x4e, simd(V128, 0xad, [aligned, i32(6)]), splat32(i32(3)));
  return binary(0xae, binary(0xb5, selected, splat32(i32(0x0404_0404))), splat32(i32(0x0302_0100)));
};
/** The same for words of the low or the high quadword; the other quadword stays where it is. */
const quarterWords = (order: Value, high: boolean): Value => {
  const factors = high ? [0, 0, 0, 0, 64, 16, 4, 1] : [64, 16, 4, 1, 0, 0, 0, 0];
  const selected = binary(0x4e, simd(V128, 0x8d, [binary(0x95, splat16(order), words(...factors)), i32(6)]), splat16(i32(3))); // prettier-ignore
  const low = high ? [0x0100, 0x0302, 0x0504, 0x0706] : [0x0100, 0x0100, 0x0100, 0x0100];
  const upper = high ? [0x0908, 0x0908, 0x0908, 0x0908] : [0x0908, 0x0b0a, 0x0d0c, 0x0f0e];
  return binary(0x8e, binary(0x95, selected, splat16(i32(0x0202))), words(...low, ...upper));
};

/** destination = f(source, immediate). */
const shuffled = (indices: (order: Value) => Value) => (e: Emitter): void => {
  available(e);
  const from = e.let(source(e, 1, 128));
  e.write(0, swizzle(from, indices(e.read(2, 8))), 128);
}; // prettier-ignore
export const pshufd = shuffled(doublewords);
export const pshuflw = shuffled((order) => quarterWords(order, false));
export const pshufhw = shuffled((order) => quarterWords(order, true));
/** Of PSHUFW: an I64's words. */
export const shuffledWords = (value: Value, order: Value): Value => lane64(swizzle(low64(value), quarterWords(order, false)), 0); // prettier-ignore

export function shufps(e: Emitter): void {
  available(e);
  const b = e.let(source(e, 1, 128));
  const a = e.read(0, 128);
  const indices = e.let(doublewords(e.read(2, 8)));
  const halves = [0, 1, 2, 3, 4, 5, 6, 7, 24, 25, 26, 27, 28, 29, 30, 31];
  e.write(0, shuffle(swizzle(a, indices), swizzle(b, indices), halves), 128);
}
export function shufpd(e: Emitter): void {
  available(e);
  const b = e.let(source(e, 1, 128));
  const a = e.read(0, 128);
  const order = immediateOfHalf(e, 2, 2);
  const low = select(order.and(1), lane64(a, 1), lane64(a, 0));
  const high = select(order.and(2), lane64(b, 1), lane64(b, 0));
  e.write(0, simd(V128, 0x1e, [low64(low), high], [1]), 128);
}

export const IDENTITY = vector([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
/** Shifts by bytes; 16 and more leave nothing. */
export const byteShift = (left: boolean) => (e: Emitter): void => {
  available(e);
  const by = e.read(1, 8);
  const capped = splat8(select(by.gtU(16), i32(16), by));
  e.write(0, swizzle(e.read(0, 128), binary(left ? 0x71 : 0x6e, IDENTITY, capped)), 128);
}; // prettier-ignore

/** Ones in the word that the low bits of the immediate name. */
const wordMask = (order: Value): Value => binary(0x2d, splat16(order), words(0, 1, 2, 3, 4, 5, 6, 7));
/** `vector` with one word replaced. */
export const withWord = (into: Value, word: Value, position: Value): Value =>
  simd(V128, 0x52, [splat16(word), into, wordMask(position)]);
/** The word of `from` at a position that is known at run time, I32. */
export const wordOf = (from: Value, position: Value): Value =>
  simd(I32, 0x19, [swizzle(from, splat16(position.mul(0x0202).add(0x0100)))], [0]);

export function pinsrw(e: Emitter): void {
  available(e);
  const word = e.read(1, 16);
  e.write(0, withWord(e.read(0, 128), word, e.read(2, 8).and(7)), 128);
}
export function pextrw(e: Emitter): void {
  available(e);
  e.write(0, wordOf(e.read(1, 128), e.read(2, 8).and(7)));
}
