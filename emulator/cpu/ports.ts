/**
 * The seams of the processor, as interfaces: what a meaning may ask of the processor, what the processor asks of the
 * board, and who answers virtualisation instructions. This file is the only one below `cpu/` that knows of it.
 */
import type { Instruction } from '../isa/instruction';
import { GuestExit, Interruption } from './exit-cause';
import type { ExitCause, PendingEvent } from './exit-cause';
import type { CpuState } from './state';

export { GuestExit, Interruption };

/** An exception on its way to the guest: a value, thrown by plain meanings and caught by the run loop. */
export class GuestFault extends Interruption {
  constructor(
    readonly vector: number,
    /** Pushed for vectors that have one (SDM vol. 3A table 6-1). */
    readonly errorCode?: number,
    /** CR2 of a page fault. */
    readonly address?: bigint,
    /** A trap is delivered after the instruction: RIP is past it. */
    readonly trap = false,
    /** What DR6 will say of a debug exception. */
    readonly conditions?: number,
  ) {
    super();
  }
}

/** A fault, or a trap behind its instruction, on its way. */
export const eventOf = ({ vector, errorCode, address, trap, conditions }: GuestFault, returnRip: bigint): PendingEvent => ({
  vector, kind: trap ? 'trap' : 'fault', errorCode, address, conditions, returnRip,
}); // prettier-ignore

export type Access = 'read' | 'write' | 'execute';

/** Memory-mapped and port I/O as a processor sees them. Sizes in bytes; values unsigned. */
export interface Bus {
  readPort(port: number, bytes: 1 | 2 | 4): number;
  writePort(port: number, bytes: 1 | 2 | 4, value: number): void;
  readMmio(gpa: number, bytes: 1 | 2 | 4): number;
  writeMmio(gpa: number, bytes: 1 | 2 | 4, value: number): void;
}

/** The interrupt side of the board as one processor sees it: its local APIC, and the 8259 behind LINT0. */
export interface InterruptSource {
  /** A maskable interrupt of deliverable priority is pending. */
  pending(): boolean;
  /** Takes it: the vector. Called only when pending() was true. */
  acknowledge(): number;
  /** What is pending that the take... functions would take; looking changes nothing. */
  signals(): { nmi: boolean; init: boolean; sipi: boolean };
  /** As a write of the local APIC's EOI register. */
  endOfInterrupt(): void;
  /** An NMI is pending; taking it clears it. */
  takeNmi(): boolean;
  takeInit(): boolean;
  /** The page number of a start-up IPI, or -1. */
  takeSipi(): number;
  /** The 8-bit task-priority register; CR8 is its bits 7:4 (SDM vol. 3A section 10.8.6). */
  getTpr(): number;
  setTpr(value: number): void;
  /** IA32_APIC_BASE, IA32_TSC_DEADLINE, and x2APIC registers by MSR number; undefined or false: #GP. */
  readMsr(msr: number): bigint | undefined;
  writeMsr(msr: number, value: bigint): boolean;
}

/**
 * Whoever owns the processor while a guest runs on it: VMX non-root operation, SVM's guest mode, or a hypervisor that
 * deprivileged the guest. Asked at the moments at which a guest can leave; leaves by a GuestExit, thrown or returned.
 */
export interface Overseer {
  /** Rows that have an `intercept` or are `sensitive` ask, also those that are emitted code otherwise. */
  readonly asks: boolean;
  /** Those among them that guests spin on (execution/forms.ts, SPUN_ON) do not leave: they need not ask. */
  readonly sparesSpinning?: boolean;
  /** The guest's kernel runs, and knows its hypervisor: it is in a ring that is a program's elsewhere. */
  readonly inPortedKernel?: boolean;
  /** Before such a row's meaning, when its privilege has been checked. Answers as a meaning does if it did the work itself. */
  instruction(instruction: Instruction): 'done' | 'jumped' | GuestExit | undefined;
  /** Before an event goes through the guest's IDT. */
  event(event: PendingEvent): void;
  /** Before a task switch has changed anything (SDM vol. 3C 26.4.2). */
  taskSwitch?(cause: Extract<ExitCause, { reason: 'task-switch' }>): void;
  /** A virtual interrupt that the guest is to take now: its vector, which is thereby taken. */
  virtualInterrupt?(): number | undefined;
  /** There is one, as soon as the guest is open to it: it wakes who is halted. */
  readonly virtualPending?: boolean;
  /** A triple fault is about to shut the processor down. */
  tripleFault(): void;
  /** Between two instructions, before interrupts are looked at: an exit that is due. */
  due(): GuestExit | undefined;
  /** At most so many instructions before `due` is asked again. */
  patience?(): number;
  /** External interrupts leave the guest, whatever its IF says. */
  readonly takesInterrupts?: boolean;
  /** Whether the guest is open to external interrupts that are its own, where its IF does not say so. */
  readonly interruptsOpen?: boolean;
  /** Who halts leaves by itself: now, and at the latest when time is so many ticks. */
  readonly wakesNow?: boolean;
  readonly wakesAt?: number;
  /** Control registers as the guest reads them, and what a write of it changes: masks and shadows. */
  readControl?(index: number, actual: bigint): bigint;
  writeControl?(index: number, value: bigint): bigint;
  /** Leaves: the guest's state is saved, and the owner goes on. Called by the run loop with what was thrown. */
  leave(exit: GuestExit): void;
}

/** Segment registers with all checks of the current mode (cpu/segments.ts). */
export interface SegmentUnit {
  /** ES, SS, DS, FS, GS. */
  loadSegment(index: number, selector: number): void;
  loadLdtr(selector: number): void;
  loadTr(selector: number): void;
  /** The two words of a descriptor and its attributes (VMX format), if LAR and LSL may see it. */
  visibleDescriptor(selector: number): { low: number; high: number; attributes: number } | undefined;
  /** VERR, VERW. */
  accessible(selector: number, write: boolean): boolean;
}

/** Far transfers in all their forms (cpu/far-transfer.ts). `size`: operand size in bits. RIP and CS are set. */
export interface TransferUnit {
  farJump(selector: number, offset: bigint, returnRip: bigint): void;
  farCall(selector: number, offset: bigint, size: 16 | 32 | 64, returnRip: bigint): void;
  /** `release`: bytes of parameters to drop. */
  farReturn(size: 16 | 32 | 64, release: number): void;
  interruptReturn(size: 16 | 32 | 64, returnRip: bigint): void;
  /** Flat CS and SS as SYSCALL, SYSRET, SYSENTER and SYSEXIT load them, without reading descriptors. */
  loadFlat(code: number, stack: number, cpl: 0 | 3, long: boolean): void;
  /** Whether a single step traps after this instruction is what the flags say that it leaves: SYSCALL, SYSRET. */
  stepByNewFlags(): void;
  /** Raise through the IDT with the stack and privilege changes of the current mode (INT n, INT3, INTO). */
  softwareInterrupt(vector: number, kind: 'int' | 'int1' | 'int3' | 'into', returnRip: bigint): void;
}

/** Control, debug and model-specific registers with their checks (cpu/control.ts, debug-registers.ts, msr.ts). */
export interface ControlUnit {
  readControl(index: number): bigint;
  writeControl(index: number, value: bigint): void;
  loadMachineStatus(value: number): void;
  clearTaskSwitched(): void;
  readDebug(index: number): bigint;
  writeDebug(index: number, value: bigint): void;
  readMsr(msr: number): bigint;
  writeMsr(msr: number, value: bigint): void;
  /** EAX, EBX, ECX, EDX. */
  cpuid(leaf: number, subleaf: number): readonly [number, number, number, number];
  /** CPUID advertises the feature (cpu/cpuid.ts names them). */
  has(feature: string): boolean;
  /** Time-stamp counter as RDTSC shows it. */
  tsc(): bigint;
}

/** Ports, behind I/O breakpoints; the right to use them is checked before the meaning (cpu/dispatch.ts). */
export interface PortUnit {
  readPort(port: number, bytes: 1 | 2 | 4): number;
  writePort(port: number, bytes: 1 | 2 | 4, value: number): void;
}

/** `invalid`: VMfailInvalid; a number: VMfailValid with this VM-instruction error (SDM vol. 3C 31.2). */
export type VmxResult = 'ok' | 'invalid' | number;
/** VT-x as its instructions see it (cpu/vmx-unit.ts). Addresses are physical. */
export interface VmxUnit {
  /** In VMX operation. */
  readonly on: boolean;
  /** VMXON; throws #GP where the manual has it. */
  enable(region: bigint): VmxResult;
  disable(): VmxResult;
  clear(vmcs: bigint): VmxResult;
  load(vmcs: bigint): VmxResult;
  /** VMCALL in root operation. */
  call(): VmxResult;
  /** VMPTRST: all ones where there is none. */
  readonly current: bigint;
  readField(encoding: bigint): { value: bigint } | VmxResult;
  writeField(encoding: bigint, value: bigint): VmxResult;
  /** VMLAUNCH, VMRESUME. 'jumped': the guest runs. */
  enter(kind: 'launch' | 'resume', nextRip: bigint): VmxResult | 'jumped';
  invalidate(kind: 'invept' | 'invvpid', type: bigint, descriptor: readonly [bigint, bigint]): VmxResult;
}
/** AMD-V as its instructions see it (cpu/svm-unit.ts). */
export interface SvmUnit {
  /** EFER.SVME. */
  readonly on: boolean;
  /** VMRUN: the guest runs, or the exit of a refused entry has been taken. */
  run(vmcb: bigint, nextRip: bigint): void;
  load(vmcb: bigint): void;
  save(vmcb: bigint): void;
  /** INVLPGA. */
  forget(gva: bigint, asid: number): void;
  /** STGI, CLGI. */
  setGlobalInterrupts(on: boolean): void;
}

/** What plain meanings see: implemented by cpu/cpu.ts. Addresses of segments are offsets; `gva` is linear. */
export interface Processor extends SegmentUnit, TransferUnit, ControlUnit, PortUnit {
  readonly state: CpuState;
  readonly bus: Bus;
  readonly interrupts: InterruptSource;
  /** Where the processor model has them. */
  readonly vmx?: VmxUnit;
  readonly svm?: SvmUnit;
  /** Time-stamp counter: retired instructions and skipped idle time, before TSC_OFFSET. */
  ticks(): bigint;

  /** Real-address or virtual-8086 mode. */
  readonly real: boolean;
  readonly virtual8086: boolean;
  /** EFER.LMA: 64-bit or compatibility mode. */
  readonly ia32e: boolean;
  /** 64-bit mode. */
  readonly long: boolean;

  /** Offset in a segment to linear address, checked (limit, type, canonical form): #GP(0) or #SS(0). */
  linear(segment: number, offset: bigint, bytes: number, access: Access): bigint;
  /** Linear memory with the rights of the current CPL, or with supervisor rights (`system`: descriptor tables, TSS). */
  read(gva: bigint, bytes: 1 | 2 | 4 | 8, system?: boolean): bigint;
  write(gva: bigint, bytes: 1 | 2 | 4 | 8, value: bigint, system?: boolean): void;
  /** Faults as `write` would, and writes nothing: before a meaning commits anything. */
  probeWrite(gva: bigint, bytes: number, system?: boolean): void;
  /** On the current stack; RSP moves. `peek` leaves it: `offset` bytes above the top. */
  push(value: bigint, bytes: 2 | 4 | 8): void;
  pop(bytes: 2 | 4 | 8): bigint;
  peek(offset: number, bytes: 2 | 4 | 8): bigint;
  release(bytes: number): void;

  /** After a change of CR0, CR3, CR4, EFER, CPL, AC or of a segment: recompute mode, TLB context and block key. */
  modeChanged(): void;
  /** Forget translations: all, all but global, or of one page. */
  flushTlb(scope: 'all' | 'non-global' | bigint): void;

  /** The next instruction must be reached before anything interrupts. MOV SS also holds back debug traps. */
  inhibitInterrupts(by?: 'sti' | 'mov-ss'): void;
  halt(): void;
  /** PAUSE: the rest of its turn is another processor's, if one can use it. */
  pause(): void;
  /** Reported once a machine, by name: what a guest asked for and we lack. */
  unsupported(what: string): void;
}
