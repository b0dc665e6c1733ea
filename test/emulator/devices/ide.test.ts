import assert from 'node:assert/strict';
import { MASTER, SECTORS, bench, text } from './ide-driver';
import type { Bench } from './ide-driver';
import type { TestMemory } from './support';

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
  const start = (b: Bench, toMemory: boolean): void => {
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
