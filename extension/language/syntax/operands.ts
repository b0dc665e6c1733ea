/** Tokens of one operand to its shape, and a statement's tokens to its operands. */
import type { Dialect, Operand, Shape, Token } from './tree';

/** A statement's words, without spaces and comments. */
export interface Words {
  text: string;
  tokens: Token[];
}

/** Names of registers without `%`, in lower case. */
export interface RegisterNames {
  isRegister(name: string, dialect: Dialect): boolean;
}

const at = ({ text, tokens }: Words, index: number): string =>
  index < tokens.length && index >= 0 ? text.slice(tokens[index].start, tokens[index].end) : '';

const OPENING = '([{';
const CLOSING = ')]}';

/** Splits at commas outside brackets. An empty list of words is no operand. */
export function operandsOf(words: Words, dialect: Dialect, vocabulary: RegisterNames): Operand[] {
  const parts: Token[][] = [[]];
  let depth = 0;
  for (const token of words.tokens) {
    const text = words.text.slice(token.start, token.end);
    if (token.kind === 'punctuation' && text.length === 1) {
      if (OPENING.includes(text)) depth++;
      else if (CLOSING.includes(text)) depth = Math.max(0, depth - 1);
    }
    if (text === ',' && depth === 0) parts.push([]);
    else parts[parts.length - 1].push(token);
  }
  if (parts.length === 1 && parts[0].length === 0) return [];
  let end = words.tokens[0]?.start ?? 0;
  return parts.map((tokens) => {
    const start = tokens[0]?.start ?? end;
    end = tokens[tokens.length - 1]?.end ?? start;
    return { start, end, tokens, shape: shapeOf({ text: words.text, tokens }, dialect, vocabulary) };
  });
}

function shapeOf(words: Words, dialect: Dialect, vocabulary: RegisterNames): Shape {
  const { text, tokens } = words;
  const plain = tokens.filter(({ kind }) => kind !== 'character' && kind !== 'string');
  const whole = plain.map(({ start, end }) => text.slice(start, end)).join(' ');
  // Arguments of macros (`\reg`, `%1`) and masks (`{k1}{z}`) may be anything.
  if (tokens.length === 0 || whole.includes('\\') || whole.includes('{')) return { kind: 'unknown' };
  if (dialect === 'nasm' && /%/.test(whole)) return { kind: 'unknown' };
  return dialect === 'att' ? attShape(words) : intelShape(words, dialect, vocabulary);
}

const drop = ({ text, tokens }: Words, count: number): Words => ({ text, tokens: tokens.slice(count) });

function attShape(words: Words): Shape {
  const { text, tokens } = words;
  const first = at(words, 0);
  if (first === '*') return { kind: 'indirect', inner: attShape(drop(words, 1)) };
  if (first === '$') return immediate(words, 1);
  if (first === '%') {
    // `%st(1)` is a register, `%fs:8(%rax)` memory.
    if (at(words, 2) === ':') return { kind: 'memory', absolute: !within(words, '(') };
    const name = tokens.slice(1).map((token) => text.slice(token.start, token.end)).join(''); // prettier-ignore
    return /^[a-z]\w*(\(\d\))?$/i.test(name) ? { kind: 'register', name: name.toLowerCase() } : { kind: 'unknown' };
  }
  if (tokens.every((token) => token.kind === 'string')) return { kind: 'unknown' };
  const registers = tokens.some((_, index) => at(words, index) === '%');
  // `8(%rax)`, `(,%rcx,8)`; `(1 + 2)` is an expression, and `name(...)` a macro of the C preprocessor.
  if (registers)
    return at(words, tokens.length - 1) === ')' ? { kind: 'memory', absolute: false } : { kind: 'unknown' };
  if (/[A-Za-z_]\w*$/.test(first) && at(words, 1) === '(') return { kind: 'unknown' };
  return { kind: 'symbol' };
}

const within = ({ text, tokens }: Words, wanted: string): boolean =>
  tokens.some((token) => text.slice(token.start, token.end) === wanted);

/** Plain numbers have a value; expressions are worked out by the assembler. */
function immediate(words: Words, from: number): Shape {
  const negative = at(words, from) === '-';
  const number = negative ? from + 1 : from;
  const value = words.tokens.length === number + 1 ? numberOf(at(words, number)) : undefined;
  return { kind: 'immediate', ...(value === undefined ? {} : { value: negative ? -value : value }) };
}

/** `10`, `0x1f`, `017`, `0b11`, `1fh`, `0q17`... */
export function numberOf(text: string): bigint | undefined {
  const plain = text.replace(/_/g, '').toLowerCase();
  if (/^(0x[\da-f]+|0b[01]+|[1-9]\d*|0)$/.test(plain)) return BigInt(plain);
  if (/^0[0-7]+$/.test(plain)) return BigInt(`0o${plain.slice(1)}`);
  if (/^[\d][\da-f]*h$/.test(plain)) return BigInt(`0x${plain.slice(0, -1)}`);
  return undefined;
}

export const SIZE_WORDS: Readonly<Record<string, number>> = {
  byte: 8, word: 16, dword: 32, fword: 48, pword: 48, qword: 64, tbyte: 80, tword: 80, oword: 128, xmmword: 128, yword: 256, ymmword: 256,
  zword: 512, zmmword: 512, mmword: 64,
}; // prettier-ignore
/** What may stand between a size and the address, and says nothing of either. */
const FILLERS = /^(ptr|rel|abs|strict|short|near|far|offset|flat|to|nosplit)$/i;

function intelShape(words: Words, dialect: Dialect, vocabulary: RegisterNames): Shape {
  let bits: number | undefined;
  let seen = 0;
  let filler = '';
  while (seen < words.tokens.length && words.tokens[seen].kind === 'name') {
    const word = at(words, seen).toLowerCase();
    if (Object.hasOwn(SIZE_WORDS, word)) bits = SIZE_WORDS[word];
    else if (FILLERS.test(word)) filler = word;
    else break;
    seen++;
  }
  const rest = drop(words, seen);
  const first = rest.tokens[0];
  if (first === undefined) return { kind: 'unknown' };
  if (filler === 'offset') return { kind: 'immediate' };
  const memory = (absolute: boolean): Shape => ({ kind: 'memory', absolute, ...(bits === undefined ? {} : { bits }) });
  if (within(rest, '[')) return memory(false);
  if (at(rest, 1) === ':') return rest.tokens.length > 2 && isSegment(at(rest, 0)) ? memory(true) : { kind: 'far' };
  if (filler === 'ptr') return memory(true);
  const name = rest.tokens.map((token) => rest.text.slice(token.start, token.end)).join('').replace(/^%/, ''); // prettier-ignore
  if (/^(st\(\d\)|[a-z][\w]*)$/i.test(name) && vocabulary.isRegister(name.toLowerCase(), dialect))
    return { kind: 'register', name: name.toLowerCase() };
  // The size of an immediate may stand for that of the memory beside it.
  if (bits !== undefined) return { kind: 'unknown' };
  if (first.kind === 'string' || first.kind === 'character') return { kind: 'immediate' };
  const plain = immediate(rest, 0);
  return 'value' in plain ? plain : rest.tokens.some(({ kind }) => kind === 'name') ? { kind: 'symbol' } : { kind: 'immediate' };
} // prettier-ignore

const isSegment = (name: string): boolean => /^[c-gs]s$/i.test(name);
