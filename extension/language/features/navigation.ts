/** Where a name is defined, referred to, renamed; what a document and a workspace consist of; what folds. */
import { blocksByOpening } from '../syntax/tree';
import type { Span, Tree } from '../syntax/tree';
import type { AssemblyDocument } from '../workspace/document';
import type { Found, WorkspaceIndex } from '../workspace/index';
import type { Definition, DefinitionKind } from '../workspace/names';
import { nameAt } from './places';

export interface Place {
  document: AssemblyDocument;
  span: Span;
}

const placeOf = <T extends { at: Span }>({ document, item }: Found<T>): Place => ({ document, span: item.at });

export async function definitionAt(
  index: WorkspaceIndex,
  document: AssemblyDocument,
  offset: number,
): Promise<Place[]> {
  const include = document.names.includes.find(({ at }) => at.start <= offset && offset <= at.end);
  if (include) {
    const uri = await index.resolve(document.uri, include.file);
    const target = uri === undefined ? undefined : await index.load(uri);
    return target ? [{ document: target, span: { start: 0, end: 0 } }] : [];
  }
  const name = nameAt(document, offset);
  if (!name) return [];
  const number = numbered(document, name.name, name.at);
  if (number) return number.definition ? [{ document, span: number.definition.at }] : [];
  return (await index.definitionsOf(document.uri, name.name)).map(placeOf);
}

/** `1f`, `1b`, and `1:` itself: the label that is meant, which no name tells. */
function numbered(
  document: AssemblyDocument,
  name: string,
  at: Span,
): { definition?: Definition; number: string } | undefined {
  const [, number, direction] = /^(\d+)([bf]?)$/.exec(name) ?? [];
  if (number === undefined || document.nasm) return undefined;
  const all = document.numbered(number);
  // `1:` itself is at the place, `1b` is behind its label, also in one line.
  let [next, end] = [0, all.length];
  while (next < end) {
    const middle = (next + end) >> 1;
    if (all[middle].at.start <= at.start) next = middle + 1;
    else end = middle;
  }
  const definition = direction === 'f' ? all[next] : all[next - 1];
  return { number, ...(definition ? { definition } : {}) };
}

export async function referencesAt(
  index: WorkspaceIndex,
  document: AssemblyDocument,
  offset: number,
  withDefinitions: boolean,
): Promise<Place[]> {
  const name = nameAt(document, offset);
  if (!name) return [];
  const number = numbered(document, name.name, name.at);
  if (number) {
    const { definition } = number;
    if (!definition) return [];
    const uses = document.names.references.filter(
      (each) => numbered(document, each.name, each.at)?.definition === definition,
    );
    return [...(withDefinitions ? [definition] : []), ...uses].map(({ at }) => ({ document, span: at }));
  }
  const found = await index.referencesOf(document.uri, name.name);
  return found.filter(({ item }) => withDefinitions || !('kind' in item)).map(placeOf);
}

export interface Edit extends Place {
  text: string;
}

/** Why a name cannot be renamed, or what it is and where. */
export async function renameable(
  index: WorkspaceIndex,
  document: AssemblyDocument,
  offset: number,
): Promise<{ span: Span; name: string } | string> {
  const name = nameAt(document, offset);
  if (!name) return 'There is no name here.';
  const number = numbered(document, name.name, name.at);
  if (number) return number.definition ? { span: name.at, name: name.name } : 'No label is meant by this number.';
  const definitions = await index.definitionsOf(document.uri, name.name);
  return definitions.length
    ? { span: name.at, name: document.text.slice(name.at.start, name.at.end) }
    : `'${name.name}' is not defined in this workspace.`;
}

/** Edits, or why there are none. NASM's local labels keep their dot, numeric labels stay numbers. */
export async function rename(
  index: WorkspaceIndex,
  document: AssemblyDocument,
  offset: number,
  to: string,
): Promise<Edit[] | string> {
  const what = await renameable(index, document, offset);
  if (typeof what === 'string') return what;
  const number = /^\d+[bf]?$/.test(what.name);
  if (number ? !/^\d+$/.test(to) : !/^[A-Za-z_.$?@][\w.$?@]*$/.test(to))
    return number ? `'${to}' is no number.` : `'${to}' is no name for a label.`;
  const places = await referencesAt(index, document, offset, true);
  return places.map(({ document: where, span }) => {
    const old = where.text.slice(span.start, span.end);
    const direction = number ? (/[bf]$/.exec(old)?.[0] ?? '') : '';
    return { document: where, span, text: to + direction };
  });
}

export interface SymbolItem {
  name: string;
  kind: DefinitionKind | 'section';
  detail: string;
  span: Span;
  at: Span;
  children: SymbolItem[];
}

/** Labels with what belongs to them: local labels, and everything up to the next label of their rank. */
export function documentSymbols(document: AssemblyDocument): SymbolItem[] {
  const { tree, names, nasm, text } = document;
  const roots: SymbolItem[] = [];
  const opened = blocksByOpening(tree);
  let parent: SymbolItem | undefined;
  for (const { name, kind, numeric, at, statement, parameters } of names.definitions) {
    if (numeric || name.includes('\\') || name.startsWith('%')) continue;
    const whole = tree.statements[statement];
    const block = opened.get(statement);
    const end = block?.close === undefined ? whole.end : tree.statements[block.close].end;
    const local = kind === 'label' && (nasm ? text[at.start] === '.' : name.startsWith('.L'));
    const item: SymbolItem = {
      name: local && nasm ? text.slice(at.start, at.end) : name,
      kind,
      detail: names.globals.has(name) ? 'global' : (parameters?.join(', ') ?? ''),
      span: { start: Math.min(whole.start, at.start), end: Math.max(end, at.end) },
      at,
      children: [],
    };
    if (local && parent) {
      parent.children.push(item);
      parent.span.end = Math.max(parent.span.end, item.span.end);
    } else roots.push(item);
    if (kind === 'label' && !local) parent = item;
  }
  return roots;
}

const MAX_SYMBOLS = 500;
/** Letters of the query in their order. */
export function workspaceSymbols(index: WorkspaceIndex, query: string): Found<Definition>[] {
  const wanted = query.toLowerCase();
  const fits = (name: string): boolean => {
    let at = 0;
    for (const letter of name.toLowerCase()) if (letter === wanted[at]) at++;
    return at >= wanted.length;
  };
  const found: Found<Definition>[] = [];
  for (const document of index.all())
    for (const item of document.names.definitions)
      if (
        !item.numeric &&
        !item.name.includes('\\') &&
        fits(item.name) &&
        found.push({ document, item }) >= MAX_SYMBOLS
      )
        return found;
  return found;
}

export interface Fold {
  startLine: number;
  endLine: number;
  kind?: 'comment';
}

/** Blocks with their branches, runs of comments, and what lies between global labels. */
export function folds(document: AssemblyDocument): Fold[] {
  const { tree } = document;
  const line = (index: number): number => document.lineOf(tree.statements[index].start);
  const result: Fold[] = [];
  for (const { open, branches, close } of tree.blocks) {
    if (close === undefined) continue;
    const stops = [open, ...branches, close];
    for (let n = 0; n + 1 < stops.length; n++)
      result.push({ startLine: line(stops[n]), endLine: line(stops[n + 1]) - 1 });
    if (branches.length === 0) result[result.length - 1].endLine = line(close);
  }
  result.push(...commentFolds(document, tree));
  return result.filter(({ startLine, endLine }) => endLine > startLine);
}

function commentFolds(document: AssemblyDocument, tree: Tree): Fold[] {
  const result: Fold[] = [];
  let run: Fold | undefined;
  for (const token of tree.tokens) {
    if (token.kind === 'space' || token.kind === 'newline') continue;
    if (token.kind !== 'comment') {
      run = undefined;
      continue;
    }
    const [startLine, endLine] = [document.lineOf(token.start), document.lineOf(token.end)];
    const alone = /^\s*$/.test(document.text.slice(document.offset({ line: startLine, character: 0 }), token.start));
    if (!alone) run = undefined;
    else if (run && run.endLine + 1 === startLine) run.endLine = endLine;
    else result.push((run = { startLine, endLine, kind: 'comment' }));
  }
  return result;
}
