/**
 * Leaving a guest, whatever the technique: one union for vendors, software and debugger. What the processor knew is
 * ExitCause; here is where and when it was. Fields are what conditions of the `vm-exit` filter see as `exit.…`.
 */
import type { ExitCause, ExitReason } from '../cpu/exit-cause';

export type VmExitReason =
  | ExitReason
  /** A privileged instruction trapped in a deprivileged guest, and has no reason of its own above. */
  | 'privileged-instruction'
  /** The shadow tables had no translation yet, or one with fewer rights than the guest's own tables give. */
  | 'shadow-fault'
  /** A guest wrote to one of its page tables, which are write-protected under shadow paging. */
  | 'page-table-write'
  /** A guest wrote to a page from which its kernel's code was translated. */
  | 'code-write'
  /** The guest touched a device's memory. */
  | 'mmio'
  /** A software technique reflects an event to the guest that is its own: its page fault, its system call. */
  | 'reflected-event'
  /** A paravirtualised guest calls its hypervisor. */
  | 'hypercall';

/** What an argument of a hypercall is, for people; `entry`: of a page table. */
export type ArgumentKind =
  | 'number' | 'gva' | 'pointer' | 'frame' | 'machine-address' | 'flush' | 'command' | 'domain' | 'value' | 'descriptor' | 'entry' | 'time' | 'assist'; // prettier-ignore
export interface HypercallArgument {
  name: string;
  kind: ArgumentKind;
  value: bigint;
  /** As Xen's headers name the value, where they do. */
  named?: string;
}
/** What the first operation of a hypercall is about, where that lies in memory: `entry` of the table `frame` becomes `value`. */
export type HypercallSubject = 'frame' | 'entry' | 'value' | 'target' | 'pfn' | 'port' | 'address';

/** A hypercall: its arguments as the registers have them. `result`: undefined before it is done, and for those that set registers. */
export interface Hypercall {
  number: number;
  name: string;
  args: bigint[];
  /** Which of its operations, where a register says so. */
  command?: string;
  result?: bigint;
  /** What the registers mean, what the first operation in memory is, by name, and what it is about: only while a filter looks. */
  arguments?: HypercallArgument[];
  operation?: string;
  about?: Partial<Record<HypercallSubject, bigint>>;
  /** Of a multicall: what is in it while a filter looks, and what was done, with results, when it is done. */
  batch?: Hypercall[];
  refusal?: string;
}

export interface VmExit {
  reason: VmExitReason;
  /** What the processor said. */
  cause: ExitCause;
  domain: number;
  /** Virtual processor, within the domain. */
  vcpu: number;
  /** Linear address of the instruction. */
  gva: bigint;
  cpl: number;
  /** In the kernel of a guest that knows its hypervisor, in a ring that is a program's elsewhere. */
  ported?: true;
  /** Instructions that the domain had retired. */
  at: number;
  mnemonic?: string;
  /** Address that was accessed, and what it is in guest-physical memory. */
  address?: bigint;
  gpa?: number;
  /** The vendor's number of the reason, where there is a vendor. */
  code?: number;
  hypercall?: Hypercall;
  /** Why what the guest asked for was refused. */
  refusal?: string;
  /** What the hypervisor took to handle it, in ns of the host; absent without a clock. */
  hostNs?: number;
}

/** A sensitive instruction that did not trap, in a guest kernel that believes itself in ring 0. */
export interface SilentHole {
  mnemonic: string;
  domain: number;
  vcpu: number;
  /** Linear address. */
  gva: bigint;
  /** Instructions that the domain had retired. */
  at: number;
  /** One sentence: what it saw or did, and what a real ring 0 would have seen or done. */
  difference: string;
}
