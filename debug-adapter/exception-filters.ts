/** The exception filters of the editor, and what each lets through. */
import type { DebugProtocol } from '@vscode/debugprotocol';
import type { TrapEvent, VmExit } from '../emulator/machine/api';
import { UserError } from '../emulator/util/assert';
import { VECTOR, vectorName } from '../emulator/x86/registers';
import { EXIT_REASONS, isReason, reasonOf, unknownReason } from './exit-text';
import { vectorTitle } from './trap-explanation';

const HINT = 'Condition, for example trap.vector == 14 && trap.address < 0x1000';

/** `INT3` and `INTO` belong to #BP and #OF though software raises them; `int 14` is no page fault. */
const isException = (event: TrapEvent): boolean =>
  event.source === 'exception' ||
  event.source === 'nmi' ||
  (event.source === 'software' && (event.vector === 3 || event.vector === 4));

interface Filter {
  id: string;
  label: string;
  description: string;
  default?: boolean;
  vector?: number;
  accepts: (event: TrapEvent) => boolean;
}

const FILTERS: readonly Filter[] = [
  {
    id: 'trap',
    label: 'Every exception',
    description: 'Stops before an exception is delivered to the guest.',
    accepts: isException,
  },
  {
    id: 'trap:irq',
    label: 'Every interrupt',
    description: 'Stops before a hardware interrupt is delivered to the guest.',
    accepts: (event) => event.source === 'interrupt',
  },
  {
    id: 'trap:int',
    label: 'Software interrupts',
    description: 'Stops at INT n before it enters the guest kernel.',
    accepts: (event) => event.source === 'software',
  },
  ...Object.values(VECTOR).map((vector): Filter => ({
    id: `trap:${vectorName(vector)}`,
    label: `${vectorName(vector)} ${vectorTitle(vector)}`,
    description: `Stops before vector ${vector} is delivered to the guest.`,
    vector,
    accepts: isException,
  })),
  {
    id: 'triple-fault',
    label: 'Triple fault',
    description: 'The processor gave up: stop there and look, instead of ending the session.',
    default: true,
    accepts: () => true,
  },
];

interface VirtualFilter {
  id: string;
  kind: 'exit' | 'hole';
  label: string;
  description: string;
  hint: string;
  /** Exits for this alone. */
  reason?: string;
}
const EXIT_HINT = 'Condition, for example exit.reason == "io" && exit.port == 0x3f8';
const exitFilter = (reason: VmExit['reason']): VirtualFilter => ({
  id: `vm-exit:${reason}`,
  kind: 'exit',
  label: `VM exit: ${reason}`,
  description: `Stops when the guest leaves to its hypervisor: ${EXIT_REASONS[reason]}.`,
  hint: 'Condition over exit.gva, exit.gpa, exit.port and so on',
  reason,
});
/** Those that the editor lists; the others are accepted all the same. */
const LISTED = ['io', 'mmio', 'cpuid', 'msr-read', 'msr-write', 'cr-access', 'hlt', 'nested-fault', 'shadow-fault', 'page-table-write'] as const; // prettier-ignore

/** They need a hypervisor under the guest: the launch attribute `technique`. */
const VIRTUAL: readonly VirtualFilter[] = [
  {
    id: 'vm-exit',
    kind: 'exit',
    label: 'VM exit',
    description: 'Stops when the guest leaves to its hypervisor, before the hypervisor does anything.',
    hint: EXIT_HINT,
  },
  ...LISTED.map(exitFilter),
  {
    id: 'hypercall',
    kind: 'exit',
    reason: 'hypercall',
    label: 'Hypercall',
    description:
      'Stops when a paravirtualised guest calls its hypervisor, before that does anything; also for calls in a batch.',
    hint: 'Condition, for example hypercall.name == "mmu_update" && hypercall.frame == 0x1234',
  },
  {
    id: 'silent-hole',
    kind: 'hole',
    label: 'Silent hole',
    description: 'Stops at a sensitive instruction that does not trap though the guest is not in ring 0.',
    hint: 'Condition, for example hole.mnemonic == "popf"',
  },
];
/** UserError: an exit has no such reason. */
export function virtualFilter(id: string): VirtualFilter | undefined {
  const listed = VIRTUAL.find((filter) => filter.id === id);
  const [, text] = /^vm-exit:(.*)$/.exec(id) ?? [];
  if (listed !== undefined || text === undefined) return listed;
  const reason = reasonOf(text);
  if (!isReason(reason)) throw new UserError(unknownReason(text));
  return exitFilter(reason);
}

export const EXCEPTION_FILTERS: DebugProtocol.ExceptionBreakpointsFilter[] = [...FILTERS, ...VIRTUAL].map((filter) => ({
  filter: filter.id,
  label: filter.label,
  description: filter.description,
  default: 'default' in filter && filter.default === true,
  supportsCondition: true,
  conditionDescription: 'hint' in filter ? filter.hint : HINT,
}));

export const exceptionFilter = (id: string): Filter | undefined => FILTERS.find((filter) => filter.id === id);
export const FILTER_NAMES = EXCEPTION_FILTERS.map(({ filter }) => filter);

/** A filter that is to stop, by its id, and perhaps only where a condition holds. */
export interface WantedFilter {
  filterId: string;
  condition?: string | undefined;
}
/** By where they come from: the editor's list of filters, and function breakpoints. */
export type WantedFilters = Record<'exception' | 'function', WantedFilter[]>;
/** Named like a filter: what a function breakpoint of that name stands for. */
export const namesFilter = (name: string): boolean => FILTER_NAMES.includes(name) || name.startsWith('vm-exit:');
