/**
 * What a chip is to the board: ports and registers, a clock, lines. One chip, one file; chips know this file and
 * clock.ts and nothing else, not each other and not the processor.
 */

/**
 * A wire: `true` is asserted, whatever the voltage. Level-triggered users set and clear it; an edge is set(true)
 * after set(false). Setting the level that it already has changes nothing.
 */
export interface Line {
  set(level: boolean): void;
}

/** Guest time: retired instructions (util/time.ts), plus idle time that was skipped. */
export interface Clock {
  /** Nanoseconds since power-on. */
  now(): number;
}

/** Inclusive. */
export interface Range {
  first: number;
  last: number;
}

/** Addresses that somebody answers. */
export interface Window {
  readonly name: string;
  /** I/O ports that it decodes. */
  readonly ports?: readonly Range[];
  /** Guest-physical ranges that it decodes. */
  readonly mmio?: readonly Range[];
  /** Widest access that its port registers take, 1 unless said: wider ones arrive split, low address first. */
  readonly portBytes?: 1 | 2 | 4;
  /** The same for MMIO; 4 unless said. */
  readonly mmioBytes?: 1 | 2 | 4;
  /** An access touches nothing but the byte itself: no line and no deadline moves. */
  readonly plainMemory?: boolean;
  /** Its memory from a gpa on, for who looks from outside and writes by hand: a view. Undefined: there is none. */
  bytesAt?(gpa: number): Uint8Array | undefined;
  /** `bytes` 1, 2 or 4; values unsigned. Reading may have effects, as on the chip. */
  readPort?(port: number, bytes: number): number;
  writePort?(port: number, bytes: number, value: number): void;
  readMmio?(gpa: number, bytes: number): number;
  writeMmio?(gpa: number, bytes: number, value: number): void;
}

/** RAM, as a bus master reaches it. Whatever is not RAM ends an access: less is read or written than was asked. */
export interface GuestMemory {
  readBytes(gpa: number, bytes: number): Uint8Array;
  /** Bytes written. */
  writeBytes(gpa: number, data: Uint8Array): number;
}

/** RAM that the chip set can hide behind ROM. */
export interface ShadowedMemory extends GuestMemory {
  /** `force` also writes what guests cannot. */
  writeBytes(gpa: number, data: Uint8Array, force?: boolean): number;
  /** Inclusive range of whole pages. */
  setKind(firstGpa: number, lastGpa: number, kind: 'ram' | 'rom'): void;
  /** Flash from which code runs without being RAM. */
  rom: { readonly gpa: number; readonly bytes: Uint8Array } | undefined;
}

/** Where windows are opened and closed while the guest runs: the base address registers of PCI functions. */
export interface Decoder {
  attach(window: Window): void;
  detach(window: Window): void;
}

/** For people: registers by name, decoded where that helps. */
export type Inspection = Record<string, number | string | boolean>;

export interface Device<Saved = unknown> extends Window {
  /** When it must be ticked next, in ns since power-on; Infinity: not on its own. */
  deadline?(): number;
  /** Catch up with the clock: raise what became due. */
  tick?(): void;
  reset(): void;
  /** Plain data (numbers, strings, booleans, arrays, Uint8Array), complete. */
  save(): Saved;
  /** Drives no line and opens nothing twice: whatever is at the other end is restored on its own. */
  restore(saved: Saved): void;
  /** Without side effects. */
  inspect?(): Inspection;
  /** Of `inspect()`: registers that a debugger may set, to what software could. */
  readonly editable?: readonly string[];
  edit?(register: string, value: number): void;
}

/** Says by name, once, what a guest asked for and we lack. */
export type Unsupported = (what: string) => void;

/** Delivery modes as in the ICR, in redirection entries and in MSI data (SDM vol. 3A section 10.6.1). */
export const DELIVERY = { FIXED: 0, LOWEST: 1, SMI: 2, NMI: 4, INIT: 5, STARTUP: 6, EXTINT: 7 } as const;
export type Delivery = (typeof DELIVERY)[keyof typeof DELIVERY];

/** What I/O APICs, message-signalled interrupts and processors send to local APICs. */
export interface InterruptMessage {
  /** APIC id, or logical destination. */
  destination: number;
  logical: boolean;
  /** To every local APIC; `destination` says nothing. */
  broadcast: boolean;
  delivery: number;
  vector: number;
  /** Level-triggered: the end of interrupt is broadcast to the I/O APICs. */
  level: boolean;
}
