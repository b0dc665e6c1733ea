/** A virtual processor of a paravirtualised domain: what the hypervisor knows of it besides its registers. Plain data. */
import { FLAT } from './abi';
import type { FramePlace } from './ports';

/** An entry of the table that the guest registered in the place of an IDT. */
export interface TrapInfo {
  cs: number;
  address: bigint;
  dpl: number;
  /** Event delivery is off when the handler is entered. */
  masks: boolean;
}
export interface Callback {
  cs: number;
  address: bigint;
  masks: boolean;
}
export const CALLBACKS = ['event', 'failsafe', 'syscall', 'nmi', 'sysenter', 'syscall32'] as const;
export type CallbackName = (typeof CALLBACKS)[number];

/** SCHEDOP_poll: what it waits for. */
export interface Poll {
  ports: number[];
  /** ns; -1: for ever. */
  deadlineNs: number;
}

export interface VcpuState {
  up: boolean;
  traps: (TrapInfo | null)[];
  callbacks: Partial<Record<CallbackName, Callback>>;
  kernelSs: number;
  kernelSp: bigint;
  /** Frames of the root tables; 0: none. A 32-bit guest has one. */
  kernelRoot: number;
  userRoot: number;
  /** 64-bit guests: on the kernel's root. */
  inKernel: boolean;
  gdt: number[];
  gdtEntries: number;
  ldt: number[];
  ldtBase: bigint;
  ldtEntries: number;
  iopl: number;
  /** Of its programs, below `ioPorts`: a bit that is clear lets them at the port. */
  ioBitmapGva: bigint;
  ioPorts: number;
  info: FramePlace;
  /** ns at which VIRQ_TIMER is raised; -1: not. */
  timerNs: number;
  periodNs: number;
  periodicNs: number;
  poll: Poll | null;
  /** gva where the guest wants its run state, or a copy of its time; 0: nowhere. */
  runstateGva: bigint;
  timeGva: bigint;
}

export const newVcpu = (word: 4 | 8, info: FramePlace): VcpuState => ({
  up: false,
  traps: new Array<TrapInfo | null>(256).fill(null),
  callbacks: {},
  kernelSs: FLAT[word].kernelSs,
  kernelSp: 0n,
  kernelRoot: 0,
  userRoot: 0,
  inKernel: true,
  gdt: [],
  gdtEntries: 0,
  ldt: [],
  ldtBase: 0n,
  ldtEntries: 0,
  iopl: 0,
  ioBitmapGva: 0n,
  ioPorts: 0,
  info,
  timerNs: -1,
  periodNs: 0,
  periodicNs: -1,
  poll: null,
  runstateGva: 0n,
  timeGva: 0n,
});

/** In its kernel, by the registers' level: 64-bit kernels share ring 3 with their programs. */
export const inGuestKernel = (word: 4 | 8, vcpu: VcpuState, cpl: number): boolean =>
  word === 8 ? vcpu.inKernel : cpl < 3;
