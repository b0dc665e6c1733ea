/** The user's breakpoints and watchpoints, as the step loop asks for them. Conditions run between two instructions. */
import type { BreakpointSpec, Stop, WatchpointSpec } from '../machine/api';
import type { Mmu } from '../mmu/access';
import type { Watch } from '../mmu/watch';

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

/** The physical processor, which runs others' instructions too. */
export interface SharedWatch {
  mmu: Mmu;
  owner: number;
  /** Whose instruction executes; undefined: none of this machine's. */
  cpu(): number | undefined;
}

export class Breakpoints {
  private byGva = new Map<bigint, BreakpointSpec[]>();
  /** Asked for last: in a loop the same again and again. */
  private latest: { gva: bigint; specs: readonly BreakpointSpec[] } = { gva: -1n, specs: [] };
  private readonly decided: Decision = { gva: 0n, cpu: 0, at: NEVER, ids: NONE, failed: undefined };

  /** Watched memory was accessed by the instruction that is executing. */
  onWatch: (stop: Stop) => void = () => {};

  /** `mmus`: by processor. `forgetCode`: code at this address must be decoded anew. `shared`: where a technique runs the guest. */
  constructor(
    private readonly mmus: readonly Mmu[],
    private readonly forgetCode: (gva: bigint) => void,
    private readonly shared?: SharedWatch,
  ) {}

  get any(): boolean {
    return this.byGva.size > 0;
  }
  has(gva: bigint): boolean {
    return this.any && this.byGva.has(gva);
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
    this.mmus.forEach((mmu, cpu) => this.watch(mmu, 'user', specs, () => cpu));
    const { shared } = this;
    if (shared) this.watch(shared.mmu, `user of ${shared.owner}`, specs, () => shared.cpu());
  }
  /** `cpu`: whose instruction it is; undefined: none of this machine's. */
  private watch(mmu: Mmu, owner: string, specs: readonly WatchpointSpec[], cpu: () => number | undefined): void {
    const watches = specs.map((spec): Watch => ({
      ...this.place(spec),
      bytes: spec.bytes,
      read: spec.access !== 'write',
      write: spec.access !== 'read',
      hit: (gva, bytes, write, old, now) => {
        const by = cpu();
        if (by === undefined || (spec.when && !spec.when(by))) return;
        this.onWatch({ kind: 'watchpoint', cpu: by, gva, access: write ? 'write' : 'read', bytes, old, new: now, ids: [spec.id] });
      },
    })); // prettier-ignore
    mmu.watches.set(owner, watches);
    mmu.tlbs.flush();
  }
  private place({ gva, gpa }: WatchpointSpec): Pick<Watch, 'gva' | 'host'> {
    return gpa === undefined ? { gva } : { host: this.mmus[0].physical.hostAddress(gpa) };
  }
}
