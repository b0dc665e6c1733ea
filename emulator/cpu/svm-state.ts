/** The guest's registers in a VMCB, and on the processor (APM vol. 2 15.5.1, 15.6; appendix B). */
import type { PhysicalMemory } from '../mmu/physical-memory';
import { assert } from '../util/assert';
import { GPR, SEG } from '../x86/registers';
import { CONTROL, SEGMENT_FIELD, SEGMENT_OFFSETS, SAVE, STATE } from '../x86/vmcb';
import type { VmcbField } from '../x86/vmcb';
import { ATTRIBUTE } from './state';
import type { CpuState, Segment } from './state';
import type { SystemRegister } from '../execution/layout';

/** A VMCB where it lies: one page of host-physical memory. */
export class Vmcb {
  private readonly at: number;
  constructor(
    private readonly memory: PhysicalMemory,
    readonly hpa: number,
  ) {
    this.at = memory.hostAddress(hpa);
    assert(this.at >= 0, `a VMCB at hp:0x${hpa.toString(16)}, where there is no RAM`);
  }
  read({ offset, bytes }: VmcbField): bigint {
    const { view } = this.memory;
    const at = this.at + offset;
    if (bytes === 8) return view.getBigUint64(at, true);
    return BigInt(bytes === 4 ? view.getUint32(at, true) : bytes === 2 ? view.getUint16(at, true) : view.getUint8(at));
  }
  write({ offset, bytes }: VmcbField, value: bigint | number): void {
    const { view } = this.memory;
    const at = this.at + offset;
    if (bytes === 8) view.setBigUint64(at, BigInt.asUintN(64, BigInt(value)), true);
    else if (bytes === 4) view.setUint32(at, Number(value), true);
    else if (bytes === 2) view.setUint16(at, Number(value), true);
    else view.setUint8(at, Number(value));
  }
  readSegment(name: keyof typeof SEGMENT_OFFSETS): Segment {
    const { view } = this.memory;
    const at = this.at + SAVE + SEGMENT_OFFSETS[name];
    return {
      selector: view.getUint16(at + SEGMENT_FIELD.SELECTOR, true),
      attributes: unpack(view.getUint16(at + SEGMENT_FIELD.ATTRIBUTES, true)),
      limit: view.getUint32(at + SEGMENT_FIELD.LIMIT, true),
      base: view.getBigUint64(at + SEGMENT_FIELD.BASE, true),
    };
  }
  writeSegment(name: keyof typeof SEGMENT_OFFSETS, { selector, attributes, limit, base }: Segment): void {
    const { view } = this.memory;
    const at = this.at + SAVE + SEGMENT_OFFSETS[name];
    view.setUint16(at + SEGMENT_FIELD.SELECTOR, selector, true);
    view.setUint16(at + SEGMENT_FIELD.ATTRIBUTES, pack(attributes), true);
    view.setUint32(at + SEGMENT_FIELD.LIMIT, limit, true);
    view.setBigUint64(at + SEGMENT_FIELD.BASE, base, true);
  }
}

/** Bits 11:8 are AVL, L, D/B and G (15.5.1); ours are VMX's, at 15:12. An unusable segment is one that is not present. */
const pack = (attributes: number): number =>
  attributes & ATTRIBUTE.UNUSABLE ? attributes & ATTRIBUTE.DPL : (attributes & 0xff) | ((attributes >>> 4) & 0xf00);
const unpack = (packed: number): number =>
  packed & ATTRIBUTE.P ? (packed & 0xff) | ((packed & 0xf00) << 4) : (packed & ATTRIBUTE.DPL) | ATTRIBUTE.UNUSABLE;

type SegmentRow = readonly [name: 'es' | 'cs' | 'ss' | 'ds' | 'fs' | 'gs' | 'ldtr' | 'tr', index: number];
type SystemRow = readonly [VmcbField, SystemRegister];
/** What VMRUN and #VMEXIT move (15.5.1), and what VMLOAD and VMSAVE do (15.5.2). */
const RUN_SEGMENTS: readonly SegmentRow[] = [
  ['es', SEG.ES],
  ['cs', SEG.CS],
  ['ss', SEG.SS],
  ['ds', SEG.DS],
];
const RUN: readonly SystemRow[] = [
  [STATE.EFER, 'efer'], [STATE.CR4, 'cr4'], [STATE.CR3, 'cr3'], [STATE.CR0, 'cr0'], [STATE.DR7, 'dr7'],
  [STATE.DR6, 'dr6'], [STATE.CR2, 'cr2'],
]; // prettier-ignore
const LOAD_SEGMENTS: readonly SegmentRow[] = [
  ['fs', SEG.FS],
  ['gs', SEG.GS],
  ['ldtr', SEG.LDTR],
  ['tr', SEG.TR],
];
const LOAD: readonly SystemRow[] = [
  [STATE.STAR, 'star'], [STATE.LSTAR, 'lstar'], [STATE.CSTAR, 'cstar'], [STATE.SFMASK, 'fmask'],
  [STATE.KERNEL_GS_BASE, 'kernel_gs_base'], [STATE.SYSENTER_CS, 'sysenter_cs'], [STATE.SYSENTER_ESP, 'sysenter_esp'],
  [STATE.SYSENTER_EIP, 'sysenter_eip'],
]; // prettier-ignore

/** Under nested paging alone; and DBGCTL moves with LBR virtualisation alone, which there is not (15.23, 15.25.4). */
const hasPat = (vmcb: Vmcb): boolean => (vmcb.read(CONTROL.NP_ENABLE) & 1n) !== 0n;

/** The register that a field of the save area holds. */
const REGISTERS: ReadonlyMap<VmcbField, string> = new Map<VmcbField, string>([
  ...RUN,
  ...LOAD,
  [STATE.G_PAT, 'pat'],
  [STATE.RFLAGS, 'rflags'],
  [STATE.RIP, 'rip'],
  [STATE.RSP, 'rsp'],
  [STATE.RAX, 'rax'],
]);
export const registerOf = (field: VmcbField): string | undefined => REGISTERS.get(field);

/** Registers of the processor go into the save area. Of the general ones only RAX and RSP: the others are the host's affair. */
export function saveGuest(vmcb: Vmcb, state: CpuState): void {
  for (const [name, index] of RUN_SEGMENTS) vmcb.writeSegment(name, state.segment(index));
  for (const table of ['gdtr', 'idtr'] as const)
    vmcb.writeSegment(table, {
      selector: 0,
      attributes: 0,
      limit: state.system32(`${table}.limit`),
      base: state.system(`${table}.base`),
    });
  for (const [field, register] of RUN) vmcb.write(field, state.system(register));
  if (hasPat(vmcb)) vmcb.write(STATE.G_PAT, state.system('pat'));
  vmcb.write(STATE.CPL, state.cpl);
  vmcb.write(STATE.RFLAGS, state.rflags);
  vmcb.write(STATE.RIP, state.rip);
  vmcb.write(STATE.RSP, state.gpr(GPR.RSP));
  vmcb.write(STATE.RAX, state.gpr(GPR.RAX));
}
/** And back. The CPL is SS's DPL here, so it follows from there. */
export function loadGuest(vmcb: Vmcb, state: CpuState): void {
  for (const [name, index] of RUN_SEGMENTS) state.setSegment(index, vmcb.readSegment(name));
  for (const table of ['gdtr', 'idtr'] as const) {
    const { limit, base } = vmcb.readSegment(table);
    state.setSystem(`${table}.limit`, BigInt(limit & 0xffff));
    state.setSystem(`${table}.base`, base);
  }
  for (const [field, register] of RUN) state.setSystem(register, vmcb.read(field));
  if (hasPat(vmcb)) state.setSystem('pat', vmcb.read(STATE.G_PAT));
  state.rflags = Number(vmcb.read(STATE.RFLAGS));
  state.rip = vmcb.read(STATE.RIP);
  state.setGpr(GPR.RSP, vmcb.read(STATE.RSP));
  state.setGpr(GPR.RAX, vmcb.read(STATE.RAX));
}

/** VMSAVE: registers that VMRUN leaves alone. */
export function saveRest(vmcb: Vmcb, state: CpuState): void {
  for (const [name, index] of LOAD_SEGMENTS) vmcb.writeSegment(name, state.segment(index));
  for (const [field, register] of LOAD) vmcb.write(field, state.system(register));
}
/** VMLOAD. */
export function loadRest(vmcb: Vmcb, state: CpuState): void {
  for (const [name, index] of LOAD_SEGMENTS) state.setSegment(index, vmcb.readSegment(name));
  for (const [field, register] of LOAD) state.setSystem(register, vmcb.read(field));
}
