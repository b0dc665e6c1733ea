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
import { eventOf, GuestExit, GuestFault } from '../../cpu/ports';
import type { Interruption } from '../../cpu/ports';
import type { CpuState } from '../../cpu/state';
import type { Executor } from '../../cpu/step-host';
import type { Vmcb } from '../../cpu/svm-state';
import type { Vmcs } from '../../cpu/vmcs-region';
import { caught, longStretch, once, SHADOWS, stretch } from '../../cpu/stretch';
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
import { OwnRegisters } from './own-registers';

/** The vendor's unit in the processor, as far as a hypervisor needs it between entry and exit. */
export interface GuestMode {
  /** The same guest goes on where it was. */
  resume(): void;
  /** An event that the guest is about to take leaves it. */
  exitFor(event: PendingEvent): GuestExit | undefined;
}

/** Bases of segments are the guest's own affair: nothing else depends on them. */
export const FREE_MSRS: readonly number[] = [MSR.FS_BASE, MSR.GS_BASE, MSR.KERNEL_GS_BASE];

/** What is in force in the place of the guest's control registers. */
export interface InForce {
  cr0: bigint;
  cr3: bigint;
  cr4: bigint;
  efer: bigint;
}

export abstract class HardwareEngine implements Executor, Viewed {
  /** One of the two. */
  protected readonly nested?: NestedPaging;
  protected readonly shadow?: ShadowFaults;
  /** Of the tables in force. */
  private root = -1;
  /** What the guest believes to be in the registers that are the hypervisor's, and what was in force there when it left. */
  private readonly believed = new OwnRegisters();
  private readonly inForce = new OwnRegisters();
  /** The virtual processor whose guest is executing: the physical one has its registers. */
  private running?: Cpu;
  /** Of the TLBs of the two processors, when each handed over to the other: what either forgets the other must not know. */
  private flushes = { processor: 0, virtual: 0 };

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
  /** What is in force for a guest that believes what is in `state`. */
  protected abstract registersFor(state: CpuState, tables?: ShadowTables | number): InForce;
  /** Control registers and controls go into the control block. `state`: the guest's registers. */
  protected abstract prepare(cpu: Cpu, state: CpuState, inForce: InForce, tables: ShadowTables | number): void;
  /** Why the vendor's entry would refuse all that is in `state`, in words. */
  protected abstract refusalOf(cpu: Cpu, state: CpuState, inForce: InForce): string | undefined;
  /** What was prepared is in force. */
  protected abstract start(cpu: Cpu): void;
  /** The control block says of the exit what this processor says. The processor still has the guest's registers. */
  protected abstract record(cpu: Cpu, exit: GuestExit): void;
  /** What the control block says of the exit. The virtual processor has its registers. */
  protected abstract decode(cpu: Cpu, exit: GuestExit): VmExit;
  /** Nested paging: registers in `state` become what the guest believes, whose CR0 was `cr0` before. */
  protected abstract believe(state: CpuState, cr0: number): void;
  /** The control block of a virtual processor; all of the guest's registers are in it as at its last exit. */
  protected abstract control(vcpu: number): Vmcs | Vmcb;

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
  // --- Executor

  run(cpu: Cpu, budget: number): Stop | undefined {
    const { generated } = this.host;
    const { state } = cpu;
    generated.switchTo(cpu);
    // The tables do not follow the gate of address line 20.
    if (!this.guest.physical.a20 || (this.shadow && !this.canEnter(cpu))) {
      stretch(generated, cpu, cpu.protected ? 1 : budget);
      return undefined;
    }
    const shadow = state.word(layout.SYSTEM_ADDRESS.interruptibility) & Number(SHADOWS);
    const refusal = this.enter(cpu);
    if (refusal !== undefined) return { kind: 'crash', cpu: cpu.apicId, reason: refusal };
    const thrown = this.runGuest(cpu, shadow && somethingWaits(cpu) ? 1 : budget);
    if (thrown instanceof GuestExit) return this.exit(cpu, thrown);
    this.comeBack(cpu);
    // A fault that nobody intercepts is the guest's own.
    if (thrown) throw thrown;
    return undefined;
  }
  /** Shadow tables need protection to be there. */
  protected canEnter(cpu: Cpu): boolean {
    return cpu.protected;
  }
  private runGuest(cpu: Cpu, budget: number): Interruption | undefined {
    const { generated, processor } = this.host;
    const left = caught(generated, () => longStretch(generated, processor, budget, () => somethingWaits(cpu)));
    return left instanceof GuestFault ? (this.intercepted(left) ?? left) : left;
  }
  private intercepted(fault: GuestFault): GuestExit | undefined {
    return this.mode.exitFor(eventOf(fault, this.host.processor.state.rip));
  }
  deliver(cpu: Cpu, event: PendingEvent, asked: boolean): Delivery {
    this.host.generated.switchTo(cpu);
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
    if (this.running !== cpu) return;
    const { state } = this.host.processor;
    cpu.state.copyFrom(state, layout.STATE, layout.BUDGET);
    cpu.state.copyFrom(state, layout.SEGMENTS, layout.STATE_END);
    this.giveBack(cpu.state);
    cpu.modeChanged();
  }
  private giveBack(state: CpuState): void {
    if (this.shadow) this.believed.put(state);
    else this.believe(state, this.believed.cr0);
  }

  /**
   * The virtual processor's registers are the physical one's from now on, where they are; the hypervisor's own take their places
   * among them, which are known already if nothing has changed that they depend on. Answers why there is no entry, if there is none:
   * the guest has found a state that its processor may be in and that no hypervisor can enter, and it ends there.
   */
  private enter(cpu: Cpu): string | undefined {
    const { host, believed, inForce, flushes } = this;
    const { processor } = host;
    const { state } = processor;
    const tables = this.shadow?.enter(cpu) ?? this.nested!.hpa;
    const root = typeof tables === 'number' ? tables : tables.hpa;
    const known = host.inside === cpu && root === this.root && believed.same(cpu.state);
    // Shadow tables follow the guest's without being told.
    if (known && !this.shadow && cpu.mmu.tlb.flushes !== flushes.virtual) processor.flushTlb('all');
    host.generated.handOver(processor);
    this.running = cpu;
    if (known) {
      inForce.put(state);
      processor.debug.loaded();
      this.mode.resume();
    } else {
      this.root = root;
      host.inside = cpu;
      believed.take(state);
      const registers = this.registersFor(state, tables);
      this.prepare(cpu, state, registers, tables);
      const refusal = this.refused(cpu, state, registers);
      if (refusal !== undefined) {
        this.comeBack(cpu);
        this.forget();
        return refusal;
      }
      this.start(cpu);
      for (const name of ['cr0', 'cr3', 'cr4', 'efer'] as const) state.setSystem(name, registers[name]);
      if (typeof tables !== 'number' && tables.form === 'PAE')
        tables.pdptes.forEach((entry, i) => state.setSystem(`pdpte${i as 0 | 1 | 2 | 3}`, entry));
      inForce.take(state);
      processor.refresh();
    }
    host.generated.codeMoved();
    flushes.processor = processor.mmu.tlb.flushes;
    return undefined;
  }
  /** Mode of the guest at the last entry that was checked in full. */
  private checked = '';
  /** In full whenever the guest's mode has changed. */
  private refused(cpu: Cpu, state: CpuState, inForce: InForce): string | undefined {
    const mode = `${inForce.cr0} ${inForce.cr4} ${inForce.efer} ${cpu.apicId}`;
    if (mode === this.checked) return undefined;
    const refusal = this.refusalOf(cpu, state, inForce);
    if (refusal === undefined) this.checked = mode;
    return refusal;
  }
  /** And back. */
  private comeBack(cpu: Cpu): void {
    const { host, believed, inForce, flushes } = this;
    host.generated.handOver(cpu);
    this.running = host.processor.overseer = undefined;
    if (this.nested) inForce.take(cpu.state);
    this.giveBack(cpu.state);
    if (this.nested) believed.take(cpu.state);
    if (host.processor.mmu.tlb.flushes !== flushes.processor) cpu.refresh();
    else {
      cpu.debug.loaded();
      cpu.modeChanged();
    }
    host.generated.codeMoved();
    flushes.virtual = cpu.mmu.tlb.flushes;
  }

  private exit(cpu: Cpu, exit: GuestExit): Stop | undefined {
    const { guest } = this;
    this.record(cpu, exit);
    this.comeBack(cpu);
    const decoded = this.decode(cpu, exit);
    assert(decoded.reason !== 'entry-failure', 'the guest left for something');
    const next = this.next(cpu, decoded, exit);
    if (guest.exits.begin(decoded)) return { kind: 'vm-exit', cpu: cpu.apicId, exit: decoded };
    try {
      if (next === 'again') return undefined;
      if (next !== 'emulate') throw next;
      once(this.host.generated, cpu, exit.during ? undefined : exit.instruction);
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

  /** But for what the vendor's guest mode wants there. Without shadow tables they are the guest's own. */
  protected ownRegisters(state: CpuState, tables?: ShadowTables | number): InForce {
    if (typeof tables === 'object') return this.shadowRegisters(state, tables);
    return { cr0: state.system('cr0'), cr3: state.system('cr3'), cr4: state.system('cr4'), efer: state.system('efer') };
  }
  /** Shadow tables in force, whatever paging the guest has or has not. */
  private shadowRegisters(state: CpuState, tables: ShadowTables): InForce {
    const wide = tables.form === '4-level';
    const efer = state.system('efer') & ~BigInt(EFER.LMA | EFER.LME);
    return {
      cr0: state.system('cr0') | (BigInt(CR0.PG | CR0.WP) & 0xffff_ffffn),
      cr3: BigInt(tables.hpa),
      cr4: (state.system('cr4') | BigInt(CR4.PAE)) & ~BigInt(CR4.PGE | CR4.PCIDE),
      efer: efer | BigInt(EFER.NXE | (wide ? EFER.LMA | EFER.LME : 0)),
    };
  }
}
