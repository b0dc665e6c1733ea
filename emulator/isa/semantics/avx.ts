/** What AVX and AVX2 have and SSE has not, emitted: broadcasts, permutations across halves, shifts by lane. SDM vol. 2C. */
import type { Emitter } from '../../execution/builder';
import { I32, I64, V128, i32, i64, select, simd } from '../../execution/wasm';
import type { Value } from '../../execution/wasm';
import { binary, immediateOfHalf, lane64, low64, source } from './sse';
import { splat8, swizzle } from './sse-shuffle';
import { available, isWide, loadMemory, readHalves, writeHalves, zero } from './vex';

type Emit = (e: Emitter) => void;
const splat32 = (value: number): Value => simd(V128, 0x11, [i32(value)]);
const splat64 = (value: bigint): Value => simd(V128, 0x12, [i64(value)]);

const SPLAT = { 8: 0x0f, 16: 0x10, 32: 0x11, 64: 0x12 } as const;
/** The lowest lane of the source in all of the destination's. */
export const broadcast = (lane: 8 | 16 | 32 | 64): Emit => (e) => {
  available(e);
  const value = e.isMemory(1) ? loadMemory(e, lane)[0] : e.read(1, lane);
  const all = e.let(simd(V128, SPLAT[lane], [value]));
  writeHalves(e, all, isWide(e) ? all : undefined);
}; // prettier-ignore
export function broadcastHalf(e: Emitter): void {
  available(e);
  const [value] = loadMemory(e, 128);
  writeHalves(e, value, value);
}

/** VINSERTF128, VINSERTI128: operand 2 in the half of operand 1 that the immediate names. */
export function insertHalf(e: Emitter): void {
  available(e);
  const [value] = readHalves(e, 2);
  const [low, high] = readHalves(e, 1);
  const upper = e.let(e.read(3, 8).and(1));
  writeHalves(e, select(upper, low, value), select(upper, value, high!));
}
export function extractHalf(e: Emitter): void {
  available(e);
  const [low, high] = readHalves(e, 1);
  const value = e.let(select(e.read(2, 8).and(1), high!, low));
  if (e.isMemory(0)) e.storeLinear(e.linear('memory', e.offset(), 16, true), 128, value);
  else writeHalves(e, value);
}
/** VPERM2F128, VPERM2I128: each half is one of four, or zeros. */
export function permuteHalves(e: Emitter): void {
  available(e);
  const [b0, b1] = readHalves(e, 2);
  const [a0, a1] = readHalves(e, 1);
  const control = e.read(3, 8);
  const half = (bits: Value): Value => {
    const chosen = select(bits.and(2), select(bits.and(1), b1!, b0), select(bits.and(1), a1!, a0));
    return select(bits.and(8), zero(), chosen);
  };
  writeHalves(e, half(e.let(control.and(15))), half(e.let(control.shrU(4))));
}

/** Sixteen bytes of thirty-two. An index that is not in a half gives 0 there. */
const fromBoth = ([low, high]: readonly [Value, Value?], indices: Value): Value =>
  binary(0x50, swizzle(low, indices), swizzle(high!, binary(0x71, indices, splat8(i32(16)))));
/** Byte indices of doublewords by the low `mask` bits of each lane. */
const doublewords = (lanes: Value, mask: number): Value =>
  binary(0xae, binary(0xb5, binary(0x4e, lanes, splat32(mask)), splat32(0x0404_0404)), splat32(0x0302_0100));
const quadwords = (numbers: Value): Value =>
  binary(0xce, binary(0xd5, numbers, splat64(0x0808_0808_0808_0808n)), splat64(0x0706_0504_0302_0100n));

/** VPERMD, VPERMPS: doublewords of operand 2 by the numbers in operand 1. */
export function permuteDoublewords(e: Emitter): void {
  available(e);
  const from = readHalves(e, 2);
  const [low, high] = readHalves(e, 1).map((lanes) => fromBoth(from, e.let(doublewords(lanes!, 7))));
  writeHalves(e, low, high);
}
/** VPERMQ, VPERMPD: quadwords by an immediate. */
export function permuteQuadwords(e: Emitter): void {
  available(e);
  const from = readHalves(e, 1);
  const order = e.read(2, 8);
  const number = (i: number): Value => order.shrU(2 * i).and(3).extendU(); // prettier-ignore
  const half = (i: number): Value => fromBoth(from, e.let(quadwords(simd(V128, 0x1e, [low64(number(i)), number(i + 1)], [1])))); // prettier-ignore
  writeHalves(e, half(0), half(2));
}

/** VPERMILPS, VPERMILPD within halves, by the lanes of operand 2; meanings for vex(). */
export const permuteSingles: Emit = (e) => {
  const by = e.let(source(e, 1, 128));
  e.write(0, swizzle(e.read(0, 128), doublewords(by, 3)), 128);
};
export const permuteDoubles: Emit = (e) => {
  const by = e.let(source(e, 1, 128));
  const numbers = binary(0x4e, simd(V128, 0xcd, [by, i32(1)]), splat64(1n));
  e.write(0, swizzle(e.read(0, 128), quadwords(numbers)), 128);
};
export const permuteDoublesBy: Emit = (e) => {
  const from = e.let(source(e, 1, 128));
  const order = immediateOfHalf(e, 2, 2);
  const one = (bit: number): Value => e.let(select(order.and(bit), lane64(from, 1), lane64(from, 0)));
  e.write(0, simd(V128, 0x1e, [low64(one(1)), one(2)], [1]), 128);
};

/** Each lane by the count in the other operand's; what is too far leaves nothing, or the sign. A meaning for vex(). */
export const shiftLanes = (lane: 32 | 64, kind: 'l' | 'ra' | 'rl'): Emit => (e) => {
  const counts = e.let(source(e, 1, 128));
  const values = e.let(e.read(0, 128));
  const [extract, replace, type] = lane === 32 ? [0x1b, 0x1c, I32] as const : [0x1d, 0x1e, I64] as const;
  let result = zero();
  for (let i = 0; i < 128 / lane; i++) {
    const value = simd(type, extract, [values], [i]);
    const count = e.let(simd(type, extract, [counts], [i]));
    const tooFar = count.gtU(lane - 1);
    const moved = kind === 'l' ? value.shl(count) : kind === 'rl' ? value.shrU(count) : value.shrS(select(tooFar, e.constant(31, 32), count));
    result = simd(V128, replace, [result, kind === 'ra' ? moved : select(tooFar, e.constant(0, lane), moved)], [i]);
  }
  e.write(0, result, 128);
}; // prettier-ignore
