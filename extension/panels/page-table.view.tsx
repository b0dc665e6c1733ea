/** The page-table panel's half in the webview: the tree of the address space, and the walk of one address. */
import { render } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { Connection } from './connection';
import { PageTree } from './page-tree';
import type { GuestState } from './protocol';
import { Walk } from './walk';
import './page-table.css';

const connection = new Connection();

const QUIET: Record<Exclude<GuestState, 'stopped'>, string> = {
  none: 'Start debugging a guest to see its page tables.',
  running: 'The guest is running. Pause it to see its page tables.',
};

function Panel() {
  const [state, setState] = useState<GuestState>('none');
  /** Counts stops: what was asked at one may be wrong at the next. */
  const [stop, setStop] = useState(0);
  const [address, setAddress] = useState('');
  useEffect(() => {
    connection.listen((news) => {
      if (news.kind === 'walk') return setAddress(news.address);
      if (news.kind !== 'state') return;
      setState(news.state);
      if (news.state === 'stopped') setStop((count) => count + 1);
    });
  }, []);
  // What was seen last stays while the guest runs, dimmed, and the message is below it: a step makes nothing jump.
  return (
    <main class={state}>
      {state !== 'none' && stop > 0 && (
        <>
          <Walk connection={connection} stop={stop} given={address} />
          <PageTree connection={connection} stop={stop} onWalk={setAddress} />
        </>
      )}
      {state !== 'stopped' && <p role="status">{QUIET[state]}</p>}
    </main>
  );
}

render(<Panel />, document.getElementById('root')!);
