/**
 * AMD-V: the guest runs in the processor's guest mode, in the rings that it believes itself in, and leaves for what the VMCB
 * asks for. Each exit is read from the VMCB; what needs doing is done by the virtual processor. With nested paging CR3 and the
 * page tables are the guest's own; with shadow paging they are the hypervisor's, and the guest's page faults exit.
 */
import type { Cpu } from '../../cpu/cpu';
import { deliver } from '../../cpu/events';
import type { Delivery } from '../../cpu/events';
import type { PendingEvent } from '../../cpu/exit-cause';
import { GuestExit, GuestFault, Interruption } from '../../cpu/ports';
import type { Executor } from '../../cpu/step-host';
import { SHADOWS, stretch } from '../../cpu/stretch';
import { Svm } from '../../cpu/svm';
import { loadGuest, saveGuest, Vmcb } from '../../cpu/svm-state';
import { somethingWaits } from '../../cpu/turns';
import * as layout from '../../execution/layout';
import type { Paging, Stop } from '../../machine/api';
import { PAGE_BYTES } from '../../mmu/physical-memory';
import { assert } from '../../util/assert';
import { CR0, CR4, EFER, VECTOR } from '../../x86/registers';
import { CONTROL, MISC1, MISC2, STATE, SVME } from '../../x86/vmcb';
import type { Intercept } from '../../x86/vmcb';
import type { VmExit } from '../exit';
import type { Guest } from '../guest';
import type { Host } from '../host';
import { NestedPaging } from '../nested-paging';
import { ShadowFaults } from '../shadow/faults';
import type { Next } from '../shadow/faults';
import type { ShadowTables } from '../shadow/tables';
import { decodeVmcb } from './vmcb-exit';

/** What the hypervisor wants to see. Everything else is the guest's own, its page faults and CR3 among it. */
const WANTED: readonly Intercept[] = ['intr', 'nmi', 'init', 'cpuid', 'rdpmc', 'invd', 'wbinvd', 'hlt', 'io', 'msr', 'shutdown', 'vmrun', 'vmmcall', 'vmload', 'vmsave', 'stgi', 'clgi', 'skinit', 'monitor', 'mwait', 'xsetbv']; // prettier-ignore
/** The task-priority register is a device's. */
const CR8 = 1 << 8;
const PAGING_REGISTERS = (1 << 0) | (1 << 3) | (1 << 4);
/** Pages of the two permission maps. */
const IOPM_PAGES = 3;
const MSRPM_PAGES = 2;

export class AmdV implements Executor {
  readonly svm: Svm;
  /** One of the two. */
  private readonly nested?: NestedPaging;
  private readonly shadow?: ShadowFaults;
  private readonly vmcbs: readonly Vmcb[];
  /** The virtual processor whose registers the physical one holds. */
  private inside?: Cpu;

  constructor(
    private readonly host: Host,
    private readonly guest: Guest,
    paging: Paging,
    cpus: number,
  ) {
    const { processor, physical } = host;
    this.svm = new Svm(processor);
    if (paging === 'shadow') this.shadow = new ShadowFaults(host, guest);
    else this.nested = new NestedPaging(physical, guest.physical, guest.frames, () => (this.inside = undefined));
    const ports = this.pages(IOPM_PAGES, 0xff);
    const msrs = this.pages(MSRPM_PAGES, 0xff);
    this.vmcbs = Array.from({ length: cpus }, () => this.newVmcb(ports, msrs));
  }

  /** Consecutive frames, filled. */
  private pages(count: number, fill: number): number {
    const frames = Array.from({ length: count }, () => this.guest.frames.take());
    const [first] = frames;
    assert(first !== undefined && frames.every((frame, i) => frame === first + i), 'new frames are consecutive');
    const { base, data } = this.host.physical;
    data.fill(fill, base + first * PAGE_BYTES, base + (first + count) * PAGE_BYTES);
    return first * PAGE_BYTES;
  }
  private newVmcb(ports: number, msrs: number): Vmcb {
    const vmcb = new Vmcb(this.host.physical, this.pages(1, 0));
    const bits = (names: readonly string[]): number =>
      names.reduce((mask, name, bit) => (WANTED.includes(name as Intercept) ? mask | (1 << bit) : mask), 0) >>> 0;
    vmcb.write(CONTROL.INTERCEPT_MISC1, bits(MISC1));
    vmcb.write(CONTROL.INTERCEPT_MISC2, bits(MISC2));
    // Under shadow paging CR0, CR3 and CR4 are not what the guest wrote there.
    vmcb.write(CONTROL.INTERCEPT_CR_READ, this.shadow ? CR8 | PAGING_REGISTERS : CR8);
    vmcb.write(CONTROL.INTERCEPT_CR_WRITE, this.shadow ? CR8 | PAGING_REGISTERS : CR8);
    if (this.shadow) vmcb.write(CONTROL.INTERCEPT_EXCEPTIONS, 1 << VECTOR.PF);
    vmcb.write(CONTROL.IOPM_BASE_PA, ports);
    vmcb.write(CONTROL.MSRPM_BASE_PA, msrs);
    vmcb.write(CONTROL.GUEST_ASID, this.guest.index + 1);
    vmcb.write(CONTROL.NP_ENABLE, this.nested ? 1 : 0);
    return vmcb;
  }

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
    const thrown = this.runGuest(shadow && somethingWaits(cpu) ? 1 : budget);
    if (thrown instanceof GuestExit) return this.exit(cpu, thrown);
    processor.overseer = undefined;
    this.settle(cpu);
    // A fault that nobody intercepts is the guest's own.
    if (thrown) throw thrown;
    return undefined;
  }
  private runGuest(budget: number): Interruption | undefined {
    const { generated, processor } = this.host;
    try {
      stretch(generated, processor, budget);
      return undefined;
    } catch (thrown) {
      if (!(thrown instanceof Interruption)) throw thrown;
      generated.forgetLink();
      return thrown instanceof GuestFault ? (this.intercepted(thrown) ?? thrown) : thrown;
    }
  }
  private intercepted({ vector, errorCode, address, trap }: GuestFault): GuestExit | undefined {
    const event: PendingEvent = { vector, kind: trap ? 'trap' : 'fault', errorCode, address, returnRip: this.host.processor.state.rip }; // prettier-ignore
    return this.svm.exitFor(event);
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
  reset(): void {
    this.inside = undefined;
    this.shadow?.reset();
    this.host.processor.flushTlb('all');
  }
  settle(cpu: Cpu): void {
    if (this.inside !== cpu) return;
    const { state } = this.host.processor;
    const own = OWN.map((name) => cpu.state.system(name));
    cpu.state.copyFrom(state, layout.STATE, layout.BUDGET);
    cpu.state.copyFrom(state, layout.SEGMENTS, layout.STATE_END);
    this.giveBack(cpu, own);
    cpu.modeChanged();
  }
  /** Registers in which the processor has the hypervisor's values: all of OWN under shadow paging, else EFER.SVME. */
  private giveBack({ state }: Cpu, own: readonly bigint[]): void {
    if (this.shadow) OWN.forEach((name, i) => state.setSystem(name, own[i]));
    else state.setSystem('efer', state.system('efer') & ~BigInt(SVME));
  }

  /** The processor holds what the virtual one holds, by VMRUN unless it does already. */
  private enter(cpu: Cpu): void {
    const { processor } = this.host;
    const { svm } = this;
    const tables = this.shadow?.enter(cpu);
    const root = tables?.hpa ?? this.nested!.hpa;
    if (this.inside === cpu && root === this.root && this.same(cpu)) return svm.resume();
    this.root = root;
    const vmcb = this.vmcbs[cpu.apicId];
    saveGuest(vmcb, cpu.state);
    vmcb.write(STATE.EFER, cpu.state.system('efer') | BigInt(SVME));
    vmcb.write(CONTROL.INTERRUPT_SHADOW, cpu.state.system('interruptibility') & 3n ? 1n : 0n);
    processor.state.copyFrom(cpu.state);
    if (tables) writeShadowed(vmcb, cpu, processor, tables);
    else vmcb.write(CONTROL.N_CR3, root);
    const failed = svm.enter(vmcb);
    assert(!failed, `VMRUN was refused: ${failed?.field}, ${failed?.rule}`);
    this.inside = cpu;
    this.entered = OWN.map((name) => cpu.state.system(name));
  }
  private root = -1;
  /** What the virtual processor had in OWN. */
  private entered: readonly bigint[] = [];

  /** Whether the processor holds the virtual one's registers already, but for those that are the hypervisor's there. */
  private same(cpu: Cpu): boolean {
    if (this.shadow && OWN.some((name, i) => cpu.state.system(name) !== this.entered[i])) return false;
    const { state } = this.host.processor;
    const real = OWN.map((name) => state.system(name));
    if (this.shadow) OWN.forEach((name, i) => state.setSystem(name, this.entered[i]));
    else state.setSystem('efer', real[0] & ~BigInt(SVME));
    const equal =
      equalBytes(state.bytes, cpu.state.bytes, layout.STATE, layout.BUDGET) &&
      equalBytes(state.bytes, cpu.state.bytes, layout.SEGMENTS, layout.STATE_END);
    OWN.forEach((name, i) => state.setSystem(name, real[i]));
    return equal;
  }

  private exit(cpu: Cpu, exit: GuestExit): Stop | undefined {
    const { guest, svm } = this;
    const vmcb = svm.vmcb!;
    svm.leave(exit);
    // General registers but RAX and RSP, x87 and vectors are the hypervisor's to carry; the rest is in the VMCB.
    this.settle(cpu);
    const own = OWN.map((name) => cpu.state.system(name));
    loadGuest(vmcb, cpu.state);
    this.giveBack(cpu, own);
    cpu.modeChanged();
    const decoded = decodeVmcb(vmcb, guest, cpu, exit.instruction);
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
}

/** Registers of a virtual processor that shadow paging replaces on the physical one. */
const OWN = ['efer', 'cr0', 'cr3', 'cr4', 'pdpte0', 'pdpte1', 'pdpte2', 'pdpte3'] as const;

/** Shadow tables in force, whatever paging the guest has or has not. */
function writeShadowed(vmcb: Vmcb, cpu: Cpu, processor: Cpu, tables: ShadowTables): void {
  const { state } = cpu;
  const wide = tables.form === '4-level';
  vmcb.write(STATE.CR0, state.system('cr0') | (BigInt(CR0.PG | CR0.WP) & 0xffff_ffffn));
  vmcb.write(STATE.CR4, (state.system('cr4') | BigInt(CR4.PAE)) & ~BigInt(CR4.PGE | CR4.PCIDE));
  vmcb.write(STATE.CR3, tables.hpa);
  const efer = state.system('efer') & ~BigInt(EFER.LMA | EFER.LME);
  vmcb.write(STATE.EFER, efer | BigInt(SVME | EFER.NXE | (wide ? EFER.LMA | EFER.LME : 0)));
  if (!wide) tables.pdptes.forEach((entry, i) => processor.state.setSystem(`pdpte${i as 0 | 1 | 2 | 3}`, entry));
}

function equalBytes(a: Uint8Array, b: Uint8Array, first: number, end: number): boolean {
  const [x, y] = [a, b].map(({ buffer }) => new Int32Array(buffer, first, (end - first) >>> 2));
  for (let i = 0; i < x.length; i++) if (x[i] !== y[i]) return false;
  return true;
}
