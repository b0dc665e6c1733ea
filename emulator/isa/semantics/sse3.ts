/** SSE3: duplicating moves, emitted; horizontal and alternating arithmetic, plain on util/binary-float.ts. */
import type { Emitter } from '../../execution/builder';
import { V128, simd } from '../../execution/wasm';
import * as float from '../../util/binary-float';
import type { Lane } from '../../util/binary-float';
import { FORMAT32, FORMAT64 } from '../../util/softfloat';
import type { SystemMeaning } from '../instruction';
import { available, shuffle, source } from './sse';
import { available as availableTo, environment, readVector, settle, writeVector } from './sse-float';

export function movddup(e: Emitter): void {
  available(e);
  e.write(0, simd(V128, 0x12, [source(e, 1, 64)]), 128);
}
/** MOVSLDUP, MOVSHDUP: the even or odd singles twice. */
const duplicated = (first: number) => (e: Emitter): void => {
  available(e);
  const from = e.let(source(e, 1, 128));
  const lanes = [first, first, first + 2, first + 2].flatMap((lane) => [0, 1, 2, 3].map((byte) => lane * 4 + byte));
  e.write(0, shuffle(from, from, lanes), 128);
}; // prettier-ignore
export const movsldup = duplicated(0);
export const movshdup = duplicated(1);

type Shape = 'ps' | 'pd';
/** destination = the lanes that `f` makes of the lanes of destination and source. */
const arranged = (shape: Shape, f: (lane: (f: Lane, x: bigint, y: bigint) => bigint, a: bigint[], b: bigint[]) => bigint[]): SystemMeaning => (cpu, insn) => {
  availableTo(cpu);
  const bits = shape === 'ps' ? 32 : 64;
  const format = shape === 'ps' ? FORMAT32 : FORMAT64;
  const split = (v: bigint): bigint[] => Array.from({ length: 128 / bits }, (_, i) => BigInt.asUintN(bits, v >> BigInt(i * bits)));
  const b = split(readVector(cpu, insn, 1, 16));
  const a = split(readVector(cpu, insn, 0, 16));
  const env = environment(cpu);
  const result = f((lane, x, y) => lane(env, format, x, y), a, b);
  settle(cpu, env);
  writeVector(cpu, insn, 0, result.reduceRight((all, lane) => (all << BigInt(bits)) | lane, 0n));
}; // prettier-ignore

/** Neighbours of the destination, then of the source: the lower one is the first operand. */
export const horizontal = (shape: Shape, operation: Lane): SystemMeaning =>
  arranged(shape, (lane, a, b) => {
    const all = [...a, ...b];
    return a.map((_, i) => lane(operation, all[2 * i], all[2 * i + 1]));
  });
export const addSubtract = (shape: Shape): SystemMeaning =>
  arranged(shape, (lane, a, b) => a.map((x, i) => lane(i & 1 ? float.add : float.subtract, x, b[i])));
