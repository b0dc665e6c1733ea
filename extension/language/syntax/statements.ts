/** The words of one statement to what it is. Vocabulary decides where the grammar alone does not. */
import { operandsOf } from './operands';
import type { RegisterNames, Words } from './operands';
import type { Dialect, Name, Operand, Statement, Token } from './tree';

/** What the parser cannot know by itself. Names in lower case. */
export interface Vocabulary extends RegisterNames {
  isPrefix(name: string, dialect: Dialect): boolean;
  isMnemonic(name: string, dialect: Dialect): boolean;
  /** Of NASM, where directives have no dot: `section`, `db`, `equ`. */
  isDirective(name: string): boolean;
}

type Bare<T> = T extends Statement
  ? Omit<T, 'index' | 'dialect' | 'codeSize' | 'block' | 'templated' | 'cppBranch' | 'branch'>
  : never;
export type BareStatement = Bare<Statement>;

const nameOf = (text: string, token: Token): Name => ({
  start: token.start,
  end: token.end,
  text: text.slice(token.start, token.end),
});
const lower = (name: Name): Name => ({ ...name, text: name.text.toLowerCase() });

/** One statement's words may be several statements: labels stand before another on the same line. */
export function statementsOf(words: Words, dialect: Dialect, vocabulary: Vocabulary): BareStatement[] {
  const result: BareStatement[] = [];
  let rest = words;
  for (let label = labelOf(rest, dialect); label; label = labelOf(rest, dialect)) {
    result.push(label.statement);
    rest = { text: words.text, tokens: rest.tokens.slice(label.used) };
  }
  if (rest.tokens.length === 0) return result;
  const statement = dialect === 'nasm' ? nasmStatement(rest, vocabulary) : gasStatement(rest, dialect, vocabulary);
  result.push(...statement);
  return result;
}

const span = (tokens: Token[]): { start: number; end: number } => ({
  start: tokens[0].start,
  end: tokens[tokens.length - 1].end,
});
const is = ({ text, tokens }: Words, index: number, wanted: string): boolean =>
  index < tokens.length && text.slice(tokens[index].start, tokens[index].end) === wanted;

function labelOf(words: Words, dialect: Dialect): { statement: BareStatement; used: number } | undefined {
  const [first] = words.tokens;
  if (first === undefined || !is(words, 1, ':')) return undefined;
  // `::` and `:=` are others' syntax. A segment before a colon is an override that stands alone (`fs: mov`): not here.
  const name = nameOf(words.text, first);
  const numeric = first.kind === 'number' && /^\d+$/.test(name.text) && dialect !== 'nasm';
  if (!numeric && first.kind !== 'name' && !(first.kind === 'string' && dialect !== 'nasm')) return undefined;
  const label = first.kind === 'string' ? { ...name, text: name.text.replace(/^"|"$/g, '') } : name;
  return { statement: { kind: 'label', ...span(words.tokens.slice(0, 2)), name: label, numeric }, used: 2 };
}

function gasStatement(words: Words, dialect: Dialect, vocabulary: Vocabulary): BareStatement[] {
  const { text, tokens } = words;
  const [first, second] = tokens;
  const whole = span(tokens);
  if (first.kind !== 'name') return [{ kind: 'unknown', ...whole }];
  const name = nameOf(text, first);
  const after = (count: number): Operand[] => operandsOf({ text, tokens: tokens.slice(count) }, dialect, vocabulary);
  if (second && (is(words, 1, '=') || is(words, 1, '==')))
    return [{ kind: 'assignment', ...whole, name, value: after(is(words, 2, '=') ? 3 : 2) }];
  if (name.text.startsWith('.') && !name.text.includes('\\'))
    return [{ kind: 'directive', ...whole, name: lower(name), operands: after(1) }];
  return [instructionOf(words, dialect, vocabulary)];
}

function instructionOf(words: Words, dialect: Dialect, vocabulary: Vocabulary): BareStatement {
  const { text, tokens } = words;
  const prefixes: Name[] = [];
  let used = 0;
  // A prefix alone is an instruction of its own (`lock` on a line before `incl`).
  while (used + 1 < tokens.length && tokens[used + 1].kind === 'name') {
    const name = nameOf(text, tokens[used]);
    if (!vocabulary.isPrefix(name.text.toLowerCase(), dialect)) break;
    prefixes.push(lower(name));
    used++;
  }
  const mnemonic = nameOf(text, tokens[used]);
  const operands = operandsOf({ text, tokens: tokens.slice(used + 1) }, dialect, vocabulary);
  return { kind: 'instruction', ...span(tokens), prefixes, mnemonic, operands };
}

function nasmStatement(words: Words, vocabulary: Vocabulary): BareStatement[] {
  const { text, tokens } = words;
  const [first, second] = tokens;
  const whole = span(tokens);
  // `[section .text]`: a directive in its primitive form.
  if (is(words, 0, '[') && second?.kind === 'name') {
    const inner = tokens.slice(2, is(words, tokens.length - 1, ']') ? -1 : undefined);
    return [{ kind: 'directive', ...whole, name: lower(nameOf(text, second)), operands: operandsOf({ text, tokens: inner }, 'nasm', vocabulary) }]; // prettier-ignore
  }
  if (first.kind !== 'name') return [{ kind: 'unknown', ...whole }];
  const name = nameOf(text, first);
  const known = (word: string): boolean =>
    vocabulary.isDirective(word) || vocabulary.isMnemonic(word, 'nasm') || vocabulary.isPrefix(word, 'nasm');
  const directive = (used: number, label?: Name): BareStatement => ({
    kind: 'directive',
    ...whole,
    name: lower(nameOf(text, tokens[used])),
    ...(label ? { label } : {}),
    operands: operandsOf({ text, tokens: tokens.slice(used + 1) }, 'nasm', vocabulary),
  });
  if (name.text.startsWith('%') && /^%[a-z]/i.test(name.text)) return [directive(0)];
  if (vocabulary.isDirective(name.text.toLowerCase())) return [directive(0)];
  if (!known(name.text.toLowerCase())) {
    // `name equ 1`, `name db 1`, `name mov ax, bx`, or a name alone: a label without its colon.
    const next = second?.kind === 'name' ? text.slice(second.start, second.end).toLowerCase() : '';
    if (next === 'equ' || (next !== '' && vocabulary.isDirective(next))) return [directive(1, name)];
    const label: BareStatement = {
      kind: 'label',
      start: first.start,
      end: first.end,
      name,
      numeric: false,
      bare: true,
    };
    if (next !== '' && known(next))
      return [label, instructionOf({ text, tokens: tokens.slice(1) }, 'nasm', vocabulary)];
    if (tokens.length === 1 && /^[.$\w]/.test(name.text)) return [label];
  }
  return [instructionOf(words, 'nasm', vocabulary)];
}
