/** A list of runs as the debugger is given it: with the space that they lead to. */
import type { RunList, RunSearch } from '../mmu/runs';
import type { MappedRun, MappedRuns, Mapping } from './inspect-api';

export class AllRuns implements MappedRuns {
  readonly length: number;

  /** `most`: of a longer list only so many are shown. */
  constructor(
    private readonly list: RunList,
    private readonly targetSpace: MappedRun['targetSpace'],
    most = Infinity,
  ) {
    this.length = Math.min(list.length, most);
  }

  at(index: number): MappedRun {
    return this.mapped(this.list.at(index));
  }
  indexOf(gva: bigint): number {
    return this.list.indexOf(gva);
  }
  matching(search: RunSearch): Uint32Array {
    return this.list.matching(search);
  }
  changes(before: AllRuns, limit: number): { added: MappedRun[]; removed: MappedRun[] } {
    return {
      added: this.list.missingIn(before.list, limit).map((run) => this.mapped(run)),
      removed: before.list.missingIn(this.list, limit).map((run) => before.mapped(run)),
    };
  }

  private mapped({ gpa, ...run }: Mapping): MappedRun {
    return { ...run, target: gpa, targetSpace: this.targetSpace };
  }
}
