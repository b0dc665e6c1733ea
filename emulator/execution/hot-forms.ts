/**
 * The forms that are cases of the dispatcher instead of functions behind a table: what kernels and compiled programs
 * execute most. Chosen by measurement (`npm run bench -- forms` counts them); the order does not matter.
 */
import { ROWS } from '../isa/opcodes';
import type { Form } from './builder';
import { formKey } from './forms';
import type { FormCode } from './interpreter';

/** A row by its opcode and operands, and the form's key without the row (forms.ts). */
export interface HotForm {
  opcode: string;
  operands: string;
  form: string;
}

/** The reverse of forms.ts, formKey. */
function parseForm(text: string): Form {
  const [operandSize, addressSize, stackSize, addressing, stackAddressing, based, operands, rep] = text.split('/');
  const kinds = { gp: 'gpr', me: 'memory', ab: 'absolute', im: 'immediate', ta: 'target', ve: 'vector', mm: 'mmx' } as const;
  return {
    operandSize: Number(operandSize) as Form['operandSize'],
    addressSize: Number(addressSize) as Form['addressSize'],
    stackSize: Number(stackSize) as Form['stackSize'],
    addressing: addressing as Form['addressing'],
    stackAddressing: stackAddressing as Form['stackAddressing'],
    based: based === 'b',
    operands: operands === '' ? [] : operands.split(',').map((o) => ({ kind: kinds[o.slice(0, 2) as keyof typeof kinds], size: Number(o.slice(2)) })), // prettier-ignore
    rep: rep as Form['rep'],
  };
} // prettier-ignore

/** Those of which the row still exists. */
export function resolveHotForms(hot: readonly HotForm[]): { key: string; code: FormCode }[] {
  return hot.flatMap(({ opcode, operands, form: text }) => {
    const row = ROWS.find((r) => r.opcode === opcode && r.operands === operands);
    if (row?.meaning.kind !== 'emit') return [];
    const form = parseForm(text);
    return [{ key: formKey(row, form), code: { form, emit: row.meaning.emit, ends: row.attributes.ends === true } }];
  });
}

export const HOT_FORMS: readonly HotForm[] = [];
