/** The current address space as a tree: one level a paging structure, read when opened. */
import { useEffect, useRef, useState } from 'preact/hooks';
import '@vscode-elements/elements/dist/vscode-tree/index.js';
import '@vscode-elements/elements/dist/vscode-tree-item/index.js';
import type { CustomRequests } from '../../debug-adapter/protocol';
import type { Connection } from './connection';
import { hex, meanings, pageBytes, rights, rows, size, type Entry, type Row } from './page-table.model';

type Table = CustomRequests['ringside/pageTables']['body'];
type Place = { gpa: number; level: number };
/** What a tree item needs to load its children and to be walked. */
interface Context {
  connection: Connection;
  stop: number;
  onWalk(address: string): void;
}

/** Entries of the widest structure: a page of 4-byte entries. */
const WHOLE_TABLE = 1024;

export function PageTree(context: Context) {
  const { table, error } = useTable(context, undefined);
  if (error !== undefined) return <p role="alert">{error}</p>;
  if (table === undefined) return <p role="status">Reading the page tables…</p>;
  if (table.format === 'none') return <p>Paging is off: guest-virtual addresses are guest-physical ones.</p>;
  return (
    <section aria-labelledby="tree-title">
      <h2 id="tree-title">
        {table.format} paging <small>root at gp:{hex(table.gpa ?? 0)}</small>
      </h2>
      <vscode-tree aria-label="Page tables">
        {rows(table).map((row) => (
          <Branch key={row.key} row={row} context={context} />
        ))}
      </vscode-tree>
    </section>
  );
}

function Branch({ row, context }: { row: Row; context: Context }) {
  const { first, count } = row;
  const element = useRef<HTMLElement>(null);
  const open = useOpen(element);
  return (
    <vscode-tree-item ref={element} branch={!first.leaf} title={describe(first)}>
      <Label row={row} />
      <span slot="decoration" class="rights">
        {rights(first).map(({ letter, meaning, on }) => (
          <abbr key={letter} title={on ? meaning : `not ${meaning}`}>
            {on ? letter : '·'}
          </abbr>
        ))}
      </span>
      <button slot="actions" title="Walk to the first address of this entry" onClick={walk}>
        Walk
      </button>
      {open && !first.leaf && count === 1 && (
        <Children place={{ gpa: first.target, level: first.level - 1 }} base={first.gva} context={context} />
      )}
    </vscode-tree-item>
  );

  function walk(event: Event): void {
    event.stopPropagation();
    context.onWalk(`gv:${hex(first.gva)}`);
  }
}

function Label({ row: { first, count } }: { row: Row }) {
  const indices = count === 1 ? `${first.index}` : `${first.index}–${first.index + count - 1}`;
  const bytes = pageBytes(first);
  return (
    <>
      <span class="address">{hex(first.gva)}</span>
      <span slot="description">
        {first.name}[{indices}] → gp:{hex(first.target)}
        {first.leaf && ` · ${count === 1 ? '' : `${count} × `}${size(bytes)}`}
      </span>
    </>
  );
}

function Children({ place, base, context }: { place: Place; base: string; context: Context }) {
  const { table, error } = useTable(context, place);
  if (error !== undefined) return <vscode-tree-item>{error}</vscode-tree-item>;
  if (table === undefined) return <vscode-tree-item>…</vscode-tree-item>;
  if (table.entries.length === 0) return <vscode-tree-item>nothing is mapped</vscode-tree-item>;
  return (
    <>
      {rows(table, base).map((row) => (
        <Branch key={row.key} row={row} context={context} />
      ))}
    </>
  );
}

/** The structure at this place as of the current stop; the former one until the new one is read. */
function useTable({ connection, stop }: Context, place: Place | undefined): { table?: Table; error?: string } {
  const [state, setState] = useState<{ table?: Table; error?: string }>({});
  useEffect(() => {
    let current = true;
    connection.request('ringside/pageTables', { ...(place ? { table: place } : {}), limit: WHOLE_TABLE }).then(
      (table) => current && setState({ table }),
      (error: Error) => current && setState({ error: error.message }),
    );
    return () => {
      current = false;
    };
  }, [connection, stop, place?.gpa, place?.level]);
  return state;
}

/** The tree opens items by itself, by mouse and keys, and tells nobody but the attribute. */
function useOpen(element: { current: HTMLElement | null }): boolean {
  const [open, setOpen] = useState(false);
  useEffect(() => {
    const item = element.current!;
    const observer = new MutationObserver(() => setOpen(item.hasAttribute('open')));
    observer.observe(item, { attributes: true, attributeFilter: ['open'] });
    return () => observer.disconnect();
  }, []);
  return open;
}

const describe = (entry: Entry): string =>
  `${entry.name} ${hex(entry.entry)} at gp:${hex(entry.gpa ?? 0)}: ${meanings(entry)}`;
