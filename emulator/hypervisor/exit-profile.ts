/** Exits by place and over time, counted while somebody wants it. Bounded: what is new beyond the bounds is put together. */
import type { VmExit, VmExitReason } from './exit';

const MOST_PLACES = 50_000;
const BUCKETS = 512;

export type Counts = Map<VmExitReason, number>;
const count = (counts: Counts, reason: VmExitReason, times = 1): void =>
  void counts.set(reason, (counts.get(reason) ?? 0) + times);

/** Counts by equal stretches of time, which double when there are too many. */
export class Timeline {
  /** In instructions. */
  width = 1024;
  readonly buckets: Counts[] = [];

  /** `from`: instruction count at which it begins. */
  constructor(readonly from: number) {}

  note(at: number, reason: VmExitReason): void {
    let index = Math.floor((at - this.from) / this.width);
    while (index >= BUCKETS) {
      this.halve();
      index = Math.floor((at - this.from) / this.width);
    }
    count((this.buckets[index] ??= new Map()), reason);
  }
  private halve(): void {
    this.width *= 2;
    for (let i = 0; i < BUCKETS; i += 2) {
      const joined: Counts = new Map(this.buckets[i]);
      for (const [reason, times] of this.buckets[i + 1] ?? []) count(joined, reason, times);
      this.buckets[i / 2] = joined;
    }
    this.buckets.length = Math.min(this.buckets.length, BUCKETS / 2);
  }
}

export class ExitProfile {
  readonly places = new Map<bigint, Counts>();
  /** Exits at places that found no room. */
  readonly elsewhere: Counts = new Map();
  readonly time: Timeline;

  /** `first`: number of the first exit that is counted. */
  constructor(
    at: number,
    public first: number,
  ) {
    this.time = new Timeline(at);
  }
  note({ gva, reason, at }: VmExit): void {
    let counts = this.places.get(gva);
    if (!counts) {
      counts = this.places.size < MOST_PLACES ? new Map() : this.elsewhere;
      if (counts !== this.elsewhere) this.places.set(gva, counts);
    }
    count(counts, reason);
    // Another past may lie before the beginning.
    if (at >= this.time.from) this.time.note(at, reason);
  }
}
