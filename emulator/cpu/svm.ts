/**
 * AMD-V, the guest's side of it: what a guest leaves for, and what the VMCB then says (APM vol. 2 chapter 15). The unit
 * oversees the processor from VMRUN to #VMEXIT. VMRUN as an instruction, with GIF and the host's save area, is in svm-unit.ts;
 * our own engine (hypervisor/engines/amd-v.ts) uses this class alone.
 */
import type { Instruction } from '../isa/instruction';
import { nptContext } from '../mmu/guest-paging';
import { SecondStage } from '../mmu/second-stage';
import { CR0, VECTOR } from '../x86/registers';
import { CONTROL, EXIT, MSRPM_RANGES } from '../x86/vmcb';
import type { Intercept } from '../x86/vmcb';
import { knownCr4 } from './control';
import type { Cpu } from './cpu';
import { interceptedBy } from './intercepts';
import type { Interceptable } from './intercepts';
import type { ExitCause, PendingEvent } from './exit-cause';
import { GuestExit } from './ports';
import type { Overseer } from './ports';
import { failedVmrunCheck } from './svm-checks';
import type { FailedCheck } from './svm-checks';
import { isIntercept, placeOf, writeExit } from './svm-exit';
import type { Vmcb } from './svm-state';
import { loadGuest, saveGuest } from './svm-state';

const has = (value: bigint, mask: number): boolean => (value & BigInt(mask >>> 0)) !== 0n;

export class Svm implements Overseer {
  /** The VMCB of the guest that runs. */
  vmcb?: Vmcb;
  private misc1 = 0;
  private misc2 = 0;

  constructor(protected readonly cpu: Cpu) {}

  readonly asks = true;
  get sparesSpinning(): boolean {
    return !this.wants('rdtsc') && !this.wants('pause');
  }
  get takesInterrupts(): boolean {
    return false;
  }
  private nested?: { root: number; second: SecondStage };

  /** VMRUN's part for the guest. The other general registers are loaded already. `paging`: the host's. Answers the check that failed, if one did. */
  enter(vmcb: Vmcb, paging = true): FailedCheck | undefined {
    const { cpu } = this;
    const failed = failedVmrunCheck(vmcb, { cr4: knownCr4(cpu), paging });
    if (failed) {
      vmcb.write(CONTROL.EXITCODE, EXIT.INVALID);
      return failed;
    }
    loadGuest(vmcb, cpu.state);
    cpu.state.setSystem('interruptibility', vmcb.read(CONTROL.INTERRUPT_SHADOW) & 1n);
    cpu.state.setSystem('activity', 0n);
    this.obey(vmcb);
    cpu.refresh(this.tlbHolds());
    return undefined;
  }
  /** The TLB knows what the guest left there. */
  protected tlbHolds(): boolean {
    return false;
  }
  /** Intercepts as the VMCB has them. */
  obey(vmcb: Vmcb): void {
    this.vmcb = vmcb;
    this.misc1 = Number(vmcb.read(CONTROL.INTERCEPT_MISC1));
    this.misc2 = Number(vmcb.read(CONTROL.INTERCEPT_MISC2));
    this.cpu.mmu.walker.second = this.secondStage(vmcb);
    this.cpu.overseer = this;
  }
  /** The same guest goes on where it was: nothing to load. */
  resume(): void {
    this.cpu.overseer = this;
    this.cpu.modeChanged();
  }

  protected get nestedPaging(): boolean {
    return (this.vmcb!.read(CONTROL.NP_ENABLE) & 1n) !== 0n;
  }
  private secondStage(vmcb: Vmcb): SecondStage | null {
    if (!this.nestedPaging) return null;
    const root = Number(vmcb.read(CONTROL.N_CR3) & 0xf_ffff_ffff_f000n);
    if (this.nested?.root !== root) {
      this.nested = { root, second: new SecondStage(this.cpu.mmu.physical, nptContext(root)) };
    }
    return this.nested!.second;
  }

  protected wants(name: Intercept): boolean {
    const { word, bit } = placeOf(name);
    return ((word === 1 ? this.misc1 : this.misc2) & (1 << bit)) !== 0;
  }

  // --- Overseer

  instruction(instruction: Instruction): 'done' | GuestExit | undefined {
    const what = interceptedBy(this.cpu, instruction);
    return what && this.intercepts(what) ? new GuestExit(what, instruction) : undefined;
  }
  private intercepts(cause: Interceptable): boolean {
    const vmcb = this.vmcb!;
    const { reason } = cause;
    switch (reason) {
      case 'io':
        return this.wants('io') && this.portBit(cause.port, cause.bytes);
      case 'msr-read':
      case 'msr-write':
        return this.wants('msr') && this.msrBit(cause.msr, cause.reason === 'msr-write');
      case 'cr-access': {
        const writes = cause.access !== 'read' && cause.access !== 'smsw';
        const field = writes ? CONTROL.INTERCEPT_CR_WRITE : CONTROL.INTERCEPT_CR_READ;
        return has(vmcb.read(field), 1 << cause.register) || (writes && this.selective(cause));
      }
      case 'dr-access':
        return has(
          vmcb.read(cause.write ? CONTROL.INTERCEPT_DR_WRITE : CONTROL.INTERCEPT_DR_READ),
          1 << cause.register,
        );
      case 'descriptor-table':
        return this.wants(`${cause.register}-${cause.store ? 'read' : 'write'}` as Intercept);
      case 'virtualization':
        return this.wants(cause.mnemonic as Intercept);
      case 'int1':
        return this.wants('icebp');
      default:
        return isIntercept(reason) && this.wants(reason);
    }
  }
  /** Writes of CR0 that change more than TS and MP (15.9). */
  private selective({ register, access, value }: Extract<Interceptable, { reason: 'cr-access' }>): boolean {
    if (register !== 0 || access === 'clts' || !this.wants('cr0-selective-write')) return false;
    const changed = value ^ this.cpu.state.system('cr0');
    return access === 'lmsw' || (changed & ~BigInt(CR0.TS | CR0.MP)) !== 0n;
  }
  /** The maps lie in host-physical memory (15.10.1, 15.11). */
  private bit(base: bigint, bit: number): boolean {
    const { physical } = this.cpu.mmu;
    const host = physical.hostAddress(Number(base) + (bit >>> 3));
    return host < 0 || (physical.data[host] & (1 << (bit & 7))) !== 0;
  }
  private portBit(port: number, bytes: number): boolean {
    const base = this.vmcb!.read(CONTROL.IOPM_BASE_PA) & ~0xfffn;
    for (let i = 0; i < bytes; i++) if (this.bit(base, port + i)) return true;
    return false;
  }
  private msrBit(msr: number, write: boolean): boolean {
    const range = MSRPM_RANGES.find(({ first, last }) => msr >= first && msr <= last);
    if (!range) return true;
    const base = this.vmcb!.read(CONTROL.MSRPM_BASE_PA) & ~0xfffn;
    return this.bit(base + BigInt(range.bytes), (msr - range.first) * 2 + (write ? 1 : 0));
  }

  /** The event that entry delivers: it does not leave the guest again. */
  injecting?: PendingEvent;
  event(event: PendingEvent): void {
    if (event === this.injecting) return;
    const exit = this.exitFor(event);
    if (exit) throw exit;
  }
  exitFor(event: PendingEvent): GuestExit | undefined {
    const { kind, vector } = event;
    const exception = kind === 'fault' || kind === 'trap' || kind === 'int3' || kind === 'into' || kind === 'int1';
    const wanted = exception && has(this.vmcb!.read(CONTROL.INTERCEPT_EXCEPTIONS), 1 << vector);
    return wanted ? new GuestExit({ reason: 'exception', event }) : undefined;
  }
  tripleFault(): void {
    if (this.wants('shutdown')) throw new GuestExit({ reason: 'triple-fault' });
  }
  due(): GuestExit | undefined {
    return undefined;
  }
  taskSwitch(cause: Extract<ExitCause, { reason: 'task-switch' }>): void {
    if (this.wants('task-switch')) throw new GuestExit(cause);
  }

  leave(exit: GuestExit): void {
    this.record(exit);
    this.cpu.overseer = undefined;
  }
  /** #VMEXIT (15.6): what the guest leaves behind is in the VMCB; the processor's registers are still its. */
  record(exit: GuestExit): void {
    const { cpu, vmcb } = this;
    const { cause } = exit;
    // DR6 and DR7 are as the handler would have found them (15.12.2).
    if (cause.reason === 'exception' && cause.event.vector === VECTOR.DB) cpu.debug.raised(cause.event);
    saveGuest(vmcb!, cpu.state);
    vmcb!.write(CONTROL.INTERRUPT_SHADOW, cpu.state.system('interruptibility') & 3n ? 1n : 0n);
    writeExit(vmcb!, exit, cpu);
    this.injecting = undefined;
  }
}
