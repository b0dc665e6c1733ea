/**
 * AMD-V with nested paging: the guest runs in the processor's guest mode with all its own tables and registers, and leaves
 * for what the VMCB asks for. Each exit is read from the VMCB; what needs doing is done by the virtual processor.
 */
import type { Cpu } from '../../cpu/cpu';
import { deliver } from '../../cpu/events';
import type { Delivery } from '../../cpu/events';
import type { PendingEvent } from '../../cpu/exit-cause';
import { GuestExit, Interruption } from '../../cpu/ports';
import type { Executor } from '../../cpu/step-host';
import { SHADOWS, stretch } from '../../cpu/stretch';
import { Svm } from '../../cpu/svm';
import { loadGuest, saveGuest, Vmcb } from '../../cpu/svm-state';
import { somethingWaits } from '../../cpu/turns';
import * as layout from '../../execution/layout';
import type { Stop } from '../../machine/api';
import { PAGE_BYTES } from '../../mmu/physical-memory';
import { assert } from '../../util/assert';
import { CONTROL, MISC1, MISC2, STATE, SVME } from '../../x86/vmcb';
import type { Intercept } from '../../x86/vmcb';
import type { Guest } from '../guest';
import type { Host } from '../host';
import { NestedPaging } from '../nested-paging';
import { decodeVmcb } from './vmcb-exit';

/** What the hypervisor wants to see. Everything else is the guest's own, its page faults and CR3 among it. */
const WANTED: readonly Intercept[] = ['intr', 'nmi', 'init', 'cpuid', 'rdpmc', 'invd', 'wbinvd', 'hlt', 'io', 'msr', 'shutdown', 'vmrun', 'vmmcall', 'vmload', 'vmsave', 'stgi', 'clgi', 'skinit', 'monitor', 'mwait', 'xsetbv']; // prettier-ignore
/** The task-priority register is a device's. */
const CR8 = 1 << 8;
/** Pages of the two permission maps. */
const IOPM_PAGES = 3;
const MSRPM_PAGES = 2;

export class AmdV implements Executor {
  readonly svm: Svm;
  private readonly nested: NestedPaging;
  private readonly vmcbs: readonly Vmcb[];
  /** The virtual processor whose registers the physical one holds. */
  private inside?: Cpu;

  constructor(
    private readonly host: Host,
    private readonly guest: Guest,
    cpus: number,
  ) {
    const { processor, physical } = host;
    this.svm = new Svm(processor);
    this.nested = new NestedPaging(physical, guest.physical, guest.frames, () => (this.inside = undefined));
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
    vmcb.write(CONTROL.INTERCEPT_CR_READ, CR8);
    vmcb.write(CONTROL.INTERCEPT_CR_WRITE, CR8);
    vmcb.write(CONTROL.IOPM_BASE_PA, ports);
    vmcb.write(CONTROL.MSRPM_BASE_PA, msrs);
    vmcb.write(CONTROL.GUEST_ASID, this.guest.index + 1);
    vmcb.write(CONTROL.NP_ENABLE, 1);
    return vmcb;
  }

  run(cpu: Cpu, budget: number): Stop | undefined {
    const { generated, processor } = this.host;
    const { state } = cpu;
    // What the nested tables map does not follow the gate of address line 20.
    if (!this.guest.physical.a20) {
      generated.switchTo(cpu);
      stretch(generated, cpu, budget);
      return undefined;
    }
    const shadow = state.system('interruptibility') & SHADOWS;
    generated.switchTo(processor);
    this.enter(cpu);
    let thrown: Interruption | undefined;
    try {
      stretch(generated, processor, shadow && somethingWaits(cpu) ? 1 : budget);
    } catch (caught) {
      if (!(caught instanceof Interruption)) throw caught;
      generated.forgetLink();
      thrown = caught;
    }
    if (thrown instanceof GuestExit) return this.exit(cpu, thrown);
    processor.overseer = undefined;
    this.settle(cpu);
    // A fault that nobody intercepts is the guest's own.
    if (thrown) throw thrown;
    return undefined;
  }
  deliver(cpu: Cpu, event: PendingEvent, asked: boolean): Delivery {
    this.host.generated.switchTo(cpu);
    return deliver(cpu, event, asked);
  }
  settle(cpu: Cpu): void {
    const { processor } = this.host;
    if (this.inside !== cpu) return;
    cpu.state.copyFrom(processor.state, layout.STATE, layout.BUDGET);
    cpu.state.copyFrom(processor.state, layout.SEGMENTS, layout.STATE_END);
    hideSvm(cpu);
  }

  /** The processor holds what the virtual one holds, by VMRUN unless it does already. */
  private enter(cpu: Cpu): void {
    const { processor } = this.host;
    const { svm } = this;
    if (this.inside === cpu && this.nested.hpa === this.root && same(processor, cpu)) return svm.resume();
    const vmcb = this.vmcbs[cpu.apicId];
    vmcb.write(CONTROL.N_CR3, (this.root = this.nested.hpa));
    saveGuest(vmcb, cpu.state);
    vmcb.write(STATE.EFER, cpu.state.system('efer') | BigInt(SVME));
    vmcb.write(CONTROL.INTERRUPT_SHADOW, cpu.state.system('interruptibility') & 3n ? 1n : 0n);
    processor.state.copyFrom(cpu.state);
    const failed = svm.enter(vmcb);
    assert(!failed, `VMRUN was refused: ${failed?.field}, ${failed?.rule}`);
    this.inside = cpu;
  }
  private root = -1;

  private exit(cpu: Cpu, exit: GuestExit): Stop | undefined {
    const { guest, svm } = this;
    const { generated, processor } = this.host;
    const vmcb = svm.vmcb!;
    svm.leave(exit);
    // General registers but RAX and RSP, x87 and vectors are the hypervisor's to carry; the rest is in the VMCB.
    this.settle(cpu);
    loadGuest(vmcb, cpu.state);
    hideSvm(cpu);
    cpu.modeChanged();
    const decoded = decodeVmcb(vmcb, guest, cpu, exit.instruction);
    if (guest.exits.begin(decoded)) return { kind: 'vm-exit', cpu: cpu.apicId, exit: decoded };
    try {
      assert(decoded.reason !== 'entry-failure', 'the guest left for something');
      generated.switchTo(cpu);
      stretch(generated, cpu, 1);
      return undefined;
    } finally {
      guest.exits.end();
      void processor;
    }
  }
}

/** EFER.SVME is the hypervisor's: without it no guest could run. */
function hideSvm({ state }: Cpu): void {
  state.setSystem('efer', state.system('efer') & ~BigInt(SVME));
}

/** Whether two processors hold the same registers, EFER.SVME and what generated code talks about aside. */
function same(real: Cpu, believed: Cpu): boolean {
  const efer = real.state.system('efer');
  real.state.setSystem('efer', efer & ~BigInt(SVME));
  const equal = [
    [layout.STATE, layout.BUDGET],
    [layout.SEGMENTS, layout.STATE_END],
  ].every(([first, end]) => equalBytes(real.state.bytes, believed.state.bytes, first, end));
  real.state.setSystem('efer', efer);
  return equal;
}
function equalBytes(a: Uint8Array, b: Uint8Array, first: number, end: number): boolean {
  const [x, y] = [a, b].map(({ buffer }) => new Int32Array(buffer, first, (end - first) >>> 2));
  for (let i = 0; i < x.length; i++) if (x[i] !== y[i]) return false;
  return true;
}
