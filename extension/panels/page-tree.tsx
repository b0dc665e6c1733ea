/** Tables of one kind as a tree: one level a paging structure, read when opened. */
import { useEffect, useRef, useState } from 'preact/hooks';
import '@vscode-elements/elements/dist/vscode-tree/index.js';
import '@vscode-elements/elements/dist/vscode-tree-item/index.js';
import type { CustomRequests } from '../../debug-adapter/protocol';
import type { Connection } from './connection';
import { EntryActions, Rights, setBit } from './entry';
import { translate } from './l10n';
import { hex, meanings, pageBytes, rows, size, type Entry, type Row } from './page-table.model';
import { key, placeOf, targetOf, type Right, type TableKind } from './walk.model';

type Table = CustomRequests['ringside/pageTables']['body'];
type Place = { gpa?: number; hpa?: number; level: number };
/** What a tree item needs to load its children, to be walked and to be changed. */
export interface TreeContext {
  connection: Connection;
  stop: number;
  tables: TableKind;
  /** Places of the walk now shown: opened and marked. */
  path: ReadonlySet<string>;
  editing: boolean;
  onWalk(address: string): void;
  onEdited(): void;
}

/** Entries of the widest structure: a page of 4-byte entries. */
const WHOLE_TABLE = 1024;
const TITLES: Record<TableKind, string> = {
  guest: translate('Guest, GV → GP'),
  shadow: translate('Shadow, GV → HP'),
  nested: translate('Nested, GP → HP'),
};

export function PageTree(context: TreeContext) {
  const { table, error } = useTable(context, undefined);
  const title = TITLES[context.tables];
  if (error !== undefined) return <p role="alert">{error}</p>;
  if (table === undefined) return <p role="status">{translate('Reading the page tables…')}</p>;
  if (table.format === 'none')
    return (
      <section aria-label={title}>
        <h2>{title}</h2>
        <p>{translate('Paging is off: guest-virtual addresses are guest-physical ones.')}</p>
      </section>
    );
  return (
    <section aria-label={title}>
      <h2>
        {title} <small>{translate('{0}, root at {1}', table.format, placeOf(table) ?? translate('registers'))}</small>
      </h2>
      <vscode-tree aria-label={title}>
        {rows(table).map((row) => (
          <Branch key={row.key} row={row} context={context} />
        ))}
      </vscode-tree>
    </section>
  ); // prettier-ignore
}

function Branch({ row, context }: { row: Row; context: TreeContext }) {
  const { first, count } = row;
  const element = useRef<HTMLElement>(null);
  const open = useOpen(element);
  const walked = context.path.has(key(context.tables, first)) && count === 1;
  useEffect(() => {
    if (walked && !first.leaf) element.current?.setAttribute('open', '');
  }, [walked]);
  const classes = [walked && 'walked', first.mark && 'bad', first.was !== undefined && 'changed', first.gone && 'gone'];
  const space = context.tables === 'nested' ? 'gp' : 'gv';
  const walk = (event: Event): void => {
    event.stopPropagation();
    context.onWalk(`${space}:${hex(first.gva)}`);
  };
  const toggle = (bit: Right, on: boolean): void =>
    void setBit(context.connection, context.tables, first, bit, on).then(context.onEdited, context.onEdited);
  return (
    <vscode-tree-item ref={element} branch={!first.leaf && !first.gone} title={describe(first)} class={classes.filter(Boolean).join(' ')}>
      <Label row={row} />
      <span slot="decoration">
        <Rights entry={first} onToggle={context.editing && count === 1 ? toggle : undefined} />
      </span>
      <span slot="actions">
        <button class="link" title={translate('Walk to the first address of this entry')} onClick={walk}>
          {translate('walk')}
        </button>
        <EntryActions entry={first} connection={context.connection} />
      </span>
      {open && !first.leaf && !first.gone && count === 1 && (
        <Children place={below(first, context.tables)} base={first.gva} context={context} />
      )}
    </vscode-tree-item>
  ); // prettier-ignore
}

const below = (entry: Entry, tables: TableKind): Place =>
  tables === 'guest' && entry.targetSpace === 'gp'
    ? { gpa: entry.target, level: entry.level - 1 }
    : { hpa: entry.target, level: entry.level - 1 };

function Label({ row: { first, count } }: { row: Row }) {
  const indices = count === 1 ? `${first.index}` : `${first.index}–${first.index + count - 1}`;
  const bytes = pageBytes(first);
  return (
    <>
      <span class="address">{hex(first.gva)}</span>
      <span slot="description">
        {first.name}[{indices}] {first.gone ? translate('is gone') : `→ ${targetOf(first)}`}
        {first.leaf && !first.gone && ` · ${count === 1 ? '' : `${count} × `}${size(bytes)}`}
        {first.mark && <strong> {first.mark}</strong>}
        {first.was !== undefined && !first.gone && <em> {translate('was {0}', first.was)}</em>}
      </span>
    </>
  );
}

function Children({ place, base, context }: { place: Place; base: string; context: TreeContext }) {
  const { table, error } = useTable(context, place);
  if (error !== undefined) return <vscode-tree-item>{error}</vscode-tree-item>;
  if (table === undefined) return <vscode-tree-item>…</vscode-tree-item>;
  if (table.entries.length === 0) return <vscode-tree-item>{translate('nothing is mapped')}</vscode-tree-item>;
  return (
    <>
      {rows(table, base).map((row) => (
        <Branch key={row.key} row={row} context={context} />
      ))}
    </>
  );
}

/** The structure at this place as of the current stop; the former one until the new one is read. */
function useTable(context: TreeContext, place: Place | undefined): { table?: Table; error?: string } {
  const { connection, stop, tables } = context;
  const [state, setState] = useState<{ table?: Table; error?: string }>({});
  useEffect(() => {
    let current = true;
    const table = place ? { table: place } : {};
    connection.request('ringside/pageTables', { tables, ...table, limit: WHOLE_TABLE, changes: true }).then(
      (body) => current && setState({ table: body }),
      (error: Error) => current && setState({ error: error.message }),
    );
    return () => {
      current = false;
    };
  }, [connection, stop, tables, place?.gpa, place?.hpa, place?.level]);
  return state;
}

/** The tree opens items by itself, by mouse and keys, and tells nobody but the attribute. */
function useOpen(element: { current: HTMLElement | null }): boolean {
  const [open, setOpen] = useState(false);
  useEffect(() => {
    const item = element.current!;
    const look = (): void => setOpen(item.hasAttribute('open'));
    look();
    const observer = new MutationObserver(look);
    observer.observe(item, { attributes: true, attributeFilter: ['open'] });
    return () => observer.disconnect();
  }, []);
  return open;
}

const describe = (entry: Entry): string =>
  [
    translate('{0} {1} at {2}: {3}', entry.name, hex(entry.entry), placeOf(entry) ?? translate('registers'), meanings(entry)),
    ...(entry.rule ? [entry.rule] : []),
    ...(entry.was === undefined ? [] : [translate('Was {0} at the last stop', entry.was)]),
  ].join('. '); // prettier-ignore
