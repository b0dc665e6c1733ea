import assert from 'node:assert/strict';
import fc from 'fast-check';
import { nsOfTick, ticksAt } from '../../../emulator/devices/clock';

describe('clock', () => {
  const hz = fc.constantFrom(1_193_182, 3_579_545, 32_768, 100_000_000, 1_000_000_000);
  it('counts ticks exactly, as integers of any size would', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e14 }), hz, (ns, f) => {
        assert.equal(ticksAt(ns, f), Number((BigInt(ns) * BigInt(f)) / 1_000_000_000n));
      }),
    );
  });
  it('names the first nanosecond of a tick', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e10 }), hz, (tick, f) => {
        const ns = nsOfTick(tick, f);
        assert.equal(ticksAt(ns, f), tick);
        assert.equal(ticksAt(ns - 1, f), tick - 1);
      }),
    );
  });
  it('refuses an oscillator that it could not count exactly', () => {
    assert.throws(() => ticksAt(1, 14_318_180), /14318180 Hz/);
  });
});
