/** The user's breakpoints and watchpoints, as the step loop asks for them. Conditions run between two instructions. */
import type { BreakpointSpec, Stop, WatchpointSpec } from '../machine/api';
import type { Mmu } from '../mmu/access';

const NONE: readonly number[] = [];
const NEVER = -1;

/** What the conditions said at a place, by processor and retired instructions. */
interface Decision {
  gva: bigint;
  cpu: number;
  at: number;
  ids: readonly number[];
  failed: { error: unknown } | undefined;
}

export class Breakpoints {
  private byGva = new Map<bigint, BreakpointSpec[]>();
  /** Asked for last: in a loop the same again and again. */
  private latest: { gva: bigint; specs: readonly BreakpointSpec[] } = { gva: -1n, specs: [] };
  private readonly decided: Decision = { gva: 0n, cpu: 0, at: NEVER, ids: NONE, failed: undefined };

  /** Watched memory was accessed by the instruction that is executing. */
  onWatch: (stop: Stop) => void = () => {};

  /** `mmus`: by processor. `forgetCode`: code at this address must be decoded anew. */
  constructor(
    private readonly mmus: readonly Mmu[],
    private readonly forgetCode: (gva: bigint) => void,
  ) {}

  has(gva: bigint): boolean {
    return this.byGva.size > 0 && this.byGva.has(gva);
  }

  /** Ids of those whose condition holds now, when `at` instructions have retired. Each is asked once. */
  hits(gva: bigint, cpu: number, at: number): readonly number[] {
    const { decided } = this;
    if (decided.at !== at || decided.gva !== gva || decided.cpu !== cpu) return this.evaluate(gva, cpu);
    decided.at = NEVER;
    if (decided.failed) throw decided.failed.error;
    return decided.ids;
  }

  /** From inside generated code: whether to leave. The answer is kept for `hits`, and so is what a condition throws. */
  decide(gva: bigint, cpu: number, at: number): boolean {
    const { decided } = this;
    decided.gva = gva;
    decided.cpu = cpu;
    decided.at = at;
    decided.failed = undefined;
    try {
      decided.ids = this.evaluate(gva, cpu);
      return decided.ids.length > 0;
    } catch (error) {
      decided.failed = { error };
      return true;
    }
  }

  private evaluate(gva: bigint, cpu: number): readonly number[] {
    if (this.latest.gva !== gva) this.latest = { gva, specs: this.byGva.get(gva) ?? [] };
    let ids = NONE;
    for (const { id, when } of this.latest.specs) if (when === undefined || when(cpu)) ids = [...ids, id];
    return ids;
  }

  /** Replaces the set; code at addresses that came or went is decoded anew. */
  set(specs: readonly BreakpointSpec[]): void {
    this.latest = { gva: -1n, specs: [] };
    this.decided.at = NEVER;
    const before = this.byGva;
    this.byGva = new Map();
    for (const spec of specs) {
      const same = this.byGva.get(spec.gva);
      if (same) same.push(spec);
      else this.byGva.set(spec.gva, [spec]);
    }
    for (const gva of this.byGva.keys()) if (!before.has(gva)) this.forgetCode(gva);
    for (const gva of before.keys()) if (!this.byGva.has(gva)) this.forgetCode(gva);
  }

  setWatchpoints(specs: readonly WatchpointSpec[]): void {
    this.mmus.forEach((mmu, cpu) => {
      mmu.watches.set(
        'user',
        specs.map((spec) => ({
          gva: spec.gva,
          bytes: spec.bytes,
          read: spec.access !== 'write',
          write: spec.access !== 'read',
          hit: (gva, bytes, write, old, now) => {
            if (spec.when && !spec.when(cpu)) return;
            this.onWatch({ kind: 'watchpoint', cpu, gva, access: write ? 'write' : 'read', bytes, old, new: now, ids: [spec.id] }); // prettier-ignore
          },
        })),
      );
      mmu.tlb.flush();
    });
  }
}
