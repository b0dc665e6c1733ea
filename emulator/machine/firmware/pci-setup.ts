/**
 * What firmware does on PCI bus 0: sizes and places base address registers, writes interrupt lines, switches functions and
 * IDE channels on. Source: PCI Local Bus Specification 3.0 sections 6.1 and 6.2; PIIX3 data sheet 290550 section 2.4.9.
 */
import type { Bus } from '../../cpu/ports';
import { PIRQ_IRQS } from '../address-map';
import { pirqOf } from './dsdt';

const ADDRESS = 0xcf8;
const DATA = 0xcfc;
/** Where base addresses begin: behind what ISA cards decode, and above any RAM below 4 GiB. */
const IO_FIRST = 0xc000;
const MEMORY_FIRST = 0xe000_0000;
const COMMAND = { AT: 0x04, IO: 1, MEMORY: 2, MASTER: 4 } as const;
const BARS = { FIRST: 0x10, LAST: 0x24 } as const;
const BAR = { IO: 1, WIDE: 4 } as const;
const MULTI_FUNCTION = 0x80;
const BRIDGE = 0x06;
const IDE_CLASS = 0x0101;
const IDE_CHANNELS = [{ command: 0x1f0, timing: 0x40 }, { command: 0x170, timing: 0x42 }] as const; // prettier-ignore
const IDE_DECODE = 0x8000;

class Configuration {
  constructor(
    private readonly bus: Bus,
    private readonly slot: number,
    private readonly fn: number,
  ) {}
  private select(offset: number): void {
    this.bus.writePort(ADDRESS, 4, (0x8000_0000 + (this.slot << 11) + (this.fn << 8) + (offset & 0xfc)) >>> 0);
  }
  read(offset: number, bytes: 1 | 2 | 4): number {
    this.select(offset);
    return this.bus.readPort(DATA + (offset & 3), bytes);
  }
  write(offset: number, bytes: 1 | 2 | 4, value: number): void {
    this.select(offset);
    this.bus.writePort(DATA + (offset & 3), bytes, value >>> 0);
  }
}

export function setUpPci(bus: Bus): void {
  const next = { io: IO_FIRST, memory: MEMORY_FIRST };
  for (let slot = 0; slot < 32; slot++) {
    const functions = new Configuration(bus, slot, 0).read(0x0e, 1) & MULTI_FUNCTION ? 8 : 1;
    for (let fn = 0; fn < functions; fn++) {
      const config = new Configuration(bus, slot, fn);
      if (config.read(0, 2) !== 0xffff && config.read(0x0b, 1) !== BRIDGE) setUpFunction(bus, config, slot, next);
    }
  }
  bus.writePort(ADDRESS, 4, 0);
}

function setUpFunction(bus: Bus, config: Configuration, slot: number, next: { io: number; memory: number }): void {
  for (let at: number = BARS.FIRST; at <= BARS.LAST; at += 4) {
    config.write(at, 4, 0xffff_ffff);
    const sized = config.read(at, 4);
    config.write(at, 4, 0);
    if (sized === 0) continue;
    const space = sized & BAR.IO ? 'io' : 'memory';
    const bytes = -(sized & (space === 'io' ? 0xffff_fffc : 0xffff_fff0)) >>> 0;
    const base = Math.ceil(next[space] / bytes) * bytes;
    next[space] = base + bytes;
    config.write(at, 4, base);
    if (space === 'memory' && sized & BAR.WIDE) config.write((at += 4), 4, 0);
  }
  const pin = config.read(0x3d, 1);
  if (pin > 0) config.write(0x3c, 1, PIRQ_IRQS[pirqOf(slot, pin - 1)]!);
  config.write(COMMAND.AT, 2, COMMAND.IO | COMMAND.MEMORY | COMMAND.MASTER);
  if (config.read(0x0a, 2) !== IDE_CLASS) return;
  for (const { command, timing } of IDE_CHANNELS) if (answers(bus, command)) config.write(timing, 2, IDE_DECODE);
}

/** A drive keeps what is written to its registers. */
function answers(bus: Bus, command: number): boolean {
  return [0xa0, 0xb0].some((drive) => {
    bus.writePort(command + 6, 1, drive);
    bus.writePort(command + 2, 1, 0x55);
    bus.writePort(command + 3, 1, 0xaa);
    return bus.readPort(command + 2, 1) === 0x55 && bus.readPort(command + 3, 1) === 0xaa;
  });
}
