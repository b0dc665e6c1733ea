import assert from 'node:assert/strict';
import { Rtc } from '../../../emulator/devices/rtc';
import { TestClock, TestLine } from './support';

const MIB = 0x10_0000;
const SECOND = 1_000_000_000;

function bench(start = '2024-02-28T23:59:58Z', low = 256 * MIB, high = 0) {
  const clock = new TestClock();
  const irq = new TestLine();
  const rtc = new Rtc({ startSeconds: Date.parse(start) / 1000, memoryBytes: { low, high }, cpus: 2 }, clock, irq);
  const set = (index: number, byte: number): void => {
    rtc.writePort(0x70, 1, index);
    rtc.writePort(0x71, 1, byte);
  };
  const get = (index: number): number => {
    rtc.writePort(0x70, 1, index);
    return rtc.readPort(0x71);
  };
  const time = (): string => [0x32, 9, 8, 7, 6, 4, 2, 0].map((i) => get(i).toString(16).padStart(2, '0')).join(' ');
  const wait = (ns: number): void => {
    clock.ns += ns;
    rtc.tick();
  };
  return { clock, irq, rtc, set, get, time, wait };
}

describe('rtc', () => {
  it('tells the start date plus guest time, through a leap day', () => {
    const { time, wait } = bench();
    assert.equal(time(), '20 24 02 28 04 23 59 58');
    wait(2 * SECOND);
    assert.equal(time(), '20 24 02 29 05 00 00 00');
    wait(86_400 * SECOND);
    assert.equal(time(), '20 24 03 01 06 00 00 00');
  });
  it('tells it in binary and in 12 hours', () => {
    const { set, get } = bench('2024-02-28T23:59:58Z');
    set(0x0b, 0x06);
    assert.deepEqual([get(4), get(2), get(0)], [23, 59, 58]);
    set(0x0b, 0x00);
    assert.equal(get(4), 0x91);
    for (const [at, hours] of [['00', 0x12], ['12', 0x92], ['13', 0x81], ['01', 0x01]] as const) {
      const b = bench(`2024-01-01T${at}:00:00Z`);
      b.set(0x0b, 0x00);
      assert.equal(b.get(4), hours);
    }
  }); // prettier-ignore
  it('is set while SET holds it', () => {
    const { set, time, wait } = bench();
    set(0x0b, 0x82);
    for (const [index, byte] of [[0x32, 0x19], [9, 0x99], [8, 0x12], [7, 0x31], [4, 0x23], [2, 0x59], [0, 0x59]] as const) set(index, byte);
    wait(5 * SECOND);
    assert.equal(time(), '19 99 12 31 04 23 59 59');
    set(0x0b, 0x02);
    wait(SECOND);
    assert.equal(time(), '20 00 01 01 07 00 00 00');
  }); // prettier-ignore
  it('is set on the fly, one register after the other', () => {
    const { set, time } = bench();
    set(4, 0x12);
    set(2, 0x34);
    assert.equal(time(), '20 24 02 28 04 12 34 58');
  });
  it('warns of the update', () => {
    const { get, wait, clock } = bench();
    assert.equal(get(0x0a) & 0x80, 0);
    clock.ns = SECOND - 2_228_001;
    assert.equal(get(0x0a) & 0x80, 0);
    wait(1);
    assert.equal(get(0x0a) & 0x80, 0x80);
    clock.ns = SECOND;
    assert.equal(get(0x0a) & 0x80, 0);
  });
  it('interrupts after each update, until register C is read', () => {
    const { rtc, set, get, irq, clock } = bench('2024-02-28T12:00:00Z');
    clock.ns = 300;
    set(0x0b, 0x12);
    for (let i = 1; i <= 3; i++) {
      assert.equal(rtc.deadline(), i * SECOND);
      clock.ns = rtc.deadline();
      rtc.tick();
      assert.equal(irq.level, true);
      assert.equal(rtc.deadline(), Infinity, 'one interrupt until it is acknowledged');
      assert.equal(get(0x0c) & 0xbf, 0x90);
      assert.equal(irq.level, false);
    }
  });
  it('interrupts periodically', () => {
    const { rtc, set, get, irq, clock } = bench();
    set(0x0a, 0x26); // 1024 Hz
    set(0x0b, 0x42);
    let times = 0;
    while (rtc.deadline() <= SECOND) {
      clock.ns = rtc.deadline();
      rtc.tick();
      times++;
      assert.equal(irq.level, true);
      assert.equal(get(0x0c) & 0xc0, 0xc0);
    }
    assert.equal(times, 1024);
  });
  it('rings the alarm, with wildcards', () => {
    const { rtc, set, get, irq, wait } = bench('2024-02-28T10:00:00Z');
    for (const [index, byte] of [[1, 0x05], [3, 0xff], [5, 0xff]] as const) set(index, byte);
    set(0x0b, 0x22);
    wait(4 * SECOND);
    assert.equal(irq.level, false);
    wait(SECOND);
    assert.equal(irq.level, true);
    assert.equal(get(0x0c) & 0xbf, 0xb0);
    wait(59 * SECOND);
    assert.equal(irq.level, false);
    wait(SECOND);
    assert.equal(irq.level, true);
    assert.ok(rtc.deadline() > 0);
  }); // prettier-ignore
  it('notes updates for those who poll register C', () => {
    const { get, wait } = bench();
    get(0x0c);
    wait(SECOND);
    assert.equal(get(0x0c) & 0x10, 0x10);
    assert.equal(get(0x0c), 0);
  });
  it('tells memory sizes where BIOSes leave them', () => {
    const { get } = bench(undefined, 3072 * MIB, 1024 * MIB);
    const word = (at: number): number => get(at) | (get(at + 1) << 8);
    assert.equal(word(0x15), 640);
    assert.equal(word(0x17), 0xffff);
    assert.equal(word(0x34) * 0x1_0000 + 16 * MIB, 3072 * MIB);
    assert.equal((word(0x5b) + get(0x5d) * 0x1_0000) * 0x1_0000, 1024 * MIB);
    assert.equal(get(0x5f), 1);
    let sum = 0;
    for (let at = 0x10; at <= 0x2d; at++) sum += get(at);
    assert.equal(sum, (get(0x2e) << 8) | get(0x2f));
  });
  it('keeps time and CMOS through reset, and the NMI mask not', () => {
    const { rtc, set, get, irq, wait } = bench();
    set(0x40, 0x77);
    set(0x0b, 0x12);
    rtc.writePort(0x70, 1, 0x8f);
    assert.equal(rtc.nmiMasked, true);
    wait(SECOND);
    rtc.reset();
    assert.deepEqual([rtc.nmiMasked, irq.level, get(0x40), get(0x0b)], [false, false, 0x77, 0x02]);
  });
});
