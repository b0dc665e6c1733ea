/**
 * One processor: its registers, its MMU, and the parts that act on them. What is here is only what joins them; each
 * topic has its own file. Implements what plain meanings see (ports.ts).
 */
import { CONTEXT, GIVE_WAY, SYSTEM_ADDRESS } from '../execution/layout';
import type { TrapEvent } from '../machine/api';
import { Mmu } from '../mmu/access';
import type { PhysicalMemory } from '../mmu/physical-memory';
import { SaidOnce } from '../util/said-once';
import { CR0, RFLAGS } from '../x86/registers';
import { AddressRules } from './address-rules';
import * as control from './control';
import { cpuid } from './cpuid';
import { DebugRegisters } from './debug-registers';
import { deliver } from './events';
import type { Delivery } from './events';
import type { PendingEvent } from './exit-cause';
import * as far from './far-transfer';
import { linearAddress } from './linear';
import * as mode from './mode';
import { hypervises, makeModel, type Model } from './models';
import { readMsr, writeMsr } from './msr';
import { eventOf } from './ports';
import type { Access, Bus, GuestFault, InterruptSource, Overseer, Processor } from './ports';
import { resetState } from './reset';
import * as segments from './segments';
import { setStackPointer, Stack } from './stack';
import { CpuState } from './state';
import { HostedSvm } from './svm-unit';
import { HostedVmx } from './vmx-unit';

type Bytes = 1 | 2 | 4 | 8;
type Size = 16 | 32 | 64;

export interface CpuOptions {
  memory: WebAssembly.Memory;
  physical: PhysicalMemory;
  bus: Bus;
  interrupts: InterruptSource;
  /** Retired instructions and skipped idle time. */
  ticks: () => bigint;
  model?: Model;
  /** Local APIC identifier, which is the processor's number too, and how many there are in all. The first is current. */
  apicId?: number;
  processors?: number;
  unsupported?: (what: string) => void;
  /** Its place among all that share the linear memory, where that is not its APIC's number. 0 is current. */
  number?: number;
}

/** Plain data. `state`: see CpuState.save. */
export interface SavedCpu {
  state: Uint8Array;
  held?: PendingEvent;
}

export class Cpu implements Processor {
  readonly state: CpuState;
  readonly mmu: Mmu;
  readonly bus: Bus;
  readonly interrupts: InterruptSource;
  readonly debug: DebugRegisters;
  readonly model: Model;
  readonly vmx?: HostedVmx;
  readonly svm?: HostedSvm;
  readonly apicId: number;
  /** Its place among all processors that share a linear memory. */
  readonly number: number;
  readonly processors: number;
  readonly ticks: () => bigint;
  /** Asked before each delivery; true holds the event back. Set only while a filter exists. */
  onEvent?: (event: TrapEvent) => boolean;
  /** Held back by onEvent: the step loop goes on with it. Part of the state. */
  heldEvent?: PendingEvent;
  /** PAUSE was executed while another one could run; somebody has to look as soon as the instruction is done. */
  onPause?: () => void;
  attention?: () => void;
  /** A triple fault: the processor is shut down. */
  onTripleFault?: (event: TrapEvent) => void;
  /** Whoever owns the processor while a guest runs on it. Set by `oversee`. */
  overseer?: Overseer;
  /**
   * Whether a single step traps after the instruction, where that is not as TF was when it began: INT n clears TF without a trap
   * for itself (SDM vol. 3B section 17.3.1.4); SYSCALL and SYSRET go by the TF that they leave. The step loop resets it.
   */
  stepTrap: boolean | undefined = undefined;

  private readonly reported: SaidOnce;
  private readonly rules: AddressRules;

  constructor(options: CpuOptions) {
    this.apicId = options.apicId ?? 0;
    this.processors = options.processors ?? 1;
    this.number = options.number ?? this.apicId;
    const alone = options.number === undefined && this.processors === 1;
    this.state = new CpuState(options.memory, alone ? undefined : this.number);
    this.bus = options.bus;
    this.interrupts = options.interrupts;
    this.model = options.model ?? makeModel();
    const guests = options.number === undefined && hypervises(this.model) ? this.processors + this.number : undefined;
    this.mmu = new Mmu(options.memory, options.physical, options.bus, this.number, guests);
    this.debug = new DebugRegisters(this);
    this.rules = new AddressRules(this.state, this.mmu, this.model, () => this.askedBefore);
    if (this.model.has('vmx')) this.vmx = new HostedVmx(this);
    if (this.model.has('svm')) this.svm = new HostedSvm(this);
    this.ticks = options.ticks;
    this.reported = new SaidOnce(options.unsupported ?? (() => {}));
    this.reset();
  }

  /** Power-up, or INIT, which keeps what the manual says (SDM vol. 3A table 9-1). */
  reset(kind: 'power' | 'init' = 'power'): void {
    resetState(this, kind);
    this.heldEvent = undefined;
    this.leaveGuest();
    this.refresh();
  }
  save(): SavedCpu {
    return { state: this.state.save(), ...(this.heldEvent ? { held: { ...this.heldEvent } } : {}) };
  }
  restore(saved: SavedCpu): void {
    this.state.restore(saved.state);
    this.heldEvent = saved.held ? { ...saved.held } : undefined;
    this.leaveGuest();
    this.vmx?.recover();
    this.svm?.recover();
    this.refresh();
  }
  /** No guest of a hypervisor that runs on this processor is on it. */
  leaveGuest(): void {
    if (!this.vmx && !this.svm) return;
    this.overseer = undefined;
    this.mmu.walker.second = null;
    this.mmu.tlb = this.mmu.tlbs.own;
    this.mmu.tlbs.flush();
  }
  /** After registers were changed from outside: nothing cached about them holds, unless the TLB is said to. */
  refresh(tlbHolds = false): void {
    if (tlbHolds) this.rules.recompute();
    else this.pagingChanged();
    this.modeChanged();
    this.debug.loaded();
  }

  // --- Modes

  get protected(): boolean {
    return mode.isProtected(this.state);
  }
  get real(): boolean {
    return mode.isReal(this.state);
  }
  get virtual8086(): boolean {
    return mode.isVirtual8086(this.state);
  }
  get ia32e(): boolean {
    return mode.isIa32e(this.state);
  }
  get long(): boolean {
    return mode.isLong(this.state);
  }
  get paging(): boolean {
    return (this.state.system32('cr0') & CR0.PG) !== 0;
  }

  /** From now on, or no longer, somebody owns the processor. Its guest's registers have been loaded, or are about to be. */
  oversee(overseer: Overseer | undefined): void {
    this.overseer = overseer;
    this.modeChanged();
  }

  private get askedBefore(): number {
    const { overseer } = this;
    if (!overseer?.asks) return 0;
    return mode.ASKS.rows | (overseer.sparesSpinning ? mode.ASKS.sparingly : 0);
  }
  modeChanged(): void {
    this.rules.modeChanged();
  }
  /** The address space or its rules changed: translations are void, but a load of CR3 leaves those of global pages. */
  pagingChanged(scope: 'all' | 'non-global' = 'all'): void {
    this.rules.recompute();
    this.flushTlb(scope);
  }
  flushTlb(scope: 'all' | 'non-global' | bigint): void {
    this.mmu.tlb.forget(scope);
  }

  // --- Memory

  linear(segment: number, offset: bigint, bytes: number, access: Access): bigint {
    return linearAddress(this, segment, offset, bytes, access);
  }
  read(gva: bigint, bytes: Bytes, system = false): bigint {
    return this.mmu.read(gva, bytes, system ? CONTEXT.supervisor : this.mmu.context);
  }
  write(gva: bigint, bytes: Bytes, value: bigint, system = false): void {
    this.mmu.write(gva, bytes, value, system ? CONTEXT.supervisor : this.mmu.context);
  }
  probeWrite(gva: bigint, bytes: number, system = false): void {
    this.mmu.probe(gva, bytes, true, system ? CONTEXT.supervisor : this.mmu.context);
  }
  push(value: bigint, bytes: 2 | 4 | 8): void {
    const stack = Stack.current(this);
    stack.push(value, bytes);
    stack.commit();
  }
  pop(bytes: 2 | 4 | 8): bigint {
    const stack = Stack.current(this);
    const value = stack.pop(bytes);
    stack.commit();
    return value;
  }
  peek(offset: number, bytes: 2 | 4 | 8): bigint {
    return Stack.current(this).peek(offset, bytes);
  }
  release(bytes: number): void {
    const stack = Stack.current(this);
    setStackPointer(this, stack.size, stack.pointer + BigInt(bytes));
  }

  // --- Events

  /** Delivers a fault or trap at the current RIP. */
  raise(fault: GuestFault): Delivery {
    return deliver(this, eventOf(fault, this.state.rip));
  }
  /** Delivers an interrupt that arrived between two instructions. */
  interrupt(vector: number, kind: 'interrupt' | 'nmi' = 'interrupt'): Delivery {
    return deliver(this, { vector, kind, returnRip: this.state.rip });
  }
  softwareInterrupt(vector: number, kind: 'int' | 'int1' | 'int3' | 'into', returnRip: bigint): void {
    this.stepTrap = false;
    deliver(this, { vector, kind, returnRip });
  }
  shutDown(event: TrapEvent): void {
    this.state.setSystem('activity', 2n);
    this.onTripleFault?.(event);
  }
  inhibitInterrupts(by: 'sti' | 'mov-ss' = 'sti'): void {
    const { interruptibility } = SYSTEM_ADDRESS;
    this.state.setWord(interruptibility, this.state.word(interruptibility) | (by === 'sti' ? 1 : 2));
  }
  pause(): void {
    if (this.state.word(GIVE_WAY)) this.onPause?.();
  }
  halt(): void {
    this.state.setSystem('activity', 1n);
  }
  unsupported(what: string): void {
    this.reported.say(what);
  }

  // --- Doors to the parts

  loadSegment(index: number, selector: number): void {
    segments.loadSegment(this, index, selector);
  }
  loadLdtr(selector: number): void {
    segments.loadLdtr(this, selector);
  }
  loadTr(selector: number): void {
    segments.loadTr(this, selector);
  }
  visibleDescriptor(selector: number): { low: number; high: number; attributes: number } | undefined {
    return segments.visibleDescriptor(this, selector);
  }
  accessible(selector: number, write: boolean): boolean {
    return segments.accessible(this, selector, write);
  }
  farJump(selector: number, offset: bigint, returnRip: bigint): void {
    far.farJump(this, selector, offset, returnRip);
  }
  farCall(selector: number, offset: bigint, size: Size, returnRip: bigint): void {
    far.farCall(this, selector, offset, size, returnRip);
  }
  farReturn(size: Size, release: number): void {
    far.farReturn(this, size, release);
  }
  interruptReturn(size: Size, returnRip: bigint): void {
    far.interruptReturn(this, size, returnRip);
  }
  loadFlat(code: number, stack: number, cpl: 0 | 3, long: boolean): void {
    far.loadFlat(this, code, stack, cpl, long);
  }
  stepByNewFlags(): void {
    this.stepTrap = (this.state.systemFlags & RFLAGS.TF) !== 0;
  }
  readControl(index: number): bigint {
    const actual = control.readControl(this, index);
    return this.overseer?.readControl?.(index, actual) ?? actual;
  }
  writeControl(index: number, value: bigint): void {
    control.writeControl(this, index, this.overseer?.writeControl?.(index, value) ?? value);
  }
  loadMachineStatus(value: number): void {
    control.loadMachineStatus(this, value);
  }
  clearTaskSwitched(): void {
    control.clearTaskSwitched(this);
  }
  readDebug(index: number): bigint {
    return this.debug.read(index);
  }
  writeDebug(index: number, value: bigint): void {
    this.debug.write(index, value);
  }
  readMsr(msr: number): bigint {
    return readMsr(this, msr);
  }
  writeMsr(msr: number, value: bigint): void {
    writeMsr(this, msr, value);
  }
  cpuid(leaf: number, subleaf: number): readonly [number, number, number, number] {
    return cpuid(this, leaf, subleaf);
  }
  has(feature: string): boolean {
    return this.model.has(feature);
  }
  tsc(): bigint {
    return BigInt.asUintN(64, this.ticks() + this.state.system('tsc_offset'));
  }
  readPort(port: number, bytes: 1 | 2 | 4): number {
    this.debug.touchPort(port, bytes);
    return this.bus.readPort(port, bytes) >>> 0;
  }
  writePort(port: number, bytes: 1 | 2 | 4, value: number): void {
    this.debug.touchPort(port, bytes);
    this.bus.writePort(port, bytes, value);
  }
}
