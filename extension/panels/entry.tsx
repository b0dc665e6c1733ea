/** A page-table entry's rights as letters, and what can be done with an entry. */
import type { Connection } from './connection';
import { translate } from './l10n';
import { placeOf, RIGHTS, type Right, type TableKind } from './walk.model';

type Bits = { [bit in Right]: boolean };

/** Letters in a fixed order, so that columns of them line up. With `onToggle` each is a switch. */
export function Rights({
  entry,
  onToggle,
}: {
  entry: Bits;
  onToggle?: ((bit: Right, on: boolean) => void) | undefined;
}) {
  return (
    <span class="rights">
      {RIGHTS.map(({ bit, letter, meaning }) => {
        const on = entry[bit];
        const title = on ? meaning : translate('not {0}', meaning);
        if (!onToggle)
          return (
            <abbr key={bit} title={title}>
              {on ? letter : '·'}
            </abbr>
          );
        const toggle = (event: Event): void => {
          event.stopPropagation();
          onToggle(bit, !on);
        };
        return (
          <button key={bit} class="bit" aria-pressed={on} aria-label={meaning} title={translate('{0}: change', title)} onClick={toggle}>
            {letter}
          </button>
        );
      })}
    </span>
  ); // prettier-ignore
}

/** Changes a bit in the guest's, or the hypervisor's, memory; resolves when it is done. */
export const setBit = (
  connection: Connection,
  tables: TableKind,
  entry: { gpa?: number; hpa?: number; level: number },
  bit: Right,
  on: boolean,
): Promise<unknown> =>
  connection.request('ringside/setEntry', {
    tables,
    level: entry.level,
    ...(tables === 'guest' ? { gpa: entry.gpa! } : { hpa: entry.hpa! }),
    set: { [bit]: on },
  });

interface Lying {
  entry: { gpa?: number; hpa?: number; bytes: number };
  connection: Connection;
}

/** To memory, and to a breakpoint on its next write. */
export function EntryActions(props: Lying) {
  if (placeOf(props.entry) === undefined) return null;
  return (
    <>
      <Place {...props} text={translate('memory')} />
      <BreakAtWrite {...props} />
    </>
  );
}

/** Where it lies, which leads there. */
export function Place({ entry, connection, text }: Lying & { text?: string }) {
  const place = placeOf(entry);
  if (place === undefined) return translate('register');
  return (
    <button class="link" title={translate('Show memory at {0}', place)} onClick={does(connection, { do: 'memory', reference: place, name: place })}>
      {text ?? place}
    </button>
  );
} // prettier-ignore

export function BreakAtWrite({ entry, connection }: Lying) {
  const place = placeOf(entry);
  if (place === undefined) return null;
  return (
    <button class="link" title={translate('Stop when {0} is written', place)} onClick={does(connection, { do: 'break', on: `write ${place},${entry.bytes}` })}>
      {translate('break')}
    </button>
  );
} // prettier-ignore

/** And nothing to the row that it is in. */
const does = (connection: Connection, action: Parameters<Connection['act']>[0]) => (event: Event): void => {
  event.stopPropagation();
  connection.act(action);
}; // prettier-ignore
