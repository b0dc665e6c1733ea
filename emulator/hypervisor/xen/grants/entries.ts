/** Grant entries as they lie in the guest's table: versions 1 and 2 of grant_table.h. The guest writes them at any time. */
import { PAGE_BYTES } from '../../../mmu/physical-memory';
import { Page } from '../page';
import type { MachineFrames } from '../ports';

export type Version = 1 | 2;
export const ENTRY_BYTES = { 1: 8, 2: 16 } as const satisfies Record<Version, number>;
export const ENTRIES_A_FRAME = { 1: PAGE_BYTES / 8, 2: PAGE_BYTES / 16 } as const satisfies Record<Version, number>;
export const STATUSES_A_FRAME = PAGE_BYTES / 2;
/** Pre-populated by whoever builds the domain, and kept when the version changes. */
export const RESERVED_ENTRIES = 8;
export const RESERVED = { CONSOLE: 0, XENSTORE: 1 } as const;

export const GTF = { READONLY: 4, READING: 8, WRITING: 16, SUB_PAGE: 256 } as const;
export const TYPE = { INVALID: 0, PERMIT_ACCESS: 1, ACCEPT_TRANSFER: 2, TRANSITIVE: 3 } as const;
const TYPE_MASK = 3;

/** One reading of an entry. */
export interface Entry {
  type: number;
  readOnly: boolean;
  /** Who may. */
  grantee: number;
  /** mfn; of a transitive one, nothing. */
  frame: number;
  /** What of the page: copies only, unless it is all. */
  part: { offset: number; length: number } | undefined;
  /** Of a transitive grant: whose, and which. */
  through: { domain: number; ref: number } | undefined;
}

/** Where an entry lies, and its status word. */
export interface EntryPlace {
  mfn: number;
  offset: number;
  /** READING and WRITING: in the entry's flags (version 1), or in a page of their own (version 2). */
  status: { mfn: number; offset: number };
}

export function readEntry(memory: MachineFrames, version: Version, { mfn, offset }: EntryPlace): Entry {
  const page = new Page(memory, mfn);
  const flags = page.u16(offset);
  const type = flags & TYPE_MASK;
  const entry = { type, readOnly: (flags & GTF.READONLY) !== 0, grantee: page.u16(offset + 2), part: undefined, through: undefined };
  if (version === 1) return { ...entry, frame: page.u32(offset + 4) };
  if (type === TYPE.TRANSITIVE)
    return { ...entry, frame: 0, through: { domain: page.u16(offset + 4), ref: page.u32(offset + 8) } };
  const part = flags & GTF.SUB_PAGE ? { offset: page.u16(offset + 4), length: page.u16(offset + 6) } : undefined;
  return { ...entry, part, frame: Number(page.u64(offset + 8)) };
} // prettier-ignore

export function writeEntry(memory: MachineFrames, version: Version, { mfn, offset }: EntryPlace, entry: { grantee: number; frame: number }): void {
  const page = new Page(memory, mfn);
  page.setU16(offset + 2, entry.grantee);
  if (version === 1) page.setU32(offset + 4, entry.frame);
  else page.setU64(offset + 8, BigInt(entry.frame));
  page.setU16(offset, TYPE.PERMIT_ACCESS);
} // prettier-ignore

/** Shows the guest who uses its grant. */
export function setStatus(memory: MachineFrames, { status }: EntryPlace, use: { reading: boolean; writing: boolean }): void {
  const page = new Page(memory, status.mfn);
  const bits = (use.reading ? GTF.READING : 0) | (use.writing ? GTF.WRITING : 0);
  page.setU16(status.offset, (page.u16(status.offset) & ~(GTF.READING | GTF.WRITING)) | bits);
} // prettier-ignore

export function describeEntry({ type, readOnly, part, through }: Entry): string {
  if (type === TYPE.INVALID) return 'invalid';
  if (type === TYPE.ACCEPT_TRANSFER) return 'accepts a transfer';
  const what = through ? `grant ${through.ref} of domain ${through.domain}` : part ? `bytes ${part.offset} to ${part.offset + part.length - 1}` : 'the page'; // prettier-ignore
  return `${what}${readOnly ? ', to read' : ''}`;
}
