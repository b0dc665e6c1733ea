/**
 * AMD-V for a hypervisor that runs on the processor: VMRUN with the host's save area, #VMEXIT back to behind VMRUN, event
 * injection, virtual interrupts, the global interrupt flag (APM vol. 2 15.5, 15.6, 15.17, 15.20, 15.21).
 */
import { MAXPHYADDR } from '../mmu/guest-paging';
import type { Instruction } from '../isa/instruction';
import { RFLAGS, VECTOR } from '../x86/registers';
import { CONTROL, EVENT, EXIT, STATE, V_INTR } from '../x86/vmcb';
import { loadPdptes } from './control';
import { deliverAtEntry } from './events';
import type { PendingEvent } from './exit-cause';
import { gp } from './faults';
import { GuestTlb } from './guest-tlb';
import type { Below } from './guest-tlb';
import { GuestExit, GuestFault } from './ports';
import type { SvmUnit } from './ports';
import { BLOCKED_BY } from './stretch';
import { Svm } from './svm';
import type { FailedCheck } from './svm-checks';
import { CleanBits } from './svm-clean';
import { loadGuest, loadRest, saveGuest, saveRest, Vmcb } from './svm-state';
import { VM_MODE } from './vm-mode';

/** Of TLB control: everybody's translations. */
const TLB_ALL = 1;

export class HostedSvm extends Svm implements SvmUnit {
  /** Why the last VMRUN was refused, in words: for people. */
  lastRefusal?: FailedCheck;

  /** RFLAGS.IF of the host, whose guest runs. */
  private hostOpen = false;
  private readonly clean = new CleanBits(this.cpu.mmu.physical);

  get on(): boolean {
    return (this.cpu.state.system32('efer') & (1 << 12)) !== 0;
  }
  private at(gpa: bigint): Vmcb {
    if (!this.isMemory(gpa)) throw gp(0);
    return new Vmcb(this.cpu.mmu.physical, Number(gpa));
  }
  private isMemory(gpa: bigint): boolean {
    const valid = (gpa & 0xfffn) === 0n && gpa >> BigInt(MAXPHYADDR) === 0n;
    return valid && this.cpu.mmu.physical.hostAddress(Number(gpa)) >= 0;
  }
  /** A guest that is let at VM_HSAVE_PA may have moved it to where there is none. */
  private hostArea(): Vmcb | undefined {
    const gpa = this.cpu.state.system('vm_hsave');
    return this.isMemory(gpa) ? this.at(gpa) : undefined;
  }
  load(gpa: bigint): void {
    // Nothing of it says where memory lies.
    loadRest(this.at(gpa), this.cpu.state);
  }
  save(gpa: bigint): void {
    saveRest(this.at(gpa), this.cpu.state);
  }
  setGlobalInterrupts(on: boolean): void {
    const { state } = this.cpu;
    const others = state.system('interruptibility') & ~BLOCKED_BY.gif;
    state.setSystem('interruptibility', on ? others : others | BLOCKED_BY.gif);
  }
  /** A guest whose GIF is virtual has its own (15.33.2). */
  private get virtualGif(): boolean {
    return (this.interrupts & V_INTR.VGIF_ENABLE) !== 0n;
  }
  private get interrupts(): bigint {
    return this.vmcb!.read(CONTROL.V_INTR);
  }

  run(gpa: bigint, nextRip: bigint): void {
    const { cpu } = this;
    const { state } = cpu;
    const vmcb = this.at(gpa);
    const host = this.at(state.system('vm_hsave'));
    const here = state.rip;
    state.rip = nextRip;
    saveGuest(host, state);
    this.hostOpen = (state.systemFlags & RFLAGS.IF) !== 0;
    state.rip = here;
    const dirty = this.clean.broken(vmcb);
    if (dirty)
      cpu.unsupported(
        `a VMCB that is kept on the processor: clean ${dirty}, is set, and they have changed; a processor that keeps them would use the old values`,
      );
    state.setSystem('vmcs', gpa);
    state.setSystem('vm_mode', VM_MODE.svmGuest);
    this.vmcb = vmcb;
    this.translations.begin();
    this.keepPat(host);
    const refused = this.enter(vmcb, cpu.paging) ?? this.loadTables();
    this.lastRefusal = refused;
    if (refused) {
      vmcb.write(CONTROL.EXITCODE, EXIT.INVALID);
      vmcb.write(CONTROL.EXITINFO1, 0n);
      return this.toHost();
    }
    state.setSystem('tsc_offset', BigInt.asUintN(64, state.system('tsc_offset') + vmcb.read(CONTROL.TSC_OFFSET)));
    const event = injection(vmcb, state.rip, vmcb.read(CONTROL.NRIP), state.system('cr2'));
    if (!event) return;
    vmcb.write(CONTROL.EVENTINJ, vmcb.read(CONTROL.EVENTINJ) & ~EVENT.VALID);
    this.injecting = event;
    deliverAtEntry(cpu, event);
    this.injecting = undefined;
  }

  private readonly translations = new GuestTlb(this.cpu);
  private get below(): Below {
    const { vmcb } = this;
    const root = this.nestedPaging ? vmcb!.read(CONTROL.N_CR3) | 1n : 0n;
    return [Number(vmcb!.read(CONTROL.GUEST_ASID)) | 0, Number(root & 0xffff_ffffn) | 0, Number(root >> 32n) | 0];
  }
  /** What the VMCB wants forgotten besides (15.16.1). */
  protected override tlbHolds(): boolean {
    const { tlbs } = this.cpu.mmu;
    const asked = Number(this.vmcb!.read(CONTROL.TLB_CONTROL));
    if (asked === TLB_ALL) tlbs.flush();
    return this.translations.entered(this.below) && asked === 0;
  }
  /** PDPTEs, on which PAE's address spaces depend. What is wrong with them, if anything is. */
  private loadTables(): FailedCheck | undefined {
    const { cpu } = this;
    try {
      loadPdptes(cpu);
    } catch (fault) {
      if (!(fault instanceof GuestFault)) throw fault;
      return { section: '15.5.1', field: 'CR3', rule: 'PDPTEs that are present must have no reserved bits' };
    }
    if (cpu.mmu.paging.format.name === 'PAE') cpu.refresh();
    return undefined;
  }
  /** A guest has a PAT of its own under nested paging alone (15.25.4): the host's is kept aside. */
  private keepPat(host: Vmcb): void {
    if (this.nestedPaging) host.write(STATE.G_PAT, this.cpu.state.system('pat'));
  }
  /** INVLPGA (15.16.3): of the host, or of a guest, of which one's are known at most. */
  forget(gva: bigint, asid: number): void {
    const { tlb, tlbs } = this.cpu.mmu;
    (asid === 0 ? tlb : tlbs.guests)?.forget(gva);
  }

  override leave(exit: GuestExit): void {
    const { state } = this.cpu;
    const vmcb = this.vmcb!;
    this.record(exit);
    this.translations.end(this.below);
    this.clean.keep(vmcb);
    state.setSystem('tsc_offset', BigInt.asUintN(64, state.system('tsc_offset') - vmcb.read(CONTROL.TSC_OFFSET)));
    this.toHost();
  }
  private toHost(): void {
    const { cpu } = this;
    const { state } = cpu;
    cpu.overseer = undefined;
    cpu.mmu.walker.second = null;
    const host = this.hostArea();
    if (!host) return this.shutDown('VM_HSAVE_PA: there is no memory');
    loadGuest(host, state);
    if (this.nestedPaging) state.setSystem('pat', host.read(STATE.G_PAT));
    state.rflags = state.rflags & ~RFLAGS.VM;
    state.setSystem('dr7', 0x400n);
    state.setSystem('activity', 0n);
    state.setSystem('vm_mode', VM_MODE.none);
    state.setSystem('interruptibility', (state.system('interruptibility') & BLOCKED_BY.nmi) | BLOCKED_BY.gif);
    cpu.refresh(this.translations.left(true));
    const wrong = this.loadTables();
    if (wrong) this.shutDown(`${wrong.field}: ${wrong.rule}`);
  }
  /** A host that cannot be loaded (15.6). */
  private shutDown(why: string): void {
    const { cpu } = this;
    cpu.unsupported(`a host that #VMEXIT cannot load, ${why}`);
    cpu.shutDown({ vector: VECTOR.GP, source: 'exception', rip: cpu.state.rip, cpl: 0 });
  }

  // --- Interrupts (15.21)

  /** Whether the flag that counts for physical interrupts is set: the host's under V_INTR_MASKING (15.21.1). */
  private get physicalOpen(): boolean {
    const masked = (this.interrupts & V_INTR.MASKING) !== 0n;
    return masked ? this.hostOpen : (this.cpu.state.systemFlags & RFLAGS.IF) !== 0;
  }
  override get takesInterrupts(): boolean {
    return this.wants('intr') && this.physicalOpen;
  }
  get interruptsOpen(): boolean {
    return !this.wants('intr') && this.physicalOpen;
  }
  override due(): GuestExit | undefined {
    const { interrupts, state } = this.cpu;
    if (this.wants('init') && interrupts.signals().init && interrupts.takeInit()) return new GuestExit({ reason: 'init' });
    if (this.wants('nmi') && interrupts.signals().nmi && interrupts.takeNmi()) return new GuestExit({ reason: 'nmi' });
    if (this.takesInterrupts && interrupts.pending()) return new GuestExit({ reason: 'external-interrupt' });
    const shadow = state.system('interruptibility') & (BLOCKED_BY.sti | BLOCKED_BY.movSs);
    return !shadow && this.wants('vintr') && this.virtualPending ? new GuestExit({ reason: 'interrupt-window' }) : undefined;
  } // prettier-ignore
  get virtualPending(): boolean {
    const word = this.interrupts;
    if (!(word & V_INTR.IRQ) || !(this.cpu.state.systemFlags & RFLAGS.IF)) return false;
    if (this.virtualGif && !(word & V_INTR.VGIF)) return false;
    const priority = (word >> V_INTR.PRIORITY_SHIFT) & 15n;
    return (word & V_INTR.IGNORE_TPR) !== 0n || priority > (word & 15n);
  }
  /** A virtual interrupt waits for the guest to open: after any instruction it may. */
  patience(): number {
    return this.interrupts & V_INTR.IRQ ? 1 : Infinity;
  }
  virtualInterrupt(): number | undefined {
    if (!this.virtualPending) return undefined;
    const word = this.interrupts;
    this.vmcb!.write(CONTROL.V_INTR, word & ~V_INTR.IRQ);
    return Number((word >> V_INTR.VECTOR_SHIFT) & 0xffn);
  }
  readControl(index: number, actual: bigint): bigint {
    return index === 8 && this.interrupts & V_INTR.MASKING ? this.interrupts & 15n : actual;
  }
  /** What a guest does to its virtual flag and its virtual priority, and nothing to the processor's (15.21.1, 15.33.2). */
  override instruction(instruction: Instruction): 'done' | GuestExit | undefined {
    const exit = super.instruction(instruction);
    if (exit) return exit;
    const { mnemonic } = instruction.row;
    if (mnemonic === 'stgi' || mnemonic === 'clgi') return this.virtualGif ? this.setVirtualGif(mnemonic === 'stgi') : undefined;
    const [to, from] = instruction.operands;
    if (to?.kind !== 'control' || to.index !== 8 || from?.kind !== 'gpr') return undefined;
    const value = this.cpu.state.gpr(from.index);
    if (value > 15n) throw gp(0);
    const word = (this.interrupts & ~V_INTR.TPR) | value;
    this.vmcb!.write(CONTROL.V_INTR, word);
    return word & V_INTR.MASKING ? 'done' : undefined;
  } // prettier-ignore
  private setVirtualGif(on: boolean): 'done' {
    this.vmcb!.write(CONTROL.V_INTR, on ? this.interrupts | V_INTR.VGIF : this.interrupts & ~V_INTR.VGIF);
    return 'done';
  }

  /** After a snapshot was loaded: the registers say whether a guest runs. */
  recover(): void {
    const { state } = this.cpu;
    if (state.system('vm_mode') !== VM_MODE.svmGuest) return;
    this.hostOpen = ((this.hostArea()?.read(STATE.RFLAGS) ?? 0n) & BigInt(RFLAGS.IF)) !== 0n;
    this.translations.useGuests();
    this.obey(this.at(state.system('vmcs')));
  }
}

const KINDS: Readonly<Record<number, PendingEvent['kind']>> = {
  [EVENT.INTERRUPT]: 'interrupt', [EVENT.NMI]: 'nmi', [EVENT.EXCEPTION]: 'fault', [EVENT.SOFTWARE]: 'int',
}; // prettier-ignore
/** 15.20. A software event returns behind its instruction. */
function injection(vmcb: Vmcb, rip: bigint, next: bigint, cr2: bigint): PendingEvent | undefined {
  const word = vmcb.read(CONTROL.EVENTINJ);
  if (!(word & EVENT.VALID)) return undefined;
  const type = Number((word >> 8n) & 7n);
  const vector = Number(word & 0xffn);
  const event: PendingEvent = { vector, kind: KINDS[type] ?? 'fault', returnRip: type === EVENT.SOFTWARE ? next : rip };
  if (word & EVENT.ERROR_VALID) event.errorCode = Number(word >> 32n);
  if (vector === VECTOR.PF && event.kind === 'fault') event.address = cr2;
  return event;
}
