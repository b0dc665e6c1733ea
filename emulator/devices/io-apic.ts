/**
 * I/O APIC of 24 pins. Source: Intel 82093AA data sheet (290566-001); the EOI register is that of version 20h
 * (ICH data sheets, "EOIR").
 *
 * Not emulated: the APIC serial bus (arbitration id reads as the id); pin polarity (the wires of this board carry
 * "asserted", the bit is only kept).
 */
import { DELIVERY } from './bus';
import type { Device, Inspection, InterruptMessage, Line } from './bus';

const PINS = 24;
const REG = { ID: 0, VERSION: 1, ARBITRATION: 2, TABLE: 0x10 } as const;
const VERSION = 0x20 | ((PINS - 1) << 16);
const LOW = {
  DELIVERY: 7 << 8,
  LOGICAL: 1 << 11,
  STATUS: 1 << 12,
  REMOTE_IRR: 1 << 14,
  LEVEL: 1 << 15,
  MASK: 1 << 16,
} as const;
const LOW_WRITABLE = 0x1_afff;

interface Saved {
  id: number;
  index: number;
  /** Level at each pin. */
  lines: number;
  low: number[];
  high: number[];
}

export class IoApic implements Device<Saved> {
  readonly name = 'io-apic';
  readonly mmio: readonly { first: number; last: number }[];
  private s: Saved;

  constructor(
    private readonly gpa: number,
    private readonly initialId: number,
    private readonly send: (message: InterruptMessage) => void,
  ) {
    this.mmio = [{ first: gpa, last: gpa + 0xfff }];
    this.s = this.initial();
  }

  private initial(): Saved {
    return {
      id: this.initialId,
      index: 0,
      lines: 0,
      low: new Array<number>(PINS).fill(LOW.MASK),
      high: new Array<number>(PINS).fill(0),
    };
  }

  reset(): void {
    this.s = { ...this.initial(), lines: this.s.lines };
  }
  save(): Saved {
    return structuredClone(this.s);
  }
  restore(saved: Saved): void {
    this.s = structuredClone(saved);
  }

  line(pin: number): Line {
    return { set: (level) => this.setLine(pin, level) };
  }

  setLine(pin: number, level: boolean): void {
    const bit = 1 << pin;
    const was = (this.s.lines & bit) !== 0;
    if (level === was) return;
    this.s.lines = level ? this.s.lines | bit : this.s.lines & ~bit;
    const low = this.s.low[pin]!;
    if (low & LOW.LEVEL) this.serveLevel(pin);
    // An edge at a masked pin is neither delivered nor held (data sheet, bit 16).
    else if (level && !(low & LOW.MASK)) this.deliver(pin);
  }

  /** Broadcast by a local APIC, or written to the EOI register. */
  endOfInterrupt(vector: number): void {
    for (let pin = 0; pin < PINS; pin++) {
      const low = this.s.low[pin]!;
      if ((low & 0xff) !== vector || !(low & LOW.LEVEL) || !(low & LOW.REMOTE_IRR)) continue;
      this.s.low[pin] = low & ~LOW.REMOTE_IRR;
      this.serveLevel(pin);
    }
  }

  readMmio(gpa: number): number {
    const offset = gpa - this.gpa;
    if (offset === 0) return this.s.index;
    if (offset !== 0x10) return 0;
    const { index } = this.s;
    if (index === REG.ID || index === REG.ARBITRATION) return (this.s.id << 24) >>> 0;
    if (index === REG.VERSION) return VERSION;
    const pin = (index - REG.TABLE) >> 1;
    if (pin < 0 || pin >= PINS) return 0;
    return (index & 1 ? this.s.high[pin]! : this.s.low[pin]!) >>> 0;
  }

  writeMmio(gpa: number, _bytes: number, value: number): void {
    const offset = gpa - this.gpa;
    if (offset === 0) this.s.index = value & 0xff;
    else if (offset === 0x10) this.writeRegister(this.s.index, value);
    else if (offset === 0x40) this.endOfInterrupt(value & 0xff);
  }

  inspect(): Inspection {
    const result: Inspection = { id: this.s.id, lines: this.s.lines };
    this.s.low.forEach((low, pin) => {
      if (low === LOW.MASK && this.s.high[pin] === 0) return;
      result[`pin${pin}`] =
        `vector ${low & 0xff}, mode ${(low >> 8) & 7}, ${low & LOW.LEVEL ? 'level' : 'edge'}` +
        `, ${low & LOW.LOGICAL ? 'logical' : 'physical'} ${this.s.high[pin]! >>> 24}` +
        `${low & LOW.MASK ? ', masked' : ''}${low & LOW.REMOTE_IRR ? ', remote IRR' : ''}`;
    });
    return result;
  }

  private writeRegister(index: number, value: number): void {
    if (index === REG.ID) this.s.id = (value >>> 24) & 0x0f;
    const pin = (index - REG.TABLE) >> 1;
    if (index < REG.TABLE || pin >= PINS) return;
    if (index & 1) {
      this.s.high[pin] = value >>> 0;
      return;
    }
    // Remote IRR and delivery status are read-only; turning to edge clears the former.
    const kept = value & LOW.LEVEL ? this.s.low[pin]! & LOW.REMOTE_IRR : 0;
    this.s.low[pin] = (value & LOW_WRITABLE) | kept;
    if (value & LOW.LEVEL) this.serveLevel(pin);
  }

  private serveLevel(pin: number): void {
    const low = this.s.low[pin]!;
    if (!((this.s.lines >> pin) & 1) || low & (LOW.MASK | LOW.REMOTE_IRR)) return;
    const mode = (low & LOW.DELIVERY) >> 8;
    // Only fixed and lowest priority end by an EOI.
    if (mode === DELIVERY.FIXED || mode === DELIVERY.LOWEST) this.s.low[pin] = low | LOW.REMOTE_IRR;
    this.deliver(pin);
  }

  private deliver(pin: number): void {
    const low = this.s.low[pin]!;
    const destination = this.s.high[pin]! >>> 24;
    const logical = (low & LOW.LOGICAL) !== 0;
    this.send({
      destination,
      logical,
      broadcast: !logical && destination === 0xff,
      delivery: (low & LOW.DELIVERY) >> 8,
      vector: low & 0xff,
      level: (low & LOW.LEVEL) !== 0,
    });
  }
}
