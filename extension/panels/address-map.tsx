/** The address space as runs of pages mapped alike: as long as it is, only what is in sight is drawn, and read as it comes. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { CustomRequests } from '../../debug-adapter/protocol';
import type { Connection } from './connection';
import { spanText, runRights, type MappedRun } from './page-table.model';
import type { TableKind } from './walk.model';
import { VirtualList } from './virtual-list';

type Search = NonNullable<NonNullable<CustomRequests['ringside/pageTables']['arguments']['mappings']>['search']>;
const ROW_HEIGHT = 20;
const PAGE = 1000;
/** The next page is asked for when so many rows are left below. */
const AHEAD = 200;

export function AddressMap(props: { connection: Connection; stop: number; tables: TableKind; onWalk(address: string): void }) {
  const [search, setSearch] = useState<Search>({});
  const [selected, setSelected] = useState(-1);
  const { runs, more, error, load } = useRuns(props, search);
  const space = props.tables === 'nested' ? 'gp' : 'gv';
  const walk = (index: number): void => props.onWalk(`${space}:${runs[index]!.gva}`);
  return (
    <section class="map" aria-label="Address space">
      <SearchBar onSearch={setSearch} />
      {error !== undefined && <p role="alert">{error}</p>}
      <VirtualList
        label="Mapped runs"
        count={runs.length}
        rowHeight={ROW_HEIGHT}
        selected={selected}
        onSelect={setSelected}
        onOpen={walk}
        onRange={(_, end) => end + AHEAD > runs.length && load()}
        row={(index) => <RunRow run={runs[index]!} space={space} />}
      />
      <p class="dim">
        {runs.length.toLocaleString('en-US')} runs{more && ' so far'}. Enter walks to the chosen one.
      </p>
    </section>
  );
} // prettier-ignore

function RunRow({ run, space }: { run: MappedRun; space: 'gv' | 'gp' }) {
  return (
    <>
      <span class="address">
        {space}:{run.gva}
      </span>
      <span>{spanText(run)}</span>
      <span>{runRights(run)}</span>
      <span class="address">
        {run.targetSpace}:0x{run.target.toString(16)}
      </span>
    </>
  );
}

const FLAGS = ['write', 'user', 'execute'] as const;

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
    <div class="bar">
      {FLAGS.map((flag) => (
        <vscode-button key={flag} secondary onClick={next(flag)}>
          {flags[flag] === undefined ? `${flag}: any` : flags[flag] ? `${flag}: yes` : `${flag}: no`}
        </vscode-button>
      ))}
      <vscode-textfield
        label="Runs that hold an address"
        placeholder="gv:0x1000, gp:0x1000, hp:0x1000"
        ref={field}
        onKeyDown={(event: KeyboardEvent) => event.key === 'Enter' && say(flags)}
      />
    </div>
  );
}
const addressSearch = (text: string): Search =>
  text === '' ? {} : /^(gp|hp):/i.test(text) ? { maps: text } : { contains: text.replace(/^gv:/i, '') };

interface Runs {
  runs: MappedRun[];
  more: boolean;
  error?: string;
  /** The next page, unless it is on its way. */
  load(): void;
}

function useRuns({ connection, stop, tables }: { connection: Connection; stop: number; tables: TableKind }, search: Search): Runs {
  const [state, setState] = useState<{ runs: MappedRun[]; next?: string; error?: string }>({ runs: [] });
  const asked = useRef<string>(undefined);
  /** Answers of an earlier question are nobody's. */
  const question = useRef(0);
  const ask = (from: string | undefined, before: MappedRun[]): void => {
    const mine = question.current;
    asked.current = from ?? '';
    connection
      .request('ringside/pageTables', { tables, mappings: { limit: PAGE, search, ...(from ? { from } : {}) } })
      .then(({ mappings }) => {
        if (mine !== question.current || !mappings) return;
        const runs = [...before, ...mappings.runs];
        setState({ runs, ...(mappings.next ? { next: mappings.next } : {}) });
      })
      .catch((error: Error) => mine === question.current && setState({ runs: before, error: error.message }));
  };
  useEffect(() => {
    question.current++;
    ask(undefined, []);
  }, [connection, stop, tables, search]);
  const { runs, next, error } = state;
  const load = (): void => {
    if (next !== undefined && asked.current !== next) ask(next, runs);
  };
  return { runs, more: next !== undefined, load, ...(error === undefined ? {} : { error }) };
} // prettier-ignore
