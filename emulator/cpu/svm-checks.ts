/** What VMRUN checks, rule by rule, before anything is loaded (APM vol. 2 15.5.1, and the sections of what is checked). */
import { MAXPHYADDR } from '../mmu/guest-paging';
import { CR0, CR4, EFER, VECTOR } from '../x86/registers';
import { CONTROL, EVENT, MISC2, STATE, SVME, TLB_CONTROLS } from '../x86/vmcb';
import type { VmcbField } from '../x86/vmcb';
import { ATTRIBUTE } from './state';
import type { Vmcb } from './svm-state';

/** Of the processor that enters. */
export interface SvmHost {
  /** Bits of CR4 that exist. */
  cr4: number;
  paging: boolean;
}
/** A check of VMRUN that failed, in words. */
export interface FailedCheck {
  /** Of the APM, vol. 2. */
  section: string;
  field: string;
  rule: string;
}
export interface VmrunCheck extends FailedCheck {
  /** True: the VMCB is refused. */
  fails(vmcb: Vmcb, host: SvmHost): boolean;
}
const EFER_KNOWN = BigInt(EFER.SCE | EFER.LME | EFER.LMA | EFER.NXE | EFER.SVME | EFER.FFXSR);
const beyond = (address: bigint): boolean => address >> BigInt(MAXPHYADDR) !== 0n;
const has = (value: bigint, mask: number): boolean => (value & BigInt(mask >>> 0)) !== 0n;
const long = (v: Vmcb): boolean => has(v.read(STATE.EFER), EFER.LME) && has(v.read(STATE.CR0), CR0.PG);
const nested = (v: Vmcb): boolean => has(v.read(CONTROL.NP_ENABLE), 1);
const LONG_CODE = ATTRIBUTE.L | ATTRIBUTE.DB;
const IOPM_BYTES = 3 * 4096;
const MSRPM_BYTES = 2 * 4096;
const map = (field: VmcbField, bytes: number, section: string): VmrunCheck => ({
  section,
  field: field.name,
  rule: 'it must end below the width of physical addresses',
  fails: (v) => beyond((v.read(field) & ~0xfffn) + BigInt(bytes - 1)),
});
const noHighHalf = (name: string, field: VmcbField): VmrunCheck => ({
  section: '15.5.1',
  field: name,
  rule: 'bits 63:32 must be 0',
  fails: (v) => v.read(field) >> 32n !== 0n,
});
/** 15.20: types 1 and 5 to 7 are reserved; NMIs and what is no exception have no type 3. */
function badEvent(v: Vmcb): boolean {
  const word = v.read(CONTROL.EVENTINJ);
  const [vector, type] = [Number(word & 0xffn), Number((word >> 8n) & 7n)];
  if (!(word & EVENT.VALID)) return false;
  const known = type === EVENT.INTERRUPT || type === EVENT.NMI || type === EVENT.EXCEPTION || type === EVENT.SOFTWARE;
  return !known || (type === EVENT.EXCEPTION && (vector === VECTOR.NMI || vector > 31));
}
function badPat(v: Vmcb): boolean {
  for (let pat = v.read(STATE.G_PAT), i = 0; i < 8; i++, pat >>= 8n) {
    const type = pat & 0xffn;
    if (type > 7n || type === 2n || type === 3n) return true;
  }
  return false;
}

export const VMRUN_CHECKS: readonly VmrunCheck[] = [
  { section: '15.5.1', field: 'EFER', rule: 'SVME must be set', fails: (v) => !has(v.read(STATE.EFER), SVME) },
  { section: '15.5.1', field: 'CR0', rule: 'NW without CD is not allowed', fails: (v) => has(v.read(STATE.CR0), CR0.NW) && !has(v.read(STATE.CR0), CR0.CD) },
  noHighHalf('CR0', STATE.CR0),
  { section: '15.5.1', field: 'CR3', rule: 'bits beyond the width of physical addresses must be 0', fails: (v) => long(v) && beyond(v.read(STATE.CR3)) },
  { section: '15.5.1', field: 'CR4', rule: 'bits that the processor lacks must be 0', fails: (v, { cr4 }) => (v.read(STATE.CR4) & ~BigInt(cr4 >>> 0)) !== 0n },
  noHighHalf('DR6', STATE.DR6),
  noHighHalf('DR7', STATE.DR7),
  { section: '15.5.1', field: 'EFER', rule: 'reserved bits must be 0', fails: (v) => (v.read(STATE.EFER) & ~EFER_KNOWN) !== 0n },
  { section: '15.5.1', field: 'CR4', rule: 'long mode with paging needs PAE', fails: (v) => long(v) && !has(v.read(STATE.CR4), CR4.PAE) },
  { section: '15.5.1', field: 'CR0', rule: 'long mode with paging needs PE', fails: (v) => long(v) && !has(v.read(STATE.CR0), CR0.PE) },
  { section: '15.5.1', field: 'CS', rule: 'L and D may not both be set in long mode', fails: (v) => long(v) && (v.readSegment('cs').attributes & LONG_CODE) === LONG_CODE },
  { section: '15.5.1', field: 'intercepts, vector 4', rule: 'VMRUN must be intercepted', fails: (v) => !has(v.read(CONTROL.INTERCEPT_MISC2), 1 << MISC2.indexOf('vmrun')) },
  map(CONTROL.IOPM_BASE_PA, IOPM_BYTES, '15.10.1'),
  map(CONTROL.MSRPM_BASE_PA, MSRPM_BYTES, '15.11'),
  { section: '15.20', field: 'event to inject', rule: 'a type that exists, and of exceptions a vector that is one', fails: badEvent },
  { section: '15.5.1', field: 'guest ASID', rule: '0 is the host\'s', fails: (v) => v.read(CONTROL.GUEST_ASID) === 0n },
  { section: '15.16.1', field: 'TLB control', rule: '0, 1, 3 or 7', fails: (v) => !TLB_CONTROLS.includes(Number(v.read(CONTROL.TLB_CONTROL))) },
  { section: '15.25.3', field: 'nested paging', rule: 'the host must have paging on', fails: (v, { paging }) => nested(v) && !paging },
  { section: '15.25.3', field: 'nested CR3', rule: 'bits beyond the width of physical addresses must be 0', fails: (v) => nested(v) && beyond(v.read(CONTROL.N_CR3)) },
  { section: '15.25.3', field: 'guest PAT', rule: 'each byte must be 0, 1, 4, 5, 6 or 7', fails: (v) => nested(v) && badPat(v) },
]; // prettier-ignore

/** The first rule that is broken. */
export const failedVmrunCheck = (vmcb: Vmcb, host: SvmHost): FailedCheck | undefined =>
  VMRUN_CHECKS.find((check) => check.fails(vmcb, host));
