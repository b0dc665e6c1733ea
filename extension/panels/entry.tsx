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

/** To memory, and to a breakpoint on its next write. */
export function EntryActions(props: { entry: { gpa?: number; hpa?: number; bytes: number }; connection: Connection }) {
  const place = placeOf(props.entry);
  if (place === undefined) return null;
  const does = (action: Parameters<Connection['act']>[0]) => (event: Event) => {
    event.stopPropagation();
    props.connection.act(action);
  };
  return (
    <>
      <button class="link" onClick={does({ do: 'memory', reference: place, name: place })}>
        {translate('memory')}
      </button>
      <button
        class="link"
        title={translate('Stop when {0} is written', place)}
        onClick={does({ do: 'break', on: `write ${place},${props.entry.bytes}` })}
      >
        {translate('break')}
      </button>
    </>
  );
}
