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
  const kinds = { gp: 'gpr', me: 'memory', ab: 'absolute', ri: 'rip', im: 'immediate', ta: 'target', ve: 'vector', mm: 'mmx' } as const;
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

export const HOT_FORMS: readonly HotForm[] = [
  { opcode: '01 /r', operands: 'Ev,Gv', form: '32/64/64/flat64/flat64//gp32,gp32/none' }, // add
  { opcode: '83 /0', operands: 'Ev,Ibs', form: '32/64/64/flat64/flat64//gp32,im32/none' }, // add
  { opcode: '01 /r', operands: 'Ev,Gv', form: '32/64/64/flat64/flat64//me32,gp32/none' }, // add
  { opcode: '01 /r', operands: 'Ev,Gv', form: '64/64/64/flat64/flat64//gp64,gp64/none' }, // add
  { opcode: '83 /0', operands: 'Ev,Ibs', form: '64/64/64/flat64/flat64//gp64,im64/none' }, // add
  { opcode: '81 /0', operands: 'Ev,Iz', form: '64/64/64/flat64/flat64//gp64,im64/none' }, // add
  { opcode: '21 /r', operands: 'Ev,Gv', form: '32/64/64/flat64/flat64//gp32,gp32/none' }, // and
  { opcode: '83 /4', operands: 'Ev,Ibs', form: '32/64/64/flat64/flat64//gp32,im32/none' }, // and
  { opcode: '23 /r', operands: 'Gv,Ev', form: '32/64/64/flat64/flat64//gp32,me32/none' }, // and
  { opcode: 'e8', operands: 'Jz', form: '64/64/64/flat64/flat64//ta64/none' }, // call
  { opcode: '0f 47 /r', operands: 'Gv,Ev', form: '32/64/64/flat64/flat64//gp32,gp32/none' }, // cmova
  { opcode: '0f 47 /r', operands: 'Gv,Ev', form: '64/64/64/flat64/flat64//gp64,gp64/none' }, // cmova
  { opcode: '0f 46 /r', operands: 'Gv,Ev', form: '32/64/64/flat64/flat64//gp32,gp32/none' }, // cmovbe
  { opcode: '0f 44 /r', operands: 'Gv,Ev', form: '64/64/64/flat64/flat64//gp64,gp64/none' }, // cmove
  { opcode: '39 /r', operands: 'Ev,Gv', form: '32/64/64/flat64/flat64//gp32,gp32/none' }, // cmp
  { opcode: '81 /7', operands: 'Ev,Iz', form: '32/64/64/flat64/flat64//gp32,im32/none' }, // cmp
  { opcode: '83 /7', operands: 'Ev,Ibs', form: '32/64/64/flat64/flat64//gp32,im32/none' }, // cmp
  { opcode: '3d', operands: 'rAX,Iz', form: '32/64/64/flat64/flat64//gp32,im32/none' }, // cmp
  { opcode: '3b /r', operands: 'Gv,Ev', form: '32/64/64/flat64/flat64//gp32,me32/none' }, // cmp
  { opcode: '39 /r', operands: 'Ev,Gv', form: '64/64/64/flat64/flat64//gp64,gp64/none' }, // cmp
  { opcode: '3b /r', operands: 'Gv,Ev', form: '64/64/64/flat64/flat64//gp64,me64/none' }, // cmp
  { opcode: '39 /r', operands: 'Ev,Gv', form: '64/64/64/flat64/flat64//me64,gp64/none' }, // cmp
  { opcode: '0f af /r', operands: 'Gv,Ev', form: '32/64/64/flat64/flat64//gp32,gp32/none' }, // imul
  { opcode: '77', operands: 'Jb', form: '64/64/64/flat64/flat64//ta64/none' }, // ja
  { opcode: '0f 87', operands: 'Jz', form: '64/64/64/flat64/flat64//ta64/none' }, // ja
  { opcode: '73', operands: 'Jb', form: '64/64/64/flat64/flat64//ta64/none' }, // jae
  { opcode: '0f 83', operands: 'Jz', form: '64/64/64/flat64/flat64//ta64/none' }, // jae
  { opcode: '72', operands: 'Jb', form: '64/64/64/flat64/flat64//ta64/none' }, // jb
  { opcode: '0f 82', operands: 'Jz', form: '64/64/64/flat64/flat64//ta64/none' }, // jb
  { opcode: '76', operands: 'Jb', form: '64/64/64/flat64/flat64//ta64/none' }, // jbe
  { opcode: '0f 84', operands: 'Jz', form: '64/64/64/flat64/flat64//ta64/none' }, // je
  { opcode: '74', operands: 'Jb', form: '64/64/64/flat64/flat64//ta64/none' }, // je
  { opcode: 'e9', operands: 'Jz', form: '64/64/64/flat64/flat64//ta64/none' }, // jmp
  { opcode: 'eb', operands: 'Jb', form: '64/64/64/flat64/flat64//ta64/none' }, // jmp
  { opcode: '75', operands: 'Jb', form: '64/64/64/flat64/flat64//ta64/none' }, // jne
  { opcode: '8d /r', operands: 'Gv,M', form: '32/64/64/flat64/flat64//gp32,me0/none' }, // lea
  { opcode: '8d /r', operands: 'Gv,M', form: '64/64/64/flat64/flat64//gp64,me0/none' }, // lea
  { opcode: '89 /r', operands: 'Ev,Gv', form: '16/64/64/flat64/flat64//me16,gp16/none' }, // mov
  { opcode: '89 /r', operands: 'Ev,Gv', form: '32/64/64/flat64/flat64//gp32,gp32/none' }, // mov
  { opcode: 'b8+r', operands: 'Zv,Iv', form: '32/64/64/flat64/flat64//gp32,im32/none' }, // mov
  { opcode: '8b /r', operands: 'Gv,Ev', form: '32/64/64/flat64/flat64//gp32,me32/none' }, // mov
  { opcode: '89 /r', operands: 'Ev,Gv', form: '32/64/64/flat64/flat64//me32,gp32/none' }, // mov
  { opcode: 'c7 /0', operands: 'Ev,Iz', form: '32/64/64/flat64/flat64//me32,im32/none' }, // mov
  { opcode: '89 /r', operands: 'Ev,Gv', form: '64/64/64/flat64/flat64//gp64,gp64/none' }, // mov
  { opcode: '8b /r', operands: 'Gv,Ev', form: '64/64/64/flat64/flat64//gp64,me64/none' }, // mov
  { opcode: '89 /r', operands: 'Ev,Gv', form: '64/64/64/flat64/flat64//me64,gp64/none' }, // mov
  { opcode: '88 /r', operands: 'Eb,Gb', form: '8/64/64/flat64/flat64//me8,gp8/none' }, // mov
  { opcode: '0f b7 /r', operands: 'Gv,Ew', form: '32/64/64/flat64/flat64//gp32,me16/none' }, // movzx
  { opcode: '0f b6 /r', operands: 'Gv,Eb', form: '32/64/64/flat64/flat64//gp32,me8/none' }, // movzx
  { opcode: '0f 1f /r', operands: 'Ev', form: '32/64/64/flat64/flat64//me32/none' }, // nop
  { opcode: 'f7 /2', operands: 'Ev', form: '32/64/64/flat64/flat64//gp32/none' }, // not
  { opcode: '58+r', operands: 'Zv', form: '64/64/64/flat64/flat64//gp64/none' }, // pop
  { opcode: '50+r', operands: 'Zv', form: '64/64/64/flat64/flat64//gp64/none' }, // push
  { opcode: 'c3', operands: '', form: '64/64/64/flat64/flat64///none' }, // ret
  { opcode: 'c1 /7', operands: 'Ev,Ib', form: '32/64/64/flat64/flat64//gp32,im8/none' }, // sar
  { opcode: '19 /r', operands: 'Ev,Gv', form: '32/64/64/flat64/flat64//gp32,gp32/none' }, // sbb
  { opcode: 'd3 /4', operands: 'Ev,CL', form: '32/64/64/flat64/flat64//gp32,gp8/none' }, // shl
  { opcode: 'c1 /4', operands: 'Ev,Ib', form: '32/64/64/flat64/flat64//gp32,im8/none' }, // shl
  { opcode: 'd3 /4', operands: 'Ev,CL', form: '64/64/64/flat64/flat64//gp64,gp8/none' }, // shl
  { opcode: 'c1 /4', operands: 'Ev,Ib', form: '64/64/64/flat64/flat64//gp64,im8/none' }, // shl
  { opcode: 'c1 /5', operands: 'Ev,Ib', form: '16/64/64/flat64/flat64//gp16,im8/none' }, // shr
  { opcode: 'd3 /5', operands: 'Ev,CL', form: '32/64/64/flat64/flat64//gp32,gp8/none' }, // shr
  { opcode: 'c1 /5', operands: 'Ev,Ib', form: '32/64/64/flat64/flat64//gp32,im8/none' }, // shr
  { opcode: 'd1 /5', operands: 'Ev,1', form: '32/64/64/flat64/flat64//gp32,im8/none' }, // shr
  { opcode: '29 /r', operands: 'Ev,Gv', form: '32/64/64/flat64/flat64//gp32,gp32/none' }, // sub
  { opcode: '83 /5', operands: 'Ev,Ibs', form: '32/64/64/flat64/flat64//gp32,im32/none' }, // sub
  { opcode: '29 /r', operands: 'Ev,Gv', form: '64/64/64/flat64/flat64//gp64,gp64/none' }, // sub
  { opcode: '83 /5', operands: 'Ev,Ibs', form: '64/64/64/flat64/flat64//gp64,im64/none' }, // sub
  { opcode: '2b /r', operands: 'Gv,Ev', form: '64/64/64/flat64/flat64//gp64,me64/none' }, // sub
  { opcode: '85 /r', operands: 'Ev,Gv', form: '64/64/64/flat64/flat64//gp64,gp64/none' }, // test
  { opcode: '84 /r', operands: 'Eb,Gb', form: '8/64/64/flat64/flat64//gp8,gp8/none' }, // test
  { opcode: '31 /r', operands: 'Ev,Gv', form: '32/64/64/flat64/flat64//gp32,gp32/none' }, // xor
]; // prettier-ignore
