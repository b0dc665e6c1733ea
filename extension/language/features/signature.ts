/** Operands of the instruction under the cursor: its forms, and which operand one is at. */
import { encodingOf, operandText, rowText } from '../isa/forms';
import { readingsOf } from '../isa/readings';
import { describeMnemonic } from '../../../emulator/isa/manual/index';
import type { AssemblyDocument } from '../workspace/document';

export interface Signature {
  label: string;
  text: string;
  parameters: string[];
}

const FORMS = 12;

export function signaturesAt(
  document: AssemblyDocument,
  offset: number,
): { signatures: Signature[]; active: number } | undefined {
  const statement = document.statementAt(offset);
  if (statement?.kind !== 'instruction' || offset <= statement.mnemonic.end) return undefined;
  const readings = readingsOf(statement.mnemonic.text, statement.dialect);
  const att = statement.dialect === 'att';
  const seen = new Map<string, Signature>();
  for (const { base, rows } of readings)
    for (const row of rows) {
      const operands = encodingOf(row).operands.map((each) => operandText(each, row));
      if (operands.length === 0) continue;
      const parameters = att ? operands.reverse() : operands;
      const label = att ? `${statement.mnemonic.text} ${parameters.join(', ')}` : rowText(row).toLowerCase();
      seen.set(label, { label, text: describeMnemonic(base) ?? '', parameters });
    }
  const before = document.text.slice(statement.mnemonic.end, offset);
  const active = [...before.replace(/\([^()]*\)?|\[[^[\]]*\]?/g, '')].filter((letter) => letter === ',').length;
  const signatures = [...seen.values()].filter(({ parameters }) => parameters.length > active).slice(0, FORMS);
  return signatures.length ? { signatures, active } : undefined;
}
