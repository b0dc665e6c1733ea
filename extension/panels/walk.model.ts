/** The walk of an address in words and rows, from what the adapter answers. Knows neither the DOM nor DAP. */
import type { TranslateBody } from '../../debug-adapter/protocol';
import { translate } from './l10n';

export type View = NonNullable<TranslateBody['view']>;
export type Reference = View['references'][number];
export type Verdict = View['verdicts'][number];
export type TableKind = Reference['tables'];

export const ACCESSES: Record<View['access'], string> = {
  read: translate('read'),
  write: translate('write'),
  execute: translate('execute'),
};
export const WHO = { supervisor: translate('supervisor'), user: translate('user') };

/** Bits of an entry in the order of their letters; `bit` names it in ringside/setEntry. */
export const RIGHTS = [
  { bit: 'present', letter: 'P', meaning: translate('present') },
  { bit: 'writable', letter: 'W', meaning: translate('writable') },
  { bit: 'user', letter: 'U', meaning: translate('user') },
  { bit: 'executable', letter: 'X', meaning: translate('executable') },
  { bit: 'global', letter: 'G', meaning: translate('global') },
  { bit: 'accessed', letter: 'A', meaning: translate('accessed') },
  { bit: 'dirty', letter: 'D', meaning: translate('dirty') },
] as const;
export type Right = (typeof RIGHTS)[number]['bit'];
/** `PW·X·AD`: a dot for each that is not set. */
export const lettersOf = (entry: { [bit in Right]: boolean }): string =>
  RIGHTS.map(({ bit, letter }) => (entry[bit] ? letter : '·')).join('');

/** `gp:0x1000`; entries in registers (PDPTEs) lie nowhere. */
export const placeOf = ({ gpa, hpa }: { gpa?: number; hpa?: number }): string | undefined =>
  gpa !== undefined ? `gp:0x${gpa.toString(16)}` : hpa !== undefined ? `hp:0x${hpa.toString(16)}` : undefined;

export const targetOf = ({ target, targetSpace }: { target: number; targetSpace: 'gp' | 'hp' }): string =>
  `${targetSpace}:0x${target.toString(16)}`;

/** Of both stages: a guest entry, and before it the second-stage entries that lead to it. */
export interface Stage {
  /** What is located: an entry of the guest, or the page itself. */
  name: string;
  nested: Reference[];
  entry?: Reference;
}

/** The references in their order, grouped by the guest entry that they lead to. */
export function stages(references: readonly Reference[]): Stage[] {
  const out: Stage[] = [];
  let nested: Reference[] = [];
  for (const reference of references) {
    if (reference.tables === 'nested') {
      nested.push(reference);
      continue;
    }
    out.push({ name: reference.name, nested, entry: reference });
    nested = [];
  }
  if (nested.length) out.push({ name: nested[0]!.locates?.what ?? 'page', nested });
  return out;
}

/** Where the address is in each space, as far as it gets. */
export function chain(view: View): { space: 'gv' | 'gp' | 'hp'; address?: string }[] {
  const hex = (value: number | undefined): string | undefined =>
    value === undefined ? undefined : `0x${value.toString(16)}`;
  const gv = { space: 'gv' as const, address: view.gva };
  const gp = { space: 'gp' as const, address: hex(view.gpa) };
  if (view.paging === 'none') return [gv, gp];
  return [gv, gp, { space: 'hp' as const, address: hex(view.hpa) }];
}

/** `supervisor write: page fault, error code 0x3. The PTE is read-only.` */
export function verdictText({ access, user, outcome, errorCode, exit, reason }: Verdict): string {
  const who = `${WHO[user ? 'user' : 'supervisor']} ${ACCESSES[access]}`;
  const what = {
    done: translate('works'),
    'page-fault': translate('page fault, error code {0}', `0x${(errorCode ?? 0).toString(16)}`),
    exit: translate('VM exit ({0})', exit ?? ''),
  }[outcome];
  return `${who}: ${what}${reason === undefined ? '' : `. ${reason}`}`;
}

/** Places that a walk passes, so that trees can mark them. */
export const pathOf = (view: View | undefined): ReadonlySet<string> =>
  new Set([...(view?.references ?? []), ...(view?.shadow?.references ?? [])].map((each) => key(each.tables, each)));
export const key = (tables: TableKind, entry: { gpa?: number; hpa?: number }): string =>
  `${tables} ${tables === 'guest' ? entry.gpa : entry.hpa}`;
