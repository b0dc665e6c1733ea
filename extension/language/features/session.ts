/** What a debug session wants to know of a text: which registers stand where, and which instructions may leave the guest. */
import { factsOf } from '../isa/facts';
import { fittingRows } from '../isa/check';
import { readingsOf } from '../isa/readings';
import { registerNamed } from '../isa/registers';
import type { Instruction } from '../syntax/tree';
import type { AssemblyDocument } from '../workspace/document';

/** Outside ring 0 it traps, or it is a silent hole; undefined: neither. */
export function natureOf(statement: Instruction): 'privileged' | 'sensitive' | undefined {
  const [reading] = readingsOf(statement.mnemonic.text, statement.dialect);
  if (!reading?.rows.some(({ attributes }) => attributes.privileged || attributes.sensitive || attributes.feature === 'vmx')) return undefined; // prettier-ignore
  const fitting = fittingRows(statement);
  const facts = factsOf(reading.base, fitting.length ? fitting : reading.rows);
  // MOV to CS, LDS and the like are sensitive in rare forms of common instructions: only where all that fits is.
  const sensitive = fitting.length > 0 && fitting.every(({ attributes }) => attributes.sensitive);
  return facts.traps ? 'privileged' : sensitive ? 'sensitive' : undefined;
}

export function sensitiveLines(document: AssemblyDocument): { line: number; mnemonic: string; traps: boolean }[] {
  const natures = document.onceEach(natureOf);
  return document.tree.statements.flatMap((statement) => {
    if (statement.kind !== 'instruction') return [];
    const nature = natures(statement);
    if (!nature) return [];
    return [{ line: document.lineOf(statement.start), mnemonic: statement.mnemonic.text, traps: nature === 'privileged' }]; // prettier-ignore
  });
}

export interface RegisterPlace {
  line: number;
  start: number;
  end: number;
  name: string;
}

/** Registers that a debugger can show, each once a line. Lines counted from 0, both included. */
export function registersIn(document: AssemblyDocument, fromLine: number, toLine: number): RegisterPlace[] {
  const found: RegisterPlace[] = [];
  for (const statement of document.tree.statements) {
    const line = document.lineOf(statement.start);
    if (line < fromLine || line > toLine || statement.kind !== 'instruction') continue;
    const seen = new Set<string>();
    for (const { tokens } of statement.operands)
      for (const { kind, start, end } of tokens) {
        const name = document.text.slice(start, end).toLowerCase();
        const register = kind === 'name' && (statement.dialect !== 'att' || document.text[start - 1] === '%') ? registerNamed(name) : undefined; // prettier-ignore
        if (!register || seen.has(name) || !/^(gpr|segment|control|debug|pointer)$/.test(register.class)) continue;
        seen.add(name);
        const at = document.position(start);
        found.push({ line: at.line, start: at.character, end: at.character + end - start, name });
      }
  }
  return found;
}
