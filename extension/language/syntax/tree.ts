/**
 * Assembly as a tree: statements in order, and the blocks that they open and close. Everything is placed by offsets into
 * the text (UTF-16 units). No types of the language server's protocol: a parser for any use.
 */

/** GNU as in AT&T or Intel syntax, or NASM. */
export type Dialect = 'att' | 'intel' | 'nasm';

export interface Span {
  start: number;
  end: number;
}

export type TokenKind =
  | 'space' | 'comment' | 'newline' | 'separator' | 'name' | 'number' | 'string' | 'character' | 'punctuation'
  /** A whole line of the C preprocessor, with its continuations. */
  | 'preprocessor'; // prettier-ignore
export interface Token extends Span {
  kind: TokenKind;
}

export interface Name extends Span {
  text: string;
}

/** What an operand can be told to be without knowing the instruction. */
export type Shape =
  | { kind: 'register'; name: string }
  /** `$5`, `5` in Intel syntax. */
  | { kind: 'immediate'; value?: bigint }
  /** `bits`: what `dword ptr` says, absent where nothing does. `absolute`: no register in it. */
  | { kind: 'memory'; bits?: number; absolute: boolean }
  /** A name or an expression of names: an address, an immediate or a branch target, as the instruction wants. */
  | { kind: 'symbol' }
  /** AT&T `*%rax`, `*8(%rax)`. */
  | { kind: 'indirect'; inner: Shape }
  /** `0x10:0x1000` */
  | { kind: 'far' }
  /** Macro arguments, masks, and whatever else is decided elsewhere. */
  | { kind: 'unknown' };

export interface Operand extends Span {
  tokens: Token[];
  shape: Shape;
}

interface Common extends Span {
  /** Position among the tree's statements. */
  index: number;
  dialect: Dialect;
  /** What `.code64`, `bits 16` and so on have said before; undefined: nothing has. */
  codeSize?: 16 | 32 | 64;
  /** Innermost block around it, as an index into Tree.blocks; -1 outside all. */
  block: number;
  /** Inside .macro, .rept, .irp, %macro, %rep: text for later, and not what it seems. */
  templated: boolean;
  /** Innermost branches of conditionals that it stands in: of the C preprocessor's, and of the assembler's. */
  cppBranch: Branch | undefined;
  branch: Branch | undefined;
}

/** One branch of a conditional; all that stands in it shares it. */
export interface Branch {
  /** Statements: that opens the conditional, and that begins this branch. */
  open: number;
  start: number;
  outer: Branch | undefined;
}

export interface Label extends Common {
  kind: 'label';
  name: Name;
  /** `1:`, referred to as `1b` and `1f`. */
  numeric: boolean;
  /** NASM, without a colon: with something behind it on its line it may be a macro's name as well. */
  bare?: boolean;
}
export interface Assignment extends Common {
  kind: 'assignment';
  name: Name;
  value: Operand[];
}
export interface Directive extends Common {
  kind: 'directive';
  /** In lower case: `.globl`, `section`, `%macro`. */
  name: Name;
  /** NASM: `label db 1`, `name equ 3`, without a colon. */
  label?: Name;
  operands: Operand[];
}
/** An instruction, or a macro's name where one is expanded. */
export interface Instruction extends Common {
  kind: 'instruction';
  prefixes: Name[];
  mnemonic: Name;
  operands: Operand[];
}
export interface Preprocessor extends Common {
  kind: 'preprocessor';
  /** In lower case, without `#`. */
  name: Name;
  /** Of #define and #undef. */
  macro?: Name;
  parameters?: string[];
  /** Of #include, without quotes. */
  file?: Name;
  /** What follows the name, or the macro's parameters. */
  rest: Span;
}
/** What starts like nothing known. */
export interface Unknown extends Common {
  kind: 'unknown';
}
export type Statement = Label | Assignment | Directive | Instruction | Preprocessor | Unknown;

export type BlockKind = 'macro' | 'repeat' | 'if' | 'cpp-if' | 'structure' | 'comment' | 'procedure';

export interface Block {
  kind: BlockKind;
  /** Indices of statements. */
  open: number;
  branches: number[];
  close?: number;
  /** Index of the block around it, -1 for none. */
  parent: number;
  /** Of a macro. */
  name?: Name;
  parameters?: Name[];
}

export interface Tree {
  text: string;
  tokens: Token[];
  statements: Statement[];
  blocks: Block[];
  /** Closing or branching statements for which nothing is open. */
  unopened: number[];
}

/** By the statements that open them. */
export const blocksByOpening = ({ blocks }: Tree): Map<number, Block> =>
  new Map(blocks.map((block) => [block.open, block]));
export const textOf = (tree: Pick<Tree, 'text'>, span: Span): string => tree.text.slice(span.start, span.end);
