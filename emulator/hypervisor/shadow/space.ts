/** One guest address space under shadow paging: its shadow tables, and which guest tables they were built from. */
import type { PagingContext } from '../../mmu/guest-paging';
import { NO_PAGING } from '../../mmu/guest-paging';
import type { ShadowTables } from './tables';

/** A guest table in use: it covers the range of `va` on, and each of its entries 2**shift bytes of it. */
export interface Use {
  readonly space: Space;
  readonly va: number;
  readonly shift: number;
}

/** 2**shift bytes from `va` on. */
export interface Range {
  readonly va: number;
  readonly shift: number;
}

export interface Space {
  readonly key: string;
  readonly context: PagingContext;
  readonly tables: ShadowTables;
  /** By `placeOf`: page of the guest table there. */
  readonly uses: Map<string, { page: number; use: Use }>;
  /** Of translated code: where this space may lead elsewhere than when the code was read. */
  stale: Range[];
  /** So many pages of translated code had begun (TranslationCache.begun) when it was last in force; NONE: it knows of none. */
  seen: number;
}

export const NONE = -1;

/** Code that is kept apart from the pages that it was read from. */
export interface CodeKept {
  /** Pages that have begun to have some. */
  readonly begun: number;
  /** Whether some was read from the 2**shift bytes at `va`, in whatever space. */
  holds(va: number, shift: number): boolean;
  /** A space is about to be in force that may lead elsewhere in these ranges, and knows nothing of pages that begun `since`. */
  verify(context: PagingContext, stale: readonly Range[], since: number): void;
}

/** The low 48 bits as a number. */
export const vaOf = (gva: bigint): number => Number(BigInt.asUintN(48, gva));
export const gvaOf = (va: number, wide: boolean): bigint =>
  wide ? BigInt.asUintN(64, BigInt.asIntN(48, BigInt(va))) : BigInt(va);

export const placeOf = (va: number, shift: number): string => `${shift}:${va}`;

/** Quickly, of contexts whose formats are one object: false where keys have to be compared. */
export function sameSpace(a: PagingContext, b: PagingContext): boolean {
  if (a.format !== b.format || a.root !== b.root || a.writeProtect !== b.writeProtect) return false;
  return a.format.name !== 'PAE' || a.pdptes.every((word, i) => word === b.pdptes[i]);
}

/** What makes two address spaces different: the root, the format, and rules that decide what a leaf may allow. */
export function keyOf(context: PagingContext): string {
  const { format, root, pdptes, writeProtect } = context;
  if (format === NO_PAGING) return 'none';
  const rules = `${format.name}/${format.noExecuteMask}/${format.levels.map((l) => Number(l.large)).join('')}/${writeProtect}`;
  return format.name === 'PAE' ? `${rules}/${root}/${pdptes.join()}` : `${rules}/${root}`;
}
