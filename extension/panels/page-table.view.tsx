/** The page-table panel's half in the webview: the tree of the address space, and the walk of one address. */
import { render } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { Connection } from './connection';
import { PageTree } from './page-tree';
import type { GuestState, HostMessage } from './protocol';
import { Walk } from './walk';
import './page-table.css';

/** Listeners come and go with components; the connection stays. */
const listeners = new Set<(news: Exclude<HostMessage, { id: number }>) => void>();
const connection = new Connection((news) => listeners.forEach((listen) => listen(news)));

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
    const listen = (news: Exclude<HostMessage, { id: number }>): void => {
      if (news.kind === 'walk') return setAddress(news.address);
      setState(news.state);
      if (news.state === 'stopped') setStop((count) => count + 1);
    };
    listeners.add(listen);
    return () => void listeners.delete(listen);
  }, []);
  // What was seen last stays while the guest runs, dimmed: a step should not make the tree flicker.
  return (
    <main class={state}>
      {state !== 'stopped' && <p role="status">{QUIET[state]}</p>}
      {state !== 'none' && stop > 0 && (
        <>
          <Walk connection={connection} stop={stop} given={address} />
          <PageTree connection={connection} stop={stop} onWalk={setAddress} />
        </>
      )}
    </main>
  );
}

render(<Panel />, document.getElementById('root')!);
