/** The user's breakpoints and watchpoints, as the step loop asks for them. Conditions run between two instructions. */
import type { BreakpointSpec, Stop, WatchpointSpec } from '../machine/api';
import type { Mmu } from '../mmu/access';

export class Breakpoints {
  private byGva = new Map<bigint, BreakpointSpec[]>();

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
  /** Ids of those whose condition holds now. */
  hits(gva: bigint, cpu: number): number[] {
    return (this.byGva.get(gva) ?? []).filter((spec) => spec.when?.(cpu) ?? true).map((spec) => spec.id);
  }

  /** Replaces the set; code at addresses that came or went is decoded anew. */
  set(specs: readonly BreakpointSpec[]): void {
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
