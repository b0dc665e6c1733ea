/**
 * Model-specific registers by number: how each is read, what may be written (SDM vol. 4). What a model does not have is
 * #GP(0); what is in no table is, too, and is reported once by number.
 */
import { MAXPHYADDR } from '../mmu/guest-paging';
import { EFER, MSR, SEG } from '../x86/registers';
import { VM_CR } from '../x86/vmcb';
import { gp } from './faults';
import { below, isAmd, plain, withFeature, zero } from './msr-kinds';
import type { MsrRegister, MsrRow } from './msr-kinds';
import { msrRanges } from './msr-ranges';
import { msrVendor } from './msr-vendor';
import { isCanonical } from '../util/words';
import type { Cpu } from './cpu';

const segmentBase = (segment: number): MsrRegister => ({
  read: (cpu) => cpu.state.segmentBase(segment),
  write(cpu, value) {
    if (!isCanonical(value)) throw gp(0);
    cpu.state.setSegmentBase(segment, value);
  },
});

const efer: MsrRegister = {
  read: (cpu) => cpu.state.system('efer'),
  write(cpu, value) {
    const has = (name: string, bits: number): number => (cpu.model.has(name) ? bits : 0);
    const disabled = (cpu.state.system('vm_cr') & VM_CR.SVMDIS) !== 0n;
    const svm = disabled ? 0 : has('svm', EFER.SVME);
    const known = has('syscall', EFER.SCE) | has('lm', EFER.LME) | has('nx', EFER.NXE) | svm;
    // LMA is read-only and writing it is ignored.
    if (value & ~BigInt(known | EFER.LMA)) throw gp(0);
    const old = cpu.state.system32('efer');
    const now = (Number(value) & ~EFER.LMA) | (old & EFER.LMA);
    if ((old ^ now) & EFER.LME && cpu.paging) throw gp(0);
    cpu.state.setSystem('efer', BigInt(now));
    if ((old ^ now) & EFER.NXE) cpu.pagingChanged();
    cpu.modeChanged();
  },
};

/** TSC and TSC_ADJUST move together (SDM vol. 3B 17.17.3): both are the offset. */
const tsc: MsrRegister = {
  read: (cpu) => cpu.tsc(),
  write(cpu, value) {
    moveTsc(cpu, BigInt.asUintN(64, value - cpu.ticks()));
  },
};
const tscAdjust: MsrRegister = { read: (cpu) => cpu.state.system('tsc_offset'), write: moveTsc };
/** A deadline is a value of the TSC: it is now at another time. */
function moveTsc(cpu: Cpu, offset: bigint): void {
  cpu.state.setSystem('tsc_offset', offset);
  const armed = cpu.model.has('tsc-deadline') ? cpu.interrupts.readMsr(MSR.TSC_DEADLINE) : undefined;
  if (armed) cpu.interrupts.writeMsr(MSR.TSC_DEADLINE, armed);
}

/**
 * LBR is kept, and nothing comes of it: where the records lie is each model's affair, software learns it from IA32_PERF_CAPABILITIES,
 * which CPUID says that there is not (PDCM), and every branch of generated code would have to be noted.
 */
const debugControl: MsrRegister = {
  read: (cpu) => cpu.state.system('debugctl'),
  write(cpu, value) {
    if (value & ~3n) throw gp(0);
    if (value & 1n) cpu.unsupported('records of the last branches (IA32_DEBUGCTL.LBR)');
    cpu.state.setSystem('debugctl', value);
  },
};

const X2APIC_ENABLE = 0x400n;
const apicBase: MsrRegister = {
  read: (cpu) => cpu.interrupts.readMsr(MSR.APIC_BASE) ?? cpu.state.system('apic_base'),
  write(cpu, value) {
    if (value >> BigInt(MAXPHYADDR) || value & 0x2ffn) throw gp(0);
    if (value & X2APIC_ENABLE && !cpu.model.has('x2apic')) throw gp(0);
    if (!cpu.interrupts.writeMsr(MSR.APIC_BASE, value)) throw gp(0);
    cpu.state.setSystem('apic_base', value);
  },
};
const fromApic = (msr: number): MsrRegister => ({
  read(cpu) {
    const value = cpu.interrupts.readMsr(msr);
    if (value === undefined) throw gp(0);
    return value;
  },
  write(cpu, value) {
    if (!cpu.interrupts.writeMsr(msr, value)) throw gp(0);
  },
});

const ROWS: readonly MsrRow[] = [
  [MSR.TSC, withFeature('tsc', tsc)],
  [MSR.TSC_ADJUST, withFeature('tsc-adjust', tscAdjust)],
  [MSR.TSC_AUX, { ...plain('tsc_aux', below(32)), exists: ({ model }) => model.has('rdtscp') || model.has('rdpid') }],
  [MSR.TSC_DEADLINE, withFeature('tsc-deadline', fromApic(MSR.TSC_DEADLINE))],
  [MSR.APIC_BASE, withFeature('apic', apicBase)],
  [MSR.SYSENTER_CS, withFeature('sep', plain('sysenter_cs'))],
  [MSR.SYSENTER_ESP, withFeature('sep', plain('sysenter_esp', isCanonical))],
  [MSR.SYSENTER_EIP, withFeature('sep', plain('sysenter_eip', isCanonical))],
  [MSR.DEBUGCTL, debugControl],
  // No supervisor state has a component here (SDM vol. 1 13.3).
  [MSR.XSS, withFeature('xsaves', zero())],
  [MSR.EFER, { ...efer, exists: ({ model }) => model.has('syscall') || model.has('nx') }],
  [MSR.STAR, withFeature('syscall', plain('star'))],
  [MSR.LSTAR, withFeature('lm', plain('lstar', isCanonical))],
  [MSR.CSTAR, withFeature('lm', plain('cstar', isCanonical))],
  [MSR.FMASK, withFeature('lm', plain('fmask', below(32)))],
  [MSR.FS_BASE, withFeature('lm', segmentBase(SEG.FS))],
  [MSR.GS_BASE, withFeature('lm', segmentBase(SEG.GS))],
  [MSR.KERNEL_GS_BASE, withFeature('lm', plain('kernel_gs_base', isCanonical))],
  ...msrRanges(),
  ...msrVendor(),
];
const TABLE = new Map<number, MsrRegister>(ROWS);
for (let msr: number = MSR.X2APIC_FIRST; msr <= MSR.X2APIC_LAST; msr++)
  TABLE.set(msr, withFeature('x2apic', fromApic(msr)));

/** AMD keeps its own registers here; Intel's processors have none. */
const isAmdRange = (msr: number): boolean => msr >>> 16 === 0xc001;

function find(cpu: Cpu, msr: number, verb: string): MsrRegister {
  const register = TABLE.get(msr);
  const absent = register?.exists?.(cpu) === false || (isAmdRange(msr) && !isAmd(cpu));
  if (register && !absent) return register;
  if (!absent) cpu.unsupported(`${verb} MSR 0x${msr.toString(16)}`);
  throw gp(0);
}
export const readMsr = (cpu: Cpu, msr: number): bigint => {
  const register = find(cpu, msr, 'read of');
  if (!register.read) throw gp(0);
  return register.read(cpu);
};
export const writeMsr = (cpu: Cpu, msr: number, value: bigint): void => {
  const register = find(cpu, msr, 'write to');
  if (!register.write) throw gp(0);
  register.write(cpu, value);
};
