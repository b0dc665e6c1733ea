/** The VM exits panel's half in the webview: a chart over time, counters, and the list of the last exits. */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import '@vscode-elements/elements/dist/vscode-button/index.js';
import '@vscode-elements/elements/dist/vscode-checkbox/index.js';
import '@vscode-elements/elements/dist/vscode-textfield/index.js';
import { Connection } from './connection';
import { ExitChart, MAX_LINES } from './exit-chart';
import { ExitDetails } from './exit-details';
import { FunctionTable, HoleTable, ReasonTable } from './exit-tables';
import {
  advanced,
  count,
  csv,
  history,
  LIVE,
  LiveRates,
  menuOf,
  type Exit,
  type Exits,
  type Rates,
} from './exits.model';
import { useField } from './field';
import { Quiet, show, useGuest } from './guest';
import { translate } from './l10n';
import type { GuestState } from './protocol';
import { VirtualList } from './virtual-list';
import './exits.css';

const connection = new Connection();
const rates = new LiveRates();

/** Exits that are kept: all are listed while the guest stands. */
const KEPT = 4096;
/** Nobody has stepped on since. */
const SETTLED_MS = 250;
const BUCKETS = 120;
const FUNCTIONS = 12;
const ROW_HEIGHT = 22;

const QUIET = {
  none: translate('Start debugging a guest under a technique (launch attribute "technique") to see its exits.'),
  running: translate('The guest is running: counters and the last exits follow it.'),
};

function Panel() {
  const [filter, setFilter] = useState('');
  const [counting, setCounting] = useState<boolean>();
  /** The last event of the running guest. */
  const [news, setNews] = useState<Rates>();
  const { state, stop } = useGuest(connection, (message) => {
    if (message.kind !== 'event' || message.event !== 'ringside/exits') return;
    rates.add(message.body);
    setNews(message.body);
  });
  useEffect(() => {
    if (state === 'none') rates.clear();
  }, [state]);
  const { exits, error } = useExits({ stop, filter, counting, state, news });
  const live = state === 'running' && news !== undefined;
  const series = useMemo(
    () => exits && (live ? rates.series(exits, MAX_LINES) : history(exits, MAX_LINES)),
    [exits, live, news],
  );
  return (
    <main class={state}>
      <Bar exits={exits} filter={filter} onFilter={setFilter} onCount={setCounting} />
      {error !== undefined && <p role="alert">{error}</p>}
      <Quiet state={state} words={QUIET} />
      {exits && exits.technique === 'none' && <p>{BARE}</p>}
      {exits && exits.technique !== 'none' && (
        <div class="columns">
          <section class="figures" aria-label={translate('Exits by reason')}>
            {series && <ExitChart series={series} unit={live ? translate('exits a second') : translate('exits')} />}
            <ReasonTable exits={exits} onFilter={setFilter} onBreak={breakOn} />
            {exits.functions && exits.functions.list.length > 0 && <FunctionTable functions={exits.functions} />}
            {exits.holes.length > 0 && <HoleTable holes={exits.holes} />}
          </section>
          <List exits={exits} />
        </div>
      )}
    </main>
  );
}

const BARE = translate(
  'This guest runs on the bare machine and has no hypervisor. Choose a "technique" in launch.json: trap-and-emulate, binary-translation, vt-x or amd-v.',
);

const breakOn = (condition: string): void => connection.act({ do: 'break', on: 'vm-exit', condition });

/** What the adapter says at each stop, and again when something else is wanted of it; with `news` while the guest runs, the less. */
function useExits(wanted: {
  stop: number;
  filter: string;
  counting?: boolean;
  state: GuestState | undefined;
  news: Rates | undefined;
}): {
  exits?: Exits;
  error?: string;
} {
  const [answer, setAnswer] = useState<{ exits?: Exits; error?: string }>({});
  const { stop, filter, counting, state, news } = wanted;
  /** Counts questions: a late answer to an earlier one is nobody's. */
  const asked = useRef(0);
  const waiting = useRef(false);
  const ask = (limit: number, more: object): Promise<void> => {
    const mine = ++asked.current;
    waiting.current = true;
    const done = (next: (before: { exits?: Exits }) => { exits?: Exits; error?: string }): void => {
      if (mine !== asked.current) return;
      waiting.current = false;
      setAnswer(next);
    };
    return connection.request('ringside/exits', { limit, ...(filter ? { filter } : {}), ...more }).then(
      // What was not asked for is as of the last stop.
      (exits) => done((before) => ({ exits: { ...before.exits, ...exits } })),
      (error: Error) => done((before) => ({ ...before, error: error.message })),
    );
  };
  useEffect(() => {
    if (state === undefined || state === 'none') return;
    const count = counting === undefined ? {} : { count: counting };
    const figures = { buckets: BUCKETS, functions: FUNCTIONS };
    if (state === 'running') return void ask(LIVE, { subscribe: true, ...count });
    // Those in sight at once, and all when nobody has stepped on meanwhile: they are megabytes.
    let timer: ReturnType<typeof setTimeout> | undefined;
    let current = true;
    void ask(LIVE, { subscribe: true, ...count, ...figures }).then(() => {
      if (current) timer = setTimeout(() => void ask(KEPT, {}), SETTLED_MS);
    });
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [stop, filter, counting, state]);
  useEffect(() => {
    if (state !== 'running' || !news) return;
    // Counters need no answer; the list follows as fast as answers come.
    setAnswer((before) => (before.exits ? { ...before, exits: advanced(before.exits, news) } : before));
    if (!waiting.current) void ask(LIVE, {});
  }, [news]);
  return answer;
}

function Bar(props: {
  exits?: Exits;
  filter: string;
  onFilter(filter: string): void;
  onCount(counting: boolean): void;
}) {
  const { exits } = props;
  const { own, submit } = useField(props.filter, props.onFilter);
  /** Why nothing could be saved. */
  const [refused, setRefused] = useState<string>();
  // All that are kept, whatever is listed.
  const save = (name: string, text: (exits: Exits) => string) => (): void => {
    const filter = props.filter ? { filter: props.filter } : {};
    void connection.request('ringside/exits', { limit: KEPT, buckets: BUCKETS, functions: FUNCTIONS, ...filter }).then(
      (all) => connection.act({ do: 'save', name, text: text(all) }),
      (error: Error) => setRefused(error.message),
    );
  };
  return (
    <form onSubmit={submit}>
      <vscode-textfield
        label={translate('Filter of exits')}
        placeholder='exit.reason == "io" && exit.port == 0x3f8'
        {...own}
      />
      <vscode-button onClick={submit}>{translate('Filter')}</vscode-button>
      <vscode-button secondary disabled={!props.filter} onClick={() => breakOn(props.filter)}>
        {translate('Break on these')}
      </vscode-button>
      <vscode-checkbox
        label={translate('Count places and cost')}
        title={translate('From now on: every exit by guest function, and how long the hypervisor takes')}
        checked={exits?.counting ?? false}
        onChange={(event: Event) => props.onCount((event.target as HTMLInputElement).checked)}
      />
      <vscode-button secondary disabled={!exits} onClick={save('exits.json', (all) => JSON.stringify(all, null, 2))}>
        {translate('Save JSON')}
      </vscode-button>
      <vscode-button secondary disabled={!exits} onClick={save('exits.csv', (all) => csv(all.exits))}>
        {translate('Save CSV')}
      </vscode-button>
      {refused !== undefined && <p role="alert">{refused}</p>}
    </form>
  );
}

function List({ exits }: { exits: Exits }) {
  /** Number of the exit, and itself: it stays chosen when it is in the list no more. */
  const [chosen, setChosen] = useState<Exit>();
  const details = useRef<HTMLElement>(null);
  // The newest first: that is where the guest stands.
  const rows = useMemo(() => [...exits.exits].reverse(), [exits]);
  const selected = useMemo(() => rows.findIndex(({ number }) => number === chosen?.number), [rows, chosen]);
  return (
    <section class="trace" aria-label={translate('The last exits')}>
      <div>
        <VirtualList
          label={translate('Exits, newest first')}
          count={rows.length}
          rowHeight={ROW_HEIGHT}
          selected={selected}
          onSelect={(index) => setChosen(rows[index])}
          onEnter={(index) => {
            setChosen(rows[index]);
            details.current?.focus();
          }}
          menu={(index) => menuOf(rows[index]!)}
          attributes={(index) => ({ title: titleOf(rows[index]!) })}
          row={(index) => {
            const exit = rows[index]!;
            return (
              <>
                <span class="number">{count(exit.at)}</span>
                <span class="reason">{exit.reason}</span>
                <span class="text">{exit.text}</span>
                <span class="place">{exit.place ?? exit.gva}</span>
              </>
            );
          }}
        />
        {chosen ? (
          <ExitDetails exit={chosen} connection={connection} focus={details} />
        ) : (
          <p class="dim">{hint(rows.length)}</p>
        )}
      </div>
    </section>
  );
}
/** Columns may be too narrow for it. */
const titleOf = ({ reason, text, place, gva }: Exit): string => `${reason}: ${text}\n${place ?? gva ?? ''}`;
const hint = (rows: number): string =>
  rows ? translate('Choose an exit to see what it wanted.') : translate('No exit matches.');

show(<Panel />);
