/** The lines of a tree of page tables: what is open, what is read of it, what the walk passes. Knows neither the DOM nor DAP. */
import type { CustomRequests } from '../../debug-adapter/protocol';
import { translate } from './l10n';
import { hex, pageBytes, rows, size, type Entry, type Row } from './page-table.model';
import { key, lettersOf, targetOf, type TableKind } from './walk.model';

export type Table = CustomRequests['ringside/pageTables']['body'];
/** Where a structure lies. */
export type Place = { gpa?: number; hpa?: number; level: number };
export interface Answer {
  table?: Table;
  error?: string;
}
/** By path: indices of entries from the root on, so that a place in the tree is the same at the next stop. The root's is empty. */
export type Read = ReadonlyMap<string, Answer>;

export interface Line {
  path: string;
  /** From 0 on. */
  depth: number;
  /** Absent: a note about the structure above. */
  row?: Row;
  note?: string;
  /** Something can be opened below. */
  branch: boolean;
  open: boolean;
  /** On the way of the walk that is shown. */
  walked: boolean;
}

export const pathOf = (above: string, { first }: Row): string => `${above}/${first.index}`;

/** It leads to a structure that can be looked at. */
export const isBranch = ({ first, count }: Row): boolean => count === 1 && !first.leaf && first.gone !== true;

/** One of its entries is on the way of the walk. */
export const isWalked = (tables: TableKind, walked: ReadonlySet<string>, { first, count }: Row): boolean =>
  Array.from({ length: walked.size === 0 ? 0 : count }, (_, n) => n * first.bytes).some((offset) =>
    walked.has(key(tables, { gpa: (first.gpa ?? NaN) + offset, hpa: (first.hpa ?? NaN) + offset })),
  );

/**
 * The line of the last entry of the walk that has one: a second stage is walked many times, and other entries of it may stand below;
 * an entry that is not present has no line.
 */
export function endOfWalk(tables: TableKind, walked: ReadonlySet<string>, lines: readonly Line[]): Line | undefined {
  const candidates = lines.filter((line) => line.walked);
  for (const place of [...walked].reverse()) {
    const end = candidates.find(({ row }) => row && isWalked(tables, new Set([place]), row));
    if (end) return end;
  }
  return undefined;
}

/** The structure that an entry leads to. */
export const below = (tables: TableKind, { target, targetSpace, level }: Entry): Place =>
  tables === 'guest' && targetSpace === 'gp' ? { gpa: target, level: level - 1 } : { hpa: target, level: level - 1 };

/** `alone`: entries are not put together in runs. */
export function linesOf(tables: TableKind, read: Read, open: ReadonlySet<string>, walked: ReadonlySet<string>, alone = false): Line[] {
  const note = (path: string, depth: number, text: string): Line[] => [
    { path: `${path}/?`, depth, note: text, branch: false, open: false, walked: false },
  ];
  const under = (path: string, base: string, depth: number): Line[] => {
    const answer = read.get(path);
    if (answer?.error !== undefined) return note(path, depth, answer.error);
    if (!answer?.table) return note(path, depth, '…');
    if (answer.table.entries.length === 0) return note(path, depth, translate('nothing is mapped'));
    return rows(answer.table, base, alone).flatMap((row): Line[] => {
      const own = pathOf(path, row);
      const branch = isBranch(row);
      const opened = branch && open.has(own);
      const line = { path: own, depth, row, branch, open: opened, walked: isWalked(tables, walked, row) };
      return opened ? [line, ...under(own, row.first.gva, depth + 1)] : [line];
    });
  };
  return under('', '0x0', 0);
} // prettier-ignore

/** `PTE[0–7] → gp:0x1000 · 8 × 4 KiB`. */
export function rowText({ first, count }: Row): string {
  const indices = count === 1 ? `${first.index}` : `${first.index}–${first.index + count - 1}`;
  const pages = first.leaf ? ` · ${count === 1 ? '' : `${count} × `}${size(pageBytes(first))}` : '';
  return `${first.name}[${indices}] ${first.gone ? translate('is gone') : `→ ${targetOf(first)}${pages}`}`;
}
/** What an entry was at the last stop; empty: the same. */
export const wasText = ({ was, gone }: Entry): string =>
  was === undefined || gone ? '' : BigInt(was) === 0n ? translate('new') : translate('was {0}', was);

/** For the clipboard. */
export const treeText = (lines: readonly Line[]): string =>
  lines
    .map(({ depth, row, note }) => {
      const indent = '  '.repeat(depth);
      if (!row) return `${indent}${note}\n`;
      const { first } = row;
      const parts = [hex(first.gva), rowText(row), lettersOf(first), first.mark, wasText(first)];
      return `${indent}${parts.filter(Boolean).join('  ')}\n`;
    })
    .join('');

/** Index of the line that a line stands below; -1: it is the root's. */
export function parentOf(lines: readonly Line[], index: number): number {
  const depth = lines[index]?.depth ?? 0;
  for (let n = index - 1; n >= 0; n--) if (lines[n]!.depth < depth) return n;
  return -1;
}
