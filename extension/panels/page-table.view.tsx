/** The page-table panel's half in the webview: the walk of one address beside trees of the tables, or a map of the address space. */
import { useEffect, useMemo, useState } from 'preact/hooks';
import '@vscode-elements/elements/dist/vscode-checkbox/index.js';
import { AddressMap } from './address-map';
import { Connection } from './connection';
import { useTrail } from './field';
import { Quiet, show, useGuest } from './guest';
import { translate } from './l10n';
import { PageTree } from './page-tree';
import { ShadowCheck } from './shadow-check';
import { Walk } from './walk';
import { pathOf, type TableKind, type View } from './walk.model';
import './page-table.css';

const connection = new Connection();

const QUIET = {
  none: translate('Start debugging a guest to see its page tables.'),
  running: translate('The guest is running. Pause it to see its page tables.'),
};

function Panel() {
  const trail = useTrail(connection.remembered);
  const [view, setView] = useState<View>();
  const { state, stop, edited } = useGuest(connection, (news) => news.kind === 'walk' && trail.go(news.address));
  // What was seen last stays while the guest runs, dimmed, and the message is below it: a step makes nothing jump.
  return (
    <main class={state}>
      {state !== 'none' && stop > 0 && (
        <>
          <Walk connection={connection} stop={stop} trail={trail} onWalked={setView} />
          <Tables stop={stop} view={view} onWalk={trail.go} onEdited={edited} />
        </>
      )}
      <Quiet state={state} words={QUIET} />
    </main>
  );
}

type Shown = 'trees' | `map of ${TableKind}`;
const SHOWN: Record<Shown, string> = {
  trees: translate('trees'),
  'map of guest': translate('map of guest'),
  'map of shadow': translate('map of shadow'),
  'map of nested': translate('map of nested'),
};

function Tables(props: { stop: number; view: View | undefined; onWalk(address: string): void; onEdited(): void }) {
  const { stop, onWalk, onEdited } = props;
  const available = useAvailable(stop);
  const [shown, setShown] = useState<Shown>('trees');
  const [editing, setEditing] = useState(false);
  const path = useMemo(() => pathOf(props.view), [props.view]);
  const choices: Shown[] = ['trees', ...available.map((tables): Shown => `map of ${tables}`)];
  const map = available.find((tables) => shown === `map of ${tables}`);
  return (
    <section class="tables" aria-label={translate('Page tables')}>
      <div class="bar" role="toolbar" aria-label={translate('What is shown')}>
        {choices.map((choice) => (
          <button key={choice} class="choice" aria-pressed={choice === shown} onClick={() => setShown(choice)}>
            {SHOWN[choice]}
          </button>
        ))}
        <vscode-checkbox
          label={translate('Edit bits')}
          title={translate(
            "Letters of rights become switches: the guest's tables, or the hypervisor's, are changed in memory",
          )}
          checked={editing}
          onChange={(event: Event) => setEditing((event.target as HTMLInputElement).checked)}
        />
        {available.includes('shadow') && <ShadowCheck {...{ connection, stop, onWalk }} />}
      </div>
      {map ? (
        <AddressMap connection={connection} stop={stop} tables={map} onWalk={onWalk} />
      ) : (
        <div class="trees">
          {available.map((tables) => (
            <PageTree key={tables} {...{ connection, stop, tables, path, editing, onWalk, onEdited }} />
          ))}
        </div>
      )}
    </section>
  );
}

/** Which tables this guest has: its own always. */
function useAvailable(stop: number): TableKind[] {
  const [available, setAvailable] = useState<TableKind[]>(['guest']);
  useEffect(() => {
    let current = true;
    connection.request('ringside/pageTables', { limit: 1 }).then(
      (body) => current && setAvailable(body.available),
      () => undefined,
    );
    return () => {
      current = false;
    };
  }, [stop]);
  return available;
}

show(<Panel />);
