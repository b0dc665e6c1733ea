/** IA-PC HPET specification 1.0a, chapter 2. */
import assert from 'node:assert/strict';
import { Hpet } from '../../../emulator/devices/hpet';
import { TestClock, TestLine } from './support';

const GPA = 0xfed0_0000;
const TICK = 10;
const REG = { id: 0, config: 0x10, status: 0x20, counter: 0xf0 };
const timer = (n: number) => ({ config: 0x100 + n * 0x20, comparator: 0x108 + n * 0x20 });
const BIT = { level: 2, enable: 4, periodic: 8, set: 0x40, narrow: 0x100 };
const route = (pin: number): number => pin << 9;

function bench() {
  const clock = new TestClock();
  const legacy = [new TestLine(), new TestLine()] as const;
  const pins = Array.from({ length: 24 }, () => new TestLine());
  const chip = new Hpet(GPA, clock, { legacy, route: (pin) => pins[pin]! });
  chip.reset();
  const write = (at: number, value: number): void => chip.writeMmio(GPA + at, 4, value);
  const read = (at: number): number => chip.readMmio(GPA + at, 4);
  /** As the board does: every deadline until `ns` is met. */
  const advance = (ns: number): void => {
    for (let next = chip.deadline(); next <= ns; next = chip.deadline()) {
      assert.ok(next >= clock.ns, 'deadlines lie ahead');
      clock.ns = next;
      chip.tick();
    }
    clock.ns = ns;
    chip.tick();
  };
  return { clock, legacy, pins, chip, write, read, advance };
}

describe('high-precision event timer', () => {
  it('says what it is: 100 MHz, 64 bits, three timers, legacy replacement', () => {
    const { read } = bench();
    assert.equal(read(REG.id), 0x8086_a201);
    assert.equal(read(REG.id + 4), 10_000_000);
    assert.equal(read(timer(0).config) & 0x30, 0x30, 'periodic and 64 bits wide');
    assert.equal(read(timer(0).config + 4), 0x00f0_0000);
  });
  it('counts while it is enabled, and can be set while it is not', () => {
    const { clock, write, read } = bench();
    clock.ns = 1000;
    assert.equal(read(REG.counter), 0);
    write(REG.counter, 5);
    write(REG.counter + 4, 1);
    write(REG.config, 1);
    clock.ns += 100 * TICK;
    assert.deepEqual([read(REG.counter), read(REG.counter + 4)], [105, 1]);
    write(REG.config, 0);
    clock.ns += 1000;
    assert.equal(read(REG.counter), 105);
  });
  it('once: an edge on the routed pin at the comparator, and no second one', () => {
    const { pins, write, advance, chip } = bench();
    write(timer(2).config, BIT.enable | route(21));
    write(timer(2).comparator, 50);
    write(timer(2).comparator + 4, 0);
    write(REG.config, 1);
    assert.equal(chip.deadline(), 50 * TICK);
    advance(49 * TICK);
    assert.equal(pins[21]!.rises, 0);
    advance(500 * TICK);
    assert.equal(pins[21]!.rises, 1);
    assert.equal(chip.deadline(), Infinity);
  });
  it('32 bits: matches again when the low half comes round', () => {
    const { pins, write, advance, chip } = bench();
    write(timer(0).config, BIT.enable | BIT.narrow | route(20));
    write(timer(0).comparator, 50);
    write(REG.config, 1);
    advance(60 * TICK);
    assert.equal(chip.deadline(), (50 + 2 ** 32) * TICK);
    assert.equal(pins[20]!.rises, 1);
  });
  it('periodic: the first at the comparator written with VAL_SET, then every period', () => {
    const { legacy, write, read, advance } = bench();
    write(timer(0).config, BIT.enable | BIT.periodic | BIT.set | BIT.narrow);
    write(timer(0).comparator, 100);
    write(timer(0).comparator, 30);
    write(REG.config, 3);
    for (const [ticks, rises] of [[99, 0], [100, 1], [129, 1], [130, 2], [160, 3], [1000, 31]] as const) {
      advance(ticks * TICK);
      assert.equal(legacy[0].rises, rises, `after ${ticks} ticks`);
    }
    assert.equal(read(timer(0).comparator), 1030);
  }); // prettier-ignore
  it('level: held until the status is cleared', () => {
    const { pins, write, read, advance } = bench();
    write(timer(1).config, BIT.enable | BIT.level | route(22));
    write(timer(1).comparator, 10);
    write(timer(1).comparator + 4, 0);
    write(REG.config, 1);
    advance(20 * TICK);
    assert.deepEqual([pins[22]!.level, read(REG.status)], [true, 2]);
    write(REG.status, 2);
    assert.deepEqual([pins[22]!.level, read(REG.status)], [false, 0]);
  });
  it('legacy replacement takes IRQ 0 and 8 from the 8254 and the clock, and gives them back', () => {
    const { legacy, chip, write } = bench();
    chip.fromPit.set(true);
    assert.equal(legacy[0].level, true);
    write(REG.config, 2);
    assert.equal(legacy[0].level, false);
    chip.fromRtc.set(true);
    assert.equal(legacy[1].level, false);
    write(REG.config, 0);
    assert.deepEqual([legacy[0].level, legacy[1].level], [true, true]);
  });
  it('a comparator that is not enabled matches silently', () => {
    const { chip, pins, write, advance } = bench();
    write(timer(0).config, route(20));
    write(timer(0).comparator, 10);
    write(REG.config, 1);
    advance(100 * TICK);
    assert.deepEqual([chip.deadline(), pins[20]!.rises], [Infinity, 0]);
  });
});
