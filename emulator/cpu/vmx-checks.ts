/**
 * What VM entry checks, rule by rule, before anything is loaded (SDM vol. 3C 27.2) and of the guest's state (27.3.1). Rows
 * speak the manual's words, so that a refused entry can be explained. Rules about what we do not offer are in the masks
 * of vmx-capabilities.ts.
 */
import { MAXPHYADDR, PDPTE_RESERVED } from '../mmu/guest-paging';
import { CR0, CR4, EFER, RFLAGS, VECTOR, WITH_ERROR } from '../x86/registers';
import {
  ENTRY_CONTROL, EXIT_CONTROL, INTERRUPTION, PIN, PRIMARY, SECONDARY, VIRTUAL_APIC, VM_FUNCTION, VMX_ERROR,
} from '../x86/vmcs'; // prettier-ignore
import type { VmcsFieldName } from '../x86/vmcs';
import { isCanonical } from '../util/words';
import { CONTROLS, CR0_FIXED, CR0_UNRESTRICTED, CR4_FIXED, VM_FUNCTIONS } from './vmx-capabilities';
import type { ControlsName } from './vmx-capabilities';
import type { Vmcs } from './vmcs-region';
import { guestSegmentChecks } from './vmx-segment-checks';

/** Of the processor that enters. */
export interface HostMode {
  /** A 64-bit word of physical memory. */
  peek(gpa: number): bigint;
  /** Bits of CR4 that exist. */
  cr4: number;
  /** It is in IA-32e mode. */
  wide: boolean;
}
export interface EntryCheck {
  /** Of the SDM, vol. 3C. */
  section: string;
  field: VmcsFieldName;
  rule: string;
  /** True: the entry is refused. */
  fails(v: Vmcs, host: HostMode): boolean;
}
export type UnplacedCheck = Omit<EntryCheck, 'section'>;
const inSection = (section: string, ...checks: UnplacedCheck[]): EntryCheck[] =>
  checks.map((check) => ({ section, ...check }));
export const secondary = (v: Vmcs, number: number): boolean =>
  v.has('PRIMARY_CONTROLS', PRIMARY.SECONDARY) && v.has('SECONDARY_CONTROLS', number);
const switchesEptp = (v: Vmcs): boolean =>
  secondary(v, SECONDARY.VM_FUNCTIONS) && v.has('VM_FUNCTION_CONTROLS', VM_FUNCTION.EPTP_SWITCHING);
const delivers = (v: Vmcs): boolean => secondary(v, SECONDARY.INTERRUPT_DELIVERY);
const posts = (v: Vmcs): boolean => v.has('PIN_CONTROLS', PIN.POSTED_INTERRUPTS);
const ON_SHADOW = [SECONDARY.X2APIC, SECONDARY.APIC_REGISTERS, SECONDARY.INTERRUPT_DELIVERY] as const;
const has = (v: Vmcs, field: VmcsFieldName, mask: number): boolean => (v.read(field) & BigInt(mask >>> 0)) !== 0n;
const beyond = (v: Vmcs, field: VmcsFieldName, alignment: bigint): boolean =>
  (v.read(field) & (alignment - 1n)) !== 0n || v.read(field) >> BigInt(MAXPHYADDR) !== 0n;
/** Lists of MSRs, 16 bytes each: their first and their last byte (27.2.1.2, 27.2.1.3). */
const list = (field: 'EXIT_MSR_STORE' | 'EXIT_MSR_LOAD' | 'ENTRY_MSR_LOAD'): UnplacedCheck[] => [
  { field, rule: 'aligned to 16 bytes and below the width of physical addresses', fails: (v) => v.read(`${field}_COUNT`) !== 0n && beyond(v, field, 16n) },
  { field, rule: 'its last byte is below the width of physical addresses', fails: (v) => v.read(`${field}_COUNT`) !== 0n && (v.read(field) + v.read(`${field}_COUNT`) * 16n - 1n) >> BigInt(MAXPHYADDR) !== 0n },
]; // prettier-ignore
const inRange = (field: ControlsName, v: Vmcs, name: VmcsFieldName): boolean => {
  const value = v.read32(name);
  return (value & CONTROLS[field].zero) !== CONTROLS[field].zero >> 0 || (value & ~CONTROLS[field].one) !== 0;
};
const page = (field: VmcsFieldName, when: (v: Vmcs) => boolean): UnplacedCheck => ({
  field,
  rule: 'it must be page-aligned and below the width of physical addresses',
  fails: (v) => when(v) && beyond(v, field, 4096n),
});
const controls = (
  field: VmcsFieldName,
  name: ControlsName,
  when: (v: Vmcs) => boolean = () => true,
): UnplacedCheck => ({
  field,
  rule: 'bits that must be 1 are set, and bits that must be 0 are clear (capability MSRs)',
  fails: (v) => when(v) && inRange(name, v, field),
});
const badPat = (v: Vmcs, field: VmcsFieldName): boolean => {
  for (let pat = v.read(field), i = 0; i < 8; i++, pat >>= 8n) {
    const type = Number(pat & 0xffn);
    if (type > 7 || type === 2 || type === 3) return true;
  }
  return false;
};
const memoryTypes = 'each byte must be 0, 1, 4, 5, 6 or 7';

/** The event that entry is to deliver (27.2.1.3). */
const injected = (v: Vmcs): { valid: boolean; vector: number; type: number; error: boolean } => {
  const info = v.read32('ENTRY_INTERRUPTION');
  return { valid: info < 0, vector: info & 0xff, type: (info >>> 8) & 7, error: (info & INTERRUPTION.ERROR_VALID) !== 0 };
}; // prettier-ignore

/** Failures are VM-instruction error 7. */
export const CONTROL_CHECKS: readonly EntryCheck[] = [
  ...inSection('27.2.1.1',
  controls('PIN_CONTROLS', 'pin'),
  controls('PRIMARY_CONTROLS', 'primary'),
  controls('SECONDARY_CONTROLS', 'secondary', (v) => v.has('PRIMARY_CONTROLS', PRIMARY.SECONDARY)),
  { field: 'CR3_TARGET_COUNT', rule: 'at most 4', fails: (v) => v.read('CR3_TARGET_COUNT') > 4n },
  page('IO_BITMAP_A', (v) => v.has('PRIMARY_CONTROLS', PRIMARY.IO_BITMAPS)),
  page('IO_BITMAP_B', (v) => v.has('PRIMARY_CONTROLS', PRIMARY.IO_BITMAPS)),
  page('MSR_BITMAPS', (v) => v.has('PRIMARY_CONTROLS', PRIMARY.MSR_BITMAPS)),
  page('VIRTUAL_APIC_PAGE', (v) => v.has('PRIMARY_CONTROLS', PRIMARY.TPR_SHADOW)),
  page('APIC_ACCESS_PAGE', (v) => secondary(v, SECONDARY.APIC_ACCESSES)),
  { field: 'TPR_THRESHOLD', rule: 'bits 31:4 must be 0', fails: (v) => v.has('PRIMARY_CONTROLS', PRIMARY.TPR_SHADOW) && !delivers(v) && v.read('TPR_THRESHOLD') > 15n },
  { field: 'TPR_THRESHOLD', rule: 'not above bits 7:4 of the virtual TPR, unless APIC accesses are virtualised or virtual interrupts delivered', fails: (v, host) => v.has('PRIMARY_CONTROLS', PRIMARY.TPR_SHADOW) && !secondary(v, SECONDARY.APIC_ACCESSES) && !delivers(v) && (v.read('TPR_THRESHOLD') & 15n) > ((host.peek(Number(v.read('VIRTUAL_APIC_PAGE')) + VIRTUAL_APIC.TPR) >> 4n) & 15n) },
  { field: 'SECONDARY_CONTROLS', rule: 'x2APIC mode, APIC registers and virtual interrupts need a TPR shadow', fails: (v) => !v.has('PRIMARY_CONTROLS', PRIMARY.TPR_SHADOW) && ON_SHADOW.some((control) => secondary(v, control)) },
  { field: 'SECONDARY_CONTROLS', rule: 'x2APIC mode and APIC accesses are not virtualised both', fails: (v) => secondary(v, SECONDARY.X2APIC) && secondary(v, SECONDARY.APIC_ACCESSES) },
  { field: 'PIN_CONTROLS', rule: 'delivery of virtual interrupts needs external-interrupt exiting', fails: (v) => delivers(v) && !v.has('PIN_CONTROLS', PIN.EXTERNAL_INTERRUPT) },
  { field: 'SECONDARY_CONTROLS', rule: 'posted interrupts need delivery of virtual interrupts', fails: (v) => posts(v) && !delivers(v) },
  { field: 'EXIT_CONTROLS', rule: 'posted interrupts need exits that acknowledge interrupts', fails: (v) => posts(v) && !v.has('EXIT_CONTROLS', EXIT_CONTROL.ACK_INTERRUPT) },
  { field: 'POSTED_INTERRUPT_VECTOR', rule: 'bits 15:8 must be 0', fails: (v) => posts(v) && v.read('POSTED_INTERRUPT_VECTOR') > 0xffn },
  { field: 'POSTED_INTERRUPT_DESCRIPTOR', rule: 'aligned to 64 bytes and below the width of physical addresses', fails: (v) => posts(v) && beyond(v, 'POSTED_INTERRUPT_DESCRIPTOR', 64n) },
  { field: 'PIN_CONTROLS', rule: 'virtual NMIs need NMI exiting', fails: (v) => v.has('PIN_CONTROLS', PIN.VIRTUAL_NMI) && !v.has('PIN_CONTROLS', PIN.NMI) },
  { field: 'PRIMARY_CONTROLS', rule: 'NMI-window exiting needs virtual NMIs', fails: (v) => v.has('PRIMARY_CONTROLS', PRIMARY.NMI_WINDOW) && !v.has('PIN_CONTROLS', PIN.VIRTUAL_NMI) },
  { field: 'VPID', rule: '0 is the hypervisor\'s own', fails: (v) => secondary(v, SECONDARY.VPID) && (v.read('VPID') & 0xffffn) === 0n },
  { field: 'EPT_POINTER', rule: 'memory type 0 or 6, page-walk length 4, reserved bits 0', fails: (v) => secondary(v, SECONDARY.EPT) && badEptPointer(v.read('EPT_POINTER')) },
  { field: 'SECONDARY_CONTROLS', rule: 'an unrestricted guest needs EPT', fails: (v) => secondary(v, SECONDARY.UNRESTRICTED) && !secondary(v, SECONDARY.EPT) },
  { field: 'VM_FUNCTION_CONTROLS', rule: 'bits of functions that there are not must be 0', fails: (v) => secondary(v, SECONDARY.VM_FUNCTIONS) && (v.read('VM_FUNCTION_CONTROLS') & ~VM_FUNCTIONS) !== 0n },
  { field: 'SECONDARY_CONTROLS', rule: 'EPTP switching needs EPT', fails: (v) => switchesEptp(v) && !secondary(v, SECONDARY.EPT) },
  page('EPTP_LIST', (v) => switchesEptp(v)),
  ),
  ...inSection('27.2.1.2',
  controls('EXIT_CONTROLS', 'exit'),
  { field: 'EXIT_CONTROLS', rule: 'saving the preemption timer needs it to be active', fails: (v) => v.has('EXIT_CONTROLS', EXIT_CONTROL.SAVE_TIMER) && !v.has('PIN_CONTROLS', PIN.PREEMPTION_TIMER) },
  ...list('EXIT_MSR_STORE'),
  ...list('EXIT_MSR_LOAD'),
  ),
  ...inSection('27.2.1.3',
  controls('ENTRY_CONTROLS', 'entry'),
  ...list('ENTRY_MSR_LOAD'),
  { field: 'ENTRY_INTERRUPTION', rule: 'type 1 is reserved, bits 30:12 must be 0', fails: (v) => injected(v).valid && (injected(v).type === 1 || (v.read32('ENTRY_INTERRUPTION') & 0x7fff_f000) !== 0) },
  { field: 'ENTRY_INTERRUPTION', rule: 'an NMI has vector 2, an exception a vector below 32, another event (a pending monitor trap) vector 0', fails: (v) => { const e = injected(v); return e.valid && ((e.type === INTERRUPTION.NMI && e.vector !== 2) || (e.type === INTERRUPTION.HARDWARE && e.vector > 31) || (e.type === INTERRUPTION.OTHER && e.vector !== 0)); } },
  { field: 'ENTRY_INTERRUPTION', rule: 'an error code goes with exceptions that have one, in protected mode, and only with them', fails: (v) => { const e = injected(v); const takes = e.type === INTERRUPTION.HARDWARE && WITH_ERROR.includes(e.vector) && has(v, 'GUEST_CR0', CR0.PE); return e.valid && e.error !== takes; } },
  { field: 'ENTRY_ERROR_CODE', rule: 'bits 31:16 must be 0', fails: (v) => injected(v).valid && injected(v).error && v.read('ENTRY_ERROR_CODE') > 0xffffn },
  { field: 'ENTRY_INSTRUCTION_LENGTH', rule: '1 to 15 for software events', fails: (v) => { const e = injected(v); const length = v.read('ENTRY_INSTRUCTION_LENGTH'); return e.valid && e.type >= INTERRUPTION.SOFTWARE && e.type !== INTERRUPTION.OTHER && (length < 1n || length > 15n); } },
  ),
]; // prettier-ignore

export function badEptPointer(pointer: bigint): boolean {
  const type = pointer & 7n;
  return (type !== 0n && type !== 6n) || ((pointer >> 3n) & 7n) !== 3n || (pointer & 0xf80n) !== 0n || pointer >> BigInt(MAXPHYADDR) !== 0n;
} // prettier-ignore

const wideHost = (v: Vmcs): boolean => v.has('EXIT_CONTROLS', EXIT_CONTROL.HOST_64);
const notCanonical = (...fields: VmcsFieldName[]): UnplacedCheck[] =>
  fields.map((field) => ({ field, rule: 'it must be canonical', fails: (v) => !isCanonical(v.read(field)) }));
const rplZero = (field: VmcsFieldName): UnplacedCheck => ({ field, rule: 'RPL and TI must be 0', fails: (v) => (v.read(field) & 7n) !== 0n }); // prettier-ignore

/** Failures are VM-instruction error 8. */
export const HOST_CHECKS: readonly EntryCheck[] = [
  ...inSection('27.2.2',
  { field: 'HOST_CR0', rule: 'bits that are fixed in VMX operation: PE, NE, PG', fails: (v) => (v.read32('HOST_CR0') & CR0_FIXED) >>> 0 !== CR0_FIXED || v.read('HOST_CR0') >> 32n !== 0n },
  { field: 'HOST_CR4', rule: 'VMXE is fixed to 1, and bits that the processor lacks to 0', fails: (v, { cr4 }) => !has(v, 'HOST_CR4', CR4_FIXED) || (v.read('HOST_CR4') & ~BigInt(cr4 >>> 0)) !== 0n },
  { field: 'HOST_CR3', rule: 'bits beyond the width of physical addresses must be 0', fails: (v) => v.read('HOST_CR3') >> BigInt(MAXPHYADDR) !== 0n },
  ...notCanonical('HOST_SYSENTER_ESP', 'HOST_SYSENTER_EIP', 'HOST_FS_BASE', 'HOST_GS_BASE', 'HOST_GDTR_BASE', 'HOST_IDTR_BASE', 'HOST_TR_BASE'),
  { field: 'HOST_PAT', rule: memoryTypes, fails: (v) => v.has('EXIT_CONTROLS', EXIT_CONTROL.LOAD_PAT) && badPat(v, 'HOST_PAT') },
  { field: 'HOST_EFER', rule: 'LMA and LME equal the host address-space size, reserved bits are 0', fails: (v) => v.has('EXIT_CONTROLS', EXIT_CONTROL.LOAD_EFER) && badEfer(v, 'HOST_EFER', wideHost(v), true) },
  ),
  ...inSection('27.2.3',
  ...(['HOST_ES', 'HOST_CS', 'HOST_SS', 'HOST_DS', 'HOST_FS', 'HOST_GS', 'HOST_TR'] as const).map(rplZero),
  ),
  ...inSection('27.2.4',
  { field: 'EXIT_CONTROLS', rule: 'the host address-space size is that of the processor now', fails: (v, { wide }) => wideHost(v) !== wide },
  { field: 'ENTRY_CONTROLS', rule: 'an IA-32e mode guest needs a 64-bit host', fails: (v) => v.has('ENTRY_CONTROLS', ENTRY_CONTROL.GUEST_64) && !wideHost(v) },
  ),
  ...inSection('27.2.3',
  { field: 'HOST_CS', rule: 'it may not be 0', fails: (v) => v.read('HOST_CS') === 0n },
  { field: 'HOST_TR', rule: 'it may not be 0', fails: (v) => v.read('HOST_TR') === 0n },
  { field: 'HOST_SS', rule: 'it may not be 0 in a 32-bit host', fails: (v) => !wideHost(v) && v.read('HOST_SS') === 0n },
  ),
  ...inSection('27.2.4',
  { field: 'HOST_CR4', rule: 'a 64-bit host needs PAE', fails: (v) => wideHost(v) && !has(v, 'HOST_CR4', CR4.PAE) },
  { field: 'HOST_RIP', rule: 'canonical in a 64-bit host, below 4 GiB in another', fails: (v) => (wideHost(v) ? !isCanonical(v.read('HOST_RIP')) : v.read('HOST_RIP') >> 32n !== 0n) },
  { field: 'HOST_CR4', rule: 'a 32-bit host has no PCIDE', fails: (v) => !wideHost(v) && has(v, 'HOST_CR4', CR4.PCIDE) },
  ),
]; // prettier-ignore

const EFER_KNOWN = BigInt(EFER.SCE | EFER.LME | EFER.LMA | EFER.NXE);
function badEfer(v: Vmcs, field: VmcsFieldName, wide: boolean, paging: boolean): boolean {
  const value = v.read(field);
  const lma = (value & BigInt(EFER.LMA)) !== 0n;
  const lme = (value & BigInt(EFER.LME)) !== 0n;
  return (value & ~EFER_KNOWN) !== 0n || lma !== wide || (paging && lme !== wide);
}

const wideGuest = (v: Vmcs): boolean => v.has('ENTRY_CONTROLS', ENTRY_CONTROL.GUEST_64);
const unrestricted = (v: Vmcs): boolean => secondary(v, SECONDARY.UNRESTRICTED);
const paging = (v: Vmcs): boolean => has(v, 'GUEST_CR0', CR0.PG);
const guestFixed = (v: Vmcs): number => (unrestricted(v) ? CR0_UNRESTRICTED : CR0_FIXED);
const BLOCKING = { sti: 1n, movSs: 2n, smi: 4n, nmi: 8n } as const;
const blocked = (v: Vmcs, mask: bigint): boolean => (v.read('GUEST_INTERRUPTIBILITY') & mask) !== 0n;
const flags = (v: Vmcs, mask: number): boolean => has(v, 'GUEST_RFLAGS', mask);
/** Reserved bits of RFLAGS: 63:22, 15, 5, 3; bit 1 is 1. */
const RFLAGS_RESERVED = ~0x3f_7fd7n & 0xffff_ffff_ffff_ffffn;

/** A halted guest waits for interrupts and the like, one that is shut down for NMIs and machine checks, one that waits for a SIPI for nothing else. */
function wakes(activity: number, { type, vector }: { type: number; vector: number }): boolean {
  const check = type === INTERRUPTION.HARDWARE && vector === VECTOR.MC;
  if (activity === 1) return check || type === INTERRUPTION.EXTERNAL || type === INTERRUPTION.NMI || type === INTERRUPTION.OTHER || (type === INTERRUPTION.HARDWARE && vector === VECTOR.DB);
  return activity === 0 || (activity === 2 && (check || type === INTERRUPTION.NMI));
} // prettier-ignore
const PDPTES = [0, 1, 2, 3] as const;
/** In the VMCS under EPT, else in memory where CR3 says. */
function badPdpte(v: Vmcs, host: HostMode, i: (typeof PDPTES)[number]): boolean {
  if (!paging(v) || !has(v, 'GUEST_CR4', CR4.PAE) || wideGuest(v)) return false;
  const entry = secondary(v, SECONDARY.EPT) ? v.read(`GUEST_PDPTE${i}`) : host.peek(Number(v.read('GUEST_CR3') & 0xffff_ffe0n) + i * 8);
  return (entry & 1n) !== 0n && (entry & PDPTE_BAD) !== 0n;
} // prettier-ignore
const PDPTE_BAD = BigInt(PDPTE_RESERVED.low) | (BigInt(PDPTE_RESERVED.high >>> 0) << 32n);

/** Failures are exit reason 33. */
export const GUEST_CHECKS: readonly EntryCheck[] = [
  ...inSection('27.3.1.1',
  { field: 'GUEST_CR0', rule: 'bits that are fixed in VMX operation', fails: (v) => (v.read32('GUEST_CR0') & guestFixed(v)) >>> 0 !== guestFixed(v) || v.read('GUEST_CR0') >> 32n !== 0n },
  { field: 'GUEST_CR0', rule: 'PG needs PE', fails: (v) => paging(v) && !has(v, 'GUEST_CR0', CR0.PE) },
  { field: 'GUEST_CR4', rule: 'VMXE is fixed to 1, and bits that the processor lacks to 0', fails: (v, { cr4 }) => !has(v, 'GUEST_CR4', CR4_FIXED) || (v.read('GUEST_CR4') & ~BigInt(cr4 >>> 0)) !== 0n },
  { field: 'GUEST_CR0', rule: 'IA-32e mode needs PG', fails: (v) => wideGuest(v) && !paging(v) },
  { field: 'GUEST_CR4', rule: 'IA-32e mode needs PAE', fails: (v) => wideGuest(v) && !has(v, 'GUEST_CR4', CR4.PAE) },
  { field: 'GUEST_CR4', rule: 'PCIDE needs IA-32e mode', fails: (v) => !wideGuest(v) && has(v, 'GUEST_CR4', CR4.PCIDE) },
  { field: 'GUEST_CR3', rule: 'bits beyond the width of physical addresses must be 0', fails: (v) => v.read('GUEST_CR3') >> BigInt(MAXPHYADDR) !== 0n },
  { field: 'GUEST_DR7', rule: 'bits 63:32 must be 0', fails: (v) => v.has('ENTRY_CONTROLS', ENTRY_CONTROL.LOAD_DEBUG) && v.read('GUEST_DR7') >> 32n !== 0n },
  { field: 'GUEST_DEBUGCTL', rule: 'reserved bits must be 0', fails: (v) => v.has('ENTRY_CONTROLS', ENTRY_CONTROL.LOAD_DEBUG) && (v.read('GUEST_DEBUGCTL') & ~3n) !== 0n },
  ...notCanonical('GUEST_SYSENTER_ESP', 'GUEST_SYSENTER_EIP'),
  { field: 'GUEST_PAT', rule: memoryTypes, fails: (v) => v.has('ENTRY_CONTROLS', ENTRY_CONTROL.LOAD_PAT) && badPat(v, 'GUEST_PAT') },
  { field: 'GUEST_EFER', rule: 'LMA equals the IA-32e mode control, LME too while paging; reserved bits are 0', fails: (v) => v.has('ENTRY_CONTROLS', ENTRY_CONTROL.LOAD_EFER) && badEfer(v, 'GUEST_EFER', wideGuest(v), paging(v)) },
  ),
  ...inSection('27.3.1.2', ...guestSegmentChecks(unrestricted, wideGuest)),
  ...inSection('27.3.1.3',
  ...notCanonical('GUEST_GDTR_BASE', 'GUEST_IDTR_BASE'),
  { field: 'GUEST_GDTR_LIMIT', rule: 'bits 31:16 must be 0', fails: (v) => v.read('GUEST_GDTR_LIMIT') > 0xffffn },
  { field: 'GUEST_IDTR_LIMIT', rule: 'bits 31:16 must be 0', fails: (v) => v.read('GUEST_IDTR_LIMIT') > 0xffffn },
  ),
  ...inSection('27.3.1.4',
  { field: 'GUEST_RIP', rule: 'bits 63:32 must be 0 outside 64-bit code, else it must be canonical', fails: (v) => { const wide = wideGuest(v) && has(v, 'GUEST_CS_RIGHTS', 1 << 13); return wide ? !isCanonical(v.read('GUEST_RIP')) : v.read('GUEST_RIP') >> 32n !== 0n; } },
  { field: 'GUEST_RFLAGS', rule: 'reserved bits are 0, bit 1 is 1', fails: (v) => (v.read('GUEST_RFLAGS') & RFLAGS_RESERVED) !== 0n || !flags(v, RFLAGS.FIXED) },
  { field: 'GUEST_RFLAGS', rule: 'VM must be 0 in IA-32e mode and without PE', fails: (v) => flags(v, RFLAGS.VM) && (wideGuest(v) || !has(v, 'GUEST_CR0', CR0.PE)) },
  { field: 'GUEST_RFLAGS', rule: 'IF must be 1 to inject an external interrupt', fails: (v) => injected(v).valid && injected(v).type === INTERRUPTION.EXTERNAL && !flags(v, RFLAGS.IF) },
  ),
  ...inSection('27.3.1.5',
  { field: 'GUEST_ACTIVITY', rule: '0 to 3', fails: (v) => v.read('GUEST_ACTIVITY') > 3n },
  { field: 'GUEST_ACTIVITY', rule: 'HLT only at CPL 0', fails: (v) => v.read('GUEST_ACTIVITY') === 1n && ((v.read('GUEST_SS_RIGHTS') >> 5n) & 3n) !== 0n },
  { field: 'GUEST_ACTIVITY', rule: 'active while blocked by STI or MOV SS', fails: (v) => v.read('GUEST_ACTIVITY') !== 0n && blocked(v, BLOCKING.sti | BLOCKING.movSs) },
  { field: 'GUEST_ACTIVITY', rule: 'the event that is injected must be able to wake it', fails: (v) => injected(v).valid && !wakes(Number(v.read('GUEST_ACTIVITY')), injected(v)) },
  { field: 'GUEST_INTERRUPTIBILITY', rule: 'bits 31:4 must be 0', fails: (v) => v.read('GUEST_INTERRUPTIBILITY') > 15n },
  { field: 'GUEST_INTERRUPTIBILITY', rule: 'not blocked by STI and by MOV SS at once', fails: (v) => blocked(v, BLOCKING.sti) && blocked(v, BLOCKING.movSs) },
  { field: 'GUEST_INTERRUPTIBILITY', rule: 'blocked by STI only with IF', fails: (v) => blocked(v, BLOCKING.sti) && !flags(v, RFLAGS.IF) },
  { field: 'GUEST_INTERRUPTIBILITY', rule: 'an external interrupt is not injected while STI or MOV SS blocks', fails: (v) => injected(v).valid && injected(v).type === INTERRUPTION.EXTERNAL && blocked(v, BLOCKING.sti | BLOCKING.movSs) },
  { field: 'GUEST_INTERRUPTIBILITY', rule: 'an NMI is not injected while MOV SS blocks', fails: (v) => injected(v).valid && injected(v).type === INTERRUPTION.NMI && blocked(v, BLOCKING.movSs) },
  { field: 'GUEST_INTERRUPTIBILITY', rule: 'a virtual NMI is not injected while NMIs are blocked', fails: (v) => injected(v).valid && injected(v).type === INTERRUPTION.NMI && v.has('PIN_CONTROLS', PIN.VIRTUAL_NMI) && blocked(v, BLOCKING.nmi) },
  { field: 'GUEST_INTERRUPTIBILITY', rule: 'no blocking by SMI outside system management', fails: (v) => blocked(v, BLOCKING.smi) },
  { field: 'GUEST_PENDING_DEBUG', rule: 'reserved bits must be 0', fails: (v) => (v.read('GUEST_PENDING_DEBUG') & ~0x500fn) !== 0n },
  { field: 'GUEST_PENDING_DEBUG', rule: 'while STI or MOV SS blocks, or halted, BS is set if and only if single steps are on', fails: (v) => (blocked(v, BLOCKING.sti | BLOCKING.movSs) || v.read('GUEST_ACTIVITY') === 1n) && has(v, 'GUEST_PENDING_DEBUG', 1 << 14) !== (flags(v, RFLAGS.TF) && !has(v, 'GUEST_DEBUGCTL', 2)) },
  { field: 'VMCS_LINK_POINTER', rule: 'all ones: there are no shadow VMCSs', fails: (v) => v.read('VMCS_LINK_POINTER') !== 0xffff_ffff_ffff_ffffn },
  ),
  ...inSection('27.3.1.6', ...PDPTES.map((i): UnplacedCheck => ({ field: `GUEST_PDPTE${i}`, rule: 'an entry that is present has no reserved bits', fails: (v, host) => badPdpte(v, host, i) }))),
]; // prettier-ignore

/** In the order in which they are made. */
export const ENTRY_CHECKS: readonly EntryCheck[] = [...CONTROL_CHECKS, ...HOST_CHECKS, ...GUEST_CHECKS];
/** What comes of an entry that this one refuses: a VM-instruction error, or an exit. `number`: in ENTRY_CHECKS. */
export function refusalOf(number: number): number | 'exit' {
  if (number < CONTROL_CHECKS.length) return VMX_ERROR.ENTRY_CONTROLS;
  return number < CONTROL_CHECKS.length + HOST_CHECKS.length ? VMX_ERROR.ENTRY_HOST_STATE : 'exit';
}
/** The number of the first that fails, or -1. */
export const failedCheck = (vmcs: Vmcs, host: HostMode): number =>
  ENTRY_CHECKS.findIndex((each) => each.fails(vmcs, host));
