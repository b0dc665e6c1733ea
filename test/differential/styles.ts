/** What random programs are made of: rows that user mode may execute, by what they work on, in shares that differ by program. */
import { parseEncoding } from '../../emulator/isa/encoding';
import type { Encoding } from '../../emulator/isa/encoding';
import type { CodeSize, Instruction, Row } from '../../emulator/isa/instruction';
import { ROWS } from '../../emulator/isa/opcodes';
import { loadsDenormal } from './compare';
import { domainOf, runsInUserMode } from './generate';
import type { Style } from './program';
import type { Random } from './random';
import type { Mode } from './user-machine';

/** What no host can be asked, but both tiers can: they fault, or answer from the processor's model. */
const OURS_ALONE = new Set([
  'popf', 'cpuid', 'rdtsc', 'rdtscp', 'xgetbv', 'int3', 'into', 'ud2', 'smsw', 'sldt', 'str', 'sgdt', 'sidt', 'verr', 'verw', 'lar', 'lsl', 'arpl',
  'xsave', 'xsaveopt', 'xsavec', 'xrstor', 'rdfsbase', 'rdgsbase', 'wrfsbase', 'wrgsbase', 'clflush', 'rdrand', 'rdpid',
]); // prettier-ignore
/** Of what is left, not in programs for the host: test/differential/rows.test.ts has them, one at a time. */
const NOT_ON_HOST: readonly { mnemonics: RegExp; why: string }[] = [
  { mnemonics: /^v?(rcp|rsqrt)/, why: 'approximations, each processor its own' },
  {
    mnemonics: /^(f2xm1|fyl2x|fyl2xp1|fptan|fpatan|fsin|fcos|fsincos)$/,
    why: 'right within one unit in the last place',
  },
  { mnemonics: /^(fn?save|fn?stenv|fxsave)$/, why: 'store where the last x87 instruction was, which a signal forgets' },
  { mnemonics: /gather/, why: 'how far one comes before it faults is the processor\'s own affair' }, // prettier-ignore
  { mnemonics: /^sha/, why: "AMD's do not ask for aligned memory" },
];
/** As compare.ts has it: what AMD does although an exception is unmasked. */
const goesOnUnmasked = (row: Row): boolean => /^(fi?com|fucom|ftst)/.test(row.mnemonic) || loadsDenormal(row);
/** Loads masks of exceptions from anywhere. */
const UNMASKS = /^(fldcw|fldenv|frstor|fxrstor|v?ldmxcsr)$/;

const user = ROWS.filter(({ attributes }) => attributes.feature !== 'vmx' && attributes.feature !== 'svm');
const existsIn = (size: CodeSize, { row, rexW }: Encoding): boolean =>
  size === 64 ? !row.attributes.not64 : !row.attributes.only64 && !rexW;

type Groups = Readonly<Record<'integer' | 'x87' | 'vector', readonly Encoding[]>>;
function groups(rows: readonly Row[], size: CodeSize): Groups {
  const encodings = rows.map(parseEncoding).filter((e) => existsIn(size, e));
  const of = (name: string): Encoding[] => encodings.filter((e) => domainOf(e.row) === name);
  return { integer: of('integer'), x87: of('x87'), vector: of('vector') };
}
const known = new Map<string, Groups>();
function once(key: string, make: () => Groups): Groups {
  let made = known.get(key);
  if (!made) known.set(key, (made = make()));
  return made;
}

/** Mostly integers, or a share of floats and vectors that makes them meet. */
const SHARES = [
  { integer: 90, x87: 3 },
  { integer: 60, x87: 8 },
  { integer: 40, x87: 30 },
  { integer: 40, x87: 5 },
] as const;

function chooser(all: Groups, random: Random): Style['choose'] {
  const { integer, x87 } = random.pick([...SHARES, SHARES[0], SHARES[1]]);
  return (dice) => {
    const n = dice.below(100);
    return dice.pick(n < integer ? all.integer : n < integer + x87 ? all.x87 : all.vector);
  };
}

/** Anything goes, into the middle of instructions, too. */
export function wildStyle({ code, name, real }: Mode, fuel: number, random: Random): Style {
  const left = (row: Row): boolean =>
    (runsInUserMode(row) || OURS_ALONE.has(row.mnemonic)) &&
    !(real && (row.attributes.protectedOnly || row.opcode.startsWith('vex')));
  const all = once(`wild ${name}`, () => groups(user.filter(left), code.size));
  return { code, choose: chooser(all, random), masked: !random.oneIn(4), writesCode: random.oneIn(3), fuel };
}

/** What is the same on every processor. `has`: features. */
export function hostStyle(mode: Mode, fuel: number, random: Random, has: (feature?: string) => boolean): Style {
  const { code } = mode;
  const masked = !random.oneIn(6);
  const left = (row: Row): boolean =>
    runsInUserMode(row) &&
    !row.attributes.ends &&
    has(row.attributes.feature) &&
    !NOT_ON_HOST.some(({ mnemonics }) => mnemonics.test(row.mnemonic)) &&
    !(masked ? UNMASKS.test(row.mnemonic) : goesOnUnmasked(row)) &&
    // Outside 64-bit mode the SDM has VEX.W ignored where AMD refuses it.
    !(code.size === 32 && /^v(pextrd|pinsrd)$/.test(row.mnemonic));
  const all = once(`host ${mode.name} ${masked}`, () => groups(user.filter(left), code.size));
  return { code, choose: chooser(all, random), admits, masked, writesCode: random.oneIn(3), fuel };
}
/** SHLD and SHRD of words by more than 16 are undefined (SDM vol. 2). */
const admits = (insn: Instruction): boolean => !(/^sh[lr]d$/.test(insn.row.mnemonic) && insn.operandSize === 16);
