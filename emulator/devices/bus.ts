/**
 * What a chip is to the board: ports and registers, a clock, lines. One chip, one file; chips know this file and
 * nothing else, not each other and not the processor.
 */

/** A wire. Level-triggered users set and clear it; an edge is set(true) followed by set(false). */
export interface Line {
  set(level: boolean): void;
}

/** Guest time. One nanosecond is one retired instruction, plus idle time that was skipped. */
export interface Clock {
  /** Nanoseconds since power-on. */
  now(): number;
}

/** Inclusive. */
export interface Range {
  first: number;
  last: number;
}

export interface Device<Saved = unknown> {
  readonly name: string;
  /** I/O ports that it decodes. */
  readonly ports?: readonly Range[];
  /** Guest-physical ranges that it decodes. */
  readonly mmio?: readonly Range[];
  /** `bytes` 1, 2 or 4; values unsigned. Reading may have effects, as on the chip. */
  readPort?(port: number, bytes: number): number;
  writePort?(port: number, bytes: number, value: number): void;
  readMmio?(gpa: number, bytes: number): number;
  writeMmio?(gpa: number, bytes: number, value: number): void;
  /** When it must be ticked next, in ns since power-on; Infinity: not on its own. */
  deadline?(): number;
  /** Catch up with the clock: raise what became due. */
  tick?(): void;
  reset(): void;
  /** Plain data (numbers, strings, booleans, arrays, Uint8Array), complete. */
  save(): Saved;
  restore(saved: Saved): void;
  /** For people: registers by name, decoded where that helps. Without side effects. */
  inspect?(): Record<string, number | string | boolean>;
}
