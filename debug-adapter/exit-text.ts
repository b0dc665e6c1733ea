/** What an exit was, in words: its cause decoded, one line. */
import type { VmExit } from '../emulator/machine/api';
import { GPR_NAMES, vectorName } from '../emulator/x86/registers';
import { shortHex } from './addresses';
import { msrName } from './register-names';

type Cause = VmExit['cause'];
type Of<R extends Cause['reason']> = Extract<Cause, { reason: R }>;

/** Every reason that an exit can have, for filters and completions, and what it means. */
export const EXIT_REASONS = {
  cpuid: 'CPUID',
  hlt: 'HLT',
  invd: 'INVD',
  wbinvd: 'WBINVD',
  rdtsc: 'RDTSC',
  rdtscp: 'RDTSCP',
  rdpmc: 'RDPMC',
  pause: 'PAUSE',
  rsm: 'RSM',
  monitor: 'MONITOR',
  mwait: 'MWAIT',
  xsetbv: 'XSETBV',
  xsaves: 'XSAVES or XRSTORS',
  rdrand: 'RDRAND',
  rdseed: 'RDSEED',
  invpcid: 'INVPCID',
  iret: 'IRET',
  pushf: 'PUSHF',
  popf: 'POPF',
  int: 'INT n',
  int1: 'INT1',
  exception: 'an exception that the hypervisor asked for',
  'external-interrupt': 'an interrupt of the host',
  nmi: 'a non-maskable interrupt',
  init: 'an INIT signal',
  'interrupt-window': 'the guest can take interrupts again',
  'nmi-window': 'the guest can take NMIs again',
  'preemption-timer': 'the VMX-preemption timer ran out',
  'monitor-trap': 'the monitor trap flag',
  'tpr-below': 'the task priority fell below its threshold',
  'triple-fault': 'a triple fault',
  sipi: 'a start-up IPI',
  'task-switch': 'a task switch',
  invlpg: 'INVLPG',
  io: 'an access to an I/O port',
  'msr-read': 'RDMSR',
  'msr-write': 'WRMSR',
  'cr-access': 'an access to a control register',
  'dr-access': 'an access to a debug register',
  'descriptor-table': 'LGDT, SGDT and their kin',
  'nested-fault': 'the second stage refused: EPT violation, nested page fault',
  virtualization: 'an instruction of virtualisation',
  'call-out': 'translated code asks for an instruction',
  'apic-access': 'an access to the APIC page',
  'apic-write': 'a write to a virtual APIC register has been done',
  'virtualized-eoi': 'a virtual interrupt has ended',
  'entry-failure': 'the entry was refused',
  'privileged-instruction': 'a privileged instruction of a deprivileged kernel',
  'shadow-fault': 'a shadow table had no translation yet',
  'page-table-write': 'a write to a guest page table',
  'code-write': 'a write to code that was translated',
  mmio: 'an access to device memory',
  'reflected-event': 'an event that is the guest\'s own', // prettier-ignore
  hypercall: 'a hypercall',
} as const satisfies Record<VmExit['reason'], string>;

/** Names that vendors' manuals have for reasons. */
const SYNONYMS: Readonly<Record<string, VmExit['reason']>> = {
  'ept-violation': 'nested-fault',
  npf: 'nested-fault',
  rdmsr: 'msr-read',
  wrmsr: 'msr-write',
  'mov-cr': 'cr-access',
  'mov-dr': 'dr-access',
  ioio: 'io',
  shutdown: 'triple-fault',
};
export const reasonOf = (text: string): string => (Object.hasOwn(SYNONYMS, text) ? SYNONYMS[text]! : text);
export const isReason = (text: string): text is VmExit['reason'] => Object.hasOwn(EXIT_REASONS, text);

export const unknownReason = (text: string): string =>
  `${JSON.stringify(text)} is no reason of an exit; reasons are ${Object.keys(EXIT_REASONS).join(', ')}.`;

export const gprName = (number: number): string => GPR_NAMES[number] ?? `register ${number}`;
export const byteCount = (bytes: number): string => `${bytes} byte${bytes === 1 ? '' : 's'}`;
/** `0xc0000080 (EFER)`. */
export const named = (number: number | bigint, name: string | undefined): string =>
  `${shortHex(number)}${name === undefined ? '' : ` (${name})`}`;

const io = ({ port, bytes, write, string, rep }: Of<'io'>): string => {
  const name = string ? `${rep ? 'REP ' : ''}${write ? 'OUTS' : 'INS'}` : write ? 'OUT' : 'IN';
  return `${name}: ${byteCount(bytes)} ${write ? 'to' : 'from'} port ${shortHex(port)}`;
};
const msr = ({ reason, msr: number }: Of<'msr-read' | 'msr-write'>): string =>
  `${reason === 'msr-read' ? 'RDMSR' : 'WRMSR'} ${named(number, msrName(number))}`;
function controlAccess({ register, access, gpr, value }: Of<'cr-access'>): string {
  if (access === 'clts') return 'CLTS: TS of CR0 is cleared';
  if (access === 'lmsw' || access === 'smsw')
    return `${access.toUpperCase()}${access === 'lmsw' ? ` ${shortHex(value)}` : ''}`;
  if (access === 'read') return `MOV from CR${register} to ${gprName(gpr)}`;
  return `MOV to CR${register} from ${gprName(gpr)}: ${shortHex(value)}`;
}
function nestedFault(cause: Of<'nested-fault'>): string {
  const { access, gpa, gva, table, allowed, misconfigured } = cause;
  const rights = (['read', 'write', 'execute'] as const).map((each) => (allowed[each] ? each[0] : '-')).join('');
  const why = misconfigured ? 'a malformed entry' : rights === '---' ? 'not present' : `entries allow ${rights}`;
  const what = table ? ', for a page table of the guest' : '';
  return `${access} of gp:${shortHex(gpa)}${gva === undefined ? '' : ` (gv:${shortHex(gva)})`}${what}: ${why}`;
}
function event({ event: { vector, errorCode, address, kind } }: Of<'exception'>): string {
  const code = errorCode === undefined ? '' : `, error code ${shortHex(errorCode)}`;
  const at = address === undefined ? '' : ` at gv:${shortHex(address)}`;
  return `${kind === 'interrupt' || kind === 'int' ? `${kind} ${shortHex(vector)}` : vectorName(vector)}${at}${code}`;
}

function causeText(cause: Cause): string {
  switch (cause.reason) {
    case 'io':
      return io(cause);
    case 'msr-read':
    case 'msr-write':
      return msr(cause);
    case 'cr-access':
      return controlAccess(cause);
    case 'dr-access':
      return `MOV ${cause.write ? 'to' : 'from'} DR${cause.register}, ${gprName(cause.gpr)}`;
    case 'descriptor-table':
      return `${cause.store ? 'store of' : 'load of'} ${cause.register.toUpperCase()}`;
    case 'nested-fault':
      return nestedFault(cause);
    case 'exception':
      return event(cause);
    case 'invlpg':
      return `INVLPG gv:${shortHex(cause.gva)}`;
    case 'task-switch':
      return `task switch to ${shortHex(cause.selector)} by ${cause.source}`;
    case 'apic-access':
      return `${cause.access} of APIC register ${shortHex(cause.offset)}`;
    case 'apic-write':
      return `APIC register ${shortHex(cause.offset)} was written`;
    case 'virtualized-eoi':
      return `end of virtual interrupt ${shortHex(cause.vector)}`;
    case 'entry-failure':
      return `${cause.what}: ${cause.field}`;
    case 'sipi':
      return `start-up IPI with vector ${shortHex(cause.vector)}`;
    case 'virtualization':
    case 'call-out':
      return cause.mnemonic.toUpperCase();
    default:
      return EXIT_REASONS[cause.reason];
  }
}

/** One line: what the guest wanted, and where a reason of its own says more than the cause. */
export function exitText(exit: VmExit): string {
  const { reason, cause, mnemonic, gpa, address, hypercall, refusal } = exit;
  if (hypercall) return `${hypercallText(hypercall)}${refusal === undefined ? '' : `, refused: ${refusal}`}`;
  const text = causeText(cause);
  const name = mnemonic?.toUpperCase();
  const named = name === undefined || text.toUpperCase().includes(name) ? text : `${name}: ${text}`;
  if (reason === cause.reason) return named;
  const to = gpa ?? address;
  const where = to === undefined ? '' : ` at ${gpa === undefined ? 'gv' : 'gp'}:${shortHex(to)}`;
  return `${EXIT_REASONS[reason]}${where} (${named})`;
}
/** `mmu_update(0x1000, 1, 0, 0x7ff0) = 0`: arguments as the registers have them, an operation by its name; what a batch held. */
function hypercallText({ name, command, args, result, batch }: NonNullable<VmExit['hypercall']>): string {
  const list = args.map((arg, i) =>
    i === 0 && command !== undefined ? command : arg < 10n ? `${arg}` : shortHex(arg),
  );
  const own = `${name}(${list.join(', ')})${result === undefined ? '' : ` = ${BigInt.asIntN(64, result)}`}`;
  const inner = batch?.map((each) => `${hypercallText(each)}${each.refusal === undefined ? '' : `, refused: ${each.refusal}`}`); // prettier-ignore
  return inner ? `${own}: ${inner.join('; ')}` : own;
}
