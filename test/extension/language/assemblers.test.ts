/**
 * Against the real assemblers: random instructions with random operands. What they accept, we do not object to, ever; of
 * what they refuse, we find nearly all.
 */
import assert from 'node:assert/strict';
import { BY_MNEMONIC, isMnemonic } from '../../../extension/language/isa/readings';
import { checkOperands } from '../../../extension/language/isa/check';
import type { Dialect } from '../../../extension/language/syntax/tree';
import { Random } from '../../differential/random';
import { hasAs, hasNasm, parsed, refusals } from './support';

const LINES = 5000;
const COMMON = /^(mov|add|cmp|test|lea|push|pop|shl|imul|movzx|movsx|xchg|jmp|call|bt|in|out|inc|not|mul|cmpxchg|xadd|shld|cvtsi2sd|crc32|sete|cmove|lar|lldt|sldt|ret|int|enter|bswap|movbe|fadd|fld|fst|fild|movs|stos)$/; // prettier-ignore
/** Without operands these names are not NASM's. */
const NOT_NASM = /^(movs|stos|lods|scas|cmps|ins|outs|xlat|salc|wait|retf|jcxz|iret)$/;
const REGISTERS = 'al cl bl ax cx dx eax ecx edx eax ecx edx rax rcx rbx r10 rax rcx xmm0 xmm1 xmm2 ymm1 mm1 ds es cs st(1) st cr0 cr3 dr7'.split(' '); // prettier-ignore
const MEMORY = { att: ['8(%rax)', '(%rbx,%rcx,4)', 'sym', 'sym(%rip)'], intel: ['[rax+8]', '[rbx+rcx*4]', '[sym]'] };
const SIZES = ['', 'byte', 'word', 'dword', 'qword', 'xmmword'];

function instructions(dialect: Dialect, seed: number): string[] {
  const random = new Random(seed);
  const below = (n: number): number => random.u32() % n;
  const pick = <T>(from: readonly T[]): T => from[below(from.length)];
  const att = dialect === 'att';
  const register = (): string => {
    const name = pick(REGISTERS);
    return att ? `%${name}` : dialect === 'nasm' ? name.replace(/^st(\((\d)\))?$/, (_, __, n = '0') => `st${n}`) : name;
  };
  const sized = (memory: string): string => {
    const size = pick(SIZES);
    if (size === '') return memory;
    return dialect === 'nasm' ? `${size.replace('xmmword', 'oword')} ${memory}` : `${size} ptr ${memory}`;
  };
  const operand = (): string => {
    const kind = below(10);
    if (kind < 5) return register();
    if (kind < 7) return att ? pick(MEMORY.att) : sized(pick(MEMORY.intel));
    if (kind < 9) return (att ? '$' : '') + pick(['1', '5', '100']);
    return att ? pick(['*%rax', 'sym', '*(%rax)']) : 'sym';
  };
  const names = [...BY_MNEMONIC.keys()].filter((name) => !name.startsWith('v') && !(dialect === 'nasm' && NOT_NASM.test(name))); // prettier-ignore
  const common = names.filter((name) => COMMON.test(name));
  return Array.from({ length: LINES }, () => {
    const suffix = att && below(3) === 0 ? pick(['b', 'w', 'l', 'q']) : '';
    const operands = Array.from({ length: pick([0, 1, 2, 2, 2, 2, 3]) }, operand);
    return `${pick(below(3) ? names : common)}${suffix} ${operands.join(', ')}`;
  });
}

function objections(lines: string[], dialect: Dialect): Map<number, string> {
  const found = new Map<number, string>();
  lines.forEach((line, n) => {
    const tree = parsed(line, dialect, false);
    for (const statement of tree.statements) {
      if (statement.kind !== 'instruction') continue;
      const { text } = statement.mnemonic;
      const problem = isMnemonic(text, dialect) ? checkOperands(statement, () => false, line)?.message : `no ${text}`;
      if (problem !== undefined) found.set(n + 1, problem);
    }
  });
  return found;
}

/** The least share of refused lines that we find. */
const ROWS: [Dialect, boolean, number][] = [['att', hasAs, 0.98], ['intel', hasAs, 0.96], ['nasm', hasNasm, 0.95]]; // prettier-ignore

describe('assemblers agree', () => {
  for (const [dialect, has, least] of ROWS)
    it(`${dialect}: no objection to what is accepted, and few misses`, function () {
      if (!has) return this.skip();
      const lines = instructions(dialect, Number(process.env.SEED ?? Date.now() & 0xffff));
      const refused = refusals(dialect === 'nasm' ? `extern sym\n${lines.join('\n')}` : lines.join('\n'), dialect);
      const shift = dialect === 'nasm' ? 1 : 0;
      const found = objections(lines, dialect);
      const wrong = [...found].filter(([line]) => !refused.has(line + shift));
      assert.deepEqual(wrong.map(([line, problem]) => `${lines[line - 1]}: ${problem}`), []); // prettier-ignore
      const share = found.size / refused.size;
      assert.ok(share >= least, `${found.size} of ${refused.size} refusals are found`);
    });
});
