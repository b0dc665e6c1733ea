/**
 * VT-x, the guest's side of it: VMX non-root operation by the controls of a VMCS (SDM vol. 3C chapters 26 to 28). What a guest
 * leaves for, and what the VMCS then says. How a hypervisor that runs on the processor enters and is returned to is in
 * vmx-unit.ts; our own engine (hypervisor/engines/vt-x.ts) uses this class alone.
 */
import type { Instruction } from '../isa/instruction';
import { eptContext } from '../mmu/ept';
import { SecondStage } from '../mmu/second-stage';
import type { NextStage } from '../mmu/walk';
import { GPR, RFLAGS, VECTOR } from '../x86/registers';
import { EXIT_CONTROL, PIN, PRIMARY, SECONDARY } from '../x86/vmcs';
import { loadPdptes } from './control';
import type { Cpu } from './cpu';
import { interceptedBy } from './intercepts';
import type { Interceptable } from './intercepts';
import type { ExitCause, PendingEvent } from './exit-cause';
import { ud } from './faults';
import { GuestExit } from './ports';
import type { Overseer } from './ports';
import type { Vmcs } from './vmcs-region';
import { VirtualApic } from './vmx-apic';
import { ApicAccess } from './vmx-apic-access';
import { BLOCKED_BY, SHADOWS } from './stretch';
import { ACTIVITY } from './turns';
import { asked, NEEDS } from './vmx-intercepts';
import { writeExit } from './vmx-exit';
import { vmFunction } from './vmx-functions';
import { loadGuest, saveGuest } from './vmx-state';

export class Vmx implements Overseer {
  readonly asks = true;
  get sparesSpinning(): boolean {
    return !this.wants('primary', PRIMARY.RDTSC) && !this.wants('primary', PRIMARY.PAUSE);
  }
  /** Of the guest that runs. */
  vmcs?: Vmcs;
  takesInterrupts = false;
  private primary = 0;
  private secondary = 0;
  private pin = 0;
  private exceptions = 0;
  private nested?: { pointer: bigint; second: SecondStage };
  /** Absent without a TPR shadow. */
  private apic?: VirtualApic;
  /** Ticks after which a monitor trap is due. */
  private trapAfter = Infinity;
  /** The event that entry delivers: it does not leave the guest again. */
  injecting?: PendingEvent;

  constructor(protected readonly cpu: Cpu) {}

  /** The guest's registers are loaded and the controls are in force. The other general registers are there already. */
  begin(vmcs: Vmcs): void {
    const { cpu } = this;
    this.obey(vmcs);
    loadGuest(vmcs, cpu, () => loadPdptes(cpu));
    this.apic?.entered();
    cpu.overseer = this;
    cpu.refresh(this.tlbHolds());
  }
  /** The TLB knows what the guest left there. */
  protected tlbHolds(): boolean {
    return false;
  }
  /** The same guest goes on where it was: nothing to load. */
  resume(): void {
    this.cpu.overseer = this;
    this.cpu.modeChanged();
  }
  /** Controls as the VMCS has them. */
  obey(vmcs: Vmcs): void {
    const { cpu } = this;
    this.vmcs = vmcs;
    this.pin = vmcs.read32('PIN_CONTROLS');
    this.primary = vmcs.read32('PRIMARY_CONTROLS');
    this.secondary = this.primary < 0 ? vmcs.read32('SECONDARY_CONTROLS') : 0;
    this.exceptions = vmcs.read32('EXCEPTION_BITMAP');
    this.takesInterrupts = (this.pin & (1 << PIN.EXTERNAL_INTERRUPT)) !== 0;
    this.trapAfter = this.wants('primary', PRIMARY.MONITOR_TRAP) ? Number(cpu.ticks()) : Infinity;
    this.apic = this.wants('primary', PRIMARY.TPR_SHADOW) ? new VirtualApic(cpu, vmcs) : undefined;
    cpu.mmu.walker.second = this.secondStage(vmcs);
  }
  private secondStage(vmcs: Vmcs): NextStage | null {
    const ept = this.ept(vmcs);
    if (!this.wants('secondary', SECONDARY.APIC_ACCESSES)) return ept;
    return new ApicAccess(ept, Number(vmcs.read('APIC_ACCESS_PAGE')), this.apic, this.cpu.mmu.walker);
  }
  private ept(vmcs: Vmcs): SecondStage | null {
    if (!this.wants('secondary', SECONDARY.EPT)) return null;
    const pointer = vmcs.read('EPT_POINTER');
    if (this.nested?.pointer !== pointer)
      this.nested = { pointer, second: new SecondStage(this.cpu.mmu.physical, eptContext(pointer)) };
    return this.nested.second;
  }
  private wants(word: 'primary' | 'secondary', number: number): boolean {
    return (this[word] & (1 << number)) !== 0;
  }

  // --- Overseer

  instruction(instruction: Instruction): 'done' | GuestExit | undefined {
    const { mnemonic } = instruction.row;
    const needed = NEEDS[mnemonic];
    if (needed !== undefined && !this.wants('secondary', needed)) throw ud();
    if (mnemonic === 'vmfunc') return this.vmFunction(instruction);
    const what = interceptedBy(this.cpu, instruction);
    if (!what) return undefined;
    if (this.intercepts(what)) return new GuestExit(what, instruction);
    return this.apic && this.virtualised(this.apic, what) ? 'done' : undefined;
  }
  /** What the virtual APIC answers instead of the processor's own. */
  private virtualised(apic: VirtualApic, what: Interceptable): boolean {
    const { state } = this.cpu;
    if (what.reason === 'msr-write')
      return apic.writeMsr(what.msr, (BigInt(state.gpr32(GPR.RDX)) << 32n) | BigInt(state.gpr32(GPR.RAX)));
    if (what.reason === 'msr-read') {
      const value = apic.readMsr(what.msr);
      if (value === undefined) return false;
      state.setGpr(GPR.RAX, value & 0xffff_ffffn);
      state.setGpr(GPR.RDX, value >> 32n);
      return true;
    }
    if (what.reason !== 'cr-access' || what.register !== 8 || what.access !== 'write') return false;
    apic.writePriority(what.value);
    return true;
  }
  private vmFunction(instruction: Instruction): 'done' {
    const { cpu, vmcs } = this;
    vmFunction(cpu, vmcs!, instruction);
    cpu.mmu.walker.second = this.secondStage(vmcs!);
    cpu.flushTlb('all');
    return 'done';
  }
  private intercepts(cause: Interceptable): boolean {
    return asked(this.cpu.mmu.physical, this.vmcs!, this.primary, this.secondary, cause);
  }
  readControl(index: number, actual: bigint): bigint {
    if (index === 8) return this.apic?.priority ?? actual;
    if (index !== 0 && index !== 4) return actual;
    const mask = this.vmcs!.read(`CR${index}_MASK`);
    return (actual & ~mask) | (this.vmcs!.read(`CR${index}_SHADOW`) & mask);
  }
  /** Bits that are the host's keep their values. */
  writeControl(index: number, value: bigint): bigint {
    if (index !== 0 && index !== 4) return value;
    const mask = this.vmcs!.read(`CR${index}_MASK`);
    return (value & ~mask) | (this.cpu.state.system(`cr${index}`) & mask);
  }

  event(event: PendingEvent): void {
    if (event.kind === 'fault') this.apic?.forget();
    if (event === this.injecting) return;
    const exit = this.exitFor(event);
    if (exit) throw exit;
  }
  /** 26.2: by the exception bitmap, page faults by their error code, too. */
  exitFor(event: PendingEvent): GuestExit | undefined {
    const { kind, vector, errorCode = 0 } = event;
    if (kind === 'interrupt' || kind === 'nmi' || kind === 'int') return undefined;
    let wanted = (this.exceptions & (1 << vector)) !== 0;
    if (vector === VECTOR.PF) {
      const { vmcs } = this;
      const matches = (errorCode & vmcs!.read32('PF_ERROR_MASK')) === vmcs!.read32('PF_ERROR_MATCH');
      wanted = wanted === matches;
    }
    return wanted ? new GuestExit({ reason: 'exception', event }) : undefined;
  }
  taskSwitch(cause: Extract<ExitCause, { reason: 'task-switch' }>): void {
    throw new GuestExit(cause);
  }
  tripleFault(): void {
    throw new GuestExit({ reason: 'triple-fault' });
  }

  /** In the order of 26.2 and table 6-2 of vol. 3A. Who is shut down wakes by an NMI or INIT, who waits for a SIPI by that. */
  due(): GuestExit | undefined {
    const { cpu } = this;
    const { state, interrupts } = cpu;
    const activity = state.system('activity');
    if (activity === ACTIVITY.waitForSipi) return this.startUp();
    const settled = this.apic?.settle();
    if (settled) return settled;
    if (interrupts.signals().init && interrupts.takeInit()) return new GuestExit({ reason: 'init' });
    const ticks = Number(cpu.ticks());
    if (ticks > this.trapAfter) return new GuestExit({ reason: 'monitor-trap' });
    if (ticks >= this.wakesAt) return new GuestExit({ reason: 'preemption-timer' });
    const blocked = state.system('interruptibility');
    if (this.nmiWindow) return new GuestExit({ reason: 'nmi-window' });
    // What is blocked under virtual NMIs are those, not the physical ones.
    const nmi = this.pin & (1 << PIN.NMI) && (this.virtualNmis || !(blocked & BLOCKED_BY.nmi));
    if (nmi && interrupts.signals().nmi && interrupts.takeNmi()) return new GuestExit({ reason: 'nmi' });
    if (activity === ACTIVITY.shutdown) return undefined;
    const { open } = this;
    if (open && this.wants('primary', PRIMARY.INTERRUPT_WINDOW)) return new GuestExit({ reason: 'interrupt-window' });
    return this.takesInterrupts ? this.external(open) : undefined;
  } // prettier-ignore
  private get open(): boolean {
    const { state } = this.cpu;
    return (state.systemFlags & RFLAGS.IF) !== 0 && !(state.system('interruptibility') & SHADOWS);
  }
  private get nmiWindow(): boolean {
    const blocked = this.cpu.state.system('interruptibility') & (SHADOWS | BLOCKED_BY.nmi) & ~BLOCKED_BY.sti;
    return this.wants('primary', PRIMARY.NMI_WINDOW) && !blocked;
  }
  /** Exits that `due` answers without anything having come, of a guest that is not active. */
  get wakesNow(): boolean {
    const { cpu } = this;
    const activity = cpu.state.system('activity');
    if (activity === ACTIVITY.waitForSipi) return false;
    const ticks = Number(cpu.ticks());
    if (ticks > this.trapAfter || ticks >= this.wakesAt || this.nmiWindow) return true;
    return activity === ACTIVITY.halted && this.open && this.wants('primary', PRIMARY.INTERRUPT_WINDOW);
  }
  /** The timer counts while the guest is halted or shut down, too, but nothing comes of it while it waits for a SIPI (26.5.1). */
  get wakesAt(): number {
    const counts = this.pin & (1 << PIN.PREEMPTION_TIMER) && this.cpu.state.system('activity') !== ACTIVITY.waitForSipi;
    return counts ? Number(this.cpu.state.system('preemption_deadline')) : Infinity;
  }
  /** An external interrupt, behind virtual ones (30.2.2), unless it tells that there are more of those (30.6). `open`: to either. */
  private external(open: boolean): GuestExit | undefined {
    const { apic, cpu } = this;
    while (!(open && apic?.recognised) && cpu.interrupts.pending()) {
      if (!this.vmcs!.has('EXIT_CONTROLS', EXIT_CONTROL.ACK_INTERRUPT)) return new GuestExit({ reason: 'external-interrupt' });
      const vector = cpu.interrupts.acknowledge();
      if (vector !== apic?.notification) return new GuestExit({ reason: 'external-interrupt', vector });
      cpu.interrupts.endOfInterrupt();
      apic.post();
    }
    return undefined;
  } // prettier-ignore
  virtualInterrupt(): number | undefined {
    return this.apic?.recognised ? this.apic.deliver() : undefined;
  }
  get virtualPending(): boolean {
    return this.apic?.recognised === true;
  }
  private startUp(): GuestExit | undefined {
    const vector = this.cpu.interrupts.takeSipi();
    return vector < 0 ? undefined : new GuestExit({ reason: 'sipi', vector });
  }
  protected get virtualNmis(): boolean {
    return (this.pin & (1 << PIN.VIRTUAL_NMI)) !== 0;
  }
  patience(): number {
    // A window may open after any instruction, for virtual interrupts, too.
    const window = this.wants('primary', PRIMARY.INTERRUPT_WINDOW) || this.wants('primary', PRIMARY.NMI_WINDOW);
    if (this.trapAfter !== Infinity || window || this.virtualPending) return 1;
    return Math.max(1, this.wakesAt - Number(this.cpu.ticks()));
  }
  /** With an event to deliver the trap is due before the handler's first instruction (26.5.2). */
  protected trapBeforeNext(): void {
    this.trapAfter--;
  }
  get unrestricted(): boolean {
    return this.wants('secondary', SECONDARY.UNRESTRICTED);
  }

  /** What a guest leaves behind is in the VMCS; the processor's registers are still its. */
  record(exit: GuestExit): void {
    const { cpu, vmcs } = this;
    saveGuest(vmcs!, cpu.state);
    this.apic?.forget();
    if (!writeExit(vmcs!, exit, cpu)) cpu.unsupported(`VT-x exit for ${exit.cause.reason}`);
    this.injecting = undefined;
  }
  leave(exit: GuestExit): void {
    this.record(exit);
    this.cpu.overseer = undefined;
  }
}
