/** What every panel has: the guest's state, a count of its stops, and what is said while there is nothing to see. */
import { render, type ComponentChild } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { Connection } from './connection';
import type { GuestState, News } from './protocol';
import './panel.css';

export interface Guest {
  /** Undefined: the host has not said it yet. */
  state: GuestState | undefined;
  /** Counts stops: what was asked at one may be wrong at the next. 0: there was none yet. */
  stop: number;
  /** The user changed the guest: everything is to be asked again. */
  edited(): void;
}

/** `onNews`: what else the host says. */
export function useGuest(connection: Connection, onNews?: (news: Exclude<News, { kind: 'state' }>) => unknown): Guest {
  const [state, setState] = useState<GuestState>();
  const [stop, setStop] = useState(0);
  const edited = (): void => setStop((count) => count + 1);
  useEffect(() => {
    connection.listen((news) => {
      if (news.kind !== 'state') return void onNews?.(news);
      setState(news.state);
      if (news.state === 'stopped') edited();
    });
  }, []);
  return { state, stop, edited };
}

/** Says why a panel shows nothing, or nothing new. */
export function Quiet(props: { state: GuestState | undefined; words: Partial<Record<GuestState, string>> }) {
  const text = props.state && props.words[props.state];
  return text === undefined ? null : <p role="status">{text}</p>;
}

export const show = (panel: ComponentChild): void => render(panel, document.getElementById('root')!);
