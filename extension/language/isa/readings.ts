/** From the name that a source has to the rows that it may mean. */
import { ROWS } from '../../../emulator/isa/opcodes';
import type { Row } from '../../../emulator/isa/instruction';
import type { Dialect } from '../syntax/tree';
import { OTHER_MNEMONICS } from './other-mnemonics';
import { CONDITION_SYNONYMS, GNU_SYNONYMS, isPrefixName, PREDICATES, SYNONYMS } from './spellings';

/** One way to understand a written mnemonic. */
export interface Reading {
  /** As the rows and the manual say it. */
  base: string;
  rows: readonly Row[];
  /** What AT&T's suffix says of the operands. */
  bits?: number;
  /** Of the source, where the name says both: `movzbl`. */
  from?: number;
  /** The name implies the last operand: the predicate of `cmpeqps`. */
  implied?: boolean;
}

export const BY_MNEMONIC: ReadonlyMap<string, readonly Row[]> = (() => {
  const map = new Map<string, Row[]>();
  for (const row of ROWS) map.set(row.mnemonic, [...(map.get(row.mnemonic) ?? []), row]);
  return map;
})();

const SUFFIX_BITS: Readonly<Record<string, number>> = { b: 8, w: 16, l: 32, q: 64 };
const FLOAT_SUFFIX: Readonly<Record<string, number>> = { s: 32, l: 64, t: 80 };
const INTEGER_SUFFIX: Readonly<Record<string, number>> = { s: 16, l: 32, ll: 64, q: 64 };
/** `movzbl %al, %ecx`. With two operands `movsb` and `movsw` are these as well, otherwise strings. */
const EXTEND = /^mov([sz])([bwl])([wlq]?)$/;
const PREDICATE = new RegExp(
  `^(v?)cmp(${[...PREDICATES].sort((a, b) => b.length - a.length).join('|')})(ps|pd|ss|sd)$`,
);
const CARRYLESS = /^(v?)pclmul[lh]q[lh]qdq$/;
/** AT&T's suffixes of vectors in memory that become narrower. */
const NARROWED = /^(vcvtt?pd2(?:dq|ps))[xy]$/;

const readingOf = (base: string, more: Partial<Reading> = {}): Reading[] => {
  const rows = BY_MNEMONIC.get(base);
  return rows ? [{ base, rows, ...more }] : [];
};

const CONDITIONAL = /^(j|set|cmov|fcmov)(\w+)$/;
function plain(name: string, gnu: boolean): Reading[] {
  const found = readingOf(name);
  const synonym = (Object.hasOwn(SYNONYMS, name) && SYNONYMS[name]) || (gnu && Object.hasOwn(GNU_SYNONYMS, name) && GNU_SYNONYMS[name]);
  if (synonym && synonym !== name) found.push(...readingOf(synonym));
  const [, verb, condition] = CONDITIONAL.exec(name) ?? [];
  if (condition && verb !== 'fcmov' && Object.hasOwn(CONDITION_SYNONYMS, condition)) found.push(...readingOf(verb + CONDITION_SYNONYMS[condition]));
  const compare = PREDICATE.exec(name);
  if (compare) found.push(...readingOf(`${compare[1]}cmp${compare[3]}`, { implied: true }));
  const carryless = CARRYLESS.exec(name);
  if (carryless) found.push(...readingOf(`${carryless[1]}pclmulqdq`, { implied: true }));
  const narrowed = gnu && NARROWED.exec(name);
  if (narrowed) found.push(...readingOf(narrowed[1]));
  return found;
} // prettier-ignore

const LETTERS = /[vbzynwEGMZI]|rAX/;
/** Whether AT&T's b, w, l, q may follow: something in a row has a size to choose. */
const takesSuffix = (rows: readonly Row[]): boolean =>
  rows.some(({ operands, mnemonic, attributes }) =>
    LETTERS.test(operands) || (operands === '' && /^(retf?|iret|pushf|popf|pusha|popa|leave|syscall|sysret|sysexit|loop\w*)$/.test(mnemonic)) || attributes.repeat !== undefined || attributes.force64 === true); // prettier-ignore

function suffixed(name: string): Reading[] {
  if (OTHER_MNEMONICS.has(name)) return [];
  // FLDCW, FNSTCW and FNSTSW have words in memory.
  if (/^fn?(ld|st)[cs]ww$/.test(name)) return plain(name.slice(0, -1), true);
  if (name.startsWith('f')) {
    // `fmull` is FMUL with an l, `fildll` FILD with two.
    return ['ll', 's', 'l', 'q', 't'].flatMap((suffix) => {
      const base = name.endsWith(suffix) ? name.slice(0, -suffix.length) : '';
      const bits = (base.startsWith('fi') ? INTEGER_SUFFIX : FLOAT_SUFFIX)[suffix];
      return bits ? readingOf(base, { bits }) : [];
    });
  }
  const suffix = name[name.length - 1];
  const bits = SUFFIX_BITS[suffix];
  if (bits === undefined) return [];
  return plain(name.slice(0, -1), true).filter(({ rows, base }) => takesSuffix(rows) && !/^v?(p|cmp[ps][sd]|mov[dqahlnu])/.test(base) || /^(push|pop|popcnt|movnti|pushf|popf|pusha|popa|pause|pextrw)$/.test(base)).map((reading) => ({ ...reading, bits })); // prettier-ignore
}

const cache = new Map<string, readonly Reading[]>();

/** All ways to read a mnemonic, most literal first. Empty: no row has it, though an assembler may (isMnemonic). */
export function readingsOf(name: string, dialect: Dialect): readonly Reading[] {
  const gnu = dialect !== 'nasm';
  const key = `${gnu ? 'g' : 'n'}${name.toLowerCase()}`;
  const known = cache.get(key);
  if (known) return known;
  const result = read(name.toLowerCase(), gnu);
  if (cache.size > 20_000) cache.clear();
  cache.set(key, result);
  return result;
}

function read(name: string, gnu: boolean): Reading[] {
  const result = plain(name, gnu);
  // With general registers these are MOVD, PINSRD and PEXTRD with REX.W.
  if (/^v?(mov|pinsr|pextr)q$/.test(name)) result.push(...readingOf(name.replace(/q$/, 'd'), { bits: 64 }));
  if (name === 'movsx') result.push(...readingOf('movsxd'));
  if (!gnu) return result;
  if (name === 'salc') return [];
  const extend = EXTEND.exec(name);
  if (extend) {
    const from = SUFFIX_BITS[extend[2]];
    const to = extend[3] ? { bits: SUFFIX_BITS[extend[3]] } : {};
    result.push(...readingOf(extend[2] === 'l' ? 'movsxd' : `mov${extend[1]}x`, { from, ...to }));
  }
  if (result.length === 0 || /^(mov|cmp|sto|lod|sca|in|out)s?[bwlq]$/.test(name) || /^(movs|cmps|stos|lods|scas|ins|outs)l$/.test(name)) result.push(...suffixed(name)); // prettier-ignore
  return result;
}

/** Whether the assembler knows the name, with the suffix that it has. */
export function isMnemonic(name: string, dialect: Dialect): boolean {
  const lower = name.toLowerCase();
  if (readingsOf(lower, dialect).length > 0 || isPrefixName(lower) || OTHER_MNEMONICS.has(lower)) return true;
  return dialect !== 'nasm' && /[bwlqsxyz]$/.test(lower) && OTHER_MNEMONICS.has(lower.slice(0, -1));
}
