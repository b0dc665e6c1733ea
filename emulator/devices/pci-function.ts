/**
 * One PCI function: a type 0 configuration header whose base address registers size and decode as the standard says.
 * Source: PCI Local Bus Specification 3.0 section 6.1, 6.2.5.
 */
import type { Decoder, Window } from './bus';

export interface PciBar {
  kind: 'io' | 'memory' | 'memory64';
  /** A power of two, at least 4 (I/O) or 16 (memory). */
  bytes: number;
  prefetchable?: boolean;
  /** Offsets from the base; accesses of 1, 2 or 4 bytes. */
  read(offset: number, bytes: number): number;
  write(offset: number, bytes: number, value: number): void;
}

type Bytes = readonly (readonly [offset: number, values: readonly number[]])[];

export interface PciFunctionConfig {
  name: string;
  slot: number;
  function: number;
  vendor: number;
  device: number;
  revision: number;
  /** Class, subclass, programming interface: 24 bits. */
  classCode: number;
  subsystem?: { vendor: number; device: number };
  multiFunction?: boolean;
  /** 1 to 4: INTA to INTD; 0 or absent: none. */
  interruptPin?: number;
  /** From BAR 0 on; undefined: this one is not there. */
  bars?: readonly (PciBar | undefined)[];
  /** Values after reset beyond the header, and bits that the guest may write there. */
  defaults?: Bytes;
  writable?: Bytes;
  onConfigWrite?(offset: number, bytes: number): void;
  /** Before the guest reads: registers that are windows to something else are brought up to date with `poke`. */
  onConfigRead?(offset: number, bytes: number): void;
}

const COMMAND = 0x04;
const COMMAND_IO = 1;
const COMMAND_MEMORY = 2;
const BAR0 = 0x10;

export class PciFunction {
  readonly name: string;
  readonly slot: number;
  readonly function: number;
  readonly interruptPin: number;
  private config = new Uint8Array(256);
  private readonly writable = new Uint8Array(256);
  private windows: Window[] = [];
  private decoder: Decoder | undefined;
  private drive: (level: boolean) => void = () => {};

  constructor(private readonly description: PciFunctionConfig) {
    ({ name: this.name, slot: this.slot, function: this.function } = description);
    this.interruptPin = description.interruptPin ?? 0;
    this.writable.set([0x07, 0x04], COMMAND); // I/O, memory, bus master; INTx disable
    this.writable.set([0xff, 0xff], 0x0c); // cache line size, latency timer
    this.writable[0x3c] = 0xff; // interrupt line
    for (const { at, bar } of this.bars()) {
      const mask = bar.kind === 'memory64' ? ~(BigInt(bar.bytes) - 1n) : BigInt(~(bar.bytes - 1) >>> 0);
      const width = bar.kind === 'memory64' ? 8 : 4;
      for (let i = 0; i < width; i++) this.writable[at + i] = Number((mask >> BigInt(i * 8)) & 0xffn);
    }
    for (const [offset, masks] of description.writable ?? []) this.writable.set(masks, offset);
    this.reset();
  }

  /** Called by the host bridge. */
  connect(decoder: Decoder, drive: (level: boolean) => void): void {
    this.decoder = decoder;
    this.drive = drive;
  }

  /** Taken out: its windows close. */
  disconnect(): void {
    for (const window of this.windows) this.decoder?.detach(window);
    this.windows = [];
    this.decoder = undefined;
    this.drive = () => {};
  }

  /** The function's INTx pin, held back by the command register's disable bit. */
  setInterrupt(level: boolean): void {
    this.config[0x06] = level ? this.config[0x06]! | 8 : this.config[0x06]! & ~8;
    this.drive(level && !(this.config[COMMAND + 1]! & 4));
  }

  /** The guest lets it be a bus master: it may reach memory on its own. */
  get busMaster(): boolean {
    return (this.config[COMMAND]! & 4) !== 0;
  }

  reset(): void {
    const { vendor, device, revision, classCode, subsystem, multiFunction } = this.description;
    const config = new Uint8Array(256);
    const view = new DataView(config.buffer);
    view.setUint16(0, vendor, true);
    view.setUint16(2, device, true);
    view.setUint32(8, ((classCode << 8) | revision) >>> 0, true);
    config[0x0e] = multiFunction ? 0x80 : 0;
    for (const { at, bar } of this.bars()) config[at] = barFlags(bar);
    view.setUint16(0x2c, subsystem?.vendor ?? 0, true);
    view.setUint16(0x2e, subsystem?.device ?? 0, true);
    config[0x3d] = this.interruptPin;
    for (const [offset, values] of this.description.defaults ?? []) config.set(values, offset);
    this.config = config;
    this.decode();
  }
  save(): Uint8Array {
    return this.config.slice();
  }
  restore(config: Uint8Array): void {
    this.config = config.slice();
    this.decode();
  }

  /** As the guest reads it. */
  access(offset: number, bytes: number): number {
    this.description.onConfigRead?.(offset, bytes);
    return this.read(offset, bytes);
  }
  /** Past the mask of what the guest may write. */
  poke(offset: number, bytes: readonly number[]): void {
    this.config.set(bytes, offset);
  }

  read(offset: number, bytes: number): number {
    let value = 0;
    for (let i = bytes - 1; i >= 0; i--) value = (value << 8) | this.config[offset + i]!;
    return value >>> 0;
  }

  write(offset: number, bytes: number, value: number): void {
    for (let i = 0; i < bytes; i++) {
      const mask = this.writable[offset + i]!;
      this.config[offset + i] = (this.config[offset + i]! & ~mask) | ((value >>> (i * 8)) & mask);
    }
    const last = offset + bytes - 1;
    if (offset < BAR0 + 24 && last >= COMMAND) this.decode();
    if (offset <= COMMAND + 1 && last > COMMAND) this.setInterrupt((this.config[0x06]! & 8) !== 0);
    this.description.onConfigWrite?.(offset, bytes);
  }

  private *bars(): Generator<{ at: number; bar: PciBar }> {
    let at = BAR0;
    for (const bar of this.description.bars ?? []) {
      if (bar) yield { at, bar };
      at += bar?.kind === 'memory64' ? 8 : 4;
    }
  }

  /** Closes the windows that were open and opens those that the command register and the BARs ask for. */
  private decode(): void {
    if (!this.decoder) return;
    for (const window of this.windows) this.decoder.detach(window);
    this.windows = [];
    const command = this.config[COMMAND]!;
    for (const { at, bar } of this.bars()) {
      const low = this.read(at, 4) & ~(bar.bytes - 1);
      const base = (low >>> 0) + (bar.kind === 'memory64' ? this.read(at + 4, 4) * 0x1_0000_0000 : 0);
      const enabled = command & (bar.kind === 'io' ? COMMAND_IO : COMMAND_MEMORY);
      if (!enabled || base === 0) continue;
      const window = openWindow(`${this.name}, BAR at ${at.toString(16)}h`, bar, base);
      this.windows.push(window);
      this.decoder.attach(window);
    }
  }
}

function barFlags(bar: PciBar): number {
  if (bar.kind === 'io') return 1;
  return (bar.kind === 'memory64' ? 4 : 0) | (bar.prefetchable ? 8 : 0);
}

function openWindow(name: string, bar: PciBar, base: number): Window {
  const range = [{ first: base, last: base + bar.bytes - 1 }];
  if (bar.kind === 'io') {
    return {
      name, ports: range, portBytes: 4,
      readPort: (port, bytes) => bar.read(port - base, bytes),
      writePort: (port, bytes, value) => bar.write(port - base, bytes, value),
    }; // prettier-ignore
  }
  return {
    name, mmio: range,
    readMmio: (gpa, bytes) => bar.read(gpa - base, bytes),
    writeMmio: (gpa, bytes, value) => bar.write(gpa - base, bytes, value),
  }; // prettier-ignore
}
