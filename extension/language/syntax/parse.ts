/** Text to tree. Never throws: what is not understood is a statement of kind `unknown`, and the next line is read anew. */
import { BlockStacks, macroOf, roleOf } from './blocks';
import { preprocessorLine } from './cpp';
import { statementsOf } from './statements';
import type { BareStatement, Vocabulary } from './statements';
import { tokenize } from './tokens';
import type { Dialect, Directive, Statement, Token, Tree } from './tree';

export interface ParseOptions {
  /** What the file begins in. */
  dialect: Dialect;
  /** The C preprocessor reads it first. */
  preprocessed: boolean;
  vocabulary: Vocabulary;
}

export function parse(text: string, { dialect, preprocessed, vocabulary }: ParseOptions): Tree {
  const nasm = dialect === 'nasm';
  const tokens = tokenize(text, { nasm, preprocessed });
  const reader = new Reader(text, dialect, vocabulary);
  let line: Token[] = [];
  const flush = (): void => {
    if (line.length) reader.add(statementsOf({ text, tokens: line }, reader.dialect, vocabulary));
    line = [];
  };
  let depth = 0;
  for (const token of tokens) {
    if (token.kind === 'newline') depth = 0;
    else if (preprocessed && token.kind === 'punctuation') depth += text[token.start] === '(' ? 1 : text[token.start] === ')' ? -1 : 0; // prettier-ignore
    // What is separated inside of parentheses are arguments of the C preprocessor: `ALTERNATIVE(nop; nop, ...)`.
    if (token.kind === 'newline' || (token.kind === 'separator' && depth <= 0)) flush();
    else if (token.kind === 'preprocessor') {
      flush();
      reader.add([preprocessorLine(text, token)]);
    } else if (token.kind !== 'space' && token.kind !== 'comment') line.push(token);
  }
  flush();
  return { text, tokens, statements: reader.statements, blocks: reader.stacks.blocks, unopened: reader.unopened };
}

class Reader {
  readonly statements: Statement[] = [];
  readonly stacks = new BlockStacks();
  readonly unopened: number[] = [];
  private codeSize: 16 | 32 | 64 | undefined;
  /** Before each open conditional of the preprocessor, and whether some branch of it has changed it. */
  private readonly codeSizes: { before: 16 | 32 | 64 | undefined; changed: boolean }[] = [];

  constructor(
    private readonly text: string,
    public dialect: Dialect,
    readonly vocabulary: Vocabulary,
  ) {}

  add(all: BareStatement[]): void {
    for (const bare of all) {
      const index = this.statements.length;
      const role = roleOf(bare, this.dialect === 'nasm');
      if (role && role.act !== 'open' && !this.stacks.enter(role, index, {})) this.unopened.push(index);
      if (role?.kind === 'cpp-if') this.chooseCodeSize(role.act);
      const { dialect, codeSize, stacks } = this;
      this.statements.push({
        ...bare,
        index,
        dialect,
        block: stacks.innermost,
        templated: stacks.templated,
        ...stacks.branches,
        ...(codeSize === undefined ? {} : { codeSize }),
      } as Statement);
      if (role?.act === 'open') {
        const about = role.kind === 'macro' && bare.kind === 'directive' ? macroOf(bare.operands, this.text) : {};
        stacks.enter(role, index, about);
      }
      if (bare.kind === 'directive' && !stacks.templated) this.obey(bare);
    }
  }

  /** Who knows which branch will be taken: what one of them has changed is unknown after all. */
  private chooseCodeSize(act: 'open' | 'branch' | 'close'): void {
    if (act === 'open') {
      this.codeSizes.push({ before: this.codeSize, changed: false });
      return;
    }
    const last = this.codeSizes[this.codeSizes.length - 1];
    if (last === undefined) return;
    last.changed ||= this.codeSize !== last.before;
    this.codeSize = last.before;
    if (act === 'close') {
      this.codeSizes.pop();
      if (last.changed) this.codeSize = undefined;
    }
  }

  /** Directives that change how the rest is read. */
  private obey({ name, operands }: Pick<Directive, 'name' | 'operands'>): void {
    const first = operands[0] ? this.text.slice(operands[0].start, operands[0].end).toLowerCase() : '';
    const size = /^\.code(16|32|64)(gcc)?$/.exec(name.text) ?? (/^(bits|use16|use32|use64)$/.test(name.text) ? /(16|32|64)/.exec(name.text + first) : null); // prettier-ignore
    if (size) this.codeSize = Number(size[1]) as 16 | 32 | 64;
    else if (name.text === '.att_syntax') this.dialect = 'att';
    else if (name.text === '.intel_syntax') this.dialect = 'intel';
  }
}
