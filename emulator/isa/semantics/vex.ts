/**
 * SSE's meanings under a VEX prefix (SDM vol. 1 chapter 14): with a first source of its own where the row has one, on both
 * halves of vectors of 256 bits, without alignment, and clearing what lies above. An SSE row's meaning is shown a view of the
 * emitter: its operands numbered as in the SSE row, one half at a time. What it writes is kept until both halves are done,
 * so that nothing has changed when the second one faults or gives way to the plain meaning.
 */
import type { Emitter } from '../../execution/builder';
import { I64, V128, i32, i64, simd } from '../../execution/wasm';
import type { Value, Width } from '../../execution/wasm';
import { CR0, CR4, RFLAGS, VECTOR } from '../../x86/registers';
import { CR0_AT, CR4_AT, HALVES, XCR0_AT, lane64, low32, low64, shuffle } from './sse';
import { AVX_STATE } from './vector-operands';

type Emit = (e: Emitter) => void;
export const zero = (): Value => simd(V128, 0x12, [i64(0)]);

/** #UD and #NM (SDM vol. 2A table 2-18). */
export function available(e: Emitter): void {
  const cr0 = e.state32(CR0_AT);
  const real = cr0.and(CR0.PE).eqz().or(e.systemFlags().and(RFLAGS.VM));
  const off = e.state32(CR4_AT).and(CR4.OSXSAVE).eqz().or(e.state32(XCR0_AT).and(AVX_STATE).ne(AVX_STATE)); // prettier-ignore
  e.raiseIf(real.or(off), VECTOR.UD);
  e.raiseIf(cr0.and(CR0.TS), VECTOR.NM);
}

/** Some operand has 256 bits. */
export const isWide = (e: Emitter): boolean => e.form.operands.some((o) => o.size === 256);

/** The memory operand's parts of 128 bits, or what it has of fewer. */
export function loadMemory(e: Emitter, bits: number, aligned = false): readonly [Value, Value?] {
  const linear = e.let(e.linear('memory', e.offset(), bits / 8, false));
  if (aligned) e.raiseIf(linear.wrap().and(bits / 8 - 1), VECTOR.GP, 0);
  return bits === 256 ? e.loadPair(linear) : [e.loadLinear(linear, bits as Width)];
}
/** Both halves of a vector or memory operand; the second where there are 256 bits. */
export function readHalves(e: Emitter, index: number): readonly [Value, Value?] {
  const bits = e.operandSize(index);
  if (e.isMemory(index)) return loadMemory(e, bits);
  return bits === 256 ? [e.read(index, 128), e.readUpper(index)] : [e.read(index, 128)];
}
export function writeHalves(e: Emitter, low: Value, high: Value = zero()): void {
  const [first, second] = [e.let(low), e.let(high)];
  e.write(0, first, 128);
  e.writeUpper(0, second);
}

/** Lane `number` of `bits` out of a wider value. */
function part(value: Value, number: number, bits: number): Value {
  if (number === 0 && value.type !== V128) return bits === 32 ? value.wrap() : value.and(0xffff);
  if (value.type === V128) return bits === 64 ? lane64(value, number) : simd(i32(0).type, bits === 32 ? 0x1b : 0x19, [value], [number]); // prettier-ignore
  return value.type === I64 ? value.shrU(32).wrap() : value.shrU(16);
}

class Half {
  private memory?: readonly [Value, Value?];
  /** What the meaning wrote to a vector: as many bits. */
  readonly results: { value: Value; bits: number }[] = [];
  number: 0 | 1 = 0;

  /** `shift`: how far the operands are behind those of the SSE row. */
  constructor(
    private readonly e: Emitter,
    private readonly shift: 0 | 1,
  ) {}

  view(): Emitter {
    const { e, shift } = this;
    const form = { ...e.form, operands: e.form.operands.slice(shift) };
    const view = Object.assign(Object.create(e) as Emitter, {
      form,
      read: (index: number, size: number = form.operands[index].size) => this.read(index, size),
      write: (index: number, value: Value, size: number = form.operands[index].size) => this.write(value, size),
    });
    HALVES.set(view, this);
    return view;
  }
  private read(index: number, bits: number): Value {
    const operand = this.e.form.operands[index + this.shift];
    if (operand.kind === 'vector' && operand.size === 256 && this.number === 1) return this.e.readUpper(index + this.shift); // prettier-ignore
    return this.e.read(index + this.shift, bits);
  }
  private write(value: Value, bits: number): void {
    if (this.e.form.operands[0].kind !== 'vector') this.e.write(0, value, bits);
    else this.results.push({ value: this.e.let(value), bits });
  }

  /** The source of this half: of a vector its half, of fewer bits its share, or the same for both. */
  source(index: number, bits: number): Value {
    const { e, number } = this;
    const at = index + this.shift;
    const { kind, size } = e.form.operands[at];
    const wide = isWide(e);
    if (!e.isMemory(at)) {
      if (kind === 'vector' && size === 128 && wide && bits < 128) return e.let(part(e.read(at, 128), number, bits));
      return this.read(index, bits);
    }
    this.memory ??= loadMemory(e, size);
    const [low, high] = this.memory;
    if (size === 256) return number ? high! : low;
    return size === bits ? low : e.let(part(low, number, bits));
  }
}

/** The meaning of an SSE row, under a VEX prefix; `first`: the row's destination is a source of its own here. */
export const vex = (emit: Emit, first: boolean): Emit => (e) => {
  available(e);
  const half = new Half(e, first ? 1 : 0);
  emit(half.view());
  if (isWide(e)) {
    half.number = 1;
    emit(half.view());
  }
  finish(e, half, first);
}; // prettier-ignore

function finish(e: Emitter, { results }: Half, first: boolean): void {
  if (results.length === 0) return;
  const [low, high] = results;
  let value = low.value;
  if (low.bits < 128) value = simd(V128, low.bits === 64 ? 0x1e : 0x1c, [e.read(first ? 1 : 0, 128), value], [0]);
  // Where the destination is narrower, each half gave a quadword.
  const narrow = e.operandSize(0) === 128;
  if (high && narrow) value = shuffle(value, high.value, [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23]);
  writeHalves(e, value, narrow ? undefined : high?.value);
}

// --- What SSE's meanings do not say.
export const load = (aligned: boolean): Emit => (e) => {
  available(e);
  writeHalves(e, ...(e.isMemory(1) ? loadMemory(e, e.operandSize(1), aligned) : readHalves(e, 1)));
}; // prettier-ignore
export const store = (aligned: boolean): Emit => (e) => {
  available(e);
  const [low, high] = readHalves(e, 1);
  if (!e.isMemory(0)) return writeHalves(e, low, high);
  const bits = e.operandSize(0);
  const linear = e.let(e.linear('memory', e.offset(), bits / 8, true));
  if (aligned) e.raiseIf(linear.wrap().and(bits / 8 - 1), VECTOR.GP, 0);
  if (high) e.storePair(linear, low, high);
  else e.storeLinear(linear, 128, low);
}; // prettier-ignore

/** VMOVSS, VMOVSD from and to memory. */
export const loadLow = (bits: 32 | 64): Emit => (e) => {
  available(e);
  const [value] = loadMemory(e, bits);
  writeHalves(e, bits === 64 ? low64(value) : low32(value));
}; // prettier-ignore
export const storeLow = (bits: 32 | 64): Emit => (e) => {
  available(e);
  e.write(0, e.read(1, bits), bits);
}; // prettier-ignore
/** VMOVSS, VMOVSD between registers: the lowest lane of operand 2 on operand 1. */
export const mergeLow = (bits: 32 | 64): Emit => (e) => {
  available(e);
  writeHalves(e, simd(V128, bits === 64 ? 0x1e : 0x1c, [e.read(1, 128), e.read(2, bits)], [0]));
}; // prettier-ignore
export function movddup(e: Emitter): void {
  available(e);
  if (!isWide(e)) return writeHalves(e, simd(V128, 0x12, [e.isMemory(1) ? loadMemory(e, 64)[0] : e.read(1, 64)]));
  const [low, high] = readHalves(e, 1).map((v) => simd(V128, 0x12, [lane64(v!, 0)]));
  writeHalves(e, low, high);
}

/** VPMOVMSKB and the like: the sign bits of all lanes. */
export const signMask = (opcode: number, lanes: number): Emit => (e) => {
  available(e);
  const [low, high] = readHalves(e, 1).map((v) => simd(i32(0).type, opcode, [v!]));
  const mask = high ? low.or(high.shl(lanes)) : low;
  e.write(0, e.operandSize(0) === 64 ? mask.extendU() : mask);
}; // prettier-ignore
/** VPTEST, VTESTPS, VTESTPD: all bits of both operands, or the signs of lanes. */
export const test = (signs: bigint): Emit => (e) => {
  available(e);
  const b = readHalves(e, 1);
  const a = readHalves(e, 0);
  const any = (opcode: number): Value =>
    e.let(a.map((x, i) => simd(i32(0).type, 0x53, [simd(V128, 0x4e, [simd(V128, opcode, [b[i]!, x!]), simd(V128, 0x12, [i64(signs)])])])).reduce((x, y) => x.or(y)));
  const covered = e.let(any(0x4f).eqz());
  e.flags({ carry: covered, overflow: i32(0), adjust: i32(0), result: e.constant(1) });
  e.setZero(any(0x4e).eqz());
}; // prettier-ignore

const clearUpper = (e: Emitter, index: number): void => e.setVectorHalf(index, 1, zero());
/** VZEROUPPER, VZEROALL: sixteen registers in 64-bit mode, else eight. */
export const clear = (all: boolean, registers: 8 | 16): Emit => (e) => {
  available(e);
  for (let i = 0; i < registers; i++) {
    if (all) e.setVectorHalf(i, 0, zero());
    clearUpper(e, i);
  }
}; // prettier-ignore
