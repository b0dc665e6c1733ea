/** Text of an expression to tokens. C's, and `gv:` `gp:` `hp:` before an address, and `$name` for registers. */
import { ExpressionError } from './errors';

export type Token = { column: number } & (
  | { kind: 'integer'; value: bigint; /** Written in decimal: never unsigned by its size alone (C17 6.4.4.1). */ decimal: boolean; unsigned: boolean; longs: 0 | 1 | 2 }
  | { kind: 'float'; value: number; single: boolean }
  | { kind: 'char'; value: bigint }
  | { kind: 'string'; value: string }
  /** `$rax` keeps its dollar. */
  | { kind: 'name'; value: string }
  | { kind: 'space'; value: 'gv' | 'gp' | 'hp' }
  | { kind: 'operator'; value: string }
  | { kind: 'end' }
); // prettier-ignore

const PATTERNS: [RegExp, (match: RegExpExecArray, column: number) => Token][] = [
  [/(gv|gp|hp):(?=[\w$(])/y, (m, column) => ({ column, kind: 'space', value: m[1] as 'gv' })],
  [/[A-Za-z_$][\w$]*(?:::[A-Za-z_][\w$]*)*/y, (m, column) => ({ column, kind: 'name', value: m[0] })],
  [/(?:\d+\.\d*(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?|\d+[eE][-+]?\d+)([fFlL]?)/y, (m, column) => ({ column, kind: 'float', value: parseFloat(m[0]), single: /f/i.test(m[1]!) })], // prettier-ignore
  [/(0[xX][\da-fA-F]+|0[bB][01]+|\d+)([uUlL]*)/y, integer],
  [/'((?:[^'\\]|\\.)[^']*)'/y, (m, column) => ({ column, kind: 'char', value: character(m[1]!, column) })],
  [/"((?:[^"\\]|\\.)*)"/y, (m, column) => ({ column, kind: 'string', value: unescape(m[1]!, column) })],
  [
    /<<=|>>=|->|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^]=|[-+*/%&|^~!<>=?:.,()[\]]/y,
    (m, column) => ({ column, kind: 'operator', value: m[0] }),
  ],
];

export const tokenize = (text: string): Token[] => {
  const tokens: Token[] = [];
  let at = 0;
  for (;;) {
    while (/\s/.test(text[at] ?? '')) at++;
    if (at >= text.length) break;
    const token = next(text, at);
    if (!token) throw new ExpressionError(at + 1, `"${text[at]}" has no meaning here`);
    tokens.push(token.token);
    at = token.end;
  }
  tokens.push({ kind: 'end', column: text.length + 1 });
  return tokens;
};

const next = (text: string, at: number): { token: Token; end: number } | undefined => {
  for (const [pattern, make] of PATTERNS) {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match) return { token: make(match, at + 1), end: pattern.lastIndex };
  }
  return undefined;
};

function integer(match: RegExpExecArray, column: number): Token {
  const [, digits, suffix] = match as unknown as [string, string, string];
  const lower = suffix.toLowerCase();
  if (!/^(u?l{0,2}|l{1,2}u)$/.test(lower)) throw new ExpressionError(column, `"${suffix}" is no suffix of a number`);
  const octal = /^0\d/.test(digits);
  if (octal && /[89]/.test(digits))
    throw new ExpressionError(column, `"${digits}" begins with 0 and so is octal, which has no 8 and 9`);
  const value = octal ? BigInt(`0o${digits.slice(1)}`) : BigInt(digits);
  if (value >= 1n << 128n) throw new ExpressionError(column, 'the number has more than 128 bits');
  const longs = (lower.match(/l/g)?.length ?? 0) as 0 | 1 | 2;
  return { column, kind: 'integer', value, decimal: /^[1-9]/.test(digits), unsigned: lower.includes('u'), longs };
}

const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  '0': '\0',
  a: '\x07',
  b: '\b',
  f: '\f',
  v: '\v',
  e: '\x1b',
};
const unescape = (text: string, column: number): string =>
  text.replace(/\\(?:x([\da-fA-F]{1,2})|([0-7]{1,3})|(.))/g, (_, hex: string, octal: string, letter: string) => {
    if (hex) return String.fromCharCode(parseInt(hex, 16));
    if (octal) return String.fromCharCode(parseInt(octal, 8) & 0xff);
    if (letter === 'x') throw new ExpressionError(column, '\\x needs hexadecimal digits');
    return ESCAPES[letter] ?? letter;
  });
const character = (text: string, column: number): bigint => {
  const value = unescape(text, column);
  if (value.length !== 1) throw new ExpressionError(column, 'a character constant holds one character');
  return BigInt.asIntN(8, BigInt(value.charCodeAt(0)));
};
