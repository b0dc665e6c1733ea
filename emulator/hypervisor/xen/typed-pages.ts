/**
 * Frames of a domain, and what each is used as. A frame that is a page table or holds descriptors is never writable for its domain
 * at the same time: a use takes a reference under a type, and a frame changes its type only when nobody uses it under the old
 * one. Taking a table type validates every entry in it. Hence guests' own tables can be in force without a shadow.
 * Refusals are HypercallErrors that name the frame, its type and counts, and the rule.
 */
import { PAGE_BYTES } from '../../mmu/physical-memory';
import { assert } from '../../util/assert';
import { ERRNO } from './errno';
import { HypercallError } from './ports';
import type { MachineFrames } from './ports';

export const TYPE = { none: 0, writable: 1, l1: 2, l2: 3, l3: 4, l4: 5, descriptors: 6 } as const;
export type PageType = (typeof TYPE)[keyof typeof TYPE];
export const TYPE_NAMES = ['none', 'writable', 'L1', 'L2', 'L3', 'L4', 'descriptors'] as const;
const OWNED = 1;
const PINNED = 2;
/** Of a PAE guest's second-level tables, the one in whose last entries the hypervisor is mapped. */
const TOP = 4;
/** Given back: it is the domain's until its last user is gone. */
const RELEASED = 8;
export const ENTRIES = 512;

export const hexFrame = (mfn: number): string => `0x${mfn.toString(16)}`;

/** What taking and giving up a type means for the content of the frame (page-tables.ts, descriptors.ts). */
export interface TypeRules {
  /** Validates, and takes references for what the content refers to. All or nothing. `top`: see TypedPages. */
  validate(mfn: number, type: PageType, top: boolean): void;
  /** Gives those references back. */
  invalidate(mfn: number, type: PageType): void;
}

/** Plain data. */
export interface SavedPages {
  refs: Uint32Array;
  types: Uint8Array;
  typeRefs: Uint32Array;
  flags: Uint8Array;
}

export class TypedPages {
  private saved: SavedPages;
  rules!: TypeRules;
  /** Translations that let somebody write to a frame may be cached: they have to go. */
  onWritableGone: () => void = () => {};
  /** A frame that was given back has lost its last user. */
  onFree: (mfn: number) => void = () => {};
  /** For the history. */
  onChange: (mfn: number, from: PageType, to: PageType) => void = () => {};

  constructor(readonly frames: MachineFrames) {
    this.saved = emptyPages(frames.frames);
  }

  owns(mfn: number): boolean {
    return mfn < this.frames.frames && mfn >= 0 && (this.saved.flags[mfn] & OWNED) !== 0;
  }
  /** The frame becomes one of the domain's, with one reference: being allocated. */
  own(mfn: number): void {
    assert(!this.owns(mfn), `frame ${hexFrame(mfn)} is the domain's already`);
    this.saved.flags[mfn] = OWNED;
    this.saved.refs[mfn] = 1;
  }
  /** It is given back, which takes effect when nobody uses it any more. */
  disown(mfn: number): void {
    this.need(mfn);
    if (this.saved.flags[mfn] & RELEASED) this.refuse(mfn, 'it was given back before');
    this.saved.flags[mfn] |= RELEASED;
    this.put(mfn);
  }

  typeOf(mfn: number): PageType {
    return this.saved.types[mfn] as PageType;
  }
  /** As what it is in use now. */
  usedAs(mfn: number): PageType {
    return this.saved.typeRefs[mfn] > 0 ? this.typeOf(mfn) : TYPE.none;
  }
  isReleased(mfn: number): boolean {
    return (this.saved.flags[mfn] & RELEASED) !== 0;
  }
  isTop(mfn: number): boolean {
    return (this.saved.flags[mfn] & TOP) !== 0;
  }
  /** For people. */
  describe(mfn: number): { owned: boolean; type: string; refs: number; typeRefs: number; pinned: boolean } {
    const { refs, typeRefs, flags } = this.saved;
    return {
      owned: this.owns(mfn),
      type: TYPE_NAMES[this.typeOf(mfn)],
      refs: refs[mfn],
      typeRefs: typeRefs[mfn],
      pinned: (flags[mfn] & PINNED) !== 0,
    };
  }

  get(mfn: number): void {
    this.need(mfn);
    this.saved.refs[mfn]++;
  }
  put(mfn: number): void {
    const { refs, flags } = this.saved;
    const left = flags[mfn] & RELEASED ? 0 : 1;
    assert(refs[mfn] > left, `frame ${hexFrame(mfn)} has no user to lose`);
    if (--refs[mfn] > 0) return;
    this.setType(mfn, TYPE.none);
    flags[mfn] = 0;
    this.onFree(mfn);
  }

  /** One more user of the frame under this type, besides a reference to it. */
  getType(mfn: number, type: PageType, top = false): void {
    const { typeRefs, flags } = this.saved;
    this.need(mfn);
    if (typeRefs[mfn] > 0) {
      if (this.typeOf(mfn) !== type) this.refuse(mfn, `it cannot be used as ${TYPE_NAMES[type]} at the same time`);
      if (top !== this.isTop(mfn) && type === TYPE.l2)
        this.refuse(mfn, 'only the last entry of an L3 may refer to the L2 that maps the hypervisor');
      typeRefs[mfn]++;
      return;
    }
    if (this.typeOf(mfn) === TYPE.writable && type !== TYPE.writable) this.onWritableGone();
    this.setType(mfn, type);
    typeRefs[mfn] = 1;
    flags[mfn] = top ? flags[mfn] | TOP : flags[mfn] & ~TOP;
    if (type === TYPE.writable) return;
    try {
      this.rules.validate(mfn, type, top);
    } catch (refused) {
      typeRefs[mfn] = 0;
      this.setType(mfn, TYPE.none);
      throw refused;
    }
  }
  putType(mfn: number): void {
    const { typeRefs } = this.saved;
    assert(typeRefs[mfn] > 0, `frame ${hexFrame(mfn)} has no user of its type to lose`);
    if (--typeRefs[mfn] > 0) return;
    const type = this.typeOf(mfn);
    if (type === TYPE.writable) return;
    this.rules.invalidate(mfn, type);
    this.setType(mfn, TYPE.none);
  }
  /** Both: of a frame that something refers to. */
  getAs(mfn: number, type: PageType, top = false): void {
    this.get(mfn);
    try {
      this.getType(mfn, type, top);
    } catch (refused) {
      this.put(mfn);
      throw refused;
    }
  }
  putAs(mfn: number): void {
    this.putType(mfn);
    this.put(mfn);
  }

  pin(mfn: number, type: PageType): void {
    const { flags } = this.saved;
    this.need(mfn);
    if (flags[mfn] & PINNED) this.refuse(mfn, 'it is pinned already');
    this.getAs(mfn, type);
    flags[mfn] |= PINNED;
  }
  unpin(mfn: number): void {
    const { flags } = this.saved;
    this.need(mfn);
    if (!(flags[mfn] & PINNED)) this.refuse(mfn, 'it is not pinned');
    flags[mfn] &= ~PINNED;
    this.putAs(mfn);
  }

  private setType(mfn: number, type: PageType): void {
    const from = this.typeOf(mfn);
    if (from === type) return;
    this.saved.types[mfn] = type;
    this.onChange(mfn, from, type);
  }
  private need(mfn: number): void {
    if (!this.owns(mfn))
      throw new HypercallError(ERRNO.EINVAL, `frame ${hexFrame(mfn)} is none of the domain's; it can use only its own`);
  }
  private refuse(mfn: number, rule: string): never {
    const { type, refs, typeRefs, pinned } = this.describe(mfn);
    const use = `type ${type}, ${typeRefs} of type, ${refs} in all${pinned ? ', pinned' : ''}`;
    throw new HypercallError(ERRNO.EINVAL, `frame ${hexFrame(mfn)} (${use}): ${rule}`);
  }

  save(): SavedPages {
    const { refs, types, typeRefs, flags } = this.saved;
    return { refs: refs.slice(), types: types.slice(), typeRefs: typeRefs.slice(), flags: flags.slice() };
  }
  restore(saved: SavedPages): void {
    assert(saved.refs.length === this.frames.frames, 'the snapshot is of a host of this size');
    const { refs, types, typeRefs, flags } = saved;
    this.saved = { refs: refs.slice(), types: types.slice(), typeRefs: typeRefs.slice(), flags: flags.slice() };
  }
  reset(): void {
    this.saved = emptyPages(this.frames.frames);
  }
}

const emptyPages = (frames: number): SavedPages => ({
  refs: new Uint32Array(frames),
  types: new Uint8Array(frames),
  typeRefs: new Uint32Array(frames),
  flags: new Uint8Array(frames),
});

/** Machine address to frame, and where in it. */
export const frameOf = (address: number): { mfn: number; offset: number } => ({
  mfn: Math.floor(address / PAGE_BYTES),
  offset: address % PAGE_BYTES,
});
