/**
 * What VT-x and AMD-V have in common as techniques: the guest runs in the processor's guest mode, in the rings that it
 * believes itself in, and leaves for what its control block asks for. What needs doing is done by the virtual processor.
 * With nested paging CR3 and the page tables are the guest's own; with shadow paging they are the hypervisor's, and the
 * guest's page faults exit.
 */
import type { Cpu } from '../../cpu/cpu';
import { deliver } from '../../cpu/events';
import type { Delivery } from '../../cpu/events';
import type { PendingEvent } from '../../cpu/exit-cause';
import { GuestExit, GuestFault, Interruption } from '../../cpu/ports';
import type { CpuState } from '../../cpu/state';
import type { Executor } from '../../cpu/step-host';
import type { Vmcb } from '../../cpu/svm-state';
import type { Vmcs } from '../../cpu/vmcs-region';
import { longStretch, SHADOWS, stretch } from '../../cpu/stretch';
import { somethingWaits } from '../../cpu/turns';
import * as layout from '../../execution/layout';
import type { Paging, Stop } from '../../machine/api';
import { PAGE_BYTES } from '../../mmu/physical-memory';
import { assert } from '../../util/assert';
import { CR0, CR4, EFER, MSR, VECTOR } from '../../x86/registers';
import type { VmExit } from '../exit';
import type { Guest } from '../guest';
import type { Host } from '../host';
import type { EngineView, Viewed } from '../inspect/engine-view';
import { NestedPaging } from '../nested-paging';
import type { NestedFormat } from '../nested-paging';
import { ShadowFaults } from '../shadow/faults';
import type { Next } from '../shadow/faults';
import type { ShadowTables } from '../shadow/tables';

/** The vendor's unit in the processor, as far as a hypervisor needs it between entry and exit. */
export interface GuestMode {
  /** The same guest goes on where it was. */
  resume(): void;
  /** An event that the guest is about to take leaves it. */
  exitFor(event: PendingEvent): GuestExit | undefined;
  /** The exit goes into the control block. */
  record(exit: GuestExit): void;
}

/** Registers of which the processor may have the hypervisor's values while the guest runs. */
export const OWN = ['efer', 'cr0', 'cr3', 'cr4', 'pdpte0', 'pdpte1', 'pdpte2', 'pdpte3'] as const;
/** Bases of segments are the guest's own affair: nothing else depends on them. */
export const FREE_MSRS: readonly number[] = [MSR.FS_BASE, MSR.GS_BASE, MSR.KERNEL_GS_BASE];

/** What shadow paging puts in the place of the guest's control registers. */
export interface ShadowRegisters {
  cr0: bigint;
  cr3: bigint;
  cr4: bigint;
  efer: bigint;
}

export abstract class HardwareEngine implements Executor, Viewed {
  /** One of the two. */
  protected readonly nested?: NestedPaging;
  protected readonly shadow?: ShadowFaults;
  /** Of the tables in force, and what the virtual processor had in OWN when they were. */
  private root = -1;
  private entered: readonly bigint[] = [];

  protected constructor(
    protected readonly host: Host,
    protected readonly guest: Guest,
    paging: Paging,
    format: NestedFormat,
  ) {
    if (paging === 'shadow') this.shadow = new ShadowFaults(host, guest);
    else
      this.nested = new NestedPaging(host.physical, guest.physical, guest.frames, format, () => this.forget());
  } // prettier-ignore

  protected abstract readonly mode: GuestMode;
  /** Writes the control block and enters. General, x87 and vector registers are on the processor already. */
  protected abstract enterGuest(cpu: Cpu, tables: ShadowTables | number): void;
  /** What the control block says of the exit. The virtual processor has its registers. */
  protected abstract decode(cpu: Cpu, exit: GuestExit): VmExit;
  /** Nested paging: registers in `state` become what the guest believes, which had `own` before. */
  protected abstract believe(state: CpuState, own: readonly bigint[]): void;

  /** Consecutive frames, filled. */
  protected pages(count: number, fill: number): number {
    const frames = Array.from({ length: count }, () => this.guest.frames.take());
    const [first] = frames;
    assert(first !== undefined && frames.every((frame, i) => frame === first + i), 'new frames are consecutive');
    const { base, data } = this.host.physical;
    data.fill(fill, base + first * PAGE_BYTES, base + (first + count) * PAGE_BYTES);
    return first * PAGE_BYTES;
  }
  protected clearBit(hpa: number, bit: number): void {
    this.host.physical.data[this.host.physical.base + hpa + (bit >>> 3)] &= ~(1 << (bit & 7));
  }

  get view(): EngineView {
    const { shadow, nested } = this;
    const tables = { ...(shadow && { shadow: shadow.paging }), ...(nested && { nested }) };
    return { ...tables, control: (vcpu) => this.control(vcpu) };
  }
  /** The control block of a virtual processor. */
  protected abstract control(vcpu: number): Vmcs | Vmcb;

  // --- Executor

  run(cpu: Cpu, budget: number): Stop | undefined {
    const { generated, processor } = this.host;
    const { state } = cpu;
    // The tables do not follow the gate of address line 20, and shadow tables need protection to be there.
    if (!this.guest.physical.a20 || (this.shadow && !cpu.protected)) {
      this.useVirtual(cpu);
      stretch(generated, cpu, budget);
      return undefined;
    }
    const shadow = state.system('interruptibility') & SHADOWS;
    generated.switchTo(processor);
    this.enter(cpu);
    const thrown = this.runGuest(cpu, shadow && somethingWaits(cpu) ? 1 : budget);
    if (thrown instanceof GuestExit) return this.exit(cpu, thrown);
    processor.overseer = undefined;
    this.settle(cpu);
    // A fault that nobody intercepts is the guest's own.
    if (thrown) throw thrown;
    return undefined;
  }
  private runGuest(cpu: Cpu, budget: number): Interruption | undefined {
    const { generated, processor } = this.host;
    try {
      longStretch(generated, processor, budget, () => somethingWaits(cpu));
      return undefined;
    } catch (thrown) {
      if (!(thrown instanceof Interruption)) throw thrown;
      generated.forgetLink();
      return thrown instanceof GuestFault ? (this.intercepted(thrown) ?? thrown) : thrown;
    }
  }
  private intercepted({ vector, errorCode, address, trap }: GuestFault): GuestExit | undefined {
    const event: PendingEvent = { vector, kind: trap ? 'trap' : 'fault', errorCode, address, returnRip: this.host.processor.state.rip }; // prettier-ignore
    return this.mode.exitFor(event);
  }
  /** The virtual processor goes on itself. The guest changed its tables and flushed another TLB than its. */
  private useVirtual(cpu: Cpu): void {
    this.host.generated.switchTo(cpu);
    cpu.flushTlb('all');
  }
  deliver(cpu: Cpu, event: PendingEvent, asked: boolean): Delivery {
    this.useVirtual(cpu);
    return deliver(cpu, event, asked);
  }
  private forget(): void {
    this.host.inside = undefined;
  }
  reset(): void {
    this.forget();
    this.shadow?.reset();
    this.host.processor.flushTlb('all');
  }
  settle(cpu: Cpu): void {
    if (this.host.inside !== cpu) return;
    const { state } = this.host.processor;
    const own = OWN.map((name) => cpu.state.system(name));
    cpu.state.copyFrom(state, layout.STATE, layout.BUDGET);
    cpu.state.copyFrom(state, layout.SEGMENTS, layout.STATE_END);
    this.giveBack(cpu.state, own);
    cpu.modeChanged();
  }
  private giveBack(state: CpuState, own: readonly bigint[]): void {
    if (this.shadow) OWN.forEach((name, i) => state.setSystem(name, own[i]));
    else this.believe(state, own);
  }

  /** The processor holds what the virtual one holds, by an entry unless it does already. */
  private enter(cpu: Cpu): void {
    const { processor } = this.host;
    const tables = this.shadow?.enter(cpu) ?? this.nested!.hpa;
    const root = typeof tables === 'number' ? tables : tables.hpa;
    if (this.host.inside === cpu && root === this.root && this.same(cpu)) return this.mode.resume();
    this.root = root;
    processor.state.copyFrom(cpu.state);
    this.enterGuest(cpu, tables);
    this.host.inside = cpu;
    this.entered = OWN.map((name) => cpu.state.system(name));
  }
  /** Whether the processor holds the virtual one's registers already, but for those that are the hypervisor's there. */
  private same(cpu: Cpu): boolean {
    if (this.shadow && OWN.some((name, i) => cpu.state.system(name) !== this.entered[i])) return false;
    const { state } = this.host.processor;
    const real = OWN.map((name) => state.system(name));
    this.giveBack(state, this.shadow ? this.entered : OWN.map((name) => cpu.state.system(name)));
    const equal =
      equalBytes(state.bytes, cpu.state.bytes, layout.STATE, layout.BUDGET) &&
      equalBytes(state.bytes, cpu.state.bytes, layout.SEGMENTS, layout.STATE_END);
    OWN.forEach((name, i) => state.setSystem(name, real[i]));
    return equal;
  }

  private exit(cpu: Cpu, exit: GuestExit): Stop | undefined {
    const { guest } = this;
    this.mode.record(exit);
    this.host.processor.overseer = undefined;
    this.settle(cpu);
    const decoded = this.decode(cpu, exit);
    assert(decoded.reason !== 'entry-failure', 'the guest left for something');
    const next = this.next(cpu, decoded, exit);
    if (guest.exits.begin(decoded)) return { kind: 'vm-exit', cpu: cpu.apicId, exit: decoded };
    try {
      if (next === 'again') return undefined;
      if (next !== 'emulate') throw next;
      this.useVirtual(cpu);
      stretch(this.host.generated, cpu, 1);
      return undefined;
    } finally {
      guest.exits.end();
    }
  }
  private next(cpu: Cpu, decoded: VmExit, { during }: GuestExit): Next {
    const { cause } = decoded;
    if (!this.shadow || cause.reason !== 'exception' || cause.event.vector !== VECTOR.PF) return 'emulate';
    decoded.address = cause.event.address;
    const next = this.shadow.handle(cpu, cause.event.address ?? 0n, cause.event.errorCode ?? 0, decoded);
    // What INT n met on its way is found again by the virtual processor.
    return during && next instanceof GuestFault ? 'emulate' : next;
  }

  /** Shadow tables in force, whatever paging the guest has or has not; PDPTEs are written to the processor. */
  protected shadowRegisters({ state }: Cpu, tables: ShadowTables): ShadowRegisters {
    const wide = tables.form === '4-level';
    const { processor } = this.host;
    if (!wide) tables.pdptes.forEach((entry, i) => processor.state.setSystem(`pdpte${i as 0 | 1 | 2 | 3}`, entry));
    const efer = state.system('efer') & ~BigInt(EFER.LMA | EFER.LME);
    return {
      cr0: state.system('cr0') | (BigInt(CR0.PG | CR0.WP) & 0xffff_ffffn),
      cr3: BigInt(tables.hpa),
      cr4: (state.system('cr4') | BigInt(CR4.PAE)) & ~BigInt(CR4.PGE | CR4.PCIDE),
      efer: efer | BigInt(EFER.NXE | (wide ? EFER.LMA | EFER.LME : 0)),
    };
  }
}

function equalBytes(a: Uint8Array, b: Uint8Array, first: number, end: number): boolean {
  const [x, y] = [a, b].map(({ buffer }) => new Int32Array(buffer, first, (end - first) >>> 2));
  for (let i = 0; i < x.length; i++) if (x[i] !== y[i]) return false;
  return true;
}
