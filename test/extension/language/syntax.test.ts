/** Any text becomes a tree: tokens cover it, statements lie in order, and the same text gives the same tree. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { tokenize } from '../../../extension/language/syntax/tokens';
import { textOf } from '../../../extension/language/syntax/tree';
import type { Dialect, Statement, Tree } from '../../../extension/language/syntax/tree';
import { together } from '../../../extension/language/workspace/names';
import { parsed } from './support';

/** `label:main`, `instruction:movl(immediate, register)`... */
function outline(tree: Tree): string[] {
  const shapes = (statement: Statement & { operands: { shape: { kind: string } }[] }): string =>
    statement.operands.map(({ shape }) => shape.kind).join(' ');
  return tree.statements.map((statement) => {
    switch (statement.kind) {
      case 'label':
      case 'assignment':
        return `${statement.kind} ${statement.name.text}`;
      case 'directive':
        return `directive ${statement.name.text}${statement.label ? ` of ${statement.label.text}` : ''}`;
      case 'instruction':
        return [...statement.prefixes.map(({ text }) => text), statement.mnemonic.text, shapes(statement)]
          .join(' ')
          .trim();
      case 'preprocessor':
        return `#${statement.name.text} ${statement.macro?.text ?? statement.file?.text ?? ''}`.trim();
      default:
        return statement.kind;
    }
  });
}

const ROWS: [string, Dialect, string, string[]][] = [
  ['an instruction', 'att', 'movl $1, %eax', ['movl immediate register']],
  ['labels and statements on one line', 'att', 'a: 1: nop; b: ret', ['label a', 'label 1', 'nop', 'label b', 'ret']],
  ['comments of all forms', 'att', '/* a\n b */ nop # c\n// d\nret /* e */ # f', ['nop', 'ret']],
  ['memory', 'att', 'lea 8(,%rcx,4), %fs:0\nmov a+4(%rip), b', ['lea memory memory', 'mov memory symbol']],
  ['segments', 'att', 'mov %gs:8(%rax), %rcx', ['mov memory register']],
  ['indirect branches', 'att', 'jmp *%rax\ncall *8(%rbx)', ['jmp indirect', 'call indirect']],
  ['prefixes', 'att', 'rep stosb\nlock; incl (%rax)', ['rep stosb', 'lock', 'incl memory']],
  ['registers of the FPU', 'att', 'fadd %st(1), %st', ['fadd register register']],
  ['strings with separators', 'att', '.ascii "a;b\\"#c", "d"', ['directive .ascii']],
  ['characters', 'att', "cmpb $'#, %al; movb $'\\n, %al", ['cmpb immediate register', 'movb immediate register']],
  ['assignment', 'att', 'X = 5\nY == 6', ['assignment X', 'assignment Y']],
  ['the C preprocessor', 'att', '#include "a.h"\n#define B(x) \\\n nop\n# comment\n#if B\nret\n#endif', ['#include a.h', '#define B', '#if', 'ret', '#endif']],
  ['macro arguments', 'att', '.macro P r\npush \\r\nl\\@: jmp l\\@\n.endm', ['directive .macro', 'push unknown', 'label l\\@', 'jmp unknown', 'directive .endm']],
  ['syntax switches', 'att', '.intel_syntax noprefix\nmov eax, [rbx]\n.att_syntax\nmov (%rbx), %eax', ['directive .intel_syntax', 'mov register memory', 'directive .att_syntax', 'mov memory register']],
  ['sizes', 'intel', 'mov dword ptr [rax], 5\nmov eax, offset a', ['mov memory immediate', 'mov register immediate']],
  ['far pointers', 'intel', 'jmp 8:0x1000', ['jmp far']],
  ['NASM', 'nasm', 'section .text\na: mov eax, [b] ; c\n.d db 1, "x;y"\ne equ 5\nf\n g: nop', ['directive section', 'label a', 'mov register memory', 'directive db of .d', 'directive equ of e', 'label f', 'label g', 'nop']],
  ['NASM macros', 'nasm', '%macro M 2\n mov %1, %2\n%%l: jmp %%l\n%endmacro\n%define X 5\n%if X\nret\n%endif', ['directive %macro', 'mov unknown unknown', 'label %%l', 'jmp unknown', 'directive %endmacro', 'directive %define', 'directive %if', 'ret', 'directive %endif']],
  ['NASM labels without colons', 'nasm', 'start mov ax, 1\nhere: times 5 db 0', ['label start', 'mov register immediate', 'label here', 'directive times']],
]; // prettier-ignore

describe('assembly syntax', () => {
  for (const [what, dialect, text, expected] of ROWS)
    it(what, () => assert.deepEqual(outline(parsed(text, dialect)), expected));

  it('blocks nest and end', () => {
    const { blocks } = parsed('.macro A\n.rept 3\nnop\n.endr\n.endm\n#if 1\n.if 2\n.else\n.endif\n#else\n#endif');
    assert.deepEqual(
      blocks.map(({ kind, parent, close, branches }) => [kind, parent, close !== undefined, branches.length]),
      [['macro', -1, true, 0], ['repeat', 0, true, 0], ['cpp-if', -1, true, 1], ['if', 2, true, 1]],
    ); // prettier-ignore
  });

  it('branches of one conditional exclude each other', () => {
    const { statements } = parsed('a:\n#if 1\nb:\n.if 2\nc:\n.else\nd:\n.endif\n#else\ne:\n#endif');
    const at = (name: string): Statement =>
      statements.find((each) => each.kind === 'label' && each.name.text === name)!;
    const pairs = ['ab', 'bc', 'cd', 'be', 'ce', 'ae'].map((pair) => together(at(pair[0]), at(pair[1])));
    assert.deepEqual(pairs, [true, true, false, false, false, true]);
  });

  it('what a branch opens is closed in whichever branch, and the branch stays', () => {
    const { statements } = parsed('.if 1\na:\n.macro m\n.else\n.endm\nb:\n.endif');
    const [a, b] = statements.filter(({ kind }) => kind === 'label');
    assert.equal(together(a, b), false);
  });

  it('a tree of conditions is as large as its text, however deep they are', () => {
    const deep = 3000;
    for (const line of ['.if 1\nnop\n', '#if 1\nnop\n', '.macro m\n.if 1\nnop\n', '.if 1\nnop\n.else\nnop\n']) {
      const { statements, blocks } = parsed(line.repeat(deep));
      const kept = new Set(statements.flatMap(({ branch, cppBranch }) => [branch ?? [], cppBranch ?? []].flat()));
      const branches = blocks
        .filter(({ kind }) => kind !== 'macro')
        .reduce((sum, each) => sum + 1 + each.branches.length, 0);
      assert.equal(kept.size, branches, line);
    }
  });

  it('what one branch of the preprocessor says of the mode is forgotten behind it', () => {
    const { statements } = parsed('.code32\nnop\n#if 1\n.code64\nnop\n#else\nnop\n#endif\nnop');
    const sizes = statements.filter(({ kind }) => kind === 'instruction').map(({ codeSize }) => codeSize);
    assert.deepEqual(sizes, [32, 64, 32, undefined]);
  });

  const PIECES = ['movl', ' ', '\n', ';', ':', '1', 'b', '%', '$', '(', ')', '[', ']', ',', '"', "'", '#', '/*', '*/', '//', '\\', '.macro', '.endm', '.if', '.endif', '%macro', '%endmacro', '#if', '#endif', '#define', 'a', '=', '{', '}', '@', '\0', 'ä', '\r\n', '`', '.intel_syntax', 'dword', 'times', '.code64'] as const; // prettier-ignore
  const text = fc.oneof(fc.string(), fc.array(fc.constantFrom(...PIECES), { maxLength: 60 }).map((all) => all.join('')), fc.string({ unit: 'binary' })); // prettier-ignore
  const dialect = fc.constantFrom<Dialect>('att', 'intel', 'nasm');

  it('any text parses; every character is in one token; statements lie in order', () => {
    fc.assert(
      fc.property(text, dialect, fc.boolean(), (source, start, preprocessed) => {
        let at = 0;
        for (const token of tokenize(source, { nasm: start === 'nasm', preprocessed })) {
          assert.equal(token.start, at);
          assert.ok(token.end > token.start);
          at = token.end;
        }
        assert.equal(at, source.length);
        const tree = parsed(source, start, preprocessed);
        let last = 0;
        tree.statements.forEach((statement, index) => {
          assert.ok(statement.start >= last && statement.end >= statement.start && statement.end <= source.length);
          assert.equal(statement.index, index);
          last = statement.end;
        });
        assert.deepEqual(parsed(source, start, preprocessed), tree);
      }),
      { numRuns: 400 },
    );
  });

  it('statements parsed again by themselves are the same', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...ROWS.filter(([, d]) => d === 'att').map(([, , source]) => source)), { maxLength: 5 }), (sources) => {
        const whole = outline(parsed(sources.join('\n')));
        assert.deepEqual(whole, sources.flatMap((source, n) => outline(parsed(source, sources.slice(0, n).some((s) => s.endsWith('intel')) ? 'intel' : 'att')))); // prettier-ignore
      }),
      { numRuns: 50 },
    ); // prettier-ignore
  });

  it('operands are what stands between commas', () => {
    const tree = parsed('imul $5, 8(%rax,%rcx,2), %edx');
    const [statement] = tree.statements;
    assert.equal(statement.kind, 'instruction');
    if (statement.kind !== 'instruction') return;
    assert.deepEqual(statement.operands.map((each) => textOf(tree, each)), ['$5', '8(%rax,%rcx,2)', '%edx']); // prettier-ignore
  });
});
