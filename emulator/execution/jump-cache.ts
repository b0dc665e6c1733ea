/**
 * Where indirect branches and links across pages find the next block: by RIP and mode, in linear memory (layout.ts,
 * JUMP_CACHE), as long as the translation of its page is known to hold.
 */
import type { Flushed } from '../mmu/tlb';
import type { Block } from './block';
import * as layout from './layout';

/** In 64-bit mode and within one page RIP is the linear address, of which a flush may leave some. */
const NOT_LINEAR = -1;
/** What one processor entered and lost together. A page has a GiB at most. */
interface Group {
  /** Bits 63:30 of the linear address, or NOT_LINEAR. */
  readonly gib: number;
  readonly global: boolean;
  /** Addresses of entries; what another processor, or another group, left there since is lost to it and stays on the list. */
  entries: number[];
}

export class JumpCache {
  /** By processor. */
  private readonly groups: Group[][] = [];

  constructor(private readonly view: DataView) {
    for (let entry = layout.JUMP_CACHE; entry < layout.JUMP_CACHE_END; entry += 16) this.empty(entry);
  }

  /** Until the next flush of the processor's TLB that concerns it. `rip`: where branches go that mean this block. */
  enter(block: Block, isGlobal: boolean, rip = block.rip): void {
    const { view } = this;
    const low = Number(BigInt.asIntN(32, rip));
    const mode = view.getInt32(layout.MODE, true);
    const entry = layout.jumpCacheEntry(low, mode);
    view.setBigUint64(entry, rip, true);
    view.setUint32(entry + 8, block.entry, true);
    view.setInt32(entry + 12, mode, true);
    const linear = block.mode.codeSize === 64 && block.secondGpa < 0;
    this.list(mode >> layout.PROCESSOR_SHIFT, entry, linear, isGlobal);
    if (rip !== block.rip && !block.aliases?.includes(entry)) (block.aliases ??= []).push(entry);
  }
  /** The block is void: whoever arrives by another RIP than its own would never find the one that takes its place. */
  forget({ aliases, entry }: Block): void {
    for (const alias of aliases ?? []) if (this.view.getUint32(alias + 8, true) === entry) this.empty(alias);
  }
  private list(processor: number, entry: number, linear: boolean, isGlobal: boolean): void {
    const groups = (this.groups[processor] ??= []);
    const gib = linear ? gibOf(this.view.getUint32(entry, true), this.view.getInt32(entry + 4, true)) : NOT_LINEAR;
    const global = linear && isGlobal;
    let group = groups.find((g) => g.gib === gib && g.global === global);
    if (!group) groups.push((group = { gib, global, entries: [] }));
    // Listed twice at most, or its list is of no use.
    if (group.entries.length > 2 * layout.JUMP_CACHE_ENTRIES) this.flushGroup(group, processor);
    group.entries.push(entry);
  }

  /** What one processor entered. */
  flush(processor: number, what: Flushed): void {
    const groups = this.groups[processor] as Group[] | undefined;
    if (!groups) return;
    const gib = typeof what === 'string' ? NOT_LINEAR : gibOf(what.lo, what.hi);
    for (const group of groups) {
      const survives = what === 'non-global' ? group.global : what !== 'all' && group.gib !== NOT_LINEAR && group.gib !== gib;
      if (!survives) this.flushGroup(group, processor);
    }
    this.groups[processor] = groups.filter(({ entries }) => entries.length > 0);
  } // prettier-ignore
  /** Some of them may have become another group's, whose loss is harmless. */
  private flushGroup(group: Group, processor: number): void {
    for (const entry of group.entries)
      if (this.view.getInt32(entry + 12, true) >> layout.PROCESSOR_SHIFT === processor) this.empty(entry);
    group.entries = [];
  }
  clear(): void {
    this.groups.forEach((_, processor) => this.flush(processor, 'all'));
  }

  private empty(entry: number): void {
    this.view.setUint32(entry + 8, 0, true);
    // Mode -1 is nobody's.
    this.view.setInt32(entry + 12, -1, true);
  }
}

/** Bits 63:30, as a number that no other address beyond that GiB has. */
const gibOf = (lo: number, hi: number): number => (hi >>> 0) * 4 + (lo >>> 30);
