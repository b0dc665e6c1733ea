/** What the rows and the manual's tables say of an instruction, put together for people. */
import type { Row } from '../../../emulator/isa/instruction';
import { describeMnemonic } from '../../../emulator/isa/manual/index';
import { EXITS_OF, INTERCEPTIONS, PRIVILEGE } from '../../../emulator/isa/manual/privilege';
import type { Interception } from '../../../emulator/isa/manual/privilege';
import { rowText } from './forms';

export interface Facts {
  base: string;
  /** One or two sentences. */
  text: string;
  /** As the manual writes them: `ADD r/m32, r32`. */
  forms: string[];
  /** Letters O, S, Z, A, P, C, D, I, T: given a value, left undefined, used. */
  flags: { writes: string; undefined: string; reads: string };
  /** Who may execute it. */
  privilege: string;
  /** Faults outside ring 0, so that a hypervisor which deprivileges its guest hears of it. */
  traps: boolean;
  /** Reveals or changes privileged state without a trap. */
  sensitive: boolean;
  interceptions: Interception[];
  features: string[];
}

const ORDER = 'OSZAPCDIT';
const union = (letters: (string | undefined)[]): string => [...ORDER].filter((letter) => letters.some((each) => each?.includes(letter))).join(''); // prettier-ignore

export function factsOf(base: string, rows: readonly Row[]): Facts {
  const attributes = rows.map((row) => row.attributes);
  const vague = union(attributes.map((each) => each.undefined));
  const privilege = privilegeOf(base, rows);
  const traps =
    rows.length > 0 &&
    (attributes.every((each) => each.privileged || each.feature === 'vmx') || privilege.startsWith(RING_0));
  const names = [...new Set(attributes.flatMap(({ intercept }) => intercept ?? []))];
  return {
    base,
    text: describeMnemonic(base) ?? '',
    forms: [...new Set(rows.map(rowText))],
    flags: {
      writes: [...union(attributes.map((each) => each.writes))].filter((letter) => !vague.includes(letter)).join(''),
      undefined: vague,
      reads: union(attributes.map((each) => each.reads)),
    },
    privilege,
    traps,
    sensitive: attributes.some((each) => each.sensitive === true) && !traps,
    interceptions: Object.hasOwn(EXITS_OF, base)
      ? [EXITS_OF[base]]
      : names.flatMap((name) => INTERCEPTIONS[name] ?? []),
    features: [...new Set(attributes.flatMap(({ feature }) => feature ?? []))],
  };
}

/** Whoever else tries faults. */
const RING_0 = 'Ring 0 alone';

function privilegeOf(base: string, rows: readonly Row[]): string {
  if (Object.hasOwn(PRIVILEGE, base)) return PRIVILEGE[base];
  const privileged = rows.filter(({ attributes }) => attributes.privileged).length;
  if (privileged > 0 && privileged === rows.length) return `${RING_0} (#GP).`;
  if (rows.some(({ attributes }) => attributes.io)) return 'CPL at most IOPL, or allowed by the I/O permission bitmap (#GP).'; // prettier-ignore
  return privileged > 0 ? 'Any ring; with control or debug registers ring 0 alone (#GP).' : 'Any ring.';
}

const FLAG_NAMES: Readonly<Record<string, string>> = { O: 'OF', S: 'SF', Z: 'ZF', A: 'AF', P: 'PF', C: 'CF', D: 'DF', I: 'IF', T: 'TF' }; // prettier-ignore
const named = (letters: string): string => [...letters].map((letter) => FLAG_NAMES[letter]).join(', ');

export function flagsText({ flags }: Facts): string {
  const parts = [
    flags.writes && `writes ${named(flags.writes)}`,
    flags.undefined && `leaves ${named(flags.undefined)} undefined`,
    flags.reads && `reads ${named(flags.reads)}`,
  ].filter(Boolean);
  return parts.length ? parts.join('; ') : 'none';
}
