/**
 * The rules of guests' page tables: what an entry of each level may say, what it holds a reference to, and how one is exchanged.
 * 4-level tables of 64-bit guests, whose kernel runs in ring 3 and so needs every page of its own to be a user's; PAE tables of
 * 32-bit guests. Superpages are refused (Xen does so by default).
 */
import { ENTRY } from '../../mmu/guest-paging';
import { assert } from '../../util/assert';
import { RESERVED_L2, RESERVED_L4 } from './abi';
import type { DescriptorRules } from './descriptors';
import { ERRNO } from './errno';
import { HypercallError } from './ports';
import type { ForeignMappings } from './foreign';
import type { MachineFrames } from './ports';
import { ENTRIES, hexFrame, TYPE, TYPE_NAMES } from './typed-pages';
import type { PageType, TypedPages, TypeRules } from './typed-pages';

const P = BigInt(ENTRY.P);
const W = BigInt(ENTRY.W);
const U = BigInt(ENTRY.U);
const G = BigInt(ENTRY.G);
const PS = BigInt(ENTRY.PS);
/** Accessed and dirty: the processor's to set. */
export const AD = BigInt(ENTRY.A | ENTRY.D);
const ADDRESS = 0x000f_ffff_ffff_f000n;
/** Bits that no processor of ours has: beyond MAXPHYADDR, and in PAE below NX. */
const NO_ADDRESS = { 8: 0x000f_ff00_0000_0000n, 4: 0x7fff_ff00_0000_0000n } as const;
/** PWT, PCD, PS and G: Xen has none of them in an entry that refers to a table. */
const UPPER_REFUSED = 0x198n;
/** What reaches the processor of a PDPTE, which holds no rights (SDM vol. 3A table 4-8): A and D, W and U are tolerated as Xen does. */
export const PDPTE_LOADED = ~(W | U | AD | 0xe00n);

export const entryFrame = (entry: bigint): number => Number((entry & ADDRESS) >> 12n);
export const isPresent = (entry: bigint): boolean => (entry & P) !== 0n;
export const isWritable = (entry: bigint): boolean => (entry & W) !== 0n;
const LEVEL_BELOW: Partial<Record<PageType, PageType>> = { [TYPE.l2]: TYPE.l1, [TYPE.l3]: TYPE.l2, [TYPE.l4]: TYPE.l3 };
export const isTable = (type: PageType): boolean => type >= TYPE.l1 && type <= TYPE.l4;

/** A domain whose frames another may map. */
export interface FrameOwner {
  readonly id: number;
  readonly pages: TypedPages;
}

export class PageTableRules implements TypeRules {
  private readonly frames: MachineFrames;

  constructor(
    private readonly pages: TypedPages,
    private readonly word: 4 | 8,
    private readonly descriptors: DescriptorRules,
    /** The hypervisor's own entries, from the first reserved one on. */
    private readonly reserved: readonly bigint[],
    private readonly foreign: ForeignMappings,
  ) {
    this.frames = pages.frames;
    pages.rules = this;
  }

  // --- TypeRules

  validate(mfn: number, type: PageType, top: boolean): void {
    if (type === TYPE.descriptors) return this.descriptors.validate(mfn);
    assert(isTable(type), 'writable frames need no validation');
    const count = this.entriesOf(type);
    for (let i = 0; i < count; i++) {
      if (this.isReserved(type, i, top)) continue;
      try {
        const entry = this.frames.read64(mfn, i * 8);
        const taken = this.take(type, i, entry);
        if (taken !== entry) this.frames.write64(mfn, i * 8, taken);
      } catch (refused) {
        this.release(mfn, type, i, top);
        throw inEntry(refused, mfn, type, i);
      }
    }
    if (type === TYPE.l3 && this.word === 4 && !isPresent(this.frames.read64(mfn, 24))) {
      this.release(mfn, type, count, top);
      throw new HypercallError(ERRNO.EINVAL, `frame ${hexFrame(mfn)}: the last entry of a PAE root must be present, because the hypervisor is mapped below it`); // prettier-ignore
    }
    this.fillReserved(mfn, type, top);
  }
  invalidate(mfn: number, type: PageType): void {
    if (type !== TYPE.descriptors) this.release(mfn, type, this.entriesOf(type), this.pages.isTop(mfn));
  }
  private release(mfn: number, type: PageType, count: number, top: boolean): void {
    for (let i = 0; i < count; i++) if (!this.isReserved(type, i, top)) this.give(type, this.frames.read64(mfn, i * 8), mfn, i * 8); // prettier-ignore
  }
  private entriesOf(type: PageType): number {
    return type === TYPE.l3 && this.word === 4 ? 4 : ENTRIES;
  }
  private isReserved(type: PageType, index: number, top: boolean): boolean {
    if (type === TYPE.l4) return index >= RESERVED_L4.first && index <= RESERVED_L4.last;
    return top && index >= RESERVED_L2.first;
  }
  private fillReserved(mfn: number, type: PageType, top: boolean): void {
    if (type !== TYPE.l4 && !top) return;
    const first = type === TYPE.l4 ? RESERVED_L4.first : RESERVED_L2.first;
    this.reserved.forEach((entry, i) => this.frames.write64(mfn, (first + i) * 8, entry));
  }

  // --- Entries

  /** References for what an entry refers to; the entry as it is to be written. */
  private take(type: PageType, index: number, entry: bigint, from = this.pages): bigint {
    if (!isPresent(entry)) return entry;
    if (entry & NO_ADDRESS[this.word])
      throw new HypercallError(ERRNO.EINVAL, `entry 0x${entry.toString(16)} has reserved bits set`);
    const mfn = entryFrame(entry);
    if (type === TYPE.l1) {
      if (isWritable(entry)) from.getAs(mfn, TYPE.writable);
      else from.get(mfn);
      return this.word === 8 ? (entry | U) & ~G : entry & ~G;
    }
    if (entry & PS && type !== TYPE.l4)
      throw new HypercallError(ERRNO.EINVAL, `entry 0x${entry.toString(16)} maps a superpage, which no guest may`);
    if (entry & UPPER_REFUSED)
      throw new HypercallError(
        ERRNO.EINVAL,
        `entry 0x${entry.toString(16)} has bits that an entry above a table must not have`,
      );
    this.pages.getAs(mfn, LEVEL_BELOW[type]!, type === TYPE.l3 && this.word === 4 && index === 3);
    return this.word === 8 ? entry | U : entry;
  }
  /** `at`, `offset`: where the entry lay. */
  private give(type: PageType, entry: bigint, at: number, offset: number): void {
    if (!isPresent(entry)) return;
    const mfn = entryFrame(entry);
    if (type !== TYPE.l1) return this.pages.putAs(mfn);
    // Another domain's frame is here by a grant, whose counts are the grant's, or because this domain may map others'.
    if (!this.pages.owns(mfn)) return this.foreign.release(at, offset);
    if (isWritable(entry)) this.pages.putType(mfn);
    this.pages.put(mfn);
  }

  /**
   * Exchanges an entry of a page table that is in use as one. `keepAccess`: A and D of the old entry stay; `owner`: of another
   * domain's frame. HypercallError: the old entry is as it was.
   */
  exchange(mfn: number, offset: number, entry: bigint, { keepAccess = false, owner }: { keepAccess?: boolean; owner?: FrameOwner | undefined } = {}): void {
    const type = this.pages.usedAs(mfn);
    assert(isTable(type), `frame ${hexFrame(mfn)} is no page table`);
    const index = offset >> 3;
    if (offset & 7) throw new HypercallError(ERRNO.EINVAL, `offset 0x${offset.toString(16)} of a page table is no entry`);
    if (this.isReserved(type, index, this.pages.isTop(mfn)))
      throw new HypercallError(ERRNO.EPERM, `entry ${index} of frame ${hexFrame(mfn)} belongs to the hypervisor`);
    if (index >= this.entriesOf(type)) throw new HypercallError(ERRNO.EINVAL, `a PAE root has 4 entries, not ${index + 1}`);
    const old = this.frames.read64(mfn, offset);
    if (owner && type !== TYPE.l1)
      throw new HypercallError(ERRNO.EINVAL, `frame ${hexFrame(mfn)} is no L1; another domain's frames are mapped, and are no tables`);
    if (type === TYPE.l1 && isPresent(old) && !this.pages.owns(entryFrame(old)) && !this.foreign.holds(mfn, offset))
      throw new HypercallError(ERRNO.EINVAL, `entry ${index} of frame ${hexFrame(mfn)} maps a granted frame; unmap the grant`);
    if (type === TYPE.l3 && this.word === 4 && index === 3 && !isPresent(entry))
      throw new HypercallError(ERRNO.EINVAL, `entry 3 of the PAE root ${hexFrame(mfn)} maps the hypervisor and must stay present`);
    const kept = keepAccess && isPresent(entry) ? entry | (old & AD) : entry;
    let taken: bigint;
    try {
      taken = this.take(type, index, kept, owner?.pages);
    } catch (refused) {
      throw inEntry(refused, mfn, type, index);
    }
    this.frames.write64(mfn, offset, taken);
    this.give(type, old, mfn, offset);
    if (owner && isPresent(taken))
      this.foreign.note(mfn, offset, { domain: owner.id, mfn: entryFrame(taken), writable: isWritable(taken) });
  } // prettier-ignore

  /** Writes to an entry without a look at what it refers to: for grants, which count themselves. */
  put(mfn: number, offset: number, entry: bigint): void {
    assert(this.pages.usedAs(mfn) === TYPE.l1, `frame ${hexFrame(mfn)} is no L1`);
    this.frames.write64(mfn, offset, entry);
  }
}

const inEntry = (refused: unknown, mfn: number, type: PageType, index: number): unknown =>
  refused instanceof HypercallError
    ? new HypercallError(refused.errno, `${refused.message} (entry ${index} of ${TYPE_NAMES[type]} ${hexFrame(mfn)})`)
    : refused;
