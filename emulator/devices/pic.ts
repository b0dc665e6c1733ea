/**
 * Two cascaded 8259A interrupt controllers and the edge/level control registers of the PC.
 * Source: Intel 8259A data sheet (231468-003); ELCR: 82371AB (PIIX4) data sheet 290562.
 *
 * Not emulated: 8080/8085 mode (the vector bytes of a CALL), buffered mode, master/slave programming other than the
 * PC's cascade on IR2 (ICW3 is taken and ignored), LTIM (as on the PIIX, ELCR decides).
 */
import type { Device, Inspection, Line, Unsupported } from './bus';

interface Chip {
  /** Input levels, latched edges, in service, mask: bit n is IRn. */
  lines: number;
  edges: number;
  isr: number;
  imr: number;
  /** 1: level-triggered. */
  elcr: number;
  vectorBase: number;
  /** Next expected initialisation word: 0 none, 2, 3, 4. */
  expects: number;
  needsIcw4: boolean;
  single: boolean;
  autoEoi: boolean;
  rotateOnAutoEoi: boolean;
  specialMask: boolean;
  specialFullyNested: boolean;
  readIsr: boolean;
  poll: boolean;
  /** IR number of the lowest priority. */
  lowest: number;
}

interface Saved {
  master: Chip;
  slave: Chip;
}

const CASCADE = 2;
const initial = (): Chip => ({
  lines: 0, edges: 0, isr: 0, imr: 0xff, elcr: 0, vectorBase: 0, expects: 0, needsIcw4: false, single: false,
  autoEoi: false, rotateOnAutoEoi: false, specialMask: false, specialFullyNested: false, readIsr: false, poll: false,
  lowest: 7,
}); // prettier-ignore

/** Requests: an edge that is still held, or a level. The input must stay high until it is acknowledged. */
const requests = (c: Chip): number => c.lines & (c.edges | c.elcr);

/** IR number of the most important bit of `set`, or -1. */
function mostImportant(c: Chip, set: number): number {
  for (let i = 1; i <= 8; i++) {
    const irq = (c.lowest + i) & 7;
    if ((set >> irq) & 1) return irq;
  }
  return -1;
}

/** How far down the order of priorities: 0 is the highest. */
const rank = (c: Chip, irq: number): number => (irq - c.lowest - 1) & 7;

/** The request that INT stands for, or -1. */
function winner(c: Chip, isMaster: boolean): number {
  const irq = mostImportant(c, requests(c) & ~c.imr);
  if (irq < 0) return -1;
  const blocking = mostImportant(c, c.specialMask ? c.isr & ~c.imr : c.isr);
  if (blocking < 0) return irq;
  if (rank(c, irq) < rank(c, blocking)) return irq;
  // Special fully nested: the slave may interrupt its own service.
  return c.specialFullyNested && isMaster && irq === CASCADE && blocking === CASCADE ? irq : -1;
}

/** Bits that a debugger may set. IRQ 0, 1, 2, 8 and 13 are edges by construction (PIIX4 section 4.2.5). */
const EDITABLE = {
  isr: { master: 0xff, slave: 0xff },
  imr: { master: 0xff, slave: 0xff },
  elcr: { master: 0xf8, slave: 0xde },
  vectorBase: { master: 0xf8, slave: 0xf8 },
} as const;

export class Pic implements Device<Saved> {
  readonly name = 'pic';
  readonly ports = [
    { first: 0x20, last: 0x21 },
    { first: 0xa0, last: 0xa1 },
    { first: 0x4d0, last: 0x4d1 },
  ];
  private master = initial();
  private slave = initial();

  /** `intr`: the INT pin of the master. */
  constructor(
    private readonly intr: Line,
    private readonly unsupported: Unsupported,
  ) {}

  reset(): void {
    const levels = [this.master.lines, this.slave.lines];
    this.master = { ...initial(), lines: levels[0]! };
    this.slave = { ...initial(), lines: levels[1]! };
    this.update();
  }
  save(): Saved {
    return structuredClone({ master: this.master, slave: this.slave });
  }
  restore(saved: Saved): void {
    ({ master: this.master, slave: this.slave } = structuredClone(saved));
  }

  /** Input `irq` 0 to 15; 2 is the cascade and has no pin. */
  line(irq: number): Line {
    return { set: (level) => this.setLine(irq, level) };
  }

  setLine(irq: number, level: boolean): void {
    const chip = irq < 8 ? this.master : this.slave;
    this.input(chip, irq & 7, level);
    this.update();
  }

  /** The INT pin. */
  get pending(): boolean {
    return winner(this.master, true) >= 0;
  }

  /** Both INTA cycles: the vector. With nothing pending: the spurious vector of IR7. */
  acknowledge(): number {
    const irq = this.serve(this.master, winner(this.master, true));
    let vector = this.master.vectorBase | (irq < 0 ? 7 : irq);
    if (irq === CASCADE) {
      const inner = this.serve(this.slave, winner(this.slave, false));
      vector = this.slave.vectorBase | (inner < 0 ? 7 : inner);
    }
    this.intr.set(false); // INT falls with INTA, so that the next request is an edge again
    this.update();
    return vector;
  }

  readPort(port: number): number {
    if (port === 0x4d0) return this.master.elcr;
    if (port === 0x4d1) return this.slave.elcr;
    const c = port < 0x80 ? this.master : this.slave;
    if (c.poll) {
      c.poll = false;
      const irq = this.serve(c, winner(c, c === this.master));
      this.update();
      return irq < 0 ? 0 : 0x80 | irq;
    }
    if (port & 1) return c.imr;
    return c.readIsr ? c.isr : requests(c);
  }

  writePort(port: number, _bytes: number, byte: number): void {
    if (port === 0x4d0) this.master.elcr = byte & EDITABLE.elcr.master;
    else if (port === 0x4d1) this.slave.elcr = byte & EDITABLE.elcr.slave;
    else {
      const c = port < 0x80 ? this.master : this.slave;
      if (port & 1) this.writeOdd(c, byte);
      else if (byte & 0x10) this.icw1(c, byte);
      else if (byte & 0x08) this.ocw3(c, byte);
      else this.ocw2(c, byte);
    }
    this.update();
  }

  inspect(): Inspection {
    const result: Inspection = {};
    for (const [name, c] of [['master', this.master], ['slave', this.slave]] as const) {
      result[`${name}.irr`] = requests(c);
      result[`${name}.isr`] = c.isr;
      result[`${name}.imr`] = c.imr;
      result[`${name}.elcr`] = c.elcr;
      result[`${name}.vectorBase`] = c.vectorBase;
    } // prettier-ignore
    result['intr'] = this.pending;
    return result;
  }
  readonly editable = ['master', 'slave'].flatMap((name) => Object.keys(EDITABLE).map((field) => `${name}.${field}`));
  edit(register: string, value: number): void {
    const [name, field] = register.split('.') as ['master' | 'slave', keyof typeof EDITABLE];
    this[name][field] = value & EDITABLE[field][name];
    this.update();
  }

  private input(c: Chip, irq: number, level: boolean): void {
    const bit = 1 << irq;
    if (level && !(c.lines & bit)) c.edges |= bit;
    if (!level) c.edges &= ~bit;
    c.lines = level ? c.lines | bit : c.lines & ~bit;
  }

  private update(): void {
    this.input(this.master, CASCADE, winner(this.slave, false) >= 0);
    this.intr.set(this.pending);
  }

  /** What an INTA cycle does to the request that won. */
  private serve(c: Chip, irq: number): number {
    if (irq < 0) return -1;
    c.edges &= ~(1 << irq);
    // INT falls with the acknowledgement; update() raises it again if there is more: an edge for the master.
    if (c === this.slave) this.input(this.master, CASCADE, false);
    if (!c.autoEoi) c.isr |= 1 << irq;
    else if (c.rotateOnAutoEoi) c.lowest = irq;
    return irq;
  }

  private icw1(c: Chip, byte: number): void {
    c.edges = 0;
    c.imr = 0;
    c.isr = 0;
    c.lowest = 7;
    c.specialMask = c.readIsr = c.poll = false;
    c.autoEoi = c.specialFullyNested = c.rotateOnAutoEoi = false;
    c.single = (byte & 2) !== 0;
    c.needsIcw4 = (byte & 1) !== 0;
    c.expects = 2;
  }

  private writeOdd(c: Chip, byte: number): void {
    switch (c.expects) {
      case 2:
        c.vectorBase = byte & 0xf8;
        c.expects = c.single ? (c.needsIcw4 ? 4 : 0) : 3;
        break;
      case 3:
        c.expects = c.needsIcw4 ? 4 : 0;
        break;
      case 4:
        c.specialFullyNested = (byte & 0x10) !== 0;
        c.autoEoi = (byte & 2) !== 0;
        if (!(byte & 1)) this.unsupported('8259: 8080/8085 mode');
        c.expects = 0;
        break;
      default:
        c.imr = byte;
    }
  }

  /** End of interrupt and rotation (data sheet figure 8). */
  private ocw2(c: Chip, byte: number): void {
    const command = byte >> 5;
    const specific = (command & 2) !== 0;
    const rotate = (command & 4) !== 0;
    if (command === 0 || command === 4) c.rotateOnAutoEoi = rotate;
    else if (command === 6) c.lowest = byte & 7;
    else if (command !== 2) {
      // A masked level in special mask mode is not ended unless it is named.
      const irq = specific ? byte & 7 : mostImportant(c, c.specialMask ? c.isr & ~c.imr : c.isr);
      if (irq < 0) return;
      c.isr &= ~(1 << irq);
      if (rotate) c.lowest = irq;
    }
  }

  private ocw3(c: Chip, byte: number): void {
    if (byte & 0x40) c.specialMask = (byte & 0x20) !== 0;
    if (byte & 0x04) c.poll = true;
    else if (byte & 0x02) c.readIsr = (byte & 1) !== 0;
  }
}
