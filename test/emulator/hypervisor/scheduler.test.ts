/** The scheduler on domains that are nothing but their habits: shares by weight, caps, sleep, and independence of the cuts. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { PERIOD, Scheduler, SLICE } from '../../../emulator/hypervisor/scheduler';
import type { Share } from '../../../emulator/hypervisor/scheduler';
import { NS_PER_INSTRUCTION } from '../../../emulator/util/time';

/** Runs so many instructions and then sleeps for so many; without: never sleeps. */
interface Habit extends Share {
  busy?: number;
  asleep?: number;
}
const share = (weight: number, cap = 0): Habit => ({ weight, cap });

class Play {
  readonly scheduler = new Scheduler();
  readonly had: number[];
  /** Host time at which each began a turn. */
  readonly begun: number[][];
  private readonly left: number[];

  constructor(private readonly habits: readonly Habit[]) {
    habits.forEach((habit, id) => this.scheduler.add(id, habit));
    this.had = habits.map(() => 0);
    this.begun = habits.map(() => []);
    this.left = habits.map(({ busy = Infinity }) => busy);
  }
  /** In pieces of at most `most` instructions, until that time. */
  until(time: number, most = SLICE): this {
    let before: object | undefined;
    while (this.scheduler.now < time) {
      const turn = this.scheduler.next();
      if (!turn) break;
      const { id } = turn;
      if (turn !== before) this.begun[id].push(this.scheduler.now);
      before = turn;
      const n = Math.min(turn.left, most, this.left[id]);
      this.had[id] += n;
      this.left[id] -= n;
      const { busy = Infinity, asleep = 0 } = this.habits[id];
      const sleeps = this.left[id] === 0;
      if (sleeps) this.left[id] = busy;
      this.scheduler.spend(n, sleeps ? asleep * NS_PER_INSTRUCTION : 0);
    }
    return this;
  }
}

describe('the scheduler', () => {
  const rows: [string, Habit[], number[]][] = [
    ['equal weights', [share(256), share(256), share(256)], [1 / 3, 1 / 3, 1 / 3]],
    ['2:1', [share(512), share(256)], [2 / 3, 1 / 3]],
    ['a thousandth is still served', [share(1000), share(1)], [1000 / 1001, 1 / 1001]],
    ['a cap below the share: the rest is the others\'', [share(256, 10), share(256), share(256)], [0.1, 0.45, 0.45]],
    ['a cap above the share changes nothing', [share(256, 80), share(256)], [0.5, 0.5]],
    ['a cap holds though nobody else wants the rest', [share(256, 25)], [0.25]],
    ['all capped: time passes', [share(100, 20), share(300, 30)], [0.2, 0.3]],
    ['one that mostly sleeps leaves its part', [{ ...share(256), busy: 1_000, asleep: 99_000 }, share(256)], [0.005, 0.99]],
    ['two sleepers and one that never does', [{ ...share(256), busy: 5_000, asleep: 400_000 }, { ...share(256), busy: 10_000, asleep: 90_000 }, share(256)], [0.01, 0.09, 0.9]],
  ]; // prettier-ignore
  for (const [name, habits, expected] of rows)
    it(name, () => {
      const total = 60 * PERIOD;
      const { had } = new Play(habits).until(total);
      had.forEach((n, id) =>
        assert.ok(Math.abs(n / total - expected[id]) < 0.02, `${id}: ${n / total}, not ${expected[id]}`),
      );
    });

  it('weights and caps are kept whatever they are, and nobody starves', () => {
    const habit = fc.record({ weight: fc.integer({ min: 1, max: 50 }), cap: fc.constantFrom(0, 0, 5, 30, 100) });
    fc.assert(
      fc.property(fc.array(habit, { minLength: 1, maxLength: 6 }), (habits) => {
        const periods = 30;
        const { had, begun, scheduler } = new Play(habits).until(periods * PERIOD);
        const weights = habits.reduce((sum, { weight }) => sum + weight, 0);
        habits.forEach(({ weight, cap }, id) => {
          const fair = (scheduler.now * weight) / weights;
          const most = cap === 0 ? Infinity : (Math.ceil(scheduler.now / PERIOD) * PERIOD * cap) / 100;
          assert.ok(had[id] <= most, `${id} has had ${had[id]}, more than its cap`);
          const least = Math.min(fair, cap === 0 ? Infinity : (scheduler.now * cap) / 100);
          assert.ok(had[id] >= least - SLICE * (habits.length + 1) - PERIOD / 10, `${id} has had ${had[id]} of ${least}`);
          const waits = begun[id].map((at, i) => at - (begun[id][i - 1] ?? 0));
          assert.ok(Math.max(...waits) <= PERIOD + ((weights / weight) * 2 + habits.length) * SLICE, `${id} waited`);
        });
      }),
      { numRuns: 60 },
    );
  }); // prettier-ignore

  it('what happens does not depend on where runs are cut', () => {
    const habit = fc.record({
      weight: fc.integer({ min: 1, max: 9 }),
      cap: fc.constantFrom(0, 7, 40),
      busy: fc.constantFrom(Infinity, 777, 30_000),
      asleep: fc.integer({ min: 1, max: 500_000 }),
    });
    fc.assert(
      fc.property(fc.array(habit, { minLength: 1, maxLength: 4 }), fc.integer({ min: 400, max: 90_000 }), (habits, most) => {
        const whole = new Play(habits).until(2 * PERIOD);
        const cut = new Play(habits).until(2 * PERIOD, most);
        whole.begun.forEach((begun, id) => {
          const both = Math.min(begun.length, cut.begun[id].length);
          assert.ok(both >= begun.length - 1);
          assert.deepEqual(cut.begun[id].slice(0, both), begun.slice(0, both));
        });
      }),
      { numRuns: 40 },
    );
  }); // prettier-ignore

  it('who was away has no credit for it', () => {
    const play = new Play([share(256), share(256)]);
    play.scheduler.pause(1, true);
    play.until(20 * PERIOD);
    play.scheduler.pause(1, false);
    play.until(22 * PERIOD);
    assert.ok(Math.abs(play.had[1] - PERIOD) <= SLICE, `${play.had[1]}`);
  });

  it('sleeps until it is woken, and says so', () => {
    const scheduler = new Scheduler();
    scheduler.add(7, share(256));
    assert.equal(scheduler.stateOf(7), 'runnable');
    assert.equal(scheduler.next()!.id, 7);
    assert.equal(scheduler.stateOf(7), 'running');
    scheduler.sleep(7);
    assert.equal(scheduler.stateOf(7), 'blocked');
    assert.equal(scheduler.next(), undefined);
    scheduler.wake(7);
    assert.equal(scheduler.next()!.id, 7);
    scheduler.pause(7, true);
    assert.deepEqual([scheduler.stateOf(7), scheduler.next()], ['paused', undefined]);
  });

  it('goes on from what it saved', () => {
    const habits = [share(3), { ...share(5, 30), busy: 40_000, asleep: 10_000 }];
    const play = new Play(habits).until(PERIOD);
    const saved = play.scheduler.save();
    const turns = (): number[][] => {
      const seen: number[][] = [];
      for (let i = 0; i < 50; i++) {
        const { id, left } = play.scheduler.next()!;
        seen.push([id, left, play.scheduler.now]);
        play.scheduler.spend(left, 0);
      }
      return seen;
    };
    const first = turns();
    play.scheduler.restore(saved);
    assert.deepEqual(turns(), first);
  });
});
