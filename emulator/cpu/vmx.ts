/**
 * VT-x, the guest's side of it: VMX non-root operation by the controls of a VMCS (SDM vol. 3C chapters 26 to 28). What a guest
 * leaves for, and what the VMCS then says. How a hypervisor that runs on the processor enters and is returned to is in
 * vmx-unit.ts; our own engine (hypervisor/engines/vt-x.ts) uses this class alone.
 */
import type { Instruction } from '../isa/instruction';
import { eptContext } from '../mmu/ept';
import { SecondStage } from '../mmu/second-stage';
import type { NextStage } from '../mmu/walk';
import { CR0, RFLAGS, VECTOR } from '../x86/registers';
import { EXIT_CONTROL, PIN, PRIMARY, SECONDARY } from '../x86/vmcs';
import type { VmcsFieldName } from '../x86/vmcs';
import { loadPdptes } from './control';
import type { Cpu } from './cpu';
import { interceptedBy } from './intercepts';
import type { Interceptable } from './intercepts';
import type { ExitCause, PendingEvent, PlainExit } from './exit-cause';
import { gp, ud } from './faults';
import { GuestExit } from './ports';
import type { Overseer } from './ports';
import type { Vmcs } from './vmcs-region';
import { ApicAccess, VTPR } from './vmx-apic';
import { BLOCKED_BY, SHADOWS } from './stretch';
import { ACTIVITY } from './turns';
import { msrAsked, portAsked } from './vmx-bitmaps';
import { writeExit } from './vmx-exit';
import { vmFunction } from './vmx-functions';
import { loadGuest, saveGuest } from './vmx-state';

/** Instructions that leave by a control (26.1.3); absent: always, or never. */
const BY_CONTROL: Readonly<Partial<Record<PlainExit, readonly ['primary' | 'secondary', number]>>> = {
  hlt: ['primary', PRIMARY.HLT], mwait: ['primary', PRIMARY.MWAIT], monitor: ['primary', PRIMARY.MONITOR],
  rdpmc: ['primary', PRIMARY.RDPMC], rdtsc: ['primary', PRIMARY.RDTSC], rdtscp: ['primary', PRIMARY.RDTSC],
  pause: ['primary', PRIMARY.PAUSE], invpcid: ['primary', PRIMARY.INVLPG], wbinvd: ['secondary', SECONDARY.WBINVD],
  rdrand: ['secondary', SECONDARY.RDRAND], rdseed: ['secondary', SECONDARY.RDSEED],
}; // prettier-ignore
const ALWAYS: readonly string[] = ['cpuid', 'invd', 'xsetbv', 'virtualization'];
/** CR0 bits that LMSW writes. */
const LMSW_BITS = 0xfn;
/** #UD in a guest without the control (26.3). */
const NEEDS: Readonly<Record<string, number>> = {
  rdtscp: SECONDARY.RDTSCP, rdpid: SECONDARY.RDTSCP, invpcid: SECONDARY.INVPCID, xsaves: SECONDARY.XSAVES, xrstors: SECONDARY.XSAVES,
  vmfunc: SECONDARY.VM_FUNCTIONS,
}; // prettier-ignore

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
  /** Host-physical address of the virtual task-priority register, -1 without a TPR shadow; and what it may not fall below. */
  private vtpr = -1;
  private tprThreshold = 0;
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
    cpu.overseer = this;
    cpu.refresh();
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
    const shadow = this.wants('primary', PRIMARY.TPR_SHADOW);
    this.vtpr = shadow ? Number(vmcs.read('VIRTUAL_APIC_PAGE')) + VTPR : -1;
    this.tprThreshold = shadow ? vmcs.read32('TPR_THRESHOLD') & 15 : 0;
    cpu.mmu.walker.second = this.secondStage(vmcs);
  }
  private secondStage(vmcs: Vmcs): NextStage | null {
    const ept = this.ept(vmcs);
    if (!this.wants('secondary', SECONDARY.APIC_ACCESSES)) return ept;
    const virtualApic = this.vtpr < 0 ? -1 : this.vtpr - VTPR;
    return new ApicAccess(ept, Number(vmcs.read('APIC_ACCESS_PAGE')), virtualApic);
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
    const shadowed = what.reason === 'cr-access' && what.register === 8 && what.access === 'write' && this.vtpr >= 0;
    return shadowed ? this.writeTpr(what.value) : undefined;
  }
  private vmFunction(instruction: Instruction): 'done' {
    const { cpu, vmcs } = this;
    vmFunction(cpu, vmcs!, instruction);
    cpu.mmu.walker.second = this.secondStage(vmcs!);
    cpu.flushTlb('all');
    return 'done';
  }
  /** MOV to CR8 with a TPR shadow (30.3). Whether the new priority is below the threshold is found behind the instruction. */
  private writeTpr(value: bigint): 'done' {
    if (value > 15n) throw gp(0);
    this.cpu.mmu.writePhysical(this.vtpr, 4, value << 4n);
    return 'done';
  }
  private intercepts(cause: Interceptable): boolean {
    const { reason } = cause;
    if (ALWAYS.includes(reason)) return true;
    switch (reason) {
      case 'io':
        return this.port(cause.port, cause.bytes);
      case 'msr-read':
      case 'msr-write':
        return !this.wants('primary', PRIMARY.MSR_BITMAPS) || msrAsked(this.cpu.mmu.physical, this.vmcs!, cause.msr, reason === 'msr-write'); // prettier-ignore
      case 'cr-access':
        return this.control(cause);
      case 'dr-access':
        return this.wants('primary', PRIMARY.MOV_DR);
      case 'descriptor-table':
        return this.wants('secondary', SECONDARY.DESCRIPTOR_TABLES);
      case 'invlpg':
        return this.wants('primary', PRIMARY.INVLPG);
      default: {
        const by = BY_CONTROL[reason as PlainExit];
        return by !== undefined && this.wants(by[0], by[1]);
      }
    }
  }
  private port(port: number, bytes: number): boolean {
    if (!this.wants('primary', PRIMARY.IO_BITMAPS)) return this.wants('primary', PRIMARY.UNCONDITIONAL_IO);
    return portAsked(this.cpu.mmu.physical, this.vmcs!, port, bytes);
  }
  private control({ register, access, value }: Extract<Interceptable, { reason: 'cr-access' }>): boolean {
    const vmcs = this.vmcs!;
    const differs = (name: 'CR0' | 'CR4', bits: bigint): boolean =>
      ((value ^ vmcs.read(`${name}_SHADOW`)) & vmcs.read(`${name}_MASK`) & bits) !== 0n;
    if (access === 'read') return register === 3 ? this.wants('primary', PRIMARY.CR3_STORE) : register === 8 && this.wants('primary', PRIMARY.CR8_STORE); // prettier-ignore
    if (access === 'smsw') return false;
    // CLTS leaves where the guest believes TS to be set and the bit is the host's (26.1.3).
    if (access === 'clts') {
      const ts = BigInt(CR0.TS);
      return (vmcs.read('CR0_MASK') & vmcs.read('CR0_SHADOW') & ts) !== 0n;
    }
    if (access === 'lmsw') {
      // LMSW cannot clear PE.
      const bits = value & 1n ? LMSW_BITS : LMSW_BITS & ~1n;
      return ((value ^ vmcs.read('CR0_SHADOW')) & vmcs.read('CR0_MASK') & bits) !== 0n;
    }
    if (register === 0) return differs('CR0', -1n);
    if (register === 4) return differs('CR4', -1n);
    if (register === 8) return this.wants('primary', PRIMARY.CR8_LOAD);
    return register === 3 && this.wants('primary', PRIMARY.CR3_LOAD) && !this.isTarget(value);
  }
  /** 25.6.7. */
  private isTarget(value: bigint): boolean {
    const count = Number(this.vmcs!.read('CR3_TARGET_COUNT'));
    for (let i = 0; i < count; i++) if (this.vmcs!.read(`CR3_TARGET${i}` as VmcsFieldName) === value) return true;
    return false;
  }

  readControl(index: number, actual: bigint): bigint {
    if (index === 8) return this.vtpr < 0 ? actual : BigInt(this.tpr);
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
  /** Bits 7:4 of the virtual task-priority register (30.1). */
  private get tpr(): number {
    return Number(this.cpu.mmu.readPhysical(this.vtpr, 1) >> 4n);
  }

  event(event: PendingEvent): void {
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
    if (interrupts.signals().init && interrupts.takeInit()) return new GuestExit({ reason: 'init' });
    const ticks = Number(cpu.ticks());
    if (ticks > this.trapAfter) return new GuestExit({ reason: 'monitor-trap' });
    if (this.tprThreshold > 0 && this.tpr < this.tprThreshold) return new GuestExit({ reason: 'tpr-below' });
    if (this.pin & (1 << PIN.PREEMPTION_TIMER) && ticks >= this.timerExpires) return new GuestExit({ reason: 'preemption-timer' });
    const blocked = state.system('interruptibility');
    const window = blocked & (SHADOWS | BLOCKED_BY.nmi) & ~BLOCKED_BY.sti;
    if (this.wants('primary', PRIMARY.NMI_WINDOW) && !window) return new GuestExit({ reason: 'nmi-window' });
    // What is blocked under virtual NMIs are those, not the physical ones.
    const nmi = this.pin & (1 << PIN.NMI) && (this.virtualNmis || !(blocked & BLOCKED_BY.nmi));
    if (nmi && interrupts.signals().nmi && interrupts.takeNmi()) return new GuestExit({ reason: 'nmi' });
    if (activity === ACTIVITY.shutdown) return undefined;
    const open = (state.systemFlags & RFLAGS.IF) !== 0 && !(blocked & SHADOWS);
    if (open && this.wants('primary', PRIMARY.INTERRUPT_WINDOW)) return new GuestExit({ reason: 'interrupt-window' });
    if (!this.takesInterrupts || !interrupts.pending()) return undefined;
    const acknowledges = this.vmcs!.has('EXIT_CONTROLS', EXIT_CONTROL.ACK_INTERRUPT);
    return new GuestExit({ reason: 'external-interrupt', ...(acknowledges ? { vector: interrupts.acknowledge() } : {}) });
  } // prettier-ignore
  private startUp(): GuestExit | undefined {
    const vector = this.cpu.interrupts.takeSipi();
    return vector < 0 ? undefined : new GuestExit({ reason: 'sipi', vector });
  }
  protected get virtualNmis(): boolean {
    return (this.pin & (1 << PIN.VIRTUAL_NMI)) !== 0;
  }
  patience(): number {
    // A window may open after any instruction.
    const window = this.wants('primary', PRIMARY.INTERRUPT_WINDOW) || this.wants('primary', PRIMARY.NMI_WINDOW);
    if (this.trapAfter !== Infinity || window || this.tprThreshold > 0) return 1;
    if (!(this.pin & (1 << PIN.PREEMPTION_TIMER))) return Infinity;
    return Math.max(1, this.timerExpires - Number(this.cpu.ticks()));
  }
  /** With an event to deliver the trap is due before the handler's first instruction (26.5.2). */
  protected trapBeforeNext(): void {
    this.trapAfter--;
  }
  get unrestricted(): boolean {
    return this.wants('secondary', SECONDARY.UNRESTRICTED);
  }
  protected get timerExpires(): number {
    return Number(this.cpu.state.system('preemption_deadline'));
  }

  /** What a guest leaves behind is in the VMCS; the processor's registers are still its. */
  record(exit: GuestExit): void {
    const { cpu, vmcs } = this;
    saveGuest(vmcs!, cpu.state);
    if (!writeExit(vmcs!, exit, cpu)) cpu.unsupported(`VT-x exit for ${exit.cause.reason}`);
    this.injecting = undefined;
  }
  leave(exit: GuestExit): void {
    this.record(exit);
    this.cpu.overseer = undefined;
  }
}
