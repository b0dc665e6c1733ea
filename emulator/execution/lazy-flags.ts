/**
 * Flags that are not computed yet: what the last operation was, and on which values. A condition after a comparison becomes
 * one comparison of WebAssembly; the words (layout.ts, FLAG_S and further) are computed where somebody can see them.
 */
import { sumWords } from './builder-flags';
import { CONDITION } from './builder-types';
import { I64, i32, i64 } from './wasm';
import type { FunctionBuilder, Value } from './wasm';
import * as layout from './layout';

/** Values of `size` bits, zero-extended, that never change. `parts`: carry, overflow and adjust are I32, 0 or 1. */
export type Pending =
  | { kind: 'memory' }
  | { kind: 'add' | 'sub'; left: Value; right: Value; result: Value; size: number }
  | { kind: 'logic'; result: Value; size: number }
  | { kind: 'parts'; carry: Value; overflow: Value; adjust: Value; result: Value; size: number };

/** The words in memory are valid, or nobody looks at them any more. */
export const MEMORY: Pending = { kind: 'memory' };

const signed = (value: Value, size: number): Value => (size < 32 ? value.signExtend(size as 8 | 16) : value);
const signed64 = (value: Value, size: number): Value => (size === 64 ? value : signed(value, size).extendS());
const sign = (value: Value, size: number): Value => signed(value, size).ltS(0);

type Words = Record<'s' | 'x' | 'y' | 'r', Value>;
function wordsOf(f: FunctionBuilder, pending: Exclude<Pending, { kind: 'memory' }>): Words {
  const { size } = pending;
  const r = f.let(signed64(pending.result, size));
  switch (pending.kind) {
    case 'add':
      return { s: r, x: signed64(pending.left, size), y: signed64(pending.right, size), r };
    case 'sub':
      return { s: signed64(pending.left, size), x: r, y: signed64(pending.right, size), r };
    case 'logic':
      return { s: i64(0), x: i64(0), y: i64(0), r };
    case 'parts': {
      const wide = (value: Value): Value => f.let(value.extendU());
      const sums = sumWords((v) => f.let(v), wide(pending.carry), wide(pending.overflow), wide(pending.adjust));
      return { ...sums, r };
    }
  }
}

/** Puts the words where every tier expects them. */
export function materialise(f: FunctionBuilder, pending: Pending): void {
  if (pending.kind === 'memory') return;
  const { s, x, y, r } = wordsOf(f, pending);
  const put = (address: number, value: Value): void => f.store(64, i32(0), value, address);
  put(layout.FLAG_S, s);
  put(layout.FLAG_X, x);
  put(layout.FLAG_Y, y);
  put(layout.FLAG_R, r);
  put(layout.FLAG_P, i64(0));
}

/** One word as an expression; undefined: it is in memory. */
export function wordOf(f: FunctionBuilder, pending: Pending, address: number): Value | undefined {
  if (pending.kind === 'memory') return undefined;
  if (address === layout.FLAG_P) return i64(0);
  const { s, x, y, r } = wordsOf(f, pending);
  return address === layout.FLAG_S ? s : address === layout.FLAG_X ? x : address === layout.FLAG_Y ? y : r;
}

/** A condition without its inverting bit, I32 0 or 1; undefined where the words have to be asked. */
export function conditionOf(pending: Pending, code: number): Value | undefined {
  if (pending.kind === 'memory') return undefined;
  const { result, size } = pending;
  if (code === CONDITION.Z) return pending.kind === 'sub' ? pending.left.eq(pending.right) : result.eqz();
  if (code === CONDITION.S) return sign(result, size);
  if (code === CONDITION.P) return (result.type === I64 ? result.wrap() : result).and(0xff).popcnt().and(1).eqz();
  switch (pending.kind) {
    case 'sub':
      return ofDifference(pending.left, pending.right, size, code);
    case 'logic':
      return ofLogic(result, size, code);
    case 'add':
      return code === CONDITION.B ? result.ltU(pending.left) : undefined;
    case 'parts':
      return ofParts(pending, code);
  }
}

function ofDifference(left: Value, right: Value, size: number, code: number): Value | undefined {
  if (code === CONDITION.B) return left.ltU(right);
  if (code === CONDITION.BE) return left.leU(right);
  if (code === CONDITION.L) return signed(left, size).ltS(signed(right, size));
  if (code === CONDITION.LE) return signed(left, size).leS(signed(right, size));
  return undefined;
}

function ofLogic(result: Value, size: number, code: number): Value | undefined {
  if (code === CONDITION.O || code === CONDITION.B) return i32(0);
  if (code === CONDITION.BE) return result.eqz();
  return code === CONDITION.L ? sign(result, size) : signed(result, size).leS(0);
}

function ofParts(pending: Extract<Pending, { kind: 'parts' }>, code: number): Value {
  const { carry, overflow, result, size } = pending;
  if (code === CONDITION.O) return overflow;
  if (code === CONDITION.B) return carry;
  if (code === CONDITION.BE) return carry.or(result.eqz());
  const less = sign(result, size).xor(overflow);
  return code === CONDITION.L ? less : less.or(result.eqz());
}
