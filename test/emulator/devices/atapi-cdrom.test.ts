import assert from 'node:assert/strict';
import { MASTER, bench, text } from './ide-driver';
import type { Bench } from './ide-driver';

describe('CD-ROM', () => {
  const packet = (b: Bench, bytes: number[], limit = 0xfffe, feature = 0): number => {
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
  const data = (b: Bench): number[] => {
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
  const drive = (): Bench => {
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
