/** A domain as the technique that runs it sees it. */
import type { Cpu } from '../cpu/cpu';
import type { PhysicalMemory } from '../mmu/physical-memory';
import type { VmExit, SilentHole } from './exit';
import type { ExitLog } from './exits';
import type { Reservation } from './frames';

export interface Guest {
  readonly index: number;
  /** Its virtual processors: what the guest believes. They know their memory and their devices. */
  readonly cpus: readonly Cpu[];
  readonly physical: PhysicalMemory;
  /** For tables that the hypervisor keeps for it. */
  readonly frames: Reservation;
  /** Retired so far. */
  readonly instructions: number;
  /** Guest time. */
  readonly ns: number;
  readonly exits: ExitLog;
  readonly holes: HoleLog;
}

/** Silent holes, by where they are. */
export class HoleLog {
  private readonly byPlace = new Map<string, SilentHole & { count: number }>();
  /** True stops before the instruction. Set only while a filter exists. */
  filter?: (hole: SilentHole) => boolean;
  private passing?: { gva: bigint; at: number };

  /** True: stop before it. */
  note(hole: SilentHole): boolean {
    const { passing } = this;
    this.passing = undefined;
    if (!(passing && passing.gva === hole.gva && passing.at === hole.at) && this.filter?.(hole)) {
      this.passing = { gva: hole.gva, at: hole.at };
      return true;
    }
    const key = `${hole.mnemonic} ${hole.gva}`;
    const known = this.byPlace.get(key);
    if (known) known.count++;
    else this.byPlace.set(key, { ...hole, count: 1 });
    return false;
  }
  /** Each place once, with how often, in the order in which they were met. */
  get list(): readonly (SilentHole & { count: number })[] {
    return [...this.byPlace.values()];
  }
  clear(): void {
    this.byPlace.clear();
    this.passing = undefined;
  }
}

export type { VmExit, SilentHole };
