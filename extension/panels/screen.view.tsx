/** The guest's display in text mode, and its keyboard. */
import { useEffect, useState } from 'preact/hooks';
import '@vscode-elements/elements/dist/vscode-button/index.js';
import { Connection } from './connection';
import { show, useGuest } from './guest';
import { translate } from './l10n';
import type { GuestState } from './protocol';
import { leavesPanel, PALETTE, runs, type Run, type Screen } from './screen.model';
import './screen.css';

const connection = new Connection();
/** Between two looks at a running guest. */
const PERIOD_MS = 120;

function Panel() {
  const { state, stop } = useGuest(connection);
  const [screen, setScreen] = useState<Screen>();
  const [error, setError] = useState<string>();
  useEffect(() => {
    if (state === undefined || state === 'none') return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let current = true;
    const look = async (): Promise<void> => {
      try {
        const seen = await connection.request('ringside/screen', {});
        if (!current) return;
        setScreen((before) => (before && sameScreen(before, seen) ? before : seen));
        setError(undefined);
      } catch (failure) {
        if (current) setError((failure as Error).message);
      }
      if (current && state === 'running') timer = setTimeout(() => void look(), PERIOD_MS);
    };
    void look();
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [state, stop]);
  if (state === undefined) return null;
  if (state === 'none' && !screen)
    return <p role="status">{translate('Start debugging a guest to see its screen.')}</p>;
  return (
    <main class={state}>
      {error !== undefined && <p role="alert">{error}</p>}
      {screen?.note !== undefined && <p role="status">{screen.note}</p>}
      <p class="dim">
        {STATES[state]} {translate('Shift+Tab and Control+Tab leave it.')}
        {screen && <CopyButton screen={screen} />}
      </p>
      {/* The last: it keeps Tab for the guest, and what comes behind it would be out of reach. */}
      {screen && <Display screen={screen} />}
    </main>
  );
}

const STATES: Record<GuestState, string> = {
  none: translate('The guest has ended.'),
  running: translate('Keys go to the guest while the screen has the focus.'),
  stopped: translate('The guest stands; keys wait in its keyboard.'),
};

const sameScreen = (a: Screen, b: Screen): boolean =>
  a.attributes === b.attributes &&
  a.cursor?.row === b.cursor?.row &&
  a.cursor?.column === b.cursor?.column &&
  a.text.every((line, row) => line === b.text[row]);

function Display({ screen }: { screen: Screen }) {
  const press = (down: boolean) => (event: KeyboardEvent) => {
    if (leavesPanel(event)) return;
    event.preventDefault();
    event.stopPropagation();
    // Held keys repeat on a PC keyboard, too.
    void connection.request('ringside/keys', { keys: [{ code: event.code, down }] }).catch(() => undefined);
  };
  return (
    <div
      class="screen"
      role="textbox"
      aria-multiline="true"
      aria-readonly="true"
      aria-label={translate('Screen of the guest, {0} by {1}', screen.columns, screen.rows)}
      tabIndex={0}
      style={{ width: `${screen.columns}ch` }}
      onKeyDown={press(true)}
      onKeyUp={press(false)}
    >
      {runs(screen).map((line, row) => (
        <div key={row} class="line">
          {line.map((run, index) => (
            <span key={index} class={classes(run)} style={{ background: PALETTE[run.background], color: PALETTE[run.foreground] }}>
              {run.text}
            </span>
          ))}
        </div>
      ))}
    </div>
  ); // prettier-ignore
}

const classes = ({ blink, cursor }: Run): string => [blink && 'blink', cursor && 'cursor'].filter(Boolean).join(' ');

function CopyButton({ screen }: { screen: Screen }) {
  const text = (): string => screen.text.map((line) => line.trimEnd()).join('\n').trimEnd(); // prettier-ignore
  return (
    <vscode-button secondary onClick={() => connection.act({ do: 'copy', text: `${text()}\n` })}>
      {translate('Copy as text')}
    </vscode-button>
  );
}

show(<Panel />);
