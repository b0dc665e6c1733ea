/**
 * SSE and SSE2 floating point as plain meanings on util/binary-float.ts: exact results, exceptions and flags in every
 * rounding mode, on every platform. Where an exception is unmasked, nothing is written but its flag, and #XM follows.
 * The common case is computed in JavaScript's own numbers (util/quick-float.ts), still a call out of generated code: emitted
 * float instructions are for the compiler tier. RCPPS and RSQRTPS give 12 bits, whose exact values the manuals leave to the
 * processor.
 */
import type { Processor } from '../../cpu/ports';
import { GuestFault } from '../../cpu/ports';
import * as layout from '../../execution/layout';
import * as float from '../../util/binary-float';
import type { Lane } from '../../util/binary-float';
import { EXCEPTION, FORMAT32, FORMAT64 } from '../../util/softfloat';
import type { Format } from '../../util/softfloat';
import { QUICK, isExact, perform } from '../../util/quick-float';
import type { Quick } from '../../util/quick-float';
import { CR0, CR4, RFLAGS, VECTOR } from '../../x86/registers';
import type { Instruction, SystemMeaning } from '../instruction';
import { linearOperand, readOperand, writeOperand } from '../operands';

/** #UD and #NM as every SSE instruction (SDM vol. 3A table 14-1). */
export function available(cpu: Processor): void {
  const cr0 = cpu.state.system32('cr0');
  if (cr0 & CR0.EM || !(cpu.state.system32('cr4') & CR4.OSFXSR)) throw new GuestFault(VECTOR.UD);
  if (cr0 & CR0.TS) throw new GuestFault(VECTOR.NM);
}

/** The low `bytes` of a vector operand; sixteen in memory must be aligned unless `unaligned`. */
export function readVector(cpu: Processor, insn: Instruction, index: number, bytes: 4 | 8 | 16, unaligned = false): bigint {
  const operand = insn.operands[index];
  if (operand.kind === 'xmm') return BigInt.asUintN(bytes * 8, cpu.state.vector(operand.index));
  const gva = linearOperand(cpu, insn, bytes, 'read');
  if (bytes !== 16) return cpu.read(gva, bytes);
  if (!unaligned && gva & 15n) throw new GuestFault(VECTOR.GP, 0);
  return cpu.read(gva, 8) | (cpu.read(gva + 8n, 8) << 64n);
} // prettier-ignore
/** Replaces the low `bits` of a vector register. */
export function writeVector(cpu: Processor, insn: Instruction, index: number, value: bigint, bits = 128): void {
  const operand = insn.operands[index];
  if (operand.kind !== 'xmm') return;
  const old = cpu.state.vector(operand.index);
  cpu.state.setVector(operand.index, bits === 128 ? value : ((old >> BigInt(bits)) << BigInt(bits)) | value);
}

export function environment(cpu: Processor): float.SseEnvironment {
  return new float.SseEnvironment(cpu.state.view.getUint32(layout.MXCSR, true));
}
const BEFORE = EXCEPTION.INVALID | EXCEPTION.DENORMAL | EXCEPTION.ZERO_DIVIDE;
/** Accumulates the flags; throws #XM (or #UD) when one is unmasked. Before anything else is written. */
export function settle(cpu: Processor, env: float.SseEnvironment): void {
  const { view } = cpu.state;
  // An unmasked exception of the operands keeps the operation from happening: nothing was rounded.
  if (env.flags & BEFORE & ~env.masks) env.flags &= BEFORE;
  view.setUint32(layout.MXCSR, view.getUint32(layout.MXCSR, true) | env.flags, true);
  if (!(env.flags & ~env.masks)) return;
  throw new GuestFault(cpu.state.system32('cr4') & CR4.OSXMMEXCPT ? VECTOR.XM : VECTOR.UD);
}

export type Shape = 'ps' | 'pd' | 'ss' | 'sd';
const FORMATS: Record<Shape, Format> = { ps: FORMAT32, ss: FORMAT32, pd: FORMAT64, sd: FORMAT64 };
const BYTES: Record<Shape, 4 | 8 | 16> = { ps: 16, pd: 16, ss: 4, sd: 8 };
const laneBits = (shape: Shape): 32 | 64 => (FORMATS[shape] === FORMAT32 ? 32 : 64);

const QUICK_OF = new Map<Lane, Quick>([
  [float.add, QUICK.add], [float.subtract, QUICK.subtract], [float.multiply, QUICK.multiply], [float.divide, QUICK.divide], [float.squareRoot, QUICK.squareRoot],
]); // prettier-ignore
/** MXCSR without its flags: nearest, everything masked, denormals as they are. */
const PLAIN_CONTROL = 0x1f80;
const memoryLanes = new DataView(new ArrayBuffer(16));
const results = new Float64Array(4);

/** Address of a register operand's low byte. */
const vectorAt = (insn: Instruction, index: number): number => layout.VECTORS + (insn.operands[index] as { index: number }).index * layout.VECTOR_SIZE; // prettier-ignore

/** The common case without big integers (util/quick-float.ts); false: nothing has happened. `memory`: the source, where it is there. */
function quickly(cpu: Processor, insn: Instruction, shape: Shape, quick: Quick, memory?: bigint): boolean {
  const { view } = cpu.state;
  const mxcsr = view.getUint32(layout.MXCSR, true);
  if ((mxcsr & ~0x3f) !== PLAIN_CONTROL) return false;
  if (memory !== undefined) {
    memoryLanes.setBigUint64(0, BigInt.asUintN(64, memory), true);
    memoryLanes.setBigUint64(8, memory >> 64n, true);
  }
  const source = memory === undefined ? view : memoryLanes;
  const to = vectorAt(insn, 0);
  const from = memory === undefined ? vectorAt(insn, 1) : 0;
  const bits = laneBits(shape);
  const step = bits / 8;
  let flags = mxcsr & EXCEPTION.PRECISION;
  for (let i = 0; i < BYTES[shape]; i += step) {
    const x = bits === 32 ? view.getFloat32(to + i, true) : view.getFloat64(to + i, true);
    const y = bits === 32 ? source.getFloat32(from + i, true) : source.getFloat64(from + i, true);
    // A square root has no first operand.
    const first = quick === QUICK.squareRoot ? 0 : x;
    const r = perform(quick, bits, first, y);
    const exact = flags !== 0 || isExact(quick, first, y, r);
    if (Number.isNaN(r) || exact === undefined) return false;
    if (!exact) flags = EXCEPTION.PRECISION;
    results[i / step] = r;
  }
  for (let i = 0; i < BYTES[shape]; i += step)
    if (bits === 32) view.setFloat32(to + i, results[i / step], true);
    else view.setFloat64(to + i, results[i / step], true);
  view.setUint32(layout.MXCSR, mxcsr | flags, true);
  return true;
} // prettier-ignore

/** destination = lane(destination, source) in all lanes, or the lowest. */
export const lanes = (shape: Shape, lane: Lane | ((insn: Instruction) => Lane), byImmediate = false): SystemMeaning => {
  const quick = byImmediate ? undefined : QUICK_OF.get(lane as Lane);
  const bytes = BYTES[shape];
  const bits = laneBits(shape);
  return (cpu, insn) => {
    available(cpu);
    const memory = insn.operands[1].kind === 'memory' ? readVector(cpu, insn, 1, bytes) : undefined;
    if (quick && quickly(cpu, insn, shape, quick, memory)) return;
    const b = memory ?? readVector(cpu, insn, 1, bytes);
    const a = readVector(cpu, insn, 0, bytes);
    const env = environment(cpu);
    const f = byImmediate ? (lane as (insn: Instruction) => Lane)(insn) : (lane as Lane);
    const take = (from: bigint, at: number): bigint => BigInt.asUintN(bits, from >> BigInt(at));
    let result = 0n;
    for (let at = 0; at < bytes * 8; at += bits) result |= f(env, FORMATS[shape], take(a, at), take(b, at)) << BigInt(at);
    settle(cpu, env);
    writeVector(cpu, insn, 0, result, bytes * 8);
  };
}; // prettier-ignore

export const compare = (shape: Shape): SystemMeaning =>
  lanes(
    shape,
    (insn: Instruction) => float.comparison(Number((insn.operands[2] as { value: bigint }).value & 7n)),
    true,
  );

/** COMISS, UCOMISS and the like: into ZF, PF, CF. */
export const compareToFlags = (shape: 'ss' | 'sd', signals: boolean): SystemMeaning => (cpu, insn) => {
  available(cpu);
  const bytes = BYTES[shape];
  const [b, a] = [readVector(cpu, insn, 1, bytes), readVector(cpu, insn, 0, bytes)];
  const env = environment(cpu);
  const found = float.order(env, FORMATS[shape], a, b, signals);
  settle(cpu, env);
  const { CF, PF, ZF, AF, SF, OF } = RFLAGS;
  const flags = { greater: 0, less: CF, equal: ZF, unordered: CF | PF | ZF }[found];
  cpu.state.rflags = (cpu.state.rflags & ~(CF | PF | ZF | AF | SF | OF)) | flags;
}; // prettier-ignore

// --- Conversions.
/** Lanes from one element size to another: `count` of them, the rest of the register 0 where `clear`. */
const convertLanes = (count: number, from: number, to: number, f: (env: float.SseEnvironment, bits: bigint) => bigint, keep = false): SystemMeaning => (cpu, insn) => {
  available(cpu);
  const source = readVector(cpu, insn, 1, ((count * from) / 8) as 4 | 8 | 16);
  const env = environment(cpu);
  let result = 0n;
  for (let i = 0; i < count; i++) result |= f(env, BigInt.asUintN(from, source >> BigInt(i * from))) << BigInt(i * to);
  settle(cpu, env);
  writeVector(cpu, insn, 0, result, keep ? count * to : 128);
}; // prettier-ignore
const signed32 = (format: Format) => (env: float.SseEnvironment, bits: bigint): bigint => float.fromSigned(env, format, BigInt.asIntN(32, bits)); // prettier-ignore
const integer = (format: Format, truncate: boolean) => (env: float.SseEnvironment, bits: bigint): bigint => float.toSigned(env, format, bits, 32, truncate); // prettier-ignore
const between = (from: Format, to: Format) => (env: float.SseEnvironment, bits: bigint): bigint => float.convert(env, from, to, bits); // prettier-ignore

export const cvtps2pd = convertLanes(2, 32, 64, between(FORMAT32, FORMAT64));
export const cvtpd2ps = convertLanes(2, 64, 32, between(FORMAT64, FORMAT32));
export const cvtss2sd = convertLanes(1, 32, 64, between(FORMAT32, FORMAT64), true);
export const cvtsd2ss = convertLanes(1, 64, 32, between(FORMAT64, FORMAT32), true);
export const cvtdq2ps = convertLanes(4, 32, 32, signed32(FORMAT32));
export const cvtdq2pd = convertLanes(2, 32, 64, signed32(FORMAT64));
export const cvtps2dq = (truncate: boolean): SystemMeaning => convertLanes(4, 32, 32, integer(FORMAT32, truncate));
export const cvtpd2dq = (truncate: boolean): SystemMeaning => convertLanes(2, 64, 32, integer(FORMAT64, truncate));

/** CVTSI2SS, CVTSI2SD. */
export const fromInteger = (shape: 'ss' | 'sd'): SystemMeaning => (cpu, insn) => {
  available(cpu);
  const size = insn.rex & 8 ? 64 : 32;
  const value = BigInt.asIntN(size, readOperand(cpu, insn, 1));
  const env = environment(cpu);
  const bits = float.fromSigned(env, FORMATS[shape], value);
  settle(cpu, env);
  writeVector(cpu, insn, 0, bits, laneBits(shape));
}; // prettier-ignore
/** CVTSS2SI and the like, CVTT... with `truncate`. */
export const toInteger = (shape: 'ss' | 'sd', truncate: boolean): SystemMeaning => (cpu, insn) => {
  available(cpu);
  const source = readVector(cpu, insn, 1, BYTES[shape]);
  const env = environment(cpu);
  const bits = float.toSigned(env, FORMATS[shape], source, insn.rex & 8 ? 64 : 32, truncate);
  settle(cpu, env);
  writeOperand(cpu, insn, 0, bits);
}; // prettier-ignore

// --- MXCSR.
export const ldmxcsr: SystemMeaning = (cpu, insn) => {
  available(cpu);
  const value = Number(cpu.read(linearOperand(cpu, insn, 4, 'read'), 4));
  if (value & ~0xffff) throw new GuestFault(VECTOR.GP, 0);
  cpu.state.view.setUint32(layout.MXCSR, value, true);
};
export const stmxcsr: SystemMeaning = (cpu, insn) => {
  available(cpu);
  cpu.write(linearOperand(cpu, insn, 4, 'write'), 4, BigInt(cpu.state.view.getUint32(layout.MXCSR, true)));
};
