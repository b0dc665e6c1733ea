/** What a file defines, refers to and includes: the raw material of every feature that crosses files. */
import { blocksByOpening } from '../syntax/tree';
import type { Branch, Dialect, Name, Operand, Span, Statement, Token, Tree } from '../syntax/tree';

export type DefinitionKind =
  | 'label'
  /** `.set`, `=`, `equ`, %assign. */
  | 'constant'
  /** .macro, %macro */
  | 'macro'
  /** #define, %define: text that is replaced. */
  | 'define'
  /** .comm, .lcomm, resb after a name in .bss is a label. */
  | 'common'
  /** struc */
  | 'structure';

export interface Definition {
  name: string;
  kind: DefinitionKind;
  /** Of the name alone, and of the whole statement. */
  at: Span;
  statement: number;
  numeric: boolean;
  parameters?: string[];
}

export interface Reference {
  /** In full: `.loop` of NASM belongs to the label before it. */
  name: string;
  at: Span;
  statement: number;
}

export interface Include {
  file: string;
  at: Span;
}

export interface FileNames {
  definitions: Definition[];
  references: Reference[];
  includes: Include[];
  /** Made known to other files: .globl, global. */
  globals: Set<string>;
  /** Another file has them: .extern, extern. */
  externals: Set<string>;
}

const CONSTANTS = new Set(['.set', '.equ', '.equiv', '.eqv']);
const COMMONS = new Set(['.comm', '.lcomm', 'common']);
const NASM_DEFINES = /^%(i?define|i?xdefine|ix?define|defstr|deftok|defalias|strlen|substr|strcat|pathsearch)$/;

/** `isName`: neither a register nor a word of the syntax. */
export function namesOf(tree: Tree, nasm: boolean, isName: (text: string, dialect: Dialect) => boolean): FileNames {
  const names: FileNames = { definitions: [], references: [], includes: [], globals: new Set(), externals: new Set() };
  const opened = blocksByOpening(tree);
  let parent = '';
  const full = (text: string): string => (nasm && /^\.(?!\.)/.test(text) ? parent + text : text);
  const define = (kind: DefinitionKind, name: Name, statement: Statement, more: Partial<Definition> = {}): void =>
    void names.definitions.push({ name: full(name.text), kind, at: { start: name.start, end: name.end }, statement: statement.index, numeric: false, ...more }); // prettier-ignore
  const refer = (token: Token, statement: Statement): void => {
    const text = tree.text.slice(token.start, token.end).replace(/@.*$/, '');
    if (text !== '' && (token.kind === 'number' ? /^\d+[bf]$/.test(text) && !nasm : isName(text, statement.dialect)))
      names.references.push({ name: full(text), at: { start: token.start, end: token.start + text.length }, statement: statement.index }); // prettier-ignore
  };
  const referAll = (operands: readonly Operand[], statement: Statement): void => {
    for (const { tokens } of operands)
      tokens.forEach((token, n) => {
        if ((token.kind === 'name' || token.kind === 'number') && !isRegister(tree.text, tokens, n))
          refer(token, statement);
      });
  };
  for (const statement of tree.statements) {
    switch (statement.kind) {
      case 'label':
        define('label', statement.name, statement, { numeric: statement.numeric });
        if (nasm && !statement.name.text.startsWith('.')) parent = statement.name.text;
        break;
      case 'assignment':
        define('constant', statement.name, statement);
        referAll(statement.value, statement);
        break;
      case 'preprocessor':
        if (statement.name.text === 'define' && statement.macro)
          define(
            'define',
            statement.macro,
            statement,
            statement.parameters ? { parameters: statement.parameters } : {},
          );
        if (statement.file) names.includes.push({ file: statement.file.text, at: statement.file });
        break;
      case 'instruction':
        names.references.push({ name: statement.mnemonic.text, at: statement.mnemonic, statement: statement.index });
        referAll(statement.operands, statement);
        break;
      case 'directive':
        if (nasm && statement.label && !statement.label.text.startsWith('.')) parent = statement.label.text;
        directive(statement);
        break;
    }
  }
  return names;

  function directive(statement: Statement & { kind: 'directive' }): void {
    const { name, operands, label } = statement;
    const first = operands[0];
    const token = first?.tokens[0];
    const firstName = token && { start: token.start, end: token.end, text: tree.text.slice(token.start, token.end) };
    if (label) define(name.text === 'equ' ? 'constant' : 'label', label, statement);
    const exported = /^\.?(globl|global|weak)$/.test(name.text);
    if (exported || /^\.?(extern|required)$/.test(name.text)) {
      // Each operand begins with the name; NASM may add a kind after a colon.
      for (const { tokens } of operands) {
        if (tokens[0] === undefined) continue;
        const known = exported ? names.globals : names.externals;
        known.add(tree.text.slice(tokens[0].start, tokens[0].end));
        refer(tokens[0], statement);
      }
      return;
    }
    if (firstName && CONSTANTS.has(name.text)) define('constant', firstName, statement);
    else if (firstName && COMMONS.has(name.text)) define('common', firstName, statement);
    else if (firstName && NASM_DEFINES.test(name.text)) {
      const list = first.tokens[1] && tree.text[first.tokens[1].start] === '(' && first.tokens[1].start === firstName.end;
      define('define', firstName, statement, list ? { parameters: [] } : {});
    } else if (firstName && /^%i?assign$/.test(name.text)) define('constant', firstName, statement);
    else if (firstName && name.text === 'struc') {
      define('structure', firstName, statement);
      parent = firstName.text;
    } else if (/^(\.macro|%i?r?macro|%irmacro)$/.test(name.text)) macro(statement);
    else if (/^(\.include|%include)$/.test(name.text)) {
      const file = first && /^["'`](.*)["'`]$/.exec(tree.text.slice(first.start, first.end));
      if (file) names.includes.push({ file: file[1], at: { start: first.start + 1, end: first.end - 1 } });
    } else if (name.text === '%use' && first) {
      // Packages that come with NASM lie beside no source: what they define is not known.
      names.includes.push({ file: `${tree.text.slice(first.start, first.end)}.mac`, at: first });
    } else if (!/^\.(section|type|file|ident|macro|irp|irpc|purgem|pushsection|popsection|ifc|ifnc|ifdef|ifndef|arch|loc|cfi_\w+)$|^(section|segment|bits|default|cpu)$/.test(name.text)) referAll(operands, statement); // prettier-ignore
    if (/^\.(type|size|hidden|protected|internal|local|ifdef|ifndef|purgem|symver)$/.test(name.text)) referAll(operands.slice(0, 1), statement); // prettier-ignore
    if (operands.length && CONSTANTS.has(name.text)) referAll(operands.slice(1), statement);
  }

  function macro(statement: Statement): void {
    const block = opened.get(statement.index);
    if (block?.name) define('macro', block.name, statement, { parameters: (block.parameters ?? []).map(({ text }) => text) }); // prettier-ignore
  }
}

/** `%rax`: a percent sign stands right before it. */
const isRegister = (text: string, tokens: readonly Token[], n: number): boolean =>
  n > 0 && tokens[n - 1].end === tokens[n].start && text[tokens[n - 1].start] === '%';

type InBranches = Pick<Statement, 'index' | 'cppBranch' | 'branch'>;
/** Both can be assembled in one run: they are not in different branches of one conditional. */
export function together(a: InBranches, b: InBranches): boolean {
  const [first, second] = a.index < b.index ? [a, b] : [b, a];
  // Open at the second and begun before the first, it was open at both; those around it had come to their branches before it.
  const excluded = (branch: Branch | undefined): boolean => {
    while (branch && branch.open > first.index) branch = branch.outer;
    return branch !== undefined && branch.start > first.index;
  };
  return !excluded(second.cppBranch) && !excluded(second.branch);
}
