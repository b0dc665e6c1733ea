/** Text to tokens. Every character is in exactly one of them, whatever the text. */
import type { Token, TokenKind } from './tree';

type Rule = [TokenKind, RegExp];

/** Everywhere: spaces, and lines that go on. A NUL or a form feed separates like a space. */
const SPACE: Rule = ['space', /(?:[^\S\n]|[\0\f\v]|\\\r?\n)+/y];
const NEWLINE: Rule = ['newline', /\n/y];
const BLOCK_COMMENT: Rule = ['comment', /\/\*[^]*?(?:\*\/|$)/y];
const ANYTHING: Rule = ['punctuation', /[^]/y];

/** To the end of the line; a backslash before it continues only where the C preprocessor reads the file. */
const toEndOfLine = (start: string): RegExp => new RegExp(`${start}[^\\n]*`, 'y');

const GAS: readonly Rule[] = [
  SPACE, NEWLINE, BLOCK_COMMENT,
  ['comment', toEndOfLine('(?:#|//)')],
  ['separator', /;/y],
  ['string', /"(?:[^"\\\n]|\\[^])*(?:"|(?=\n)|$)/y],
  ['character', /'(?:\\[^]|[^\\\n])'?/y],
  // `\name`, `\@` and `\()` belong to names in macros; `foo@PLT` is one name.
  ['name', /(?:[A-Za-z_.@\u0080-\uffff]|\\(?:[A-Za-z_@.]|\(\)))(?:[\w.$@\u0080-\uffff]|\\(?:[A-Za-z_@.]|\(\)))*/y],
  ['number', /\d+(?:\.\d+(?:[eE][-+]?\d+)?|(?:[\w.$]|\\(?:[A-Za-z_@]|\(\)))*)/y],
  ['punctuation', /<<|>>|==|!=|<=|>=|&&|\|\||##/y],
  ANYTHING,
]; // prettier-ignore

const NASM: readonly Rule[] = [
  SPACE, NEWLINE,
  ['comment', toEndOfLine(';')],
  ['string', /"[^"\n]*(?:"|(?=\n)|$)|'[^'\n]*(?:'|(?=\n)|$)|`(?:[^`\\\n]|\\[^\n])*(?:`|(?=\n)|$)/y],
  // `%macro`, `%%local`, `%1`, `%$context`, `%{1}`, `%+`; `$name` quotes a name.
  ['name', /%(?:[%$]*[A-Za-z_?@.][\w?@.$#~]*|[-+]?\d+|\{[^}\n]*\}|[+?*]+)/y],
  ['name', /\$?[A-Za-z_?.@][\w?@.$#~]*|\$\$?(?![\w])/y],
  ['number', /\$?\d[\w.]*/y],
  ['punctuation', /<<<|>>>|<<|>>|==|!=|<>|<=|>=|&&|\|\||\^\^|\/\/|%%/y],
  ANYTHING,
]; // prettier-ignore

/** Where a statement may begin, a line of the C preprocessor does: `#include`, not `# a comment`. */
const CPP =
  /#[^\S\n]*(?:include(?:_next)?|define|undef|if|ifdef|ifndef|elif|else|endif|error|warning|pragma|line|\d+)\b(?:\/\*[^]*?\*\/|\\\r?\n|"(?:[^"\\\n]|\\[^])*"|(?!\/\/|\/\*)[^\n])*/y;
/** On Linux a slash begins a comment there, too. */
const SLASH_COMMENT = /\/[^\n]*/y;

export interface LexOptions {
  nasm: boolean;
  /** The C preprocessor reads the file first: `.S`. */
  preprocessed: boolean;
}

export function tokenize(text: string, { nasm, preprocessed }: LexOptions): Token[] {
  const tokens: Token[] = [];
  const rules = nasm ? NASM : GAS;
  let at = 0;
  let lineStart = true;
  const take = (kind: TokenKind, rule: RegExp): boolean => {
    rule.lastIndex = at;
    if (!rule.test(text) || rule.lastIndex === at) return false;
    tokens.push({ kind, start: at, end: rule.lastIndex });
    at = rule.lastIndex;
    if (kind === 'newline') lineStart = true;
    else if (kind !== 'space' && kind !== 'comment') lineStart = false;
    return true;
  };
  while (at < text.length) {
    if (!nasm && lineStart && preprocessed && text[at] === '#' && take('preprocessor', CPP)) continue;
    if (
      !nasm &&
      lineStart &&
      !preprocessed &&
      text[at] === '/' &&
      text[at + 1] !== '*' &&
      take('comment', SLASH_COMMENT)
    )
      continue;
    for (const [kind, rule] of rules) if (take(kind, rule)) break;
  }
  return tokens;
}
