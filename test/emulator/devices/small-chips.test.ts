import assert from 'node:assert/strict';
import { DebugExit } from '../../../emulator/devices/debug-exit';
import { Dma } from '../../../emulator/devices/dma';
import { Port92 } from '../../../emulator/devices/port92';
import { nobody } from './support';

describe('port 92h', () => {
  it('opens A20 and pulses reset on the rising bit', () => {
    const events: string[] = [];
    const chip = new Port92((level) => events.push(`a20 ${level}`), () => events.push('reset')); // prettier-ignore
    for (const byte of [2, 3, 3, 0]) chip.writePort(0x92, 1, byte);
    assert.deepEqual(events, ['a20 true', 'a20 true', 'reset', 'a20 true', 'a20 false']);
    assert.equal(chip.readPort(), 0);
  });
});

describe('dma registers', () => {
  it('read back through the flip-flop', () => {
    const dma = new Dma(nobody);
    dma.writePort(0xd8, 1, 0);
    for (const [port, byte] of [[0x0c, 0], [0x04, 0x34], [0x04, 0x12], [0xc6, 0x78], [0xc6, 0x56], [0x81, 0x0a]] as const) dma.writePort(port, 1, byte);
    assert.deepEqual([dma.readPort(4), dma.readPort(4), dma.readPort(0xc6), dma.readPort(0xc6), dma.readPort(0x81)], [0x34, 0x12, 0x78, 0x56, 0x0a]);
    assert.equal(dma.readPort(8), 0);
  }); // prettier-ignore
  it('mask and unmask channels', () => {
    const dma = new Dma(nobody);
    dma.writePort(0x0a, 1, 2);
    assert.equal(dma.readPort(0x0f), 0xfb);
    dma.writePort(0x0d, 1, 0);
    assert.equal(dma.readPort(0x0f), 0xff);
  });
  it('say that there is no DMA', () => {
    const said: string[] = [];
    new Dma((what) => said.push(what)).writePort(9, 1, 5);
    assert.deepEqual(said, ['8237: software DMA request']);
  });
});

describe('debug exit', () => {
  it('codes the status as QEMU does, and writes characters', () => {
    const events: unknown[] = [];
    const chip = new DebugExit((code) => events.push(code), (byte) => events.push(String.fromCharCode(byte))); // prettier-ignore
    chip.writePort(0xe9, 1, 0x41);
    chip.writePort(0xf4, 4, 0x10);
    chip.writePort(0xf4, 1, 0);
    assert.deepEqual(events, ['A', 33, 1]);
    assert.equal(chip.readPort(0xe9), 0xe9);
  });
});
