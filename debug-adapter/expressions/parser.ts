/** Tokens to a tree. C's expressions (C17 6.5) without calls, commas, increments and compound literals. */
import type { Type } from '../symbols/api';
import { arrayOf, baseTypeNamed, pointerTo } from './c-types';
import { ExpressionError } from './errors';
import { type Token, tokenize } from './lexer';

export type Tree = { column: number } & (
  | { kind: 'integer' | 'float' | 'char' | 'string'; token: Token }
  | { kind: 'name'; name: string }
  | { kind: 'space'; space: 'gv' | 'gp' | 'hp'; operand: Tree }
  | { kind: 'unary'; operator: string; operand: Tree }
  | { kind: 'binary'; operator: string; left: Tree; right: Tree }
  | { kind: 'ternary'; condition: Tree; then: Tree; otherwise: Tree }
  | { kind: 'assign'; operator: string; left: Tree; right: Tree }
  | { kind: 'cast'; type: Type; operand: Tree }
  | { kind: 'sizeof'; type?: Type; operand?: Tree }
  | { kind: 'member'; object: Tree; name: string; arrow: boolean }
  | { kind: 'index'; object: Tree; index: Tree }
);

/** What the grammar must ask: in C, `(a)*b` is a cast or a product depending on what `a` is. */
export interface TypeNames {
  readonly pointerBytes: 4 | 8;
  typeNamed?(name: string): Type | undefined;
  /** True if the name means a value here: then it is no type. */
  isValue(name: string): boolean;
}

const BINARY: Readonly<Record<string, number>> = {
  '||': 1, '&&': 2, '|': 3, '^': 4, '&': 5, '==': 6, '!=': 6, '<': 7, '>': 7, '<=': 7, '>=': 7, '<<': 8, '>>': 8,
  '+': 9, '-': 9, '*': 10, '/': 10, '%': 10,
}; // prettier-ignore
const ASSIGN: readonly string[] = ['=', '+=', '-=', '*=', '/=', '%=', '&=', '|=', '^=', '<<=', '>>='];
const TAGS: readonly string[] = ['struct', 'union', 'enum', 'class'];
const QUALIFIERS: readonly string[] = ['const', 'volatile', 'restrict'];
const BASE_WORDS: readonly string[] = [
  'void',
  'char',
  'short',
  'int',
  'long',
  'float',
  'double',
  'signed',
  'unsigned',
  '_Bool',
  'bool',
  '__int128',
];
/** Deeper than people write; the parser is recursive. */
const DEEPEST = 200;
/** Operators in a row make trees as deep as the row is long, and who compiles and evaluates them is recursive, too. */
const MOST_TOKENS = 2000;

export const parse = (text: string, names: TypeNames): Tree => {
  const tokens = tokenize(text);
  const beyond = tokens[MOST_TOKENS];
  if (beyond) throw new ExpressionError(beyond.column, 'the expression is too long');
  return new Parser(tokens, names).whole();
};

class Parser {
  private at = 0;
  private depth = 0;

  constructor(
    private readonly tokens: Token[],
    private readonly names: TypeNames,
  ) {}

  whole(): Tree {
    if (this.tokens[0]!.kind === 'end') throw new ExpressionError(1, 'there is no expression');
    const tree = this.assignment();
    if (this.token.kind !== 'end')
      throw new ExpressionError(this.token.column, `${this.shown()} does not fit after the expression before it`);
    return tree;
  }

  private get token(): Token {
    return this.tokens[this.at]!;
  }
  private shown(): string {
    const t = this.token;
    if (t.kind === 'end') return 'the end of the expression';
    return 'value' in t ? `"${t.value}"` : 'this';
  }
  private is(operator: string): boolean {
    return this.token.kind === 'operator' && this.token.value === operator;
  }
  private accept(operator: string): boolean {
    if (!this.is(operator)) return false;
    this.at++;
    return true;
  }
  private expect(operator: string): void {
    if (!this.accept(operator))
      throw new ExpressionError(this.token.column, `"${operator}" is expected, not ${this.shown()}`);
  }

  private enter(): void {
    if (++this.depth > DEEPEST) throw new ExpressionError(this.token.column, 'the expression is nested too deeply');
  }

  private assignment(): Tree {
    this.enter();
    const left = this.ternary();
    const { token } = this;
    let tree = left;
    if (token.kind === 'operator' && ASSIGN.includes(token.value)) {
      this.at++;
      tree = {
        kind: 'assign',
        operator: token.value.slice(0, -1),
        left,
        right: this.assignment(),
        column: token.column,
      };
    }
    this.depth--;
    return tree;
  }
  private ternary(): Tree {
    const condition = this.binary(1);
    const { column } = this.token;
    if (!this.accept('?')) return condition;
    const then = this.assignment();
    this.expect(':');
    return { kind: 'ternary', condition, then, otherwise: this.ternaryTail(), column };
  }
  private ternaryTail(): Tree {
    this.enter();
    const tree = this.ternary();
    this.depth--;
    return tree;
  }
  private binary(lowest: number): Tree {
    let left = this.unary();
    for (;;) {
      const { token } = this;
      const strength = token.kind === 'operator' ? (BINARY[token.value] ?? 0) : 0;
      if (token.kind !== 'operator' || strength < lowest) return left;
      this.at++;
      left = { kind: 'binary', operator: token.value, left, right: this.binary(strength + 1), column: token.column };
    }
  }
  private unary(): Tree {
    this.enter();
    const tree = this.prefixed();
    this.depth--;
    return tree;
  }
  private prefixed(): Tree {
    const { token } = this;
    const { column } = token;
    if (token.kind === 'operator' && ['-', '+', '!', '~', '*', '&'].includes(token.value)) {
      this.at++;
      return { kind: 'unary', operator: token.value, operand: this.unary(), column };
    }
    if (token.kind === 'space') {
      this.at++;
      return { kind: 'space', space: token.value, operand: this.unary(), column };
    }
    if (token.kind === 'name' && token.value === 'sizeof') {
      this.at++;
      const type = this.parenthesizedType();
      return type ? { kind: 'sizeof', type, column } : { kind: 'sizeof', operand: this.unary(), column };
    }
    const type = this.parenthesizedType();
    if (type) return { kind: 'cast', type, operand: this.unary(), column };
    return this.postfix();
  }
  private postfix(): Tree {
    let tree = this.primary();
    for (;;) {
      const { column } = this.token;
      if (this.accept('[')) {
        tree = { kind: 'index', object: tree, index: this.assignment(), column };
        this.expect(']');
      } else if (this.is('.') || this.is('->')) {
        const arrow = this.is('->');
        this.at++;
        const { token } = this;
        if (token.kind !== 'name')
          throw new ExpressionError(token.column, `a member's name is expected, not ${this.shown()}`);
        this.at++;
        tree = { kind: 'member', object: tree, name: token.value, arrow, column: token.column };
      } else if (this.is('(')) throw new ExpressionError(column, 'calls are not made: the guest would have to run');
      else return tree;
    }
  }
  private primary(): Tree {
    const { token } = this;
    const { column } = token;
    switch (token.kind) {
      case 'integer':
      case 'float':
      case 'char':
      case 'string':
        this.at++;
        return { kind: token.kind, token, column };
      case 'name':
        this.at++;
        return { kind: 'name', name: token.value, column };
      default:
        if (!this.accept('(')) throw new ExpressionError(column, `a value is expected, not ${this.shown()}`);
        return this.closed();
    }
  }
  private closed(): Tree {
    const tree = this.assignment();
    this.expect(')');
    return tree;
  }

  /** `(type)`, or nothing consumed. */
  private parenthesizedType(): Type | undefined {
    if (!this.is('(')) return undefined;
    const start = this.at++;
    const type = this.type();
    if (!type) {
      this.at = start;
      return undefined;
    }
    this.expect(')');
    return type;
  }
  /** A type name with `*` and `[n]` behind it. Undefined: what follows is no type. */
  private type(): Type | undefined {
    const words: string[] = [];
    let type: Type | undefined;
    for (;;) {
      const { token } = this;
      if (token.kind !== 'name') break;
      if (QUALIFIERS.includes(token.value)) {
        this.at++;
        continue;
      }
      if (type) break;
      if (words.length === 0 && TAGS.includes(token.value)) type = this.tagged(token.value);
      else if (BASE_WORDS.includes(token.value)) {
        words.push(token.value);
        this.at++;
      } else {
        if (words.length > 0 || this.names.isValue(token.value)) break;
        type = this.names.typeNamed?.(token.value);
        if (!type) break;
        this.at++;
      }
    }
    if (words.length > 0) type = this.base(words);
    return type && this.declarators(type);
  }
  private tagged(keyword: string): Type {
    this.at++;
    const { token } = this;
    if (token.kind !== 'name') throw new ExpressionError(token.column, `a name is expected after "${keyword}"`);
    this.at++;
    const type = this.names.typeNamed?.(`${keyword} ${token.value}`);
    if (!type) throw new ExpressionError(token.column, `no ${keyword} is named ${token.value}`);
    return type;
  }
  private base(words: string[]): Type {
    const type = baseTypeNamed(words, this.names.pointerBytes);
    if (!type) throw new ExpressionError(this.token.column, `"${words.join(' ')}" is no type`);
    return type;
  }
  private declarators(base: Type): Type {
    let type = base;
    for (;;) {
      const { token } = this;
      if (this.accept('*')) type = pointerTo(type, this.names.pointerBytes);
      else if (token.kind === 'name' && QUALIFIERS.includes(token.value)) this.at++;
      else break;
    }
    const counts: number[] = [];
    while (this.accept('[')) {
      const { token } = this;
      if (token.kind !== 'integer') throw new ExpressionError(token.column, 'the length of the array is expected');
      counts.push(Number(token.value));
      this.at++;
      this.expect(']');
    }
    for (const count of counts.reverse()) type = arrayOf(type, count);
    return type;
  }
}
