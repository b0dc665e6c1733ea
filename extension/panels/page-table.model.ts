/** What the page-table view shows, from what the adapter answers. Knows neither the DOM nor DAP. */
import type { CustomRequests } from '../../debug-adapter/protocol';
import { RIGHTS, type Right } from './walk.model';

type Table = CustomRequests['ringside/pageTables']['body'];
export type Entry = Table['entries'][number];

/** Neighbouring leaf entries that map neighbouring pages with the same rights. Others stand alone. */
export interface Row {
  first: Entry;
  count: number;
}

/** `writable, user`: what an entry that is present allows and has seen. */
export const meanings = (entry: Pick<Entry, Right>, separator = ', '): string =>
  RIGHTS.filter(({ bit }) => bit !== 'present' && entry[bit]).map(({ meaning }) => meaning).join(separator); // prettier-ignore

const sameRights = (a: Entry, b: Entry): boolean => meanings(a) === meanings(b);

/**
 * `base`: the first gva that the structure maps; entries below the root count from 0 (they do not know who leads there).
 * `alone`: each in a row of its own, so that it can be changed.
 */
export function rows(table: Table, base = '0x0', alone = false): Row[] {
  const out: Row[] = [];
  for (const relative of table.entries) {
    const entry = { ...relative, gva: hexSum(base, relative.gva) };
    const last = out.at(-1);
    if (!alone && last && continues(last, entry)) last.count++;
    else out.push({ first: entry, count: 1 });
  }
  return out;
}

const hexSum = (a: string, b: string): string => `0x${(BigInt(a) + BigInt(b)).toString(16)}`;

function continues({ first, count }: Row, entry: Entry): boolean {
  const bytes = pageBytes(entry);
  return (
    entry.leaf &&
    first.leaf &&
    entry.index === first.index + count &&
    entry.target === first.target + count * bytes &&
    entry.reserved === first.reserved &&
    entry.mark === first.mark &&
    // Each change is a row of its own.
    entry.was === undefined &&
    first.was === undefined &&
    sameRights(first, entry)
  );
}

/** Bytes that one leaf entry of this name maps: 9 bits of address a level, 10 where entries have 4 bytes. */
export function pageBytes({ level, bytes }: Pick<Entry, 'level' | 'bytes'>): number {
  return 4096 * 2 ** ((bytes === 4 ? 10 : 9) * (level - 1));
}

/** `4 KiB`, `2 MiB`, `1 GiB`. */
export function size(bytes: number): string {
  const unit = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'].reduce(
    (found, name) =>
      found.rest >= 1024 && found.rest % 1024 === 0 && name !== 'bytes' ? { rest: found.rest / 1024, name } : found,
    { rest: bytes, name: 'bytes' },
  );
  return `${unit.rest} ${unit.name}`;
}

/** `0x1000`; a gpa is a number and a gva or an entry a string of such digits already. */
export const hex = (value: number | string): string => (typeof value === 'string' ? value : `0x${value.toString(16)}`);
