/** The guest's and the host's registers in a VMCS, and on the processor (SDM vol. 3C 25.4, 25.5, 27.3.2, 28.3, 28.5). */
import type { SystemRegister } from '../execution/layout';
import { CR0, CR4, EFER, GPR, RFLAGS, SEG } from '../x86/registers';
import { ENTRY_CONTROL, EXIT_CONTROL, SECONDARY } from '../x86/vmcs';
import type { VmcsFieldName } from '../x86/vmcs';
import type { Cpu } from './cpu';
import { TYPE } from './descriptors';
import { ATTRIBUTE } from './state';
import type { CpuState } from './state';
import type { Vmcs } from './vmcs-region';

export const SEGMENTS = [
  ['ES', SEG.ES], ['CS', SEG.CS], ['SS', SEG.SS], ['DS', SEG.DS], ['FS', SEG.FS], ['GS', SEG.GS], ['LDTR', SEG.LDTR], ['TR', SEG.TR],
] as const; // prettier-ignore

const GUEST: readonly (readonly [VmcsFieldName, SystemRegister])[] = [
  ['GUEST_CR0', 'cr0'], ['GUEST_CR3', 'cr3'], ['GUEST_CR4', 'cr4'],
  ['GUEST_GDTR_BASE', 'gdtr.base'], ['GUEST_GDTR_LIMIT', 'gdtr.limit'], ['GUEST_IDTR_BASE', 'idtr.base'], ['GUEST_IDTR_LIMIT', 'idtr.limit'],
  ['GUEST_SYSENTER_CS', 'sysenter_cs'], ['GUEST_SYSENTER_ESP', 'sysenter_esp'], ['GUEST_SYSENTER_EIP', 'sysenter_eip'],
  ['GUEST_PENDING_DEBUG', 'pending_debug'], ['GUEST_ACTIVITY', 'activity'],
]; // prettier-ignore
/** Bit 3 of the field says that NMIs are blocked (table 25-3), bit 2 of ours. */
const STI_MOV_SS = 3n;
const PDPTES = [0, 1, 2, 3] as const;
const usesPae = (state: CpuState): boolean =>
  (state.system32('cr0') & CR0.PG) !== 0 &&
  (state.system32('cr4') & CR4.PAE) !== 0 &&
  !(state.system32('efer') & EFER.LMA);

/** The register that a field of the guest-state area holds, where both have the same bits. */
const REGISTERS: ReadonlyMap<VmcsFieldName, string> = new Map<VmcsFieldName, string>([
  ...SEGMENTS.flatMap(([name]): [VmcsFieldName, string][] => {
    const register = name.toLowerCase();
    return [
      [`GUEST_${name}`, register],
      [`GUEST_${name}_BASE`, `${register}.base`],
      [`GUEST_${name}_LIMIT`, `${register}.limit`],
      [`GUEST_${name}_RIGHTS`, `${register}.attributes`],
    ];
  }),
  ...GUEST,
  ...PDPTES.map((i) => [`GUEST_PDPTE${i}`, `pdpte${i}`] as const),
  ['GUEST_RSP', 'rsp'], ['GUEST_RIP', 'rip'], ['GUEST_RFLAGS', 'rflags'], ['GUEST_DR7', 'dr7'], ['GUEST_DEBUGCTL', 'debugctl'],
  ['GUEST_PAT', 'pat'], ['GUEST_EFER', 'efer'],
]); // prettier-ignore
export const registerOf = (field: VmcsFieldName): string | undefined => REGISTERS.get(field);

/** The processor's registers into the guest-state area; the general ones but RSP are the hypervisor's affair. */
export function saveGuest(vmcs: Vmcs, state: CpuState): void {
  for (const [name, index] of SEGMENTS) {
    const { selector, base, limit, attributes } = state.segment(index);
    vmcs.write(`GUEST_${name}`, selector);
    vmcs.write(`GUEST_${name}_BASE`, base);
    vmcs.write(`GUEST_${name}_LIMIT`, limit);
    vmcs.write(`GUEST_${name}_RIGHTS`, attributes);
  }
  for (const [field, register] of GUEST) vmcs.write(field, state.system(register));
  const blocked = state.system('interruptibility');
  vmcs.write('GUEST_INTERRUPTIBILITY', (blocked & STI_MOV_SS) | ((blocked & 4n) << 1n));
  vmcs.write('GUEST_RSP', state.gpr(GPR.RSP));
  vmcs.write('GUEST_RIP', state.rip);
  vmcs.write('GUEST_RFLAGS', state.rflags);
  const asked = (control: number): boolean => vmcs.has('EXIT_CONTROLS', control);
  if (asked(EXIT_CONTROL.SAVE_DEBUG)) {
    vmcs.write('GUEST_DR7', state.system('dr7'));
    vmcs.write('GUEST_DEBUGCTL', state.system('debugctl'));
  }
  if (asked(EXIT_CONTROL.SAVE_PAT)) vmcs.write('GUEST_PAT', state.system('pat'));
  if (asked(EXIT_CONTROL.SAVE_EFER)) vmcs.write('GUEST_EFER', state.system('efer'));
  if (vmcs.has('SECONDARY_CONTROLS', SECONDARY.UNRESTRICTED)) setEntryMode(vmcs, state);
  if (usesPae(state)) for (const i of PDPTES) vmcs.write(`GUEST_PDPTE${i}`, state.system(`pdpte${i}`));
}
/** An unrestricted guest may have changed between modes: the exit says so (28.3.1). */
function setEntryMode(vmcs: Vmcs, state: CpuState): void {
  const mask = 1n << BigInt(ENTRY_CONTROL.GUEST_64);
  const wide = (state.system32('efer') & EFER.LMA) !== 0;
  const controls = vmcs.read('ENTRY_CONTROLS');
  vmcs.write('ENTRY_CONTROLS', wide ? controls | mask : controls & ~mask);
}

/** `memory`: the four PDPTEs where they are not in the VMCS (27.3.2.4). */
export function loadGuest(vmcs: Vmcs, cpu: Cpu, loadPdptes: () => void): void {
  const { state } = cpu;
  for (const [name, index] of SEGMENTS)
    state.setSegment(index, {
      selector: vmcs.read32(`GUEST_${name}`) & 0xffff,
      base: vmcs.read(`GUEST_${name}_BASE`),
      limit: vmcs.read32(`GUEST_${name}_LIMIT`) >>> 0,
      attributes: vmcs.read32(`GUEST_${name}_RIGHTS`),
    });
  for (const [field, register] of GUEST) state.setSystem(register, vmcs.read(field));
  const blocked = vmcs.read('GUEST_INTERRUPTIBILITY');
  state.setSystem('interruptibility', (blocked & STI_MOV_SS) | ((blocked & 8n) >> 1n));
  state.setSystem('cr0', vmcs.read('GUEST_CR0') | BigInt(CR0.ET));
  state.setGpr(GPR.RSP, vmcs.read('GUEST_RSP'));
  state.rip = vmcs.read('GUEST_RIP');
  state.rflags = vmcs.read32('GUEST_RFLAGS');
  const asked = (control: number): boolean => vmcs.has('ENTRY_CONTROLS', control);
  if (asked(ENTRY_CONTROL.LOAD_DEBUG)) {
    state.setSystem('dr7', vmcs.read('GUEST_DR7'));
    state.setSystem('debugctl', vmcs.read('GUEST_DEBUGCTL'));
  }
  if (asked(ENTRY_CONTROL.LOAD_PAT)) state.setSystem('pat', vmcs.read('GUEST_PAT'));
  if (asked(ENTRY_CONTROL.LOAD_EFER)) state.setSystem('efer', vmcs.read('GUEST_EFER'));
  else {
    const wide = asked(ENTRY_CONTROL.GUEST_64);
    const mode = BigInt(EFER.LMA | (vmcs.read('GUEST_CR0') & BigInt(CR0.PG) ? EFER.LME : 0));
    state.setSystem('efer', wide ? state.system('efer') | mode : state.system('efer') & ~mode);
  }
  if (!usesPae(state)) return;
  if (vmcs.has('SECONDARY_CONTROLS', SECONDARY.EPT))
    for (const i of PDPTES) state.setSystem(`pdpte${i}`, vmcs.read(`GUEST_PDPTE${i}`));
  else loadPdptes();
}

const flat = (selector: number, base: bigint, type: number, attributes: number): Parameters<CpuState['setSegment']>[1] =>
  selector === 0 && type !== CODE
    ? { selector: 0, base, limit: 0, attributes: ATTRIBUTE.UNUSABLE }
    : { selector, base, limit: 0xffff_ffff, attributes: ATTRIBUTE.P | ATTRIBUTE.S | ATTRIBUTE.G | type | attributes }; // prettier-ignore
const CODE = 0xb;
const DATA = 0x3;
const HOST: readonly (readonly [VmcsFieldName, SystemRegister])[] = [
  ['HOST_CR3', 'cr3'], ['HOST_CR4', 'cr4'], ['HOST_GDTR_BASE', 'gdtr.base'], ['HOST_IDTR_BASE', 'idtr.base'],
  ['HOST_SYSENTER_CS', 'sysenter_cs'], ['HOST_SYSENTER_ESP', 'sysenter_esp'], ['HOST_SYSENTER_EIP', 'sysenter_eip'],
]; // prettier-ignore
/** Bits of CR0 that a load of host state leaves alone (28.5.1). */
const CR0_KEPT = BigInt((CR0.ET | CR0.CD | CR0.NW) >>> 0);

/** The processor is the hypervisor's again (28.5). */
export function loadHost(vmcs: Vmcs, state: CpuState): void {
  const wide = vmcs.has('EXIT_CONTROLS', EXIT_CONTROL.HOST_64);
  for (const [field, register] of HOST) state.setSystem(register, vmcs.read(field));
  state.setSystem('cr0', (vmcs.read('HOST_CR0') & ~CR0_KEPT) | (state.system('cr0') & CR0_KEPT));
  for (const table of ['gdtr.limit', 'idtr.limit'] as const) state.setSystem(table, 0xffffn);
  state.setSystem('dr7', 0x400n);
  state.setSystem('debugctl', 0n);
  state.setSystem('pending_debug', 0n);
  state.setSystem('activity', 0n);
  state.setSystem('interruptibility', state.system('interruptibility') & 4n);
  if (vmcs.has('EXIT_CONTROLS', EXIT_CONTROL.LOAD_PAT)) state.setSystem('pat', vmcs.read('HOST_PAT'));
  const mode = BigInt(EFER.LMA | EFER.LME);
  if (vmcs.has('EXIT_CONTROLS', EXIT_CONTROL.LOAD_EFER)) state.setSystem('efer', vmcs.read('HOST_EFER'));
  else state.setSystem('efer', wide ? state.system('efer') | mode : state.system('efer') & ~mode);
  const selector = (name: VmcsFieldName): number => vmcs.read32(name) & 0xffff;
  const size = ATTRIBUTE.DB;
  state.setSegment(SEG.CS, flat(selector('HOST_CS'), 0n, CODE, wide ? ATTRIBUTE.L : size));
  state.setSegment(SEG.SS, { ...flat(selector('HOST_SS') || 8, 0n, DATA, size), selector: selector('HOST_SS') });
  state.setSegment(SEG.DS, flat(selector('HOST_DS'), 0n, DATA, size));
  state.setSegment(SEG.ES, flat(selector('HOST_ES'), 0n, DATA, size));
  state.setSegment(SEG.FS, flat(selector('HOST_FS'), vmcs.read('HOST_FS_BASE'), DATA, size));
  state.setSegment(SEG.GS, flat(selector('HOST_GS'), vmcs.read('HOST_GS_BASE'), DATA, size));
  const tr = { selector: selector('HOST_TR'), base: vmcs.read('HOST_TR_BASE'), limit: 0x67 };
  state.setSegment(SEG.TR, { ...tr, attributes: ATTRIBUTE.P | TYPE.TSS32_BUSY });
  state.setSegment(SEG.LDTR, { selector: 0, base: 0n, limit: 0, attributes: ATTRIBUTE.UNUSABLE });
  state.setGpr(GPR.RSP, vmcs.read('HOST_RSP'));
  state.rip = vmcs.read('HOST_RIP');
  state.rflags = RFLAGS.FIXED;
}
