/**
 * Where indirect branches and links across pages find the next block: by RIP and mode, in linear memory (layout.ts,
 * JUMP_CACHE), as long as the translation of its page is known to hold.
 */
import type { Flushed } from '../mmu/tlb';
import type { Block } from './code-cache';
import * as layout from './layout';

/** What a flush may leave: of a global page; in 64-bit mode, so that RIP is the linear address, and within one page. */
const KEEP = { GLOBAL: 1, LINEAR: 2 } as const;

export class JumpCache {
  /** Entries in use, by processor. */
  private readonly entries: number[][] = [];
  private readonly keep = new Uint8Array(layout.JUMP_CACHE_ENTRIES);

  constructor(private readonly view: DataView) {
    for (let entry = layout.JUMP_CACHE; entry < layout.JUMP_CACHE_END; entry += 16) this.empty(entry);
  }

  /** Until the next flush of the processor's TLB that concerns it. `rip`: where branches go that mean this block. */
  enter(block: Block, isGlobal: boolean, rip = block.rip): void {
    const { view } = this;
    const low = Number(BigInt.asIntN(32, rip));
    const mode = view.getInt32(layout.MODE, true);
    const entry = layout.jumpCacheEntry(low, mode);
    // What another processor left here is lost to it, and stays on its list: two that fight over entries list them often.
    if (view.getInt32(entry + 12, true) !== mode || view.getUint32(entry + 8, true) === 0) {
      const processor = mode >> layout.PROCESSOR_SHIFT;
      const entries = (this.entries[processor] ??= []);
      if (entries.length > 2 * layout.JUMP_CACHE_ENTRIES) this.flush(processor, 'all');
      entries.push(entry);
    }
    const linear = block.mode.codeSize === 64 && block.secondGpa < 0;
    this.keep[(entry - layout.JUMP_CACHE) >> 4] = linear ? KEEP.LINEAR | (isGlobal ? KEEP.GLOBAL : 0) : 0;
    view.setBigUint64(entry, rip, true);
    view.setUint32(entry + 8, block.entry, true);
    view.setInt32(entry + 12, mode, true);
  }

  /** What one processor entered. */
  flush(processor: number, what: Flushed): void {
    const entries = this.entries[processor] as number[] | undefined;
    if (!entries) return;
    let kept = 0;
    for (const entry of entries) {
      if (what !== 'all' && this.survives(entry, what)) entries[kept++] = entry;
      else this.empty(entry);
    }
    entries.length = kept;
  }
  private survives(entry: number, what: Exclude<Flushed, 'all'>): boolean {
    const { view } = this;
    const keep = this.keep[(entry - layout.JUMP_CACHE) >> 4];
    if (view.getUint32(entry + 8, true) === 0) return false;
    if (what === 'non-global') return (keep & KEEP.GLOBAL) !== 0;
    if (!(keep & KEEP.LINEAR)) return false;
    // A page has a GiB at most.
    return view.getUint32(entry, true) >>> 30 !== what.lo >>> 30 || view.getInt32(entry + 4, true) !== (what.hi | 0);
  }
  clear(): void {
    this.entries.forEach((_, processor) => this.flush(processor, 'all'));
  }

  private empty(entry: number): void {
    this.view.setUint32(entry + 8, 0, true);
    // Mode -1 is nobody's.
    this.view.setInt32(entry + 12, -1, true);
  }
}
