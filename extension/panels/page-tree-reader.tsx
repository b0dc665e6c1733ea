/** What is read of a tree of page tables: the structures that are open, once a stop, and those on the way of a walk. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Connection } from './connection';
import { rows, type Entry } from './page-table.model';
import { below, isBranch, isWalked, pathOf, type Answer, type Place, type Read } from './page-tree.model';
import type { TableKind } from './walk.model';

/** Entries of the widest structure: a page of 4-byte entries. */
const WHOLE_TABLE = 1024;

export interface Tree {
  /** Empty: nothing is read yet. What was seen at a stop stays until all of the next is read. */
  read: Read;
  open: ReadonlySet<string>;
  setOpen(path: string, open: boolean): void;
  /** The walk whose way has been opened. */
  followed: ReadonlySet<string>;
}

export function useTree(
  connection: Connection,
  stop: number,
  tables: TableKind,
  walked: ReadonlySet<string>,
): Tree {
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const [seen, setSeen] = useState<{ read: Read; followed: ReadonlySet<string> }>({ read: new Map(), followed: new Set() });
  /** Answers of this stop, by place. */
  const asked = useRef({ stop: -1, answers: new Map<string, Promise<Answer>>() });
  /** Entries that were opened for the walk: only once, so that they can be closed. */
  const opened = useRef({ walked, paths: new Set<string>() });
  useEffect(() => {
    let current = true;
    if (asked.current.stop !== stop) asked.current = { stop, answers: new Map() };
    if (opened.current.walked !== walked) opened.current = { walked, paths: new Set() };
    const read = new Map<string, Answer>();
    const more: string[] = [];
    const visit = async (path: string, entry?: Entry): Promise<void> => {
      const answer = await ask(entry && below(tables, entry));
      read.set(path, answer);
      const branches = answer.table ? rows(answer.table).filter(isBranch) : [];
      await Promise.all(branches.map((row) => {
        const own = pathOf(path, row);
        const follow = !opened.current.paths.has(own) && isWalked(tables, walked, row);
        if (follow) more.push(own);
        return open.has(own) || follow ? visit(own, row.first) : undefined;
      }));
    };
    const ask = (place: Place | undefined): Promise<Answer> => {
      const { answers } = asked.current;
      const name = place ? `${place.gpa ?? place.hpa} ${place.level}` : '';
      let answer = answers.get(name);
      if (!answer) {
        const table = place ? { table: place } : {};
        answer = connection.request('ringside/pageTables', { tables, ...table, limit: WHOLE_TABLE, changes: true }).then(
          (body) => ({ table: body }),
          (error: Error) => ({ error: error.message }),
        );
        answers.set(name, answer);
      }
      return answer;
    };
    void visit('').then(() => {
      if (!current) return;
      more.forEach((path) => opened.current.paths.add(path));
      setSeen({ read, followed: walked });
      if (more.length > 0) setOpen((before) => new Set([...before, ...more]));
    });
    return () => {
      current = false;
    };
  }, [connection, stop, tables, walked, open]);
  const change = (path: string, on: boolean): void =>
    setOpen((before) => new Set(on ? [...before, path] : [...before].filter((each) => each !== path)));
  return { ...seen, open, setOpen: change };
} // prettier-ignore
