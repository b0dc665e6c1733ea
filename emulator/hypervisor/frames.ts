/**
 * Host-physical memory, given out a frame at a time under reservations: what was reserved is there when it is asked for,
 * and nobody gets more. Guests' RAM comes in runs of 2 MiB from the top down, so that a guest-physical address is not
 * where it seems and second-stage tables can still use large pages; a hypervisor's own tables come from the bottom.
 */
import { PAGE_BYTES } from '../mmu/physical-memory';
import type { PhysicalMemory } from '../mmu/physical-memory';
import { assert, UserError } from '../util/assert';

/** Frames of a large page. */
export const RUN_FRAMES = 512;
const MIB_FRAMES = 256;

export class FrameAllocator {
  /** Frames that nobody has, from the bottom; the last one is given first. */
  private readonly low: number[] = [];
  private nextLow = 0;
  /** First frame of the lowest run that is in use. */
  private lowestRun: number;
  private readonly freeRuns: number[] = [];
  private promised = 0;

  constructor(readonly host: PhysicalMemory) {
    this.lowestRun = Math.floor(host.size / PAGE_BYTES / RUN_FRAMES) * RUN_FRAMES;
  }

  /** Frames that can still be reserved. */
  get unreserved(): number {
    return this.host.size / PAGE_BYTES - this.promised;
  }

  /** `owner`: for messages. UserError: the host has no such memory left. */
  reserve(owner: string, frames: number): Reservation {
    if (frames > this.unreserved)
      throw new UserError(
        `${owner} asks for ${frames / MIB_FRAMES} MiB of host memory, of which ${this.unreserved / MIB_FRAMES} MiB are not reserved; give it less memory.`,
      );
    this.promised += frames;
    return new Reservation(this, owner, frames);
  }
  /** For Reservation. */
  takeFrame(): number {
    const frame = this.low.pop() ?? this.nextLow++;
    assert(frame < this.lowestRun, 'reservations are kept');
    return frame;
  }
  giveFrame(frame: number): void {
    this.low.push(frame);
  }
  takeRun(): number {
    const run = this.freeRuns.pop() ?? (this.lowestRun -= RUN_FRAMES);
    assert(run >= this.nextLow, 'reservations are kept');
    return run;
  }
  giveRun(first: number): void {
    this.freeRuns.push(first);
  }
  release(frames: number): void {
    this.promised -= frames;
  }
}

/** What one owner may have, and has. */
export class Reservation {
  private readonly single = new Set<number>();
  private readonly runs: number[] = [];

  constructor(
    private readonly allocator: FrameAllocator,
    readonly owner: string,
    readonly frames: number,
  ) {}

  get used(): number {
    return this.single.size + this.runs.length * RUN_FRAMES;
  }
  /** A frame, filled with zeros; undefined: the reservation is used up. */
  take(): number | undefined {
    if (this.used >= this.frames) return undefined;
    const frame = this.allocator.takeFrame();
    this.single.add(frame);
    const { host } = this.allocator;
    const at = host.base + frame * PAGE_BYTES;
    host.data.fill(0, at, at + PAGE_BYTES);
    return frame;
  }
  give(frame: number): void {
    assert(this.single.delete(frame), `${this.owner} gives back frame ${frame}, which it does not have`);
    this.allocator.giveFrame(frame);
  }
  /** So many frames in runs of RUN_FRAMES, the last perhaps not used to its end. Not cleared. */
  takeRuns(frames: number): Int32Array {
    const out = new Int32Array(frames);
    for (let at = 0; at < frames; at += RUN_FRAMES) {
      assert(this.used + RUN_FRAMES <= this.frames, `${this.owner} has used up its reservation`);
      const first = this.allocator.takeRun();
      this.runs.push(first);
      for (let i = 0; i < RUN_FRAMES && at + i < frames; i++) out[at + i] = first + i;
    }
    return out;
  }
  /** Everything goes back to the host. */
  dissolve(): void {
    for (const frame of this.single) this.allocator.giveFrame(frame);
    for (const first of this.runs) this.allocator.giveRun(first);
    this.single.clear();
    this.runs.length = 0;
    this.allocator.release(this.frames);
  }
}
