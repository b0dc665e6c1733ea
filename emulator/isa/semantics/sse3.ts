/** SSE3: duplicating moves, emitted; horizontal and alternating arithmetic, plain on util/binary-float.ts. */
import type { Emitter } from '../../execution/builder';
import { V128, simd } from '../../execution/wasm';
import * as float from '../../util/binary-float';
import type { Lane } from '../../util/binary-float';
import { FORMAT32, FORMAT64 } from '../../util/softfloat';
import type { Instruction, SystemMeaning } from '../instruction';
import { available, shuffle, source } from './sse';
import { environment, immediateOf, join, laneBits, settle, split } from './sse-float';
import { available as availableTo, readVector, vectorBytes, writeVector } from './vector-operands';

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
type Apply = (f: Lane, x: bigint, y: bigint) => bigint;
/** destination = the lanes that `f` makes of the lanes of destination and source, 128 bits at a time. */
export const arranged = (shape: Shape, f: (lane: Apply, a: bigint[], b: bigint[], insn: Instruction) => bigint[]): SystemMeaning => (cpu, insn) => {
  availableTo(cpu, insn);
  const bits = laneBits(shape);
  const bytes = vectorBytes(insn);
  const format = shape === 'ps' ? FORMAT32 : FORMAT64;
  const [b, a] = [readVector(cpu, insn, 1, bytes), readVector(cpu, insn, 0, bytes)];
  const env = environment(cpu);
  const apply: Apply = (lane, x, y) => lane(env, format, x, y);
  const halves = split(a, 128, bytes / 16).map((half, i) => {
    const [x, y] = [half, split(b, 128, bytes / 16)[i]].map((v) => split(v, bits, 128 / bits));
    return join(f(apply, x, y, insn), bits);
  });
  settle(cpu, env);
  writeVector(cpu, insn, join(halves, 128));
}; // prettier-ignore

/** Neighbours of the destination, then of the source: the lower one is the first operand. */
export const horizontal = (shape: Shape, operation: Lane): SystemMeaning =>
  arranged(shape, (lane, a, b) => {
    const all = [...a, ...b];
    return a.map((_, i) => lane(operation, all[2 * i], all[2 * i + 1]));
  });
export const addSubtract = (shape: Shape): SystemMeaning =>
  arranged(shape, (lane, a, b) => a.map((x, i) => lane(i & 1 ? float.add : float.subtract, x, b[i])));

/** DPPS, DPPD: products of the lanes that bits 7:4 choose, added in pairs, then to where bits 3:0 say. */
export const dotProduct = (shape: Shape): SystemMeaning =>
  arranged(shape, (lane, a, b, insn) => {
    const immediate = immediateOf(insn);
    const products = a.map((x, i) => ((immediate >> (4 + i)) & 1 ? lane(float.multiply, x, b[i]) : 0n));
    const add = (x: bigint, y: bigint): bigint => lane(float.add, x, y);
    const sum = shape === 'pd' ? add(products[0], products[1]) : add(add(products[0], products[1]), add(products[2], products[3])); // prettier-ignore
    return a.map((_, i) => ((immediate >> i) & 1 ? sum : 0n));
  });
