import assert from 'node:assert/strict';
import { AtaDisk } from '../../../emulator/devices/ata-disk';
import { AtapiCdrom } from '../../../emulator/devices/atapi-cdrom';
import { Disk } from '../../../emulator/devices/disk';
import { PciIde } from '../../../emulator/devices/pci-ide';
import { SystemBus } from '../../../emulator/devices/system-bus';
import { TestClock, TestLine, TestMemory, contentOf, nobody } from './support';

const SECTORS = 300_000;
const BASE = 0x1f0;
const MASTER = 0xc000;
/** Sector n begins with n, little-endian. */
const pattern = (sector: number): number[] => [0, 8, 16, 24].map((shift) => (sector >>> shift) & 0xff);

function bench({ readOnly = false } = {}) {
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

const text = (words: number[], first: number, count: number): string =>
  words.slice(first, first + count).map((w) => String.fromCharCode(w >> 8, w & 0xff)).join('').trim(); // prettier-ignore

describe('ide: hard disk', () => {
  it('identifies itself', () => {
    const { command, words, lines, inp } = bench();
    assert.equal(command(0xec), 0x58);
    assert.equal(lines[0].level, true);
    assert.equal(inp(7), 0x58);
    assert.equal(lines[0].level, false, 'reading the status acknowledges');
    const id = words(256);
    assert.equal(inp(7), 0x50);
    assert.deepEqual([text(id, 10, 10), text(id, 27, 20)], ['SERIAL0001', 'RINGSIDE DISK']);
    assert.equal(id[60]! + id[61]! * 0x10000, SECTORS);
    assert.equal(id[100]! + id[101]! * 0x10000, SECTORS);
    assert.equal(id[83]! & 0xc400, 0x4400, '48-bit addresses');
    assert.equal(id[49]! & 0x300, 0x300, 'DMA, LBA');
    assert.equal(id[63]! & 7, 7);
  });

  const reads: [name: string, code: number, options: object, first: number, count: number, blocks: number][] = [
    ['READ SECTORS', 0x20, { lba: 5, count: 3 }, 5, 3, 3],
    ['READ SECTORS, 28 bits', 0x20, { lba: 0x12345, count: 1 }, 0x12345, 1, 1],
    ['READ SECTORS, count 0 is 256', 0x20, { lba: 7, count: 0 }, 7, 256, 256],
    ['READ SECTORS, cylinders', 0x20, { lba: 0x000203, device: 0xa5, count: 1 }, (2 * 16 + 5) * 63 + 2, 1, 1],
    ['READ SECTORS EXT', 0x24, { lba: 70_000, count: 300, wide: true }, 70_000, 300, 300],
    ['READ MULTIPLE', 0xc4, { lba: 1, count: 10 }, 1, 10, 3],
    ['READ MULTIPLE EXT', 0x29, { lba: 1, count: 8, wide: true }, 1, 8, 2],
  ];
  for (const [name, code, options, first, count, blocks] of reads)
    it(name, () => {
      const { command, words, wait, inp, lines } = bench();
      assert.equal(command(0xc6, { count: 4 }), 0x50);
      inp(7);
      const rises = lines[0].rises;
      assert.equal(command(code, options), 0x58);
      for (let sector = 0; sector < count; sector++) {
        wait();
        inp(7);
        const [low, high] = words(256);
        assert.equal(low! + high! * 0x10000, first + sector);
      }
      assert.equal(inp(7), 0x50);
      assert.equal(lines[0].rises - rises, blocks, 'an interrupt a block');
    });

  it('writes sectors, and reads them back as doublewords', () => {
    const { command, out, inp, wait, disk, lines } = bench();
    const rises = lines[0].rises;
    assert.equal(command(0x30, { lba: 9, count: 2 }), 0x58);
    assert.equal(lines[0].rises, rises, 'none for the first block');
    for (let i = 0; i < 256; i++) out(0, i, 2);
    assert.equal(inp(7), 0x80);
    wait();
    assert.equal(inp(7), 0x58);
    for (let i = 0; i < 128; i++) out(0, 0xdead_0000 + i, 4);
    wait();
    assert.equal(inp(7), 0x50);
    assert.deepEqual([...disk.read(9 * 512, 4), ...disk.read(10 * 512, 4)], [0, 0, 1, 0, 0, 0, 0xad, 0xde]);
    command(0x20, { lba: 10 });
    assert.equal(inp(0, 4), 0xdead_0000);
  });

  const refusals: [name: string, code: number, options: object, error: number][] = [
    ['beyond the end', 0x20, { lba: SECTORS, count: 1 }, 0x10],
    ['over the end', 0xc8, { lba: SECTORS - 1, count: 2 }, 0x10],
    ['far beyond, 48 bits', 0x25, { lba: 2 ** 40, count: 1, wide: true }, 0x10],
    ['sector 0 of a track', 0x20, { lba: 0, device: 0xa0 }, 0x10],
    ['READ MULTIPLE while off', 0xc4, {}, 0x04],
    ['SET MULTIPLE of 3', 0xc6, { count: 3 }, 0x04],
    ['SET FEATURES 99h', 0xef, { feature: 0x99 }, 0x04],
    ['Ultra DMA', 0xef, { feature: 3, count: 0x42 }, 0x04],
    ['a packet', 0xa0, {}, 0x04],
    ['SMART', 0xb0, {}, 0x04],
  ];
  for (const [name, code, options, error] of refusals)
    it(`refuses ${name}`, () => {
      const { command, inp, lines } = bench();
      assert.equal(command(code, options), 0x51);
      assert.equal(inp(1), error);
      assert.equal(lines[0].level, true);
    });
  it('refuses to write where it must not', () => {
    const { command } = bench({ readOnly: true });
    for (const code of [0x30, 0xca]) assert.equal(command(code), 0x51);
  });

  for (const [name, code] of [['FLUSH CACHE', 0xe7], ['IDLE', 0xe3], ['RECALIBRATE', 0x10], ['SEEK', 0x70]] as const)
    it(`does ${name}`, () => assert.equal(bench().command(code), 0x50)); // prettier-ignore
  it('tells its native size', () => {
    const { command, inp, out, bus } = bench();
    command(0x27, { wide: true });
    assert.equal(inp(3) | (inp(4) << 8) | (inp(5) << 16), SECTORS - 1);
    bus.writePort(0x3f6, 1, 0x80);
    assert.equal(inp(3), 0, 'high-order bytes');
    out(1, 0);
    assert.equal(inp(3), (SECTORS - 1) & 0xff);
  });

  it('is reset by SRST, and shows its signature', () => {
    const { bus, inp, command, out } = bench();
    command(0x20, { lba: 5 });
    bus.writePort(0x3f6, 1, 4);
    assert.equal(inp(7), 0x80);
    bus.writePort(0x3f6, 1, 0);
    assert.deepEqual([1, 2, 3, 4, 5, 7].map((r) => inp(r)), [1, 1, 1, 0, 0, 0x50]);
    out(6, 0xb0);
    assert.deepEqual([inp(7), inp(2)], [0, 0], 'no second drive');
  }); // prettier-ignore
  it('holds its interrupt back while nIEN is set', () => {
    const { bus, command, lines } = bench();
    bus.writePort(0x3f6, 1, 2);
    command(0xe7);
    assert.equal(lines[0].level, false);
    bus.writePort(0x3f6, 1, 0);
    assert.equal(lines[0].level, true);
  });
});

describe('ide: bus master', () => {
  /** Descriptors at 1000h. */
  const table = (memory: TestMemory, ...entries: [gpa: number, bytes: number][]): void =>
    entries.forEach(([gpa, bytes], i) => {
      memory.view.setUint32(0x1000 + i * 8, gpa, true);
      memory.view.setUint32(0x1004 + i * 8, (bytes & 0xffff) + (i === entries.length - 1 ? 0x8000_0000 : 0), true);
    });
  const start = (b: ReturnType<typeof bench>, toMemory: boolean): void => {
    b.bus.writePort(MASTER + 4, 4, 0x1000);
    b.bus.writePort(MASTER + 2, 1, 6);
    b.bus.writePort(MASTER, 1, toMemory ? 9 : 1);
  };

  it('scatters a read, whichever of command and start comes first', () => {
    for (const commandFirst of [true, false]) {
      const b = bench();
      table(b.memory, [0x2000, 512 + 256], [0x8000, 256]);
      if (!commandFirst) start(b, true);
      b.command(0xc8, { lba: 40, count: 2 });
      if (commandFirst) {
        assert.equal(b.lines[0].level, false, 'waits');
        start(b, true);
        assert.equal(b.bus.readPort(MASTER + 2, 1), 1, 'active');
        b.wait();
      }
      assert.equal(b.lines[0].level, true);
      assert.equal(b.bus.readPort(MASTER + 2, 1), 4, 'interrupt, no longer active');
      assert.equal(b.inp(7), 0x50);
      assert.deepEqual([b.memory.data[0x2000], b.memory.data[0x2200], b.memory.data[0x8000]], [40, 41, 0x5a]);
    }
  });
  it('gathers a write', () => {
    const b = bench();
    b.memory.data.fill(1, 0x2000, 0x2100).fill(2, 0x3000, 0x3100);
    table(b.memory, [0x2000, 256], [0x3000, 256]);
    b.command(0xca, { lba: 77 });
    start(b, false);
    b.wait();
    assert.deepEqual([b.disk.read(77 * 512, 1)[0], b.disk.read(77 * 512 + 511, 1)[0]], [1, 2]);
  });
  it('moves 64 KiB by a descriptor of 0 bytes', () => {
    const b = bench();
    table(b.memory, [0x1_0000, 0]);
    b.command(0x25, { lba: 0, count: 128, wide: true });
    start(b, true);
    b.wait();
    assert.equal(b.memory.data[0x1_fe00], 127);
    assert.equal(b.bus.readPort(MASTER + 2, 1), 4);
  });
  it('stays active when the table is longer than the transfer', () => {
    const b = bench();
    table(b.memory, [0x2000, 1024]);
    b.command(0xc8, { lba: 3 });
    start(b, true);
    b.wait();
    assert.equal(b.bus.readPort(MASTER + 2, 1), 5);
    b.bus.writePort(MASTER, 1, 0);
    assert.equal(b.bus.readPort(MASTER + 2, 1), 4);
  });
  it('stops without an interrupt when the table is shorter', () => {
    const b = bench();
    table(b.memory, [0x2000, 512]);
    b.command(0xc8, { lba: 3, count: 2 });
    start(b, true);
    b.wait();
    assert.equal(b.bus.readPort(MASTER + 2, 1), 0);
    assert.equal(b.inp(7), 0x58);
  });
  it('reports memory that is not there', () => {
    const b = bench();
    table(b.memory, [0x9000_0000, 512]);
    b.command(0xc8);
    start(b, true);
    b.wait();
    assert.equal(b.bus.readPort(MASTER + 2, 1), 2);
  });
  it('does nothing while the function may not be a master', () => {
    const b = bench();
    b.ide.fn.write(4, 2, 1);
    table(b.memory, [0x2000, 512]);
    b.command(0xc8);
    start(b, true);
    b.wait();
    assert.equal(b.bus.readPort(MASTER + 2, 1), 1);
  });
});

describe('ide: CD-ROM', () => {
  const packet = (b: ReturnType<typeof bench>, bytes: number[], limit = 0xfffe, feature = 0): number => {
    b.out(6, 0xa0);
    b.out(1, feature);
    b.out(4, limit & 0xff);
    b.out(5, limit >> 8);
    b.out(7, 0xa0);
    b.wait();
    assert.deepEqual([b.inp(7), b.inp(2)], [0x58, 1], 'asks for the command');
    for (let i = 0; i < 12; i += 2) b.out(0, (bytes[i] ?? 0) | ((bytes[i + 1] ?? 0) << 8), 2);
    b.wait();
    return b.inp(7);
  };
  const data = (b: ReturnType<typeof bench>): number[] => {
    const out: number[] = [];
    while (b.inp(7) & 8) {
      assert.equal(b.inp(2), 2);
      const count = b.inp(4) | (b.inp(5) << 8);
      for (let i = 0; i < count; i += 2) {
        const word = b.inp(0, 2);
        out.push(word & 0xff, word >> 8);
      }
      b.wait();
    }
    assert.deepEqual([b.inp(7), b.inp(2)], [0x50, 3]);
    return out;
  };
  const drive = (): ReturnType<typeof bench> => {
    const b = bench();
    b.secondary();
    return b;
  };

  it('is known by its signature, and refuses IDENTIFY DEVICE', () => {
    const b = drive();
    assert.deepEqual([b.inp(4), b.inp(5), b.inp(7)], [0x14, 0xeb, 0]);
    assert.equal(b.command(0xec, { device: 0xa0 }), 0x51);
    assert.deepEqual([b.inp(1), b.inp(4), b.inp(5)], [4, 0x14, 0xeb]);
    b.command(0xa1, { device: 0xa0 });
    const id = b.words(256);
    assert.deepEqual([id[0], text(id, 27, 20)], [0x8580, 'RINGSIDE CD-ROM']);
    assert.equal(b.inp(7), 0x50);
  });
  it('answers INQUIRY and READ CAPACITY', () => {
    const b = drive();
    packet(b, [0x12, 0, 0, 0, 36]);
    assert.equal(String.fromCharCode(...data(b).slice(8, 22)), 'RINGSIDECD-ROM');
    packet(b, [0x25]);
    assert.deepEqual(data(b), [0, 0, 0, 4, 0, 0, 8, 0]);
  });
  it('reads blocks in parts of the byte count', () => {
    const b = drive();
    packet(b, [0x28, 0, 0, 0, 0, 1, 0, 0, 3], 1500);
    const bytes = data(b);
    assert.equal(bytes.length, 3 * 2048);
    assert.deepEqual([bytes[0], bytes[2048], bytes[6143]], [1, 2, 3]);
  });
  it('reads blocks by DMA', () => {
    const b = drive();
    b.memory.view.setUint32(0x1000, 0x2000, true);
    b.memory.view.setUint32(0x1004, 0x8000_0000 + 2048, true);
    b.bus.writePort(MASTER + 8 + 4, 4, 0x1000);
    b.bus.writePort(MASTER + 8, 1, 9);
    packet(b, [0x28, 0, 0, 0, 0, 4, 0, 0, 1], 0, 1);
    assert.deepEqual([b.inp(7), b.inp(2), b.memory.data[0x27ff]], [0x50, 3, 4]);
  });
  it('says what was wrong', () => {
    for (const [bytes, asc] of [[[0x28, 0, 0, 0, 0, 5, 0, 0, 1], 0x21], [[0xff], 0x20], [[0x5a, 0, 0x3e], 0x24]] as const) {
      const b = drive();
      assert.equal(packet(b, [...bytes]) & 1, 1);
      packet(b, [0x03, 0, 0, 0, 18]);
      const sense = data(b);
      assert.deepEqual([sense[2], sense[12]], [5, asc]);
    }
  }); // prettier-ignore
  it('has one track and a lead-out', () => {
    const b = drive();
    packet(b, [0x43, 0, 0, 0, 0, 0, 0, 0, 255]);
    assert.deepEqual(data(b), [0, 18, 1, 1, 0, 0x14, 1, 0, 0, 0, 0, 0, 0, 0x14, 0xaa, 0, 0, 0, 0, 5]);
  });
});
