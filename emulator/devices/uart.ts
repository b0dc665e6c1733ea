/**
 * 16550A serial port. Source: National Semiconductor PC16550D data sheet (June 1995).
 *
 * The far end is a terminal that is always ready (CTS, DSR and DCD on) and waits while the receiver is full, so
 * typing never overruns. A transmitted byte leaves at once: THR and shift register are always empty when looked at.
 * Received bytes arrive one character time apart, at the programmed speed.
 * Not emulated: parity, framing and break errors from the line; DMA signalling (RXRDY, TXRDY pins).
 */
import type { Clock, Device, Inspection, Line } from './bus';

const FIFO_BYTES = 16;
const TRIGGER = [1, 4, 8, 14] as const;
const IER = { DATA: 1, THRE: 2, LINE: 4, MODEM: 8 } as const;
const LCR_DLAB = 0x80;
const LSR = { DR: 1, OE: 2, PE: 4, FE: 8, BI: 0x10, THRE: 0x20, TEMT: 0x40 } as const;
const MCR = { DTR: 1, RTS: 2, OUT1: 4, OUT2: 8, LOOP: 0x10 } as const;
const IIR = { NONE: 1, MODEM: 0, THRE: 2, DATA: 4, LINE: 6, TIMEOUT: 0xc, FIFO: 0xc0 } as const;
/** CTS, DSR, DCD. */
const TERMINAL_READY = 0xb0;

interface Saved {
  ier: number;
  lcr: number;
  mcr: number;
  scratch: number;
  divisor: number;
  fifoEnabled: boolean;
  trigger: number;
  received: number[];
  /** LSR error bits, cleared by reading. */
  errors: number;
  /** MSR: levels in the high half, changes since it was read in the low half. */
  modem: number;
  /** THRE interrupt armed: cleared by reading IIR or writing THR. */
  thrEmpty: boolean;
  /** Typed and not yet received. */
  typed: number[];
  /** When the line can bring the next byte, and when the receiver's idle time-out comes; ns, -1: never. */
  nextByteNs: number;
  timeoutNs: number;
  timedOut: boolean;
}

export class Uart implements Device<Saved> {
  readonly ports: readonly { first: number; last: number }[];
  private s: Saved = Uart.initial();

  /** `irq` is asserted while a cause is pending and OUT2 is on, as the PC wires it. */
  constructor(
    readonly name: string,
    private readonly base: number,
    private readonly clock: Clock,
    private readonly irq: Line,
    private readonly transmit: (byte: number) => void,
  ) {
    this.ports = [{ first: base, last: base + 7 }];
  }

  private static initial(): Saved {
    return {
      ier: 0, lcr: 0, mcr: 0, scratch: 0, divisor: 12, fifoEnabled: false, trigger: 1, received: [], errors: 0,
      modem: TERMINAL_READY, thrEmpty: true, typed: [], nextByteNs: 0, timeoutNs: -1, timedOut: false,
    }; // prettier-ignore
  }

  /** What was typed stays: it has not been sent yet. */
  reset(): void {
    this.s = { ...Uart.initial(), typed: this.s.typed };
    this.update();
  }
  save(): Saved {
    return structuredClone(this.s);
  }
  restore(saved: Saved): void {
    this.s = structuredClone(saved);
  }

  /** Bytes from the terminal; they arrive when the line and the receiver have room. */
  type(bytes: Iterable<number>): void {
    if (this.s.typed.length === 0) this.s.nextByteNs = Math.max(this.s.nextByteNs, this.clock.now());
    for (const byte of bytes) this.s.typed.push(byte & 0xff);
    this.tick();
  }

  deadline(): number {
    const timeout = this.s.timeoutNs < 0 ? Infinity : this.s.timeoutNs;
    const arrival = this.s.typed.length > 0 && this.hasRoom() ? this.s.nextByteNs : Infinity;
    return Math.min(timeout, arrival);
  }

  tick(): void {
    const now = this.clock.now();
    while (this.s.typed.length > 0 && this.hasRoom() && this.s.nextByteNs <= now) {
      this.receive(this.s.typed.shift()!, this.s.nextByteNs);
      this.s.nextByteNs += this.characterNs();
    }
    if (this.s.timeoutNs >= 0 && this.s.timeoutNs <= now) {
      this.s.timeoutNs = -1;
      this.s.timedOut = true;
    }
    this.update();
  }

  readPort(port: number): number {
    this.tick();
    const value = this.readRegister(port - this.base);
    this.update();
    return value;
  }

  writePort(port: number, _bytes: number, byte: number): void {
    this.tick();
    this.writeRegister(port - this.base, byte);
    this.update();
  }

  inspect(): Inspection {
    const { ier, lcr, mcr, divisor, received, typed } = this.s;
    return {
      ier, lcr, mcr, lsr: this.lineStatus(), msr: this.modemStatus(), iir: this.cause(),
      baud: divisor === 0 ? 'none: the divisor is 0' : `${Math.floor(115_200 / divisor)}`, received: received.length, typed: typed.length,
    }; // prettier-ignore
  }

  private readRegister(register: number): number {
    const dlab = (this.s.lcr & LCR_DLAB) !== 0;
    switch (register) {
      case 0:
        return dlab ? this.s.divisor & 0xff : this.takeByte();
      case 1:
        return dlab ? this.s.divisor >> 8 : this.s.ier;
      case 2: {
        const cause = this.cause();
        if (cause === IIR.THRE) this.s.thrEmpty = false;
        return cause | (this.s.fifoEnabled ? IIR.FIFO : 0);
      }
      case 3:
        return this.s.lcr;
      case 4:
        return this.s.mcr;
      case 5: {
        const status = this.lineStatus();
        this.s.errors = 0;
        return status;
      }
      case 6: {
        const status = this.modemStatus();
        this.s.modem &= 0xf0;
        return status;
      }
      default:
        return this.s.scratch;
    }
  }

  private writeRegister(register: number, byte: number): void {
    const dlab = (this.s.lcr & LCR_DLAB) !== 0;
    switch (register) {
      case 0:
        if (dlab) this.s.divisor = (this.s.divisor & 0xff00) | byte;
        else this.send(byte);
        break;
      case 1:
        if (dlab) this.s.divisor = (this.s.divisor & 0xff) | (byte << 8);
        else {
          // Enabling the cause while THR is empty raises it (data sheet, section 8.6.4).
          if (byte & ~this.s.ier & IER.THRE) this.s.thrEmpty = true;
          this.s.ier = byte & 0x0f;
        }
        break;
      case 2:
        this.fifoControl(byte);
        break;
      case 3:
        this.s.lcr = byte;
        break;
      case 4:
        this.s.mcr = byte & 0x1f;
        this.setModemLevels(this.s.mcr & MCR.LOOP ? this.loopLevels() : TERMINAL_READY);
        break;
      case 7:
        this.s.scratch = byte;
        break;
    }
  }

  private fifoControl(byte: number): void {
    const enable = (byte & 1) !== 0;
    if (enable !== this.s.fifoEnabled || byte & 2) this.emptyReceiver();
    if (byte & 4) this.s.thrEmpty = true;
    this.s.fifoEnabled = enable;
    this.s.trigger = enable ? TRIGGER[byte >> 6]! : 1;
  }

  private emptyReceiver(): void {
    this.s.received = [];
    this.s.timeoutNs = -1;
    this.s.timedOut = false;
  }

  private send(byte: number): void {
    // Writing THR withdraws the cause and the line falls; it is empty again at once: an edge for the controller.
    this.s.thrEmpty = false;
    this.update();
    this.s.thrEmpty = true;
    if (!(this.s.mcr & MCR.LOOP)) return this.transmit(byte);
    if (this.hasRoom()) this.receive(byte, this.clock.now());
    else {
      this.s.errors |= LSR.OE;
      // Without FIFO the newer byte replaces the older; with FIFO it is lost (data sheet, OE).
      if (!this.s.fifoEnabled) this.s.received = [byte];
    }
  }

  private receive(byte: number, atNs: number): void {
    this.s.received.push(byte);
    this.s.timedOut = false;
    this.s.timeoutNs = this.s.fifoEnabled ? atNs + 4 * this.characterNs() : -1;
  }

  private takeByte(): number {
    const byte = this.s.received.shift() ?? 0;
    this.s.timedOut = false;
    const waits = this.s.fifoEnabled && this.s.received.length > 0;
    this.s.timeoutNs = waits ? this.clock.now() + 4 * this.characterNs() : -1;
    // The line was held up by a full receiver: what was typed meanwhile comes one character time from now.
    this.s.nextByteNs = Math.max(this.s.nextByteNs, this.clock.now());
    return byte;
  }

  private hasRoom(): boolean {
    return this.s.received.length < (this.s.fifoEnabled ? FIFO_BYTES : 1);
  }

  /** Start bit, data, parity, stop bits at 1.8432 MHz / 16 / divisor; rounded up. 16 / 1.8432 MHz is 78125/9 ns. */
  private characterNs(): number {
    const bits = 1 + 5 + (this.s.lcr & 3) + (this.s.lcr & 8 ? 1 : 0) + (this.s.lcr & 4 ? 2 : 1);
    return Math.ceil((bits * Math.max(1, this.s.divisor) * 78_125) / 9);
  }

  private lineStatus(): number {
    return LSR.THRE | LSR.TEMT | this.s.errors | (this.s.received.length > 0 ? LSR.DR : 0);
  }

  private modemStatus(): number {
    return this.s.modem;
  }

  /** DTR, RTS, OUT1, OUT2 return as DSR, CTS, RI, DCD (data sheet section 8.6.7). */
  private loopLevels(): number {
    const { mcr } = this.s;
    return (
      (mcr & MCR.RTS ? 0x10 : 0) |
      (mcr & MCR.DTR ? 0x20 : 0) |
      (mcr & MCR.OUT1 ? 0x40 : 0) |
      (mcr & MCR.OUT2 ? 0x80 : 0)
    );
  }

  private setModemLevels(levels: number): void {
    const changed = (this.s.modem ^ levels) & 0xf0;
    let deltas = (changed >> 4) & 0x0b;
    // RI is told by its trailing edge only.
    if (changed & 0x40 && !(levels & 0x40)) deltas |= 4;
    this.s.modem = levels | (this.s.modem & 0x0f) | deltas;
  }

  /** The pending cause of highest priority (data sheet table 5). */
  private cause(): number {
    const { ier, received, trigger, timedOut } = this.s;
    if (ier & IER.LINE && this.s.errors) return IIR.LINE;
    if (ier & IER.DATA && received.length >= trigger) return IIR.DATA;
    if (ier & IER.DATA && timedOut && received.length > 0) return IIR.TIMEOUT;
    if (ier & IER.THRE && this.s.thrEmpty) return IIR.THRE;
    if (ier & IER.MODEM && this.s.modem & 0x0f) return IIR.MODEM;
    return IIR.NONE;
  }

  private update(): void {
    // In loopback the OUT2 pin is high (off): the interrupt leaves the chip but not the card.
    const gated = (this.s.mcr & (MCR.OUT2 | MCR.LOOP)) === MCR.OUT2;
    this.irq.set(gated && this.cause() !== IIR.NONE);
  }
}
