/** Hover, completion, navigation, renaming and the rest, over a workspace in memory. `|` marks the place. */
import assert from 'node:assert/strict';
import { completionsAt, completionText } from '../../../extension/language/features/completion';
import { hoverAt } from '../../../extension/language/features/hover';
import {
  definitionAt,
  documentSymbols,
  folds,
  referencesAt,
  rename,
  workspaceSymbols,
} from '../../../extension/language/features/navigation';
import type { Place } from '../../../extension/language/features/navigation';
import { natureOf, registersIn, sensitiveLines } from '../../../extension/language/features/session';
import { signaturesAt } from '../../../extension/language/features/signature';
import { semanticTokens } from '../../../extension/language/features/tokens';
import type { AssemblyDocument } from '../../../extension/language/workspace/document';
import type { WorkspaceIndex } from '../../../extension/language/workspace/index';
import { loaded, workspace } from './support';

interface At {
  index: WorkspaceIndex;
  document: AssemblyDocument;
  offset: number;
}
async function at(marked: string, name = 'main.S', others: Record<string, string> = {}): Promise<At> {
  const offset = marked.indexOf('|');
  const index = workspace({ ...others, [name]: marked.replace('|', '') });
  for (const other of Object.keys(others)) await loaded(index, other);
  return { index, document: await loaded(index, name), offset };
}

const shown = (places: readonly Place[]): string[] =>
  places.map(({ document, span }) => {
    const line = document.lineOf(span.start);
    return `${document.uri.slice('file:///w/'.length)}:${line + 1}:${document.text.slice(span.start, span.end)}`;
  });

describe('assembly features', () => {
  const HOVERS: [string, string, RegExp[]][] = [
    ['main.S', 'po|pf', [/\*\*POPF\*\*/, /writes OF, SF, ZF, AF, PF, CF, DF, IF, TF/, /Sensitive and not privileged/, /VT-x no exit; AMD-V POPF intercept/]],
    ['main.S', 'mo|v %rax, %cr3', [/Ring 0 alone/, /Deprivileged, it traps/, /CR3-load exiting/]],
    ['main.S', 'mo|v %rax, %rbx', [/Any ring\./, /Flags: none/]],
    ['main.S', 'add|l $1, %eax', [/\*\*ADD\*\* \(`addl`\)/, /writes OF, SF, ZF, AF, PF, CF/]],
    ['main.S', 'cp|uid', [/VT-x always an exit; AMD-V CPUID intercept/]],
    ['main.S', 'j|nz 1f\n1:', [/\*\*JNE\*\* \(`jnz`\)/, /ZF = 0/, /reads ZF/]],
    ['main.S', 'mon|itor', [/MONITOR exiting/]],
    ['main.S', 'rep| stosb', [/prefix: Repeats/]],
    ['main.S', 'mov %c|r4, %rax', [/\*\*cr4\*\* Control register: extensions/]],
    ['main.S', 'mov %ra|x, %rbx', [/General register of 64 bits: accumulator/]],
    ['main.S', '.glo|bl a', [/Makes a symbol known/]],
    ['main.S', 'mov $0xc000|0080, %ecx\nrdmsr', [/IA32_EFER/]],
    ['main.S', 'mov %cr0, %eax\nor $0x8000|0001, %eax\nmov %eax, %cr0', [/CR0\.PE \(protected mode\), CR0\.PG \(paging\)/]],
    ['main.S', 'mov $X86_CR4_|PAE, %eax', [/CR4\.PAE: physical address extension/]],
    ['main.S', '# Says hello.\nhello: ret\ncall hel|lo', [/Label `hello`, main\.S:2/, /Says hello\./]],
    ['main.S', '.macro FOO a, b\n.endm\nFO|O 1, 2', [/Macro `FOO`/, /\.macro FOO a, b/]],
    ['main.asm', 'sec|tion .text', [/goes to this section/]],
    ['main.asm', 'mov e|ax, 5', [/\*\*eax\*\* General register of 32 bits/]],
    ['main.asm', 'mov eax, 0f|fh', [/255 = `0xff`/]],
  ]; // prettier-ignore
  for (const [name, source, patterns] of HOVERS)
    it(`hover: ${source.replaceAll('\n', '; ')}`, async () => {
      const { index, document, offset } = await at(source, name);
      const hover = await hoverAt(index, document, offset);
      for (const pattern of patterns) assert.match(hover?.text ?? 'nothing', pattern);
    });

  const COMPLETIONS: [string, string, string[], string[]][] = [
    ['main.S', 'mov|', ['mov', 'movl', 'movzbl', 'movabs'], ['%rax']],
    ['main.S', 'lock cmpx|', ['cmpxchgl'], []],
    ['main.S', 'mov %|', ['%rax', '%cr0', '%r15d'], ['mov']],
    ['main.S', '.gl|', ['.globl'], []],
    ['main.S', 'target: ret\ncall |', ['target', 'other', 'SIZE'], ['hidden', 'nop']],
    ['main.S', '.macro FOO\n.endm\nF|', ['FOO'], []],
    ['main.S', 'nop # mo|', [], ['mov']],
    ['main.asm', 'mov|', ['mov', 'movzx'], ['movl']],
    ['main.asm', 'mov e|', ['eax', 'cr0'], ['%eax']],
    ['main.asm', 'sec|', ['section'], []],
  ]; // prettier-ignore
  for (const [name, source, wanted, unwanted] of COMPLETIONS)
    it(`completion: ${source.replaceAll('\n', '; ')}`, async () => {
      const others = { 'other.S': '.globl other\nother: ret\nhidden: ret\n', 'size.h': '#define SIZE 5\n' };
      const { index, document, offset } = await at(name.endsWith('.S') ? `#include "size.h"\n${source}` : source, name, others);
      const labels = (await completionsAt(index, document, offset)).map(({ label }) => label);
      for (const each of wanted) assert.ok(labels.includes(each), `${each} is offered`);
      for (const each of unwanted) assert.ok(!labels.includes(each), `${each} is not offered`);
    });

  it('what is offered is told of, and exists', async () => {
    const { index, document } = await at('|');
    for (const { label, kind } of await completionsAt(index, document, 0))
      if (kind === 'instruction') assert.ok(completionText(label, 'att'), `${label} has a text`);
  });

  const OTHERS = { 'a.S': '#include "b.inc"\n.globl main\nmain: call helper\nL: ret\n', 'b.inc': '.macro M\n.endm\n', 'c.S': '.globl helper\nhelper: ret\ncall main\nL: ret\n' };
  const DEFINITIONS: [string, string[]][] = [
    ['call he|lper', ['c.S:2:helper']],
    ['l: jmp |l', ['main.S:1:l']],
    ['1: nop\njmp 1|b\n1: nop', ['main.S:1:1']],
    ['1: nop\njmp 1|f\n1: nop', ['main.S:3:1']],
    ['#include "b.|inc"', ['b.inc:1:']],
    ['#include "b.inc"\n|M 1', ['b.inc:1:M']],
    ['jmp |L', []],
  ]; // prettier-ignore
  for (const [source, expected] of DEFINITIONS)
    it(`definition: ${source.replaceAll('\n', '; ')}`, async () => {
      const { index, document, offset } = await at(source, 'main.S', OTHERS);
      assert.deepEqual(shown(await definitionAt(index, document, offset)), expected);
    });

  it('local labels of NASM belong to the label before them', async () => {
    const { index, document, offset } = await at('a: nop\n.l: nop\nb: nop\n.l: jmp .|l', 'main.asm');
    assert.deepEqual(shown(await definitionAt(index, document, offset)), ['main.asm:4:.l']);
  });

  it('references across files: global names everywhere, others at home', async () => {
    const { index, document, offset } = await at('call ma|in\nL: jmp L', 'main.S', OTHERS);
    const found = shown(await referencesAt(index, document, offset, true)).sort();
    assert.deepEqual(found, ['a.S:2:main', 'a.S:3:main', 'c.S:3:main', 'main.S:1:main']);
    const own = document.text.lastIndexOf('L');
    assert.deepEqual(shown(await referencesAt(index, document, own, true)), ['main.S:2:L', 'main.S:2:L']);
  });

  const NUMBERED = '1: jmp 1b\njmp 1f\n2: jmp 1f\n1: jmp 1b\njmp 1f\njmp 1b\n1: nop\n';
  const REFERENCES: [string, string[]][] = [
    ['1: jmp |1b', ['1:1', '1:1b']],
    ['jmp |1f\n2', ['2:1f', '3:1f', '4:1', '4:1b', '6:1b']],
    ['|2:', ['3:2']],
    ['|1: nop', ['5:1f', '7:1']],
  ];
  for (const [place, expected] of REFERENCES)
    it(`references of a numeric label: ${place.replaceAll('\n', '; ')}`, async () => {
      const text = place.replace('|', '');
      assert.ok(NUMBERED.includes(text));
      const { index, document, offset } = await at(NUMBERED.replace(text, place));
      const found = await referencesAt(index, document, offset, true);
      assert.deepEqual(shown(found).map((each) => each.slice('main.S:'.length)).sort(), expected);
    });

  const renamed = async ({ index, document, offset }: At, to: string): Promise<string | Record<string, string>> => {
    const edits = await rename(index, document, offset, to);
    if (typeof edits === 'string') return edits;
    const texts: Record<string, string> = {};
    for (const each of new Set(edits.map((edit) => edit.document))) {
      const own = edits.filter((edit) => edit.document === each).sort((a, b) => b.span.start - a.span.start);
      texts[each.uri.slice('file:///w/'.length)] = own.reduce((text, { span, text: replacement }) => text.slice(0, span.start) + replacement + text.slice(span.end), each.text);
    }
    return texts;
  };
  it('a label is renamed wherever it is meant', async () => {
    assert.deepEqual(await renamed(await at('call hel|per\n'), 'x'), "'helper' is not defined in this workspace.");
    assert.deepEqual(await renamed(await at('call hel|per\n', 'main.S', OTHERS), 'aid'), {
      'main.S': 'call aid\n',
      'c.S': '.globl aid\naid: ret\ncall main\nL: ret\n',
      'a.S': '#include "b.inc"\n.globl main\nmain: call aid\nL: ret\n',
    });
    assert.deepEqual(await renamed(await at('1: jmp |1b\njmp 1f\n1: nop'), '2'), { 'main.S': '2: jmp 2b\njmp 1f\n1: nop' });
    assert.equal(await renamed(await at('|a: nop'), '5x'), "'5x' is no name for a label.");
  });

  it('symbols of a document and of the workspace', async () => {
    const { index, document } = await at('main: nop\n.loop: nop\nother: nop\nX equ 5\n%macro M 0\n%endmacro\n|', 'main.asm', OTHERS);
    const outline = documentSymbols(document).map(({ name, kind, children }) => [name, kind, children.map((child) => child.name)]);
    assert.deepEqual(outline, [['main', 'label', ['.loop']], ['other', 'label', []], ['X', 'constant', []], ['M', 'macro', []]]);
    assert.deepEqual(workspaceSymbols(index, 'hlpr').map(({ item }) => item.name), ['helper']);
  });

  it('folding, inline values, sensitive lines, signatures, semantic tokens', async () => {
    const source = '# a\n# b\n.macro M\nnop\n.endm\n#if 1\nnop\n#else\nnop\n#endif\nmov %cr3, %rax\npopf\nimul $5, |%eax, %ebx\nM\n';
    const { index, document, offset } = await at(source);
    assert.deepEqual(folds(document).map(({ startLine, endLine }) => `${startLine}-${endLine}`).sort(), ['0-1', '2-4', '5-6', '7-8']);
    assert.deepEqual(registersIn(document, 10, 12).map(({ line, name }) => `${line} ${name}`), ['10 cr3', '10 rax', '12 eax', '12 ebx']);
    assert.deepEqual(sensitiveLines(document), [{ line: 10, mnemonic: 'mov', traps: true }, { line: 11, mnemonic: 'popf', traps: false }]);
    const help = signaturesAt(document, offset)!;
    assert.equal(help.active, 1);
    assert.ok(help.signatures.some(({ label }) => label === 'imul imm16/32, r/m16/32/64, r16/32/64'), JSON.stringify(help));
    const tokens = semanticTokens(document, await index.unit(document.uri), natureOf).map(({ start, end, type, modifiers }) => [document.text.slice(start, end), type, ...modifiers].join(' '));
    assert.deepEqual(tokens, ['M macro declaration', 'mov keyword privileged', 'popf keyword sensitive', 'M macro']);
  });
}); // prettier-ignore
