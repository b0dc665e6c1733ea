/** SSSE3, emitted: one function of two vectors each, for XMM registers and for MMX registers (mmx.ts). */
import type { Emitter } from '../../execution/builder';
import { V128, i32, i64, select, simd } from '../../execution/wasm';
import type { Value } from '../../execution/wasm';
import { COMBINE, available, binary, shuffle, source } from './sse';
import { IDENTITY, splat8, swizzle } from './sse-shuffle';
import { combineImmediate } from './mmx';

type Combine = (a: Value, b: Value) => Value;
const splat16 = (value: number): Value => simd(V128, 0x10, [i32(value)]);
const zero = (): Value => simd(V128, 0x12, [i64(0)]);

/** Bytes of lanes 0, 2, 4... (or 1, 3, 5...) of two vectors one after the other. */
const everySecond = (laneBytes: 2 | 4, first: 0 | 1): number[] =>
  Array.from({ length: 16 / laneBytes }, (_, i) => (2 * i + first) * laneBytes).flatMap((at) => Array.from({ length: laneBytes }, (_, byte) => at + byte)); // prettier-ignore
/** Neighbouring lanes of a, then of b, with each other. */
const horizontal = (laneBytes: 2 | 4, opcode: number): Combine => (a, b) =>
  binary(opcode, shuffle(a, b, everySecond(laneBytes, 0)), shuffle(a, b, everySecond(laneBytes, 1))); // prettier-ignore

/** Sign bits of `lane` over the lane: a shift by lane - 1. */
const sign = (shiftRight: number, lane: number, compare: number, subtract: number): Combine => (a, b) => {
  const negative = simd(V128, shiftRight, [b, i32(lane - 1)]);
  const flipped = binary(subtract, binary(0x51, a, negative), negative);
  return binary(0x4f, flipped, binary(compare, b, zero()));
}; // prettier-ignore

/** Unsigned bytes of a by signed bytes of b, neighbours added with saturation. */
const multiplyBytes: Combine = (a, b) => {
  const low = binary(0x95, simd(V128, 0x89, [a]), simd(V128, 0x87, [b]));
  const high = binary(0x95, simd(V128, 0x8a, [a]), simd(V128, 0x88, [b]));
  return horizontal(2, 0x8f)(low, high);
};
/** Differs from WebAssembly's Q15 product in that -1 by -1 wraps to -1. */
const multiplyRounded: Combine = (a, b) => {
  const isLowest = (v: Value): Value => binary(0x2d, v, splat16(-0x8000));
  return binary(0x51, binary(0x82, a, b), binary(0x4e, isLowest(a), isLowest(b)));
};

/** Of MMX registers the source's and the destination's lanes make up one vector where `pairs` says so. */
export const OPERATIONS: Record<string, { f: Combine; pairs?: boolean }> = {
  phaddw: { f: horizontal(2, 0x8e), pairs: true },
  phaddd: { f: horizontal(4, 0xae), pairs: true },
  phaddsw: { f: horizontal(2, 0x8f), pairs: true },
  phsubw: { f: horizontal(2, 0x91), pairs: true },
  phsubd: { f: horizontal(4, 0xb1), pairs: true },
  phsubsw: { f: horizontal(2, 0x92), pairs: true },
  pmaddubsw: { f: multiplyBytes },
  psignb: { f: sign(0x6c, 8, 0x23, 0x71) },
  psignw: { f: sign(0x8c, 16, 0x2d, 0x91) },
  psignd: { f: sign(0xac, 32, 0x37, 0xb1) },
  pmulhrsw: { f: multiplyRounded },
  pabsb: { f: (_, b) => simd(V128, 0x60, [b]) },
  pabsw: { f: (_, b) => simd(V128, 0x80, [b]) },
  pabsd: { f: (_, b) => simd(V128, 0xa0, [b]) },
};

/** PSHUFB: bit 7 of a selector gives 0, which indices beyond 15 do to `swizzle`. `last`: the highest lane. */
export const shuffleBytes = (last: 15 | 7): Combine => (a, b) => swizzle(a, binary(0x4e, b, splat8(i32(0x80 | last)))); // prettier-ignore

/** PALIGNR: 16 bytes of destination:source from a byte of it on. */
export function palignr(e: Emitter): void {
  available(e);
  const low = e.let(source(e, 1, 128));
  const high = e.read(0, 128);
  const by = e.read(2, 8);
  const from = e.let(binary(0x6e, IDENTITY, splat8(select(by.gtU(32), i32(32), by))));
  e.write(0, binary(0x50, swizzle(low, from), swizzle(high, binary(0x71, from, splat8(i32(16))))), 128);
}
export const palignrMmx = combineImmediate((a, b, by) => {
  const both = COMBINE.unpcklq(b, a);
  return swizzle(both, binary(0x6e, IDENTITY, splat8(select(by.gtU(16), i32(16), by))));
});
