/**
 * Shadow tables as they lie in host frames: entries in the format that the physical processor walks (SDM vol. 3A 4.4, 4.5).
 * 64-bit guests get four levels; all others the PAE form, which alone of the 32-bit forms has room for host addresses
 * above 4 GiB and a no-execute bit. Only 4 KiB leaves: a guest's large page is scattered over host frames.
 */
import { ENTRY, NO_EXECUTE } from '../../mmu/guest-paging';
import { PAGE_BYTES } from '../../mmu/physical-memory';
import type { PhysicalMemory } from '../../mmu/physical-memory';
import type { Reservation } from '../frames';

export type ShadowForm = 'PAE' | '4-level';
const INDEX_BITS = 9;
const ENTRIES = 512;
/** Shifts of the levels that lie in memory, from the root down. */
const SHIFTS: Record<ShadowForm, readonly number[]> = { PAE: [30, 21, 12], '4-level': [39, 30, 21, 12] };
/** Tables allow everything; leaves decide. */
const TABLE = ENTRY.P | ENTRY.W | ENTRY.U | ENTRY.A;

/** The shadow tables of one guest address space. Addresses `va`: the low 48 bits of a gva, as a number. */
export class ShadowTables {
  /** Host frame of the root. */
  readonly root: number;
  private readonly frames: number[] = [];

  /** Undefined root: no frame was left. `onLeafGone`: word index (PhysicalMemory.words) and low word of a leaf that goes. */
  constructor(
    readonly form: ShadowForm,
    private readonly host: PhysicalMemory,
    private readonly reservation: Reservation,
    private readonly onLeafGone: (word: number, low: number, high: number) => void,
  ) {
    this.root = this.newTable();
    // The four PDPTEs live in registers: their tables must be there when CR3 is loaded.
    if (form === 'PAE' && this.root >= 0)
      for (let i = 0; i < 4; i++) this.link(this.wordOf(this.root, i), this.newTable(), ENTRY.P);
  }
  get frameCount(): number {
    return this.frames.length;
  }
  holds(frame: number): boolean {
    return this.frames.includes(frame);
  }
  /** The root as CR3 names it. */
  get hpa(): number {
    return this.root * PAGE_BYTES;
  }
  /** PAE: what the PDPTE registers hold. */
  get pdptes(): readonly bigint[] {
    return [0, 1, 2, 3].map((i) => BigInt(this.host.words[this.wordOf(this.root, i)] >>> 0));
  }

  private newTable(): number {
    const frame = this.reservation.take() ?? -1;
    if (frame >= 0) this.frames.push(frame);
    return frame;
  }
  private wordOf(frame: number, index: number): number {
    return (this.host.base + frame * PAGE_BYTES + index * 8) >>> 2;
  }
  private link(word: number, frame: number, bits: number): void {
    if (frame < 0) return;
    this.host.words[word] = frame * PAGE_BYTES + bits;
    this.host.words[word + 1] = Math.floor((frame * PAGE_BYTES) / 0x1_0000_0000);
  }
  private frameAt(word: number): number {
    const { words } = this.host;
    return Math.floor(((words[word + 1] & 0xf_ffff) * 0x1_0000_0000 + ((words[word] & -4096) >>> 0)) / PAGE_BYTES);
  }

  /** Where the leaf for `va` lies (word index); tables on the way are made if asked for. -1: absent, or no frame left. */
  leaf(va: number, make: boolean): number {
    return this.entry(va, 12, make);
  }
  /** The entry whose range is 2**shift bytes. */
  private entry(va: number, shift: number, make: boolean): number {
    let frame = this.root;
    for (const level of SHIFTS[this.form]) {
      const word = this.wordOf(
        frame,
        Math.floor(va / 2 ** level) % (level === 30 && this.form === 'PAE' ? 4 : ENTRIES),
      );
      if (level === shift) return word;
      if (!(this.host.words[word] & ENTRY.P)) {
        const table = make ? this.newTable() : -1;
        if (table < 0) return -1;
        this.link(word, table, TABLE);
      }
      frame = this.frameAt(word);
    }
    return -1;
  }

  set(word: number, hpa: number, rights: { write: boolean; user: boolean; execute: boolean }): void {
    const { words } = this.host;
    const bits = ENTRY.P | ENTRY.A | (rights.write ? ENTRY.W | ENTRY.D : 0) | (rights.user ? ENTRY.U : 0);
    words[word] = (hpa | 0) + bits;
    words[word + 1] = Math.floor(hpa / 0x1_0000_0000) | (rights.execute ? 0 : NO_EXECUTE);
  }
  /** Nothing is mapped any more in the 2**shift bytes at `va`. */
  clear(va: number, shift: number): void {
    if (shift === 22) {
      this.clear(va, 21);
      this.clear(va + 2 ** 21, 21);
      return;
    }
    const word = this.entry(va, shift, false);
    if (word >= 0 && this.host.words[word] & ENTRY.P) this.drop(word, shift);
  }
  private drop(word: number, shift: number): void {
    const { words } = this.host;
    if (shift === 12) {
      this.onLeafGone(word, words[word], words[word + 1]);
    } else {
      const frame = this.frameAt(word);
      for (let i = 0; i < ENTRIES; i++) {
        const below = this.wordOf(frame, i);
        if (words[below] & ENTRY.P) this.drop(below, shift - INDEX_BITS);
      }
      // PAE's page directories stay: registers name them.
      if (shift === 30 && this.form === 'PAE') return;
      this.frames.splice(this.frames.indexOf(frame), 1);
      this.reservation.give(frame);
    }
    words[word] = words[word + 1] = 0;
  }

  /** Every leaf: its `va` and where it lies. */
  *leaves(): Generator<{ va: number; word: number }> {
    yield* this.below(this.root, 0, 0);
  }
  private *below(frame: number, depth: number, base: number): Generator<{ va: number; word: number }> {
    const shifts = SHIFTS[this.form];
    const count = depth === 0 && this.form === 'PAE' ? 4 : ENTRIES;
    for (let i = 0; i < count; i++) {
      const word = this.wordOf(frame, i);
      if (!(this.host.words[word] & ENTRY.P)) continue;
      const va = base + i * 2 ** shifts[depth];
      if (depth === shifts.length - 1) yield { va, word };
      else yield* this.below(this.frameAt(word), depth + 1, va);
    }
  }

  /** Nothing is mapped any more. */
  empty(): void {
    const [top] = SHIFTS[this.form];
    for (let i = 0; i < (this.form === 'PAE' ? 4 : ENTRIES); i++) this.clear(i * 2 ** top, top);
  }
  /** All frames go back. */
  dissolve(): void {
    for (const { word } of this.leaves()) this.onLeafGone(word, this.host.words[word], this.host.words[word + 1]);
    for (const frame of this.frames) this.reservation.give(frame);
    this.frames.length = 0;
  }
}

/** Host-physical address that a leaf names. */
export const leafTarget = (low: number, high: number): number =>
  (high & 0xf_ffff) * 0x1_0000_0000 + ((low & -4096) >>> 0);
