import assert from 'node:assert/strict';
import { Uart } from '../../../emulator/devices/uart';
import { TestClock, TestLine } from './support';

const REG = {
  DATA: 0x3f8,
  IER: 0x3f9,
  IIR: 0x3fa,
  LCR: 0x3fb,
  MCR: 0x3fc,
  LSR: 0x3fd,
  MSR: 0x3fe,
  SCR: 0x3ff,
} as const;
/** 115200 baud, 8N1: ten bits. */
const CHARACTER_NS = 86_806;

function bench() {
  const clock = new TestClock();
  const irq = new TestLine();
  const sent: number[] = [];
  const uart = new Uart('com1', 0x3f8, clock, irq, (byte) => sent.push(byte));
  uart.reset();
  const out = (port: number, byte: number): void => uart.writePort(port, 1, byte);
  const in_ = (port: number): number => uart.readPort(port);
  const speed = (): void => {
    out(REG.LCR, 0x83);
    out(REG.DATA, 1);
    out(REG.IER, 0);
    out(REG.LCR, 0x03);
  };
  const wait = (ns: number): void => {
    clock.ns += ns;
    uart.tick();
  };
  return { clock, irq, sent, uart, out, in_, speed, wait };
}

describe('uart', () => {
  it('reads back divisor, line, modem control and scratch', () => {
    const { out, in_ } = bench();
    out(REG.LCR, 0x80);
    out(REG.DATA, 0x34);
    out(REG.IER, 0x12);
    assert.deepEqual([in_(REG.DATA), in_(REG.IER)], [0x34, 0x12]);
    out(REG.LCR, 0x1b);
    out(REG.IER, 0xff);
    out(REG.SCR, 0xa5);
    out(REG.MCR, 0xff);
    assert.deepEqual([in_(REG.LCR), in_(REG.IER), in_(REG.SCR), in_(REG.MCR)], [0x1b, 0x0f, 0xa5, 0x1f]);
  });
  it('shows a 16550A: FIFO bits only while enabled', () => {
    const { out, in_ } = bench();
    assert.equal(in_(REG.IIR), 0x01);
    out(REG.IIR, 0x01);
    assert.equal(in_(REG.IIR), 0xc1);
  });
  it('sends at once, and interrupts when the transmitter is empty', () => {
    const { out, in_, irq, sent } = bench();
    out(REG.MCR, 0x08);
    out(REG.IER, 0x02);
    assert.equal(irq.level, true);
    assert.equal(in_(REG.IIR), 0x02);
    assert.equal(irq.level, false, 'reading IIR withdraws the cause');
    out(REG.DATA, 0x41);
    assert.deepEqual(sent, [0x41]);
    assert.equal(irq.rises, 2);
    out(REG.DATA, 0x42);
    assert.equal(irq.rises, 3, 'a new edge for each byte, even if IIR is not read');
    assert.equal(in_(REG.LSR), 0x60);
  });
  it('keeps the interrupt on the card until OUT2', () => {
    const { out, irq } = bench();
    out(REG.IER, 0x02);
    assert.equal(irq.level, false);
    out(REG.MCR, 0x08);
    assert.equal(irq.level, true);
  });
  it('receives one character a character time, and never overruns', () => {
    const { uart, in_, speed, wait, clock } = bench();
    speed();
    uart.type([1, 2, 3]);
    assert.equal(in_(REG.LSR) & 1, 1);
    wait(10 * CHARACTER_NS);
    assert.equal(in_(REG.DATA), 1);
    assert.equal(uart.deadline(), clock.ns, 'the next was waiting');
    wait(0);
    assert.equal(in_(REG.DATA), 2);
    assert.equal(in_(REG.LSR) & 3, 0, 'not yet, and nothing lost');
    assert.equal(uart.deadline(), clock.ns + CHARACTER_NS);
    wait(CHARACTER_NS);
    assert.equal(in_(REG.DATA), 3);
    assert.equal(uart.deadline(), Infinity);
  });
  it('interrupts at the trigger level, and below it after four idle characters', () => {
    const { uart, in_, out, speed, wait, irq } = bench();
    speed();
    out(REG.MCR, 0x08);
    out(REG.IIR, 0x41); // trigger 4
    out(REG.IER, 0x01);
    uart.type([1, 2, 3]);
    wait(2 * CHARACTER_NS);
    assert.equal(irq.level, false);
    wait(4 * CHARACTER_NS - 1);
    assert.equal(irq.level, false);
    wait(1);
    assert.equal(in_(REG.IIR), 0xcc);
    in_(REG.DATA);
    assert.equal(irq.level, false);
    uart.type([4, 5]);
    wait(CHARACTER_NS);
    assert.equal(in_(REG.IIR), 0xc4);
  });
  it('orders its causes: line status, data, transmitter, modem', () => {
    const { in_, out } = bench();
    out(REG.MCR, 0x10); // loopback: modem inputs change
    out(REG.IER, 0x0f);
    out(REG.DATA, 0x55);
    out(REG.DATA, 0x66); // overruns
    assert.equal(in_(REG.IIR), 0x06);
    assert.equal(in_(REG.LSR) & 0x03, 0x03);
    assert.equal(in_(REG.IIR), 0x04);
    assert.equal(in_(REG.DATA), 0x66);
    assert.equal(in_(REG.IIR), 0x02);
    assert.equal(in_(REG.IIR), 0x00);
    assert.equal(in_(REG.MSR) & 0x0f, 0x0b);
    assert.equal(in_(REG.IIR), 0x01);
  });
  it('loops modem control back to modem status', () => {
    const { in_, out, sent } = bench();
    assert.equal(in_(REG.MSR), 0xb0);
    for (const [mcr, msr] of [[0x11, 0x20], [0x12, 0x10], [0x14, 0x40], [0x18, 0x80], [0x1a, 0x90]] as const) {
      out(REG.MCR, mcr);
      assert.equal(in_(REG.MSR) & 0xf0, msr);
    }
    out(REG.DATA, 0x33);
    assert.equal(in_(REG.DATA), 0x33);
    assert.deepEqual(sent, []);
  }); // prettier-ignore
  it('empties the receiver FIFO on command', () => {
    const { uart, in_, out, speed, wait } = bench();
    speed();
    out(REG.IIR, 0x01);
    uart.type([1, 2]);
    wait(2 * CHARACTER_NS);
    out(REG.IIR, 0x03);
    assert.equal(in_(REG.LSR) & 1, 0);
  });
});
