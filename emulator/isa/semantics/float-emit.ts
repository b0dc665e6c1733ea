/**
 * SSE's floating point where it is common: rounding to nearest, everything masked, operands and results zero or normal, and
 * PE already set in MXCSR or the result exact. There WebAssembly's operations give the bits that the manual asks for, and
 * no flag changes. All else goes to the row's plain meaning (sse-float.ts), before anything is written.
 * SDM vol. 1 sections 10.2.3 and 11.5; the questions asked of bits are in float-lanes.ts.
 */
import type { Emitter } from '../../execution/builder';
import * as layout from '../../execution/layout';
import { F64, I64, V128, i32, i64, simd } from '../../execution/wasm';
import type { Value } from '../../execution/wasm';
import { available, source } from './sse';
import { LANES } from './float-lanes';
import type { Comparison, FloatOperation, Lanes, Shape } from './float-lanes';

type Emit = (e: Emitter) => void;
type Arithmetic = 'add' | 'sub' | 'mul' | 'div' | 'sqrt';

const PRECISION = 0x20;
const MASKS = 0x1f80;
/** Rounding control and flush-to-zero. Denormals-are-zeros does not matter: there are none. */
const ROUNDING = 0xe000;

export const unless = (e: Emitter, condition: Value): void => e.if(condition.eqz(), () => e.plain());

/** Goes on if nothing but PE can become of the operation, and PE is set or `exact` (I32, computed only where it matters). */
function precisionIsFree(e: Emitter, exact?: () => Value): void {
  const mxcsr = e.state32(layout.MXCSR);
  const common = MASKS | PRECISION;
  e.if(mxcsr.and(ROUNDING | common).ne(common), () => {
    if (!exact) return e.plain();
    unless(e, mxcsr.and(ROUNDING | MASKS).eq(MASKS));
    unless(e, exact());
  });
}

/** Whether the rounding error of a sum is 0 (Knuth, TAOCP vol. 2, 4.2.2 theorem B). */
function sumIsExact(e: Emitter, lanes: Lanes, a: Value, b: Value, r: Value): Value {
  const op = (name: FloatOperation, x: Value, y: Value): Value => e.let(lanes.binary(name, x, y));
  const v = op('sub', r, a);
  const error = op('add', op('sub', a, op('sub', r, v)), op('sub', b, v));
  return lanes.all(lanes.isZero(e.let(lanes.toBits(error))));
}
/** Whether x * y is p: as doubles for singles; for doubles only where the significands' digits leave no doubt. */
function productIsExact(lanes: Lanes, x: Value, y: Value, p: Value): Value {
  if (lanes.laneBits === 32) {
    const wide = (v: Value): Value => v.convert(F64, 0xbb);
    return LANES.sd.compare('eq', LANES.sd.binary('mul', wide(x), wide(y)), wide(p));
  }
  const zeros = (v: Value): Value =>
    lanes
      .toBits(v)
      .or(1n << 52n)
      .ctz();
  const short = zeros(x).add(zeros(y)).geU(53n);
  return lanes.isZero(lanes.toBits(p)).or(short.and(lanes.compare('eq', lanes.binary('mul', x, y), p)));
}
function isExact(e: Emitter, lanes: Lanes, operation: Arithmetic, a: Value, b: Value, r: Value): Value {
  switch (operation) {
    case 'add': return sumIsExact(e, lanes, a, b, r);
    case 'sub': return sumIsExact(e, lanes, a, lanes.float(lanes.xor(lanes.toBits(b), lanes.constant(1n << BigInt(lanes.laneBits - 1)))), r);
    case 'mul': return productIsExact(lanes, a, b, r);
    case 'div': return productIsExact(lanes, r, b, a);
    case 'sqrt': return productIsExact(lanes, r, r, b);
  } // prettier-ignore
}

/** Whether operands and result are such that no exception but a lost precision can have come of it; a mask. */
function isPlain(lanes: Lanes, operation: Arithmetic, a: Value, b: Value, r: Value): Value {
  if (operation === 'sqrt') return lanes.and(lanes.notDenormal(b), lanes.isFinite(r));
  const operands = lanes.and(lanes.notDenormal(a), lanes.notDenormal(b));
  // A sum that is denormal is exact.
  if (operation === 'add' || operation === 'sub') return lanes.and(operands, lanes.isFinite(r));
  const factor = operation === 'mul' ? lanes.or(lanes.isZero(a), lanes.isZero(b)) : lanes.isZero(a);
  return lanes.and(operands, lanes.or(lanes.isAmple(r), lanes.and(lanes.isZero(r), factor)));
}

/** What becomes of destination and source before they meet. */
export type Arrange = (a: Value, b: Value) => readonly [Value, Value];

/** destination = destination (operation) source, in all lanes or the lowest. */
export const arithmetic = (shape: Shape, operation: Arithmetic, arrange: Arrange = (a, b) => [a, b]): Emit => (e) => {
  const lanes = LANES[shape];
  available(e);
  const right = e.let(source(e, 1, lanes.bits));
  // A square root has no first operand.
  const left = operation === 'sqrt' ? right : e.let(e.read(0, lanes.bits));
  const [a, b] = arrange(left, right).map((v) => e.let(v));
  const [x, y] = [e.let(lanes.float(a)), e.let(lanes.float(b))];
  const result = e.let(operation === 'sqrt' ? lanes.unary('sqrt', y) : lanes.binary(operation, x, y));
  const bits = e.let(lanes.toBits(result));
  unless(e, lanes.all(isPlain(lanes, operation, a, b, bits)));
  const knows = !lanes.packed || operation === 'add' || operation === 'sub';
  precisionIsFree(e, knows ? () => isExact(e, lanes, operation, x, y, result) : undefined);
  e.write(0, bits, lanes.bits);
}; // prettier-ignore

/** Operands that can be compared without an exception: numbers, and no denormal, which sets DE. */
function comparable(e: Emitter, lanes: Lanes, a: Value, b: Value): void {
  const good = (v: Value): Value => lanes.and(lanes.notDenormal(v), lanes.isNumber(v));
  unless(e, lanes.all(lanes.and(good(a), good(b))));
}
function operands(e: Emitter, lanes: Lanes): [Value, Value, Value, Value] {
  available(e);
  const b = e.let(source(e, 1, lanes.bits));
  const a = e.let(e.read(0, lanes.bits));
  comparable(e, lanes, a, b);
  return [a, b, e.let(lanes.float(a)), e.let(lanes.float(b))];
}

/** All ones where a mask of either kind holds. */
const spread = (lanes: Lanes, mask: Value): Value =>
  lanes.packed ? mask : lanes.laneBits === 32 ? mask.neg() : mask.extendU().neg();
/** Bits of a where the mask holds, else of b. */
const choose = (lanes: Lanes, mask: Value, a: Value, b: Value): Value =>
  lanes.packed ? simd(V128, 0x52, [a, b, mask]) : b.xor(b.xor(a).and(spread(lanes, mask)));

/** The second operand where they are equal (SDM vol. 2, MINPS). */
export const extreme = (shape: Shape, which: 'min' | 'max'): Emit => (e) => {
  const lanes = LANES[shape];
  const [a, b, x, y] = operands(e, lanes);
  const first = which === 'min' ? lanes.compare('lt', x, y) : lanes.compare('lt', y, x);
  e.write(0, choose(lanes, first, a, b), lanes.bits);
}; // prettier-ignore

/** By a predicate of which, between numbers, only the low three bits count: EQ LT LE UNORD and their opposites. */
export const compare = (shape: Shape): Emit => (e) => {
  const lanes = LANES[shape];
  const [, , x, y] = operands(e, lanes);
  const predicate = e.read(2, 8);
  const kind = e.let(predicate.and(3));
  const everywhere = (on: Value): Value => {
    const ones = lanes.laneBits === 32 ? on.neg() : on.extendU().neg();
    return lanes.packed ? simd(V128, lanes.laneBits === 32 ? 0x11 : 0x12, [ones]) : ones;
  };
  const term = (comparison: Comparison, on: Value): Value =>
    lanes.and(spread(lanes, lanes.compare(comparison, x, y)), everywhere(on));
  const held = lanes.or(lanes.or(term('eq', kind.eqz()), term('lt', kind.eq(1))), term('le', kind.eq(2)));
  e.write(0, lanes.xor(held, everywhere(predicate.shrU(2).and(1))), lanes.bits);
}; // prettier-ignore

/** COMISS, UCOMISS and the like: ZF and CF; PF would be unordered. */
export const compareToFlags = (shape: 'ss' | 'sd'): Emit => (e) => {
  const lanes = LANES[shape];
  const [, , x, y] = operands(e, lanes);
  const carry = e.let(lanes.compare('lt', x, y));
  e.flags({ carry, overflow: i32(0), adjust: i32(0), result: e.constant(1) });
  e.setZero(e.let(lanes.compare('eq', x, y)));
}; // prettier-ignore

/** Between singles and doubles, of the low lane. Widening loses nothing. */
export const resize = (from: 'ss' | 'sd'): Emit => (e) => {
  const [lanes, to] = from === 'ss' ? [LANES.ss, LANES.sd] : [LANES.sd, LANES.ss];
  available(e);
  const bits = e.let(source(e, 1, lanes.bits));
  const value = e.let(lanes.float(bits));
  const result = e.let(value.convert(from === 'ss' ? F64 : 0x7d, from === 'ss' ? 0xbb : 0xb6));
  const written = e.let(to.toBits(result));
  unless(e, lanes.and(lanes.notDenormal(bits), lanes.isNumber(bits)));
  if (from === 'sd') {
    unless(e, to.isAmple(written).or(lanes.isZero(bits)));
    precisionIsFree(e, () => lanes.compare('eq', result.convert(F64, 0xbb), value));
  }
  e.write(0, written, to.bits);
}; // prettier-ignore

/** CVTPS2PD and CVTPD2PS: two lanes. */
export function widenPair(e: Emitter): void {
  available(e);
  const bits = e.let(source(e, 1, 64));
  const pair = e.let(simd(V128, 0x12, [bits]));
  const { ps } = LANES;
  unless(e, ps.all(ps.and(ps.notDenormal(pair), ps.isNumber(pair))));
  e.write(0, simd(V128, 0x5f, [pair]), 128);
}
export function narrowPair(e: Emitter): void {
  available(e);
  const bits = e.let(source(e, 1, 128));
  const result = e.let(simd(V128, 0x5e, [bits]));
  const { pd, ps } = LANES;
  // Two zeros stand above: they may stay, and be zero in the source's lanes of the low two.
  const ample = simd(V128, 0xc7, [e.let(ps.isAmple(result))]);
  unless(e, pd.all(pd.and(pd.notDenormal(bits), pd.or(ample, pd.isZero(bits)))));
  precisionIsFree(e);
  e.write(0, result, 128);
}

// --- Integers.
/** CVTSI2SS, CVTSI2SD. */
export const fromInteger = (shape: 'ss' | 'sd'): Emit => (e) => {
  const lanes = LANES[shape];
  available(e);
  const value = e.read(1);
  const wide = value.type === I64;
  const signed = wide ? value : value.extendS();
  const opcode = shape === 'ss' ? (wide ? 0xb4 : 0xb2) : wide ? 0xb9 : 0xb7;
  const result = e.let(value.convert(shape === 'ss' ? 0x7d : F64, opcode));
  const digits = shape === 'ss' ? 24n : 53n;
  const limit = 1n << digits;
  if (wide || shape === 'ss') precisionIsFree(e, () => signed.add(limit).leU(2n * limit));
  e.write(0, lanes.toBits(result), lanes.bits);
}; // prettier-ignore

const TRUNCATE = { ss: { 32: 0x00, 64: 0x04 }, sd: { 32: 0x02, 64: 0x06 } } as const;
/** CVTSS2SI and the like: rounded to nearest, or truncated. What does not fit is invalid. */
export const toInteger = (shape: 'ss' | 'sd', truncate: boolean): Emit => (e) => {
  const lanes = LANES[shape];
  available(e);
  const value = e.let(lanes.float(e.let(source(e, 1, lanes.bits))));
  const size = e.operandSize(0) as 32 | 64;
  // Half below the limit, so that rounding cannot reach it; NaNs are not below.
  const limit = lanes.float(lanes.constant(limitBits(shape, size)));
  unless(e, lanes.compare('lt', lanes.unary('abs', value), limit));
  const whole = truncate ? value : e.let(lanes.unary('nearest', value));
  const result = e.let(truncated(size, whole, TRUNCATE[shape][size]));
  if (truncate) {
    const back = size === 64 ? (shape === 'ss' ? 0xb4 : 0xb9) : shape === 'ss' ? 0xb2 : 0xb7;
    const exact = (): Value => lanes.compare('eq', result.convert(shape === 'ss' ? 0x7d : F64, back), value);
    anyRounding(e, exact);
  } else precisionIsFree(e, () => lanes.compare('eq', whole, value));
  e.write(0, result);
}; // prettier-ignore
/** 2^30 or 2^62 as bits. */
const limitBits = (shape: 'ss' | 'sd', size: 32 | 64): bigint =>
  shape === 'ss' ? BigInt(127 + size - 2) << 23n : BigInt(1023 + size - 2) << 52n;
const truncated = (size: 32 | 64, value: Value, opcode: number): Value => value.prefixed(size === 32 ? i32(0).type : I64, 0xfc, opcode); // prettier-ignore

/** As precisionIsFree where the direction of rounding is the instruction's own. */
function anyRounding(e: Emitter, exact?: () => Value): void {
  const mxcsr = e.state32(layout.MXCSR);
  const masked = 1 << 12;
  e.if(mxcsr.and(masked | PRECISION).ne(masked | PRECISION), () => {
    if (!exact) return e.plain();
    unless(e, exact());
  });
}

/** CVTDQ2PS, CVTDQ2PD. */
export function cvtdq2ps(e: Emitter): void {
  available(e);
  const value = e.let(source(e, 1, 128));
  const magnitude = (): Value => simd(V128, 0xa0, [value]);
  precisionIsFree(e, () => LANES.ps.all(simd(V128, 0x3e, [magnitude(), LANES.ps.constant(1n << 24n)])));
  e.write(0, simd(V128, 0xfa, [value]), 128);
}
export function cvtdq2pd(e: Emitter): void {
  available(e);
  const value = simd(V128, 0x12, [e.let(source(e, 1, 64))]);
  e.write(0, simd(V128, 0xfe, [value]), 128);
}
/** CVTPS2DQ, CVTPD2DQ and CVTT...: four singles, or two doubles with zeros above. */
export const toIntegers = (shape: 'ps' | 'pd', truncate: boolean): Emit => (e) => {
  const lanes = LANES[shape];
  available(e);
  const value = e.let(source(e, 1, 128));
  const limit = lanes.constant(shape === 'ps' ? limitBits('ss', 32) : limitBits('sd', 32));
  unless(e, lanes.all(lanes.compare('lt', lanes.unary('abs', value), limit)));
  const whole = e.let(lanes.unary(truncate ? 'trunc' : 'nearest', value));
  const exact = (): Value => lanes.all(lanes.compare('eq', whole, value));
  if (truncate) anyRounding(e, exact);
  else precisionIsFree(e, exact);
  e.write(0, simd(V128, shape === 'ps' ? 0xf8 : 0xfc, [whole]), 128);
}; // prettier-ignore

/** ROUNDPS and the like: bits 1:0 of the immediate or MXCSR say how, bit 3 keeps PE out. */
export const round = (shape: Shape): Emit => (e) => {
  const lanes = LANES[shape];
  available(e);
  const bits = e.let(source(e, 1, lanes.bits));
  const immediate = e.read(2, 8);
  const mxcsr = e.state32(layout.MXCSR);
  const value = e.let(lanes.float(bits));
  unless(e, lanes.all(lanes.and(lanes.notDenormal(bits), lanes.isNumber(bits))));
  const silent = immediate.shrU(3).and(1);
  const masked = mxcsr.and((1 << 12) | PRECISION).eq((1 << 12) | PRECISION);
  unless(e, silent.or(masked));
  const own = immediate.and(4).eqz();
  const direction = e.variable(i32(0).type);
  e.f.set(direction, mxcsr.shrU(13).and(3));
  e.if(own, () => e.f.set(direction, immediate.and(3)));
  const result = e.variable(value.type);
  e.f.set(result, lanes.unary('nearest', value));
  (['floor', 'ceil', 'trunc'] as const).forEach((name, i) =>
    e.if(e.f.get(direction).eq(i + 1), () => e.f.set(result, lanes.unary(name, value))),
  );
  e.write(0, lanes.toBits(e.f.get(result)), lanes.bits);
}; // prettier-ignore

/** The neighbours of both operands, the lower ones and the upper ones: HADDPS and the like. */
export const neighbours = (shape: 'ps' | 'pd'): Arrange => (a, b) => {
  const bytes = (lane: number): number[] => shape === 'ps' ? [0, 1, 2, 3].map((i) => lane * 4 + i) : [0, 1, 2, 3, 4, 5, 6, 7].map((i) => lane * 8 + i);
  const pick = (first: number): Value => simd(V128, 0x0d, [a, b], (shape === 'ps' ? [0, 2, 4, 6] : [0, 2]).flatMap((lane) => bytes(lane + first)));
  return [pick(0), pick(1)];
}; // prettier-ignore
/** ADDSUBPS and ADDSUBPD: what is added to the even lanes changes its sign. */
export const alternating = (shape: 'ps' | 'pd'): Arrange => (a, b) => {
  const signs = shape === 'ps' ? i64(1n << 31n) : i64(1n << 63n);
  const mask = shape === 'ps' ? simd(V128, 0x12, [signs]) : simd(V128, 0x1e, [simd(V128, 0x12, [i64(0)]), signs], [0]);
  return [a, simd(V128, 0x51, [b, mask])];
}; // prettier-ignore
