/**
 * MC146818A real-time clock with 128 bytes of CMOS, and the NMI mask that shares port 70h.
 * Source: Motorola MC146818A data sheet; CMOS bytes as PC BIOSes use them (RBIL, CMOS.LST).
 *
 * Guest time is the start date plus elapsed nanoseconds. Flags in register C are worked out when somebody looks or
 * when an enabled interrupt is due. Not emulated: daylight saving (DSE is kept, does nothing), the square-wave pin,
 * time bases other than 32.768 kHz (with another divider setting the clock stands still).
 */
import type { Clock, Device, Inspection, Line } from './bus';
import { nsOfTick, ticksAt } from './clock';

const SECOND_NS = 1_000_000_000;
const CRYSTAL_HZ = 32_768;
/** UIP: 244 us of warning and 1984 us of update before each second begins (data sheet, update cycle). */
const UPDATE_NS = 2_228_000;
const REG = {
  SECONDS: 0,
  MINUTES: 2,
  HOURS: 4,
  WEEKDAY: 6,
  DAY: 7,
  MONTH: 8,
  YEAR: 9,
  A: 10,
  B: 11,
  C: 12,
  D: 13,
  CENTURY: 0x32,
} as const;
/** Registers that the time of day fills; alarms lie one above seconds, minutes, hours. */
const TIME_REGISTERS: readonly number[] = [0, 2, 4, 6, 7, 8, 9, REG.CENTURY];
const B = { SET: 0x80, PIE: 0x40, AIE: 0x20, UIE: 0x10, BINARY: 4, HOURS24: 2 } as const;
const C = { IRQ: 0x80, PERIODIC: 0x40, ALARM: 0x20, UPDATE: 0x10 } as const;
const DAY_S = 86_400;

export interface RtcConfig {
  /** Seconds since 1970 (UTC) at power-on. */
  startSeconds: number;
  memoryBytes: { low: number; high: number };
  cpus: number;
}

interface Saved {
  cmos: Uint8Array;
  index: number;
  nmiMasked: boolean;
  /** The time was `baseSeconds` (since 1970) at `baseNs`. */
  baseSeconds: number;
  baseNs: number;
  /** Up to when register C has been worked out, ns. */
  seenNs: number;
}

/** Days since 1970 to year, month 1-12, day (proleptic Gregorian), and back. */
const toDate = (seconds: number): Date => new Date(seconds * 1000);

export class Rtc implements Device<Saved> {
  readonly name = 'rtc';
  readonly ports = [{ first: 0x70, last: 0x71 }];
  private s: Saved;

  constructor(
    private readonly config: RtcConfig,
    private readonly clock: Clock,
    private readonly irq8: Line,
  ) {
    this.s = this.initial();
  }

  private initial(): Saved {
    const cmos = new Uint8Array(128);
    cmos[REG.A] = 0x26;
    cmos[REG.B] = B.HOURS24;
    const { low, high } = this.config.memoryBytes;
    const word = (at: number, value: number): void => {
      cmos[at] = value & 0xff;
      cmos[at + 1] = (value >> 8) & 0xff;
    };
    const extendedKiB = Math.min(0xffff, Math.max(0, low / 1024 - 1024));
    cmos[0x14] = 0x06; // 80-column display, FPU
    word(0x15, 640);
    word(0x17, extendedKiB);
    word(0x30, extendedKiB);
    word(0x34, Math.max(0, Math.floor((low - 0x100_0000) / 0x1_0000)));
    word(0x5b, Math.floor(high / 0x1_0000) & 0xffff);
    cmos[0x5d] = Math.floor(high / 0x1_0000_0000);
    cmos[0x5f] = this.config.cpus - 1;
    let sum = 0;
    for (let at = 0x10; at <= 0x2d; at++) sum += cmos[at]!;
    cmos[0x2e] = sum >> 8;
    cmos[0x2f] = sum & 0xff;
    return { cmos, index: 0, nmiMasked: false, baseSeconds: this.config.startSeconds, baseNs: 0, seenNs: 0 };
  }

  /** The RESET pin: the battery keeps time and CMOS (data sheet, RESET). */
  reset(): void {
    this.catchUp();
    this.s.cmos[REG.B]! &= ~(B.PIE | B.AIE | B.UIE) & 0xff;
    this.s.cmos[REG.C] = 0;
    this.s.nmiMasked = false;
    this.irq8.set(false);
  }
  save(): Saved {
    return structuredClone(this.s);
  }
  restore(saved: Saved): void {
    this.s = structuredClone(saved);
  }

  get nmiMasked(): boolean {
    return this.s.nmiMasked;
  }

  deadline(): number {
    const enabled = this.s.cmos[REG.B]! & ~this.s.cmos[REG.C]!;
    let next = Infinity;
    if (enabled & B.PIE && this.periodTicks > 0) {
      const tick = (Math.floor(ticksAt(this.s.seenNs, CRYSTAL_HZ) / this.periodTicks) + 1) * this.periodTicks;
      next = nsOfTick(tick, CRYSTAL_HZ);
    }
    if (enabled & (B.UIE | B.AIE) && this.runs) next = Math.min(next, this.secondAfter(this.s.seenNs));
    return next;
  }

  tick(): void {
    this.catchUp();
    this.update();
  }

  readPort(port: number): number {
    if (port === 0x70) return 0xff; // write-only on the PC
    this.tick();
    const { index, cmos } = this.s;
    if (index === REG.A) return cmos[REG.A]! | (this.updateInProgress() ? 0x80 : 0);
    if (index === REG.C) {
      const flags = cmos[REG.C]!;
      cmos[REG.C] = 0;
      this.update();
      return flags;
    }
    if (index === REG.D) return 0x80; // battery good
    return TIME_REGISTERS.includes(index) && this.runs ? this.timeRegisters()[index]! : cmos[index]!;
  }

  writePort(port: number, _bytes: number, byte: number): void {
    if (port === 0x70) {
      this.s.index = byte & 0x7f;
      this.s.nmiMasked = (byte & 0x80) !== 0;
      return;
    }
    this.tick();
    this.writeRegister(this.s.index, byte);
    this.update();
  }

  inspect(): Inspection {
    const { cmos, index, nmiMasked } = this.s;
    const time = toDate(this.secondsAt(this.clock.now())).toISOString();
    return { time, index, nmiMasked, a: cmos[REG.A]!, b: cmos[REG.B]!, c: cmos[REG.C]! };
  }

  private writeRegister(index: number, byte: number): void {
    const { cmos } = this.s;
    if (index === REG.C || index === REG.D) return;
    if (TIME_REGISTERS.includes(index)) {
      if (this.runs) this.freeze();
      cmos[index] = byte;
      if (this.runs) this.thaw(this.s.baseNs);
      return;
    }
    const ran = this.runs;
    const held = index === REG.A && !ran;
    if (ran && (index === REG.A || index === REG.B)) this.freeze();
    // SET also drops UIE (data sheet, register B).
    if (index === REG.B) cmos[REG.B] = byte & B.SET ? byte & ~B.UIE : byte;
    else cmos[index] = index === REG.A ? byte & 0x7f : byte;
    // Running on, the clock keeps its time whatever the new format. Out of divider reset the first update comes half a
    // second later (data sheet, DV bits).
    if (!ran && this.runs) this.thaw(this.clock.now() - (held ? SECOND_NS / 2 : 0));
  }

  /** Updates go on: SET is clear and the divider counts 32.768 kHz. */
  private get runs(): boolean {
    return !(this.s.cmos[REG.B]! & B.SET) && (this.s.cmos[REG.A]! & 0x70) === 0x20;
  }

  /** Ticks of 32.768 kHz in one period of the RS field; 0: none. */
  private get periodTicks(): number {
    const rate = this.s.cmos[REG.A]! & 0x0f;
    if (rate === 0) return 0;
    return 1 << (rate < 3 ? rate + 6 : rate - 1);
  }

  private secondsAt(ns: number): number {
    return this.s.baseSeconds + (this.runs ? Math.floor((ns - this.s.baseNs) / SECOND_NS) : 0);
  }
  private secondAfter(ns: number): number {
    return this.s.baseNs + (Math.floor((ns - this.s.baseNs) / SECOND_NS) + 1) * SECOND_NS;
  }
  private updateInProgress(): boolean {
    const now = this.clock.now();
    return this.runs && this.secondAfter(now) - now <= UPDATE_NS;
  }

  /** Time of day into the registers: what runs becomes what is stored. The phase within the second stays. */
  private freeze(): void {
    const now = this.clock.now();
    const seconds = this.secondsAt(now);
    const registers = this.timeRegisters();
    for (const index of TIME_REGISTERS) this.s.cmos[index] = registers[index]!;
    this.s.baseNs += (seconds - this.s.baseSeconds) * SECOND_NS;
    this.s.baseSeconds = seconds;
  }

  /** The stored registers become the running time, which began its current second at `ns`. */
  private thaw(ns: number): void {
    const { cmos } = this.s;
    const hoursRaw = cmos[REG.HOURS]!;
    let hours = this.decode(hoursRaw & (this.hours24 ? 0xff : 0x7f));
    if (!this.hours24) hours = (hours % 12) + (hoursRaw & 0x80 ? 12 : 0);
    const year = this.decode(cmos[REG.CENTURY]!) * 100 + this.decode(cmos[REG.YEAR]!);
    const date = new Date(0);
    date.setUTCFullYear(year, this.decode(cmos[REG.MONTH]!) - 1, this.decode(cmos[REG.DAY]!));
    date.setUTCHours(hours, this.decode(cmos[REG.MINUTES]!), this.decode(cmos[REG.SECONDS]!));
    this.s.baseSeconds = Math.floor(date.getTime() / 1000);
    this.s.baseNs = ns;
    this.s.seenNs = Math.max(this.s.seenNs, ns);
  }

  private get hours24(): boolean {
    return (this.s.cmos[REG.B]! & B.HOURS24) !== 0;
  }
  private encode(value: number): number {
    return this.s.cmos[REG.B]! & B.BINARY ? value : (Math.floor(value / 10) << 4) | (value % 10);
  }
  private decode(raw: number): number {
    return this.s.cmos[REG.B]! & B.BINARY ? raw : (raw >> 4) * 10 + (raw & 15);
  }
  private encodeHours(hours: number): number {
    if (this.hours24) return this.encode(hours);
    return this.encode(hours % 12 === 0 ? 12 : hours % 12) | (hours >= 12 ? 0x80 : 0);
  }

  private timeRegisters(): Record<number, number> {
    const date = toDate(this.secondsAt(this.clock.now()));
    const year = date.getUTCFullYear();
    return {
      [REG.SECONDS]: this.encode(date.getUTCSeconds()),
      [REG.MINUTES]: this.encode(date.getUTCMinutes()),
      [REG.HOURS]: this.encodeHours(date.getUTCHours()),
      [REG.WEEKDAY]: this.encode(date.getUTCDay() + 1),
      [REG.DAY]: this.encode(date.getUTCDate()),
      [REG.MONTH]: this.encode(date.getUTCMonth() + 1),
      [REG.YEAR]: this.encode(year % 100),
      [REG.CENTURY]: this.encode(Math.floor(year / 100) % 100),
    };
  }

  /** Two high bits set mean "any" (data sheet, alarm). */
  private alarmAt(seconds: number): boolean {
    const { cmos } = this.s;
    const date = toDate(seconds);
    const fits = (alarm: number, now: number): boolean => (alarm & 0xc0) === 0xc0 || alarm === now;
    return (
      fits(cmos[1]!, this.encode(date.getUTCSeconds())) &&
      fits(cmos[3]!, this.encode(date.getUTCMinutes())) &&
      fits(cmos[5]!, this.encodeHours(date.getUTCHours()))
    );
  }

  /** Works out the flags of register C from `seenNs` to now. */
  private catchUp(): void {
    const now = this.clock.now();
    const { seenNs, cmos } = this.s;
    if (now <= seenNs) return;
    const period = this.periodTicks;
    if (period > 0) {
      const periods = (ns: number): number => Math.floor(ticksAt(ns, CRYSTAL_HZ) / period);
      if (periods(now) > periods(seenNs)) cmos[REG.C]! |= C.PERIODIC;
    }
    if (this.runs) {
      const from = this.secondsAt(seenNs);
      const to = this.secondsAt(now);
      if (to > from) cmos[REG.C]! |= C.UPDATE;
      // A day has every time of day: no need to look further back.
      for (let t = Math.max(from + 1, to - DAY_S); t <= to && !(cmos[REG.C]! & C.ALARM); t++) {
        if (this.alarmAt(t)) cmos[REG.C]! |= C.ALARM;
      }
    }
    this.s.seenNs = now;
  }

  private update(): void {
    const { cmos } = this.s;
    const pending = (cmos[REG.B]! & cmos[REG.C]! & (C.PERIODIC | C.ALARM | C.UPDATE)) !== 0;
    cmos[REG.C] = (cmos[REG.C]! & ~C.IRQ) | (pending ? C.IRQ : 0);
    this.irq8.set(pending);
  }
}
