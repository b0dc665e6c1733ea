/**
 * SSE and SSE2 moves, logic, integer arithmetic and shuffles that need no rounding. SDM vol. 2; the WebAssembly SIMD
 * opcodes are those of its specification, section 5.4.8.
 */
import type { Emitter } from '../../execution/builder';
import * as layout from '../../execution/layout';
import { I32, I64, V128, i32, i64, select, simd } from '../../execution/wasm';
import type { Value, Width } from '../../execution/wasm';
import { CR0, CR4, RFLAGS, VECTOR } from '../../x86/registers';

export const CR0_AT = layout.SYSTEM + layout.SYSTEM_REGISTERS.indexOf('cr0') * 8;
export const CR4_AT = layout.SYSTEM + layout.SYSTEM_REGISTERS.indexOf('cr4') * 8;

export const XCR0_AT = layout.SYSTEM + layout.SYSTEM_REGISTERS.indexOf('xcr0') * 8;

/** Views under a VEX prefix (vex.ts): which half of the vectors they are of, and what its source is. */
export const HALVES = new WeakMap<Emitter, { number: 0 | 1; source(index: number, bits: number): Value }>();

/** #UD and #NM (SDM vol. 3A table 14-1). */
export function available(e: Emitter): void {
  if (HALVES.has(e)) return;
  const cr0 = e.state32(CR0_AT);
  e.raiseIf(cr0.and(CR0.EM).or(e.state32(CR4_AT).and(CR4.OSFXSR).eqz()), VECTOR.UD);
  e.raiseIf(cr0.and(CR0.TS), VECTOR.NM);
}
/** #UD in real-address and virtual-8086 mode: what every instruction with a VEX prefix asks (SDM vol. 2A section 2.8). */
export function protectedMode(e: Emitter): void {
  const real = e.state32(CR0_AT).and(CR0.PE).eqz();
  e.raiseIf(real.or(e.systemFlags().and(RFLAGS.VM)), VECTOR.UD);
}
type Alignment = 'aligned' | 'unaligned';

/** Linear address of the memory operand; #GP(0) where sixteen bytes must be aligned and are not. */
function address(e: Emitter, bits: number, writing: boolean, alignment: Alignment): Value {
  const linear = e.let(e.linear('memory', e.offset(), bits / 8, writing));
  if (bits === 128 && alignment === 'aligned') e.raiseIf(linear.wrap().and(15), VECTOR.GP, 0);
  return linear;
}
/** Register or memory operand, its low `bits`. */
export function source(e: Emitter, index: number, bits: number, alignment: Alignment = 'aligned'): Value {
  const half = HALVES.get(e);
  if (half) return half.source(index, bits);
  if (!e.isMemory(index)) return e.read(index, bits);
  return e.loadLinear(address(e, bits, false, alignment), bits as Width);
}

/** An immediate byte, of which each half of a vector of 256 bits takes `bits` of its own. */
export const immediateOfHalf = (e: Emitter, index: number, bits: number): Value =>
  e.let(e.read(index, 8).shrU((HALVES.get(e)?.number ?? 0) * bits));

const unary = (opcode: number, a: Value): Value => simd(V128, opcode, [a]);
export const binary = (opcode: number, a: Value, b: Value): Value => simd(V128, opcode, [a, b]);
export const shuffle = (a: Value, b: Value, lanes: readonly number[]): Value => simd(V128, 0x0d, [a, b], lanes);
const splat64 = (value: bigint): Value => simd(V128, 0x12, [i64(value)]);
/** An I64 (or I32) in the low lane, the rest 0. */
export const low64 = (value: Value): Value => simd(V128, 0x1e, [splat64(0n), value], [0]);
export const low32 = (value: Value): Value => simd(V128, 0x1c, [splat64(0n), value], [0]);
const bytes = (first: number, count: number): number[] => Array.from({ length: count }, (_, i) => first + i);

type Combine = (a: Value, b: Value) => Value;
/** destination = f(destination, source), all 128 bits. */
export const combine = (f: Combine) => (e: Emitter): void => {
  available(e);
  const b = e.let(source(e, 1, 128));
  e.write(0, f(e.let(e.read(0, 128)), b), 128);
}; // prettier-ignore
export const packed = (opcode: number): ((e: Emitter) => void) => combine((a, b) => binary(opcode, a, b));

const highWords = [...[2, 6, 10, 14, 18, 22, 26, 30].flatMap((at) => [at, at + 1])];
const MULTIPLIES = { signed: [0xbc, 0xbd], unsigned: [0xbe, 0xbf] } as const;
export const COMBINE = {
  andn: (a, b) => binary(0x4f, b, a),
  mulhw: (a, b) => shuffle(binary(MULTIPLIES.signed[0], a, b), binary(MULTIPLIES.signed[1], a, b), highWords),
  mulhuw: (a, b) => shuffle(binary(MULTIPLIES.unsigned[0], a, b), binary(MULTIPLIES.unsigned[1], a, b), highWords),
  // The even doublewords, brought together, multiplied to quadwords.
  muludq: (a, b) => {
    const even = (v: Value): Value => shuffle(v, v, [0, 1, 2, 3, 8, 9, 10, 11, 0, 1, 2, 3, 8, 9, 10, 11]);
    return binary(0xde, even(a), even(b));
  },
  sadbw: (a, b) => {
    const difference = binary(0x50, binary(0x73, a, b), binary(0x73, b, a));
    const quads = unary(0x7f, unary(0x7d, difference));
    const shifted = simd(V128, 0xcd, [quads, i32(32)]);
    return binary(0x4e, binary(0xce, quads, shifted), splat64(0xffff_ffffn));
  },
  unpcklb: (a, b) => shuffle(a, b, [0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23]),
  unpckhb: (a, b) => shuffle(a, b, [8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31]),
  unpcklw: (a, b) => shuffle(a, b, [0, 2, 4, 6].flatMap((at) => [...bytes(at, 2), ...bytes(at + 16, 2)])),
  unpckhw: (a, b) => shuffle(a, b, [8, 10, 12, 14].flatMap((at) => [...bytes(at, 2), ...bytes(at + 16, 2)])),
  unpckld: (a, b) => shuffle(a, b, [0, 4].flatMap((at) => [...bytes(at, 4), ...bytes(at + 16, 4)])),
  unpckhd: (a, b) => shuffle(a, b, [8, 12].flatMap((at) => [...bytes(at, 4), ...bytes(at + 16, 4)])),
  unpcklq: (a, b) => shuffle(a, b, [...bytes(0, 8), ...bytes(16, 8)]),
  unpckhq: (a, b) => shuffle(a, b, [...bytes(8, 8), ...bytes(24, 8)]),
} as const satisfies Record<string, Combine>; // prettier-ignore

// --- Moves.
export const load = (bits: number, alignment: Alignment) => (e: Emitter): void => {
  available(e);
  e.write(0, source(e, 1, bits, alignment), bits);
}; // prettier-ignore
export const store = (bits: number, alignment: Alignment) => (e: Emitter): void => {
  available(e);
  const value = e.let(e.read(1, bits));
  if (e.isMemory(0)) e.storeLinear(address(e, bits, true, alignment), bits as Width, value);
  else e.write(0, value, bits);
}; // prettier-ignore
/** MOVSS, MOVSD, MOVQ: from memory the rest is cleared; between registers only MOVQ does. */
export const loadLow = (bits: 32 | 64, clearsAlways: boolean) => (e: Emitter): void => {
  available(e);
  const value = source(e, 1, bits);
  if (!e.isMemory(1) && !clearsAlways) return e.write(0, value, bits);
  e.write(0, bits === 64 ? low64(value) : low32(value), 128);
}; // prettier-ignore
/** MOVQ xmm/m64, xmm: into a register it clears the rest. */
export function storeQuad(e: Emitter): void {
  available(e);
  const value = e.let(e.read(1, 64));
  if (e.isMemory(0)) e.storeLinear(address(e, 64, true, 'unaligned'), 64, value);
  else e.write(0, low64(value), 128);
}
export const lane64 = (v: Value, lane: number): Value => simd(I64, 0x1d, [v], [lane]);
/** MOVHPS/MOVLHPS to the upper half, MOVLPS/MOVHLPS to the lower: `from` is the half of a register source. */
export const intoHalf = (to: 0 | 1, from: 0 | 1) => (e: Emitter): void => {
  available(e);
  const value = e.isMemory(1) ? source(e, 1, 64) : lane64(e.read(1, 128), from);
  e.write(0, simd(V128, 0x1e, [e.let(e.read(0, 128)), e.let(value)], [to]), 128);
}; // prettier-ignore
export const storeHalf = (from: 0 | 1) => (e: Emitter): void => {
  available(e);
  e.storeLinear(address(e, 64, true, 'unaligned'), 64, lane64(e.read(1, 128), from));
}; // prettier-ignore
/** MOVD, MOVQ between general registers or memory and XMM. */
export function fromGeneral(e: Emitter): void {
  available(e);
  const value = e.let(e.read(1));
  e.write(0, value.type === I64 ? low64(value) : low32(value), 128);
}
export function toGeneral(e: Emitter): void {
  available(e);
  e.write(0, e.read(1, e.operandSize(0)));
}

/** MOVMSKPS and the like: the sign bits. */
export const signMask = (opcode: number) => (e: Emitter): void => {
  available(e);
  const mask = e.let(simd(I32, opcode, [e.read(1, 128)]));
  e.write(0, e.operandSize(0) === 64 ? mask.extendU() : mask);
}; // prettier-ignore

// --- Shifts by a count in the low quadword of a vector or in an immediate.
const SHIFT_OPCODES = {
  16: { l: 0x8b, ra: 0x8c, rl: 0x8d },
  32: { l: 0xab, ra: 0xac, rl: 0xad },
  64: { l: 0xcb, ra: 0xcc, rl: 0xcd },
} as const;
export type Shift = keyof (typeof SHIFT_OPCODES)[16];
/** All lanes by one count, I64. WebAssembly takes counts modulo the lane: what is too far becomes 0, or the sign everywhere. */
export function shifted(e: Emitter, lane: 16 | 32 | 64, kind: Shift, value: Value, count: Value): Value {
  const tooFar = e.let(count.gtU(BigInt(lane - 1)));
  const by = kind === 'ra' ? select(tooFar, i32(lane - 1), count.wrap()) : count.wrap();
  const result = simd(V128, SHIFT_OPCODES[lane][kind], [value, by]);
  return kind === 'ra' ? result : select(tooFar, splat64(0n), result);
}
export const shift = (lane: 16 | 32 | 64, kind: Shift) => (e: Emitter): void => {
  available(e);
  const immediate = e.form.operands[1].kind === 'immediate';
  const count = e.let(immediate ? e.read(1, 8).extendU() : lane64(e.let(source(e, 1, 128)), 0));
  e.write(0, shifted(e, lane, kind, e.read(0, 128), count), 128);
}; // prettier-ignore
