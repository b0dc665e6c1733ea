/** Mistakes: each is found, in its place, and the real assembler refuses it as well. */
import assert from 'node:assert/strict';
import type { Dialect } from '../../../extension/language/syntax/tree';
import { complaints, findingsOf, hasAs, hasNasm, loaded, refusals, workspace } from './support';

/** `mistake`: the line that is wrong, from 1. */
const MISTAKES: [string, Dialect, string, string][] = [
  ['a misspelt instruction', 'att', 'movv %eax, %ebx', '1 unknown-instruction'],
  ['a misspelt instruction', 'nasm', 'movv eax, ebx', '1 unknown-instruction'],
  ['a suffix that is none', 'att', 'movk %eax, %ebx', '1 unknown-instruction'],
  ['an instruction of another processor, once', 'att', 'nop\nldr %eax', '2 unknown-instruction'],
  ['too few operands', 'att', 'nop\nmovl %eax', '2 operands'],
  ['too many operands', 'att', 'incl %eax, %ebx', '1 operands'],
  ['too many operands', 'nasm', 'inc eax, ebx', '1 operands'],
  ['operands where none belong', 'att', 'cpuid %eax', '1 operands'],
  ['sizes that differ', 'att', 'movl %ax, %ebx', '1 operands Movl says 32 bits, and ax has 16.'],
  ['sizes that differ', 'att', 'add %rax, %ebx', '1 operands'],
  ['sizes that differ', 'intel', 'mov eax, bx', '1 operands'],
  ['sizes that differ', 'nasm', 'mov rax, ebx', '1 operands'],
  ['two memory operands', 'att', 'movl (%rax), (%rbx)', '1 operands'],
  ['two memory operands', 'intel', 'mov dword ptr [rax], dword ptr [rbx]', '1 operands'],
  ['an immediate as the destination', 'att', 'movl %eax, $5', '1 operands'],
  ['an immediate as the destination', 'nasm', 'mov 5, eax', '1 operands'],
  ['a control register and memory', 'att', 'mov %cr0, (%rax)', '1 operands'],
  ['an immediate to a segment register', 'att', 'mov $8, %ds', '1 operands'],
  ['LEA of a register', 'att', 'lea %rax, %rbx', '1 operands'],
  ['a shift by a register other than CL', 'att', 'shl %dl, %eax', '1 operands'],
  ['memory without a size', 'intel', 'mov [rax], 5', '1 operands'],
  ['memory without a size', 'nasm', 'mov [rax], 5', '1 operands Mov needs the size'],
  ['memory of another size', 'intel', 'mov eax, word ptr [rax]', '1 operands'],
  ['memory of another size', 'nasm', 'mov eax, word [rax]', '1 operands'],
  ['PUSHA in 64-bit code', 'att', '.code64\npusha', '2 operands'],
  ['SWAPGS in 32-bit code', 'att', '.code32\nswapgs', '2 operands'],
  ['a numeric label that does not follow', 'att', '1: jmp 1f', "1 undefined-label There is no label '1:' after this."],
  ['a numeric label that is not before', 'att', 'jmp 2b\n2: nop', '1 undefined-label'],
  ['a label twice', 'att', 'a: nop\na: nop', "2 duplicate-label The label 'a' is defined already, in line 1."],
  ['a label twice', 'nasm', 'a: nop\n.b: nop\n.b: nop', '3 duplicate-label'],
  ['a macro without its end', 'att', '.macro M\nnop', '1 unbalanced .macro has no .endm.'],
  ['a repetition without its end', 'att', '.rept 3\nnop', '1 unbalanced'],
  ['a repetition without its end', 'att', '.rep 3\nnop', '1 unbalanced .rep has no .endr.'],
  ['a repetition without its end', 'att', '.irpc a, bc\nnop', '1 unbalanced .irpc has no .endr.'],
  ['a condition without its end', 'att', '.if 1\nnop', '1 unbalanced .if has no .endif.'],
  ['an end without a beginning', 'att', 'nop\n.else', '2 unbalanced'],
  ['an end without a beginning', 'att', 'nop\n.endif', '2 unbalanced'],
  ['a macro without its end', 'nasm', '%macro M 0\nnop', '1 unbalanced'],
  ['a condition without its end', 'nasm', '%if 1\nnop', '1 unbalanced %if has no %endif.'],
  ['a comment without its end', 'nasm', '%comment\nnop', '1 unbalanced %comment has no %endcomment.'],
  ['a label behind branches that have it, too', 'att', '.if 1\na: nop\n.else\na: nop\n.endif\na: nop', "6 duplicate-label The label 'a' is defined already, in line 2."],
  ['a condition of the C preprocessor without its end', 'att', '#ifdef A\nnop', '1 unbalanced #ifdef has no #endif.'],
]; // prettier-ignore

/** What looks wrong and is not. */
const FINE: [string, Dialect, string][] = [
  ['labels in different branches', 'att', '#ifdef A\na: nop\n#else\na: ret\n#endif'],
  ['local labels of two routines', 'nasm', 'a: nop\n.l: nop\nb: nop\n.l: jmp .l'],
  ['a structure to the end of the file', 'nasm', 'struc a\n.b: resb 1'],
  ['a macro as an instruction', 'att', '.macro FOO a, b\n.endm\nFOO 1, 2, 3'],
  ['a macro of the C preprocessor as an operand', 'att', '#define ARG %eax\nmovl ARG, %ebx'],
  ['a macro that is an instruction', 'att', '#define op addl\nop %eax, %ebx'],
  ['macro arguments', 'att', '.macro P r\npush\\r \\r\nmov \\r, %\\r\n.endm'],
  ['AVX-512', 'att', 'vaddps %zmm1, %zmm2, %zmm3{%k1}{z}\nvpermi2b %zmm1, %zmm2, %zmm3'],
  ['an include that is not there', 'att', '#include "nowhere.h"\nWHATEVER 1, 2\nanything %eax\njmp 5f'],
  ['labels that a macro defines', 'att', '.macro M\n7: nop\n.endm\nM\njmp 7b'],
  ['a linker script that the C preprocessor reads', 'att', 'SECTIONS\n{\n  a = 5;\n  .text : { *(.text) }\n  data; note\n}'],
  ['numeric labels, both ways', 'att', '1: jmp 1f\n1: jmp 1b'],
  ['string instructions with and without operands', 'att', 'movsb\nmovsl\nrep movsq\nmovsb (%rsi), (%rdi)\nmovsb %al, %eax\nstosl\nlodsw'],
  ['names of the GNU assembler', 'att', 'cltq\ncqto\nmovzbl %al, %ecx\nmovslq %eax, %rbx\nmovabsq $5, %rax\nljmp *(%eax)\nlretq\niretq\nsysretq'],
  ['x87', 'att', 'fldl (%eax)\nflds (%eax)\nfildll (%eax)\nfstpt (%eax)\nfaddp\nfsubrp %st, %st(1)\nfstsw %ax'],
  ['hints of branches', 'att', '1: jne,pt 1b\nje,pn 1b'],
  ['ARM', 'att', 'ldr r0, [r1]\nadd r0, r0, #1\nstr r0, [r1]\nbx lr'],
  ['NEON', 'att', 'sub sp, sp, #4\nvadd.i16 q0, q1, q2\nvrev64.8 d0, d1'],
  ['RISC-V', 'att', 'addi sp, sp, -16\nsd ra, 8(sp)\nmv a0, a1'],
  ['MASM', 'nasm', 'public a\n_TEXT segment align(16) \'CODE\'\na PROC\nret\na ENDP\n_TEXT ENDS\nEND'],
  ['masm-like NASM', 'nasm', 'msg db "a", 10\nlen equ $-msg\nmov edx, len\nmov ecx, msg\nint 80h'],
  ['NASM sizes', 'nasm', 'mov byte [rax], 5\nmovzx eax, byte [rbx]\npush qword 5\njmp short a\na: jmp far [rax]'],
]; // prettier-ignore

describe('diagnostics of assembly', () => {
  for (const [what, dialect, text, expected] of MISTAKES)
    it(`${dialect}: ${what}: ${text.replaceAll('\n', '; ')}`, async () => {
      const found = await complaints(text, dialect);
      assert.equal(found.length, 1, `one finding, not ${JSON.stringify(found)}`);
      assert.ok(found[0].startsWith(expected), `${found[0]} begins with ${expected}`);
    });

  for (const [what, dialect, text] of FINE)
    it(`${dialect}: nothing to say of ${what}`, async () => assert.deepEqual(await complaints(text, dialect), []));

  it('each of these mistakes is refused by the assembler', function () {
    if (!hasAs || !hasNasm) return this.skip();
    // `.macro` without an end has no line of its own in GNU as, `#ifdef` is the C preprocessor's.
    for (const [what, dialect, text] of MISTAKES)
      if (!text.startsWith('#')) assert.ok(refusals(text, dialect).size > 0, `${dialect} accepts ${what}: ${text}`);
  });

  it('macros and labels come from included files, too', async () => {
    const index = workspace({
      'main.S': '#include "inc/a.inc"\nFOO 1\nmovl SIZE, %eax\nnope %eax\n',
      'inc/a.inc': '#include "b.inc"\n.macro FOO n\n.endm\n',
      'inc/b.inc': '#define SIZE $5\n',
    });
    const document = await loaded(index, 'main.S');
    const found = await findingsOf(index, document.uri);
    assert.deepEqual(found.map(({ message }) => message), ["No instruction or macro is named 'nope'."]); // prettier-ignore
    // Read alone, an included file may use what its includer defines.
    const included = workspace({
      'main.S': '#include "a.inc"\n',
      'a.inc': '\t.text\n\tUNKNOWN 5\n\tmovq %rax, %xyz\n',
    });
    await loaded(included, 'main.S');
    assert.deepEqual(await findingsOf(included, (await loaded(included, 'a.inc')).uri), []);
  });
});
