import assert from 'node:assert/strict';
import fc from 'fast-check';
import { nsOfTick } from '../../../emulator/devices/clock';
import { PIT_HZ, Pit } from '../../../emulator/devices/pit';
import { TestClock, TestLine } from './support';

const at = (clock: TestClock, tick: number): void => {
  clock.ns = nsOfTick(tick, PIT_HZ);
};

function bench() {
  const clock = new TestClock();
  const irq0 = new TestLine();
  const pit = new Pit(clock, irq0);
  pit.reset();
  const out = (port: number, ...bytes: number[]): void => bytes.forEach((b) => pit.writePort(port, 1, b));
  const in_ = (port: number): number => pit.readPort(port);
  /** OUT of counter 2 and its count, through port 61h and the latch command. */
  const look = (): { out: number; count: number } => {
    out(0x43, 0x80);
    const count = in_(0x42) | (in_(0x42) << 8);
    return { out: (in_(0x61) >> 5) & 1, count };
  };
  return { clock, irq0, pit, out, in_, look };
}

/** Waveforms of the data sheet: OUT and count of counter 2 at ticks after the count was written (at tick 100). */
const WAVES: readonly { name: string; mode: number; count: number; out: string; counts: (number | undefined)[] }[] = [
  // The count is loaded by the clock after the write: tick 1.
  { name: 'mode 0', mode: 0, count: 4, out: '0000011', counts: [undefined, 4, 3, 2, 1, 0, 0xffff] },
  { name: 'mode 2', mode: 2, count: 3, out: '1110110110', counts: [undefined, 3, 2, 1, 3, 2, 1, 3, 2, 1] },
  { name: 'mode 3, even', mode: 3, count: 4, out: '1110011001', counts: [undefined, 4, 2, 4, 2, 4, 2, 4, 2, 4] },
  { name: 'mode 3, odd', mode: 3, count: 5, out: '11110011100', counts: [undefined, 4, 2, 0, 4, 2, 4, 2, 0, 4, 2] },
  { name: 'mode 4', mode: 4, count: 3, out: '11110111', counts: [undefined, 3, 2, 1, 0, 0xffff, 0xfffe, 0xfffd] },
];

describe('pit', () => {
  for (const wave of WAVES) {
    it(`counts as the data sheet draws it: ${wave.name}`, () => {
      const { clock, out, look } = bench();
      at(clock, 100);
      out(0x61, 1);
      out(0x43, 0xb0 | (wave.mode << 1));
      out(0x42, wave.count & 0xff, wave.count >> 8);
      let levels = '';
      wave.counts.forEach((expected, i) => {
        at(clock, 100 + i);
        const { out: level, count } = look();
        levels += level;
        if (expected !== undefined) assert.equal(count, expected, `count at tick ${i}`);
      });
      assert.equal(levels, wave.out);
    });
  }

  it('starts modes 1 and 5 at the rising gate, and again at each', () => {
    for (const [mode, wave] of [[1, '10001'], [5, '11101']] as const) {
      const { clock, out, look } = bench();
      out(0x61, 0);
      out(0x43, 0xb0 | (mode << 1));
      out(0x42, mode === 1 ? 3 : 2, 0);
      at(clock, 50);
      assert.equal(look().out, 1, 'waits for the gate');
      for (const trigger of [100, 200]) {
        at(clock, trigger);
        out(0x61, 1);
        let levels = '';
        for (let i = 0; i < 5; i++) {
          at(clock, trigger + i);
          levels += look().out;
        }
        assert.equal(levels, wave);
        out(0x61, 0);
      }
    }
  }); // prettier-ignore

  it('holds mode 0 while the gate is low', () => {
    const { clock, out, look } = bench();
    out(0x61, 1);
    out(0x43, 0xb0);
    out(0x42, 100, 0);
    at(clock, 11);
    out(0x61, 0);
    at(clock, 500);
    assert.deepEqual(look(), { out: 0, count: 90 });
    out(0x61, 1);
    at(clock, 589);
    assert.equal(look().out, 0);
    at(clock, 590);
    assert.equal(look().out, 1);
  });

  it('finishes the period before it takes a new count', () => {
    const { clock, out, look } = bench();
    out(0x61, 1);
    out(0x43, 0xb4);
    out(0x42, 10, 0); // periods begin at ticks 1, 11, ...
    at(clock, 5);
    out(0x42, 3, 0);
    at(clock, 10);
    assert.deepEqual(look(), { out: 0, count: 1 });
    at(clock, 11);
    assert.deepEqual(look(), { out: 1, count: 3 });
    at(clock, 13);
    assert.equal(look().out, 0);
  });

  it('counts and reads in BCD', () => {
    const { clock, out, look } = bench();
    out(0x61, 1);
    out(0x43, 0xb1);
    out(0x42, 0x00, 0x10);
    at(clock, 2);
    assert.equal(look().count, 0x0999);
  });

  it('latches count and status until they are read (read-back)', () => {
    const { clock, out, in_ } = bench();
    out(0x43, 0x34);
    out(0x40, 0x00, 0x10);
    out(0x43, 0xc2); // count and status of counter 0
    assert.equal(in_(0x40), 0xf4, 'null count: the clock has not come yet');
    in_(0x40);
    in_(0x40);
    at(clock, 17);
    out(0x43, 0xc2);
    at(clock, 900);
    out(0x43, 0xc2); // ignored: both are latched
    assert.equal(in_(0x40), 0xb4);
    assert.equal(in_(0x40) | (in_(0x40) << 8), 0x1000 - 16);
    assert.equal(in_(0x40) | (in_(0x40) << 8), 0x1000 - 899, 'unlatched now');
  });

  it('raises IRQ0 once a period, at its deadline', () => {
    const { clock, irq0, pit, out } = bench();
    out(0x43, 0x34);
    out(0x40, 0xa9, 0x04); // 1193: about 1 kHz
    irq0.rises = 0;
    for (let i = 1; i <= 1000; i++) {
      const next = pit.deadline();
      assert.equal(next, nsOfTick(1 + i * 1193, PIT_HZ));
      clock.ns = next - 1;
      pit.tick();
      assert.equal(irq0.rises, i - 1);
      clock.ns = next;
      pit.tick();
      assert.equal(irq0.rises, i);
    }
  });

  it('tells one edge when it is asked late', () => {
    const { clock, irq0, pit, out } = bench();
    out(0x43, 0x36);
    out(0x40, 0, 0);
    irq0.rises = 0;
    clock.ns = 10_000_000_000;
    pit.tick();
    assert.equal(irq0.rises, 1);
    assert.ok(pit.deadline() > clock.ns);
  });

  it('raises IRQ0 once in mode 0, which Linux uses for one-shot ticks', () => {
    const { clock, irq0, pit, out } = bench();
    out(0x43, 0x30);
    assert.equal(irq0.level, false);
    out(0x40, 0x10, 0);
    assert.equal(pit.deadline(), nsOfTick(17, PIT_HZ));
    clock.ns = pit.deadline();
    pit.tick();
    assert.equal(irq0.level, true);
    assert.equal(pit.deadline(), Infinity);
  });

  it('never loses or invents a rising edge, however often it is asked', () => {
    fc.assert(
      fc.property(fc.constantFrom(2, 3), fc.integer({ min: 2, max: 300 }), fc.array(fc.integer({ min: 1, max: 400 }), { maxLength: 40 }), (mode, count, steps) => {
        const { clock, irq0, pit, out } = bench();
        out(0x43, 0x30 | (mode << 1));
        out(0x40, count & 0xff, count >> 8);
        irq0.rises = 0;
        let tick = 0;
        let expected = 0;
        for (const step of steps) {
          // Rising edges come at ticks 1 + n * count; those between two looks collapse into one.
          if (Math.floor((tick + step - 1) / count) > Math.floor(Math.max(0, tick - 1) / count)) expected++;
          tick += step;
          at(clock, tick);
          pit.tick();
        }
        assert.equal(irq0.rises - expected, 0);
      }),
    ); // prettier-ignore
  });

  it('toggles refresh in port 61h', () => {
    const { clock, in_ } = bench();
    const seen = new Set<number>();
    for (let i = 0; i < 4; i++) {
      clock.ns = i * 15_085;
      seen.add(in_(0x61) & 0x10);
    }
    assert.equal(seen.size, 2);
  });
});
