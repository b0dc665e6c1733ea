/** One file, parsed once for each of its versions. */
import { isMnemonic } from '../isa/readings';
import { registerNamed } from '../isa/registers';
import { vocabulary } from '../isa/vocabulary';
import { SIZE_WORDS } from '../syntax/operands';
import { parse } from '../syntax/parse';
import type { Dialect, Instruction, Span, Statement, Tree } from '../syntax/tree';
import { namesOf } from './names';
import type { Definition, FileNames } from './names';

export interface Language {
  dialect: Dialect;
  /** `.S`: the C preprocessor comes first. */
  preprocessed: boolean;
}

/** By name and, where that is not enough (`.asm`, `.inc`), by what the text has. */
export function languageOf(path: string, text: string, languageId?: string): Language {
  const preprocessed = /\.(S|sx|h)$/.test(path);
  if (/\.nasm$/i.test(path)) return { dialect: 'nasm', preprocessed: false };
  if (preprocessed || /\.s$/.test(path)) return { dialect: 'att', preprocessed };
  const votes = (pattern: RegExp): number => text.slice(0, 20_000).match(pattern)?.length ?? 0;
  const nasm = votes(/^\s*(%(define|macro|include|if\w*|assign)\b|;|(section|global|extern|bits|org|default)\s)|\b(equ|resb|db|dw|dd)\s/gim);
  const gnu = votes(/^\s*(\.(text|globl|macro|section|align|long|byte|code\d\d)\b|#)|%[re]?[abcd]x\b/gm);
  const gas = languageId === 'nasm' || /\.(asm|mac)$/i.test(path) ? gnu > nasm : gnu >= nasm;
  return { dialect: gas ? 'att' : 'nasm', preprocessed: gas && /^#\s*(include|define|if)/m.test(text) };
} // prettier-ignore

const WORDS = new Set([...Object.keys(SIZE_WORDS), 'ptr', 'offset', 'flat', 'rel', 'abs', 'short', 'near', 'far', 'strict', 'nosplit', 'times', 'equ', 'or', 'and', 'xor', 'not', 'shl', 'shr', 'mod']); // prettier-ignore

export class AssemblyDocument {
  readonly language: Language;
  readonly tree: Tree;
  readonly names: FileNames;
  private readonly lineStarts: number[] = [0];

  constructor(
    readonly uri: string,
    readonly text: string,
    readonly version: number,
    languageId?: string,
  ) {
    this.language = languageOf(pathOf(uri), text, languageId);
    this.tree = parse(text, { ...this.language, vocabulary });
    this.names = namesOf(this.tree, this.nasm, (word, dialect) => this.isName(word, dialect));
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) this.lineStarts.push(at + 1);
  }

  get nasm(): boolean {
    return this.language.dialect === 'nasm';
  }

  private isName(word: string, dialect: Dialect): boolean {
    if (word.includes('\\') || !/^[.$\w?@%]/.test(word)) return false;
    if (dialect === 'att') return true;
    return registerNamed(word) === undefined && !WORDS.has(word.toLowerCase());
  }

  /** Counted from 0. */
  lineOf(offset: number): number {
    let [low, high] = [0, this.lineStarts.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.lineStarts[middle] <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }
  get lines(): number {
    return this.lineStarts.length;
  }
  position(offset: number): { line: number; character: number } {
    const line = this.lineOf(offset);
    return { line, character: offset - this.lineStarts[line] };
  }
  offset({ line, character }: { line: number; character: number }): number {
    if (line >= this.lineStarts.length) return this.text.length;
    const end = this.lineStarts[line + 1] ?? this.text.length;
    return Math.min(end, (this.lineStarts[line] ?? 0) + character);
  }
  range({ start, end }: Span): {
    start: { line: number; character: number };
    end: { line: number; character: number };
  } {
    return { start: this.position(start), end: this.position(end) };
  }

  /** The statement around an offset, or right before it on the same line. */
  statementAt(offset: number): Statement | undefined {
    const { statements } = this.tree;
    let [low, high] = [0, statements.length - 1];
    let found: Statement | undefined;
    while (low <= high) {
      const middle = (low + high) >> 1;
      if (statements[middle].start <= offset) {
        found = statements[middle];
        low = middle + 1;
      } else high = middle - 1;
    }
    return found && (offset <= found.end || this.lineOf(found.end) === this.lineOf(offset)) ? found : undefined;
  }

  private numbers: Map<string, Definition[]> | undefined;
  /** Labels of this number (`1:`), as they come. */
  numbered(number: string): readonly Definition[] {
    this.numbers ??= numbersOf(this.names.definitions);
    return this.numbers.get(number) ?? [];
  }

  /** `work` is done once for each instruction as it is written, since a large file writes the same ones over and over. */
  onceEach<T>(work: (statement: Instruction) => T): (statement: Instruction) => T {
    const known = new Map<string, T>();
    return (statement) => {
      const { dialect, codeSize, start, end } = statement;
      const key = `${dialect} ${codeSize} ${this.text.slice(start, end)}`;
      if (!known.has(key)) known.set(key, work(statement));
      return known.get(key) as T;
    };
  }

  /** Whether the name is an instruction here, and no macro. */
  isMnemonic(name: string): boolean {
    return isMnemonic(name, this.language.dialect);
  }
}

function numbersOf(definitions: readonly Definition[]): Map<string, Definition[]> {
  const numbers = new Map<string, Definition[]>();
  for (const each of definitions) {
    if (!each.numeric) continue;
    const same = numbers.get(each.name);
    if (same) same.push(each);
    else numbers.set(each.name, [each]);
  }
  return numbers;
}

/** The path of a URI, or the text itself where it is none. */
export function pathOf(uri: string): string {
  const path = /^[a-z][\w+.-]+:\/\/[^/]*(\/.*)$/i.exec(uri)?.[1];
  try {
    return path === undefined ? uri : decodeURIComponent(path);
  } catch {
    return uri;
  }
}
