/**
 * VT-x for a hypervisor that runs on the processor: VMXON to VMXOFF, VM entries with all their checks, and exits that load its
 * host state (SDM vol. 3C chapters 27, 28, 31). Where VMX operation stands is in the processor's registers (`vm_mode`,
 * `vmxon`, `vmcs`), so that a snapshot holds it.
 */
import { MAXPHYADDR } from '../mmu/guest-paging';
import { VECTOR } from '../x86/registers';
import {
  ENTRY_FAILED, EXIT_CONTROL, INTERRUPTION, isHigh, isReadOnly, PIN, PRIMARY, REASON, SECONDARY, VMCS_REVISION, VMX_ERROR, widthOf,
} from '../x86/vmcs'; // prettier-ignore
import { knownCr4, loadPdptes } from './control';
import { deliverAtEntry } from './events';
import type { PendingEvent } from './exit-cause';
import { gp } from './faults';
import { GuestFault } from './ports';
import type { GuestExit, VmxResult, VmxUnit } from './ports';
import { GuestTlb } from './guest-tlb';
import type { Below } from './guest-tlb';
import { fieldOf, placeOf, Vmcs, wordsOf } from './vmcs-region';
import { Vmx } from './vmx';
import { CR0_FIXED, TIMER_SHIFT } from './vmx-capabilities';
import { isCanonical } from '../util/words';
import { BLOCKED_BY } from './stretch';
import { CheckMemo } from './vmx-check-memo';
import { badEptPointer, ENTRY_CHECKS, refusalOf, secondary } from './vmx-checks';
import type { EntryCheck } from './vmx-checks';
import { loadMsrs, storeMsrs } from './vmx-msrs';
import { loadHost } from './vmx-state';
import { VM_MODE } from './vm-mode';

const [EPT_POINTER, ACCESS_PAGE] = [placeOf('EPT_POINTER'), placeOf('APIC_ACCESS_PAGE')];
/** VMCSs of which is kept what was checked. */
const MOST_MEMOS = 16;
const NONE = 0xffff_ffff_ffff_ffffn;
/** VMX aborts (28.7): an MSR of the exit lists cannot be stored, or loaded; PDPTEs of the host have reserved bits. */
const ABORT = { store: 1, pdptes: 2, load: 4 } as const;
const KINDS: readonly PendingEvent['kind'][] = ['interrupt', 'interrupt', 'nmi', 'fault', 'int', 'int1', 'int3', 'fault']; // prettier-ignore

/** Table 27-1 and 27.8. */
const qualificationOf = ({ field }: EntryCheck): bigint =>
  field === 'VMCS_LINK_POINTER' ? 4n : field.startsWith('GUEST_PDPTE') ? 2n : 0n;
/** SDM vol. 3C 31.3, INVEPT and INVVPID: types, and what their descriptors must say. */
const validInvept = (type: bigint, [pointer]: readonly [bigint, bigint]): boolean =>
  type === 2n || (type === 1n && !badEptPointer(pointer));
function validInvvpid(type: bigint, [tag, address]: readonly [bigint, bigint]): boolean {
  if (type > 3n || tag >> 16n !== 0n) return false;
  return type === 2n || (tag !== 0n && (type !== 0n || isCanonical(address)));
}

export class HostedVmx extends Vmx implements VmxUnit {
  /** Why the last entry was refused, in words: for people. */
  lastRefusal?: { field: string; rule: string };

  get on(): boolean {
    return (
      this.cpu.state.system('vm_mode') === VM_MODE.vmxRoot || this.cpu.state.system('vm_mode') === VM_MODE.vmxGuest
    );
  }
  get current(): bigint {
    return this.cpu.state.system('vmcs');
  }

  enable(region: bigint): VmxResult {
    const { state } = this.cpu;
    if (this.on) return this.fail(VMX_ERROR.VMXON_IN_ROOT);
    // The feature-control MSR must be locked with VMX enabled (24.7).
    if ((state.system('feature_control') & 5n) !== 5n) throw gp(0);
    if ((state.system32('cr0') & CR0_FIXED) >>> 0 !== CR0_FIXED) throw gp(0);
    if (!this.isRegion(region)) return 'invalid';
    this.cpu.mmu.tlbs.forgetGuests();
    state.setSystem('vmxon', region);
    state.setSystem('vmcs', NONE);
    state.setSystem('vm_mode', VM_MODE.vmxRoot);
    return 'ok';
  }
  disable(): VmxResult {
    this.cpu.state.setSystem('vm_mode', VM_MODE.none);
    return 'ok';
  }
  private isAddress(gpa: bigint): boolean {
    return (
      (gpa & 0xfffn) === 0n && gpa >> BigInt(MAXPHYADDR) === 0n && this.cpu.mmu.physical.hostAddress(Number(gpa)) >= 0
    );
  }
  private isRegion(gpa: bigint): boolean {
    return this.isAddress(gpa) && this.at(gpa).revision === VMCS_REVISION;
  }
  private at(gpa: bigint): Vmcs {
    return new Vmcs(this.cpu.mmu.physical, Number(gpa));
  }
  private get currentVmcs(): Vmcs | undefined {
    return this.current === NONE ? undefined : this.at(this.current);
  }
  /** VMfail: with an error number in the current VMCS, if there is one. */
  private fail(error: number): VmxResult {
    const vmcs = this.currentVmcs;
    if (!vmcs) return 'invalid';
    vmcs.write('VM_INSTRUCTION_ERROR', error);
    return error;
  }

  call(): VmxResult {
    return this.fail(VMX_ERROR.VMCALL_IN_ROOT);
  }
  clear(gpa: bigint): VmxResult {
    if (!this.isAddress(gpa)) return this.fail(VMX_ERROR.VMCLEAR_ADDRESS);
    if (gpa === this.cpu.state.system('vmxon')) return this.fail(VMX_ERROR.VMCLEAR_VMXON);
    this.at(gpa).launched = false;
    if (gpa === this.current) this.cpu.state.setSystem('vmcs', NONE);
    return 'ok';
  }
  load(gpa: bigint): VmxResult {
    if (!this.isAddress(gpa)) return this.fail(VMX_ERROR.VMPTRLD_ADDRESS);
    if (gpa === this.cpu.state.system('vmxon')) return this.fail(VMX_ERROR.VMPTRLD_VMXON);
    if (!this.isRegion(gpa)) return this.fail(VMX_ERROR.VMPTRLD_REVISION);
    this.cpu.state.setSystem('vmcs', gpa);
    return 'ok';
  }
  readField(encoding: bigint): { value: bigint } | VmxResult {
    const vmcs = this.currentVmcs;
    if (!vmcs) return 'invalid';
    const field = encoding >> 32n ? undefined : fieldOf(Number(encoding));
    if (!field) return this.fail(VMX_ERROR.NO_FIELD);
    const value = vmcs.read(field);
    return { value: isHigh(Number(encoding)) ? value >> 32n : value };
  }
  writeField(encoding: bigint, value: bigint): VmxResult {
    const vmcs = this.currentVmcs;
    if (!vmcs) return 'invalid';
    const field = encoding >> 32n ? undefined : fieldOf(Number(encoding));
    if (!field) return this.fail(VMX_ERROR.NO_FIELD);
    if (isReadOnly(Number(encoding))) return this.fail(VMX_ERROR.READ_ONLY_FIELD);
    if (isHigh(Number(encoding))) vmcs.write(field, (vmcs.read(field) & 0xffff_ffffn) | (value << 32n));
    else vmcs.write(field, BigInt.asUintN(widthOf(Number(encoding)), value));
    return 'ok';
  }
  invalidate(kind: 'invept' | 'invvpid', type: bigint, descriptor: readonly [bigint, bigint]): VmxResult {
    const right = kind === 'invept' ? validInvept(type, descriptor) : validInvvpid(type, descriptor);
    if (!right) return this.fail(VMX_ERROR.INVEPT_OPERAND);
    // One guest's translations are kept at most: those of others need not be told from them.
    this.cpu.mmu.tlbs.forgetGuests();
    return 'ok';
  }

  // --- Entry

  enter(kind: 'launch' | 'resume', nextRip: bigint): VmxResult | 'jumped' {
    const { cpu } = this;
    const vmcs = this.currentVmcs;
    if (!vmcs) return 'invalid';
    if (cpu.state.system('interruptibility') & 2n) return this.fail(VMX_ERROR.ENTRY_MOV_SS);
    if (kind === 'launch' && vmcs.launched) return this.fail(VMX_ERROR.LAUNCH_NOT_CLEAR);
    if (kind === 'resume' && !vmcs.launched) return this.fail(VMX_ERROR.RESUME_NOT_LAUNCHED);
    this.host.wide = cpu.ia32e;
    const number = this.memoOf(vmcs).failed(this.host);
    if (number >= 0) return this.refuseBy(vmcs, number, nextRip);
    cpu.state.rip = nextRip;
    this.start(vmcs);
    return 'jumped';
  }
  private refuseBy(vmcs: Vmcs, number: number, nextRip: bigint): VmxResult | 'jumped' {
    const check = ENTRY_CHECKS[number];
    this.lastRefusal = check;
    const error = refusalOf(number);
    if (error !== 'exit') return this.fail(error);
    this.cpu.state.rip = nextRip;
    this.refuse(vmcs, REASON.ENTRY_GUEST_STATE, qualificationOf(check));
    return 'jumped';
  }
  private readonly host = { cr4: knownCr4(this.cpu), wide: false, peek: wordsOf(this.cpu.mmu.physical) };
  /** What was found of the VMCSs of late. */
  private readonly memos = new Map<number, CheckMemo>();
  private memoOf(vmcs: Vmcs): CheckMemo {
    const { memos } = this;
    let memo = memos.get(vmcs.gpa);
    if (memo) return memo;
    if (memos.size >= MOST_MEMOS) memos.clear();
    memos.set(vmcs.gpa, (memo = new CheckMemo(vmcs, ENTRY_CHECKS)));
    return memo;
  }
  private start(vmcs: Vmcs): void {
    const { cpu } = this;
    const { state } = cpu;
    const injected = this.injection(vmcs);
    this.translations.begin();
    this.begin(vmcs);
    const bad = loadMsrs(cpu, vmcs, 'ENTRY_MSR_LOAD');
    if (bad > 0) return this.refuse(vmcs, REASON.ENTRY_MSR_LOADING, BigInt(bad));
    vmcs.launched = true;
    state.setSystem('vm_mode', VM_MODE.vmxGuest);
    state.setSystem('tsc_offset', BigInt.asUintN(64, state.system('tsc_offset') + this.tscOffset(vmcs)));
    const timer = BigInt(vmcs.read32('PREEMPTION_TIMER') >>> 0);
    state.setSystem('preemption_deadline', vmcs.has('PIN_CONTROLS', PIN.PREEMPTION_TIMER) ? cpu.ticks() + (timer << BigInt(TIMER_SHIFT)) : 0n);
    if (!injected) return;
    vmcs.write('ENTRY_INTERRUPTION', vmcs.read('ENTRY_INTERRUPTION') & 0x7fff_ffffn);
    this.trapBeforeNext();
    if (injected === 'monitor-trap') return;
    this.injecting = injected;
    deliverAtEntry(cpu, injected);
    this.injecting = undefined;
  } // prettier-ignore
  private readonly translations = new GuestTlb(this.cpu);
  /** Without VPIDs the guest has the hypervisor's tag, and entries and exits forget both's (29.4.3.1). */
  private get below(): Below {
    const vmcs = this.vmcs!;
    const tag = secondary(vmcs, SECONDARY.VPID) ? vmcs.read32('VPID') & 0xffff : 0;
    const accesses = secondary(vmcs, SECONDARY.APIC_ACCESSES) ? vmcs.low(ACCESS_PAGE) | 1 : 0;
    const ept = secondary(vmcs, SECONDARY.EPT);
    return [tag, ept ? vmcs.low(EPT_POINTER) | 1 : 0, ept ? vmcs.high(EPT_POINTER) : 0, accesses];
  }
  protected override tlbHolds(): boolean {
    return this.translations.entered(this.below);
  }
  private tscOffset(vmcs: Vmcs): bigint {
    return vmcs.has('PRIMARY_CONTROLS', PRIMARY.TSC_OFFSETTING) ? vmcs.read('TSC_OFFSET') : 0n;
  }
  /** What entry delivers (27.6). */
  private injection(vmcs: Vmcs): PendingEvent | 'monitor-trap' | undefined {
    const info = vmcs.read32('ENTRY_INTERRUPTION');
    if (info >= 0) return undefined;
    const type = (info >>> 8) & 7;
    if (type === INTERRUPTION.OTHER) return 'monitor-trap';
    const vector = info & 0xff;
    const software = type >= INTERRUPTION.SOFTWARE;
    const rip = vmcs.read('GUEST_RIP') + (software ? vmcs.read('ENTRY_INSTRUCTION_LENGTH') : 0n);
    const event: PendingEvent = { vector, kind: type === INTERRUPTION.SOFTWARE_EXCEPTION && vector === VECTOR.OF ? 'into' : KINDS[type], returnRip: rip };
    if (info & INTERRUPTION.ERROR_VALID) event.errorCode = vmcs.read32('ENTRY_ERROR_CODE') & 0xffff;
    // CR2 is the hypervisor's to set.
    if (vector === VECTOR.PF && event.kind === 'fault') event.address = this.cpu.state.system('cr2');
    return event;
  } // prettier-ignore

  /** An entry that failed after the host was left: an exit that saves nothing (27.8). */
  private refuse(vmcs: Vmcs, reason: number, qualification: bigint): void {
    vmcs.write('EXIT_REASON', BigInt((ENTRY_FAILED | reason) >>> 0));
    vmcs.write('EXIT_QUALIFICATION', qualification);
    this.toHost(vmcs);
  }

  // --- Exit

  override leave(exit: GuestExit): void {
    const { cpu } = this;
    const { state } = cpu;
    const vmcs = this.vmcs!;
    this.record(exit);
    if (vmcs.has('EXIT_CONTROLS', EXIT_CONTROL.SAVE_TIMER)) {
      const left = (state.system('preemption_deadline') - cpu.ticks()) >> BigInt(TIMER_SHIFT);
      vmcs.write('PREEMPTION_TIMER', left > 0n ? left : 0n);
    }
    state.setSystem('tsc_offset', BigInt.asUintN(64, state.system('tsc_offset') - this.tscOffset(vmcs)));
    if (storeMsrs(cpu, vmcs) > 0) this.abort(vmcs, ABORT.store);
    this.translations.end(this.below);
    const { cause } = exit;
    this.toHost(vmcs);
    // An NMI that has come blocks further ones; those that were blocked under virtual NMIs were the guest's.
    if (cause.reason === 'nmi') state.setSystem('interruptibility', BLOCKED_BY.nmi);
    else if (this.virtualNmis) state.setSystem('interruptibility', 0n);
  }
  private toHost(vmcs: Vmcs): void {
    const { cpu } = this;
    cpu.overseer = undefined;
    this.injecting = undefined;
    cpu.mmu.walker.second = null;
    loadHost(vmcs, cpu.state);
    cpu.state.setSystem('vm_mode', VM_MODE.vmxRoot);
    try {
      loadPdptes(cpu);
    } catch (fault) {
      if (!(fault instanceof GuestFault)) throw fault;
      this.abort(vmcs, ABORT.pdptes);
    }
    cpu.refresh(this.translations.left(secondary(vmcs, SECONDARY.VPID)));
    if (vmcs.read32('EXIT_MSR_LOAD_COUNT') === 0) return;
    if (loadMsrs(cpu, vmcs, 'EXIT_MSR_LOAD') > 0) this.abort(vmcs, ABORT.load);
    cpu.refresh();
  }
  private abort(vmcs: Vmcs, indicator: number): void {
    const { cpu } = this;
    vmcs.abort = indicator;
    cpu.unsupported(
      `VMX abort ${indicator}: ${indicator === ABORT.pdptes ? 'PDPTEs of the host have reserved bits' : 'an MSR of the exit lists cannot be moved'}`,
    );
    cpu.shutDown({ vector: VECTOR.GP, source: 'exception', rip: cpu.state.rip, cpl: 0 });
  }
  /** After a snapshot was loaded: the registers say whether a guest runs. */
  recover(): void {
    const { cpu } = this;
    if (cpu.state.system('vm_mode') !== VM_MODE.vmxGuest || this.current === NONE) return;
    this.obey(this.at(this.current));
    this.translations.useGuests();
    cpu.overseer = this;
  }
}
