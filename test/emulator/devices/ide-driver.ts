/** An IDE controller with a hard disk on the first channel and a CD-ROM drive on the second, as a driver uses it. */
import assert from 'node:assert/strict';
import { AtaDisk } from '../../../emulator/devices/ata-disk';
import { AtapiCdrom } from '../../../emulator/devices/atapi-cdrom';
import { Disk } from '../../../emulator/devices/disk';
import { PciIde } from '../../../emulator/devices/pci-ide';
import { SystemBus } from '../../../emulator/devices/system-bus';
import { TestClock, TestLine, TestMemory, contentOf, nobody } from './support';

export const SECTORS = 300_000;
const BASE = 0x1f0;
export const MASTER = 0xc000;
/** Sector n begins with n, little-endian. */
const pattern = (sector: number): number[] => [0, 8, 16, 24].map((shift) => (sector >>> shift) & 0xff);

export type Bench = ReturnType<typeof bench>;
export function bench({ readOnly = false } = {}) {
  const clock = new TestClock();
  const memory = new TestMemory();
  const lines = [new TestLine(), new TestLine()] as const;
  const bus = new SystemBus(nobody);
  const ide = new PciIde(clock, lines, memory, 1);
  const content = {
    bytes: SECTORS * 512,
    read: (offset: number, bytes: number) =>
      Uint8Array.from({ length: bytes }, (_, i) => pattern(Math.floor((offset + i) / 512))[(offset + i) % 512] ?? 0x5a),
  };
  const disk = new Disk('disk', content, readOnly);
  const iso = new Disk('disc', contentOf(Uint8Array.from({ length: 5 * 2048 }, (_, i) => i >> 11)), true);
  ide.plug([
    (c, changed) => new AtaDisk(disk, 'SERIAL0001', c, changed),
    undefined,
    (c, changed) => new AtapiCdrom(iso, 'SERIAL0002', c, changed),
  ]);
  bus.attach(ide);
  ide.fn.connect(bus, () => {});
  ide.fn.write(0x20, 4, MASTER);
  ide.fn.write(4, 2, 5);
  const at = { base: BASE };
  const out = (register: number, value: number, bytes: 1 | 2 | 4 = 1): void => bus.writePort(at.base + register, bytes, value);
  const inp = (register: number, bytes: 1 | 2 | 4 = 1): number => bus.readPort(at.base + register, bytes);
  const wait = (): void => {
    while (ide.deadline() < Infinity) {
      clock.ns = ide.deadline();
      ide.tick();
    }
  };
  /** Task file and command; returns the status when nothing more happens by itself. */
  const command = (code: number, { lba = 0, count = 1, device = 0xe0, feature = 0, wide = false } = {}): number => {
    out(6, device | (wide ? 0 : (lba >>> 24) & 15));
    const bytes = (n: number): number[] => [n & 0xff, (n >>> 8) & 0xff, (n >>> 16) & 0xff];
    if (wide) [count >> 8, ...bytes(Math.floor(lba / 2 ** 24))].forEach((byte, i) => out(2 + i, byte));
    out(1, feature);
    [count & 0xff, ...bytes(lba)].forEach((byte, i) => out(2 + i, byte));
    out(7, code);
    assert.equal(bus.readPort(at.base + 0x206, 1), 0x80, 'busy at first');
    wait();
    return bus.readPort(at.base + 0x206, 1);
  };
  const words = (count: number): number[] => Array.from({ length: count }, () => inp(0, 2));
  const secondary = (): void => void (at.base = 0x170);
  return { clock, memory, lines, bus, ide, disk, out, inp, wait, command, words, secondary };
} // prettier-ignore

export const text = (words: number[], first: number, count: number): string =>
  words.slice(first, first + count).map((w) => String.fromCharCode(w >> 8, w & 0xff)).join('').trim(); // prettier-ignore
