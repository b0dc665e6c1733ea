/**
 * PCI host bridge (as the 440FX), ISA bridge (as the PIIX3) and the configuration space of bus 0.
 * Source: PCI Local Bus Specification 3.0 chapters 3.2.2.3 (mechanism #1) and 6; Intel 290549 (440FX), 290550 (PIIX3).
 *
 * Other chips register functions; their BARs open windows in the board's address map when the guest programs them.
 * Shadow RAM is shadow-ram.ts. Not emulated: other buses, ECAM, SMRAM, the PIIX3's own distributed DMA and X-bus registers (read back only where listed).
 */
import type { Decoder, Device, Inspection, Line } from './bus';
import { PciFunction } from './pci-function';
import { PAM_OPEN, PAM_REGISTERS } from './shadow-ram';

const ADDRESS = 0xcf8;
const RESET_CONTROL = 0xcf9;
const DATA = 0xcfc;
const ENABLE = 0x8000_0000;
const PIRQ_ROUTE = 0x60;
const ROUTE_OFF = 0x80;
/** PIIX3's slot on bus 0. */
export const ISA_BRIDGE_SLOT = 1;

interface Saved {
  address: number;
  resetControl: number;
  /** Configuration space by slot * 8 + function. */
  functions: { at: number; config: Uint8Array }[];
  /** Asserted interrupt pins: slot * 4 + pin. */
  pins: number[];
}

export interface PciPins {
  decoder: Decoder;
  /** An 8259 input that a PIRQ can be routed to. */
  isaIrq(irq: number): Line;
  /** PIRQA to PIRQD at the I/O APIC, whatever the routing. */
  pirq(index: number): Line;
  resetPulse(): void;
  /** PAM0 to PAM6 of the host bridge were written. */
  shadow(registers: readonly number[]): void;
}

export class PciHost implements Device<Saved> {
  readonly name = 'pci';
  readonly ports = [{ first: ADDRESS, last: DATA + 3 }];
  readonly portBytes = 4;
  private address = 0;
  private resetControl = 0;
  private readonly functions = new Map<number, PciFunction>();
  private readonly asserted = new Set<number>();
  private readonly hostBridge: PciFunction;
  private readonly isaBridge: PciFunction;

  constructor(private readonly pins: PciPins) {
    this.hostBridge = new PciFunction({
        name: 'host bridge', slot: 0, function: 0, vendor: 0x8086, device: 0x1237, revision: 2, classCode: 0x06_0000,
        // As QEMU's board: firmware made for that one (SeaBIOS) knows the platform by it.
        subsystem: { vendor: 0x1af4, device: 0x1100 },
        defaults: [[0x72, [0x02]]], // SMRAM closed
        writable: [[PAM_REGISTERS.first, PAM_OPEN]],
        onConfigWrite: (offset, bytes) => {
          const { first, count } = PAM_REGISTERS;
          if (offset < first + count && offset + bytes > first)
            this.pins.shadow(Array.from({ length: count }, (_, i) => this.hostBridge.read(first + i, 1)));
        },
    }); // prettier-ignore
    this.add(this.hostBridge);
    this.isaBridge = new PciFunction({
      name: 'ISA bridge', slot: ISA_BRIDGE_SLOT, function: 0, vendor: 0x8086, device: 0x7000, revision: 0, classCode: 0x06_0100,
      multiFunction: true,
      defaults: [[PIRQ_ROUTE, [ROUTE_OFF, ROUTE_OFF, ROUTE_OFF, ROUTE_OFF]]],
      writable: [[PIRQ_ROUTE, [0x8f, 0x8f, 0x8f, 0x8f]]],
      onConfigWrite: (offset) => {
        if (offset >= PIRQ_ROUTE && offset < PIRQ_ROUTE + 4) this.routeInterrupts();
      },
    }); // prettier-ignore
    this.add(this.isaBridge);
  }

  add(fn: PciFunction): void {
    this.functions.set(fn.slot * 8 + fn.function, fn);
    fn.connect(this.pins.decoder, (level) => this.setInterrupt(fn.slot, fn.interruptPin, level));
  }

  /** Takes out what `add` put in. */
  remove(fn: PciFunction): void {
    this.functions.delete(fn.slot * 8 + fn.function);
    fn.disconnect();
  }

  reset(): void {
    this.address = 0;
    this.resetControl = 0;
    for (const fn of this.functions.values()) fn.reset();
    this.asserted.clear();
    this.routeInterrupts();
  }

  save(): Saved {
    return {
      address: this.address,
      resetControl: this.resetControl,
      functions: [...this.functions].map(([at, fn]) => ({ at, config: fn.save() })),
      pins: [...this.asserted].sort((a, b) => a - b),
    };
  }
  restore(saved: Saved): void {
    this.address = saved.address;
    this.resetControl = saved.resetControl;
    for (const { at, config } of saved.functions) this.functions.get(at)?.restore(config);
    this.asserted.clear();
    for (const pin of saved.pins) this.asserted.add(pin);
  }

  readPort(port: number, bytes: number): number {
    if (port >= DATA) return this.readConfig(port - DATA, bytes);
    if (bytes === 4) return this.address;
    return port === RESET_CONTROL && bytes === 1 ? this.resetControl : ones(bytes);
  }

  writePort(port: number, bytes: number, value: number): void {
    if (port >= DATA) this.writeConfig(port - DATA, bytes, value);
    // The address register is a doubleword; narrower accesses go to the ports of the same numbers (section 3.2.2.3.2).
    else if (bytes === 4 && port === ADDRESS) this.address = (value & 0x80ff_fffc) >>> 0;
    else if (port === RESET_CONTROL && bytes === 1) {
      const resets = (value & 4) !== 0 && !(this.resetControl & 4);
      this.resetControl = value & 6;
      if (resets) this.pins.resetPulse();
    }
  }

  inspect(): Inspection {
    const result: Inspection = { address: this.address };
    for (const fn of this.functions.values()) {
      const id = fn.read(0, 4);
      const hex = (n: number): string => n.toString(16).padStart(4, '0');
      result[`00:${hex(fn.slot).slice(2)}.${fn.function}`] = `${hex(id & 0xffff)}:${hex(id >>> 16)} ${fn.name}`;
    }
    return result;
  }

  private selected(): PciFunction | undefined {
    if (!(this.address & ENABLE) || this.address & 0x00ff_0000) return undefined;
    return this.functions.get((this.address >> 8) & 0xff);
  }

  private readConfig(offset: number, bytes: number): number {
    return this.selected()?.access((this.address & 0xfc) + offset, bytes) ?? ones(bytes);
  }
  private writeConfig(offset: number, bytes: number, value: number): void {
    this.selected()?.write((this.address & 0xfc) + offset, bytes, value);
  }

  private setInterrupt(slot: number, pin: number, level: boolean): void {
    const key = slot * 4 + pin - 1;
    if (level) this.asserted.add(key);
    else this.asserted.delete(key);
    this.routeInterrupts();
  }

  /** INTA of slot n is PIRQ (n - 1) mod 4, the next pins follow, as on boards with a PIIX3. */
  private routeInterrupts(): void {
    const pirqs = [false, false, false, false];
    for (const key of this.asserted) pirqs[((key >> 2) + (key & 3) + 3) & 3] = true;
    const irqs = new Map<number, boolean>();
    for (let i = 0; i < 4; i++) {
      this.pins.pirq(i).set(pirqs[i]!);
      const route = this.isaBridge.read(PIRQ_ROUTE + i, 1);
      if (!(route & ROUTE_OFF)) irqs.set(route & 15, (irqs.get(route & 15) ?? false) || pirqs[i]!);
    }
    for (const irq of ROUTABLE) this.pins.isaIrq(irq).set(irqs.get(irq) ?? false);
  }
}

/** 8259 inputs that no ISA chip of this board uses and a PIRQ may be routed to. */
const ROUTABLE = [5, 10, 11] as const;
const ones = (bytes: number): number => (bytes === 4 ? 0xffff_ffff : (1 << (bytes * 8)) - 1);
