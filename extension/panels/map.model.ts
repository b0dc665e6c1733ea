/** Runs of an address space in words, and what has become of them since the last stop. Knows neither the DOM nor DAP. */
import type { CustomRequests } from '../../debug-adapter/protocol';
import { translate } from './l10n';
import { size } from './page-table.model';

type Mappings = NonNullable<CustomRequests['ringside/pageTables']['body']['mappings']>;
export type MappedRun = Mappings['runs'][number];

/** `2 MiB in 4 KiB pages`. */
export const spanText = (run: Pick<MappedRun, 'size' | 'pageBytes'>): string => {
  const bytes = Number(BigInt(run.size));
  return bytes === run.pageBytes
    ? translate('{0} page', size(bytes))
    : translate('{0} in {1} pages', size(bytes), size(run.pageBytes));
};
/** `rwx user global`, with a dash for what is not allowed. */
export const runRights = ({ write, execute, user, global }: MappedRun): string =>
  [
    `r${write ? 'w' : '-'}${execute ? 'x' : '-'}`,
    user ? translate('user') : translate('supervisor'),
    ...(global ? [translate('global')] : []),
  ].join(' ');

/** What is mapped otherwise than at an earlier stop; `since`: its instruction count, absent: there was none. */
export interface Changes {
  since: number | undefined;
  added: readonly MappedRun[];
  removed: readonly MappedRun[];
}
export const NO_CHANGES: Changes = { since: undefined, added: [], removed: [] };

/** A run and what has become of it. `part`: some of it is new. */
export interface MapLine {
  run: MappedRun;
  change?: 'added' | 'removed' | 'part' | undefined;
}

export const SIGNS = { added: '+', removed: '−', part: '●' } as const;

/** Address, span, rights and target, all texts. */
export const runColumns = (run: MappedRun, space: string): string[] => [
  `${space}:${run.gva}`,
  spanText(run),
  runRights(run),
  `${run.targetSpace}:0x${run.target.toString(16)}`,
];

/** For the clipboard. */
export const mapText = (lines: readonly MapLine[], space: string): string =>
  lines.map(({ run, change }) => `${change ? SIGNS[change] : ' '} ${runColumns(run, space).join('  ')}\n`).join('');

/** As many of each as the adapter tells. */
const MOST_TOLD = 1000;

/** `2 new, 1 gone`. */
export function changesText({ added, removed }: Changes): string {
  const number = (of: readonly MappedRun[]): string =>
    of.length < MOST_TOLD ? `${of.length}` : translate('{0} or more', `${MOST_TOLD}`);
  if (added.length + removed.length === 0) return translate('none');
  return translate('{0} new, {1} gone', number(added), number(removed));
}

const startOf = ({ gva }: MappedRun): bigint => BigInt(gva);
const endOf = (run: MappedRun): bigint => startOf(run) + BigInt(run.size);

/** All of them in order of address, what was before what is. */
export const changedLines = ({ added, removed }: Changes): MapLine[] =>
  [
    ...removed.map((run): MapLine => ({ run, change: 'removed' })),
    ...added.map((run): MapLine => ({ run, change: 'added' })),
  ].sort((a, b) => (startOf(a.run) < startOf(b.run) ? -1 : startOf(a.run) > startOf(b.run) ? 1 : 0));

/** What has become of a run of the whole list: asked for each row in sight, at each frame. */
export function changeFinder({ added }: Changes): (run: MappedRun) => MapLine['change'] {
  const spans = added.map((run) => [startOf(run), endOf(run)] as const);
  return (run) => {
    const [start, end] = [startOf(run), endOf(run)];
    // The first that ends behind its start.
    let [low, high] = [0, spans.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (spans[middle]![1] > start) high = middle;
      else low = middle + 1;
    }
    const found = spans[low];
    if (!found || found[0] >= end) return undefined;
    return found[0] <= start && end <= found[1] ? 'added' : 'part';
  };
}
