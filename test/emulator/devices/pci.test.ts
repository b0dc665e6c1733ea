import assert from 'node:assert/strict';
import { PciHost } from '../../../emulator/devices/pci';
import { PciFunction } from '../../../emulator/devices/pci-function';
import { SystemBus } from '../../../emulator/devices/system-bus';
import { TestLine } from './support';

function bench() {
  const reports: string[] = [];
  const bus = new SystemBus((what) => reports.push(what));
  const irqs = Array.from({ length: 16 }, () => new TestLine());
  const pirqs = Array.from({ length: 4 }, () => new TestLine());
  const events: string[] = [];
  const pci = new PciHost({ decoder: bus, isaIrq: (n) => irqs[n]!, pirq: (n) => pirqs[n]!, resetPulse: () => events.push('reset'), shadow: () => {} });
  bus.attach(pci);
  const card = new PciFunction({
    name: 'card', slot: 3, function: 0, vendor: 0x1af4, device: 0x1000, revision: 1, classCode: 0x02_0000, interruptPin: 1,
    subsystem: { vendor: 0x1af4, device: 1 },
    bars: [
      { kind: 'io', bytes: 0x20, read: (offset, bytes) => offset * 16 + bytes, write: (o, n, v) => void events.push(`io ${o} ${n} ${v}`) },
      { kind: 'memory', bytes: 0x1000, read: (offset) => offset, write: (o, n, v) => void events.push(`memory ${o} ${n} ${v}`) },
      { kind: 'memory64', bytes: 0x4000, prefetchable: true, read: (offset) => offset + 1, write: () => {} },
    ],
  });
  pci.add(card);
  const address = (slot: number, register: number): void =>
    bus.writePort(0xcf8, 4, (0x8000_0000 | (slot << 11) | (register & 0xfc)) >>> 0);
  const read = (slot: number, register: number, bytes: 1 | 2 | 4 = 4): number => (address(slot, register), bus.readPort(0xcfc + (register & 3), bytes));
  const write = (slot: number, register: number, value: number, bytes: 1 | 2 | 4 = 4): void => {
    address(slot, register);
    bus.writePort(0xcfc + (register & 3), bytes, value);
  };
  return { bus, pci, card, irqs, pirqs, events, reports, read, write };
} // prettier-ignore

describe('pci', () => {
  it('finds bridges, a card, and nothing', () => {
    const { read, bus } = bench();
    assert.equal(read(0, 0), 0x1237_8086);
    assert.equal(read(0, 8), 0x0600_0002);
    assert.equal(read(1, 0), 0x7000_8086);
    assert.equal(read(1, 10, 2), 0x0601);
    assert.equal(read(3, 0x2c), 0x0001_1af4);
    assert.equal(read(2, 0), 0xffff_ffff);
    bus.writePort(0xcf8, 4, 0x8001_0000);
    assert.equal(bus.readPort(0xcfc, 4), 0xffff_ffff, 'bus 1');
    bus.writePort(0xcf8, 4, 0);
    assert.equal(bus.readPort(0xcfc, 4), 0xffff_ffff, 'disabled');
  });
  it('answers the probe for mechanism #1', () => {
    const { bus } = bench();
    bus.writePort(0xcfb, 1, 1);
    bus.writePort(0xcf8, 4, 0x8000_0000);
    assert.equal(bus.readPort(0xcf8, 4), 0x8000_0000);
  });
  it('sizes base address registers', () => {
    const { read, write } = bench();
    const rows = [[0x10, 0xffff_ffe1], [0x14, 0xffff_f000], [0x18, 0xffff_c00c], [0x1c, 0xffff_ffff], [0x20, 0], [0x30, 0]] as const;
    for (const [register, sized] of rows) {
      write(3, register, 0xffff_ffff);
      assert.equal(read(3, register), sized);
    }
  }); // prettier-ignore
  it('opens and closes windows as BARs and command say', () => {
    const { read, write, bus, events } = bench();
    write(3, 0x10, 0xc001);
    assert.equal(bus.readPort(0xc004, 1), 0xff, 'not enabled');
    write(3, 4, 3, 2);
    assert.equal(bus.readPort(0xc004, 2), 66);
    bus.writePort(0xc008, 4, 99);
    write(3, 0x14, 0xe000_0000);
    bus.writeMmio(0xe000_0010, 2, 7);
    assert.deepEqual(events, ['io 8 4 99', 'memory 16 2 7']);
    write(3, 0x14, 0xe100_0000);
    assert.equal(bus.decodes(0xe000_0010), false);
    assert.equal(bus.readMmio(0xe100_0ffc, 4), 0xffc);
    write(3, 0x18, 0);
    write(3, 0x1c, 2);
    assert.equal(bus.readMmio(0x2_0000_0008, 4), 9, '64-bit');
    write(3, 4, 0, 2);
    assert.equal(bus.decodes(0xe100_0000), false);
    assert.equal(read(3, 4, 2), 0);
  });
  it('keeps windows through save and restore', () => {
    const { write, bus, pci } = bench();
    write(3, 4, 2, 2);
    write(3, 0x14, 0xe000_0000);
    const saved = structuredClone(pci.save());
    write(3, 0x14, 0xe200_0000);
    pci.restore(saved);
    assert.deepEqual([bus.decodes(0xe000_0000), bus.decodes(0xe200_0000)], [true, false]);
  });
  it('routes interrupt pins to PIRQs and, as programmed, to the 8259', () => {
    const { card, irqs, pirqs, write } = bench();
    card.setInterrupt(true);
    // INTA of slot 3 is PIRQC.
    assert.deepEqual(pirqs.map((l) => l.level), [false, false, true, false]);
    assert.equal(irqs.some((l) => l.level), false);
    write(1, 0x62, 11, 1);
    assert.equal(irqs[11]!.level, true);
    write(1, 0x62, 0x80, 1);
    assert.equal(irqs[11]!.level, false);
    write(1, 0x62, 10, 1);
    write(3, 5, 4, 1); // INTx disable
    assert.deepEqual([irqs[10]!.level, pirqs[2]!.level], [false, false]);
    write(3, 5, 0, 1);
    assert.equal(irqs[10]!.level, true);
    card.setInterrupt(false);
    assert.equal(irqs[10]!.level, false);
  }); // prettier-ignore
  it('resets by CF9h', () => {
    const { bus, events } = bench();
    bus.writePort(0xcf9, 1, 2);
    assert.deepEqual(events, []);
    bus.writePort(0xcf9, 1, 6);
    assert.deepEqual(events, ['reset']);
  });
});
