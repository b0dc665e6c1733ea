/**
 * ACPI fixed hardware: PM1a event and control registers, PM timer. Source: ACPI 6.4 sections 4.8.3.1 to 4.8.3.3.
 *
 * The machine is always in ACPI mode (SCI_EN reads as 1, there is no SMI command port).
 * Not emulated: general-purpose events, wake-up, the bus-master bit, sleep states other than S5 (reported).
 */
import type { Clock, Device, Inspection, Line, Unsupported } from './bus';
import { nsOfTick, ticksAt } from './clock';

export const PM_TIMER_HZ = 3_579_545;
/** SLP_TYP that the \_S5 object names. */
export const S5_SLP_TYP = 5;
/** Register blocks relative to the base, bytes. */
export const PM = { EVENT: 0, CONTROL: 4, TIMER: 8, BYTES: 12 } as const;

const STATUS = {
  TIMER: 1,
  BUS_MASTER: 0x10,
  GLOBAL: 0x20,
  POWER_BUTTON: 0x100,
  SLEEP_BUTTON: 0x200,
  RTC: 0x400,
  WAKE: 0x8000,
} as const;
const STATUS_CLEARABLE = 0x8731;
const ENABLE_WRITABLE = 0x0721;
const SLP_EN = 0x2000;
/** The timer has 24 bits; its status rises whenever bit 23 changes (section 4.8.3.3). */
const TIMER_MASK = 0xff_ffff;
const HALF_TURN = 0x80_0000;

interface Saved {
  status: number;
  enable: number;
  control: number;
  /** Changes of bit 23 told so far. */
  turns: number;
}

export class AcpiPm implements Device<Saved> {
  readonly name = 'acpi-pm';
  readonly ports: readonly { first: number; last: number }[];
  readonly portBytes = 4;
  private s: Saved = { status: 0, enable: 0, control: 0, turns: 0 };

  constructor(
    private readonly base: number,
    private readonly clock: Clock,
    private readonly sci: Line,
    private readonly powerOff: () => void,
    private readonly unsupported: Unsupported,
  ) {
    this.ports = [{ first: base, last: base + PM.BYTES - 1 }];
  }

  reset(): void {
    this.s = { status: 0, enable: 0, control: 0, turns: this.turnsNow() };
    this.update();
  }
  save(): Saved {
    return { ...this.s };
  }
  restore(saved: Saved): void {
    this.s = { ...saved };
  }

  pressPowerButton(): void {
    this.s.status |= STATUS.POWER_BUTTON;
    this.update();
  }

  deadline(): number {
    if (!(this.s.enable & ~this.s.status & STATUS.TIMER)) return Infinity;
    return nsOfTick((this.s.turns + 1) * HALF_TURN, PM_TIMER_HZ);
  }
  tick(): void {
    const turns = this.turnsNow();
    if (turns > this.s.turns) this.s.status |= STATUS.TIMER;
    this.s.turns = turns;
    this.update();
  }

  readPort(port: number, bytes: number): number {
    this.tick();
    const offset = port - this.base;
    if (offset >= PM.TIMER) {
      const ticks = ticksAt(this.clock.now(), PM_TIMER_HZ) % (TIMER_MASK + 1);
      return this.part(ticks, offset - PM.TIMER, bytes);
    }
    if (offset >= PM.CONTROL) return this.part(this.s.control | 1, offset - PM.CONTROL, bytes);
    return this.part((this.s.status | (this.s.enable << 16)) >>> 0, offset, bytes);
  }

  writePort(port: number, bytes: number, value: number): void {
    this.tick();
    const offset = port - this.base;
    if (offset >= PM.TIMER) return;
    const start = offset & ~3;
    const mask = (bytes === 4 ? 0xffff_ffff : (1 << (bytes * 8)) - 1) << ((offset & 3) * 8);
    const placed = value << ((offset & 3) * 8);
    if (start === PM.EVENT) {
      this.s.status &= ~(placed & STATUS_CLEARABLE);
      if (mask >>> 16) this.s.enable = ((this.s.enable & ~(mask >>> 16)) | (placed >>> 16)) & ENABLE_WRITABLE;
    } else {
      this.s.control = ((this.s.control & ~mask) | (placed & mask)) & 0x1c06;
      if (placed & SLP_EN) this.sleep((this.s.control >> 10) & 7);
    }
    this.update();
  }

  inspect(): Inspection {
    const timer = ticksAt(this.clock.now(), PM_TIMER_HZ) % (TIMER_MASK + 1);
    return { status: this.s.status, enable: this.s.enable, control: this.s.control | 1, timer };
  }

  private turnsNow(): number {
    return Math.floor(ticksAt(this.clock.now(), PM_TIMER_HZ) / HALF_TURN);
  }
  private part(value: number, offset: number, bytes: number): number {
    const shifted = offset > 3 ? 0 : value >>> (offset * 8);
    return bytes === 4 ? shifted : shifted & ((1 << (bytes * 8)) - 1);
  }
  private sleep(type: number): void {
    if (type === S5_SLP_TYP) this.powerOff();
    else this.unsupported(`ACPI sleep with SLP_TYP ${type}`);
  }
  private update(): void {
    this.sci.set((this.s.status & this.s.enable) !== 0);
  }
}
