/** Every field of an exit in words, a line each: what it is called, its value, and what that means. */
import type { VmExit } from '../emulator/machine/api';
import { exitCodeName, reasonName } from '../emulator/x86/exit-names';
import { setFields } from '../emulator/util/bit-fields';
import { vectorName } from '../emulator/x86/registers';
import { ENTRY_FAILED, VIRTUAL_APIC } from '../emulator/x86/vmcs';
import { hex, shortHex } from './addresses';
import { byteCount, gprName, named } from './exit-text';
import { hypercallLines } from './hypercall-details';
import { msrName, portName } from './register-names';
import { FIELDS } from './scopes/bits';
import { explainErrorCode, selectorBits, vectorTitle } from './trap-explanation';

/** What numbers are called in the guest that left. */
export interface Words {
  /** `main+0x10 (gv:0x...)`. */
  place(gva: bigint): string;
  technique: string;
  domain?: string;
}

type Cause = VmExit['cause'];
export type Reason = Cause['reason'];
type Of<R extends Reason> = Cause extends infer C
  ? C extends { reason: infer S }
    ? R extends S
      ? C
      : never
    : never
  : never;
type PendingEvent = Of<'exception'>['event'];
type Said = string | string[];
type Rows<T, Skip extends PropertyKey> = {
  readonly [F in Exclude<keyof T, Skip>]-?: (value: NonNullable<T[F]>, all: T, words: Words) => Said;
}; // prettier-ignore

const yes = (value: boolean, set: string, clear: string): string => (value ? set : clear);
const vector = (value: number): string => `vector: ${named(value, value < 32 ? `${vectorName(value)} ${vectorTitle(value)}` : 'an interrupt')}`; // prettier-ignore

const EVENT_KINDS: Record<PendingEvent['kind'], string> = {
  fault: 'a fault: the instruction has done nothing', trap: 'a trap: the instruction is done', interrupt: 'an interrupt of a device',
  nmi: 'a non-maskable interrupt', int: 'INT n', int1: 'INT1', int3: 'INT3', into: 'INTO',
}; // prettier-ignore
const EVENT: Rows<PendingEvent, never> = {
  vector,
  kind: (kind) => `event: ${EVENT_KINDS[kind]}`,
  errorCode: (code, { vector: number }) => explainErrorCode(number, code),
  address: (gva, _, { place }) => `address: ${place(gva)}; a page fault puts it into CR2`,
  conditions: (bits) => `DR6 will say: ${shortHex(bits)}${setFields(BigInt(bits), FIELDS.dr6!).map(({ name }) => ` ${name}`).join('')}`,
  returnRip: (rip, _, { place }) => `returns to: ${place(rip)}`,
  during: (during, _, words) => ['while this was being delivered:', ...indent(linesOf(EVENT, during, words))],
}; // prettier-ignore

/** Virtual-APIC registers by offset (SDM vol. 3C 30.1.1); ISR, TMR and IRR are eight words each. */
function apicRegister(offset: number): string {
  const at = Object.entries(VIRTUAL_APIC)
    .filter(([, first]) => first <= offset)
    .pop();
  if (at === undefined) return 'no register';
  const [name, first] = at;
  const index = (offset - first) >> 4;
  return `${name}${index > 0 ? ` + ${index}` : ''}`;
}
const CR_ACCESS: Record<Of<'cr-access'>['access'], string> = {
  write: 'MOV to the register', read: 'MOV from the register', clts: 'CLTS', lmsw: 'LMSW', smsw: 'SMSW',
}; // prettier-ignore
const SWITCHED_BY: Record<Of<'task-switch'>['source'], string> = { call: 'CALL', iret: 'IRET', jump: 'JMP', gate: 'a task gate in the IDT' }; // prettier-ignore
const TABLES: Record<Of<'descriptor-table'>['register'], string> = { gdtr: 'GDTR', idtr: 'IDTR', ldtr: 'LDTR', tr: 'TR' }; // prettier-ignore
/** SDM vol. 3C 27.8. */
const ENTRY: Record<Of<'entry-failure'>['what'], string> = {
  'guest-state': 'a field of the guest state breaks a rule', 'msr-loading': 'an MSR of the list to be loaded was refused', invalid: 'a field of the control block breaks a rule',
}; // prettier-ignore

const PLAIN = {};
const MSR: Rows<Of<'msr-read'>, 'reason'> = { msr: (number) => `MSR: ${named(number, msrName(number) ?? 'without a name here')}` }; // prettier-ignore

/** What the processor said: a row a reason, an entry a field. */
const CAUSES: { readonly [R in Reason]: Rows<Of<R>, 'reason'> } = {
  cpuid: PLAIN, hlt: PLAIN, invd: PLAIN, wbinvd: PLAIN, rdtsc: PLAIN, rdtscp: PLAIN, rdpmc: PLAIN, pause: PLAIN, rsm: PLAIN,
  monitor: PLAIN, mwait: PLAIN, xsetbv: PLAIN, xsaves: PLAIN, rdrand: PLAIN, rdseed: PLAIN, invpcid: PLAIN, iret: PLAIN, pushf: PLAIN,
  popf: PLAIN, int: PLAIN, int1: PLAIN, nmi: PLAIN, init: PLAIN, 'interrupt-window': PLAIN, 'nmi-window': PLAIN,
  'preemption-timer': PLAIN, 'monitor-trap': PLAIN, 'tpr-below': PLAIN, 'triple-fault': PLAIN,
  exception: { event: (event, _, words) => linesOf(EVENT, event, words) },
  'external-interrupt': { vector: (value) => `${vector(value)}, acknowledged at the interrupt controller` },
  sipi: { vector: (value) => `start-up vector: ${shortHex(value)}: begins at gp:${shortHex(value << 12)}` },
  'task-switch': {
    selector: (selector) => ['selector of the new TSS:', ...indent(selectorBits(selector).slice(2))],
    source: (source) => `caused by: ${SWITCHED_BY[source]}`,
    errorCode: (code) => `error code: ${shortHex(code)}, which the new task finds on its stack`,
    length: (length) => `instruction: ${byteCount(length)} long`,
  },
  invlpg: { gva: (gva, _, { place }) => `address whose translation is to be forgotten: ${place(gva)}` },
  io: {
    port: (port) => `I/O port: ${named(port, portName(port) ?? 'of a PCI device, or of nobody')}`,
    bytes: (count) => `size: ${byteCount(count)}`,
    write: (write) => `direction: ${yes(write, 'OUT, from the guest to the device', 'IN, from the device to the guest')}`,
    string: (string) => `string instruction: ${yes(string, 'yes, INS or OUTS', 'no')}`,
    rep: (rep) => `repeated (REP): ${yes(rep, 'yes, RCX times', 'no')}`,
    immediate: (immediate) => `port number: ${yes(immediate, 'in the instruction', 'in DX')}`,
    gva: (gva, _, { place }) => `memory operand: ${place(gva)}`,
  },
  'msr-read': MSR,
  'msr-write': MSR,
  'cr-access': {
    register: (register) => `control register: CR${register}`,
    access: (access) => `access: ${CR_ACCESS[access]}`,
    gpr: (gpr, { access }) => (access === 'clts' ? [] : `general register: ${gprName(gpr)}`),
    value: (value, { access }) => (access === 'read' || access === 'clts' ? [] : `value: ${shortHex(value)}`),
    gva: (gva, _, { place }) => `memory operand: ${place(gva)}`,
  },
  'dr-access': {
    register: (register) => `debug register: DR${register}`,
    write: (write) => `access: ${yes(write, 'MOV to the register', 'MOV from the register')}`,
    gpr: (gpr) => `general register: ${gprName(gpr)}`,
  },
  'descriptor-table': {
    register: (register) => `register: ${TABLES[register]}`,
    store: (store) => `access: ${yes(store, 'it is stored', 'it is loaded')}`,
  },
  'nested-fault': {
    access: (access) => `access: ${access}`,
    gpa: (gpa) => `refused at: gp:${shortHex(gpa)}`,
    gva: (gva, _, { place }) => `for: ${place(gva)}`,
    table: (table) => `reached: ${yes(table, 'while the guest’s own tables were walked', 'with the address that the guest’s tables gave')}`,
    allowed: (allowed) => `the entries allow: ${(['read', 'write', 'execute'] as const).filter((each) => allowed[each]).join(', ') || 'nothing: one is not present'}`,
    misconfigured: (misconfigured) => `entries: ${yes(misconfigured, 'one has bits that no processor understands', 'well formed')}`,
    user: (user) => `on behalf of: ${yes(user, 'user mode', 'supervisor mode')}`,
  },
  virtualization: { mnemonic: (mnemonic) => `instruction: ${mnemonic.toUpperCase()}` },
  'call-out': { mnemonic: (mnemonic) => `instruction to be done for the guest: ${mnemonic.toUpperCase()}` },
  'apic-access': {
    offset: (offset) => `APIC register: ${named(offset, apicRegister(offset))}`,
    access: (access) => `access: ${access === 'table' ? 'a walk of the guest’s page tables' : access}`,
  },
  'apic-write': { offset: (offset) => `APIC register: ${named(offset, apicRegister(offset))}` },
  'virtualized-eoi': { vector },
  'entry-failure': {
    what: (what) => `refused because: ${ENTRY[what]}`,
    field: (field) => `field: ${field}`,
  },
}; // prettier-ignore

const count = (value: number): string => value.toLocaleString('en-US');

/** What the hypervisor adds. Place, privilege and instruction are in the sentence above. */
const OWN: Rows<VmExit, 'reason' | 'cause' | 'gva' | 'cpl' | 'ported' | 'refusal' | 'mnemonic'> = {
  domain: (domain, _, { domain: name }) => `domain: ${domain}${name === undefined ? '' : ` (${name})`}`,
  vcpu: (vcpu) => `virtual processor: ${vcpu}`,
  at: (at) => `time: ${count(at)} instructions of this guest had retired`,
  address: (gva, _, { place }) => `address: ${place(gva)}`,
  gpa: (gpa) => `guest-physical address: gp:${shortHex(gpa)}`,
  code: (code, _, { technique }) => codeLine(technique, code),
  hypercall: (hypercall, _, { place }) => hypercallLines(hypercall, place),
  hostNs: (ns) => `handled in: ${count(Math.round(ns))} ns of the host`,
};

/** How the vendor's manual numbers it (SDM vol. 3D appendix C, APM vol. 2 appendix C). */
const codeLine = (technique: string, code: number): string =>
  technique === 'vt-x'
    ? `basic exit reason: ${code & 0xffff} (${reasonName(code)}${code & ENTRY_FAILED ? ', the entry failed' : ''})`
    : `EXITCODE: ${hex(code, 1)} (${exitCodeName(BigInt(code))})`;

function linesOf<T extends object>(rows: object, all: T, words: Words): string[] {
  const table = rows as Record<string, (value: unknown, all: T, words: Words) => Said>;
  return Object.entries(table).flatMap(([field, say]) => {
    const value = (all as Record<string, unknown>)[field];
    return value === undefined ? [] : say(value, all, words);
  });
}
const indent = (lines: readonly string[]): string[] => lines.map((line) => `  ${line.trimStart()}`);

export const exitDetails = (exit: VmExit, words: Words): string[] => [
  // How the engine is told of a hypercall is its own affair.
  ...(exit.hypercall ? [] : linesOf(CAUSES[exit.cause.reason], exit.cause, words)),
  ...linesOf(OWN, exit, words),
];
