/** An address through GV, GP and HP: what the adapter answers, as values and as text. */
import type { Machine, Translation } from '../emulator/machine/api';
import type { AddressView, FrameUse, Reference, ShadowFinding, Verdict } from '../emulator/machine/inspect-api';
import { hex, shortHex, type Address } from './addresses';
import type { Debuggee } from './debuggee';
import { toJson } from './json';
import type { TranslateBody } from './protocol';
import { formatText, rightsText, sizeText } from './trap-explanation';

/** gvas that a reverse look-up names at most. */
const MAX_ALIASES = 64;

export interface Asked {
  access?: Translation['access'] | undefined;
  user?: boolean | undefined;
  cpu?: number | undefined;
}

export function translateAddress(target: Debuggee, address: Address, asked: Asked): TranslateBody {
  const cpu = asked.cpu ?? target.currentCpu;
  if (address.space === 'gv') return forwards(target, cpu, address.value, asked);
  return backwards(target, cpu, address.space, Number(address.value));
}

function forwards(target: Debuggee, cpu: number, gva: bigint, { access = 'read', user }: Asked): TranslateBody {
  const { inspect } = target.machine;
  const options = user === undefined ? {} : { user };
  const translation = inspect.translate(cpu, gva, access, options);
  const asUser = user ?? privilegeOf(target, cpu);
  const view = inspect.tables.walk(cpu, gva, access, asUser);
  return {
    space: 'gv',
    translation: toJson(translation),
    view: toJson(view),
    ...(view.gpa === undefined ? {} : { gpa: view.gpa }),
    ...(view.hpa === undefined ? {} : { hpa: view.hpa }),
    text: viewText(view, translation.format),
  };
}
const privilegeOf = (target: Debuggee, cpu: number): boolean =>
  target.machine.inspect.mode(cpu) !== 'real' && (target.machine.inspect.registers(cpu).get('cs') ?? 0n) % 4n === 3n;

function backwards(target: Debuggee, cpu: number, space: 'gp' | 'hp', value: number): TranslateBody {
  const { tables } = target.machine.inspect;
  const lines = [`${space}:${shortHex(value)}`];
  const body: Omit<TranslateBody, 'text'> = { space };
  let gpa: number | undefined;
  if (space === 'hp') {
    const use = tables.use(value);
    Object.assign(body, { hpa: value, use });
    lines.push(`  ${useText(use)}`, ...typedLines(use));
    if (use.kind === 'guest' && isOwn(target, use.domain)) gpa = use.gpa;
  } else {
    gpa = value;
    const { references, hpa, reason } = tables.walkPhysical(cpu, value);
    Object.assign(body, { gpa, ...(hpa === undefined ? {} : { hpa }), references: toJson(references) });
    lines.push(...references.map(referenceLine));
    lines.push(hpa === undefined ? `  => ${reason ?? 'no RAM lies there'}` : `  => hp:${shortHex(hpa)}`);
    const use = hpa === undefined ? undefined : tables.use(hpa);
    if (use && use.kind !== 'free' && use.typed) {
      Object.assign(body, { use });
      lines.push(...typedLines(use));
    }
  }
  if (gpa !== undefined) {
    const { list, more } = tables.aliases(cpu, gpa, MAX_ALIASES);
    Object.assign(body, { gpa, aliases: toJson(list), moreAliases: more });
    lines.push(list.length === 0 ? '  no gva of this address space maps it' : '  mapped at');
    for (const { gva, pageBytes, ...rights } of list)
      lines.push(`    gv:${target.address(gva, cpu)} ${sizeText(pageBytes)} page, ${wordsOf(rights)}`);
    if (more) lines.push('    and at more');
  }
  return { ...body, text: lines.join('\n') };
}
/** The only machine of a session is its own, whatever number it has on its host. */
const isOwn = (target: Debuggee, domain: number): boolean =>
  (target.machine.virtualization?.domain ?? domain) === domain;

const wordsOf = ({ write, user, execute }: { write: boolean; user: boolean; execute: boolean }): string =>
  [write ? 'writable' : 'read-only', user ? 'user' : 'supervisor', execute ? 'executable' : 'no-execute'].join(', ');

const useText = (use: FrameUse): string =>
  use.kind === 'free'
    ? 'nobody uses it'
    : use.kind === 'guest'
      ? `gp:${shortHex(use.gpa)} of domain ${use.domain}`
      : `domain ${use.domain}'s hypervisor: ${use.what}`;

/** What a frame of a paravirtualised domain is in use as, and since when. */
function typedLines(use: FrameUse): string[] {
  if (use.kind === 'free' || !use.typed) return [];
  const { frame, type, typeCount, count, pinned, history } = use.typed;
  const changes = history.map(({ at, from, to, by }) => `    at ${at.toLocaleString('en-US')}: ${from} -> ${to} by ${by}`);
  return [
    `  frame ${shortHex(frame)}: ${type}, ${typeCount} of type, ${count} in all${pinned ? ', pinned' : ''}`,
    ...(changes.length > 0 ? ['  types in this run', ...changes] : []),
  ];
} // prettier-ignore

function referenceLine(reference: Reference): string {
  const { number, tables, name, gpa, hpa, entry, bytes, present, target, targetSpace, leaf, locates, rule, mark } = reference; // prettier-ignore
  const at = [...(gpa === undefined ? [] : [`gp:${shortHex(gpa)}`]), ...(hpa === undefined ? [] : [`hp:${shortHex(hpa)}`])].join(' = ') || 'a register'; // prettier-ignore
  const indent = tables === 'nested' ? '    ' : '  ';
  const to = present ? ` -> ${targetSpace}:${shortHex(target)}${leaf ? ' (page)' : ''}` : '';
  const what = locates === undefined ? '' : ` [for the ${locates.what} at gp:${shortHex(locates.gpa)}]`;
  const wrong = mark === undefined ? '' : ` ${mark.toUpperCase()}: ${rule}`;
  return `${indent}${`${number}`.padStart(2)} ${name.padEnd(9)} at ${at} = ${hex(entry, bytes * 2)} ${rightsText(reference)}${to}${what}${wrong}`;
}

const STATES: Record<NonNullable<AddressView['shadow']>['state'], string> = {
  missing: 'not filled yet: the next access fills it',
  'fewer-rights': 'filled with fewer rights: an access that needs more exits first',
  filled: 'agrees with the guest',
  stale: 'STALE',
  'over-permissive': 'OVER-PERMISSIVE',
};

/** The walk as text, a line a reference. */
function viewText(view: AddressView, format: string): string {
  const { gva, access, user, paging, references, shadow, fault, gpa, hpa, pageBytes } = view;
  const under = paging === 'none' ? '' : `, ${paging} paging under it`;
  const lines = [`gv:${hex(gva)} ${access} as ${user ? 'user' : 'supervisor'}, ${formatText(format)}${under}`];
  lines.push(...references.map(referenceLine));
  if (fault)
    lines.push(`  => ${fault.tables === 'guest' ? `page fault, error code ${shortHex(fault.errorCode)}` : 'exit'}: ${fault.reason}`); // prettier-ignore
  else {
    const page = pageBytes === undefined ? '' : `, page of ${sizeText(pageBytes)}`;
    const places = [...(gpa === undefined ? [] : [`gp:${shortHex(gpa)}`]), ...(hpa === undefined ? [] : [`hp:${shortHex(hpa)}`])]; // prettier-ignore
    lines.push(`  => ${places.join(' = ')}${hpa === undefined ? ', no RAM' : ''}${page}`);
  }
  if (shadow) {
    lines.push(`shadow, ${shadow.form} form`, ...shadow.references.map(referenceLine));
    lines.push(`  => ${shadow.hpa === undefined ? '' : `hp:${shortHex(shadow.hpa)}, `}${STATES[shadow.state]}${shadow.rule === undefined ? '' : `: ${shadow.rule}`}`); // prettier-ignore
  }
  return [...lines, ...view.verdicts.map(verdictLine)].join('\n');
}
function verdictLine({ access, user, outcome, errorCode, exit, reason }: Verdict): string {
  const who = `${user ? 'user' : 'supervisor'} ${access}`.padEnd(18);
  const code = errorCode === undefined ? '' : `, error code ${shortHex(errorCode)}`;
  const what = outcome === 'exit' ? `exit (${exit})` : outcome === 'page-fault' ? `page fault${code}` : 'done';
  return `  ${who} ${what}${reason === undefined ? '' : `: ${reason}`}`;
}

export const findingLine = ({ mark, gva, hpa, entry, rule }: ShadowFinding): string =>
  `${mark}: the shadow entry at hp:${shortHex(hpa)} (${hex(entry)}) for gv:${hex(gva)}: ${rule}`;

/** `check shadow`. */
export function checkText(machine: Machine, limit = 10): string {
  const { virtualization } = machine;
  if (virtualization?.paging !== 'shadow') return 'There are no shadow tables; launch with "paging": "shadow".';
  const findings = virtualization.inspect.checkShadow(limit);
  return findings.length === 0 ? 'Every shadow entry agrees with the guest.' : findings.map(findingLine).join('\n');
}
