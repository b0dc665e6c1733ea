/** VT-x: entries with the manual's checks, exits by the VMCS. With EPT the guest is unrestricted: real mode runs as it is. */
import type { Cpu } from '../../cpu/cpu';
import { knownCr4 } from '../../cpu/control';
import type { GuestExit } from '../../cpu/ports';
import { SYSTEM_ADDRESS } from '../../execution/layout';
import { ATTRIBUTE } from '../../cpu/state';
import type { CpuState } from '../../cpu/state';
import { Vmcs, wordsOf } from '../../cpu/vmcs-region';
import { Vmx } from '../../cpu/vmx';
import { CONTROLS, CR0_FIXED, CR0_UNRESTRICTED } from '../../cpu/vmx-capabilities';
import { ENTRY_CHECKS, failedCheck } from '../../cpu/vmx-checks';
import { writeExit } from '../../cpu/vmx-exit';
import { saveGuest } from '../../cpu/vmx-state';
import type { Paging } from '../../machine/api';
import { EPTP } from '../../mmu/ept';
import { CR0, CR4, EFER, SEG, VECTOR } from '../../x86/registers';
import { ENTRY_CONTROL, EXIT_CONTROL, PIN, PRIMARY, SECONDARY } from '../../x86/vmcs';
import type { VmExit } from '../exit';
import type { Guest } from '../guest';
import type { Host } from '../host';
import { EPT_FORMAT } from '../nested-paging';
import type { ShadowTables } from '../shadow/tables';
import { FREE_MSRS, HardwareEngine } from './hardware';
import type { InForce } from './hardware';
import { decodeVmcs } from './vmcs-exit';

const bits = (...numbers: number[]): number => numbers.reduce((mask, n) => mask | (1 << n), 0);
const WANTED = bits(PRIMARY.HLT, PRIMARY.MWAIT, PRIMARY.MONITOR, PRIMARY.RDPMC, PRIMARY.CR8_LOAD, PRIMARY.CR8_STORE, PRIMARY.UNCONDITIONAL_IO, PRIMARY.MSR_BITMAPS, PRIMARY.SECONDARY); // prettier-ignore
const SECONDARY_WANTED = bits(SECONDARY.VPID, SECONDARY.WBINVD, SECONDARY.RDTSCP, SECONDARY.INVPCID, SECONDARY.XSAVES);
const EXIT_WANTED = bits(EXIT_CONTROL.SAVE_DEBUG, EXIT_CONTROL.HOST_64, EXIT_CONTROL.SAVE_PAT, EXIT_CONTROL.LOAD_PAT, EXIT_CONTROL.SAVE_EFER, EXIT_CONTROL.LOAD_EFER); // prettier-ignore
const ENTRY_WANTED = bits(ENTRY_CONTROL.LOAD_DEBUG, ENTRY_CONTROL.LOAD_PAT, ENTRY_CONTROL.LOAD_EFER);
/** The MSR bitmap: reads of the low and high range, then writes. */
const HIGH_READS = 0x400 * 8;
const WRITES = 0x800 * 8;
/** Where our hypervisor would go on: nothing of it is executed. */
const HOST_ENTRY = 0xffff_ffff_ff80_0000n;
const HOST_SELECTORS = { CS: 0x08, TR: 0x10 } as const;
const DATA_SEGMENTS = [SEG.DS, SEG.ES, SEG.FS, SEG.GS] as const;
/** Types: bit 3 is code; from here on conforming code. */
const CODE = 8;
const CONFORMING = 11;
const CONTROL_REGISTERS = ['GUEST_CR0', 'GUEST_CR3', 'GUEST_CR4', 'GUEST_EFER'] as const;
const DEFAULT_PAT = 0x0007_0406_0007_0406n;

export class VtX extends HardwareEngine {
  protected readonly mode: Vmx;
  private readonly vmcss: readonly Vmcs[];

  constructor(host: Host, guest: Guest, paging: Paging, cpus: number) {
    super(host, guest, paging, EPT_FORMAT);
    this.mode = new Vmx(host.processor);
    const msrs = this.pages(1, 0xff);
    for (const msr of FREE_MSRS)
      for (const way of [HIGH_READS, HIGH_READS + WRITES]) this.clearBit(msrs, way + (msr & 0x1fff));
    this.vmcss = Array.from({ length: cpus }, () => this.newVmcs(msrs));
  }
  private newVmcs(msrs: number): Vmcs {
    const vmcs = new Vmcs(this.host.physical, this.pages(1, 0));
    vmcs.format();
    const { pin, primary, exit, entry } = CONTROLS;
    vmcs.write('PIN_CONTROLS', pin.zero | bits(PIN.EXTERNAL_INTERRUPT, PIN.NMI));
    const cr3 = this.shadow ? bits(PRIMARY.CR3_LOAD, PRIMARY.CR3_STORE) : 0;
    vmcs.write('PRIMARY_CONTROLS', primary.zero | WANTED | cr3);
    const ept = this.nested ? bits(SECONDARY.EPT, SECONDARY.UNRESTRICTED) : 0;
    vmcs.write('SECONDARY_CONTROLS', SECONDARY_WANTED | ept);
    vmcs.write('EXIT_CONTROLS', exit.zero | EXIT_WANTED);
    vmcs.write('ENTRY_CONTROLS', entry.zero | ENTRY_WANTED);
    vmcs.write('EXCEPTION_BITMAP', this.shadow ? 1 << VECTOR.PF : 0);
    vmcs.write('MSR_BITMAPS', BigInt(msrs));
    vmcs.write('VPID', this.guest.index + 1);
    vmcs.write('VMCS_LINK_POINTER', 0xffff_ffff_ffff_ffffn);
    // Under shadow paging every bit is the hypervisor's; else those that VMX operation fixes.
    vmcs.write('CR0_MASK', this.shadow ? 0xffff_ffffn : BigInt(CR0.NE));
    vmcs.write('CR4_MASK', this.shadow ? 0xffff_ffffn : BigInt(CR4.VMXE));
    vmcs.write('HOST_CR0', BigInt((CR0_FIXED | CR0.WP | CR0.ET) >>> 0));
    vmcs.write('HOST_CR4', BigInt(CR4.PAE | CR4.VMXE));
    vmcs.write('HOST_EFER', BigInt(EFER.LMA | EFER.LME | EFER.NXE));
    vmcs.write('HOST_PAT', DEFAULT_PAT);
    vmcs.write('HOST_RIP', HOST_ENTRY);
    vmcs.write('HOST_CS', HOST_SELECTORS.CS);
    vmcs.write('HOST_TR', HOST_SELECTORS.TR);
    return vmcs;
  }

  protected control(vcpu: number): Vmcs {
    const vmcs = this.vmcss[vcpu];
    // Nobody but who looks reads the guest-state area: it is written for him.
    if (vmcs.launched) this.saveRegisters(vmcs, this.guest.cpus[vcpu].state);
    return vmcs;
  }
  /** All that the guest may change; under shadow paging its control registers are not among it. */
  private saveRegisters(vmcs: Vmcs, state: CpuState): void {
    const own = CONTROL_REGISTERS.map((field) => vmcs.read(field));
    saveGuest(vmcs, state);
    if (this.nested) this.writeControls(vmcs, this.registersFor(state));
    else CONTROL_REGISTERS.forEach((field, i) => vmcs.write(field, own[i]));
  }
  private writeControls(vmcs: Vmcs, { cr0, cr3, cr4, efer }: InForce): void {
    [cr0, cr3, cr4, efer].forEach((value, i) => vmcs.write(CONTROL_REGISTERS[i], value));
    const wide = 1n << BigInt(ENTRY_CONTROL.GUEST_64);
    const controls = vmcs.read('ENTRY_CONTROLS');
    vmcs.write('ENTRY_CONTROLS', efer & BigInt(EFER.LMA) ? controls | wide : controls & ~wide);
  }
  protected registersFor(state: CpuState, tables?: ShadowTables | number): InForce {
    const own = this.ownRegisters(state, tables);
    const fixed = this.shadow ? CR0_FIXED : CR0_UNRESTRICTED;
    return { ...own, cr0: own.cr0 | BigInt(fixed >>> 0), cr4: own.cr4 | BigInt(CR4.VMXE) };
  }
  protected prepare(cpu: Cpu, state: CpuState, inForce: InForce, tables: ShadowTables | number): void {
    const vmcs = this.vmcss[cpu.apicId];
    vmcs.write('CR0_SHADOW', state.system('cr0'));
    vmcs.write('CR4_SHADOW', state.system('cr4'));
    if (typeof tables === 'number') vmcs.write('EPT_POINTER', BigInt(tables | EPTP.LENGTH_4 | EPTP.WRITE_BACK));
    this.writeControls(vmcs, inForce);
  }
  protected start({ apicId }: Cpu): void {
    const vmcs = this.vmcss[apicId];
    vmcs.launched = true;
    this.mode.obey(vmcs);
    this.mode.resume();
  }
  protected refusalOf(cpu: Cpu, state: CpuState, inForce: InForce): string | undefined {
    const vmcs = this.vmcss[cpu.apicId];
    saveGuest(vmcs, state);
    this.writeControls(vmcs, inForce);
    const host = { cr4: knownCr4(cpu) | CR4.VMXE, wide: true, peek: wordsOf(this.host.physical) };
    const failed = failedCheck(vmcs, host);
    if (failed < 0) return undefined;
    const { field, rule, section } = ENTRY_CHECKS[failed];
    return `VM entry refuses its state: ${field} = 0x${vmcs.read(field).toString(16)}, ${rule} (SDM vol. 3C ${section})`;
  }
  protected record({ apicId }: Cpu, exit: GuestExit): void {
    const { processor } = this.host;
    if (!writeExit(this.vmcss[apicId], exit, processor)) processor.unsupported(`VT-x exit for ${exit.cause.reason}`);
  }
  /**
   * Without unrestricted guests entry wants segments as loads in protected mode leave them (SDM vol. 3C 27.3.1.2); what the guest has
   * between its entry to that mode and its last load is for the virtual processor.
   */
  protected override canEnter(cpu: Cpu): boolean {
    if (!super.canEnter(cpu) || cpu.virtual8086) return cpu.protected;
    const { state } = cpu;
    const rpl = (index: number): number => state.selector(index) & 3;
    const attributes = state.segmentAttributes(SEG.CS);
    if (!(attributes & CODE) || rpl(SEG.CS) !== rpl(SEG.SS) || rpl(SEG.SS) !== state.cpl) return false;
    return DATA_SEGMENTS.every((index) => {
      const data = state.segmentAttributes(index);
      return (data & ATTRIBUTE.UNUSABLE) !== 0 || (data & ATTRIBUTE.TYPE) > CONFORMING || rpl(index) <= (data & ATTRIBUTE.DPL) >>> 5;
    });
  } // prettier-ignore
  protected decode(cpu: Cpu, exit: GuestExit): VmExit {
    return decodeVmcs(this.vmcss[cpu.apicId], this.guest, cpu, exit.instruction);
  }
  protected believe({ view }: CpuState, cr0: number): void {
    const { cr0: at, cr4 } = SYSTEM_ADDRESS;
    view.setInt32(at, (view.getInt32(at, true) & ~CR0.NE) | (cr0 & CR0.NE), true);
    view.setInt32(cr4, view.getInt32(cr4, true) & ~CR4.VMXE, true);
  }
}
