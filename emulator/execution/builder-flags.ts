/** The words of flags (layout.ts, FLAG_S and further) as expressions: what every tier computes in the same way. */
import type { Value } from './wasm';

/**
 * S, X and Y from which CF, OF and AF follow as asked (I64, 0 or 1 each): the cases are worked out in cpu/state.ts, set
 * rflags. `keep` computes a value once.
 */
export function sumWords(
  keep: (value: Value) => Value,
  carry: Value,
  overflow: Value,
  adjust: Value,
): Record<'s' | 'x' | 'y', Value> {
  const both = keep(carry.and(overflow).neg());
  const s = keep(overflow.and(carry.xor(1n)).neg());
  const x = keep(both.or(carry));
  const correction = s.xor(x).xor(both).shrU(4).and(1n).xor(adjust).shl(4);
  return { s, x, y: both.xor(correction) };
}
