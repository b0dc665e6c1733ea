/** The address space as runs of pages mapped alike: as long as it is, only what is in sight is read and drawn. */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { CustomRequests } from '../../debug-adapter/protocol';
import type { Connection } from './connection';
import {
  changedLines, changeFinder, changesText, mapText, NO_CHANGES, runColumns, SIGNS, type Changes, type MapLine, type MappedRun,
} from './map.model'; // prettier-ignore
import { translate } from './l10n';
import type { TableKind } from './walk.model';
import { VirtualList } from './virtual-list';

type Search = NonNullable<NonNullable<CustomRequests['ringside/pageTables']['arguments']['mappings']>['search']>;
const ROW_HEIGHT = 20;
/** Runs that are asked for at once, and pages of them that are kept. */
const PAGE = 200;
const MOST_COPIED = 1000;
const KEPT = 50;

export function AddressMap(props: { connection: Connection; stop: number; tables: TableKind; onWalk(address: string): void }) {
  const [search, setSearch] = useState<Search>({});
  const [selected, setSelected] = useState(-1);
  /** Why nothing could be copied. */
  const [refused, setRefused] = useState<string>();
  /** Only what is mapped otherwise than at the stop before. */
  const [onlyChanges, setOnlyChanges] = useState(false);
  const { total, at, error, want } = useRuns(props, search);
  const changes = useChanges(props);
  const list = useMemo(() => changedLines(changes), [changes]);
  const shown = onlyChanges && changes.since !== undefined;
  const changeOf = useMemo(() => changeFinder(changes), [changes]);
  const count = shown ? list.length : total;
  const lineAt = (index: number): MapLine | undefined => {
    if (shown) return list[index];
    const run = at(index);
    return run && { run, change: changeOf(run) };
  };
  const space = props.tables === 'nested' ? 'gp' : 'gv';
  const walk = (index: number): void => {
    const line = lineAt(index);
    if (line) props.onWalk(`${space}:${line.run.gva}`);
  };
  const copy = (): void => {
    const asked = { tables: props.tables, limit: 1, mappings: { index: 0, limit: MOST_COPIED, search } };
    const all = shown
      ? Promise.resolve(list)
      : props.connection.request('ringside/pageTables', asked).then(({ mappings }) => mappings!.runs.map((run) => ({ run, change: changeOf(run) })));
    all.then(
      (lines) => props.connection.act({ do: 'copy', text: mapText(lines.slice(0, MOST_COPIED), space) }),
      (failure: Error) => setRefused(failure.message),
    );
  };
  return (
    <section class="map" aria-label={translate('Address space')}>
      <div class="bar">
        <SearchBar onSearch={setSearch} />
        {changes.since !== undefined && (
          <button class="choice" aria-pressed={shown} title={translate('Mapped otherwise than after {0} instructions', changes.since.toLocaleString('en-US'))} onClick={() => setOnlyChanges(!onlyChanges)}>
            {translate('changes: {0}', changesText(changes))}
          </button>
        )}
      </div>
      {(error ?? refused) !== undefined && <p role="alert">{error ?? refused}</p>}
      <VirtualList
        label={translate('Mapped runs')}
        count={count ?? 0}
        rowHeight={ROW_HEIGHT}
        selected={selected}
        onSelect={setSelected}
        onDoubleClick={walk}
        onEnter={walk}
        onRange={want}
        attributes={(index) => attributesOf(lineAt(index))}
        row={(index) => <RunRow line={lineAt(index)} space={space} />}
      />
      <p class="dim">
       <span aria-live="polite">
        {count === undefined ? translate('Reading…') : count === 1 ? translate('1 run.') : translate('{0} runs.', count.toLocaleString('en-US'))}{' '}
        {translate('Enter walks to the chosen one.')}
       </span>
       <button class="link" disabled={!count} onClick={copy}>
         {(count ?? 0) > MOST_COPIED ? translate('copy the first {0}', `${MOST_COPIED}`) : translate('copy')}
       </button>
      </p>
    </section>
  );
} // prettier-ignore

const TITLES = {
  added: translate('Was not mapped, or otherwise, at the stop before'),
  removed: translate('Was mapped at the stop before'),
  part: translate('A part of it was not mapped, or otherwise, at the stop before'),
} as const;

const attributesOf = (line: MapLine | undefined): { class?: string; title?: string } => {
  if (!line) return { class: 'dim' };
  const { change } = line;
  return change ? { class: change === 'removed' ? 'gone' : 'changed', title: TITLES[change] } : {};
};

/** One text whose columns are tab stops: elements for them would be most of what a browser does while a million rows scroll by. */
function RunRow({ line, space }: { line: MapLine | undefined; space: 'gv' | 'gp' }) {
  if (!line) return '…';
  const text = runColumns(line.run, space).join('\t');
  if (!line.change) return `  ${text}`;
  return (
    <>
      <span class="sign">{SIGNS[line.change]}</span> {text}
    </>
  );
}

/** Asked once a stop: the adapter keeps what it compares with only for those who ask. */
function useChanges({ connection, stop, tables }: { connection: Connection; stop: number; tables: TableKind }): Changes {
  const [changes, setChanges] = useState<Changes>(NO_CHANGES);
  useEffect(() => {
    let current = true;
    connection.request('ringside/pageTables', { tables, limit: 1, changes: true, mappings: { limit: 1 } }).then(
      ({ mappings }) => current && setChanges({ since: mappings!.since, added: mappings!.added ?? [], removed: mappings!.removed ?? [] }),
      // The list says why.
      () => current && setChanges(NO_CHANGES),
    );
    return () => {
      current = false;
    };
  }, [connection, stop, tables]);
  return changes;
} // prettier-ignore

const FLAGS = ['write', 'user', 'execute'] as const;
/** On a switch, by what it asks for. */
const ASKED: Record<(typeof FLAGS)[number], { any: string; yes: string; no: string }> = {
  write: { any: translate('write: any'), yes: translate('write: yes'), no: translate('write: no') },
  user: { any: translate('user: any'), yes: translate('user: yes'), no: translate('user: no') },
  execute: { any: translate('execute: any'), yes: translate('execute: yes'), no: translate('execute: no') },
};

/** Rights as three-way switches: whatever, only with, only without. */
function SearchBar({ onSearch }: { onSearch(search: Search): void }) {
  const field = useRef<HTMLInputElement>(null);
  const [flags, setFlags] = useState<Search>({});
  const say = (rights: Search): void => {
    setFlags(rights);
    onSearch({ ...rights, ...addressSearch(field.current?.value.trim() ?? '') });
  };
  const next = (flag: (typeof FLAGS)[number]) => (): void => {
    const { [flag]: now, ...rest } = flags;
    say(now === undefined ? { ...rest, [flag]: true } : now ? { ...rest, [flag]: false } : rest);
  };
  return (
    <>
      {FLAGS.map((flag) => (
        <vscode-button key={flag} secondary onClick={next(flag)}>
          {ASKED[flag][flags[flag] === undefined ? 'any' : flags[flag] ? 'yes' : 'no']}
        </vscode-button>
      ))}
      <vscode-textfield
        label={translate('Runs that hold an address')}
        placeholder="gv:0x1000, gp:0x1000, hp:0x1000"
        ref={field}
        onKeyDown={(event: KeyboardEvent) => event.key === 'Enter' && say(flags)}
      />
    </>
  );
}
const addressSearch = (text: string): Search =>
  text === '' ? {} : /^(gp|hp):/i.test(text) ? { maps: text } : { contains: text.replace(/^gv:/i, '') };

interface Runs {
  /** Altogether; undefined: not known yet. */
  total: number | undefined;
  /** Undefined: not read yet. */
  at(index: number): MappedRun | undefined;
  error?: string;
  /** These are in sight. */
  want(first: number, end: number): void;
}
interface Read {
  total?: number;
  pages: Map<number, MappedRun[]>;
  error?: string;
}

/**
 * One question at a time: whoever drags the scroll bar over a million rows wants those where it comes to rest. When they are there,
 * the page that comes into sight next is asked for, and draws nothing.
 */
function useRuns({ connection, stop, tables }: { connection: Connection; stop: number; tables: TableKind }, search: Search): Runs {
  const [, draw] = useState(0);
  const read = useRef<Read>({ pages: new Map() });
  const now = useRef({ sight: { first: 0, end: 1 }, down: true, busy: false, question: 0, fresh: true });

  // An answer may come when another question is asked: what goes on then is of the newest.
  const latest = useRef<() => void>(() => {});
  const load = (): void => {
    const { sight, down, busy, question, fresh } = now.current;
    // What was seen at the stop before stays until there is something else.
    const { pages, total = 0 }: Read = fresh ? { pages: new Map() } : read.current;
    const [first, last] = [Math.floor(sight.first / PAGE), Math.floor(Math.max(0, sight.end - 1) / PAGE)];
    const page = [first, last, down ? last + 1 : first - 1].find(
      (each, n) => !pages.has(each) && (n < 2 || (each >= 0 && each * PAGE < total)),
    );
    if (busy || page === undefined) return;
    now.current.busy = true;
    const done = (next: Read): void => {
      now.current.busy = false;
      if (question === now.current.question) {
        now.current.fresh = false;
        for (const old of next.pages.keys()) if (next.pages.size > KEPT) next.pages.delete(old);
        read.current = next;
        const { sight: seen } = now.current;
        if (fresh || (page * PAGE < seen.end && (page + 1) * PAGE > seen.first)) draw((times) => times + 1);
      }
      latest.current();
    };
    connection.request('ringside/pageTables', { tables, limit: 1, mappings: { index: page * PAGE, limit: PAGE, search } }).then(
      ({ mappings }) => done({ total: mappings!.total!, pages: pages.set(page, mappings!.runs) }),
      (error: Error) => done({ total: 0, pages: new Map([[page, []]]), error: error.message }),
    );
  };
  latest.current = load;
  useEffect(() => {
    now.current.question++;
    now.current.fresh = true;
    load();
  }, [connection, stop, tables, search]);
  const { total, pages, error } = read.current;
  return {
    total,
    at: (index) => pages.get(Math.floor(index / PAGE))?.[index % PAGE],
    want: (first, end) => {
      now.current.down = first >= now.current.sight.first;
      now.current.sight = { first, end };
      load();
    },
    ...(error === undefined ? {} : { error }),
  };
} // prettier-ignore
