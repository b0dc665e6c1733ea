/** Exits of one domain: counted, the last ones kept, offered to a filter. Nothing here is state of the guest. */
import type { VmExit, VmExitReason } from './exit';
import { ExitProfile } from './exit-profile';

const KEPT = 4096;

export interface ExitCount {
  count: number;
  /** Of the hypervisor's time for these exits, in ns of the host; 0 without a clock. */
  hostNs: number;
}

export class ExitLog {
  readonly counts = new Map<VmExitReason, ExitCount>();
  /** A host clock in ns, for statistics alone. */
  clock?: () => number;
  /** Asked before an exit is handled: true stops the run there. Set only while a filter exists. */
  filter?: (exit: VmExit) => boolean;
  private counted?: ExitProfile;
  private readonly ring: VmExit[] = [];
  private next = 0;
  private latest?: { exit: VmExit; since: number };
  /** The exit at which the run stopped: it is not asked about again when the run goes on. */
  private passing?: { gva: bigint; at: number; reason: VmExitReason };

  /** True: stop before handling it. */
  begin(exit: VmExit): boolean {
    const { passing } = this;
    this.passing = undefined;
    const again = passing && passing.at === exit.at && passing.gva === exit.gva && passing.reason === exit.reason;
    if (!again && this.filter?.(exit)) {
      this.passing = { gva: exit.gva, at: exit.at, reason: exit.reason };
      return true;
    }
    this.ring[this.next++ % KEPT] = exit;
    const counted = this.counts.get(exit.reason);
    if (counted) counted.count++;
    else this.counts.set(exit.reason, { count: 1, hostNs: 0 });
    this.counted?.note(exit);
    if (this.clock) this.latest = { exit, since: this.clock() };
    return false;
  }
  /** The exit has been handled. */
  end(): void {
    const { latest } = this;
    if (!latest || !this.clock) return;
    this.latest = undefined;
    latest.exit.hostNs = this.clock() - latest.since;
    this.counts.get(latest.exit.reason)!.hostNs += latest.exit.hostNs;
  }

  get total(): number {
    let sum = 0;
    for (const { count } of this.counts.values()) sum += count;
    return sum;
  }
  /** The last ones, oldest first. */
  recent(limit = KEPT): VmExit[] {
    const count = Math.min(limit, KEPT, this.next);
    return Array.from({ length: count }, (_, i) => this.ring[(this.next - count + i) % KEPT]);
  }
  /** By place and over time; undefined: nobody wants to know. */
  get profile(): ExitProfile | undefined {
    return this.counted;
  }
  /** From now on, at `instructions` retired, exits are counted by place and time, and measured by a clock in ns. */
  startProfile(instructions: number, clock: () => number): void {
    this.counted = new ExitProfile(instructions, this.next);
    this.clock = clock;
  }
  stopProfile(): void {
    this.counted = this.clock = undefined;
  }
  /** Number of the oldest one that is kept, counted from 0 since the log was cleared. */
  get oldest(): number {
    return Math.max(0, this.next - KEPT);
  }
  /** Number that the next one will have. */
  get following(): number {
    return this.next;
  }
  /** By number; undefined: not kept, or not yet. */
  at(number: number): VmExit | undefined {
    return number >= this.oldest && number < this.next ? this.ring[number % KEPT] : undefined;
  }
  clear(): void {
    this.counts.clear();
    this.ring.length = this.next = 0;
    if (this.counted) this.counted.first = 0;
    this.passing = this.latest = undefined;
  }
}
