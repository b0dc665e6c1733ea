/**
 * Forms behind the table that any Linux executes sooner or later: made as one module when the first of them is met, because a
 * module costs the engine as much as many functions, which it compiles when they are called. Found by a boot of Debian 6.1 to
 * its shell, less what is in hot-forms.ts; each row's forms as formKey writes them (forms.ts), without the row.
 */
export interface RowForms {
  opcode: string;
  operands: string;
  forms: string;
}

export const COMMON_FORMS: readonly RowForms[] = [
  { opcode: '11 /r', operands: 'Ev,Gv', forms: '64/64/64/flat64/flat64//gp64,gp64/none' }, // adc
  { opcode: '80 /2', operands: 'Eb,Ib', forms: '8/64/64/flat64/flat64//gp8,im8/none' }, // adc
  { opcode: '83 /2', operands: 'Ev,Ibs', forms: '32/64/64/flat64/flat64//gp32,im32/none 32/64/64/flat64/flat64//me32,im32/none 64/64/64/flat64/flat64//gp64,im64/none' }, // adc
  { opcode: '01 /r', operands: 'Ev,Gv', forms: '16/64/64/flat64/flat64//me16,gp16/none 32/64/64/flat64/flat64//me32,gp32/none 32/64/64/flat64/flat64//ri32,gp32/none 32/64/64/flat64/flat64/b/me32,gp32/none 32/64/64/flat64/flat64/b/ri32,gp32/none 64/64/64/flat64/flat64//me64,gp64/none 64/64/64/flat64/flat64//ri64,gp64/none 64/64/64/flat64/flat64/b/me64,gp64/none 64/64/64/flat64/flat64/b/ri64,gp64/none' }, // add
  { opcode: '02 /r', operands: 'Gb,Eb', forms: '8/64/64/flat64/flat64//gp8,me8/none' }, // add
  { opcode: '03 /r', operands: 'Gv,Ev', forms: '16/64/64/flat64/flat64//gp16,me16/none 32/64/64/flat64/flat64//gp32,me32/none 32/64/64/flat64/flat64//gp32,ri32/none 64/64/64/flat64/flat64/b/gp64,me64/none' }, // add
  { opcode: '05', operands: 'rAX,Iz', forms: '16/64/64/flat64/flat64//gp16,im16/none 32/64/64/flat64/flat64//gp32,im32/none' }, // add
  { opcode: '80 /0', operands: 'Eb,Ib', forms: '8/64/64/flat64/flat64//me8,im8/none 8/64/64/flat64/flat64//ri8,im8/none' }, // add
  { opcode: '81 /0', operands: 'Ev,Iz', forms: '32/64/64/flat64/flat64//me32,im32/none 32/64/64/flat64/flat64/b/ri32,im32/none 64/64/64/flat64/flat64//me64,im64/none 64/64/64/flat64/flat64//ri64,im64/none 64/64/64/flat64/flat64/b/me64,im64/none' }, // add
  { opcode: '83 /0', operands: 'Ev,Ibs', forms: '16/64/64/flat64/flat64//me16,im16/none 32/64/64/flat64/flat64//ri32,im32/none 64/64/64/flat64/flat64//ri64,im64/none' }, // add
  { opcode: '20 /r', operands: 'Eb,Gb', forms: '8/64/64/flat64/flat64//gp8,gp8/none 8/64/64/flat64/flat64//me8,gp8/none 8/64/64/flat64/flat64//ri8,gp8/none' }, // and
  { opcode: '21 /r', operands: 'Ev,Gv', forms: '16/64/64/flat64/flat64//gp16,gp16/none 16/64/64/flat64/flat64//me16,gp16/none 32/64/64/flat64/flat64//me32,gp32/none 32/64/64/flat64/flat64//ri32,gp32/none 64/64/64/flat64/flat64//me64,gp64/none 64/64/64/flat64/flat64//ri64,gp64/none' }, // and
  { opcode: '22 /r', operands: 'Gb,Eb', forms: '8/64/64/flat64/flat64//gp8,me8/none 8/64/64/flat64/flat64//gp8,ri8/none' }, // and
  { opcode: '23 /r', operands: 'Gv,Ev', forms: '16/64/64/flat64/flat64//gp16,me16/none 32/64/64/flat64/flat64//gp32,me32/none 32/64/64/flat64/flat64//gp32,ri32/none' }, // and
  { opcode: '24', operands: 'AL,Ib', forms: '8/64/64/flat64/flat64//gp8,im8/none' }, // and
  { opcode: '25', operands: 'rAX,Iz', forms: '16/64/64/flat64/flat64//gp16,im16/none' }, // and
  { opcode: '80 /4', operands: 'Eb,Ib', forms: '8/64/64/flat64/flat64//me8,im8/none 8/64/64/flat64/flat64//ri8,im8/none' }, // and
  { opcode: '81 /4', operands: 'Ev,Iz', forms: '16/64/64/flat64/flat64//me16,im16/none 32/64/64/flat64/flat64//me32,im32/none 32/64/64/flat64/flat64/b/ri32,im32/none 64/64/64/flat64/flat64//me64,im64/none 64/64/64/flat64/flat64//ri64,im64/none' }, // and
  { opcode: '83 /4', operands: 'Ev,Ibs', forms: '16/64/64/flat64/flat64//gp16,im16/none 16/64/64/flat64/flat64//me16,im16/none 32/64/64/flat64/flat64//me32,im32/none 32/64/64/flat64/flat64//ri32,im32/none 64/64/64/flat64/flat64//me64,im64/none 64/64/64/flat64/flat64//ri64,im64/none' }, // and
  { opcode: 'vex l0 np 0f 38 f3 /2', operands: 'By,Ey', forms: '32/64/64/flat64/flat64//gp32,gp32/none' }, // blsmsk
  { opcode: '0f bc /r', operands: 'Gv,Ev', forms: '32/64/64/flat64/flat64//gp32,gp32/none 64/64/64/flat64/flat64//gp64,gp64/none' }, // bsf
  { opcode: '0f bd /r', operands: 'Gv,Ev', forms: '32/64/64/flat64/flat64//gp32,gp32/none 32/64/64/flat64/flat64//gp32,me32/none 32/64/64/flat64/flat64//gp32,ri32/none 64/64/64/flat64/flat64//gp64,gp64/none 64/64/64/flat64/flat64//gp64,me64/none 64/64/64/flat64/flat64//gp64,ri64/none' }, // bsr
  { opcode: '0f c8+r', operands: 'Zv', forms: '32/64/64/flat64/flat64//gp32/none' }, // bswap
  { opcode: '0f a3 /r', operands: 'Ev,Gv', forms: '32/64/64/flat64/flat64//gp32,gp32/none 32/64/64/flat64/flat64//ri32,gp32/none 64/64/64/flat64/flat64//gp64,gp64/none 64/64/64/flat64/flat64//ri64,gp64/none' }, // bt
  { opcode: '0f ba /4', operands: 'Ev,Ib', forms: '32/64/64/flat64/flat64//gp32,im8/none 32/64/64/flat64/flat64//me32,im8/none' }, // bt
  { opcode: '0f b3 /r', operands: 'Ev,Gv', forms: '32/64/64/flat64/flat64//gp32,gp32/none 64/64/64/flat64/flat64//gp64,gp64/none 64/64/64/flat64/flat64//ri64,gp64/none' }, // btr
  { opcode: '0f ba /6', operands: 'Ev,Ib', forms: '32/64/64/flat64/flat64//gp32,im8/none 64/64/64/flat64/flat64//gp64,im8/none 64/64/64/flat64/flat64//me64,im8/none' }, // btr
  { opcode: '0f ab /r', operands: 'Ev,Gv', forms: '64/64/64/flat64/flat64//gp64,gp64/none 64/64/64/flat64/flat64//ri64,gp64/none' }, // bts
  { opcode: '0f ba /5', operands: 'Ev,Ib', forms: '32/64/64/flat64/flat64//gp32,im8/none 32/64/64/flat64/flat64//ri32,im8/none 64/64/64/flat64/flat64//me64,im8/none 64/64/64/flat64/flat64//ri64,im8/none' }, // bts
  { opcode: 'vex l0 np 0f 38 f5 /r', operands: 'Gy,Ey,By', forms: '32/64/64/flat64/flat64//gp32,gp32,gp32/none' }, // bzhi
  { opcode: 'ff /2', operands: 'Ev', forms: '64/64/64/flat64/flat64//gp64/none 64/64/64/flat64/flat64//me64/none 64/64/64/flat64/flat64//ri64/none' }, // call
  { opcode: 'fc', operands: '', forms: '32/64/64/flat64/flat64///none' }, // cld
  { opcode: 'fa', operands: '', forms: '32/64/64/flat64/flat64///none' }, // cli
  { opcode: '0f 47 /r', operands: 'Gv,Ev', forms: '32/64/64/flat64/flat64//gp32,gp32/none' }, // cmova
  { opcode: '0f 43 /r', operands: 'Gv,Ev', forms: '32/64/64/flat64/flat64//gp32,gp32/none 64/64/64/flat64/flat64//gp64,me64/none' }, // cmovae
  { opcode: '0f 42 /r', operands: 'Gv,Ev', forms: '32/64/64/flat64/flat64//gp32,gp32/none 32/64/64/flat64/flat64//gp32,ri32/none' }, // cmovb
  { opcode: '0f 46 /r', operands: 'Gv,Ev', forms: '32/64/64/flat64/flat64//gp32,gp32/none 64/64/64/flat64/flat64//gp64,gp64/none' }, // cmovbe
  { opcode: '0f 44 /r', operands: 'Gv,Ev', forms: '32/64/64/flat64/flat64//gp32,me32/none 32/64/64/flat64/flat64//gp32,ri32/none 64/64/64/flat64/flat64//gp64,me64/none 64/64/64/flat64/flat64//gp64,ri64/none' }, // cmove
  { opcode: '0f 4d /r', operands: 'Gv,Ev', forms: '32/64/64/flat64/flat64//gp32,gp32/none 64/64/64/flat64/flat64//gp64,gp64/none' }, // cmovge
  { opcode: '0f 4c /r', operands: 'Gv,Ev', forms: '32/64/64/flat64/flat64//gp32,gp32/none 64/64/64/flat64/flat64//gp64,gp64/none' }, // cmovl
  { opcode: '0f 4e /r', operands: 'Gv,Ev', forms: '32/64/64/flat64/flat64//gp32,gp32/none 64/64/64/flat64/flat64//gp64,gp64/none' }, // cmovle
  { opcode: '0f 45 /r', operands: 'Gv,Ev', forms: '32/64/64/flat64/flat64//gp32,gp32/none 32/64/64/flat64/flat64//gp32,me32/none 32/64/64/flat64/flat64//gp32,ri32/none 64/64/64/flat64/flat64//gp64,me64/none 64/64/64/flat64/flat64//gp64,ri64/none' }, // cmovne
  { opcode: '0f 49 /r', operands: 'Gv,Ev', forms: '32/64/64/flat64/flat64//gp32,gp32/none 64/64/64/flat64/flat64//gp64,gp64/none' }, // cmovns
  { opcode: '0f 48 /r', operands: 'Gv,Ev', forms: '32/64/64/flat64/flat64//gp32,gp32/none 64/64/64/flat64/flat64//gp64,gp64/none' }, // cmovs
  { opcode: '38 /r', operands: 'Eb,Gb', forms: '8/64/64/flat64/flat64//ri8,gp8/none' }, // cmp
  { opcode: '39 /r', operands: 'Ev,Gv', forms: '16/64/64/flat64/flat64//gp16,gp16/none 16/64/64/flat64/flat64//me16,gp16/none 32/64/64/flat64/flat64//ri32,gp32/none' }, // cmp
  { opcode: '3a /r', operands: 'Gb,Eb', forms: '8/64/64/flat64/flat64//gp8,ri8/none' }, // cmp
  { opcode: '3b /r', operands: 'Gv,Ev', forms: '16/64/64/flat64/flat64//gp16,me16/none 16/64/64/flat64/flat64//gp16,ri16/none 32/64/64/flat64/flat64//gp32,ri32/none 64/64/64/flat64/flat64/b/gp64,me64/none' }, // cmp
  { opcode: '3d', operands: 'rAX,Iz', forms: '16/64/64/flat64/flat64//gp16,im16/none 32/64/64/flat64/flat64//gp32,im32/none' }, // cmp
  { opcode: '80 /7', operands: 'Eb,Ib', forms: '8/64/64/flat64/flat64//ri8,im8/none 8/64/64/flat64/flat64/b/me8,im8/none' }, // cmp
  { opcode: '81 /7', operands: 'Ev,Iz', forms: '16/64/64/flat64/flat64//gp16,im16/none 16/64/64/flat64/flat64//ri16,im16/none 32/64/64/flat64/flat64//me32,im32/none 32/64/64/flat64/flat64//ri32,im32/none 64/64/64/flat64/flat64//ri64,im64/none' }, // cmp
  { opcode: '83 /7', operands: 'Ev,Ibs', forms: '16/64/64/flat64/flat64//me16,im16/none 16/64/64/flat64/flat64//ri16,im16/none 32/64/64/flat64/flat64//ri32,im32/none 64/64/64/flat64/flat64//ri64,im64/none 64/64/64/flat64/flat64/b/me64,im64/none' }, // cmp
  { opcode: '0f b0 /r', operands: 'Eb,Gb', forms: '8/64/64/flat64/flat64/b/me8,gp8/none' }, // cmpxchg
  { opcode: '0f b1 /r', operands: 'Ev,Gv', forms: '32/64/64/flat64/flat64//ri32,gp32/none 64/64/64/flat64/flat64/b/ri64,gp64/none' }, // cmpxchg
  { opcode: 'rex.w 0f c7 /1', operands: 'Mdq', forms: '64/64/64/flat64/flat64//me128/none' }, // cmpxchg16b
  { opcode: '99', operands: '', forms: '32/64/64/flat64/flat64///none 64/64/64/flat64/flat64///none' }, // cwd
  { opcode: 'fe /1', operands: 'Eb', forms: '8/64/64/flat64/flat64//gp8/none' }, // dec
  { opcode: 'ff /1', operands: 'Ev', forms: '32/64/64/flat64/flat64//me32/none 32/64/64/flat64/flat64//ri32/none 32/64/64/flat64/flat64/b/me32/none 64/64/64/flat64/flat64//gp64/none 64/64/64/flat64/flat64//me64/none 64/64/64/flat64/flat64/b/me64/none 64/64/64/flat64/flat64/b/ri64/none' }, // dec
  { opcode: 'f7 /6', operands: 'Ev', forms: '32/64/64/flat64/flat64//gp32/none 32/64/64/flat64/flat64//me32/none 32/64/64/flat64/flat64//ri32/none 64/64/64/flat64/flat64//gp64/none 64/64/64/flat64/flat64//me64/none 64/64/64/flat64/flat64//ri64/none' }, // div
  { opcode: 'f7 /7', operands: 'Ev', forms: '32/64/64/flat64/flat64//gp32/none 32/64/64/flat64/flat64//me32/none 64/64/64/flat64/flat64//gp64/none' }, // idiv
  { opcode: '0f af /r', operands: 'Gv,Ev', forms: '32/64/64/flat64/flat64//gp32,me32/none 32/64/64/flat64/flat64//gp32,ri32/none 64/64/64/flat64/flat64//gp64,me64/none' }, // imul
  { opcode: '69 /r', operands: 'Gv,Ev,Iz', forms: '32/64/64/flat64/flat64//gp32,gp32,im32/none 32/64/64/flat64/flat64//gp32,me32,im32/none 32/64/64/flat64/flat64//gp32,ri32,im32/none 64/64/64/flat64/flat64//gp64,gp64,im64/none 64/64/64/flat64/flat64//gp64,me64,im64/none 64/64/64/flat64/flat64//gp64,ri64,im64/none' }, // imul
  { opcode: '6b /r', operands: 'Gv,Ev,Ibs', forms: '32/64/64/flat64/flat64//gp32,gp32,im32/none 32/64/64/flat64/flat64//gp32,me32,im32/none 32/64/64/flat64/flat64//gp32,ri32,im32/none 64/64/64/flat64/flat64//gp64,gp64,im64/none 64/64/64/flat64/flat64//gp64,ri64,im64/none' }, // imul
  { opcode: 'f7 /5', operands: 'Ev', forms: '64/64/64/flat64/flat64//gp64/none' }, // imul
  { opcode: 'fe /0', operands: 'Eb', forms: '8/64/64/flat64/flat64//gp8/none 8/64/64/flat64/flat64//ri8/none' }, // inc
  { opcode: 'ff /0', operands: 'Ev', forms: '16/64/64/flat64/flat64//gp16/none 32/64/64/flat64/flat64//me32/none 32/64/64/flat64/flat64//ri32/none 32/64/64/flat64/flat64/b/me32/none 64/64/64/flat64/flat64//gp64/none 64/64/64/flat64/flat64//me64/none 64/64/64/flat64/flat64//ri64/none 64/64/64/flat64/flat64/b/me64/none 64/64/64/flat64/flat64/b/ri64/none' }, // inc
  { opcode: '0f 8f', operands: 'Jz', forms: '64/64/64/flat64/flat64//ta64/none' }, // jg
  { opcode: '0f 8d', operands: 'Jz', forms: '64/64/64/flat64/flat64//ta64/none' }, // jge
  { opcode: '7d', operands: 'Jb', forms: '64/64/64/flat64/flat64//ta64/none' }, // jge
  { opcode: '7c', operands: 'Jb', forms: '64/64/64/flat64/flat64//ta64/none' }, // jl
  { opcode: 'ff /4', operands: 'Ev', forms: '64/64/64/flat64/flat64//gp64/none 64/64/64/flat64/flat64//ri64/none' }, // jmp
  { opcode: '0f 89', operands: 'Jz', forms: '64/64/64/flat64/flat64//ta64/none' }, // jns
  { opcode: '0f 80', operands: 'Jz', forms: '64/64/64/flat64/flat64//ta64/none' }, // jo
  { opcode: '70', operands: 'Jb', forms: '64/64/64/flat64/flat64//ta64/none' }, // jo
  { opcode: '8d /r', operands: 'Gv,M', forms: '64/64/64/flat64/flat64//gp64,ri0/none' }, // lea
  { opcode: 'c9', operands: '', forms: '64/64/64/flat64/flat64///none' }, // leave
  { opcode: 'np 0f ae /5', operands: '', forms: '32/64/64/flat64/flat64///none' }, // lfence
  { opcode: 'np 0f ae /6', operands: '', forms: '32/64/64/flat64/flat64///none' }, // mfence
  { opcode: '88 /r', operands: 'Eb,Gb', forms: '8/64/64/flat64/flat64//gp8,gp8/none 8/64/64/flat64/flat64//ri8,gp8/none 8/64/64/flat64/flat64/b/me8,gp8/none' }, // mov
  { opcode: '89 /r', operands: 'Ev,Gv', forms: '16/64/64/flat64/flat64//gp16,gp16/none 16/64/64/flat64/flat64//ri16,gp16/none 32/64/64/flat64/flat64//ri32,gp32/none 32/64/64/flat64/flat64/b/me32,gp32/none 32/64/64/flat64/flat64/b/ri32,gp32/none' }, // mov
  { opcode: '8a /r', operands: 'Gb,Eb', forms: '8/64/64/flat64/flat64//gp8,me8/none 8/64/64/flat64/flat64//gp8,ri8/none 8/64/64/flat64/flat64/b/gp8,me8/none' }, // mov
  { opcode: '8b /r', operands: 'Gv,Ev', forms: '16/64/64/flat64/flat64//gp16,me16/none 16/64/64/flat64/flat64//gp16,ri16/none 16/64/64/flat64/flat64/b/gp16,me16/none 32/64/64/flat64/flat64/b/gp32,me32/none' }, // mov
  { opcode: 'b0+r', operands: 'Zb,Ib', forms: '8/64/64/flat64/flat64//gp8,im8/none' }, // mov
  { opcode: 'c6 /0', operands: 'Eb,Ib', forms: '8/64/64/flat64/flat64//ri8,im8/none 8/64/64/flat64/flat64/b/me8,im8/none 8/64/64/flat64/flat64/b/ri8,im8/none' }, // mov
  { opcode: 'c7 /0', operands: 'Ev,Iz', forms: '16/64/64/flat64/flat64//me16,im16/none 16/64/64/flat64/flat64//ri16,im16/none 16/64/64/flat64/flat64/b/me16,im16/none 16/64/64/flat64/flat64/b/ri16,im16/none 32/64/64/flat64/flat64//ri32,im32/none 32/64/64/flat64/flat64/b/me32,im32/none 32/64/64/flat64/flat64/b/ri32,im32/none 64/64/64/flat64/flat64//ri64,im64/none 64/64/64/flat64/flat64/b/me64,im64/none' }, // mov
  { opcode: 'np 0f 28 /r', operands: 'V,W', forms: '32/64/64/flat64/flat64//ve128,ri128/none' }, // movaps
  { opcode: 'np 0f 29 /r', operands: 'W,V', forms: '32/64/64/flat64/flat64//me128,ve128/none 32/64/64/flat64/flat64//ri128,ve128/none' }, // movaps
  { opcode: '0f 38 f0 /r', operands: 'Gv,Mv', forms: '32/64/64/flat64/flat64//gp32,me32/none' }, // movbe
  { opcode: '66 0f 6e /r', operands: 'V,Ey', forms: '32/64/64/flat64/flat64//ve128,gp32/none 32/64/64/flat64/flat64//ve128,me32/none 32/64/64/flat64/flat64//ve128,ri32/none 64/64/64/flat64/flat64//ve128,gp64/none' }, // movd
  { opcode: '66 0f 7e /r', operands: 'Ey,V', forms: '32/64/64/flat64/flat64//gp32,ve128/none' }, // movd
  { opcode: '66 0f 6f /r', operands: 'V,W', forms: '32/64/64/flat64/flat64//ve128,me128/none 32/64/64/flat64/flat64//ve128,ri128/none 32/64/64/flat64/flat64//ve128,ve128/none' }, // movdqa
  { opcode: 'f3 0f 6f /r', operands: 'V,W', forms: '32/64/64/flat64/flat64//ve128,me128/none' }, // movdqu
  { opcode: 'f3 0f 7f /r', operands: 'W,V', forms: '32/64/64/flat64/flat64//me128,ve128/none' }, // movdqu
  { opcode: 'np 0f 16 /r', operands: 'V,Wq', forms: '32/64/64/flat64/flat64//ve128,me64/none 32/64/64/flat64/flat64//ve128,ri64/none' }, // movhps
  { opcode: '66 0f d6 /r', operands: 'Wq,V', forms: '32/64/64/flat64/flat64//me64,ve128/none 32/64/64/flat64/flat64//ri64,ve128/none' }, // movq
  { opcode: 'f3 0f 7e /r', operands: 'V,Wq', forms: '32/64/64/flat64/flat64//ve128,me64/none 32/64/64/flat64/flat64//ve128,ri64/none' }, // movq
  { opcode: 'a5', operands: 'Yv,Xv', forms: '32/64/64/flat64/flat64//me32,me32/rep' }, // movs
  { opcode: '0f be /r', operands: 'Gv,Eb', forms: '32/64/64/flat64/flat64//gp32,gp8/none 32/64/64/flat64/flat64//gp32,ri8/none 64/64/64/flat64/flat64//gp64,gp8/none' }, // movsx
  { opcode: '0f bf /r', operands: 'Gv,Ew', forms: '32/64/64/flat64/flat64//gp32,gp16/none 32/64/64/flat64/flat64//gp32,me16/none 32/64/64/flat64/flat64//gp32,ri16/none 64/64/64/flat64/flat64//gp64,me16/none' }, // movsx
  { opcode: '63 /r', operands: 'Gv,Ez', forms: '64/64/64/flat64/flat64//gp64,ri32/none' }, // movsxd
  { opcode: 'np 0f 11 /r', operands: 'W,V', forms: '32/64/64/flat64/flat64//me128,ve128/none 32/64/64/flat64/flat64//ri128,ve128/none' }, // movups
  { opcode: '0f b6 /r', operands: 'Gv,Eb', forms: '32/64/64/flat64/flat64//gp32,ri8/none 64/64/64/flat64/flat64//gp64,me8/none' }, // movzx
  { opcode: '0f b7 /r', operands: 'Gv,Ew', forms: '32/64/64/flat64/flat64//gp32,ri16/none' }, // movzx
  { opcode: 'f7 /4', operands: 'Ev', forms: '32/64/64/flat64/flat64//gp32/none 64/64/64/flat64/flat64//gp64/none 64/64/64/flat64/flat64//me64/none' }, // mul
  { opcode: 'f6 /3', operands: 'Eb', forms: '8/64/64/flat64/flat64//gp8/none' }, // neg
  { opcode: 'f7 /3', operands: 'Ev', forms: '32/64/64/flat64/flat64//gp32/none 64/64/64/flat64/flat64//gp64/none' }, // neg
  { opcode: '0f 0d /r', operands: 'Ev', forms: '32/64/64/flat64/flat64//me32/none' }, // nop
  { opcode: '0f 18 /r', operands: 'Ev', forms: '32/64/64/flat64/flat64//me32/none' }, // nop
  { opcode: '0f 1e /r', operands: 'Ev', forms: '32/64/64/flat64/flat64//gp32/none' }, // nop
  { opcode: '0f 1f /r', operands: 'Ev', forms: '16/64/64/flat64/flat64//me16/none' }, // nop
  { opcode: '08 /r', operands: 'Eb,Gb', forms: '8/64/64/flat64/flat64//gp8,gp8/none 8/64/64/flat64/flat64//me8,gp8/none' }, // or
  { opcode: '09 /r', operands: 'Ev,Gv', forms: '16/64/64/flat64/flat64//ri16,gp16/none 16/64/64/flat64/flat64/b/ri16,gp16/none 32/64/64/flat64/flat64//me32,gp32/none 32/64/64/flat64/flat64//ri32,gp32/none 64/64/64/flat64/flat64//me64,gp64/none' }, // or
  { opcode: '0a /r', operands: 'Gb,Eb', forms: '8/64/64/flat64/flat64//gp8,me8/none' }, // or
  { opcode: '0b /r', operands: 'Gv,Ev', forms: '16/64/64/flat64/flat64//gp16,me16/none 32/64/64/flat64/flat64//gp32,me32/none 32/64/64/flat64/flat64//gp32,ri32/none' }, // or
  { opcode: '0c', operands: 'AL,Ib', forms: '8/64/64/flat64/flat64//gp8,im8/none' }, // or
  { opcode: '0d', operands: 'rAX,Iz', forms: '16/64/64/flat64/flat64//gp16,im16/none 32/64/64/flat64/flat64//gp32,im32/none 64/64/64/flat64/flat64//gp64,im64/none' }, // or
  { opcode: '80 /1', operands: 'Eb,Ib', forms: '8/64/64/flat64/flat64//gp8,im8/none 8/64/64/flat64/flat64//me8,im8/none 8/64/64/flat64/flat64//ri8,im8/none' }, // or
  { opcode: '81 /1', operands: 'Ev,Iz', forms: '16/64/64/flat64/flat64//gp16,im16/none 16/64/64/flat64/flat64//me16,im16/none 32/64/64/flat64/flat64//gp32,im32/none 32/64/64/flat64/flat64//me32,im32/none 32/64/64/flat64/flat64//ri32,im32/none 32/64/64/flat64/flat64/b/ri32,im32/none 64/64/64/flat64/flat64//gp64,im64/none 64/64/64/flat64/flat64//me64,im64/none 64/64/64/flat64/flat64//ri64,im64/none' }, // or
  { opcode: '83 /1', operands: 'Ev,Ibs', forms: '16/64/64/flat64/flat64//me16,im16/none 32/64/64/flat64/flat64//me32,im32/none 32/64/64/flat64/flat64//ri32,im32/none 64/64/64/flat64/flat64//gp64,im64/none 64/64/64/flat64/flat64//me64,im64/none 64/64/64/flat64/flat64//ri64,im64/none' }, // or
  { opcode: '66 0f fe /r', operands: 'V,W', forms: '32/64/64/flat64/flat64//ve128,ve128/none' }, // paddd
  { opcode: '66 0f d4 /r', operands: 'V,W', forms: '32/64/64/flat64/flat64//ve128,ve128/none' }, // paddq
  { opcode: 'f3 90', operands: '', forms: '32/64/64/flat64/flat64///none' }, // pause
  { opcode: '66 0f 74 /r', operands: 'V,W', forms: '32/64/64/flat64/flat64//ve128,ve128/none' }, // pcmpeqb
  { opcode: '66 0f 76 /r', operands: 'V,W', forms: '32/64/64/flat64/flat64//ve128,ve128/none' }, // pcmpeqd
  { opcode: '66 0f d7 /r', operands: 'Gd,U', forms: '32/64/64/flat64/flat64//gp32,ve128/none' }, // pmovmskb
  { opcode: 'f3 0f b8 /r', operands: 'Gv,Ev', forms: '64/64/64/flat64/flat64//gp64,gp64/none' }, // popcnt
  { opcode: '66 0f eb /r', operands: 'V,W', forms: '32/64/64/flat64/flat64//ve128,ve128/none' }, // por
  { opcode: '66 0f 38 00 /r', operands: 'V,W', forms: '32/64/64/flat64/flat64//ve128,ve128/none' }, // pshufb
  { opcode: '66 0f 70 /r', operands: 'V,W,Ib', forms: '32/64/64/flat64/flat64//ve128,ve128,im8/none' }, // pshufd
  { opcode: '66 0f 72 /6', operands: 'U,Ib', forms: '32/64/64/flat64/flat64//ve128,im8/none' }, // pslld
  { opcode: '66 0f 72 /2', operands: 'U,Ib', forms: '32/64/64/flat64/flat64//ve128,im8/none' }, // psrld
  { opcode: '66 0f 6a /r', operands: 'V,W', forms: '32/64/64/flat64/flat64//ve128,ve128/none' }, // punpckhdq
  { opcode: '66 0f 62 /r', operands: 'V,W', forms: '32/64/64/flat64/flat64//ve128,ve128/none' }, // punpckldq
  { opcode: '66 0f 6c /r', operands: 'V,W', forms: '32/64/64/flat64/flat64//ve128,ve128/none' }, // punpcklqdq
  { opcode: '6a', operands: 'Ibs', forms: '64/64/64/flat64/flat64//im64/none' }, // push
  { opcode: 'ff /6', operands: 'Ev', forms: '64/64/64/flat64/flat64//me64/none 64/64/64/flat64/flat64/b/me64/none' }, // push
  { opcode: '9c', operands: '', forms: '64/64/64/flat64/flat64///none' }, // pushf
  { opcode: '66 0f ef /r', operands: 'V,W', forms: '32/64/64/flat64/flat64//ve128,ri128/none 32/64/64/flat64/flat64//ve128,ve128/none' }, // pxor
  { opcode: 'c1 /0', operands: 'Ev,Ib', forms: '16/64/64/flat64/flat64//gp16,im8/none 64/64/64/flat64/flat64//gp64,im8/none' }, // rol
  { opcode: 'd1 /0', operands: 'Ev,1', forms: '32/64/64/flat64/flat64//gp32,im8/none 64/64/64/flat64/flat64//gp64,im8/none' }, // rol
  { opcode: 'd3 /0', operands: 'Ev,CL', forms: '32/64/64/flat64/flat64//gp32,gp8/none 64/64/64/flat64/flat64//gp64,gp8/none' }, // rol
  { opcode: 'c1 /1', operands: 'Ev,Ib', forms: '64/64/64/flat64/flat64//gp64,im8/none' }, // ror
  { opcode: 'c0 /7', operands: 'Eb,Ib', forms: '8/64/64/flat64/flat64//gp8,im8/none' }, // sar
  { opcode: 'd0 /7', operands: 'Eb,1', forms: '8/64/64/flat64/flat64//me8,im8/none' }, // sar
  { opcode: 'd1 /7', operands: 'Ev,1', forms: '16/64/64/flat64/flat64//me16,im8/none 32/64/64/flat64/flat64//gp32,im8/none 64/64/64/flat64/flat64//gp64,im8/none' }, // sar
  { opcode: 'd3 /7', operands: 'Ev,CL', forms: '32/64/64/flat64/flat64//gp32,gp8/none 64/64/64/flat64/flat64//gp64,gp8/none' }, // sar
  { opcode: 'vex l0 f3 0f 38 f7 /r', operands: 'Gy,Ey,By', forms: '32/64/64/flat64/flat64//gp32,gp32,gp32/none' }, // sarx
  { opcode: '18 /r', operands: 'Eb,Gb', forms: '8/64/64/flat64/flat64//gp8,gp8/none' }, // sbb
  { opcode: '19 /r', operands: 'Ev,Gv', forms: '16/64/64/flat64/flat64//gp16,gp16/none 64/64/64/flat64/flat64//gp64,gp64/none' }, // sbb
  { opcode: '1c', operands: 'AL,Ib', forms: '8/64/64/flat64/flat64//gp8,im8/none' }, // sbb
  { opcode: '80 /3', operands: 'Eb,Ib', forms: '8/64/64/flat64/flat64//gp8,im8/none' }, // sbb
  { opcode: '83 /3', operands: 'Ev,Ibs', forms: '16/64/64/flat64/flat64//gp16,im16/none 32/64/64/flat64/flat64//gp32,im32/none 64/64/64/flat64/flat64//gp64,im64/none' }, // sbb
  { opcode: '0f 97 /r', operands: 'Eb', forms: '8/64/64/flat64/flat64//gp8/none' }, // seta
  { opcode: '0f 93 /r', operands: 'Eb', forms: '8/64/64/flat64/flat64//me8/none 8/64/64/flat64/flat64//ri8/none' }, // setae
  { opcode: '0f 92 /r', operands: 'Eb', forms: '8/64/64/flat64/flat64//me8/none' }, // setb
  { opcode: '0f 96 /r', operands: 'Eb', forms: '8/64/64/flat64/flat64//gp8/none' }, // setbe
  { opcode: '0f 94 /r', operands: 'Eb', forms: '8/64/64/flat64/flat64//me8/none' }, // sete
  { opcode: '0f 9f /r', operands: 'Eb', forms: '8/64/64/flat64/flat64//gp8/none 8/64/64/flat64/flat64//me8/none' }, // setg
  { opcode: '0f 9d /r', operands: 'Eb', forms: '8/64/64/flat64/flat64//gp8/none' }, // setge
  { opcode: '0f 9c /r', operands: 'Eb', forms: '8/64/64/flat64/flat64//gp8/none' }, // setl
  { opcode: '0f 9e /r', operands: 'Eb', forms: '8/64/64/flat64/flat64//gp8/none' }, // setle
  { opcode: '0f 95 /r', operands: 'Eb', forms: '8/64/64/flat64/flat64//ri8/none' }, // setne
  { opcode: '0f 90 /r', operands: 'Eb', forms: '8/64/64/flat64/flat64//gp8/none' }, // seto
  { opcode: '0f 98 /r', operands: 'Eb', forms: '8/64/64/flat64/flat64//gp8/none' }, // sets
  { opcode: 'np 0f ae /7', operands: '', forms: '32/64/64/flat64/flat64///none' }, // sfence
  { opcode: 'd0 /5', operands: 'Eb,1', forms: '8/64/64/flat64/flat64//gp8,im8/none' }, // shr
  { opcode: 'd1 /5', operands: 'Ev,1', forms: '16/64/64/flat64/flat64//gp16,im8/none 32/64/64/flat64/flat64//gp32,im8/none' }, // shr
  { opcode: 'd3 /5', operands: 'Ev,CL', forms: '32/64/64/flat64/flat64//gp32,gp8/none 64/64/64/flat64/flat64//me64,gp8/none' }, // shr
  { opcode: '0f ac /r', operands: 'Ev,Gv,Ib', forms: '64/64/64/flat64/flat64//gp64,gp64,im8/none' }, // shrd
  { opcode: '0f ad /r', operands: 'Ev,Gv,CL', forms: '64/64/64/flat64/flat64//gp64,gp64,gp8/none' }, // shrd
  { opcode: 'fd', operands: '', forms: '32/64/64/flat64/flat64///none' }, // std
  { opcode: 'ab', operands: 'Yv,rAX', forms: '16/64/64/flat64/flat64//me16,gp16/rep 32/64/64/flat64/flat64//me32,gp32/rep' }, // stos
  { opcode: '29 /r', operands: 'Ev,Gv', forms: '32/64/64/flat64/flat64//me32,gp32/none 32/64/64/flat64/flat64//ri32,gp32/none 64/64/64/flat64/flat64//me64,gp64/none 64/64/64/flat64/flat64//ri64,gp64/none' }, // sub
  { opcode: '2b /r', operands: 'Gv,Ev', forms: '16/64/64/flat64/flat64//gp16,me16/none 32/64/64/flat64/flat64//gp32,me32/none 32/64/64/flat64/flat64//gp32,ri32/none' }, // sub
  { opcode: '2c', operands: 'AL,Ib', forms: '8/64/64/flat64/flat64//gp8,im8/none' }, // sub
  { opcode: '2d', operands: 'rAX,Iz', forms: '16/64/64/flat64/flat64//gp16,im16/none 32/64/64/flat64/flat64//gp32,im32/none' }, // sub
  { opcode: '80 /5', operands: 'Eb,Ib', forms: '8/64/64/flat64/flat64//me8,im8/none' }, // sub
  { opcode: '81 /5', operands: 'Ev,Iz', forms: '16/64/64/flat64/flat64//gp16,im16/none 32/64/64/flat64/flat64//gp32,im32/none 32/64/64/flat64/flat64//me32,im32/none 64/64/64/flat64/flat64//me64,im64/none' }, // sub
  { opcode: '83 /5', operands: 'Ev,Ibs', forms: '16/64/64/flat64/flat64//me16,im16/none 32/64/64/flat64/flat64//me32,im32/none 32/64/64/flat64/flat64//ri32,im32/none 64/64/64/flat64/flat64//me64,im64/none 64/64/64/flat64/flat64//ri64,im64/none' }, // sub
  { opcode: '84 /r', operands: 'Eb,Gb', forms: '8/64/64/flat64/flat64//me8,gp8/none' }, // test
  { opcode: '85 /r', operands: 'Ev,Gv', forms: '16/64/64/flat64/flat64//gp16,gp16/none 32/64/64/flat64/flat64//me32,gp32/none 64/64/64/flat64/flat64//me64,gp64/none' }, // test
  { opcode: 'a9', operands: 'rAX,Iz', forms: '16/64/64/flat64/flat64//gp16,im16/none 64/64/64/flat64/flat64//gp64,im64/none' }, // test
  { opcode: 'f7 /0', operands: 'Ev,Iz', forms: '16/64/64/flat64/flat64//gp16,im16/none 16/64/64/flat64/flat64//me16,im16/none 32/64/64/flat64/flat64//me32,im32/none 32/64/64/flat64/flat64//ri32,im32/none' }, // test
  { opcode: 'f3 0f bc /r', operands: 'Gv,Ev', forms: '32/64/64/flat64/flat64//gp32,gp32/none 64/64/64/flat64/flat64//gp64,gp64/none 64/64/64/flat64/flat64//gp64,ri64/none' }, // tzcnt
  { opcode: 'vex l0 66 0f 6e /r', operands: 'V,Ey', forms: '32/64/64/flat64/flat64//ve128,gp32/none' }, // vmovd
  { opcode: 'vex 66 0f 6f /r', operands: 'V,W', forms: '32/64/64/flat64/flat64//ve256,me256/none 32/64/64/flat64/flat64//ve256,ri256/none' }, // vmovdqa
  { opcode: 'vex 66 0f 7f /r', operands: 'W,V', forms: '32/64/64/flat64/flat64//me256,ve256/none' }, // vmovdqa
  { opcode: 'vex f3 0f 6f /r', operands: 'V,W', forms: '32/64/64/flat64/flat64//ve128,me128/none 32/64/64/flat64/flat64//ve256,me256/none' }, // vmovdqu
  { opcode: 'vex f3 0f 7f /r', operands: 'W,V', forms: '32/64/64/flat64/flat64//me128,ve128/none 32/64/64/flat64/flat64//me256,ve256/none' }, // vmovdqu
  { opcode: 'vex l0 f3 0f 7e /r', operands: 'V,Wq', forms: '32/64/64/flat64/flat64//ve128,me64/none' }, // vmovq
  { opcode: 'vex l0 66 0f fc /r', operands: 'V,H,W', forms: '32/64/64/flat64/flat64//ve128,ve128,ve128/none' }, // vpaddb
  { opcode: 'vex l1 66 0f fc /r', operands: 'V,H,W', forms: '32/64/64/flat64/flat64//ve256,ve256,ve256/none' }, // vpaddb
  { opcode: 'vex l0 66 0f df /r', operands: 'V,H,W', forms: '32/64/64/flat64/flat64//ve128,ve128,ve128/none' }, // vpandn
  { opcode: 'vex l1 66 0f df /r', operands: 'V,H,W', forms: '32/64/64/flat64/flat64//ve256,ve256,ve256/none' }, // vpandn
  { opcode: 'vex w0 66 0f 38 78 /r', operands: 'V,Wb', forms: '32/64/64/flat64/flat64//ve256,ve128/none' }, // vpbroadcastb
  { opcode: 'vex l0 66 0f 74 /r', operands: 'V,H,W', forms: '32/64/64/flat64/flat64//ve128,ve128,me128/none 32/64/64/flat64/flat64//ve128,ve128,ve128/none' }, // vpcmpeqb
  { opcode: 'vex l1 66 0f 74 /r', operands: 'V,H,W', forms: '32/64/64/flat64/flat64//ve256,ve256,me256/none 32/64/64/flat64/flat64//ve256,ve256,ve256/none' }, // vpcmpeqb
  { opcode: 'vex l0 66 0f 64 /r', operands: 'V,H,W', forms: '32/64/64/flat64/flat64//ve128,ve128,ve128/none' }, // vpcmpgtb
  { opcode: 'vex l1 66 0f 64 /r', operands: 'V,H,W', forms: '32/64/64/flat64/flat64//ve256,ve256,ve256/none' }, // vpcmpgtb
  { opcode: 'vex l1 66 0f d7 /r', operands: 'Gd,U', forms: '32/64/64/flat64/flat64//gp32,ve256/none' }, // vpmovmskb
  { opcode: 'vex l1 66 0f eb /r', operands: 'V,H,W', forms: '32/64/64/flat64/flat64//ve256,ve256,ve256/none' }, // vpor
  { opcode: 'vex l0 66 0f ef /r', operands: 'V,H,W', forms: '32/64/64/flat64/flat64//ve128,ve128,ve128/none' }, // vpxor
  { opcode: 'vex l0 np 0f 77', operands: '', forms: '32/64/64/flat64/flat64///none' }, // vzeroupper
  { opcode: '0f c1 /r', operands: 'Ev,Gv', forms: '16/64/64/flat64/flat64/b/ri16,gp16/none 32/64/64/flat64/flat64//me32,gp32/none 32/64/64/flat64/flat64//ri32,gp32/none 32/64/64/flat64/flat64/b/ri32,gp32/none 64/64/64/flat64/flat64//ri64,gp64/none' }, // xadd
  { opcode: '86 /r', operands: 'Eb,Gb', forms: '8/64/64/flat64/flat64//gp8,gp8/none' }, // xchg
  { opcode: '87 /r', operands: 'Ev,Gv', forms: '32/64/64/flat64/flat64//me32,gp32/none 32/64/64/flat64/flat64//ri32,gp32/none 64/64/64/flat64/flat64//me64,gp64/none 64/64/64/flat64/flat64//ri64,gp64/none' }, // xchg
  { opcode: '30 /r', operands: 'Eb,Gb', forms: '8/64/64/flat64/flat64//gp8,gp8/none' }, // xor
  { opcode: '31 /r', operands: 'Ev,Gv', forms: '16/64/64/flat64/flat64//gp16,gp16/none' }, // xor
  { opcode: '32 /r', operands: 'Gb,Eb', forms: '8/64/64/flat64/flat64//gp8,me8/none' }, // xor
  { opcode: '33 /r', operands: 'Gv,Ev', forms: '32/64/64/flat64/flat64//gp32,ri32/none 64/64/64/flat64/flat64/b/gp64,me64/none' }, // xor
  { opcode: '35', operands: 'rAX,Iz', forms: '32/64/64/flat64/flat64//gp32,im32/none 64/64/64/flat64/flat64//gp64,im64/none' }, // xor
  { opcode: '80 /6', operands: 'Eb,Ib', forms: '8/64/64/flat64/flat64//gp8,im8/none 8/64/64/flat64/flat64//me8,im8/none' }, // xor
  { opcode: '81 /6', operands: 'Ev,Iz', forms: '16/64/64/flat64/flat64//gp16,im16/none 32/64/64/flat64/flat64//gp32,im32/none 32/64/64/flat64/flat64//me32,im32/none 64/64/64/flat64/flat64//gp64,im64/none' }, // xor
  { opcode: '83 /6', operands: 'Ev,Ibs', forms: '32/64/64/flat64/flat64//gp32,im32/none 32/64/64/flat64/flat64//me32,im32/none 64/64/64/flat64/flat64//gp64,im64/none' }, // xor
]; // prettier-ignore
