import assert from 'node:assert/strict';
import { CP437 } from '../../../emulator/devices/code-page';
import { Vga } from '../../../emulator/devices/vga';
import { TestClock } from './support';

function bench() {
  const clock = new TestClock();
  const reports: string[] = [];
  const vga = new Vga(clock, (what) => reports.push(what));
  const out = (port: number, byte: number): void => vga.writePort(port, 1, byte);
  return { clock, vga, reports, out };
}

describe('vga', () => {
  it('shows what is written to the text buffer', () => {
    const { vga } = bench();
    'Hi ░'.split('').forEach((c, i) => vga.writeMmio(0xb_8000 + 160 + i * 2, 2, 0x4e00 | CP437.indexOf(c)));
    const screen = vga.screen();
    assert.deepEqual([screen.columns, screen.rows], [80, 25]);
    assert.equal(screen.text[1]!.trimEnd(), 'Hi ░');
    assert.equal(screen.attributes[81], 0x4e);
    assert.equal(vga.readMmio(0xb_8000 + 160, 4), 0x4e69_4e48);
  });
  it('starts the screen where the CRTC says', () => {
    const { vga, out } = bench();
    vga.writeMmio(0xb_8000 + 160, 1, 0x41);
    out(0x3d4, 0x0d);
    out(0x3d5, 80);
    out(0x3d4, 0x0f);
    out(0x3d5, 82);
    assert.equal(vga.screen().text[0]![0], 'A');
    assert.deepEqual(vga.cursor, { row: 0, column: 2 });
  });
  it('shows 50 rows with 8-line characters', () => {
    const { vga, out } = bench();
    out(0x3d4, 9);
    out(0x3d5, 0x47);
    assert.equal(vga.screen().rows, 50);
  });
  it('reads registers back', () => {
    const { vga, out } = bench();
    for (const [index, data, register, value] of [[0x3d4, 0x3d5, 0x0a, 0x2d], [0x3c4, 0x3c5, 2, 0x0f], [0x3ce, 0x3cf, 5, 0x40]] as const) {
      out(index, register);
      out(data, value);
      assert.equal(vga.readPort(data), value);
      assert.equal(vga.readPort(index), register);
    }
    vga.readPort(0x3da);
    out(0x3c0, 0x11);
    out(0x3c0, 0x3f);
    assert.equal(vga.readPort(0x3c1), 0x3f);
    vga.readPort(0x3da);
    out(0x3c0, 0x01);
    assert.equal(vga.readPort(0x3c1), 0x01, 'the flip-flop was reset');
    out(0x3c2, 0x66);
    assert.equal(vga.readPort(0x3cc), 0x66);
    assert.equal(vga.readPort(0x3d4), 0xff, 'monochrome: the CRTC is at 3B4h');
    assert.equal(vga.readPort(0x3b4), 0x0a);
  }); // prettier-ignore
  it('protects the timing registers', () => {
    const { vga, out } = bench();
    out(0x3d4, 0);
    out(0x3d5, 0x12);
    assert.equal(vga.readPort(0x3d5), 0x5f);
    out(0x3d4, 0x11);
    out(0x3d5, 0x0e);
    out(0x3d4, 0);
    out(0x3d5, 0x12);
    assert.equal(vga.readPort(0x3d5), 0x12);
  });
  it('steps through the palette', () => {
    const { vga, out } = bench();
    out(0x3c8, 5);
    for (const part of [1, 2, 3, 4, 5, 6]) out(0x3c9, part);
    out(0x3c7, 5);
    assert.deepEqual([1, 2, 3, 4, 5, 6].map(() => vga.readPort(0x3c9)), [1, 2, 3, 4, 5, 6]);
  }); // prettier-ignore
  it('retraces 70 times a second', () => {
    const { vga, clock } = bench();
    let starts = 0;
    let before = 0;
    for (clock.ns = 0; clock.ns < 1_000_000_000; clock.ns += 100_000) {
      const now = vga.readPort(0x3da) & 8;
      if (now && !before) starts++;
      before = now;
    }
    assert.equal(starts, 70);
  });
  it('says that it lacks graphics memory', () => {
    const { vga, reports } = bench();
    assert.equal(vga.readMmio(0xa_0000, 2), 0xffff);
    vga.writePort(0x3ce, 1, 6);
    vga.writePort(0x3cf, 1, 5);
    vga.writeMmio(0xa_0000, 1, 1);
    assert.deepEqual(reports, ['VGA memory outside the mapped text window', 'VGA graphics memory']);
  });
});
