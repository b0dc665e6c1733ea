/** The invariant of shadow paging, checked when the user asks: what is wrong, and the way there. */
import { useEffect, useState } from 'preact/hooks';
import type { CustomRequests } from '../../debug-adapter/protocol';
import type { Connection } from './connection';
import { translate } from './l10n';

type Checked = CustomRequests['ringside/checkShadow']['body'];

export function ShadowCheck(props: { connection: Connection; stop: number; onWalk(address: string): void }) {
  const { connection, stop, onWalk } = props;
  const [result, setResult] = useState<{ checked?: Checked; error?: string }>({});
  // What was true at one stop may be wrong at the next.
  useEffect(() => setResult({}), [stop]);
  const check = (): void =>
    void connection.request('ringside/checkShadow', { limit: 100 }).then(
      (checked) => setResult({ checked }),
      (error: Error) => setResult({ error: error.message }),
    );
  const { checked, error } = result;
  return (
    <>
      <vscode-button secondary title={translate("Each shadow entry against the guest's tables and the map of its memory")} onClick={check}>
        {translate('Check the shadow')}
      </vscode-button>
      <div class="check" aria-live="polite">
        {error !== undefined && <p role="alert">{error}</p>}
        {checked?.findings.length === 0 && <p>{checked.text}</p>}
        {checked?.findings.map(({ mark, gva, hpa, rule }) => (
          <p key={hpa} class="fault">
            <strong>{mark}</strong> {translate('{0}, entry at {1}: {2}', `gv:${gva}`, `hp:0x${hpa.toString(16)}`, rule)}
            <button class="link" onClick={() => onWalk(`gv:${gva}`)}>
              {translate('walk')}
            </button>
          </p>
        ))}
      </div>
    </>
  );
} // prettier-ignore
