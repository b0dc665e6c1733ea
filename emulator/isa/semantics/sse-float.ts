/**
 * SSE and SSE2 floating point as plain meanings on util/binary-float.ts: exact results, exceptions and flags in every
 * rounding mode, on every platform. Where an exception is unmasked, nothing is written but its flag, and #XM follows.
 * The common case is emitted (float-emit.ts) and comes here only for what it does not do. Rows with a VEX prefix share these
 * meanings: as many lanes as the vectors have, and a first source of its own. RCPPS and RSQRTPS give 12 bits, whose exact
 * values the manuals leave to the processor.
 */
import type { Processor } from '../../cpu/ports';
import { GuestFault } from '../../cpu/ports';
import * as layout from '../../execution/layout';
import * as float from '../../util/binary-float';
import type { Lane } from '../../util/binary-float';
import { EXCEPTION, FORMAT32, FORMAT64 } from '../../util/softfloat';
import type { Format } from '../../util/softfloat';
import { CR4, RFLAGS, VECTOR } from '../../x86/registers';
import type { Instruction, SystemMeaning } from '../instruction';
import { linearOperand, readOperand, writeOperand } from '../operands';
import type { Shape } from './float-lanes';
import { available, readVector, sourceIndex, vectorBytes, writeVector } from './vector-operands';

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

const FORMATS: Record<Shape, Format> = { ps: FORMAT32, ss: FORMAT32, pd: FORMAT64, sd: FORMAT64 };
export const laneBits = (shape: Shape): 32 | 64 => (FORMATS[shape] === FORMAT32 ? 32 : 64);
const isPacked = (shape: Shape): boolean => shape[0] === 'p';
/** Bytes that an operand of the shape has in this instruction. */
const bytesOf = (shape: Shape, insn: Instruction): 4 | 8 | 16 | 32 =>
  isPacked(shape) ? vectorBytes(insn) : shape === 'ss' ? 4 : 8;

/** A value's lanes from below, and back. */
export const split = (value: bigint, bits: number, count: number): bigint[] =>
  Array.from({ length: count }, (_, i) => BigInt.asUintN(bits, value >> BigInt(i * bits)));
export const join = (lanes: readonly bigint[], bits: number): bigint =>
  lanes.reduceRight((all, lane) => (all << BigInt(bits)) | lane, 0n);

/** destination = lane(destination, source) in all lanes, or the lowest. */
export const lanesBy = (shape: Shape, lane: (insn: Instruction) => Lane): SystemMeaning => {
  const bits = laneBits(shape);
  return (cpu, insn) => {
    available(cpu, insn);
    const bytes = bytesOf(shape, insn);
    const count = (bytes * 8) / bits;
    const b = split(readVector(cpu, insn, 1, bytes), bits, count);
    const a = split(readVector(cpu, insn, 0, bytes), bits, count);
    const env = environment(cpu);
    const f = lane(insn);
    const result = a.map((x, i) => f(env, FORMATS[shape], x, b[i]));
    settle(cpu, env);
    writeVector(cpu, insn, join(result, bits), isPacked(shape) ? 128 : bits);
  };
}; // prettier-ignore

export const lanes = (shape: Shape, lane: Lane): SystemMeaning => lanesBy(shape, () => lane);

export const immediateOf = (insn: Instruction): number => Number((insn.operands.at(-1) as { value: bigint }).value & 0xffn); // prettier-ignore

export const compare = (shape: Shape): SystemMeaning =>
  lanesBy(shape, (insn) => float.comparison(immediateOf(insn) & (insn.vex ? 31 : 7)));

/** ROUNDPS and the like: bits 1:0 of the immediate or MXCSR say how; bit 3 keeps PE out. */
export const round = (shape: Shape): SystemMeaning =>
  lanesBy(shape, (insn) => {
    const immediate = immediateOf(insn);
    const rounding = immediate & 4 ? undefined : immediate & 3;
    return (env, format, _, y) => float.roundToIntegral(env, format, y, rounding, (immediate & 8) !== 0);
  }); // prettier-ignore

/** COMISS, UCOMISS and the like: into ZF, PF, CF. */
export const compareToFlags = (shape: 'ss' | 'sd', signals: boolean): SystemMeaning => (cpu, insn) => {
  available(cpu, insn);
  const bytes = bytesOf(shape, insn);
  const [b, a] = [readVector(cpu, insn, 1, bytes), readVector(cpu, insn, 0, bytes)];
  const env = environment(cpu);
  const found = float.order(env, FORMATS[shape], a, b, signals);
  settle(cpu, env);
  const { CF, PF, ZF, AF, SF, OF } = RFLAGS;
  const flags = { greater: 0, less: CF, equal: ZF, unordered: CF | PF | ZF }[found];
  cpu.state.rflags = (cpu.state.rflags & ~(CF | PF | ZF | AF | SF | OF)) | flags;
}; // prettier-ignore

// --- Conversions.
/** Lanes from one element size to another: `count` of 128 bits' worth, the rest of the register 0; one lane alone leaves it. */
const convertLanes = (count: number, from: number, to: number, f: (env: float.SseEnvironment, bits: bigint) => bigint): SystemMeaning => (cpu, insn) => {
  available(cpu, insn);
  const all = count > 1 && insn.vex === 256 ? count * 2 : count;
  const source = readVector(cpu, insn, 1, ((all * from) / 8) as 4 | 8 | 16 | 32);
  const env = environment(cpu);
  const result = split(source, from, all).map((bits) => f(env, bits));
  settle(cpu, env);
  writeVector(cpu, insn, join(result, to), count > 1 ? 128 : to);
}; // prettier-ignore
const signed32 = (format: Format) => (env: float.SseEnvironment, bits: bigint): bigint => float.fromSigned(env, format, BigInt.asIntN(32, bits)); // prettier-ignore
const integer = (format: Format, truncate: boolean) => (env: float.SseEnvironment, bits: bigint): bigint => float.toSigned(env, format, bits, 32, truncate); // prettier-ignore
const between = (from: Format, to: Format) => (env: float.SseEnvironment, bits: bigint): bigint => float.convert(env, from, to, bits); // prettier-ignore

export const cvtps2pd = convertLanes(2, 32, 64, between(FORMAT32, FORMAT64));
export const cvtpd2ps = convertLanes(2, 64, 32, between(FORMAT64, FORMAT32));
export const cvtss2sd = convertLanes(1, 32, 64, between(FORMAT32, FORMAT64));
export const cvtsd2ss = convertLanes(1, 64, 32, between(FORMAT64, FORMAT32));
export const cvtdq2ps = convertLanes(4, 32, 32, signed32(FORMAT32));
export const cvtps2dq = (truncate: boolean): SystemMeaning => convertLanes(4, 32, 32, integer(FORMAT32, truncate));
export const cvtpd2dq = (truncate: boolean): SystemMeaning => convertLanes(2, 64, 32, integer(FORMAT64, truncate));

/** CVTSI2SS, CVTSI2SD. */
export const fromInteger = (shape: 'ss' | 'sd'): SystemMeaning => (cpu, insn) => {
  available(cpu, insn);
  const size = insn.rex & 8 ? 64 : 32;
  const value = BigInt.asIntN(size, readOperand(cpu, insn, sourceIndex(insn, 1)));
  const env = environment(cpu);
  const bits = float.fromSigned(env, FORMATS[shape], value);
  settle(cpu, env);
  writeVector(cpu, insn, bits, laneBits(shape));
}; // prettier-ignore
/** CVTSS2SI and the like, CVTT... with `truncate`. */
export const toInteger = (shape: 'ss' | 'sd', truncate: boolean): SystemMeaning => (cpu, insn) => {
  available(cpu, insn);
  const source = readVector(cpu, insn, 1, bytesOf(shape, insn));
  const env = environment(cpu);
  const bits = float.toSigned(env, FORMATS[shape], source, insn.rex & 8 ? 64 : 32, truncate);
  settle(cpu, env);
  writeOperand(cpu, insn, 0, bits);
}; // prettier-ignore

// --- MXCSR.
export const ldmxcsr: SystemMeaning = (cpu, insn) => {
  available(cpu, insn);
  const value = Number(cpu.read(linearOperand(cpu, insn, 4, 'read'), 4));
  if (value & ~0xffff) throw new GuestFault(VECTOR.GP, 0);
  cpu.state.view.setUint32(layout.MXCSR, value, true);
};
export const stmxcsr: SystemMeaning = (cpu, insn) => {
  available(cpu, insn);
  cpu.write(linearOperand(cpu, insn, 4, 'write'), 4, BigInt(cpu.state.view.getUint32(layout.MXCSR, true)));
};
