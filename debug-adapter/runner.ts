/**
 * Runs the machine in slices, so that requests are answered between them: `pause` within 50 ms whatever the guest does.
 * What to run is an Activity: a generator that asks for steps and runs and sees each stop. Works in Node and in workers.
 */
import type { Machine, Stop } from '../emulator/machine/api';

/** What a runner runs: a machine, or several by turns. */
export type Runnable = Pick<Machine, 'instructions' | 'run' | 'step' | 'requestStop'>;

/**
 * `run`: until something stops; the runner slices it. `step`: one instruction of one processor, which may have to wait for
 * its turn. `deliver`: the event at which the machine stopped, and no instruction.
 */
export type Need = { kind: 'run' } | { kind: 'step'; cpu: number } | { kind: 'deliver' };

/** Returns why everything stopped. A `requested` stop is given to nobody: it ends the activity. */
export type Activity = Generator<Need, Stop, Stop>;

/** How long requests may wait in the ordinary case. */
const SLICE_MS = 8;
/**
 * A slice consists of chunks, after each of which the clock is asked. Guests are a hundred times slower while they talk to
 * devices than in a loop, so a chunk is small even when the last one was fast (which was measured to cost nothing): 50 ms hold at 100,000 instructions
 * a second.
 */
const CHUNK_MS = 1;
const MIN_CHUNK = 500;
const MAX_CHUNK = 5_000;
/** Steps or hook calls between two looks at the clock. */
const CLOCK_INTERVAL = 32;

/** Lets the event loop handle what has arrived: timers of 0 ms would be clamped to 4 ms in browsers. */
const turn: () => Promise<void> =
  typeof setImmediate === 'function'
    ? () => new Promise((resolve) => setImmediate(resolve))
    : () =>
        new Promise((resolve) => {
          const channel = new MessageChannel();
          channel.port1.onmessage = () => {
            channel.port1.close();
            resolve();
          };
          channel.port2.postMessage(undefined);
        });

export interface RunnerEvents {
  /** Does the work once the request that asked for it has been answered. */
  afterAnswer(work: () => void): void;
  /** After each slice: flush what has been gathered. */
  sliced(): void;
  /** Before each slice and at the end: what must be done before the next instruction, if there is anything. */
  between?(): Promise<void> | undefined;
  /** The activity ended. */
  stopped(stop: Stop): void;
  /** The machine threw: our own bug, or a user's condition that cannot be evaluated. */
  failed(error: unknown): void;
}

export class Runner {
  /** Instructions that a chunk may retire; follows the measured speed. */
  private chunk = 2_000;
  private activity: Activity | undefined;
  private pausing = false;
  private deadline = 0;
  private hooks = 0;
  private attention = false;
  private wakeUp: (() => void) | undefined;
  /** Instruction count at which to stop; 0: none. */
  limit = 0;
  /** Whole stop: the instruction limit was reached, not a slice. */
  limitReached = false;

  constructor(
    private readonly machine: Runnable,
    private readonly events: RunnerEvents,
  ) {}

  get running(): boolean {
    return this.activity !== undefined;
  }

  start(activity: Activity): void {
    this.activity = activity;
    this.pausing = false;
    this.limitReached = false;
    this.events.afterAnswer(() => void this.loop(activity));
  }

  /** Ends the activity at the next instruction boundary; `stopped` follows with kind `requested`. */
  pause(): void {
    this.pausing = true;
    this.wake();
  }

  /** Forgets the activity without a report: the session ends or restarts. */
  abandon(): void {
    this.activity = undefined;
    this.wake();
  }

  /** Input from outside has arrived: an idle machine has something to do. */
  wake(): void {
    this.wakeUp?.();
    this.wakeUp = undefined;
  }

  /** To be called by hooks that run inside a slice (conditions, log points): ends the slice when its time is over. */
  checkTime(): void {
    if (++this.hooks % CLOCK_INTERVAL === 0 && performance.now() > this.deadline) this.machine.requestStop();
  }

  /** To be called by hooks: the machine stands after this instruction, until `between` has been done. */
  attend(): void {
    this.attention = true;
    this.machine.requestStop();
  }

  private async loop(activity: Activity): Promise<void> {
    try {
      let next = activity.next();
      // What has been answered leaves before the machine takes its time. A single step takes none.
      if (!next.done && next.value.kind === 'run') await turn();
      while (this.activity === activity && !next.done) {
        const work = this.events.between?.();
        if (work !== undefined) await work;
        if (this.pausing) return this.finish(activity, { kind: 'requested' });
        this.deadline = performance.now() + SLICE_MS;
        const need = next.value;
        const stop = need.kind === 'run' ? this.runSlice() : undefined;
        if (need.kind !== 'run') next = this.stepSlice(activity, need);
        else if (stop?.kind === 'idle') await this.idle();
        else if (stop !== undefined) next = activity.next(stop);
        this.events.sliced();
        this.attention = false;
        if (!next.done) await turn();
      }
      if (!next.done) return;
      const work = this.events.between?.();
      if (work !== undefined) await work;
      this.finish(activity, next.value);
    } catch (error) {
      if (this.activity === activity) {
        this.activity = undefined;
        this.events.failed(error);
      }
    }
  }

  /** Undefined: the slice is over, the run is not. */
  private runSlice(): Stop | undefined {
    for (let now = performance.now(); now < this.deadline;) {
      const left = this.limit > 0 ? this.limit - this.machine.instructions : Infinity;
      if (left <= 0) {
        this.limitReached = true;
        return { kind: 'limit' };
      }
      const stop = this.machine.run(Math.min(this.chunk, left));
      const elapsed = -now + (now = performance.now());
      if (stop.kind === 'requested') return this.pausing ? stop : undefined;
      if (stop.kind !== 'limit') return stop;
      const factor = Math.min(2, Math.max(0.05, CHUNK_MS / Math.max(elapsed, 0.01)));
      this.chunk = Math.round(Math.min(MAX_CHUNK, Math.max(MIN_CHUNK, this.chunk * factor)));
    }
    return undefined;
  }

  /** Steps as long as the activity wants steps and the slice lasts. */
  private stepSlice(activity: Activity, first: Need): IteratorResult<Need, Stop> {
    let next: IteratorResult<Need, Stop> = { done: false, value: first };
    for (let steps = 1; !next.done && next.value.kind !== 'run'; steps++) {
      const need: Need = next.value;
      const stop = this.stepOnce(need);
      if (stop === undefined) break;
      next = activity.next(stop);
      if (this.pausing || this.attention || (steps % CLOCK_INTERVAL === 0 && performance.now() > this.deadline)) break;
    }
    return next;
  }

  /** Undefined: the time is over, and the processor has not had its turn. */
  private stepOnce(need: Need): Stop | undefined {
    do {
      const stop = need.kind === 'step' ? this.machine.step(need.cpu) : this.machine.run(0);
      // Left over from a hook of an earlier slice, or another processor's turn: nothing was executed for it.
      if (stop.kind !== 'requested') return stop;
    } while (performance.now() < this.deadline);
    return undefined;
  }

  private idle(): Promise<void> {
    return new Promise((resolve) => {
      this.wakeUp = resolve;
    });
  }

  private finish(activity: Activity, stop: Stop): void {
    if (this.activity !== activity) return;
    this.activity = undefined;
    this.pausing = false;
    this.events.sliced();
    this.events.stopped(stop);
  }
}
