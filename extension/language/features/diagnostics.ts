import { checkOperands, type Problem } from '../isa/check';
import { isForOthers } from '../isa/other-processors';
import type { BlockKind, Instruction, Label, Span, Statement } from '../syntax/tree';
import type { AssemblyDocument } from '../workspace/document';
import type { Unit } from '../workspace/index';
import { together } from '../workspace/names';

/** Something that the assembler would refuse. */
export interface Finding {
  span: Span;
  message: string;
  /** For filters and tests. */
  code: 'unknown-instruction' | 'operands' | 'undefined-label' | 'duplicate-label' | 'unbalanced';
  /** Another place that the message speaks of. */
  related?: Span;
}

export interface Surroundings {
  unit: Unit;
  /** Read in the company of a file that includes it, whose macros are not known here. */
  included: boolean;
}

const MAX_FINDINGS = 200;
/** Labels of one name, in as many branches, that others are compared with: nobody writes more by hand. */
const MOST_ALTERNATIVES = 32;

/** Where something is not known (an include that was not found, a macro's argument), nothing is said. */
export function diagnose(document: AssemblyDocument, { unit, included }: Surroundings): Finding[] {
  // A linker script that the C preprocessor reads is no assembly.
  if (/\.lds?\.S$/.test(document.uri) || /^\s*SECTIONS\s*\{/m.test(document.text)) return [];
  const macros = new Set<string>();
  const values = new Set<string>();
  for (const { names } of unit.documents)
    for (const { kind, name } of names.definitions) {
      if (kind === 'macro' || kind === 'define') macros.add(document.nasm ? name.toLowerCase() : name);
      if (kind === 'define' || (kind === 'constant' && !document.nasm)) values.add(name);
    }
  const { preprocessed } = document.language;
  const unsure = unit.incomplete || included;
  const isValue = (name: string): boolean => values.has(name) || (unsure && (preprocessed || document.nasm));
  const isMacro = (name: string): boolean => macros.has(document.nasm ? name.toLowerCase() : name);
  if (isForOthers(document, isMacro)) return [];
  const problemOf = document.onceEach((statement) => checkOperands(statement, isValue, document.text));
  const findings: Finding[] = [];
  // Libraries of macros for NASM (x86inc.asm) make macros of all instructions.
  const instructions = document.nasm && unsure ? [] : document.tree.statements;
  for (const statement of instructions) {
    if (statement.kind !== 'instruction' || isMacro(statement.mnemonic.text)) continue;
    const before = document.tree.statements[statement.index - 1];
    if (before?.kind === 'label' && before.bare && document.lineOf(before.start) === document.lineOf(statement.start) && (unsure || isMacro(before.name.text))) continue; // prettier-ignore
    const [first] = statement.operands;
    // `label MACRO arguments`
    if (document.nasm && first?.tokens[0] && isMacro(document.text.slice(first.tokens[0].start, first.tokens[0].end)))
      continue;
    const finding = instructionFinding(document, statement, unsure, problemOf);
    if (finding) findings.push(finding);
    if (findings.length >= MAX_FINDINGS) return findings;
  }
  findings.push(
    ...undefinedNumbers(document, unit, unsure),
    ...duplicates(
      document,
      (label) => isValue(label.name.text) || (label.bare === true && (unsure || isMacro(label.name.text))),
    ),
    ...unbalanced(document),
  );
  return findings.sort((a, b) => a.span.start - b.span.start).slice(0, MAX_FINDINGS);
}

function instructionFinding(
  document: AssemblyDocument,
  statement: Instruction,
  unsure: boolean,
  problemOf: (statement: Instruction) => Problem | undefined,
): Finding | undefined {
  const { mnemonic, operands, templated } = statement;
  const name = mnemonic.text;
  // `jne,pt`: a hint that goes with the branch.
  if (/^,p[tn]\b/.test(document.text.slice(mnemonic.end, mnemonic.end + 4))) return undefined;
  if (name.includes('\\') || name.includes('%') || document.text[mnemonic.end] === '%') return undefined;
  if (!document.isMnemonic(name)) {
    // `NAME(...)` and, where the C preprocessor reads first, NAME may come from a command line.
    const callLike =
      document.text[operands[0]?.start ?? mnemonic.end] === '(' ||
      (document.language.preprocessed && name === name.toUpperCase());
    if (unsure || callLike || !/^[A-Za-z_][\w.]*$/.test(name)) return undefined;
    return { span: mnemonic, code: 'unknown-instruction', message: `No instruction or macro is named '${name}'.` };
  }
  if (templated && document.nasm) return undefined;
  const problem = problemOf(statement);
  if (!problem) return undefined;
  const span = problem.operand === undefined ? { start: mnemonic.start, end: statement.end } : (operands[problem.operand] ?? mnemonic); // prettier-ignore
  return { span: { start: span.start, end: span.end }, code: 'operands', message: `${capital(problem.message)}.` };
}

const capital = (text: string): string => text[0].toUpperCase() + text.slice(1);

/** `1f` without a `1:` behind it, `1b` without one before. */
function undefinedNumbers(document: AssemblyDocument, unit: Unit, unsure: boolean): Finding[] {
  if (document.nasm || unsure) return [];
  const { statements } = document.tree;
  // A label in a macro is wherever the macro is expanded.
  const anywhere = new Set<string>();
  for (const { names, tree } of unit.documents)
    for (const { numeric, name, statement } of names.definitions)
      if (numeric && (tree !== document.tree || tree.statements[statement].templated)) anywhere.add(name);
  /** Where its first and its last one begin. */
  const own = new Map<string, { first: number; last: number }>();
  for (const { numeric, name, statement, at } of document.names.definitions)
    if (numeric && !statements[statement].templated)
      own.set(name, { first: own.get(name)?.first ?? at.start, last: at.start });
  return document.names.references.flatMap(({ name, at, statement }) => {
    const [, number, direction] = /^(\d+)([bf])$/.exec(name) ?? [];
    if (number === undefined || anywhere.has(number) || statements[statement].templated) return [];
    // A line may define and refer: `1: jmp 1b`.
    const labels = own.get(number);
    if (labels && (direction === 'b' ? labels.first < at.start : labels.last > at.start)) return [];
    const where = direction === 'b' ? 'before' : 'after';
    return [{ span: at, code: 'undefined-label' as const, message: `There is no label '${number}:' ${where} this.` }];
  });
}

function duplicates(document: AssemblyDocument, replaced: (label: Label) => boolean): Finding[] {
  /** No two of one name can be together. */
  const first = new Map<string, Label[]>();
  const findings: Finding[] = [];
  for (const { name, kind, numeric, statement, at } of document.names.definitions) {
    const label = document.tree.statements[statement];
    if (
      label.kind !== 'label' ||
      kind !== 'label' ||
      numeric ||
      label.templated ||
      /[\\%@]|^\.\./.test(name) ||
      replaced(label)
    )
      continue;
    let others = first.get(name);
    if (!others) first.set(name, (others = []));
    const earlier = others.find((other) => together(other, label));
    if (earlier)
      findings.push({ span: at, related: earlier, code: 'duplicate-label', message: `The label '${name}' is defined already, in line ${document.lineOf(earlier.start) + 1}.` }); // prettier-ignore
    else if (others.length < MOST_ALTERNATIVES) others.push(label);
    if (findings.length >= MAX_FINDINGS) break;
  }
  return findings;
}

/** What has to end a block. Procedures of CFI and structures of NASM may stay open. */
const ENDS: Readonly<Record<'gas' | 'nasm', Readonly<Partial<Record<BlockKind, string>>>>> = {
  gas: { 'cpp-if': '#endif', if: '.endif', macro: '.endm', repeat: '.endr' },
  nasm: { if: '%endif', macro: '%endmacro', repeat: '%endrep', comment: '%endcomment' },
};

function unbalanced(document: AssemblyDocument): Finding[] {
  const { blocks, statements, unopened } = document.tree;
  // The C preprocessor may choose between two beginnings of one block: then nothing is certain.
  const chosen = (statement: Statement): boolean => statement.cppBranch !== undefined;
  if (blocks.some(({ kind, open }) => kind !== 'cpp-if' && kind !== 'procedure' && chosen(statements[open]))) return [];
  const findings: Finding[] = [];
  const ends = ENDS[document.nasm ? 'nasm' : 'gas'];
  for (const { kind, open, close } of blocks) {
    const statement = statements[open];
    const end = ends[kind];
    if (close !== undefined || end === undefined || !('name' in statement)) continue;
    const name = kind === 'cpp-if' ? `#${statement.name.text}` : statement.name.text;
    findings.push({ span: statement.name, code: 'unbalanced', message: `${name} has no ${end}.` });
  }
  // GNU as overlooks an `.endm` or `.endr` too many.
  for (const index of unopened) {
    const statement = statements[index];
    if (chosen(statement) || !('name' in statement) || /cfi|^\.end[mr]/.test(statement.name.text)) continue;
    const name = statement.kind === 'preprocessor' ? `#${statement.name.text}` : statement.name.text;
    findings.push({
      span: statement.name,
      code: 'unbalanced',
      message: `Nothing is open that ${name} could end or divide.`,
    });
  }
  return findings;
}
