/** What a BIOS meets besides the chips of any PC: shadow RAM, fw_cfg, the debug port. */
import assert from 'node:assert/strict';
import { DebugPort } from '../../../emulator/devices/debug-port';
import { FwCfg } from '../../../emulator/devices/fw-cfg';
import { PAM_OPEN, ShadowRam } from '../../../emulator/devices/shadow-ram';
import { SystemBus } from '../../../emulator/devices/system-bus';
import { TestMemory, nobody } from './support';

const ROM_BYTES = 0x4_0000;
const FOUR_GIB = 0x1_0000_0000;
/** Each byte of the ROM is the number of its 16 KiB. */
const rom = Uint8Array.from({ length: ROM_BYTES }, (_, i) => 0x80 + (i >> 14));

function bench(image: Uint8Array | undefined = rom) {
  const memory = new TestMemory(2 << 20);
  const reports: string[] = [];
  const shadow = new ShadowRam(memory, (what) => reports.push(what));
  shadow.plug(image);
  shadow.reset();
  const pam = (...registers: number[]): void => shadow.program(registers);
  return { memory, shadow, reports, pam };
}

describe('shadow RAM', () => {
  it('shows the end of the ROM after reset, at its two addresses', () => {
    const { memory, shadow } = bench();
    assert.deepEqual([0xc_0000, 0xd_ffff, 0xe_0000, 0xf_ffff].map((gpa) => memory.data[gpa]), [0xff, 0xff, 0x88, 0x8f]);
    assert.equal(memory.kinds.get(0xf_0000), 'rom');
    const bus = new SystemBus(nobody);
    bus.attach(shadow.window!);
    assert.deepEqual([bus.readMmio(FOUR_GIB - ROM_BYTES, 1), bus.readMmio(FOUR_GIB - 4, 4)], [0x80, 0x8f8f_8f8f]);
    assert.equal(memory.rom!.gpa, FOUR_GIB - ROM_BYTES);
  }); // prettier-ignore
  it('shows a small ROM at the end of 1 MiB only', () => {
    const { memory } = bench(rom.slice(0, 0x1_0000));
    assert.deepEqual([memory.data[0xe_ffff], memory.data[0xf_0000], memory.data[0xf_ffff]], [0xff, 0x80, 0x83]);
  });
  it('shows RAM, read-only RAM, and the ROM again', () => {
    const { memory, pam } = bench();
    pam(...PAM_OPEN);
    assert.deepEqual([memory.data[0xf_0000], memory.kinds.get(0xf_0000)], [0, 'ram']);
    memory.data[0xf_0000] = 1;
    memory.data[0xc_4000] = 2;
    pam(0x10, 0x13, 0x33, 0x33, 0x33, 0x33, 0x33);
    assert.deepEqual([memory.kinds.get(0xf_0000), memory.kinds.get(0xc_0000), memory.kinds.get(0xc_4000)], ['rom', 'ram', 'rom']);
    assert.deepEqual([memory.data[0xf_0000], memory.data[0xc_4000]], [1, 2]);
    pam(0x00, 0x03, 0x33, 0x33, 0x33, 0x33, 0x33);
    assert.deepEqual([memory.data[0xf_0000], memory.data[0xc_4000]], [0x8c, 0xff]);
    pam(...PAM_OPEN);
    assert.deepEqual([memory.data[0xf_0000], memory.data[0xc_4000]], [1, 2]);
  }); // prettier-ignore
  it('keeps what is underneath through save and restore', () => {
    const { memory, pam, shadow } = bench();
    pam(...PAM_OPEN);
    memory.data[0xe_0000] = 7;
    pam(0x30, 0x33, 0x33, 0x33, 0x33, 0x30, 0x33);
    const copy = bench();
    copy.memory.data.set(memory.data);
    copy.shadow.restore(structuredClone(shadow.save()));
    copy.pam(...PAM_OPEN);
    assert.equal(copy.memory.data[0xe_0000], 7);
  });
  it('says what it cannot do', () => {
    const { pam, reports } = bench();
    pam(0x20, 0, 0, 0, 0, 0, 0);
    assert.match(reports.join(), /gp:0xf0000 that can be written and not read/);
  });
});

describe('fw_cfg', () => {
  const make = () => {
    const memory = new TestMemory();
    const fw = new FwCfg(memory, new Map([[5, Uint8Array.of(3, 0)]]), {
      'etc/b': Uint8Array.of(1, 2, 3),
      'etc/a': Uint8Array.of(9),
    });
    const bus = new SystemBus(nobody);
    bus.attach(fw);
    const select = (key: number): void => bus.writePort(0x510, 2, key);
    const bytes = (count: number): number[] => Array.from({ length: count }, () => bus.readPort(0x511, 1));
    const dma = (control: number, length: number, gpa: number): number => {
      [control, length, 0, gpa].forEach((value, i) => memory.view.setUint32(0x100 + i * 4, value));
      bus.writePort(0x514, 4, 0);
      bus.writePort(0x518, 4, 0x0001_0000); // 100h, big-endian
      return memory.view.getUint32(0x100);
    };
    return { memory, bus, select, bytes, dma };
  };
  it('is known by its signature', () => {
    const { select, bytes, bus } = make();
    select(0);
    assert.equal(String.fromCharCode(...bytes(4)), 'QEMU');
    select(1);
    assert.deepEqual(bytes(6), [3, 0, 0, 0, 0, 0]);
    assert.deepEqual([bus.readPort(0x514, 4), bus.readPort(0x518, 4)], [0x554d_4551, 0x4746_4320]);
  });
  it('lists its files by name', () => {
    const { select, bytes } = make();
    select(0x19);
    const list = bytes(4 + 2 * 64);
    assert.deepEqual(list.slice(0, 12), [0, 0, 0, 2, 0, 0, 0, 1, 0, 0x20, 0, 0]);
    assert.equal(String.fromCharCode(...list.slice(12, 18)), 'etc/a\0');
    assert.deepEqual(list.slice(68, 76), [0, 0, 0, 3, 0, 0x21, 0, 0]);
    select(0x21);
    assert.deepEqual(bytes(4), [1, 2, 3, 0]);
    select(0x99);
    assert.deepEqual(bytes(2), [0, 0]);
  });
  it('reads and skips by DMA', () => {
    const { dma, memory } = make();
    assert.equal(dma(0x0021_000a, 2, 0x400), 0);
    assert.deepEqual([...memory.data.slice(0x400, 0x403)], [1, 2, 0]);
    assert.equal(dma(2, 1, 0x400), 0);
    assert.equal(memory.data[0x400], 3);
    assert.equal(dma(0x0021_000c, 1, 0), 0);
    assert.equal(dma(2, 1, 0x400), 0);
    assert.equal(memory.data[0x400], 2);
  });
  it('refuses to be written, and what lies outside RAM', () => {
    const { dma } = make();
    assert.equal(dma(0x0005_0018, 1, 0x400), 1);
    assert.equal(dma(0x0005_000a, 1, 0xf000_0000), 1);
  });
});

describe('debug port', () => {
  it('gives lines', () => {
    const lines: string[] = [];
    const port = new DebugPort((line) => lines.push(line));
    assert.equal(port.readPort(), 0xe9);
    for (const char of 'one\r\n\ntwo\n') port.writePort(0x402, 1, char.charCodeAt(0));
    for (let i = 0; i < 600; i++) port.writePort(0x402, 1, 0x78);
    assert.deepEqual(lines, ['one', '', 'two', 'x'.repeat(512)]);
  });
});
