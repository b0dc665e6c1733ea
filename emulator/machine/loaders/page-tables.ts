/** 4-level page tables for images that are entered in 64-bit mode (SDM vol. 3A section 4.5). */
import { UserError } from '../../util/assert';
import { Structure, hex } from './fields';
import type { Placement } from './placement';

const PRESENT_WRITABLE = 3n;
const LARGE = 0x80n;
const PAGE = 0x1000;
const LARGE_PAGE = 0x20_0000;
const GIB = 0x4000_0000;

/** `gva` canonical and unsigned. */
export interface PageRange {
  gva: bigint;
  gpa: number;
  bytes: number;
}

/** Tables under construction, by index path; a number is a leaf. */
interface Table {
  entries: Map<number, Table | bigint>;
}

const index = (gva: bigint, level: number): number => Number((gva >> BigInt(12 + 9 * level)) & 0x1ffn);

/** Sets the leaf for `gva` at `level` (0: 4 KiB, 1: 2 MiB). False: something else is mapped there already. */
const setLeaf = (root: Table, gva: bigint, level: number, entry: bigint): boolean => {
  let table = root;
  for (let at = 3; at > level; at--) {
    let next = table.entries.get(index(gva, at));
    if (typeof next === 'bigint') return false;
    if (!next) table.entries.set(index(gva, at), (next = { entries: new Map() }));
    table = next;
  }
  const old = table.entries.get(index(gva, level));
  if (old !== undefined) return old === entry;
  table.entries.set(index(gva, level), entry);
  return true;
};

const map = (root: Table, range: PageRange, name: string): void => {
  const skew = range.gpa % PAGE;
  if (Number(range.gva & BigInt(PAGE - 1)) !== skew)
    throw new UserError(
      `${name}: p_vaddr ${hex(range.gva)} and p_paddr ${hex(range.gpa)} of a program header differ within a page, so that no page table can map one to the other; link it page-aligned.`,
    );
  let gva = range.gva - BigInt(skew);
  let gpa = range.gpa - skew;
  const end = range.gpa + range.bytes;
  while (gpa < end) {
    const large = gpa % LARGE_PAGE === 0 && Number(gva & BigInt(LARGE_PAGE - 1)) === 0 && gpa + LARGE_PAGE <= end;
    const entry = BigInt(gpa) | PRESENT_WRITABLE | (large ? LARGE : 0n);
    if (!setLeaf(root, gva, large ? 1 : 0, entry))
      throw new UserError(
        `${name}: p_vaddr ${hex(gva)} of a program header is wanted for two different pages; link it so that no two segments share one.`,
      );
    gpa += large ? LARGE_PAGE : PAGE;
    gva += BigInt(large ? LARGE_PAGE : PAGE);
  }
};

const collect = (table: Table, all: Table[]): Table[] => {
  all.push(table);
  for (const entry of table.entries.values()) if (typeof entry !== 'bigint') collect(entry, all);
  return all;
};

/**
 * Maps the first `gib` GiB to themselves with 2 MiB pages and `ranges` besides; every page writable, executable and
 * for the supervisor. Places the tables below 4 GiB and returns the address of the root.
 */
export const placePageTables = (placement: Placement, gib: number, ranges: readonly PageRange[] = []): number => {
  const root: Table = { entries: new Map() };
  map(root, { gva: 0n, gpa: 0, bytes: gib * GIB }, placement.name);
  for (const range of ranges) map(root, range, placement.name);
  const tables = collect(root, []);
  const bytes = new Structure(tables.length * PAGE);
  const base = placement.place('page tables', bytes.bytes, { align: PAGE });
  // `place` keeps the buffer, so that the tables can be filled in now that their address is known.
  const addressOf = new Map(tables.map((table, i) => [table, base + i * PAGE]));
  tables.forEach((table, i) => {
    for (const [at, entry] of table.entries)
      bytes.u64(
        i * PAGE + at * 8,
        typeof entry === 'bigint' ? entry : BigInt(addressOf.get(entry)!) | PRESENT_WRITABLE,
      );
  });
  return base;
};
