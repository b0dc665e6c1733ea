/** What a VMCS says of an exit: reason, qualification and the rest (SDM vol. 3C 28.2, appendix C). */
import { VECTOR } from '../x86/registers';
import { ENTRY_FAILED, INTERRUPTION, REASON } from '../x86/vmcs';
import type { Instruction } from '../isa/instruction';
import type { ExitCause, PendingEvent, PlainExit } from './exit-cause';
import type { Cpu } from './cpu';
import type { GuestExit } from './ports';
import type { Vmcs } from './vmcs-region';
import { displacementOf, operandInfo, randomInfo, stringInfo, tableInfo } from './vmx-instruction-info';

/** Undefined: only AMD-V has it. */
const PLAIN: Readonly<Record<PlainExit, number | undefined>> = {
  cpuid: REASON.CPUID, hlt: REASON.HLT, invd: REASON.INVD, wbinvd: REASON.WBINVD, rdtsc: REASON.RDTSC, rdtscp: REASON.RDTSCP,
  rdpmc: REASON.RDPMC, pause: REASON.PAUSE, rsm: REASON.RSM, monitor: REASON.MONITOR, mwait: REASON.MWAIT,
  xsetbv: REASON.XSETBV, xsaves: REASON.XSAVES, rdrand: REASON.RDRAND, rdseed: REASON.RDSEED, invpcid: REASON.INVPCID,
  iret: undefined, pushf: undefined, popf: undefined, int: undefined, int1: undefined,
}; // prettier-ignore
const VIRTUALIZATION: Readonly<Record<string, number>> = {
  vmcall: REASON.VMCALL, vmclear: REASON.VMCLEAR, vmlaunch: REASON.VMLAUNCH, vmptrld: REASON.VMPTRLD, vmptrst: REASON.VMPTRST,
  vmread: REASON.VMREAD, vmresume: REASON.VMRESUME, vmwrite: REASON.VMWRITE, vmxoff: REASON.VMXOFF, vmxon: REASON.VMXON,
  invept: REASON.INVEPT, invvpid: REASON.INVVPID, vmfunc: REASON.VMFUNC,
}; // prettier-ignore
/** Their operands are told (28.2.5). */
const WITH_OPERANDS: readonly (PlainExit | 'virtualization')[] = ['xsaves', 'invpcid', 'virtualization'];
const SOURCES = { call: 0, iret: 1, jump: 2, gate: 3 } as const;
/** B0 to B3, BD, BS. */
const DEBUG_CONDITIONS = 0x600f;
const CONTROL_ACCESSES = { write: 0, read: 1, clts: 2, lmsw: 3 } as const;
type ControlAccess = Extract<ExitCause, { reason: 'cr-access' }>;
const ACCESSES = { read: 0, write: 1, execute: 2 } as const;

interface Encoded {
  reason: number;
  qualification?: bigint;
  info?: number;
}
/** Undefined: no exit of VT-x has this cause. */
function encode({ cause, instruction, during }: GuestExit): Encoded | undefined {
  switch (cause.reason) {
    case 'exception': {
      const { vector, address = 0n } = cause.event;
      return { reason: REASON.EXCEPTION, qualification: vector === VECTOR.PF ? address : 0n };
    }
    case 'external-interrupt':
      return { reason: REASON.EXTERNAL_INTERRUPT };
    case 'nmi':
      return { reason: REASON.EXCEPTION };
    case 'init':
      return { reason: REASON.INIT };
    case 'sipi':
      return { reason: REASON.SIPI, qualification: BigInt(cause.vector) };
    case 'interrupt-window':
      return { reason: REASON.INTERRUPT_WINDOW };
    case 'nmi-window':
      return { reason: REASON.NMI_WINDOW };
    case 'preemption-timer':
      return { reason: REASON.PREEMPTION_TIMER };
    case 'monitor-trap':
      return { reason: REASON.MONITOR_TRAP };
    case 'tpr-below':
      return { reason: REASON.TPR_BELOW };
    case 'triple-fault':
      return { reason: REASON.TRIPLE_FAULT };
    case 'task-switch':
      return { reason: REASON.TASK_SWITCH, qualification: BigInt(cause.selector) | (BigInt(SOURCES[cause.source]) << 30n) };
    case 'invlpg':
      return { reason: REASON.INVLPG, qualification: cause.gva };
    case 'io':
      return { reason: REASON.IO, qualification: ioQualification(cause), info: instruction && stringInfo(instruction) };
    case 'msr-read':
      return { reason: REASON.RDMSR };
    case 'msr-write':
      return { reason: REASON.WRMSR };
    case 'cr-access':
      // Reads of CR0 see its shadow.
      return cause.access === 'smsw' ? undefined : controlAccess(cause, cause.access);
    case 'dr-access':
      return { reason: REASON.MOV_DR, qualification: BigInt(cause.register | (cause.write ? 0 : 1 << 4) | (cause.gpr << 8)) };
    case 'descriptor-table': {
      const table = cause.register === 'gdtr' || cause.register === 'idtr';
      const which = (cause.register === 'gdtr' || cause.register === 'ldtr' ? 0 : 1) | (cause.store ? 0 : 2);
      const info = instruction && tableInfo(instruction, which);
      return { reason: table ? REASON.GDTR_IDTR : REASON.LDTR_TR, info, qualification: instruction && displacementOf(instruction) };
    }
    case 'nested-fault': {
      if (cause.misconfigured) return { reason: REASON.EPT_MISCONFIGURATION };
      const { read, write, execute } = cause.allowed;
      const allowed = (read ? 8 : 0) | (write ? 16 : 0) | (execute ? 32 : 0);
      // No linear address goes with a load of PDPTEs (table 28-7).
      const linear = cause.gva === undefined ? 0 : (1 << 7) | (cause.table ? 0 : 1 << 8);
      // Where EPT has dirty flags, a walk of the guest's tables both reads and writes.
      const access = cause.table && cause.access === 'write' ? 3 : 1 << ACCESSES[cause.access];
      return { reason: REASON.EPT_VIOLATION, qualification: BigInt(access | allowed | linear) };
    }
    case 'virtualization': {
      const reason = VIRTUALIZATION[cause.mnemonic];
      return reason === undefined ? undefined : { reason, ...operandsOf(instruction) };
    }
    case 'call-out':
      return undefined;
    case 'apic-access':
      return { reason: REASON.APIC_ACCESS, qualification: apicQualification(cause, during !== undefined) };
    case 'apic-write':
      return { reason: REASON.APIC_WRITE, qualification: BigInt(cause.offset) };
    case 'virtualized-eoi':
      return { reason: REASON.VIRTUALIZED_EOI, qualification: BigInt(cause.vector) };
    case 'entry-failure':
      return { reason: ENTRY_FAILED | (cause.what === 'msr-loading' ? REASON.ENTRY_MSR_LOADING : REASON.ENTRY_GUEST_STATE) };
    default: {
      const reason = PLAIN[cause.reason];
      if (reason === undefined) return undefined;
      if (cause.reason === 'rdrand' || cause.reason === 'rdseed') return { reason, info: instruction && randomInfo(instruction) };
      return WITH_OPERANDS.includes(cause.reason) ? { reason, ...operandsOf(instruction) } : { reason };
    }
  }
} // prettier-ignore
const operandsOf = (instruction: Instruction | undefined): Partial<Encoded> =>
  instruction ? { info: operandInfo(instruction), qualification: displacementOf(instruction) } : {};

/** Table 28-6: of linear addresses by what was done, or in the delivery of an event; of guest-physical ones the latter alone. */
function apicQualification({ offset, access }: Extract<ExitCause, { reason: 'apic-access' }>, delivering: boolean): bigint {
  const type = access === 'table' ? (delivering ? 10 : 15) : delivering ? 3 : ACCESSES[access];
  return BigInt(offset | (type << 12));
} // prettier-ignore

/** Table 28-5. */
function ioQualification({ port, bytes, write, string, rep, immediate }: Extract<ExitCause, { reason: 'io' }>): bigint {
  const bits = (bytes - 1) | (write ? 0 : 8) | (string ? 16 : 0) | (rep ? 32 : 0) | (immediate ? 64 : 0);
  return (BigInt(port) << 16n) | BigInt(bits);
}
/** Table 28-3. */
function controlAccess({ register, gpr, value, gva }: ControlAccess, access: keyof typeof CONTROL_ACCESSES): Encoded {
  const source = access === 'lmsw' ? (value & 0xffffn) << 16n : 0n;
  const memory = gva === undefined ? 0 : 1 << 6;
  return { reason: REASON.CR_ACCESS, qualification: BigInt(register | (CONTROL_ACCESSES[access] << 4) | memory | (gpr << 8)) | source };
} // prettier-ignore

/** Interruption information of an event (tables 25-17 and 25-18). */
export function interruption({ vector, kind, errorCode }: PendingEvent): number {
  const types = {
    interrupt: INTERRUPTION.EXTERNAL, nmi: INTERRUPTION.NMI, fault: INTERRUPTION.HARDWARE, trap: INTERRUPTION.HARDWARE,
    int: INTERRUPTION.SOFTWARE, int1: INTERRUPTION.PRIVILEGED, int3: INTERRUPTION.SOFTWARE_EXCEPTION, into: INTERRUPTION.SOFTWARE_EXCEPTION,
  } as const; // prettier-ignore
  return vector | (types[kind] << 8) | (errorCode === undefined ? 0 : INTERRUPTION.ERROR_VALID) | INTERRUPTION.VALID;
}

/** Fills the exit-information fields. False: VT-x has no such exit. */
export function writeExit(vmcs: Vmcs, exit: GuestExit, { state }: Cpu): boolean {
  const { cause, instruction, during } = exit;
  const encoded = encode(exit);
  if (!encoded) return false;
  vmcs.write('EXIT_REASON', encoded.reason);
  vmcs.write('EXIT_QUALIFICATION', encoded.qualification ?? 0n);
  vmcs.write('EXIT_INSTRUCTION_INFO', encoded.info ?? 0);
  const event = during ?? (cause.reason === 'exception' ? cause.event : undefined);
  const switching = cause.reason === 'task-switch' ? cause.length : undefined;
  const length = instruction?.length ?? switching ?? (event ? lengthOf(event, state.rip) : 0);
  vmcs.write('EXIT_INSTRUCTION_LENGTH', length);
  vmcs.write('EXIT_INTERRUPTION', 0);
  if (cause.reason === 'exception') {
    vmcs.write('EXIT_INTERRUPTION', interruption(cause.event));
    vmcs.write('EXIT_ERROR_CODE', cause.event.errorCode ?? 0);
    // Table 28-1: as DR6 would say it, which says nothing yet.
    if (cause.event.vector === VECTOR.DB)
      vmcs.write('EXIT_QUALIFICATION', (cause.event.conditions ?? 0) & DEBUG_CONDITIONS);
  } else if (cause.reason === 'nmi') {
    vmcs.write('EXIT_INTERRUPTION', interruption({ vector: VECTOR.NMI, kind: 'nmi', returnRip: 0n }));
  } else if (cause.reason === 'external-interrupt' && cause.vector !== undefined) {
    vmcs.write('EXIT_INTERRUPTION', interruption({ vector: cause.vector, kind: 'interrupt', returnRip: 0n }));
  }
  vmcs.write('IDT_VECTORING', during ? interruption(during) : 0);
  vmcs.write('IDT_VECTORING_ERROR_CODE', during?.errorCode ?? 0);
  if (cause.reason === 'nested-fault') {
    vmcs.write('GUEST_PHYSICAL_ADDRESS', BigInt(cause.gpa));
    vmcs.write('GUEST_LINEAR_ADDRESS', cause.gva ?? 0n);
  } else if (cause.reason === 'io' || cause.reason === 'cr-access') {
    vmcs.write('GUEST_LINEAR_ADDRESS', cause.gva ?? 0n);
  }
  return true;
}
/** Of INT n, INT1, INT3 and INTO, which return behind themselves. */
const lengthOf = ({ kind, returnRip }: PendingEvent, rip: bigint): number =>
  kind === 'int' || kind === 'int1' || kind === 'int3' || kind === 'into' ? Number((returnRip - rip) & 15n) : 0;
