/**
 * The second-stage tables of a domain, NPT or EPT: its guest-physical memory, mapped to the host
 * frames that hold it, by large pages where runs of frames allow it. What is no RAM is absent, so that a touch leaves.
 * A cache of the map of memory: built when it is first needed, and anew when what lies where has changed.
 */
import { EPT, eptContext, EPTP } from '../mmu/ept';
import { ENTRY, nptContext } from '../mmu/guest-paging';
import type { PagingContext } from '../mmu/guest-paging';
import { PAGE_BYTES } from '../mmu/physical-memory';
import type { PhysicalMemory } from '../mmu/physical-memory';
import { assert } from '../util/assert';
import type { Reservation } from './frames';

const LARGE_BYTES = 0x20_0000;
const ENTRIES = 512;

/** Bits of an entry that allows everything: of one that points to a table, and of a leaf. */
export interface NestedFormat {
  readonly table: number;
  readonly leaf: number;
  /** How the processor walks them. */
  context(root: number): PagingContext;
}
const RIGHTS = ENTRY.P | ENTRY.W | ENTRY.U | ENTRY.A;
/** The processor's own format, entered as a user (APM vol. 2 15.25.5). */
export const NPT: NestedFormat = { table: RIGHTS, leaf: RIGHTS | ENTRY.D, context: nptContext };
const ALL = EPT.R | EPT.W | EPT.X;
export const EPT_FORMAT: NestedFormat = {
  table: ALL,
  leaf: ALL | EPT.WRITE_BACK,
  context: (root) => eptContext(BigInt(root | EPTP.LENGTH_4 | EPTP.WRITE_BACK)),
};
/** The same bit in both. */
const LARGE = ENTRY.PS;

export class NestedPaging {
  private root = -1;
  private readonly frames: number[] = [];

  /** `flush`: the processor forgets what it translated by these tables. */
  constructor(
    private readonly host: PhysicalMemory,
    private readonly guest: PhysicalMemory,
    private readonly reservation: Reservation,
    private readonly format: NestedFormat,
    private readonly flush: () => void,
  ) {
    guest.observe({ remapped: () => this.drop(), protected: () => {} });
  }

  /** Host-physical address of the root, built if need be. */
  get hpa(): number {
    if (this.root < 0) this.build();
    return this.root * PAGE_BYTES;
  }
  /** As a debugger sees them: nothing is built. Undefined: there are none now. */
  get context(): PagingContext | undefined {
    if (this.root < 0) return undefined;
    return this.format.context(this.root * PAGE_BYTES);
  }
  holds(frame: number): boolean {
    return this.frames.includes(frame);
  }
  private drop(): void {
    if (this.root < 0) return;
    this.root = -1;
    for (const frame of this.frames) this.reservation.give(frame);
    this.frames.length = 0;
    this.flush();
  }

  private build(): void {
    this.root = this.newTable();
    const { lowBytes, highBytes } = this.guest;
    for (const [first, bytes] of [
      [0, lowBytes],
      [2 ** 32, highBytes],
    ])
      for (let gpa = first; gpa < first + bytes; gpa += LARGE_BYTES) this.mapRun(gpa);
  }
  private mapRun(gpa: number): void {
    const hpa = this.guest.hpa(gpa);
    let whole = hpa % LARGE_BYTES === 0;
    for (let at = 0; whole && at < LARGE_BYTES; at += PAGE_BYTES)
      whole = this.guest.isRam(gpa + at) && this.guest.hpa(gpa + at) === hpa + at;
    if (whole) {
      this.write(this.entry(gpa, 21), hpa, this.format.leaf | LARGE);
      return;
    }
    for (let at = 0; at < LARGE_BYTES; at += PAGE_BYTES)
      if (this.guest.isRam(gpa + at)) this.write(this.entry(gpa + at, 12), this.guest.hpa(gpa + at), this.format.leaf);
  }

  private newTable(): number {
    const frame = this.reservation.take();
    assert(frame !== undefined, 'second-stage tables fit their reservation');
    this.frames.push(frame);
    return frame;
  }
  /** Where the entry for `gpa` at a level lies (word index); tables on the way are made. */
  private entry(gpa: number, shift: number): number {
    let frame = this.root;
    for (const level of [39, 30, 21, 12]) {
      const word = (this.host.base + frame * PAGE_BYTES + (Math.floor(gpa / 2 ** level) % ENTRIES) * 8) >>> 2;
      if (level === shift) return word;
      if (!(this.host.words[word] & ENTRY.P)) this.write(word, this.newTable() * PAGE_BYTES, this.format.table);
      frame = Math.floor(this.target(word) / PAGE_BYTES);
    }
    return assert(false, 'no level has this size') as never;
  }
  private target(word: number): number {
    const { words } = this.host;
    return (words[word + 1] & 0xf_ffff) * 0x1_0000_0000 + ((words[word] & -4096) >>> 0);
  }
  private write(word: number, hpa: number, bits: number): void {
    this.host.words[word] = (hpa | 0) + bits;
    this.host.words[word + 1] = Math.floor(hpa / 0x1_0000_0000);
  }
}
