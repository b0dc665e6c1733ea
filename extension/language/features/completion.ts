import { describeMnemonic } from '../../../emulator/isa/manual/index';
import { GAS_DIRECTIVES } from '../isa/directives-gas';
import { NASM_DIRECTIVES } from '../isa/directives-nasm';
import { factsOf } from '../isa/facts';
import { factsText } from './hover';
import { mnemonicsOf } from '../isa/names';
import { readingsOf } from '../isa/readings';
import { describeRegister, REGISTER_NAMES, registerNamed } from '../isa/registers';
import { PREFIXES } from '../isa/spellings';
import type { Dialect } from '../syntax/tree';
import type { AssemblyDocument } from '../workspace/document';
import type { WorkspaceIndex } from '../workspace/index';
import { tokenAt } from './places';

export interface Completion {
  label: string;
  kind: 'instruction' | 'register' | 'directive' | 'label' | 'constant' | 'macro' | 'file';
  detail?: string;
  /** Replaces this part of the text. */
  start: number;
  end: number;
}

export async function completionsAt(
  index: WorkspaceIndex,
  document: AssemblyDocument,
  offset: number,
): Promise<Completion[]> {
  const token = tokenAt(document, Math.max(0, offset - 1));
  if (token && token.end >= offset && (token.kind === 'comment' || token.kind === 'string') && offset > token.start)
    return [];
  const line = document.text.slice(document.offset({ line: document.lineOf(offset), character: 0 }), offset);
  if (/^\s*#\s*(?!\d)/.test(line) && document.language.preprocessed) return [];
  const word = /[%.\w$@\\]*$/.exec(line)?.[0] ?? '';
  const dialect = dialectAt(document, offset);
  const statement = line
    .slice(0, line.length - word.length)
    .replace(/^.*[;:]\s*(?=\S*\s)|^.*;\s*|^\s*[\w.$]+:\s*/, '')
    .trimStart();
  const first = statement === '' || /^((rep\w*|lock|data16|addr32)\s+)*$/i.test(statement);
  const replaced = { start: offset - word.length, end: offset };
  const items: Completion[] = [];
  const add = (label: string, kind: Completion['kind'], detail?: string): void =>
    void items.push({ label, kind, ...replaced, ...(detail ? { detail } : {}) });
  if (first) {
    mnemonicsOf(dialect).forEach((name) => add(name, 'instruction'));
    Object.keys(PREFIXES)
      .filter((name) => name.length > 2)
      .forEach((name) => add(name, 'instruction', 'prefix'));
    Object.entries(dialect === 'nasm' ? NASM_DIRECTIVES : GAS_DIRECTIVES).forEach(([name, text]) =>
      add(name, 'directive', text),
    );
    await addNames(index, document, (kind) => kind === 'macro' || kind === 'define', add);
    return items;
  }
  for (const name of REGISTER_NAMES) add(dialect === 'att' ? `%${name}` : name, 'register', describeRegister(name));
  if (!word.startsWith('%') || dialect === 'nasm') await addNames(index, document, (kind) => kind !== 'macro', add);
  return items;
}

const dialectAt = (document: AssemblyDocument, offset: number): Dialect =>
  document.statementAt(offset)?.dialect ??
  document.tree.statements.filter(({ start }) => start < offset).pop()?.dialect ??
  document.language.dialect;

async function addNames(
  index: WorkspaceIndex,
  document: AssemblyDocument,
  wanted: (kind: string) => boolean,
  add: (label: string, kind: Completion['kind'], detail?: string) => void,
): Promise<void> {
  const seen = new Set<string>();
  const unit = await index.unit(document.uri);
  const offer = (from: AssemblyDocument, globals: boolean): void => {
    for (const { name, kind, numeric, parameters } of from.names.definitions) {
      if (
        seen.has(name) ||
        numeric ||
        name.includes('\\') ||
        !wanted(kind) ||
        (globals && !from.names.globals.has(name))
      )
        continue;
      seen.add(name);
      add(
        name,
        kind === 'macro' || kind === 'define' ? 'macro' : kind === 'constant' ? 'constant' : 'label',
        parameters?.length ? parameters.join(', ') : undefined,
      );
    }
  };
  unit.documents.forEach((each) => offer(each, false));
  index.all().forEach((each) => offer(each, true));
}

/** For the item that the user looks at: as its hover. */
export function completionText(label: string, dialect: Dialect): string | undefined {
  const name = label.replace(/^%/, '').toLowerCase();
  const [reading] = readingsOf(name, dialect);
  if (reading) return factsText(factsOf(reading.base, reading.rows), name);
  if (registerNamed(name)) return describeRegister(name);
  return describeMnemonic(name) ?? GAS_DIRECTIVES[name] ?? NASM_DIRECTIVES[name] ?? PREFIXES[name];
}
