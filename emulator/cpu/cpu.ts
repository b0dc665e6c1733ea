/**
 * One processor: its registers, its MMU, and the parts that act on them. What is here is only what joins them; each
 * topic has its own file. Implements what plain meanings see (ports.ts).
 */
import * as layout from '../execution/layout';
import { CONTEXT } from '../execution/layout';
import type { TrapEvent } from '../machine/api';
import { Mmu } from '../mmu/access';
import { formatOf } from '../mmu/guest-paging';
import type { PhysicalMemory } from '../mmu/physical-memory';
import { CR0, CR4, EFER, RFLAGS, SEG } from '../x86/registers';
import * as control from './control';
import { cpuid, makeModel } from './cpuid';
import type { Model } from './cpuid';
import { DebugRegisters } from './debug-registers';
import { deliver } from './events';
import type { Delivery, PendingEvent } from './events';
import * as far from './far-transfer';
import { gp, ss } from './faults';
import * as mode from './mode';
import { readMsr, writeMsr } from './msr';
import type { Access, Bus, GuestFault, InterruptSource, Processor } from './ports';
import { resetState } from './reset';
import * as segments from './segments';
import { setStackPointer, Stack } from './stack';
import { CpuState } from './state';
import type { Instruction } from '../isa/instruction';

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
  /** Local APIC identifier, and how many processors there are in all. */
  apicId?: number;
  processors?: number;
  unsupported?: (what: string) => void;
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
  readonly apicId: number;
  readonly processors: number;
  readonly ticks: () => bigint;

  /** Asked before each delivery; true holds the event back. Set only while a filter exists. */
  onEvent?: (event: TrapEvent) => boolean;
  /** Held back by onEvent: deliverHeld() goes on with it. Part of the state. */
  heldEvent?: PendingEvent;
  /** A triple fault: the processor is shut down. */
  onTripleFault?: (event: TrapEvent) => void;
  /** Asked before a row with an `intercept` runs; what it returns ends the instruction. Set while anything intercepts. */
  onIntercept?: (instruction: Instruction) => 'done' | 'jumped' | undefined;

  /** INT n was executed: it clears TF without a trap for itself (SDM vol. 3B section 17.3.1.4). The step loop resets it. */
  vectored = false;

  private readonly report: (what: string) => void;
  private readonly reported = new Set<string>();
  /** Control registers that `mmu.paging` was computed from. */
  private cr0 = -1;
  private cr3 = -1n;
  private cr4 = -1;
  private efer = -1;

  constructor(options: CpuOptions) {
    this.state = new CpuState(options.memory);
    this.bus = options.bus;
    this.interrupts = options.interrupts;
    this.mmu = new Mmu(options.memory, options.physical, options.bus);
    this.debug = new DebugRegisters(this);
    this.model = options.model ?? makeModel();
    this.apicId = options.apicId ?? 0;
    this.processors = options.processors ?? 1;
    this.ticks = options.ticks;
    this.report = options.unsupported ?? (() => {});
    this.reset();
  }

  /** Power-up, or INIT, which keeps what the manual says (SDM vol. 3A table 9-1). */
  reset(kind: 'power' | 'init' = 'power'): void {
    resetState(this, kind);
    this.heldEvent = undefined;
    this.refresh();
  }
  save(): SavedCpu {
    return { state: this.state.save(), ...(this.heldEvent ? { held: { ...this.heldEvent } } : {}) };
  }
  restore(saved: SavedCpu): void {
    this.state.restore(saved.state);
    this.heldEvent = saved.held ? { ...saved.held } : undefined;
    this.refresh();
  }
  /** After registers were changed from outside: nothing cached about them holds. */
  refresh(): void {
    this.pagingChanged();
    this.modeChanged();
    this.debug.update();
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

  modeChanged(): void {
    const { state, mmu } = this;
    const cr0 = state.system32('cr0');
    const cr4 = state.system32('cr4');
    if (
      cr0 !== this.cr0 ||
      cr4 !== this.cr4 ||
      state.system32('efer') !== this.efer ||
      state.system('cr3') !== this.cr3
    )
      this.recomputePaging();
    const ac = (state.systemFlags & RFLAGS.AC) !== 0;
    if (state.cpl === 3) mmu.context = ac && cr0 & CR0.AM ? CONTEXT.aligned : CONTEXT.user;
    else mmu.context = ac && cr4 & CR4.SMAP ? CONTEXT.supervisorNoSmap : CONTEXT.supervisor;
    mmu.wide = mode.isLong(state);
    state.view.setInt32(layout.TLB_READ, layout.tlbRead(mmu.context), true);
    state.view.setInt32(layout.TLB_WRITE, layout.tlbWrite(mmu.context), true);
    state.view.setInt32(layout.MODE, mode.modeKey(state), true);
  }
  /** The address space or its rules changed: translations are void. */
  pagingChanged(): void {
    this.recomputePaging();
    this.mmu.tlb.flush();
  }
  private recomputePaging(): void {
    const { state } = this;
    const { paging } = this.mmu;
    this.cr0 = state.system32('cr0');
    this.cr3 = state.system('cr3');
    this.cr4 = state.system32('cr4');
    this.efer = state.system32('efer');
    const long = (this.efer & EFER.LMA) !== 0;
    paging.format = formatOf((this.cr0 & CR0.PG) !== 0, (this.cr4 & CR4.PAE) !== 0, long, {
      nxe: (this.efer & EFER.NXE) !== 0,
      pse: (this.cr4 & CR4.PSE) !== 0,
      gigabytePages: this.model.has('pdpe1gb'),
    });
    const pae = paging.format.name === 'PAE';
    paging.root = Number(long ? this.cr3 & 0xf_ffff_ffff_f000n : this.cr3 & (pae ? 0xffff_ffe0n : 0xffff_f000n));
    if (pae) {
      const words = new Int32Array(
        new BigUint64Array(([0, 1, 2, 3] as const).map((i) => state.system(`pdpte${i}`))).buffer,
      );
      paging.pdptes.set(words);
    }
    paging.writeProtect = (this.cr0 & CR0.WP) !== 0;
    paging.smep = (this.cr4 & CR4.SMEP) !== 0;
    paging.smap = (this.cr4 & CR4.SMAP) !== 0;
  }
  flushTlb(scope: 'all' | 'non-global' | bigint): void {
    if (typeof scope === 'bigint')
      this.mmu.tlb.flushPage(Number(BigInt.asIntN(32, scope)), Number(BigInt.asIntN(32, scope >> 32n)));
    else this.mmu.tlb.flush();
  }

  // --- Memory

  linear(segment: number, offset: bigint, bytes: number, access: Access): bigint {
    const { state } = this;
    if (this.long) {
      const base = segment === SEG.FS || segment === SEG.GS ? state.segmentBase(segment) : 0n;
      const gva = BigInt.asUintN(64, base + offset);
      const last = BigInt.asUintN(64, gva + BigInt(bytes > 0 ? bytes - 1 : 0));
      if (!segments.isCanonical(gva) || !segments.isCanonical(last)) throw segment === SEG.SS ? ss() : gp();
      return gva;
    }
    const first = Number(BigInt.asUintN(32, offset));
    const at = layout.SEGMENTS + segment * layout.SEGMENT_SIZE;
    const low = state.view.getUint32(
      at + (access === 'write' ? layout.SEGMENT.WRITE_LOW : layout.SEGMENT.READ_LOW),
      true,
    );
    const high = state.view.getUint32(
      at + (access === 'write' ? layout.SEGMENT.WRITE_HIGH : layout.SEGMENT.READ_HIGH),
      true,
    );
    if (low > high || first < low || first + (bytes > 0 ? bytes - 1 : 0) > high) throw segment === SEG.SS ? ss() : gp();
    return BigInt.asUintN(32, state.segmentBase(segment) + BigInt(first));
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
    const { vector, errorCode, address } = fault;
    return deliver(this, {
      vector,
      kind: fault.trap ? 'trap' : 'fault',
      errorCode,
      address,
      returnRip: this.state.rip,
    });
  }
  /** Delivers an interrupt that arrived between two instructions. */
  interrupt(vector: number, kind: 'interrupt' | 'nmi' = 'interrupt'): Delivery {
    return deliver(this, { vector, kind, returnRip: this.state.rip });
  }
  softwareInterrupt(vector: number, kind: 'int' | 'int1' | 'int3' | 'into', returnRip: bigint): void {
    this.vectored = true;
    deliver(this, { vector, kind, returnRip });
  }
  /** Goes on with the event that onEvent held back. */
  deliverHeld(): Delivery {
    const event = this.heldEvent;
    if (!event) return 'delivered';
    this.heldEvent = undefined;
    return deliver(this, event, true);
  }
  shutDown(event: TrapEvent): void {
    this.state.setSystem('activity', 3n);
    this.onTripleFault?.(event);
  }
  inhibitInterrupts(by: 'sti' | 'mov-ss' = 'sti'): void {
    this.state.setSystem('interruptibility', this.state.system('interruptibility') | (by === 'sti' ? 1n : 2n));
  }
  halt(): void {
    this.state.setSystem('activity', 1n);
  }
  unsupported(what: string): void {
    if (this.reported.has(what)) return;
    this.reported.add(what);
    this.report(what);
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
  readControl(index: number): bigint {
    return control.readControl(this, index);
  }
  writeControl(index: number, value: bigint): void {
    control.writeControl(this, index, value);
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
