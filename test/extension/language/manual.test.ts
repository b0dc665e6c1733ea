/**
 * One hundred instructions, picked over the whole manual, with what it says of flags and privilege (SDM vol. 2, "Flags
 * Affected" and "Protected Mode Exceptions"; APM vol. 3 for AMD's own): the hover must say the same.
 */
import assert from 'node:assert/strict';
import { ROWS } from '../../../emulator/isa/opcodes';
import { describeMnemonic } from '../../../emulator/isa/manual/index';
import { INTERCEPTIONS } from '../../../emulator/isa/manual/privilege';
import { GAS_DIRECTIVES } from '../../../extension/language/isa/directives-gas';
import { factsOfStatement } from '../../../extension/language/features/hover';
import { fittingRows } from '../../../extension/language/isa/check';
import { parsed } from './support';

/** Statement, flags written, undefined, read; `0` ring 0 alone, `i` by IOPL, `u` not with UMIP, `*` any ring; `!` sensitive; exits of VT-x. */
const MANUAL: [string, string, string, string, string, string?][] = [
  ['add %eax, %ebx', 'OSZAPC', '', '', '*'], ['adc %eax, %ebx', 'OSZAPC', '', 'C', '*'], ['sbb $1, %rax', 'OSZAPC', '', 'C', '*'],
  ['and %eax, %ebx', 'OSZPC', 'A', '', '*'], ['or %eax, %ebx', 'OSZPC', 'A', '', '*'], ['xor %eax, %eax', 'OSZPC', 'A', '', '*'],
  ['cmp %eax, %ebx', 'OSZAPC', '', '', '*'], ['test %eax, %ebx', 'OSZPC', 'A', '', '*'], ['not %eax', '', '', '', '*'], ['neg %eax', 'OSZAPC', '', '', '*'],
  ['inc %eax', 'OSZAP', '', '', '*'], ['dec %eax', 'OSZAP', '', '', '*'], ['mul %eax', 'OC', 'SZAP', '', '*'], ['imul %eax, %ebx', 'OC', 'SZAP', '', '*'],
  ['div %ecx', '', 'OSZAPC', '', '*'], ['idiv %ecx', '', 'OSZAPC', '', '*'], ['mov %eax, %ebx', '', '', '', '*'], ['lea (%rax), %rbx', '', '', '', '*'],
  ['xchg %eax, %ebx', '', '', '', '*'], ['cmpxchg %eax, (%rbx)', 'OSZAPC', '', '', '*'], ['cmpxchg8b (%rbx)', 'Z', '', '', '*'], ['cmpxchg16b (%rbx)', 'Z', '', '', '*'],
  ['xadd %eax, (%rbx)', 'OSZAPC', '', '', '*'], ['bt %eax, %ebx', 'C', 'OSAP', '', '*'], ['bts %eax, (%rbx)', 'C', 'OSAP', '', '*'],
  ['bsf %eax, %ebx', 'Z', 'OSAPC', '', '*'], ['tzcnt %eax, %ebx', 'ZC', 'OSAP', '', '*'], ['lzcnt %eax, %ebx', 'ZC', 'OSAP', '', '*'], ['popcnt %eax, %ebx', 'OSZAPC', '', '', '*'],
  ['rcl $1, %eax', 'OC', '', 'C', '*'], ['ror $2, %eax', 'C', 'O', '', '*'], ['sal %eax', 'OSZPC', 'A', '', '*'], ['shl $3, %eax', 'SZPC', 'OA', '', '*'], ['sar %cl, %eax', 'SZPC', 'OA', '', '*'], ['shld $3, %eax, %ebx', 'SZPC', 'OA', '', '*'],
  ['daa', 'SZAPC', 'O', 'AC', '*'], ['aaa', 'AC', 'OSZP', 'AC', '*'], ['aam', 'SZP', 'OAC', '', '*'],
  ['jo 1f', '', '', 'O', '*'], ['jbe 1f', '', '', 'ZC', '*'], ['jg 1f', '', '', 'OSZ', '*'], ['jp 1f', '', '', 'P', '*'], ['setl %al', '', '', 'OS', '*'], ['cmovae %eax, %ebx', '', '', 'C', '*'],
  ['loop 1f', '', '', '', '*'], ['loopne 1f', '', '', 'Z', '*'], ['call 1f', '', '', '', '*'], ['ret', '', '', '', '*'], ['push %rax', '', '', '', '*'], ['enter $8, $0', '', '', '', '*'], ['bswap %eax', '', '', '', '*'],
  ['movsb', '', '', 'D', '*'], ['cmpsb', 'OSZAPC', '', 'D', '*'], ['scasl', 'OSZAPC', '', 'D', '*'], ['stosq', '', '', 'D', '*'],
  ['clc', 'C', '', '', '*'], ['cmc', 'C', '', 'C', '*'], ['std', 'D', '', '', '*'], ['sahf', 'SZAPC', '', '', '*'], ['lahf', '', '', 'SZAPC', '*'],
  ['cli', 'I', '', '', 'i'], ['sti', 'I', '', '', 'i'], ['pushfq', '', '', 'OSZAPCDIT', '!', 'no exit'], ['popfq', 'OSZAPCDIT', '', '', '!', 'no exit'], ['iretq', 'OSZAPCDIT', '', '', '!'],
  ['adcx %rax, %rbx', 'C', '', 'C', '*'], ['adox %rax, %rbx', 'O', '', 'O', '*'], ['mulx %rax, %rbx, %rcx', '', '', '', '*'], ['andn %eax, %ebx, %ecx', 'OSZC', 'AP', '', '*'], ['blsr %eax, %ebx', 'OSZC', 'AP', '', '*'], ['crc32b %al, %ebx', '', '', '', '*'],
  ['comiss %xmm0, %xmm1', 'OSZAPC', '', '', '*'], ['ptest %xmm0, %xmm1', 'OSZAPC', '', '', '*'], ['addps %xmm0, %xmm1', '', '', '', '*'], ['fcomi %st(1), %st', 'OSZAPC', '', '', '*'], ['rdrand %eax', 'OSZAPC', '', '', '*', '"RDRAND exiting"'],
  ['cpuid', '', '', '', '*', 'always an exit'], ['hlt', '', '', '', '0', '"HLT exiting"'], ['invlpg (%rax)', '', '', '', '0', '"INVLPG exiting"'], ['invd', '', '', '', '0', 'always an exit'], ['wbinvd', '', '', '', '0', '"WBINVD exiting"'],
  ['clts', '', '', '', '0', 'where TS is 1'], ['lmsw %ax', '', '', '', '0', 'where it would set PE'], ['smsw %ax', '', '', '', 'u', 'no exit: '], ['sgdt (%rax)', '', '', '', 'u', '"descriptor-table exiting"'], ['sidt (%rax)', '', '', '', 'u', '"descriptor-table exiting"'],
  ['sldt %ax', '', '', '', 'u', '"descriptor-table exiting"'], ['str %ax', '', '', '', 'u', '"descriptor-table exiting"'], ['lgdt (%rax)', '', '', '', '0', '"descriptor-table exiting"'], ['ltr %ax', '', '', '', '0', '"descriptor-table exiting"'],
  ['mov %cr0, %rax', '', 'OSZAPC', '', '0'], ['mov %rax, %dr7', '', 'OSZAPC', '', '0', '"MOV-DR exiting"'], ['rdmsr', '', '', '', '0'], ['wrmsr', '', '', '', '0'], ['rdtsc', '', '', '', '*', '"RDTSC exiting"'], ['xsetbv', '', '', '', '0', 'always an exit'],
  ['in %dx, %al', '', '', '', 'i', '"unconditional I/O exiting"'], ['outsb', '', '', 'D', 'i', '"unconditional I/O exiting"'], ['swapgs', '', '', '', '0'], ['verr %ax', 'Z', '', '', '!'], ['lar %ax, %eax', 'Z', '', '', '!'],
  ['vmread %rax, %rbx', 'OSZAPC', '', '', '0', 'always, or with "VMCS shadowing"'], ['vmrun', '', '', '', '0', '#UD'], ['vmlaunch', 'OSZAPC', '', '', '0', 'always an exit'], ['vmfunc', '', '', '', '*', 'where the function'],
  ['int3', '', '', '', '*', 'as #BP, by the exception bitmap'], ['ud2', '', '', '', '*', 'as #UD'], ['stac', '', '', '', '0'],
]; // prettier-ignore

const PRIVILEGE: Record<string, RegExp> = {
  '*': /^Any ring[.;]/,
  '0': /^Ring 0 alone/,
  i: /IOPL/,
  u: /CR4\.UMIP/,
  '!': /^Any ring/,
};

describe('hover by the manual', () => {
  it('has one hundred instructions to be right about', () => assert.ok(MANUAL.length >= 100, `${MANUAL.length}`));

  for (const [source, writes, vague, reads, who, exit] of MANUAL)
    it(source, () => {
      const [statement] = parsed(source).statements;
      assert.equal(statement.kind, 'instruction');
      if (statement.kind !== 'instruction') return;
      assert.ok(fittingRows(statement).length > 0, 'some row fits');
      const facts = factsOfStatement(statement)!;
      assert.deepEqual(facts.flags, { writes, undefined: vague, reads });
      assert.match(facts.privilege, PRIVILEGE[who]);
      assert.equal(facts.sensitive, who === '!' || who === 'u', 'sensitive');
      if (exit) assert.ok(facts.interceptions.some(({ vmx }) => vmx.includes(exit)), `${exit} in ${JSON.stringify(facts.interceptions)}`); // prettier-ignore
    });

  it('every mnemonic of the rows has a text, of one or two sentences or three', () => {
    for (const mnemonic of new Set(ROWS.map((row) => row.mnemonic))) {
      const text = describeMnemonic(mnemonic);
      assert.ok(text, `${mnemonic} has no text in emulator/isa/manual`);
      assert.match(text, /^[A-Z0-9].*\.$/s, `${mnemonic}: ${text}`);
      assert.ok(text.length < 260, `${mnemonic}: ${text.length} letters`);
    }
  });

  it('every intercept of the rows is told of', () => {
    for (const { attributes, mnemonic } of ROWS)
      if (attributes.intercept)
        assert.ok(INTERCEPTIONS[attributes.intercept], `${attributes.intercept} of ${mnemonic}`);
  });

  it('texts of directives are sentences', () => {
    for (const [name, text] of Object.entries(GAS_DIRECTIVES)) assert.match(text, /\.$/, name);
  });
});
