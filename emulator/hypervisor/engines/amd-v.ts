/** AMD-V: entries by VMRUN's rules, exits by the VMCB. */
import type { Cpu } from '../../cpu/cpu';
import type { GuestExit } from '../../cpu/ports';
import { SYSTEM_ADDRESS } from '../../execution/layout';
import type { CpuState } from '../../cpu/state';
import { knownCr4 } from '../../cpu/control';
import { Svm } from '../../cpu/svm';
import { failedVmrunCheck } from '../../cpu/svm-checks';
import { writeExit } from '../../cpu/svm-exit';
import { saveGuest, saveRest, Vmcb } from '../../cpu/svm-state';
import type { Paging } from '../../machine/api';
import { NPT } from '../nested-paging';
import { VECTOR } from '../../x86/registers';
import { CONTROL, MISC1, MISC2, MSRPM_RANGES, STATE, SVME } from '../../x86/vmcb';
import type { Intercept } from '../../x86/vmcb';
import type { VmExit } from '../exit';
import type { Guest } from '../guest';
import type { Host } from '../host';
import type { ShadowTables } from '../shadow/tables';
import { FREE_MSRS, HardwareEngine } from './hardware';
import type { InForce } from './hardware';
import { decodeVmcb } from './vmcb-exit';

/** What the hypervisor wants to see. Everything else is the guest's own, its page faults and CR3 among it. */
const WANTED: readonly Intercept[] = ['intr', 'nmi', 'init', 'cpuid', 'rdpmc', 'invd', 'wbinvd', 'hlt', 'io', 'msr', 'shutdown', 'vmrun', 'vmmcall', 'vmload', 'vmsave', 'stgi', 'clgi', 'skinit', 'monitor', 'mwait', 'xsetbv']; // prettier-ignore
/** The task-priority register is a device's. */
const CR8 = 1 << 8;
const CONTROL_REGISTERS = [STATE.CR0, STATE.CR3, STATE.CR4, STATE.EFER] as const;
const PAGING_REGISTERS = (1 << 0) | (1 << 3) | (1 << 4);
/** Pages of the two permission maps. */
const IOPM_PAGES = 3;
const MSRPM_PAGES = 2;

export class AmdV extends HardwareEngine {
  protected readonly mode: Svm;
  private readonly vmcbs: readonly Vmcb[];
  /** Virtual processors that have run. */
  private readonly entered = new Set<number>();

  constructor(host: Host, guest: Guest, paging: Paging, cpus: number) {
    super(host, guest, paging, NPT);
    this.mode = new Svm(host.processor);
    const ports = this.pages(IOPM_PAGES, 0xff);
    const msrs = this.pages(MSRPM_PAGES, 0xff);
    for (const msr of FREE_MSRS) {
      const { first, bytes } = MSRPM_RANGES.find((range) => msr >= range.first && msr <= range.last)!;
      for (const bit of [0, 1]) this.clearBit(msrs, bytes * 8 + (msr - first) * 2 + bit);
    }
    this.vmcbs = Array.from({ length: cpus }, () => this.newVmcb(ports, msrs));
  }
  private newVmcb(ports: number, msrs: number): Vmcb {
    const vmcb = new Vmcb(this.host.physical, this.pages(1, 0));
    // A task switch loads CR3.
    const wanted: readonly string[] = this.shadow ? [...WANTED, 'task-switch'] : WANTED;
    const bits = (names: readonly string[]): number =>
      names.reduce((mask, name, bit) => (wanted.includes(name) ? mask | (1 << bit) : mask), 0) >>> 0;
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

  protected control(vcpu: number): Vmcb {
    const vmcb = this.vmcbs[vcpu];
    // Nobody but who looks reads the save area: it is written for him.
    if (this.entered.has(vcpu)) this.saveRegisters(vmcb, this.guest.cpus[vcpu].state);
    return vmcb;
  }
  /** All that the guest may change; under shadow paging its control registers are not among it. */
  private saveRegisters(vmcb: Vmcb, state: CpuState): void {
    const own = CONTROL_REGISTERS.map((field) => vmcb.read(field));
    saveGuest(vmcb, state);
    saveRest(vmcb, state);
    vmcb.write(CONTROL.INTERRUPT_SHADOW, state.system('interruptibility') & 3n ? 1n : 0n);
    if (this.nested) this.writeControls(vmcb, this.registersFor(state));
    else CONTROL_REGISTERS.forEach((field, i) => vmcb.write(field, own[i]));
  }
  private writeControls(vmcb: Vmcb, { cr0, cr3, cr4, efer }: InForce): void {
    [cr0, cr3, cr4, efer].forEach((value, i) => vmcb.write(CONTROL_REGISTERS[i], value));
  }
  protected registersFor(state: CpuState, tables?: ShadowTables | number): InForce {
    const own = this.ownRegisters(state, tables);
    return { ...own, efer: own.efer | BigInt(SVME) };
  }
  protected prepare({ apicId }: Cpu, _: CpuState, inForce: InForce, tables: ShadowTables | number): void {
    const vmcb = this.vmcbs[apicId];
    if (typeof tables === 'number') vmcb.write(CONTROL.N_CR3, tables);
    this.writeControls(vmcb, inForce);
  }
  protected start({ apicId }: Cpu): void {
    this.entered.add(apicId);
    this.mode.obey(this.vmcbs[apicId]);
  }
  protected refusalOf(cpu: Cpu, state: CpuState, inForce: InForce): string | undefined {
    const vmcb = this.vmcbs[cpu.apicId];
    saveGuest(vmcb, state);
    this.writeControls(vmcb, inForce);
    const failed = failedVmrunCheck(vmcb, { cr4: knownCr4(cpu), paging: true });
    return failed && `VMRUN refuses its state: ${failed.field}, ${failed.rule} (APM vol. 2 ${failed.section})`;
  }
  protected record({ apicId }: Cpu, exit: GuestExit): void {
    writeExit(this.vmcbs[apicId], exit, this.host.processor);
  }
  protected decode(cpu: Cpu, exit: GuestExit): VmExit {
    return decodeVmcb(this.vmcbs[cpu.apicId], this.guest, cpu, exit.instruction);
  }
  protected believe({ view }: CpuState): void {
    const { efer } = SYSTEM_ADDRESS;
    view.setInt32(efer, view.getInt32(efer, true) & ~SVME, true);
  }
}
