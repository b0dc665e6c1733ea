/**
 * Why a guest leaves: what the processor knows at that moment, the same for every vendor and technique. VMX writes it to the
 * VMCS, SVM to the VMCB, a software hypervisor reads it as it is. Numbers and encodings are those of the writers.
 */
import type { Instruction } from '../isa/instruction';

/** An event on its way in. Plain data: a snapshot may hold one. */
export interface PendingEvent {
  vector: number;
  /** `fault` and `trap` are exceptions; `int`, `int3`, `into` obey the gate's DPL, `int1` does not. */
  kind: 'fault' | 'trap' | 'interrupt' | 'nmi' | 'int' | 'int1' | 'int3' | 'into';
  errorCode?: number;
  /** CR2 of a page fault. */
  address?: bigint;
  /** What DR6 will say of a debug exception. Undefined of one that a hypervisor injects: it changes no debug register (SDM vol. 3C 27.6.1.1). */
  conditions?: number;
  /** RIP to push. */
  returnRip: bigint;
  /** The event whose delivery raised this one. */
  during?: PendingEvent;
}

/** Instructions that leave with nothing to say but their name. */
export const PLAIN_EXITS = [
  'cpuid', 'hlt', 'invd', 'wbinvd', 'rdtsc', 'rdtscp', 'rdpmc', 'pause', 'rsm', 'monitor', 'mwait', 'xsetbv', 'xsaves',
  'rdrand', 'rdseed', 'invpcid', 'iret', 'pushf', 'popf', 'int', 'int1',
] as const; // prettier-ignore
export type PlainExit = (typeof PLAIN_EXITS)[number];

export type ExitCause =
  | { reason: PlainExit }
  /** Before delivery: a fault, a trap or a software interrupt; a page fault has set no CR2. */
  | { reason: 'exception'; event: PendingEvent }
  /** `vector` where the exit acknowledged the interrupt. */
  | { reason: 'external-interrupt'; vector?: number }
  | { reason: 'nmi' | 'init' | 'interrupt-window' | 'nmi-window' | 'preemption-timer' | 'monitor-trap' | 'tpr-below' | 'triple-fault' }
  | { reason: 'sipi'; vector: number }
  /** `length` of the instruction that switches, but for gates. */
  | { reason: 'task-switch'; selector: number; source: 'call' | 'iret' | 'jump' | 'gate'; errorCode?: number; length?: number }
  | { reason: 'invlpg'; gva: bigint }
  /** `bytes` of one access; string forms name the linear address that they read or write. */
  | { reason: 'io'; port: number; bytes: 1 | 2 | 4; write: boolean; string: boolean; rep: boolean; immediate: boolean; gva?: bigint }
  | { reason: 'msr-read' | 'msr-write'; msr: number }
  /** `gpr` by encoding number; LMSW has its source in `value`, and `gva` where that is in memory. */
  | { reason: 'cr-access'; register: number; access: 'write' | 'read' | 'clts' | 'lmsw' | 'smsw'; gpr: number; value: bigint; gva?: bigint }
  | { reason: 'dr-access'; register: number; write: boolean; gpr: number }
  | { reason: 'descriptor-table'; register: 'gdtr' | 'idtr' | 'ldtr' | 'tr'; store: boolean }
  /** The second stage refused. `gva`: the access it was for, unless it was for a paging structure (`table`). */
  | {
      reason: 'nested-fault';
      access: 'read' | 'write' | 'execute';
      gpa: number;
      gva?: bigint;
      table: boolean;
      /** Of the entries met: AND of their rights; all false where one was not present. */
      allowed: { read: boolean; write: boolean; execute: boolean };
      /** An entry that no processor understands: EPT misconfiguration, NPT reserved bits. */
      misconfigured: boolean;
      user: boolean;
    }
  /** Virtualisation instructions themselves, by mnemonic: VMCALL, VMLAUNCH, VMRUN, INVEPT... */
  | { reason: 'virtualization'; mnemonic: string }
  /** Translated code asks the hypervisor to do an instruction for it. */
  | { reason: 'call-out'; mnemonic: string }
  /** `table`: a walk of the guest's paging structures, or of its PDPTEs. */
  | { reason: 'apic-access'; offset: number; access: 'read' | 'write' | 'execute' | 'table' }
  /** Behind a write that was virtualised. */
  | { reason: 'apic-write'; offset: number }
  /** Behind an end of interrupt that was virtualised, of a vector that its hypervisor asked for. */
  | { reason: 'virtualized-eoi'; vector: number }
  /** Entry was refused after the guest state was looked at. `field` in the manual's words. */
  | { reason: 'entry-failure'; what: 'guest-state' | 'msr-loading' | 'invalid'; field: string }; // prettier-ignore
export type ExitReason = ExitCause['reason'];

/** What stops an instruction in its middle: thrown by meanings and memory, caught by the run loop. */
export abstract class Interruption {}

/** Leaving the guest, on its way to whoever watches over the processor. */
export class GuestExit extends Interruption {
  /** The event whose delivery was interrupted. */
  during?: PendingEvent;
  constructor(
    readonly cause: ExitCause,
    /** The instruction that left, where one did. */
    readonly instruction?: Instruction,
  ) {
    super();
  }
}
