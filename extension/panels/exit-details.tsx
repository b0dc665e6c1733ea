/** One exit: what was wanted, every decoded field, and what can be done about its like. */
import type { RefObject } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { Connection } from './connection';
import { conditionFor, count, fields, SPACES, written, type Exit } from './exits.model';
import { translate } from './l10n';

export function ExitDetails(props: { exit: Exit; connection: Connection; focus: RefObject<HTMLElement | null> }) {
  const { exit, connection } = props;
  const condition = conditionFor(exit);
  const said = useDetails(exit, connection);
  const stop = (): void => connection.act({ do: 'break', on: 'vm-exit', condition });
  return (
    <section class="details" ref={props.focus} tabIndex={-1} aria-label={translate('Exit {0}', exit.number)}>
      <h2>
        {exit.reason} <small>{translate('exit {0}', count(exit.number))}</small>
      </h2>
      <p>{exit.text}</p>
      <p class="dim">
        {[
          translate('after {0} instructions', count(exit.at)),
          ...(exit.place ? [translate('in {0}', exit.place)] : []),
          ...(exit.hostNs === undefined ? [] : [translate('handled in {0} µs', count(exit.hostNs / 1000))]),
        ].join(', ')}
      </p>
      <ul class="said">
        {said.map((line) => (
          <li class={line.startsWith(' ') ? 'within' : undefined}>{line.trimStart()}</li>
        ))}
      </ul>
      <table aria-label={translate('Fields, by the names that conditions use')}>
        <tbody>
          {fields(exit).map(([name, value]) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td>{written(value)}</td>
              <td>{SPACES[name] && <Look name={name} value={value} connection={connection} />}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <div class="buttons">
        <vscode-button onClick={stop} title={condition}>
          {translate('Break on exits like this')}
        </vscode-button>
        <vscode-button secondary onClick={() => connection.act({ do: 'copy', text: JSON.stringify(exit, null, 2) })}>
          {translate('Copy')}
        </vscode-button>
      </div>
    </section>
  );
}

/** Every field in words: asked for when an exit is chosen, since most never are. */
function useDetails({ number }: Exit, connection: Connection): string[] {
  const [details, setDetails] = useState<string[]>([]);
  useEffect(() => {
    let current = true;
    setDetails([]);
    connection.request('ringside/exits', { from: number, limit: 1, details: true }).then(
      ({ exits: [exit] }) => current && exit?.number === number && setDetails(exit.details ?? []),
      // The guest has gone, or has left so often meanwhile that this exit is kept no more: its fields are still there.
      () => {},
    );
    return () => void (current = false);
  }, [number]);
  return details;
}

function Look(props: { name: string; value: string | number | boolean; connection: Connection }) {
  const space = SPACES[props.name]!;
  const address = `${space}:${written(props.value)}`;
  return (
    <>
      <button class="link" onClick={() => props.connection.act({ do: 'walk', address })}>
        {translate('walk')}
      </button>
      <button class="link" onClick={() => props.connection.act({ do: 'memory', reference: address, name: address })}>
        {translate('memory')}
      </button>
    </>
  );
}
