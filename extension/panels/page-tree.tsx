/** Tables of one kind as a tree of which only the lines in sight are in the document, however many are open. */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { Connection } from './connection';
import { EntryActions, Rights, setBit } from './entry';
import { translate } from './l10n';
import { hex, meanings, type Entry, type Row } from './page-table.model';
import { endOfWalk, linesOf, parentOf, rowText, treeText, wasText, type Line } from './page-tree.model';
import { useTree } from './page-tree-reader';
import { VirtualList } from './virtual-list';
import { placeOf, type Right, type TableKind } from './walk.model';

/** What is needed to read entries, to walk to them and to change them. */
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

const ROW_HEIGHT = 22;
const TITLES: Record<TableKind | 'direct', string> = {
  guest: translate('Guest, GV → GP'),
  /** A paravirtual guest writes what the processor walks. */
  direct: translate('Guest, GV → HP'),
  shadow: translate('Shadow, GV → HP'),
  nested: translate('Nested, GP → HP'),
};

export function PageTree(context: TreeContext) {
  const { connection, stop, tables, path: walked, editing } = context;
  const tree = useTree(connection, stop, tables, walked);
  const lines = useMemo(() => linesOf(tables, tree.read, tree.open, walked, editing), [tables, tree.read, tree.open, walked, editing]);
  const [chosen, setChosen] = useState('');
  /** Why the last change of a bit was refused. */
  const [refused, setRefused] = useState<string>();
  const selected = useMemo(() => lines.findIndex(({ path }) => path === chosen), [lines, chosen]);
  // The end of a walk comes into sight, once.
  const shown = useRef<ReadonlySet<string>>(undefined);
  useEffect(() => {
    if (shown.current === walked || tree.followed !== walked) return;
    const end = endOfWalk(tables, walked, lines);
    // Until its line is there.
    if (!end) return;
    shown.current = walked;
    setChosen(end.path);
  }, [lines, walked, tree.followed]);
  const toggle = (entry: Entry) => (bit: Right, on: boolean): void =>
    void setBit(connection, tables, entry, bit, on).then(
      () => (setRefused(undefined), context.onEdited()),
      (error: Error) => setRefused(error.message),
    );
  const root = tree.read.get('');
  if (root?.error !== undefined) return <p role="alert">{root.error}</p>;
  if (root?.table === undefined) return <p role="status">{translate('Reading the page tables…')}</p>;
  const { table } = root;
  const title = TITLES[tables === 'guest' && table.entries[0]?.targetSpace === 'hp' ? 'direct' : tables];
  if (table.format === 'none')
    return (
      <section aria-label={title}>
        <h2>{title}</h2>
        <p>{translate('Paging is off: guest-virtual addresses are guest-physical ones.')}</p>
      </section>
    );
  const since = table.since === undefined ? [] : [translate('compared with {0} instructions', table.since.toLocaleString('en-US'))];
  const onKey = (pressed: string, index: number): boolean => {
    const line = lines[index];
    if (!line) return false;
    if (pressed === 'ArrowRight' && line.open) setChosen(lines[index + 1]!.path);
    else if (pressed === 'ArrowRight' && line.branch) tree.setOpen(line.path, true);
    else if (pressed === 'ArrowLeft' && line.open) tree.setOpen(line.path, false);
    else if (pressed === 'ArrowLeft') setChosen(lines[parentOf(lines, index)]?.path ?? line.path);
    else if (pressed === ' ' && line.branch) tree.setOpen(line.path, !line.open);
    else return false;
    return true;
  };
  return (
    <section class="tree" aria-label={title}>
      <h2>
        {title} <small>{[table.format, translate('root at {0}', placeOf(table) ?? translate('registers')), ...since].join(', ')}</small>
        <button class="link" title={translate('What is open, as text')} onClick={() => connection.act({ do: 'copy', text: treeText(lines) })}>
          {translate('copy')}
        </button>
      </h2>
      {refused !== undefined && <p role="alert">{refused}</p>}
      <VirtualList
        label={title}
        role="tree"
        count={lines.length}
        rowHeight={ROW_HEIGHT}
        selected={selected}
        onSelect={(index) => setChosen(lines[index]!.path)}
        onClick={(index) => lines[index]!.branch && tree.setOpen(lines[index]!.path, !lines[index]!.open)}
        onEnter={(index) => lines[index]!.row && context.onWalk(startOf(tables, lines[index]!.row!.first))}
        onKey={onKey}
        attributes={(index) => attributesOf(lines[index]!)}
        row={(index) => <LineRow line={lines[index]!} context={context} onToggle={toggle} />}
      />
    </section>
  );
} // prettier-ignore

const startOf = (tables: TableKind, { gva }: Entry): string => `${tables === 'nested' ? 'gp' : 'gv'}:${hex(gva)}`;

function attributesOf({ row, depth, branch, open, walked }: Line): Record<string, string | number | boolean> {
  const first = row?.first;
  const classes = [walked && 'walked', first?.mark && 'bad', first?.was !== undefined && 'changed', first?.gone && 'gone'];
  return {
    class: classes.filter(Boolean).join(' '),
    'aria-level': depth + 1,
    ...(branch ? { 'aria-expanded': open } : {}),
    ...(first ? { title: describe(first) } : {}),
  };
} // prettier-ignore

function LineRow(props: {
  line: Line;
  context: TreeContext;
  onToggle(entry: Entry): (bit: Right, on: boolean) => void;
}) {
  const { context } = props;
  const { row, note, depth, branch, open } = props.line;
  const indent = { paddingLeft: `${depth}em` };
  if (!row)
    return (
      <span class="what" style={indent}>
        {note}
      </span>
    );
  const { first, count } = row;
  const walk = (event: Event): void => {
    event.stopPropagation();
    context.onWalk(startOf(context.tables, first));
  };
  return (
    <>
      <span class="twisty" style={indent} aria-hidden="true">
        {branch && (open ? '▾' : '▸')}
      </span>
      <span class="address">{hex(first.gva)}</span>
      <What row={row} />
      <span class="actions">
        <button class="link" title={translate('Walk to the first address of this entry')} onClick={walk}>
          {translate('walk')}
        </button>
        <EntryActions entry={first} connection={context.connection} />
      </span>
      <Rights entry={first} onToggle={context.editing && count === 1 ? props.onToggle(first) : undefined} />
    </>
  );
}

function What({ row }: { row: Row }) {
  const { mark } = row.first;
  const was = wasText(row.first);
  return (
    <span class="what">
      {mark && <strong>{mark} </strong>}
      {rowText(row)}
      {was && <em> {was}</em>}
    </span>
  );
}

const describe = (entry: Entry): string =>
  [
    translate('{0} {1} at {2}: {3}', entry.name, hex(entry.entry), placeOf(entry) ?? translate('registers'), meanings(entry)),
    ...(entry.rule ? [entry.rule] : []),
    ...(entry.was === undefined ? [] : [translate('Was {0} at the last stop', entry.was)]),
  ].join('. '); // prettier-ignore
