/**
 * The forms that are cases of the dispatcher instead of functions behind a table: what kernels and compiled programs
 * execute most. Chosen by measurement: samples of which form executes, in a boot of Debian 6.1 and in memtest86+. The order does not matter.
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
  { opcode: '81 /0', operands: 'Ev,Iz', form: '32/64/64/flat64/flat64//gp32,im32/none' }, // add
  { opcode: '83 /0', operands: 'Ev,Ibs', form: '32/64/64/flat64/flat64//me32,im32/none' }, // add
  { opcode: '01 /r', operands: 'Ev,Gv', form: '64/64/64/flat64/flat64//gp64,gp64/none' }, // add
  { opcode: '83 /0', operands: 'Ev,Ibs', form: '64/64/64/flat64/flat64//gp64,im64/none' }, // add
  { opcode: '05', operands: 'rAX,Iz', form: '64/64/64/flat64/flat64//gp64,im64/none' }, // add
  { opcode: '81 /0', operands: 'Ev,Iz', form: '64/64/64/flat64/flat64//gp64,im64/none' }, // add
  { opcode: '03 /r', operands: 'Gv,Ev', form: '64/64/64/flat64/flat64//gp64,me64/none' }, // add
  { opcode: '03 /r', operands: 'Gv,Ev', form: '64/64/64/flat64/flat64//gp64,ri64/none' }, // add
  { opcode: '83 /0', operands: 'Ev,Ibs', form: '64/64/64/flat64/flat64//me64,im64/none' }, // add
  { opcode: '03 /r', operands: 'Gv,Ev', form: '64/64/64/flat64/flat64/b/gp64,ri64/none' }, // add
  { opcode: '00 /r', operands: 'Eb,Gb', form: '8/64/64/flat64/flat64//gp8,gp8/none' }, // add
  { opcode: '81 /4', operands: 'Ev,Iz', form: '16/64/64/flat64/flat64//gp16,im16/none' }, // and
  { opcode: '21 /r', operands: 'Ev,Gv', form: '32/64/64/flat64/flat64//gp32,gp32/none' }, // and
  { opcode: '83 /4', operands: 'Ev,Ibs', form: '32/64/64/flat64/flat64//gp32,im32/none' }, // and
  { opcode: '81 /4', operands: 'Ev,Iz', form: '32/64/64/flat64/flat64//gp32,im32/none' }, // and
  { opcode: '25', operands: 'rAX,Iz', form: '32/64/64/flat64/flat64//gp32,im32/none' }, // and
  { opcode: '21 /r', operands: 'Ev,Gv', form: '64/64/64/flat64/flat64//gp64,gp64/none' }, // and
  { opcode: '83 /4', operands: 'Ev,Ibs', form: '64/64/64/flat64/flat64//gp64,im64/none' }, // and
  { opcode: '81 /4', operands: 'Ev,Iz', form: '64/64/64/flat64/flat64//gp64,im64/none' }, // and
  { opcode: '25', operands: 'rAX,Iz', form: '64/64/64/flat64/flat64//gp64,im64/none' }, // and
  { opcode: '23 /r', operands: 'Gv,Ev', form: '64/64/64/flat64/flat64//gp64,me64/none' }, // and
  { opcode: '23 /r', operands: 'Gv,Ev', form: '64/64/64/flat64/flat64//gp64,ri64/none' }, // and
  { opcode: '80 /4', operands: 'Eb,Ib', form: '8/64/64/flat64/flat64//gp8,im8/none' }, // and
  { opcode: '0f c8+r', operands: 'Zv', form: '64/64/64/flat64/flat64//gp64/none' }, // bswap
  { opcode: '0f ba /4', operands: 'Ev,Ib', form: '64/64/64/flat64/flat64//gp64,im8/none' }, // bt
  { opcode: '0f a3 /r', operands: 'Ev,Gv', form: '64/64/64/flat64/flat64//me64,gp64/none' }, // bt
  { opcode: '0f b3 /r', operands: 'Ev,Gv', form: '64/64/64/flat64/flat64//me64,gp64/none' }, // btr
  { opcode: '0f ba /5', operands: 'Ev,Ib', form: '64/64/64/flat64/flat64//gp64,im8/none' }, // bts
  { opcode: '0f ab /r', operands: 'Ev,Gv', form: '64/64/64/flat64/flat64//me64,gp64/none' }, // bts
  { opcode: 'e8', operands: 'Jz', form: '64/64/64/flat64/flat64//ta64/none' }, // call
  { opcode: '98', operands: '', form: '64/64/64/flat64/flat64///none' }, // cbw
  { opcode: '0f 47 /r', operands: 'Gv,Ev', form: '64/64/64/flat64/flat64//gp64,gp64/none' }, // cmova
  { opcode: '0f 43 /r', operands: 'Gv,Ev', form: '64/64/64/flat64/flat64//gp64,gp64/none' }, // cmovae
  { opcode: '0f 42 /r', operands: 'Gv,Ev', form: '64/64/64/flat64/flat64//gp64,gp64/none' }, // cmovb
  { opcode: '0f 44 /r', operands: 'Gv,Ev', form: '32/64/64/flat64/flat64//gp32,gp32/none' }, // cmove
  { opcode: '0f 44 /r', operands: 'Gv,Ev', form: '64/64/64/flat64/flat64//gp64,gp64/none' }, // cmove
  { opcode: '0f 4f /r', operands: 'Gv,Ev', form: '32/64/64/flat64/flat64//gp32,gp32/none' }, // cmovg
  { opcode: '0f 4f /r', operands: 'Gv,Ev', form: '64/64/64/flat64/flat64//gp64,gp64/none' }, // cmovg
  { opcode: '0f 45 /r', operands: 'Gv,Ev', form: '64/64/64/flat64/flat64//gp64,gp64/none' }, // cmovne
  { opcode: '83 /7', operands: 'Ev,Ibs', form: '16/64/64/flat64/flat64//gp16,im16/none' }, // cmp
  { opcode: '81 /7', operands: 'Ev,Iz', form: '16/64/64/flat64/flat64//me16,im16/none' }, // cmp
  { opcode: '39 /r', operands: 'Ev,Gv', form: '32/64/64/flat64/flat64//gp32,gp32/none' }, // cmp
  { opcode: '83 /7', operands: 'Ev,Ibs', form: '32/64/64/flat64/flat64//gp32,im32/none' }, // cmp
  { opcode: '81 /7', operands: 'Ev,Iz', form: '32/64/64/flat64/flat64//gp32,im32/none' }, // cmp
  { opcode: '3b /r', operands: 'Gv,Ev', form: '32/64/64/flat64/flat64//gp32,me32/none' }, // cmp
  { opcode: '39 /r', operands: 'Ev,Gv', form: '32/64/64/flat64/flat64//me32,gp32/none' }, // cmp
  { opcode: '83 /7', operands: 'Ev,Ibs', form: '32/64/64/flat64/flat64//me32,im32/none' }, // cmp
  { opcode: '39 /r', operands: 'Ev,Gv', form: '64/64/64/flat64/flat64//gp64,gp64/none' }, // cmp
  { opcode: '83 /7', operands: 'Ev,Ibs', form: '64/64/64/flat64/flat64//gp64,im64/none' }, // cmp
  { opcode: '81 /7', operands: 'Ev,Iz', form: '64/64/64/flat64/flat64//gp64,im64/none' }, // cmp
  { opcode: '3d', operands: 'rAX,Iz', form: '64/64/64/flat64/flat64//gp64,im64/none' }, // cmp
  { opcode: '3b /r', operands: 'Gv,Ev', form: '64/64/64/flat64/flat64//gp64,me64/none' }, // cmp
  { opcode: '3b /r', operands: 'Gv,Ev', form: '64/64/64/flat64/flat64//gp64,ri64/none' }, // cmp
  { opcode: '39 /r', operands: 'Ev,Gv', form: '64/64/64/flat64/flat64//me64,gp64/none' }, // cmp
  { opcode: '83 /7', operands: 'Ev,Ibs', form: '64/64/64/flat64/flat64//me64,im64/none' }, // cmp
  { opcode: '81 /7', operands: 'Ev,Iz', form: '64/64/64/flat64/flat64//me64,im64/none' }, // cmp
  { opcode: '39 /r', operands: 'Ev,Gv', form: '64/64/64/flat64/flat64//ri64,gp64/none' }, // cmp
  { opcode: '38 /r', operands: 'Eb,Gb', form: '8/64/64/flat64/flat64//gp8,gp8/none' }, // cmp
  { opcode: '80 /7', operands: 'Eb,Ib', form: '8/64/64/flat64/flat64//gp8,im8/none' }, // cmp
  { opcode: '3c', operands: 'AL,Ib', form: '8/64/64/flat64/flat64//gp8,im8/none' }, // cmp
  { opcode: '3a /r', operands: 'Gb,Eb', form: '8/64/64/flat64/flat64//gp8,me8/none' }, // cmp
  { opcode: '38 /r', operands: 'Eb,Gb', form: '8/64/64/flat64/flat64//me8,gp8/none' }, // cmp
  { opcode: '80 /7', operands: 'Eb,Ib', form: '8/64/64/flat64/flat64//me8,im8/none' }, // cmp
  { opcode: '0f b1 /r', operands: 'Ev,Gv', form: '32/64/64/flat64/flat64//me32,gp32/none' }, // cmpxchg
  { opcode: '0f b1 /r', operands: 'Ev,Gv', form: '64/64/64/flat64/flat64//me64,gp64/none' }, // cmpxchg
  { opcode: 'rex.w 0f c7 /1', operands: 'Mdq', form: '64/64/64/flat64/flat64/b/me128/none' }, // cmpxchg16b
  { opcode: 'ff /1', operands: 'Ev', form: '32/64/64/flat64/flat64//gp32/none' }, // dec
  { opcode: 'ff /1', operands: 'Ev', form: '32/64/64/flat64/flat64/b/ri32/none' }, // dec
  { opcode: '0f af /r', operands: 'Gv,Ev', form: '32/64/64/flat64/flat64//gp32,gp32/none' }, // imul
  { opcode: '0f af /r', operands: 'Gv,Ev', form: '64/64/64/flat64/flat64//gp64,gp64/none' }, // imul
  { opcode: 'ff /0', operands: 'Ev', form: '32/64/64/flat64/flat64//gp32/none' }, // inc
  { opcode: 'ff /0', operands: 'Ev', form: '32/64/64/flat64/flat64/b/ri32/none' }, // inc
  { opcode: '77', operands: 'Jb', form: '64/64/64/flat64/flat64//ta64/none' }, // ja
  { opcode: '0f 87', operands: 'Jz', form: '64/64/64/flat64/flat64//ta64/none' }, // ja
  { opcode: '73', operands: 'Jb', form: '32/64/32/flat64/flat32//ta64/none' }, // jae
  { opcode: '73', operands: 'Jb', form: '64/64/64/flat64/flat64//ta64/none' }, // jae
  { opcode: '0f 83', operands: 'Jz', form: '64/64/64/flat64/flat64//ta64/none' }, // jae
  { opcode: '72', operands: 'Jb', form: '64/64/64/flat64/flat64//ta64/none' }, // jb
  { opcode: '0f 82', operands: 'Jz', form: '64/64/64/flat64/flat64//ta64/none' }, // jb
  { opcode: '76', operands: 'Jb', form: '64/64/64/flat64/flat64//ta64/none' }, // jbe
  { opcode: '0f 86', operands: 'Jz', form: '64/64/64/flat64/flat64//ta64/none' }, // jbe
  { opcode: '74', operands: 'Jb', form: '32/64/32/flat64/flat32//ta64/none' }, // je
  { opcode: '74', operands: 'Jb', form: '64/64/64/flat64/flat64//ta64/none' }, // je
  { opcode: '0f 84', operands: 'Jz', form: '64/64/64/flat64/flat64//ta64/none' }, // je
  { opcode: '7f', operands: 'Jb', form: '64/64/64/flat64/flat64//ta64/none' }, // jg
  { opcode: '0f 8c', operands: 'Jz', form: '64/64/64/flat64/flat64//ta64/none' }, // jl
  { opcode: '7e', operands: 'Jb', form: '64/64/64/flat64/flat64//ta64/none' }, // jle
  { opcode: '0f 8e', operands: 'Jz', form: '64/64/64/flat64/flat64//ta64/none' }, // jle
  { opcode: 'eb', operands: 'Jb', form: '64/64/64/flat64/flat64//ta64/none' }, // jmp
  { opcode: 'e9', operands: 'Jz', form: '64/64/64/flat64/flat64//ta64/none' }, // jmp
  { opcode: '75', operands: 'Jb', form: '64/64/64/flat64/flat64//ta64/none' }, // jne
  { opcode: '0f 85', operands: 'Jz', form: '64/64/64/flat64/flat64//ta64/none' }, // jne
  { opcode: '79', operands: 'Jb', form: '64/64/64/flat64/flat64//ta64/none' }, // jns
  { opcode: '0f 88', operands: 'Jz', form: '64/64/64/flat64/flat64//ta64/none' }, // js
  { opcode: '78', operands: 'Jb', form: '64/64/64/flat64/flat64//ta64/none' }, // js
  { opcode: '8d /r', operands: 'Gv,M', form: '32/32/64/flat32/flat64//gp32,me0/none' }, // lea
  { opcode: '8d /r', operands: 'Gv,M', form: '32/64/64/flat64/flat64//gp32,me0/none' }, // lea
  { opcode: '8d /r', operands: 'Gv,M', form: '64/64/64/flat64/flat64//gp64,me0/none' }, // lea
  { opcode: '89 /r', operands: 'Ev,Gv', form: '16/64/64/flat64/flat64//me16,gp16/none' }, // mov
  { opcode: '8b /r', operands: 'Gv,Ev', form: '16/64/64/flat64/flat64/b/gp16,ri16/none' }, // mov
  { opcode: '89 /r', operands: 'Ev,Gv', form: '16/64/64/flat64/flat64/b/ri16,gp16/none' }, // mov
  { opcode: '8b /r', operands: 'Gv,Ev', form: '32/32/64/flat32/flat64//gp32,me32/none' }, // mov
  { opcode: '89 /r', operands: 'Ev,Gv', form: '32/32/64/flat32/flat64//me32,gp32/none' }, // mov
  { opcode: '89 /r', operands: 'Ev,Gv', form: '32/64/64/flat64/flat64//gp32,gp32/none' }, // mov
  { opcode: 'b8+r', operands: 'Zv,Iv', form: '32/64/64/flat64/flat64//gp32,im32/none' }, // mov
  { opcode: '8b /r', operands: 'Gv,Ev', form: '32/64/64/flat64/flat64//gp32,me32/none' }, // mov
  { opcode: '8b /r', operands: 'Gv,Ev', form: '32/64/64/flat64/flat64//gp32,ri32/none' }, // mov
  { opcode: '89 /r', operands: 'Ev,Gv', form: '32/64/64/flat64/flat64//me32,gp32/none' }, // mov
  { opcode: 'c7 /0', operands: 'Ev,Iz', form: '32/64/64/flat64/flat64//me32,im32/none' }, // mov
  { opcode: '8b /r', operands: 'Gv,Ev', form: '32/64/64/flat64/flat64/b/gp32,ri32/none' }, // mov
  { opcode: '89 /r', operands: 'Ev,Gv', form: '64/64/64/flat64/flat64//gp64,gp64/none' }, // mov
  { opcode: 'c7 /0', operands: 'Ev,Iz', form: '64/64/64/flat64/flat64//gp64,im64/none' }, // mov
  { opcode: 'b8+r', operands: 'Zv,Iv', form: '64/64/64/flat64/flat64//gp64,im64/none' }, // mov
  { opcode: '8b /r', operands: 'Gv,Ev', form: '64/64/64/flat64/flat64//gp64,me64/none' }, // mov
  { opcode: '8b /r', operands: 'Gv,Ev', form: '64/64/64/flat64/flat64//gp64,ri64/none' }, // mov
  { opcode: '89 /r', operands: 'Ev,Gv', form: '64/64/64/flat64/flat64//me64,gp64/none' }, // mov
  { opcode: 'c7 /0', operands: 'Ev,Iz', form: '64/64/64/flat64/flat64//me64,im64/none' }, // mov
  { opcode: '89 /r', operands: 'Ev,Gv', form: '64/64/64/flat64/flat64//ri64,gp64/none' }, // mov
  { opcode: '8b /r', operands: 'Gv,Ev', form: '64/64/64/flat64/flat64/b/gp64,me64/none' }, // mov
  { opcode: '8b /r', operands: 'Gv,Ev', form: '64/64/64/flat64/flat64/b/gp64,ri64/none' }, // mov
  { opcode: '89 /r', operands: 'Ev,Gv', form: '64/64/64/flat64/flat64/b/me64,gp64/none' }, // mov
  { opcode: '89 /r', operands: 'Ev,Gv', form: '64/64/64/flat64/flat64/b/ri64,gp64/none' }, // mov
  { opcode: 'c7 /0', operands: 'Ev,Iz', form: '64/64/64/flat64/flat64/b/ri64,im64/none' }, // mov
  { opcode: '88 /r', operands: 'Eb,Gb', form: '8/64/64/flat64/flat64//me8,gp8/none' }, // mov
  { opcode: 'c6 /0', operands: 'Eb,Ib', form: '8/64/64/flat64/flat64//me8,im8/none' }, // mov
  { opcode: '8a /r', operands: 'Gb,Eb', form: '8/64/64/flat64/flat64/b/gp8,ri8/none' }, // mov
  { opcode: 'a5', operands: 'Yv,Xv', form: '64/64/64/flat64/flat64//me64,me64/rep' }, // movs
  { opcode: 'a4', operands: 'Yb,Xb', form: '8/64/64/flat64/flat64//me8,me8/rep' }, // movs
  { opcode: '0f be /r', operands: 'Gv,Eb', form: '32/64/64/flat64/flat64//gp32,me8/none' }, // movsx
  { opcode: '0f be /r', operands: 'Gv,Eb', form: '64/64/64/flat64/flat64//gp64,me8/none' }, // movsx
  { opcode: '63 /r', operands: 'Gv,Ez', form: '64/64/64/flat64/flat64//gp64,gp32/none' }, // movsxd
  { opcode: '63 /r', operands: 'Gv,Ez', form: '64/64/64/flat64/flat64//gp64,me32/none' }, // movsxd
  { opcode: '0f b7 /r', operands: 'Gv,Ew', form: '32/64/64/flat64/flat64//gp32,gp16/none' }, // movzx
  { opcode: '0f b6 /r', operands: 'Gv,Eb', form: '32/64/64/flat64/flat64//gp32,gp8/none' }, // movzx
  { opcode: '0f b7 /r', operands: 'Gv,Ew', form: '32/64/64/flat64/flat64//gp32,me16/none' }, // movzx
  { opcode: '0f b6 /r', operands: 'Gv,Eb', form: '32/64/64/flat64/flat64//gp32,me8/none' }, // movzx
  { opcode: 'nb 90', operands: '', form: '16/64/64/flat64/flat64///none' }, // nop
  { opcode: 'nb 90', operands: '', form: '32/64/64/flat64/flat64///none' }, // nop
  { opcode: '0f 1f /r', operands: 'Ev', form: '32/64/64/flat64/flat64//me32/none' }, // nop
  { opcode: 'f7 /2', operands: 'Ev', form: '32/64/64/flat64/flat64//gp32/none' }, // not
  { opcode: 'f7 /2', operands: 'Ev', form: '64/64/64/flat64/flat64//gp64/none' }, // not
  { opcode: '09 /r', operands: 'Ev,Gv', form: '32/64/64/flat64/flat64//gp32,gp32/none' }, // or
  { opcode: '83 /1', operands: 'Ev,Ibs', form: '32/64/64/flat64/flat64//gp32,im32/none' }, // or
  { opcode: '09 /r', operands: 'Ev,Gv', form: '64/64/64/flat64/flat64//gp64,gp64/none' }, // or
  { opcode: '0b /r', operands: 'Gv,Ev', form: '64/64/64/flat64/flat64//gp64,me64/none' }, // or
  { opcode: '0b /r', operands: 'Gv,Ev', form: '64/64/64/flat64/flat64//gp64,ri64/none' }, // or
  { opcode: '58+r', operands: 'Zv', form: '64/64/64/flat64/flat64//gp64/none' }, // pop
  { opcode: '50+r', operands: 'Zv', form: '64/64/64/flat64/flat64//gp64/none' }, // push
  { opcode: '68', operands: 'Iz', form: '64/64/64/flat64/flat64//im64/none' }, // push
  { opcode: '0f 31', operands: '', form: '32/64/64/flat64/flat64///none' }, // rdtsc
  { opcode: 'c3', operands: '', form: '64/64/64/flat64/flat64///none' }, // ret
  { opcode: 'c1 /0', operands: 'Ev,Ib', form: '32/64/64/flat64/flat64//gp32,im8/none' }, // rol
  { opcode: 'c1 /1', operands: 'Ev,Ib', form: '32/64/64/flat64/flat64//gp32,im8/none' }, // ror
  { opcode: 'c1 /7', operands: 'Ev,Ib', form: '32/64/64/flat64/flat64//gp32,im8/none' }, // sar
  { opcode: 'c1 /7', operands: 'Ev,Ib', form: '64/64/64/flat64/flat64//gp64,im8/none' }, // sar
  { opcode: '19 /r', operands: 'Ev,Gv', form: '32/64/64/flat64/flat64//gp32,gp32/none' }, // sbb
  { opcode: '0f 93 /r', operands: 'Eb', form: '8/64/64/flat64/flat64//gp8/none' }, // setae
  { opcode: '0f 92 /r', operands: 'Eb', form: '8/64/64/flat64/flat64//gp8/none' }, // setb
  { opcode: '0f 94 /r', operands: 'Eb', form: '8/64/64/flat64/flat64//gp8/none' }, // sete
  { opcode: '0f 95 /r', operands: 'Eb', form: '8/64/64/flat64/flat64//gp8/none' }, // setne
  { opcode: '0f 95 /r', operands: 'Eb', form: '8/64/64/flat64/flat64//me8/none' }, // setne
  { opcode: 'd3 /4', operands: 'Ev,CL', form: '32/64/64/flat64/flat64//gp32,gp8/none' }, // shl
  { opcode: 'c1 /4', operands: 'Ev,Ib', form: '32/64/64/flat64/flat64//gp32,im8/none' }, // shl
  { opcode: 'd3 /4', operands: 'Ev,CL', form: '64/64/64/flat64/flat64//gp64,gp8/none' }, // shl
  { opcode: 'c1 /4', operands: 'Ev,Ib', form: '64/64/64/flat64/flat64//gp64,im8/none' }, // shl
  { opcode: 'c1 /5', operands: 'Ev,Ib', form: '16/64/64/flat64/flat64//gp16,im8/none' }, // shr
  { opcode: 'c1 /5', operands: 'Ev,Ib', form: '32/64/64/flat64/flat64//gp32,im8/none' }, // shr
  { opcode: 'd3 /5', operands: 'Ev,CL', form: '64/64/64/flat64/flat64//gp64,gp8/none' }, // shr
  { opcode: 'd1 /5', operands: 'Ev,1', form: '64/64/64/flat64/flat64//gp64,im8/none' }, // shr
  { opcode: 'c1 /5', operands: 'Ev,Ib', form: '64/64/64/flat64/flat64//gp64,im8/none' }, // shr
  { opcode: 'c0 /5', operands: 'Eb,Ib', form: '8/64/64/flat64/flat64//gp8,im8/none' }, // shr
  { opcode: 'ab', operands: 'Yv,rAX', form: '64/64/64/flat64/flat64//me64,gp64/rep' }, // stos
  { opcode: 'aa', operands: 'Yb,AL', form: '8/64/64/flat64/flat64//me8,gp8/rep' }, // stos
  { opcode: '29 /r', operands: 'Ev,Gv', form: '32/64/64/flat64/flat64//gp32,gp32/none' }, // sub
  { opcode: '83 /5', operands: 'Ev,Ibs', form: '32/64/64/flat64/flat64//gp32,im32/none' }, // sub
  { opcode: '29 /r', operands: 'Ev,Gv', form: '64/64/64/flat64/flat64//gp64,gp64/none' }, // sub
  { opcode: '83 /5', operands: 'Ev,Ibs', form: '64/64/64/flat64/flat64//gp64,im64/none' }, // sub
  { opcode: '81 /5', operands: 'Ev,Iz', form: '64/64/64/flat64/flat64//gp64,im64/none' }, // sub
  { opcode: '2d', operands: 'rAX,Iz', form: '64/64/64/flat64/flat64//gp64,im64/none' }, // sub
  { opcode: '2b /r', operands: 'Gv,Ev', form: '64/64/64/flat64/flat64//gp64,me64/none' }, // sub
  { opcode: '2b /r', operands: 'Gv,Ev', form: '64/64/64/flat64/flat64//gp64,ri64/none' }, // sub
  { opcode: '2b /r', operands: 'Gv,Ev', form: '64/64/64/flat64/flat64/b/gp64,me64/none' }, // sub
  { opcode: '85 /r', operands: 'Ev,Gv', form: '32/64/64/flat64/flat64//gp32,gp32/none' }, // test
  { opcode: 'f7 /0', operands: 'Ev,Iz', form: '32/64/64/flat64/flat64//gp32,im32/none' }, // test
  { opcode: 'a9', operands: 'rAX,Iz', form: '32/64/64/flat64/flat64//gp32,im32/none' }, // test
  { opcode: '85 /r', operands: 'Ev,Gv', form: '64/64/64/flat64/flat64//gp64,gp64/none' }, // test
  { opcode: 'f7 /0', operands: 'Ev,Iz', form: '64/64/64/flat64/flat64//gp64,im64/none' }, // test
  { opcode: 'f7 /0', operands: 'Ev,Iz', form: '64/64/64/flat64/flat64//me64,im64/none' }, // test
  { opcode: '84 /r', operands: 'Eb,Gb', form: '8/64/64/flat64/flat64//gp8,gp8/none' }, // test
  { opcode: 'f6 /0', operands: 'Eb,Ib', form: '8/64/64/flat64/flat64//gp8,im8/none' }, // test
  { opcode: 'a8', operands: 'AL,Ib', form: '8/64/64/flat64/flat64//gp8,im8/none' }, // test
  { opcode: 'f6 /0', operands: 'Eb,Ib', form: '8/64/64/flat64/flat64//me8,im8/none' }, // test
  { opcode: 'f6 /0', operands: 'Eb,Ib', form: '8/64/64/flat64/flat64//ri8,im8/none' }, // test
  { opcode: '0f c1 /r', operands: 'Ev,Gv', form: '64/64/64/flat64/flat64//me64,gp64/none' }, // xadd
  { opcode: '31 /r', operands: 'Ev,Gv', form: '32/64/64/flat64/flat64//gp32,gp32/none' }, // xor
  { opcode: '33 /r', operands: 'Gv,Ev', form: '32/64/64/flat64/flat64//gp32,me32/none' }, // xor
  { opcode: '31 /r', operands: 'Ev,Gv', form: '64/64/64/flat64/flat64//gp64,gp64/none' }, // xor
  { opcode: '33 /r', operands: 'Gv,Ev', form: '64/64/64/flat64/flat64//gp64,me64/none' }, // xor
]; // prettier-ignore
