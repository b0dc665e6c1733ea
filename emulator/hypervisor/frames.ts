/**
 * Host-physical memory, given out under reservations: what was reserved is there when it is asked for, and nobody gets more.
 * A reservation consists of runs of 2 MiB of its own, so that second-stage tables can use large pages, and so that no
 * pattern of giving and taking can leave the host with frames that fit nobody. Guests' RAM comes from the top down, so that a
 * guest-physical address is not where it seems; a hypervisor's own tables come from the bottom.
 */
import { PAGE_BYTES } from '../mmu/physical-memory';
import type { PhysicalMemory } from '../mmu/physical-memory';
import { assert, UserError } from '../util/assert';

/** Frames of a large page. */
export const RUN_FRAMES = 512;
const MIB_FRAMES = 256;

/** Whole runs that hold so many frames. */
export const runsOf = (frames: number): number => Math.ceil(frames / RUN_FRAMES);

export class FrameAllocator {
  /** First frames of the runs that nobody has, ascending. */
  private readonly free: number[];

  constructor(readonly host: PhysicalMemory) {
    this.free = Array.from({ length: Math.floor(host.size / PAGE_BYTES / RUN_FRAMES) }, (_, run) => run * RUN_FRAMES);
  }

  /** Frames that there are. */
  get total(): number {
    return Math.floor(this.host.size / PAGE_BYTES / RUN_FRAMES) * RUN_FRAMES;
  }
  /** Frames that can still be reserved. */
  get unreserved(): number {
    return this.free.length * RUN_FRAMES;
  }

  /** Whole runs, though the owner may take no more than it asked for. `owner`: for messages. UserError: the host has no such memory left. */
  reserve(owner: string, frames: number, from: 'top' | 'bottom' = 'bottom'): Reservation {
    const runs = runsOf(frames);
    if (runs > this.free.length)
      throw new UserError(
        `${owner} asks for ${frames / MIB_FRAMES} MiB of host memory, of which ${this.unreserved / MIB_FRAMES} MiB are not reserved; give it less memory.`,
      );
    const taken = from === 'top' ? this.free.splice(-runs, runs).reverse() : this.free.splice(0, runs);
    return new Reservation(this.host, owner, frames, taken, () => this.takeBack(taken));
  }
  private takeBack(runs: readonly number[]): void {
    this.free.push(...runs);
    this.free.sort((a, b) => a - b);
  }
}

/** What one owner may have, and has. */
export class Reservation {
  /** By place in the reservation: whether the frame has been taken. */
  private readonly taken: Uint8Array;
  /** Places below have been taken once. */
  private fresh = 0;
  /** Given back; the last one is given first. */
  private readonly returned: number[] = [];
  private count = 0;
  private dissolved = false;

  constructor(
    private readonly host: PhysicalMemory,
    readonly owner: string,
    /** The most that it may have. */
    readonly frames: number,
    /** First frames. */
    private readonly runs: readonly number[],
    private readonly release: () => void,
  ) {
    this.taken = new Uint8Array(runs.length * RUN_FRAMES);
  }

  /** Frames that it has. */
  get used(): number {
    return this.count;
  }
  /** A frame, filled with zeros; undefined: the reservation is used up. New ones are consecutive within a run. */
  take(): number | undefined {
    if (this.dissolved || this.count >= this.frames) return undefined;
    const place = this.returned.pop() ?? this.fresh++;
    this.taken[place] = 1;
    this.count++;
    const frame = this.frameAt(place);
    const at = this.host.base + frame * PAGE_BYTES;
    this.host.data.fill(0, at, at + PAGE_BYTES);
    return frame;
  }
  holds(frame: number): boolean {
    const run = this.runs.indexOf(frame - (frame % RUN_FRAMES));
    return run >= 0 && this.taken[run * RUN_FRAMES + (frame % RUN_FRAMES)] === 1;
  }
  give(frame: number): void {
    const run = this.runs.indexOf(frame - (frame % RUN_FRAMES));
    const place = run * RUN_FRAMES + (frame % RUN_FRAMES);
    assert(run >= 0 && this.taken[place], `${this.owner} gives back frame ${frame}, which it does not have`);
    this.taken[place] = 0;
    this.count--;
    this.returned.push(place);
  }
  /** So many frames in whole runs, the last perhaps not used to its end. Not cleared. */
  takeRuns(frames: number): Int32Array {
    const first = runsOf(this.fresh) * RUN_FRAMES;
    assert(!this.dissolved && this.count + frames <= this.frames, `${this.owner} has used up its reservation`);
    assert(first + frames <= this.taken.length, `${this.owner} has no whole runs left`);
    this.taken.fill(1, first, first + frames);
    this.fresh = first + frames;
    this.count += frames;
    return Int32Array.from({ length: frames }, (_, i) => this.frameAt(first + i));
  }
  private frameAt(place: number): number {
    return this.runs[Math.floor(place / RUN_FRAMES)] + (place % RUN_FRAMES);
  }
  /** Every frame that the reservation could have given. */
  *all(): Generator<number> {
    for (const first of this.runs) for (let i = 0; i < RUN_FRAMES; i++) yield first + i;
  }
  /** Everything goes back to the host. */
  dissolve(): void {
    if (this.dissolved) return;
    this.dissolved = true;
    this.count = 0;
    this.release();
  }
}
