/** A counter of the 8254: what it counts and what its pin shows, worked out from the tick at which it was loaded. Source: pit.ts. */

export interface Counter {
  /** 0-5. */
  mode: number;
  bcd: boolean;
  /** RW field: 1 low byte, 2 high byte, 3 low then high. */
  access: number;
  gate: boolean;
  /** Low byte that waits for its high byte, or -1. */
  low: number;
  readHigh: boolean;
  /** Latched count and latched status; -1: none. */
  latch: number;
  status: number;
  /** Last complete count that was written, 0: none since the control word. */
  written: number;
  /** Count in force (1 to 65536), loaded at tick `start`; 0: none. */
  count: number;
  start: number;
  /** Clocks counted when the gate froze it; -1: runs. */
  frozen: number;
  /** Count to be loaded at tick `nextStart`; -1: nothing. `nextLow`: into the low half of a square wave. */
  nextCount: number;
  nextStart: number;
  nextLow: boolean;
}

export const idle = (gate: boolean): Counter => ({
  mode: 3, bcd: false, access: 3, gate, low: -1, readHigh: false, latch: -1, status: -1,
  written: 0, count: 0, start: 0, frozen: -1, nextCount: 0, nextStart: -1, nextLow: false,
}); // prettier-ignore

export const modulus = (c: Counter): number => (c.bcd ? 10_000 : 0x1_0000);
export const elapsed = (c: Counter, tick: number): number => (c.frozen >= 0 ? c.frozen : Math.max(0, tick - c.start));
const toBcd = (n: number): number =>
  (Math.floor(n / 1000) % 10 << 12) | (Math.floor(n / 100) % 10 << 8) | (Math.floor(n / 10) % 10 << 4) | n % 10; // prettier-ignore
export const fromBcd = (n: number): number =>
  (n >> 12) * 1000 + ((n >> 8) & 15) * 100 + ((n >> 4) & 15) * 10 + (n & 15);

/** Level of the OUT pin (figures 15 to 20). */
export function output(c: Counter, tick: number): boolean {
  if (c.count === 0) return c.mode !== 0;
  const clocks = elapsed(c, tick);
  switch (c.mode) {
    case 0:
    case 1:
      return clocks >= c.count;
    case 2:
      return !c.gate || c.frozen >= 0 || clocks % c.count !== c.count - 1;
    case 3:
      return !c.gate || c.frozen >= 0 || clocks % c.count < Math.ceil(c.count / 2);
    default:
      return clocks !== c.count;
  }
}

/** The counting element, as it is read. */
export function value(c: Counter, tick: number): number {
  if (c.count === 0) return 0;
  const clocks = elapsed(c, tick);
  let n: number;
  if (c.mode === 2) n = c.count - (clocks % c.count);
  else if (c.mode === 3) {
    const phase = clocks % c.count;
    const high = Math.ceil(c.count / 2);
    // Counts by two through each half; an odd count loses its last bit (data sheet, mode 3).
    n = (c.count & ~1) - 2 * (phase < high ? phase : phase - high);
  } else n = c.count - clocks;
  const m = modulus(c);
  n = ((n % m) + m) % m;
  return c.bcd ? toBcd(n) : n;
}

/** First tick after `tick` at which OUT rises while (`count`, `start`) is in force. */
function riseAfter(c: Counter, count: number, start: number, tick: number): number {
  if (count === 0 || c.frozen >= 0) return Infinity;
  if (c.mode === 2 || c.mode === 3) return start + (Math.floor(Math.max(0, tick - start) / count) + 1) * count;
  const once = start + count + (c.mode >= 4 ? 1 : 0);
  return once > tick ? once : Infinity;
}

export function nextRise(c: Counter, tick: number): number {
  const rise = riseAfter(c, c.count, c.start, tick);
  if (c.nextStart < 0 || rise <= c.nextStart) return rise;
  return riseAfter(c, c.nextCount, nextPhase(c), c.nextStart);
}

/** Tick at which the period begins that the next count will be in the middle of, or at the start. */
export const nextPhase = (c: Counter): number => c.nextStart - (c.nextLow ? Math.ceil(c.nextCount / 2) : 0);
