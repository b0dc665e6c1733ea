import { constantText, numberText } from '../isa/constants';
import { GAS_DIRECTIVES } from '../isa/directives-gas';
import { NASM_DIRECTIVES } from '../isa/directives-nasm';
import { describeMnemonic } from '../../../emulator/isa/manual/index';
import { factsOf, flagsText } from '../isa/facts';
import type { Facts } from '../isa/facts';
import { fittingRows } from '../isa/check';
import { readingsOf } from '../isa/readings';
import { describeRegister } from '../isa/registers';
import { PREFIXES } from '../isa/spellings';
import { numberOf } from '../syntax/operands';
import { textOf } from '../syntax/tree';
import type { Instruction, Span } from '../syntax/tree';
import type { AssemblyDocument } from '../workspace/document';
import type { Definition } from '../workspace/names';
import type { Found, WorkspaceIndex } from '../workspace/index';
import { nameAt, tokenAt } from './places';

export interface Hover {
  /** Markdown. */
  text: string;
  span: Span;
}

const FORMS = 8;
const CONTEXT_LINES = 3;

export async function hoverAt(
  index: WorkspaceIndex,
  document: AssemblyDocument,
  offset: number,
): Promise<Hover | undefined> {
  const statement = document.statementAt(offset);
  const token = tokenAt(document, offset);
  if (!token || token.kind === 'comment' || token.kind === 'string') return undefined;
  const word = textOf(document.tree, token);
  const hover = (text: string | undefined): Hover | undefined => text === undefined ? undefined : { text, span: { start: token.start, end: token.end } }; // prettier-ignore
  if (token.kind === 'number') {
    const value = numberOf(word);
    if (value !== undefined) return hover(numberText(value, around(document, offset)).join('  \n'));
  }
  if (statement?.kind === 'directive' && token.start === statement.name.start)
    return hover(directiveText(statement.name.text, document.nasm));
  const name = nameAt(document, offset);
  if (statement?.kind === 'instruction') {
    const prefix = statement.prefixes.find(({ start }) => start === token.start);
    if (prefix) return hover(`**${prefix.text.toUpperCase()}** prefix: ${PREFIXES[prefix.text] ?? 'bits of REX.'}`);
    if (statement.mnemonic.start === token.start) {
      const [macro] = (await index.definitionsOf(document.uri, statement.mnemonic.text)).filter(({ item }) => item.kind !== 'label'); // prettier-ignore
      return hover(macro ? definitionText(macro) : instructionText(statement));
    }
  }
  const register = /^[a-z]/i.test(word) ? describeRegister(word.toLowerCase()) : undefined;
  if (register && (document.nasm || document.text[token.start - 1] === '%' || statement?.dialect === 'intel'))
    return hover(`**${word.toLowerCase()}** ${register}`);
  if (!name) return undefined;
  const [found] = await index.definitionsOf(document.uri, name.name);
  return hover(found ? definitionText(found) : constantText(name.name));
}

const around = (document: AssemblyDocument, offset: number): string => {
  const line = document.lineOf(offset);
  const start = document.offset({ line: Math.max(0, line - CONTEXT_LINES), character: 0 });
  return document.text.slice(start, document.offset({ line: line + CONTEXT_LINES + 1, character: 0 }));
};

const directiveText = (name: string, nasm: boolean): string | undefined => {
  const table = nasm ? NASM_DIRECTIVES : GAS_DIRECTIVES;
  return Object.hasOwn(table, name) ? `**${name}** ${table[name]}` : undefined;
};

/** What a definition is, with its line and the comment above it. */
function definitionText({ document, item }: Found<Definition>): string {
  const statement = document.tree.statements[item.statement];
  const text = textOf(document.tree, statement).split('\n')[0];
  const file = document.uri.slice(document.uri.lastIndexOf('/') + 1);
  const kind = { label: 'Label', constant: 'Constant', macro: 'Macro', define: 'Text macro', common: 'Common variable', structure: 'Structure' }[item.kind]; // prettier-ignore
  const comment = commentAbove(document, statement.start);
  return `${kind} \`${item.name}\`, ${file}:${document.lineOf(item.at.start) + 1}\n\`\`\`\n${text}\n\`\`\`${comment ? `\n${comment}` : ''}`; // prettier-ignore
}

/** Lines of comment directly above, without their signs. */
function commentAbove(document: AssemblyDocument, start: number): string {
  const lines: string[] = [];
  for (let line = document.lineOf(start) - 1; line >= 0; line--) {
    const text = document.text.slice(document.offset({ line, character: 0 }), document.offset({ line: line + 1, character: 0 })).trim(); // prettier-ignore
    if (!/^(#(?!\s*(include|define|if|endif|else))|;|\/\/|\/?\*)/.test(text)) break;
    lines.unshift(text.replace(/^(#+|;+|\/\/+|\/?\*+\/?)\s?|\*\/$/g, ''));
  }
  return lines.join('\n').trim();
}

/** Of the forms that its operands fit, or of all where none does. Undefined: no row has the name. */
export function factsOfStatement(statement: Instruction): Facts | undefined {
  const readings = readingsOf(statement.mnemonic.text, statement.dialect);
  if (readings.length === 0) return undefined;
  const fitting = fittingRows(statement);
  const chosen = readings.find(({ rows }) => rows.some((row) => fitting.includes(row))) ?? readings[0];
  const rows = chosen.rows.filter((row) => fitting.includes(row));
  return factsOf(chosen.base, rows.length ? rows : chosen.rows);
}

function instructionText(statement: Instruction): string | undefined {
  const name = statement.mnemonic.text.toLowerCase();
  const facts = factsOfStatement(statement);
  if (facts) return factsText(facts, name);
  const text = describeMnemonic(name);
  return text ? `**${name.toUpperCase()}** ${text}` : undefined;
}

/** Markdown. `spelled`: as the source has it. */
export function factsText(facts: Facts, spelled = facts.base): string {
  const { base, text, forms, privilege, traps, sensitive, interceptions, features } = facts;
  const lines = [`**${base.toUpperCase()}**${spelled === base ? '' : ` (\`${spelled}\`)`} ${text}`];
  const shown = forms.slice(0, FORMS).concat(forms.length > FORMS ? [`... ${forms.length - FORMS} more`] : []);
  if (shown.some((form) => form.includes(' '))) lines.push(['```', ...shown, '```'].join('\n'));
  lines.push(`- Flags: ${flagsText(facts)}`, `- Privilege: ${privilege}`);
  if (traps) lines.push('- Deprivileged, it traps: a hypervisor can emulate it.');
  if (sensitive) lines.push('- **Sensitive and not privileged**: deprivileged, it shows or changes what it should not, without a trap.');
  for (const { vmx, svm } of interceptions) lines.push(`- Exits: VT-x ${vmx}; AMD-V ${svm}`);
  if (features.length) lines.push(`- CPUID: ${features.join(', ')}`);
  return lines.join('\n');
} // prettier-ignore
