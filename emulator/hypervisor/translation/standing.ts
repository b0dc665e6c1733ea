/**
 * Where virtual processors stand in translated code, as the physical processor left it: they go on there, and a debugger
 * shows it and moves over what is none of the guest's instructions. Never state: whoever loses it begins at the guest's RIP.
 */
import type { Cpu } from '../../cpu/cpu';
import { GuestFault } from '../../cpu/ports';
import type { TranslationCache } from './cache';
import { JUMP_BYTES } from './relocate';
import type { GuestCode } from './translation';

/**
 * `at`: in the cache. `lookup`: an indirect branch has named the guest's address, whose translation is looked up next.
 * `untranslated`: the hypervisor translates it when the guest goes on.
 */
export type Standing = { kind: 'at'; offset: number } | { kind: 'lookup' } | { kind: 'untranslated' };

/** Instead of an offset. */
const LOOKUP = -1;
const NOWHERE = -2;

class Left {
  offset = NOWHERE;
  rip = 0n;
  /** The cache's count of flushes: offsets of earlier times mean nothing. */
  flushed = -1;
  /** A debugger had it translated: the guest has not fetched it yet, as its accessed bits tell. */
  unfetched = false;
}

export class Standings {
  private readonly left = new Map<Cpu, Left>();

  constructor(private readonly cache: TranslationCache) {}

  /** `offset`: undefined where its RIP was the guest's own. */
  leave(cpu: Cpu, rip: bigint, offset: number | undefined): void {
    this.put(cpu, rip, offset ?? LOOKUP);
  }
  /** It executes the guest's code as it is. */
  leaveDirect(cpu: Cpu): void {
    this.put(cpu, 0n, NOWHERE);
  }
  private put(cpu: Cpu, rip: bigint, offset: number, unfetched = false): void {
    let left = this.left.get(cpu);
    if (!left) this.left.set(cpu, (left = new Left()));
    left.offset = offset;
    left.rip = rip;
    left.flushed = this.cache.counts.flushed;
    left.unfetched = unfetched;
  }

  /** Of a processor in translated code. */
  of(cpu: Cpu): Standing {
    const { cache } = this;
    const { rip } = cpu.state;
    const left = this.left.get(cpu);
    const valid = left && left.flushed === cache.counts.flushed && left.rip === rip;
    if (valid && left.offset === LOOKUP) return { kind: 'lookup' };
    if (valid && left.offset >= 0 && cache.lives(left.offset)) return { kind: 'at', offset: left.offset };
    const known = cache.find(rip);
    return known === undefined ? { kind: 'untranslated' } : { kind: 'at', offset: known };
  }
  /** Offset of the instruction that it left off before; undefined: it has to be looked for. */
  entry(cpu: Cpu, code: GuestCode): number | undefined {
    const left = this.left.get(cpu);
    if (!left || left.offset < 0 || left.rip !== cpu.state.rip || left.flushed !== this.cache.counts.flushed) return undefined;
    let at = left.offset;
    for (let to = this.cache.joinAt(at); to !== undefined; to = this.cache.joinAt(at)) at = to;
    if (this.cache.stubAt(at) !== undefined || !this.cache.lives(at) || this.cache.codeSize !== code.codeSize) return undefined;
    if (left.unfetched) this.fetch(at, left, code);
    this.cache.wanted = undefined;
    return at;
  } // prettier-ignore
  /** As translating would have, had it not been a debugger that asked for it. */
  private fetch(offset: number, left: Left, code: GuestCode): void {
    const { rip, bytes, pages } = this.cache.blockAt(offset)!;
    code.fetch(rip);
    if (pages.length > 1) code.fetch(rip + BigInt(bytes - 1));
    left.unfetched = false;
  }

  /**
   * One step that takes no time: over a join, from a stub or an indirect branch to the translation, which is made if need be.
   * False: there is none; the next step is an instruction of the guest's. `look`: fetches that leave no trace.
   */
  follow(cpu: Cpu, look: GuestCode): boolean {
    const { cache } = this;
    const { rip } = cpu.state;
    const standing = this.of(cpu);
    const unfetched = this.left.get(cpu)?.unfetched ?? false;
    if (standing.kind === 'at') {
      const to = cache.joinAt(standing.offset);
      if (to !== undefined) {
        this.put(cpu, rip, to, unfetched);
        return true;
      }
      if (cache.stubAt(standing.offset) === undefined) return false;
    }
    const known = cache.entryOf(rip);
    const to = known ?? this.translate(rip, look);
    if (to !== undefined) this.put(cpu, rip, to, known === undefined);
    return to !== undefined;
  }
  private translate(rip: bigint, look: GuestCode): number | undefined {
    try {
      this.cache.wanted = rip;
      return this.cache.get(rip, look);
    } catch (thrown) {
      // Its fetch faults: that is for the guest to find.
      if (!(thrown instanceof GuestFault)) throw thrown;
      this.cache.wanted = undefined;
      return undefined;
    }
  }
  /**
   * The processor executed one instruction at `from`, of `bytes` bytes, and generated code took the joins behind it along: back
   * to the first of them, where a processor stands after that instruction.
   */
  backToJoin(cpu: Cpu, from: number, bytes: number): void {
    const { cache } = this;
    const left = this.left.get(cpu);
    if (!left || left.rip !== cpu.state.rip) return;
    // LOOP and JCXZ skip the first of two joins.
    for (let join = from + bytes, to = cache.joinAt(join); to !== undefined; to = cache.joinAt((join += JUMP_BYTES)))
      if (cache.ripAt(join) === left.rip) return this.put(cpu, left.rip, join, left.unfetched);
  }
}
