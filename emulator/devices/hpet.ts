/**
 * High-precision event timer: a 64-bit counter of 100 MHz and three comparators, all periodic-capable.
 * Source: IA-PC HPET specification 1.0a, chapter 2.
 *
 * The outputs of the 8254 and of the real-time clock run through this chip, because legacy replacement disconnects them.
 * Not emulated: delivery as messages (FSB); the capability bit says so.
 */
import type { Clock, Device, Inspection, Line } from './bus';

export const HPET_BYTES = 0x400;
export const HPET_TIMERS = 3;
const TICK_NS = 10;
const PERIOD_FEMTOSECONDS = TICK_NS * 1_000_000;
/** Revision 1, timers less one, 64 bits, legacy replacement, vendor: what the ACPI table repeats. */
export const HPET_ID = (0x8086_0000 | (1 << 15) | (1 << 13) | ((HPET_TIMERS - 1) << 8) | 1) >>> 0;
/** I/O APIC pins that a comparator may drive: those without a PCI interrupt. */
const ROUTES = 0x00f0_0000;

const REG = { ID: 0x00, CONFIG: 0x10, STATUS: 0x20, COUNTER: 0xf0, TIMER0: 0x100 } as const;
const CONFIG = { ENABLE: 1, LEGACY: 2 } as const;
const TIMER = {
  LEVEL: 2,
  ENABLE: 4,
  PERIODIC: 8,
  PERIODIC_CAPABLE: 0x10,
  WIDE_CAPABLE: 0x20,
  SET: 0x40,
  NARROW: 0x100,
} as const;
const TIMER_WRITABLE = TIMER.LEVEL | TIMER.ENABLE | TIMER.PERIODIC | TIMER.SET | TIMER.NARROW | 0x3e00;
/** A match interrupts, sets a status or moves the comparator. */
const MATTERS = TIMER.ENABLE | TIMER.LEVEL | TIMER.PERIODIC;
const ALL_ONES = (1n << 64n) - 1n;

interface Timer {
  config: number;
  comparator: bigint;
  period: bigint;
  /** The low half of a comparator was written with VAL_SET: its high half, too, sets the comparator. */
  setsHigh: boolean;
}
interface Saved {
  config: number;
  status: number;
  /** The counter was `count` at `baseNs`; halted, it still is. Decimal. */
  count: string;
  baseNs: number;
  /** Up to which count matches have been told. Decimal. */
  seen: string;
  timers: { config: number; comparator: string; period: string; setsHigh: boolean }[];
  /** What the 8254 and the clock drive. */
  inputs: [boolean, boolean];
}

export interface HpetLines {
  /** IRQ 0 and IRQ 8. */
  legacy: readonly [Line, Line];
  /** A pin of the I/O APIC. */
  route(pin: number): Line;
}

export class Hpet implements Device<Saved> {
  readonly name = 'hpet';
  readonly mmio: readonly { first: number; last: number }[];
  /** Where the outputs of the 8254's counter 0 and of the real-time clock go. */
  readonly fromPit: Line = { set: (level) => this.setInput(0, level) };
  readonly fromRtc: Line = { set: (level) => this.setInput(1, level) };
  private config = 0;
  private status = 0;
  private count = 0n;
  private baseNs = 0;
  private seen = 0n;
  private timers: Timer[] = [];
  private inputs: [boolean, boolean] = [false, false];

  constructor(
    private readonly gpa: number,
    private readonly clock: Clock,
    private readonly lines: HpetLines,
  ) {
    this.mmio = [{ first: gpa, last: gpa + HPET_BYTES - 1 }];
    this.clear();
  }

  private clear(): void {
    this.due = undefined;
    this.config = this.status = 0;
    this.count = this.seen = 0n;
    this.timers = Array.from({ length: HPET_TIMERS }, () => ({ config: 0, comparator: ALL_ONES, period: 0n, setsHigh: false }));
  } // prettier-ignore
  reset(): void {
    for (let i = 0; i < HPET_TIMERS; i++) this.lineOf(i)?.set(false);
    this.clear();
    this.baseNs = this.clock.now();
    this.passInputs();
  }
  save(): Saved {
    return {
      config: this.config, status: this.status, count: `${this.count}`, baseNs: this.baseNs, seen: `${this.seen}`,
      timers: this.timers.map((t) => ({ ...t, comparator: `${t.comparator}`, period: `${t.period}` })),
      inputs: [...this.inputs],
    }; // prettier-ignore
  }
  restore(saved: Saved): void {
    this.config = saved.config;
    this.status = saved.status;
    this.count = BigInt(saved.count);
    this.baseNs = saved.baseNs;
    this.seen = BigInt(saved.seen);
    this.timers = saved.timers.map((t) => ({ ...t, comparator: BigInt(t.comparator), period: BigInt(t.period) }));
    this.inputs = [...saved.inputs];
    this.due = undefined;
  }

  deadline(): number {
    return this.next().interrupt;
  }
  /** ns at which a timer next interrupts, and at which one's match matters: until a register changes or a timer matches. */
  private due?: { interrupt: number; matter: number };
  private next(): { interrupt: number; matter: number } {
    return (this.due ??= { interrupt: this.firstMatch(TIMER.ENABLE), matter: this.firstMatch(MATTERS) });
  }
  /** Of timers with any of these bits. */
  private firstMatch(bits: number): number {
    if (!this.enabled) return Infinity;
    let first = Infinity;
    for (const timer of this.timers) {
      if (!(timer.config & bits)) continue;
      const ticks = Number(this.nextMatch(timer) - this.count);
      if (ticks < 2 ** 48) first = Math.min(first, this.baseNs + ticks * TICK_NS);
    }
    return first;
  }

  /** Tells every match between `seen` and now. Called with every access to a device: most times nothing has come due. */
  tick(): void {
    if (this.clock.now() < this.next().matter) return;
    const now = this.counter();
    this.timers.forEach((timer, i) => {
      const match = this.nextMatch(timer);
      if (match > now) return;
      if (timer.config & TIMER.PERIODIC && timer.period > 0n) {
        const periods = (now - match) / timer.period + 1n;
        timer.comparator = (timer.comparator + periods * timer.period) & widthOf(timer);
      }
      this.fire(i, timer);
    });
    this.seen = now;
    this.due = undefined;
  }

  readMmio(gpa: number, bytes: number): number {
    this.tick();
    const offset = gpa - this.gpa;
    const word = this.read(offset & ~7);
    const part = Number((word >> BigInt((offset & 7) * 8)) & 0xffff_ffffn);
    return bytes === 4 ? part : part & ((1 << (bytes * 8)) - 1);
  }
  private read(offset: number): bigint {
    if (offset === REG.ID) return (BigInt(PERIOD_FEMTOSECONDS) << 32n) | BigInt(HPET_ID);
    if (offset === REG.CONFIG) return BigInt(this.config);
    if (offset === REG.STATUS) return BigInt(this.status);
    if (offset === REG.COUNTER) return this.counter() & ALL_ONES;
    const timer = this.timers[(offset - REG.TIMER0) >> 5];
    if (offset < REG.TIMER0 || !timer) return 0n;
    if ((offset & 0x18) === 0)
      return (BigInt(ROUTES) << 32n) | BigInt(timer.config | TIMER.PERIODIC_CAPABLE | TIMER.WIDE_CAPABLE);
    return (offset & 0x18) === 8 ? timer.comparator : 0n;
  }

  /** Registers are written by aligned halves or whole (section 2.3.2); whole ones arrive as two halves, low first. */
  writeMmio(gpa: number, bytes: number, value: number): void {
    if (bytes !== 4) return;
    this.tick();
    this.due = undefined;
    this.seen = this.counter();
    const offset = gpa - this.gpa;
    const high = (offset & 4) !== 0;
    const register = offset & ~7;
    if (register === REG.CONFIG && !high) this.writeConfig(value);
    else if (register === REG.STATUS && !high) this.acknowledge(value);
    else if (register === REG.COUNTER) this.setCounter(half(this.counter() & ALL_ONES, value, high));
    else if (register >= REG.TIMER0) this.writeTimer((register - REG.TIMER0) >> 5, register & 0x18, value, high);
  }

  inspect(): Inspection {
    const result: Inspection = { enabled: this.enabled, legacy: (this.config & CONFIG.LEGACY) !== 0, counter: `${this.counter()}` };
    this.timers.forEach((t, i) => (result[`timer${i}`] = `config 0x${t.config.toString(16)}, comparator ${t.comparator}, period ${t.period}`));
    return result;
  } // prettier-ignore

  // --- The counter

  private get enabled(): boolean {
    return (this.config & CONFIG.ENABLE) !== 0;
  }
  /** Not wrapped: `seen` and matches are compared with it. */
  private counter(): bigint {
    if (!this.enabled) return this.count;
    return this.count + BigInt(Math.floor((this.clock.now() - this.baseNs) / TICK_NS));
  }
  private setCounter(value: bigint): void {
    this.count = this.seen = value;
    this.baseNs = this.clock.now();
  }
  /** The first count after `seen` that matches. */
  private nextMatch(timer: Timer): bigint {
    const from = this.seen + 1n;
    return from + ((timer.comparator - from) & widthOf(timer));
  }

  private writeConfig(value: number): void {
    const now = value & (CONFIG.ENABLE | CONFIG.LEGACY);
    this.setCounter(this.counter() & ALL_ONES);
    for (let i = 0; i < HPET_TIMERS; i++) this.lineOf(i)?.set(false);
    this.config = now;
    if (now & CONFIG.LEGACY) for (const line of this.lines.legacy) line.set(false);
    this.passInputs();
    this.updateLevels();
  }

  // --- Comparators and lines

  private writeTimer(index: number, register: number, value: number, high: boolean): void {
    const timer = this.timers[index];
    if (!timer) return;
    if (register === 0 && !high) this.writeTimerConfig(index, timer, value);
    else if (register === 8) this.writeComparator(timer, value, high);
  }
  private writeTimerConfig(index: number, timer: Timer, value: number): void {
    this.lineOf(index)?.set(false);
    timer.config = value & TIMER_WRITABLE;
    if (timer.config & TIMER.NARROW) {
      timer.comparator &= 0xffff_ffffn;
      timer.period &= 0xffff_ffffn;
    }
    if (!(timer.config & TIMER.LEVEL)) this.status &= ~(1 << index);
    this.updateLevels();
  }
  /** In periodic mode the register is the period, and with VAL_SET the comparator as well (section 2.3.9.2.2). */
  private writeComparator(timer: Timer, value: number, high: boolean): void {
    if (high && timer.config & TIMER.NARROW) return;
    const periodic = (timer.config & TIMER.PERIODIC) !== 0;
    const sets = !periodic || (timer.config & TIMER.SET) !== 0 || (high && timer.setsHigh);
    if (sets) timer.comparator = half(timer.comparator, value, high) & widthOf(timer);
    // A period is a distance: a high half that nobody writes is 0.
    if (periodic) timer.period = (high ? half(timer.period, value, true) : BigInt(value)) & widthOf(timer);
    else timer.period = 0n;
    timer.setsHigh = sets && periodic && !high;
    timer.config &= ~TIMER.SET;
  }

  private fire(index: number, timer: Timer): void {
    if (timer.config & TIMER.LEVEL) {
      this.status |= 1 << index;
      this.updateLevels();
    } else if (timer.config & TIMER.ENABLE) {
      // An edge; high until the next, so that an 8259 still sees it when it is asked.
      this.lineOf(index)?.set(false);
      this.lineOf(index)?.set(true);
    }
  }
  private acknowledge(value: number): void {
    this.status &= ~value;
    this.updateLevels();
  }
  private updateLevels(): void {
    this.timers.forEach((timer, i) => {
      if (!(timer.config & TIMER.LEVEL)) return;
      this.lineOf(i)?.set((timer.config & TIMER.ENABLE) !== 0 && (this.status & (1 << i)) !== 0);
    });
  }
  /** Undefined: it drives none. */
  private lineOf(index: number): Line | undefined {
    if (this.config & CONFIG.LEGACY && index < 2) return this.lines.legacy[index as 0 | 1];
    const pin = (this.timers[index]!.config >> 9) & 31;
    return (ROUTES >>> pin) & 1 ? this.lines.route(pin) : undefined;
  }

  private setInput(index: 0 | 1, level: boolean): void {
    this.inputs[index] = level;
    if (!(this.config & CONFIG.LEGACY)) this.lines.legacy[index].set(level);
  }
  private passInputs(): void {
    if (this.config & CONFIG.LEGACY) return;
    this.inputs.forEach((level, i) => this.lines.legacy[i as 0 | 1].set(level));
  }
}

const widthOf = (timer: Timer): bigint => (timer.config & TIMER.NARROW ? 0xffff_ffffn : ALL_ONES);
const half = (whole: bigint, value: number, high: boolean): bigint =>
  high ? (whole & 0xffff_ffffn) | (BigInt(value >>> 0) << 32n) : ((whole >> 32n) << 32n) | BigInt(value >>> 0);
