/**
 * Frames of other domains in a privileged domain's page tables: mmu_update and its kin with the DOMID of another (xen.h). So domain 0
 * fills and reads domains. Each such entry is a user of the frame in the other domain's counts, under its rules.
 */
import { ENTRIES } from './typed-pages';
import type { TypedPages } from './typed-pages';
import type { FramePlace } from './ports';

/** Whose frame an entry maps. */
export interface ForeignMapping {
  domain: number;
  mfn: number;
  writable: boolean;
}
/** Plain data. */
export type SavedForeign = (ForeignMapping & { at: FramePlace })[];

const keyOf = (mfn: number, offset: number): number => mfn * ENTRIES + (offset >> 3);

export class ForeignMappings {
  private readonly entries = new Map<number, ForeignMapping>();

  /**
   * `pagesOf`: of a domain that is there. `onRelease`: translations that the processors of this one may keep have to go, since the
   * other one may make a table of the frame next.
   */
  constructor(
    private readonly pagesOf: (domid: number) => TypedPages | undefined,
    private readonly onRelease: () => void,
  ) {}

  /** Whether the entry at this place of an L1 maps another domain's frame. */
  holds(mfn: number, offset: number): boolean {
    return this.entries.has(keyOf(mfn, offset));
  }
  /** The entry has been written, and its frame taken from the other domain. */
  note(mfn: number, offset: number, mapping: ForeignMapping): void {
    this.entries.set(keyOf(mfn, offset), mapping);
  }
  /** The entry is gone; nothing happens where it was none of these. */
  release(mfn: number, offset: number): void {
    const key = keyOf(mfn, offset);
    const mapping = this.entries.get(key);
    if (!mapping) return;
    this.entries.delete(key);
    this.onRelease();
    const pages = this.pagesOf(mapping.domain);
    if (mapping.writable) pages?.putAs(mapping.mfn);
    else pages?.put(mapping.mfn);
  }
  /** Another domain ends, and its counts with it: its frames are here no longer. `clear` takes an entry away. */
  revoke(domid: number, clear: (at: FramePlace, mfn: number) => void): void {
    for (const { at, domain, mfn } of this.save()) {
      if (domain !== domid) continue;
      this.entries.delete(keyOf(at.mfn, at.offset));
      clear(at, mfn);
    }
  }
  /** The domain ends, its page tables with it. */
  dissolve(): void {
    for (const { at } of this.save()) this.release(at.mfn, at.offset);
  }

  save(): SavedForeign {
    const places = [...this.entries].sort(([a], [b]) => a - b);
    return places.map(([key, mapping]) => ({ ...mapping, at: { mfn: Math.floor(key / ENTRIES), offset: (key % ENTRIES) * 8 } })); // prettier-ignore
  }
  /** Users of frames are restored with the frames. */
  restore(saved: SavedForeign): void {
    this.entries.clear();
    for (const { at, ...mapping } of saved) this.note(at.mfn, at.offset, mapping);
  }
}
