/**
 * Hover against iced-x86: instructions picked at random from the rows, as bytes, written out by its formatters, read by the
 * language server. What we say of flags and of privilege is compared with what it says. COUNT and SEED from the environment.
 */
import assert from 'node:assert/strict';
import * as iced from 'iced-x86';
import { decode } from '../../../emulator/isa/decode';
import { ROWS } from '../../../emulator/isa/opcodes';
import { factsOfStatement } from '../../../extension/language/features/hover';
import type { Facts } from '../../../extension/language/isa/facts';
import type { Dialect } from '../../../extension/language/syntax/tree';
import { Random } from '../../differential/random';
import { parsed } from './support';

const COUNT = Number(process.env['COUNT'] ?? 100);
const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);

const SYNTAX: Record<Dialect, iced.FormatterSyntax> = {
  att: iced.FormatterSyntax.Gas,
  intel: iced.FormatterSyntax.Intel,
  nasm: iced.FormatterSyntax.Nasm,
};
const BITS: Record<string, number> = {
  O: iced.RflagsBits.OF, S: iced.RflagsBits.SF, Z: iced.RflagsBits.ZF, A: iced.RflagsBits.AF,
  P: iced.RflagsBits.PF, C: iced.RflagsBits.CF, D: iced.RflagsBits.DF, I: iced.RflagsBits.IF,
}; // prettier-ignore
const letters = (mask: number): string => Object.keys(BITS).filter((letter) => mask & BITS[letter]!).join(''); // prettier-ignore

interface Said {
  writes: string;
  undefined: string;
  reads: string;
  /** Ring 0 or IOPL. */
  privileged: boolean;
}

const theirs = (i: iced.Instruction): Said => ({
  writes: letters(i.rflagsWritten | i.rflagsCleared | i.rflagsSet),
  undefined: letters(i.rflagsUndefined),
  reads: letters(i.rflagsRead),
  privileged: i.isPrivileged,
});
const ours = ({ flags, traps, privilege }: Facts): Said => ({
  writes: flags.writes.replace('T', ''),
  undefined: flags.undefined,
  reads: flags.reads.replace('T', ''),
  privileged: traps || /^CPL (must be )?at most IOPL/.test(privilege),
});

/**
 * Where iced-x86 says something else than the manual: INT n pushes the flags and clears some; RSM is nobody's outside
 * system-management mode; VMRUN swaps the flags for the guest's; VMCALL and VMFUNC fault in all rings of a guest that is deprivileged.
 * And where it writes what no assembler reads, or what is a hint to it and NOP to us. Of shifts by an immediate it knows more: the count.
 */
const DISPUTED =
  /^(int |rsm|vmcall|vmfunc|vmrun|cldemote|nop .*,|(data64 )?ret far|(rc|ro|sh|sa)[lr]d?[bwlq]? (.*,[^,]*h$|\$0x))/;
/** Where it writes an operand that assemblers leave out. */
const asAssembled = (text: string): string =>
  text.replace(/^(fi?s\w+|fbstp) (.*\]),st$/, '$1 $2').replace(/^hint-\S+ /, '');

/** What the language server takes the text for. */
function factsFor(text: string, dialect: Dialect): Facts | undefined {
  const [statement] = parsed(text, dialect, false).statements;
  return statement?.kind === 'instruction' ? factsOfStatement(statement) : undefined;
}

/** Instructions of 64-bit code, each of another mnemonic until all have been. */
function* instructions(random: Random): Generator<iced.Instruction> {
  const left = new Set<string>();
  for (;;) {
    const bytes = random.bytes(16);
    if (random.oneIn(2)) bytes[0] = 0x0f;
    else if (random.oneIn(4)) bytes[0] = random.pick([0xc4, 0xc5, 0x66, 0xf2, 0xf3]);
    const known = decode(bytes, 0x1000n, 64);
    if (typeof known === 'string' || left.has(known.row.mnemonic)) continue;
    const decoder = new iced.Decoder(64, bytes, iced.DecoderOptions.None);
    decoder.ip = 0x1000n;
    const found = decoder.decode();
    decoder.free();
    if (found.code === iced.Code.INVALID || found.length !== known.length) continue;
    left.add(known.row.mnemonic);
    if (left.size === MNEMONICS) left.clear();
    yield found;
  }
}
const MNEMONICS = new Set(ROWS.map(({ mnemonic }) => mnemonic)).size >> 1;

describe('hover agrees with iced-x86', () => {
  for (const dialect of ['att', 'intel', 'nasm'] as const)
    it(`${COUNT} instructions at random, ${dialect}, SEED=${seed}`, () => {
      const formatter = new iced.Formatter(SYNTAX[dialect]);
      const wrong: string[] = [];
      let picked = 0;
      for (const instruction of instructions(new Random(seed))) {
        if (++picked > COUNT) break;
        const text = asAssembled(formatter.format(instruction));
        if (DISPUTED.test(text)) continue;
        const facts = factsFor(text, dialect);
        const [a, b] = [theirs(instruction), facts && ours(facts)];
        if (JSON.stringify(a) !== JSON.stringify(b)) wrong.push(`${text}: ${JSON.stringify(a)}, ours ${JSON.stringify(b)}`);
        instruction.free();
      }
      assert.deepEqual(wrong, []);
    }).timeout(60_000);
}); // prettier-ignore
