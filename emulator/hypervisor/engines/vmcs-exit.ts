/** An exit as the VMCS tells it (SDM vol. 3C 28.2, appendix C): the inverse of cpu/vmx-exit.ts. */
import type { Cpu } from '../../cpu/cpu';
import type { ExitCause, PendingEvent } from '../../cpu/exit-cause';
import { PLAIN_EXITS } from '../../cpu/exit-cause';
import type { Vmcs } from '../../cpu/vmcs-region';
import type { Instruction } from '../../isa/instruction';
import { reasonName } from '../../x86/exit-names';
import { GPR, VECTOR } from '../../x86/registers';
import { INTERRUPTION, REASON } from '../../x86/vmcs';
import { vendorExit } from '../describe';
import type { VmExit } from '../exit';
import type { Guest } from '../guest';

/** `instruction`: for its name alone. */
export function decodeVmcs(vmcs: Vmcs, guest: Guest, cpu: Cpu, instruction: Instruction | undefined): VmExit {
  const code = vmcs.read32('EXIT_REASON');
  return vendorExit(guest, cpu, causeOf(vmcs, cpu, code), code, instruction);
}

const SOURCES = ['call', 'iret', 'jump', 'gate'] as const;
const ACCESSES = ['write', 'read', 'clts', 'lmsw'] as const;
/** Table 28-6; 3: in the delivery of an event, which writes its frame. Others are of guest-physical addresses. */
const APIC_ACCESSES = ['read', 'write', 'execute', 'write'] as const;
const TABLES = [['gdtr', 'idtr'], ['ldtr', 'tr']] as const; // prettier-ignore

function causeOf(vmcs: Vmcs, { state }: Cpu, code: number): ExitCause {
  const wide = vmcs.read('EXIT_QUALIFICATION');
  const q = Number(wide & 0xffff_ffffn);
  const bit = (n: number): boolean => (q & (1 << n)) !== 0;
  const linear = (): { gva: bigint } => ({ gva: vmcs.read('GUEST_LINEAR_ADDRESS') });
  if (code < 0) return { reason: 'entry-failure', what: (code & 0xffff) === REASON.ENTRY_MSR_LOADING ? 'msr-loading' : 'guest-state', field: 'VMCS' };
  switch (code) {
    case REASON.EXCEPTION:
      return exceptionOf(vmcs, wide, state.rip);
    case REASON.EXTERNAL_INTERRUPT:
      return { reason: 'external-interrupt', ...acknowledged(vmcs.read32('EXIT_INTERRUPTION')) };
    case REASON.TRIPLE_FAULT:
      return { reason: 'triple-fault' };
    case REASON.INIT:
      return { reason: 'init' };
    case REASON.SIPI:
      return { reason: 'sipi', vector: q & 0xff };
    case REASON.INTERRUPT_WINDOW:
      return { reason: 'interrupt-window' };
    case REASON.NMI_WINDOW:
      return { reason: 'nmi-window' };
    case REASON.TASK_SWITCH: {
      const source = SOURCES[q >>> 30];
      return { reason: 'task-switch', selector: q & 0xffff, source, ...(source === 'gate' ? {} : { length: vmcs.read32('EXIT_INSTRUCTION_LENGTH') }) };
    }
    case REASON.TPR_BELOW:
      return { reason: 'tpr-below' };
    case REASON.APIC_WRITE:
      return { reason: 'apic-write', offset: q & 0xfff };
    case REASON.VIRTUALIZED_EOI:
      return { reason: 'virtualized-eoi', vector: q & 0xff };
    case REASON.INVLPG:
      return { reason: 'invlpg', gva: wide };
    case REASON.CR_ACCESS: {
      const access = ACCESSES[(q >>> 4) & 3];
      const gpr = (q >>> 8) & 15;
      const value = access === 'lmsw' ? BigInt(q >>> 16) : state.gpr(gpr);
      return { reason: 'cr-access', register: q & 15, access, gpr, value, ...(bit(6) ? linear() : {}) };
    }
    case REASON.MOV_DR:
      return { reason: 'dr-access', register: q & 7, write: !bit(4), gpr: (q >>> 8) & 15 };
    case REASON.IO:
      return {
        reason: 'io',
        port: q >>> 16,
        bytes: ((q & 7) + 1) as 1 | 2 | 4,
        write: !bit(3),
        string: bit(4),
        rep: bit(5),
        immediate: bit(6),
        ...(bit(4) ? linear() : {}),
      };
    case REASON.RDMSR:
    case REASON.WRMSR:
      return { reason: code === REASON.WRMSR ? 'msr-write' : 'msr-read', msr: state.gpr32(GPR.RCX) };
    case REASON.GDTR_IDTR:
    case REASON.LDTR_TR: {
      const which = (vmcs.read32('EXIT_INSTRUCTION_INFO') >>> 28) & 3;
      const register = TABLES[code === REASON.LDTR_TR ? 1 : 0][which & 1];
      return { reason: 'descriptor-table', register, store: which < 2 };
    }
    case REASON.EPT_VIOLATION:
    case REASON.EPT_MISCONFIGURATION:
      return {
        reason: 'nested-fault',
        access: bit(2) ? 'execute' : bit(1) ? 'write' : 'read',
        gpa: Number(vmcs.read('GUEST_PHYSICAL_ADDRESS')),
        ...(bit(7) ? linear() : {}),
        table: code === REASON.EPT_VIOLATION && !bit(8),
        allowed: { read: bit(3), write: bit(4), execute: bit(5) },
        misconfigured: code === REASON.EPT_MISCONFIGURATION,
        user: state.cpl === 3,
      };
    case REASON.PREEMPTION_TIMER:
      return { reason: 'preemption-timer' };
    case REASON.MONITOR_TRAP:
      return { reason: 'monitor-trap' };
    case REASON.APIC_ACCESS:
      return { reason: 'apic-access', offset: q & 0xfff, access: APIC_ACCESSES[(q >>> 12) & 15] ?? 'table' };
    default: {
      const name = reasonName(code).toLowerCase();
      const plain = PLAIN_EXITS.find((each) => each === name);
      return plain ? { reason: plain } : { reason: 'virtualization', mnemonic: name };
    }
  }
} // prettier-ignore

function exceptionOf(vmcs: Vmcs, qualification: bigint, rip: bigint): ExitCause {
  const info = vmcs.read32('EXIT_INTERRUPTION');
  const vector = info & 0xff;
  if (((info >>> 8) & 7) === INTERRUPTION.NMI) return { reason: 'nmi' };
  const type = (info >>> 8) & 7;
  const software = type === INTERRUPTION.PRIVILEGED ? 'int1' : type === INTERRUPTION.SOFTWARE_EXCEPTION ? (vector === VECTOR.OF ? 'into' : 'int3') : undefined;
  if (software) return { reason: 'exception', event: { vector, kind: software, returnRip: rip + vmcs.read('EXIT_INSTRUCTION_LENGTH') } };
  const event: PendingEvent = { vector, kind: 'fault', returnRip: rip };
  if (info & INTERRUPTION.ERROR_VALID) event.errorCode = vmcs.read32('EXIT_ERROR_CODE');
  if (vector === VECTOR.PF) event.address = qualification;
  if (vector === VECTOR.DB) event.conditions = Number(qualification);
  return { reason: 'exception', event };
} // prettier-ignore
/** Where the exit acknowledged the interrupt. */
const acknowledged = (info: number): { vector?: number } => (info < 0 ? { vector: info & 0xff } : {});
