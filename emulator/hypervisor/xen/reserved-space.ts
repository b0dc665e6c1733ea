/**
 * The hypervisor's part of every address space of a domain, at the top in 32-bit guests and in the middle of the upper half in 64-bit
 * ones: the table from machine frames to the guest's own, which guests read, and what the processor reads on its behalf and
 * guests cannot (GDT, LDT, IDT and TSS of each virtual processor). Always mapped, so that no entry into the hypervisor changes
 * CR3. The table shows a domain its own frames only.
 */
import { ENTRY } from '../../mmu/guest-paging';
import { PAGE_BYTES } from '../../mmu/physical-memory';
import { assert } from '../../util/assert';
import type { Reservation } from '../frames';
import { FIRST_RESERVED_GDT_BYTE, RESERVED, RESERVED_L2, RESERVED_L4 } from './abi';
import type { HostFrames } from './machine-frames';
import { ENTRIES } from './typed-pages';

/** Pages of a virtual processor's area, and what lies where in it. */
const AREA_PAGES = 64;
export const AREA = { GDT: 0, LDT: 16, IDT: 32, TSS: 33 } as const;
/** 4-level: entry 4 of the hypervisor's. PAE: behind the table. */
const AREAS = { 8: 0xffff_8200_0000_0000n, 4: 0xf680_0000n } as const;
const AREAS_L4 = 4;
const AREAS_L2 = 8;
const RIGHTS = { table: ENTRY.P | ENTRY.W | ENTRY.U | ENTRY.A, own: ENTRY.P | ENTRY.W | ENTRY.A | ENTRY.D } as const;
const READ_ONLY = { 8: ENTRY.P | ENTRY.U | ENTRY.A, 4: ENTRY.P | ENTRY.A } as const;
const NX = 1n << 63n;
/** What the table says of frames that are not the domain's. */
const NOBODY = { 8: 0xffff_ffff_ffff_ffffn, 4: 0xffff_ffffn } as const;

/** Flat segments, by index from FIRST_RESERVED_GDT_ENTRY on (arch-x86/xen-x86_32.h, xen-x86_64.h). */
const LAST_32 = Number((RESERVED[4].m2pEnd >> 12n) - 1n);
const flat = (attributes: number, limit = 0xf_ffff): bigint =>
  BigInt(limit & 0xffff) |
  (BigInt(attributes & 0xff) << 40n) |
  (BigInt(((limit >> 16) & 15) | ((attributes >> 8) & 0xf0)) << 48n);
const SEGMENTS = {
  8: { 4: flat(0xc0fb), 5: flat(0xc0f3), 6: flat(0xa0fb) },
  4: { 3: flat(0xc0bb, LAST_32), 4: flat(0xc0b3, LAST_32), 5: flat(0xc0fb, LAST_32), 6: flat(0xc0f3, LAST_32) },
} as const; // prettier-ignore

/** Some of it is the hypervisor's. */
export const inReserved = (word: 4 | 8, gva: bigint, bytes: number): boolean =>
  gva < RESERVED[word].end && gva + BigInt(bytes) > RESERVED[word].start;

export class ReservedSpace {
  /** Entries for the reserved places of a root (4-level) or of the top L2 (PAE). */
  readonly entries: bigint[];
  /** First-level tables of the areas. */
  private readonly areas: number;
  private readonly m2p: number[] = [];
  private readonly segments: number;
  private readonly taken: number[] = [];

  constructor(
    private readonly frames: HostFrames,
    private readonly reservation: Reservation,
    private readonly word: 4 | 8,
  ) {
    const reserved = word === 8 ? RESERVED_L4 : RESERVED_L2;
    this.entries = new Array<bigint>(reserved.last - reserved.first + 1).fill(0n);
    this.areas = this.frame();
    this.segments = this.frame();
    for (const [index, descriptor] of Object.entries(SEGMENTS[word]))
      frames.write64(this.segments, Number(index) * 8, descriptor);
    const m2p = this.mapTable();
    if (word === 8) {
      this.entries[0] = this.table(this.over([this.over(m2p)]));
      this.entries[AREAS_L4] = this.table(this.over([this.over([this.areas])]));
    } else {
      m2p.forEach((l1, i) => (this.entries[i] = this.table(l1) & ~BigInt(ENTRY.U)));
      this.entries[AREAS_L2] = this.table(this.areas) & ~BigInt(ENTRY.U);
    }
  }
  /** A frame of the hypervisor's own for this domain, filled with zeros. */
  frame(): number {
    const mfn = this.reservation.take();
    assert(mfn !== undefined, 'the hypervisor has reserved frames for its part of a domain');
    this.taken.push(mfn);
    return mfn;
  }
  has(mfn: number): boolean {
    return this.taken.includes(mfn);
  }
  giveFrame(mfn: number): void {
    const at = this.taken.indexOf(mfn);
    assert(at >= 0, `frame ${mfn} is one of the hypervisor's for this domain`);
    this.taken.splice(at, 1);
    this.reservation.give(mfn);
  }
  /** What the frames hold, in the order in which they were taken; a space that is made anew takes the same. */
  save(): Uint8Array {
    const out = new Uint8Array(this.taken.length * PAGE_BYTES);
    this.taken.forEach((mfn, i) => out.set(this.frames.readBytes(mfn, 0, PAGE_BYTES), i * PAGE_BYTES));
    return out;
  }
  restore(content: Uint8Array): void {
    while (this.taken.length * PAGE_BYTES < content.length) this.frame();
    assert(content.length === this.taken.length * PAGE_BYTES, 'the snapshot is of a domain of this size');
    this.taken.forEach((mfn, i) =>
      this.frames.writeBytes(mfn, 0, content.subarray(i * PAGE_BYTES, (i + 1) * PAGE_BYTES)),
    );
  }
  release(): void {
    for (let mfn = this.taken.pop(); mfn !== undefined; mfn = this.taken.pop()) this.reservation.give(mfn);
  }
  private table(mfn: number): bigint {
    return (BigInt(mfn) << 12n) | BigInt(RIGHTS.table);
  }
  /** A table of these tables. */
  private over(tables: readonly number[]): number {
    const mfn = this.frame();
    tables.forEach((table, i) => this.frames.write64(mfn, i * 8, this.table(table)));
    return mfn;
  }
  /** The first-level tables that map the table of machine frames. */
  private mapTable(): number[] {
    const pages = Math.ceil((this.frames.frames * this.word) / PAGE_BYTES);
    const tables: number[] = [];
    for (let i = 0; i < pages; i++) {
      const mfn = this.frame();
      this.frames.writeBytes(mfn, 0, new Uint8Array(PAGE_BYTES).fill(0xff));
      this.m2p.push(mfn);
      if (i % ENTRIES === 0) tables.push(this.frame());
      this.frames.write64(tables.at(-1)!, (i % ENTRIES) * 8, (BigInt(mfn) << 12n) | BigInt(READ_ONLY[this.word]) | NX);
    }
    return tables;
  }

  /** What the guest calls a machine frame of its own; undefined: it is none of its. */
  setGuestFrame(mfn: number, pfn: bigint | undefined): void {
    const at = mfn * this.word;
    const value = pfn ?? NOBODY[this.word];
    const page = this.m2p[Math.floor(at / PAGE_BYTES)];
    if (this.word === 8) this.frames.write64(page, at % PAGE_BYTES, value);
    else this.frames.write(page, at % PAGE_BYTES, 4, Number(value & 0xffff_ffffn));
  }
  guestFrame(mfn: number): bigint | undefined {
    const at = mfn * this.word;
    const page = this.m2p[Math.floor(at / PAGE_BYTES)];
    const value =
      this.word === 8 ? this.frames.read64(page, at % PAGE_BYTES) : BigInt(this.frames.read(page, at % PAGE_BYTES, 4));
    return value === NOBODY[this.word] ? undefined : value;
  }

  /** Linear address of a page of a virtual processor's area. */
  address(vcpu: number, page: number): bigint {
    return AREAS[this.word] + BigInt((vcpu * AREA_PAGES + page) * PAGE_BYTES);
  }
  /** The page shows this frame, or nothing. */
  map(vcpu: number, page: number, mfn: number | undefined): void {
    const entry = mfn === undefined ? 0n : (BigInt(mfn) << 12n) | BigInt(RIGHTS.own) | NX;
    this.frames.write64(this.areas, (vcpu * AREA_PAGES + page) * 8, entry);
  }
  /** A frame of the hypervisor's own, there. */
  mapOwn(vcpu: number, page: number): number {
    const mfn = this.frame();
    this.map(vcpu, page, mfn);
    return mfn;
  }
  /** The frame that a page shows. */
  mapped(vcpu: number, page: number): number {
    return Number(this.frames.read64(this.areas, (vcpu * AREA_PAGES + page) * 8) >> 12n) & 0xff_ffff;
  }
  /** The hypervisor's part of a virtual processor's GDT. */
  mapSegments(vcpu: number): void {
    this.map(vcpu, AREA.GDT + FIRST_RESERVED_GDT_BYTE / PAGE_BYTES, this.segments);
  }
}
