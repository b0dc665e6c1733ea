/** SSE4.1 on integers, and blends, insertions and extractions: emitted. SDM vol. 2; lanes' opcodes as in sse.ts. */
import type { Emitter } from '../../execution/builder';
import { I32, I64, V128, i32, i64, select, simd } from '../../execution/wasm';
import type { Value } from '../../execution/wasm';
import { available, binary, immediateOfHalf, lane64, low32, shuffle, source } from './sse';
import { splat8, swizzle } from './sse-shuffle';

type Emit = (e: Emitter) => void;
const splat32 = (v: Value): Value => simd(V128, 0x11, [v]);
const longs = (...values: number[]): Value => simd(V128, 0x0c, [], values.flatMap((v) => [v & 0xff, (v >> 8) & 0xff, (v >> 16) & 0xff, v >>> 24])); // prettier-ignore
const and = (a: Value, b: Value): Value => binary(0x4e, a, b);
const or = (a: Value, b: Value): Value => binary(0x50, a, b);
/** Bits of a where the mask has ones, else of b. */
const choose = (mask: Value, a: Value, b: Value): Value => simd(V128, 0x52, [a, b, mask]);

/** The even doublewords as signed numbers, multiplied to quadwords. */
export const muldq = (a: Value, b: Value): Value => {
  const even = (v: Value): Value => shuffle(v, v, [0, 1, 2, 3, 8, 9, 10, 11, 0, 1, 2, 3, 8, 9, 10, 11]);
  return binary(0xdc, even(a), even(b));
};

/** PMOVSX and PMOVZX: the low bits of the source, widened by these instructions one after the other. */
const EXTEND = { s: [0x87, 0xa7, 0xc7], z: [0x89, 0xa9, 0xc9] } as const;
export const extend = (kind: 's' | 'z', from: 8 | 16 | 32, to: 16 | 32 | 64): Emit => (e) => {
  available(e);
  const bits = (128 * from) / to as 16 | 32 | 64;
  const narrow = source(e, 1, bits);
  const first = Math.log2(from) - 3;
  let value = simd(V128, 0x12, [e.wide(narrow)]);
  for (let i = first; i < Math.log2(to) - 3; i++) value = simd(V128, EXTEND[kind][i], [value]);
  e.write(0, value, 128);
}; // prettier-ignore

/** ZF and CF as the source shares no bit with the destination, or with its complement. */
export function setTestFlags(e: Emitter, none: Value, covered: Value): void {
  e.flags({ carry: covered, overflow: i32(0), adjust: i32(0), result: e.constant(1) });
  e.setZero(none);
}
export function ptest(e: Emitter): void {
  available(e);
  const b = e.let(source(e, 1, 128));
  const a = e.let(e.read(0, 128));
  const any = (v: Value): Value => e.let(simd(I32, 0x53, [v]));
  setTestFlags(e, any(and(b, a)).eqz(), e.let(any(binary(0x4f, b, a)).eqz()));
}

// --- Blends.
/** Lanes from the source where the immediate has a bit. `lane` in bits; `kind`: the comparison of such lanes for equality. */
export const blend = (lane: 16 | 32 | 64): Emit => (e) => {
  available(e);
  const b = e.let(source(e, 1, 128));
  const a = e.read(0, 128);
  const immediate = immediateOfHalf(e, 2, lane === 16 ? 0 : 128 / lane);
  const bits = lane === 16 ? longs(0x2_0001, 0x8_0004, 0x20_0010, 0x80_0040) : lane === 32 ? longs(1, 2, 4, 8) : longs(1, 1, 2, 2);
  const all = lane === 16 ? simd(V128, 0x10, [immediate]) : splat32(immediate);
  e.write(0, choose(binary(lane === 16 ? 0x2d : 0x37, e.let(and(all, bits)), bits), b, a), 128);
}; // prettier-ignore
/** Lanes from `b` where the mask's sign bit is set. */
export const bySign = (lane: 8 | 32 | 64, mask: Value, a: Value, b: Value): Value =>
  choose(simd(V128, { 8: 0x6c, 32: 0xac, 64: 0xcc }[lane], [mask, i32(lane - 1)]), b, a);
/** PBLENDVB and the like: by XMM0. */
export const blendVariable = (lane: 8 | 32 | 64): Emit => (e) => {
  available(e);
  const b = e.let(source(e, 1, 128));
  e.write(0, bySign(lane, e.read(2, 128), e.read(0, 128), b), 128);
}; // prettier-ignore

/** The least of eight words and its index: both in one number, so that the first of equals wins. */
export function phminposuw(e: Emitter): void {
  available(e);
  const words = e.let(source(e, 1, 128));
  const half = (opcode: number, from: number): Value =>
    or(simd(V128, 0xab, [simd(V128, opcode, [words]), i32(16)]), longs(from, from + 1, from + 2, from + 3));
  let least = e.let(binary(0xb7, half(0xa9, 0), half(0xaa, 4)));
  for (const by of [8, 4]) {
    const turned = Array.from({ length: 16 }, (_, i) => (i + by) % 16);
    least = e.let(binary(0xb7, least, shuffle(least, least, turned)));
  }
  e.write(0, low32(simd(I32, 0x1b, [least], [0]).rotl(16)), 128);
}

/** Sums of absolute differences of four bytes of the source with eight groups of the destination. */
export function mpsadbw(e: Emitter): void {
  available(e);
  const b = e.let(source(e, 1, 128));
  const immediate = immediateOfHalf(e, 2, 3);
  const identity = simd(V128, 0x0c, [], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
  const from = (v: Value, first: Value): Value => e.let(swizzle(v, binary(0x6e, identity, splat8(first))));
  const left = from(e.let(e.read(0, 128)), e.let(immediate.and(4)));
  const right = from(b, e.let(immediate.and(3).shl(2)));
  let sum = simd(V128, 0x12, [i64(0)]);
  for (let i = 0; i < 4; i++) {
    const moved = shuffle(
      left,
      left,
      Array.from({ length: 16 }, (_, at) => (at + i) % 16),
    );
    const one = simd(V128, 0x10, [simd(I32, 0x16, [right], [i])]);
    sum = binary(0x8e, sum, simd(V128, 0x80, [binary(0x91, simd(V128, 0x89, [moved]), one)]));
  }
  e.write(0, sum, 128);
}

// --- One lane.
/** Byte indices of a lane: its number times its bytes, and up. */
const laneIndices = (e: Emitter, lane: 8 | 16 | 32 | 64, immediate: Value): Value => {
  const count = 128 / lane;
  const first = immediate.and(count - 1).mul(lane / 8);
  return e.let(
    binary(
      0x6e,
      simd(
        V128,
        0x0c,
        [],
        Array.from({ length: 16 }, (_, i) => i % (lane / 8)),
      ),
      splat8(first),
    ),
  );
};
export const extract = (lane: 8 | 16 | 32 | 64 | 'operand'): Emit => (e) => {
  available(e);
  const bits = lane === 'operand' ? (e.operandSize(0) as 32 | 64) : lane;
  const moved = swizzle(e.read(1, 128), laneIndices(e, bits, e.read(2, 8)));
  const value = bits === 64 ? lane64(moved, 0) : e.truncate(simd(I32, 0x1b, [moved], [0]), bits);
  const size = e.operandSize(0);
  if (e.isMemory(0)) e.storeLinear(e.linear('memory', e.offset(), bits / 8, true), bits, value);
  else e.write(0, size === 64 ? e.wide(value) : value);
}; // prettier-ignore
export const insert = (lane: 8 | 32 | 64 | 'operand'): Emit => (e) => {
  available(e);
  const bits = lane === 'operand' ? (e.operandSize(1) as 32 | 64) : lane;
  const value = e.isMemory(1) ? e.read(1) : e.read(1, bits);
  const position = e.let(e.read(2, 8).and(128 / bits - 1));
  const splats = { 8: 0x0f, 32: 0x11, 64: 0x12 } as const;
  const numbers = { 8: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15], 32: [0, 1, 2, 3].flatMap((n) => [n, n, n, n]), 64: [0, 1].flatMap((n) => Array<number>(8).fill(n)) }[bits];
  const mask = binary(0x23, simd(V128, 0x0c, [], numbers), splat8(position));
  e.write(0, choose(mask, simd(V128, splats[bits], [value]), e.read(0, 128)), 128);
}; // prettier-ignore

/** INSERTPS: a single of the source (bits 7:6 name it in a register) to place 5:4, and zeros where bits 3:0 say. */
export function insertps(e: Emitter): void {
  available(e);
  const immediate = e.let(e.read(2, 8));
  const value = e.isMemory(1)
    ? splat32(e.read(1, 32))
    : swizzle(e.read(1, 128), laneIndices(e, 32, e.let(immediate.shrU(6))));
  const place = e.let(immediate.shrU(4).and(3));
  const at = binary(0x37, longs(0, 1, 2, 3), splat32(place));
  const bits = longs(1, 2, 4, 8);
  const cleared = binary(0x37, and(splat32(immediate), bits), bits);
  e.write(0, binary(0x4f, choose(at, value, e.read(0, 128)), e.let(cleared)), 128);
}

// --- Polynomials over GF(2).
/** CRC32 with the polynomial 11EDC6F41H, bits reversed: one step for each bit of the source. */
export function crc32(e: Emitter): void {
  const size = e.operandSize(1);
  const from = e.read(1);
  const crc = e.variable(I32);
  const rest = e.variable(I64);
  const left = e.variable(I32);
  const get = e.f.get.bind(e.f);
  const old = e.read(0);
  e.f.set(crc, old.type === I64 ? old.wrap() : old);
  e.f.set(rest, e.wide(from));
  e.f.set(left, i32(size / 8));
  e.f.loop((again) => {
    e.f.set(crc, get(crc).xor(get(rest).wrap().and(0xff)));
    for (let i = 0; i < 8; i++)
      e.f.set(crc, get(crc).shrU(1).xor(get(crc).and(1).neg().and(0x82f6_3b78 | 0))); // prettier-ignore
    e.f.set(rest, get(rest).shrU(8));
    e.f.set(left, get(left).sub(1));
    e.if(get(left), () => e.f.branch(again));
  });
  e.write(0, e.operandSize(0) === 64 ? get(crc).extendU() : get(crc));
}
/** PCLMULQDQ: the carry-less product of one quadword each, bit by bit of the second. */
export function pclmulqdq(e: Emitter): void {
  available(e);
  const b = e.let(source(e, 1, 128));
  const a = e.let(e.read(0, 128));
  const immediate = e.read(2, 8);
  const [x, y] = [e.let(select(immediate.and(1), lane64(a, 1), lane64(a, 0))), select(immediate.and(16), lane64(b, 1), lane64(b, 0))];
  const [rest, low, high] = [e.variable(I64), e.variable(I64), e.variable(I64)];
  const get = e.f.get.bind(e.f);
  e.f.set(rest, y);
  e.f.set(low, i64(0));
  e.f.set(high, i64(0));
  e.f.loop((again) => {
    e.if(get(rest).ne(0n), () => {
      const by = e.let(get(rest).ctz());
      e.f.set(low, get(low).xor(x.shl(by)));
      e.f.set(high, get(high).xor(x.shrU(1).shrU(i64(63).sub(by))));
      e.f.set(rest, get(rest).and(get(rest).sub(1)));
      e.f.branch(again);
    });
  });
  e.write(0, simd(V128, 0x1e, [simd(V128, 0x12, [get(low)]), get(high)], [1]), 128);
} // prettier-ignore
