/** Names of the stop that conditions may use, and the values that some of them have: for completion, with a session or without. */
import { EXIT_NAMES, HOLE_NAMES, HYPERCALL_NAMES } from './exit-specials';
import { EXIT_REASONS } from './exit-text';

export const TRAP_NAMES = ['vector', 'error', 'address', 'rip', 'cpl', 'source'] as const;

/** All of `trap.`, `exit.`, `hole.` and `hypercall.`; all but the first mean something under a hypervisor. */
export const STOP_NAMES: readonly string[] = [
  ...TRAP_NAMES.map((name) => `trap.${name}`),
  ...EXIT_NAMES.map((name) => `exit.${name}`),
  ...HOLE_NAMES.map((name) => `hole.${name}`),
  ...HYPERCALL_NAMES.map((name) => `hypercall.${name}`),
];

/** `trap.vec`: what is typed so far can become a name of the stop and is none. */
export function endsUnfinished(before: string): boolean {
  const [word] = /\b(?:trap|exit|hole|hypercall)\.\w*$/.exec(before) ?? [];
  return word !== undefined && !STOP_NAMES.includes(word) && STOP_NAMES.some((name) => name.startsWith(word));
}

const VALUES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'exit.reason': EXIT_REASONS,
  'exit.access': { read: '', write: '', execute: '', clts: 'of CR0', lmsw: 'of CR0', smsw: 'of CR0' },
  'trap.source': { exception: '', interrupt: 'of a device', software: 'INT n', nmi: '' },
};

export interface ValueCompletion {
  label: string;
  /** What is put in place of what is typed from `start` on: with the quotes that are not there yet. */
  text: string;
  detail?: string;
  /** From 0. */
  start: number;
}

/** After `exit.reason == `, with or without the quote: the texts that it may be equal to. Empty elsewhere. */
export function valuesAt(before: string): ValueCompletion[] {
  const [, name, typed] = /\b((?:exit|trap)\.\w+)\s*[=!]=\s*("?[\w-]*)$/.exec(before) ?? [];
  if (name === undefined || !Object.hasOwn(VALUES, name)) return [];
  const prefix = typed.replace('"', '');
  const opening = typed.startsWith('"') ? '' : '"';
  return Object.entries(VALUES[name])
    .filter(([value]) => value.startsWith(prefix))
    .map(([value, detail]) => ({ label: value, text: `${opening}${value}"`, start: before.length - prefix.length, ...(detail ? { detail } : {}) })); // prettier-ignore
}
