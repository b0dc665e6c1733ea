/**
 * A domain's grant table: what it lets others do with its pages, and who does. The entries are the guest's; which of them
 * are in use, by whom and how often, is known here, and a page in use keeps its owner and its type.
 */
import { PAGE_BYTES } from '../../../mmu/physical-memory';
import { assert } from '../../../util/assert';
import { refuse } from '../errno';
import { HypercallError } from '../ports';
import type { XenDomain } from '../ports';
import { ENTRIES_A_FRAME, ENTRY_BYTES, RESERVED_ENTRIES, STATUSES_A_FRAME, TYPE, describeEntry, readEntry, setStatus, writeEntry } from './entries'; // prettier-ignore
import type { Entry, EntryPlace, Version } from './entries';
import { deny } from './status';

/** As Xen's default, and one frame to begin with. */
export const MAX_FRAMES = 64;

/** One use of a grant. */
export interface Use {
  /** The domain that uses it. */
  domain: number;
  /** For people: a mapping, a copy, a back end. */
  how: string;
  writable: boolean;
}
/** What was granted when the first use began: later changes of the entry concern nobody. */
interface Active {
  ref: number;
  mfn: number;
  uses: Use[];
}

/** Frames that the hypervisor shares with the domain: the domain may map them writable, they are never its own to give. */
export interface SharedFrames {
  /** Filled with zeros; undefined: no memory is left. */
  take(): number | undefined;
  give(mfn: number): void;
}

export interface GrantTableSaved {
  version: Version;
  frames: number[];
  statusFrames: number[];
  active: Active[];
}

export class GrantTable {
  version: Version = 1;
  private readonly frames: number[] = [];
  private readonly statusFrames: number[] = [];
  private readonly active = new Map<number, Active>();

  constructor(
    readonly domain: XenDomain,
    private readonly shared: SharedFrames,
    /** For transitive grants. */
    private readonly peer: (domid: number) => GrantTable | undefined,
  ) {}

  /** mfns; at least `frames` of them from now on. GrantError: more than there may be. */
  grow(frames: number): readonly number[] {
    if (frames > MAX_FRAMES) deny('general_error', `a grant table has at most ${MAX_FRAMES} frames, not ${frames}`);
    this.extend(this.frames, frames);
    if (this.version === 2) this.extend(this.statusFrames, this.statusFramesNeeded);
    return this.frames;
  }
  get size(): number {
    return this.frames.length;
  }
  /** mfns; none under version 1. */
  get status(): readonly number[] {
    return this.version === 2 ? this.statusFrames : [];
  }
  private get statusFramesNeeded(): number {
    return Math.ceil((this.frames.length * ENTRIES_A_FRAME[2]) / STATUSES_A_FRAME);
  }
  private extend(list: number[], length: number): void {
    while (list.length < length) list.push(this.shared.take() ?? deny('no_space', 'the host has no memory left for grant frames')); // prettier-ignore
  }

  /** All entries but the reserved ones are lost. HypercallError: something is in use. */
  setVersion(version: Version): void {
    if (version === this.version) return;
    const used = [...this.active.keys()].filter((ref) => ref >= RESERVED_ENTRIES);
    if (used.length > 0) refuse('EBUSY', `grant ${used[0]} is in use, so that the table cannot change its version`);
    const { memory } = this.domain;
    this.grow(1);
    if (version === 2) this.extend(this.statusFrames, this.statusFramesNeeded);
    const kept = Array.from({ length: RESERVED_ENTRIES }, (_, ref) => readEntry(memory, this.version, this.place(ref)));
    for (const mfn of [...this.frames, ...this.statusFrames]) memory.writeBytes(mfn, 0, new Uint8Array(PAGE_BYTES));
    this.version = version;
    kept.forEach((entry, ref) => {
      if (entry.type !== TYPE.PERMIT_ACCESS) return;
      writeEntry(memory, version, this.place(ref), entry);
      this.show(ref);
    });
  }
  /** For the domain builder. */
  prepare(ref: number, grantee: number, frame: number): void {
    this.grow(1);
    writeEntry(this.domain.memory, this.version, this.place(ref), { grantee, frame });
  }

  /**
   * A use begins: the frame, and which part of it. GrantError: why it was not granted. `copy`: parts of pages and grants
   * of grants are for copies only.
   */
  acquire(ref: number, use: Use, copy = false): { mfn: number; offset: number; length: number; release: () => void } {
    const entry = this.checked(ref, use);
    if (!copy && (entry.part || entry.through)) deny('general_error', `grant ${ref} is ${describeEntry(entry)}: for copies only`); // prettier-ignore
    if (entry.through) return this.acquireThrough(ref, entry.through, use);
    const { offset, length } = entry.part ?? { offset: 0, length: PAGE_BYTES };
    if (offset + length > PAGE_BYTES) deny('general_error', `grant ${ref} goes beyond the end of its page`);
    const active = this.active.get(ref);
    if (active && active.uses[0]!.domain !== use.domain)
      deny('general_error', `grant ${ref} is in use by domain ${active.uses[0]!.domain}`);
    const mfn = active?.mfn ?? entry.frame;
    try {
      this.domain.getFrame(mfn, use.writable);
    } catch (error) {
      if (!(error instanceof HypercallError)) throw error;
      deny('general_error', `grant ${ref} of domain ${this.domain.id}: ${error.message}`);
    }
    if (active) active.uses.push(use);
    else this.active.set(ref, { ref, mfn, uses: [use] });
    this.show(ref);
    return { mfn, offset, length, release: () => this.release(ref, use) };
  }
  /** A use ends: one like it. */
  release(ref: number, use: Use): void {
    const active = this.active.get(ref);
    const at = active?.uses.findIndex((one) => one.domain === use.domain && one.how === use.how && one.writable === use.writable) ?? -1; // prettier-ignore
    assert(active && at >= 0, `grant ${ref} of domain ${this.domain.id} has no use ${use.how} by domain ${use.domain}`);
    active.uses.splice(at, 1);
    if (active.uses.length === 0) this.active.delete(ref);
    this.domain.putFrame(active.mfn, use.writable);
    this.show(ref, active.uses);
  }

  private acquireThrough(ref: number, { domain, ref: further }: { domain: number; ref: number }, use: Use): ReturnType<GrantTable['acquire']> {
    const peer = domain === this.domain.id ? undefined : this.peer(domain);
    if (!peer) deny('general_error', `grant ${ref} of domain ${this.domain.id} names domain ${domain}, which is not there`);
    // One step only: the grant that is named has to be a page, given to the one that names it.
    const entry = peer.checked(further, { ...use, domain: this.domain.id });
    if (entry.through) deny('general_error', `grant ${further} of domain ${domain} is ${describeEntry(entry)}: one step is allowed`);
    return peer.acquire(further, { ...use, domain: this.domain.id }, true);
  } // prettier-ignore
  private checked(ref: number, use: Use): Entry {
    const place = this.placeOf(ref);
    if (!place) deny('bad_gntref', `domain ${this.domain.id} has no grant ${ref}`);
    const entry = readEntry(this.domain.memory, this.version, place);
    if (entry.type !== TYPE.PERMIT_ACCESS && !entry.through) deny('general_error', `grant ${ref} of domain ${this.domain.id} is ${describeEntry(entry)}`); // prettier-ignore
    if (entry.grantee !== use.domain) deny('general_error', `grant ${ref} is for domain ${entry.grantee}, not for domain ${use.domain}`); // prettier-ignore
    if (entry.readOnly && use.writable) deny('general_error', `grant ${ref} of domain ${this.domain.id} is to be read only`); // prettier-ignore
    return entry;
  }
  private show(ref: number, uses = this.active.get(ref)?.uses ?? []): void {
    setStatus(this.domain.memory, this.place(ref), { reading: uses.length > 0, writing: uses.some(({ writable }) => writable) }); // prettier-ignore
  }
  private placeOf(ref: number): EntryPlace | undefined {
    return ref < this.frames.length * ENTRIES_A_FRAME[this.version] ? this.place(ref) : undefined;
  }
  private place(ref: number): EntryPlace {
    const { version, frames, statusFrames } = this;
    const count = ENTRIES_A_FRAME[version];
    const where = { mfn: frames[Math.floor(ref / count)]!, offset: (ref % count) * ENTRY_BYTES[version] };
    const status = { mfn: statusFrames[Math.floor(ref / STATUSES_A_FRAME)]!, offset: (ref % STATUSES_A_FRAME) * 2 };
    return { ...where, status: version === 1 ? where : status };
  }
  /** Two entries that nobody uses change places. GrantError. */
  swap(a: number, b: number): void {
    const places = [a, b].map((ref) => this.placeOf(ref) ?? deny('bad_gntref', `there is no grant ${ref}`));
    const busy = [a, b].find((ref) => this.active.has(ref));
    if (busy !== undefined) deny('eagain', `grant ${busy} is in use`);
    const bytes = ENTRY_BYTES[this.version];
    const [first, second] = places.map(({ mfn, offset }) => this.domain.memory.readBytes(mfn, offset, bytes));
    this.domain.memory.writeBytes(places[0]!.mfn, places[0]!.offset, second!);
    this.domain.memory.writeBytes(places[1]!.mfn, places[1]!.offset, first!);
  }

  /** Somebody uses a page of the domain: it cannot end yet. */
  get inUse(): boolean {
    return this.active.size > 0;
  }
  /** The domain ends: its frames go back. Nobody may use a grant of it any more. */
  dissolve(): void {
    assert(!this.inUse, `grants of domain ${this.domain.id} are in use`);
    for (const mfn of [...this.frames, ...this.statusFrames]) this.shared.give(mfn);
    this.frames.length = this.statusFrames.length = 0;
    this.version = 1;
  }
  inspect(): { version: Version; frames: number[]; grants: GrantView[] } {
    const grants: GrantView[] = [];
    const count = this.frames.length * ENTRIES_A_FRAME[this.version];
    for (let ref = 0; ref < count; ref++) {
      const entry = readEntry(this.domain.memory, this.version, this.place(ref));
      const active = this.active.get(ref);
      if (entry.type === TYPE.INVALID && !active) continue;
      grants.push({ ref, what: describeEntry(entry), grantee: entry.grantee, frame: active?.mfn ?? entry.frame, uses: active?.uses.map((use) => ({ ...use })) ?? [] }); // prettier-ignore
    }
    return { version: this.version, frames: [...this.frames], grants };
  }
  save(): GrantTableSaved {
    const active = [...this.active.values()].sort((a, b) => a.ref - b.ref);
    return {
      version: this.version,
      frames: [...this.frames],
      statusFrames: [...this.statusFrames],
      active: active.map((one) => ({ ...one, uses: one.uses.map((use) => ({ ...use })) })),
    };
  }
  /** Users of frames are restored with the frames. */
  restore(saved: GrantTableSaved): void {
    this.version = saved.version;
    this.frames.splice(0, this.frames.length, ...saved.frames);
    this.statusFrames.splice(0, this.statusFrames.length, ...saved.statusFrames);
    this.active.clear();
    for (const one of saved.active) this.active.set(one.ref, { ...one, uses: one.uses.map((use) => ({ ...use })) });
  }
}

export interface GrantView {
  ref: number;
  what: string;
  grantee: number;
  frame: number;
  uses: Use[];
}
