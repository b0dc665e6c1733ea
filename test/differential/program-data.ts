/** What random programs begin with, in registers and in memory: values of every kind, and what the generator's own instructions need. */
import { little } from './encode';
import { floatState, vectorBytes } from './generate';
import { PLACE } from './oracle';
import type { Style } from './program';
import { DATA_OFFSET } from './program-code';
import { Random } from './random';

let values: Uint8Array | undefined;
/** Floats and integers, the same for all programs: each takes its data from another place of it. */
function pool(): Uint8Array {
  if (values) return values;
  const dice = new Random(1);
  values = new Uint8Array(2 * PLACE.DATA_BYTES);
  for (let at = 0; at < values.length; at += 16) values.set(vectorBytes(dice, dice.below(4)), at);
  return values;
}

export function makeData(style: Style, heads: readonly number[], dice: Random): Uint8Array {
  const from = dice.below(PLACE.DATA_BYTES);
  const bytes = pool().slice(from, from + PLACE.DATA_BYTES);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < 16; i++) {
    const masks = style.masked || dice.oneIn(2) ? 0x3f : dice.below(64);
    const zeros = dice.oneIn(4) ? dice.pick([0x40, 0x8000, 0x8040]) : 0;
    const precision = dice.pick([0, 2, 3, 3]);
    view.setUint32(DATA_OFFSET.MXCSR + i * 4, (dice.below(4) << 13) | (masks << 7) | zeros, true);
    view.setUint16(DATA_OFFSET.CONTROL + i * 2, (dice.below(4) << 10) | (precision << 8) | 0x40 | masks, true);
  }
  for (let i = 0; i < 8; i++) {
    const target = BigInt(style.code.rip + dice.pick(heads));
    const width = style.code.size / 8;
    bytes.set(little(target, width), DATA_OFFSET.TARGETS + i * width);
  }
  view.setInt32(DATA_OFFSET.FUEL, style.fuel, true);
  return bytes;
}

/** x87 and SSE state in FXSAVE's layout, and the upper halves of vectors. */
export function makeFloats(style: Style, dice: Random): { fx: Uint8Array; upper: Uint8Array } {
  const kind = dice.below(4);
  const fx = floatState(dice, kind);
  const upper = Uint8Array.from(Array.from({ length: 16 }, () => vectorBytes(dice, kind)).flat());
  if (style.masked) {
    const view = new DataView(fx.buffer, fx.byteOffset);
    view.setUint16(0, view.getUint16(0, true) | 0x3f, true);
    view.setUint16(2, view.getUint16(2, true) & ~0x8080, true);
    view.setUint32(24, view.getUint32(24, true) | 0x1f80, true);
  }
  return { fx, upper };
}
