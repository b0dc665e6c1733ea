/**
 * Model-specific registers by number: how each is read, what may be written (SDM vol. 4; vol. 3A 11.11 for MTRRs).
 * What is not in the table is #GP(0), and reported once by number.
 */
import { EFER, MSR, SEG } from '../x86/registers';
import type { SystemRegister } from '../execution/layout';
import { MAXPHYADDR } from '../mmu/guest-paging';
import { gp } from './faults';
import { isCanonical } from './segments';
import type { Cpu } from './cpu';

interface Register {
  read(cpu: Cpu): bigint;
  /** Undefined: read-only, writing is #GP(0). */
  write?(cpu: Cpu, value: bigint): void;
}

/** Kept as written. `valid` says what may be: otherwise #GP(0). */
const plain = (name: SystemRegister, valid: (value: bigint) => boolean = () => true): Register => ({
  read: (cpu) => cpu.state.system(name),
  write(cpu, value) {
    if (!valid(value)) throw gp(0);
    cpu.state.setSystem(name, value);
  },
});
const constant = (value: bigint, ignoreWrites = false): Register => ({
  read: () => value,
  ...(ignoreWrites ? { write: () => {} } : {}),
});
const below = (bits: number) => (value: bigint) => value >> BigInt(bits) === 0n;
/** Memory types: UC, WC, WT, WP, WB, and for the PAT also UC-. */
const memoryType = (type: number, pat = false): boolean =>
  type === 0 || type === 1 || (type >= 4 && type <= 6) || (pat && type === 7);
const allBytes = (value: bigint, test: (byte: number) => boolean): boolean => {
  for (let i = 0n; i < 64n; i += 8n) if (!test(Number((value >> i) & 0xffn))) return false;
  return true;
};

const segmentBase = (segment: number): Register => ({
  read: (cpu) => cpu.state.segmentBase(segment),
  write(cpu, value) {
    if (!isCanonical(value)) throw gp(0);
    cpu.state.setSegmentBase(segment, value);
  },
});

const efer: Register = {
  read: (cpu) => cpu.state.system('efer'),
  write(cpu, value) {
    const has = (name: string, bits: number): number => (cpu.model.has(name) ? bits : 0);
    const known = has('syscall', EFER.SCE) | has('lm', EFER.LME) | has('nx', EFER.NXE);
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
const tsc: Register = {
  read: (cpu) => cpu.tsc(),
  write(cpu, value) {
    cpu.state.setSystem('tsc_offset', BigInt.asUintN(64, value - cpu.ticks()));
  },
};

const apicBase: Register = {
  read: (cpu) => cpu.interrupts.readMsr(MSR.APIC_BASE) ?? cpu.state.system('apic_base'),
  write(cpu, value) {
    if (value >> BigInt(MAXPHYADDR) || value & 0x2ffn) throw gp(0);
    if (!cpu.interrupts.writeMsr(MSR.APIC_BASE, value)) throw gp(0);
    cpu.state.setSystem('apic_base', value);
  },
};
const fromApic = (msr: number): Register => ({
  read(cpu) {
    const value = cpu.interrupts.readMsr(msr);
    if (value === undefined) throw gp(0);
    return value;
  },
  write(cpu, value) {
    if (!cpu.interrupts.writeMsr(msr, value)) throw gp(0);
  },
});

const MTRR_FIXED: readonly [number, SystemRegister][] = [
  [0x250, 'mtrr_fix_64k'], [0x258, 'mtrr_fix_16k_80000'], [0x259, 'mtrr_fix_16k_a0000'],
  [0x268, 'mtrr_fix_4k0'], [0x269, 'mtrr_fix_4k1'], [0x26a, 'mtrr_fix_4k2'], [0x26b, 'mtrr_fix_4k3'],
  [0x26c, 'mtrr_fix_4k4'], [0x26d, 'mtrr_fix_4k5'], [0x26e, 'mtrr_fix_4k6'], [0x26f, 'mtrr_fix_4k7'],
]; // prettier-ignore
const VARIABLE_MTRRS = 8;
/** Fixed ranges, write-combining, and the variable ones. */
const MTRRCAP_VALUE = BigInt(VARIABLE_MTRRS | (1 << 8) | (1 << 10));
const MCG_CAP_VALUE = 0n;
/** Fast strings; BTS and PEBS unavailable. */
export const MISC_ENABLE_RESET = 0x1801n;

function buildTable(): Map<number, Register> {
  const table = new Map<number, Register>([
    [MSR.TSC, tsc],
    [MSR.APIC_BASE, apicBase],
    // Locked, VMX and SMX off.
    [MSR.FEATURE_CONTROL, constant(1n)],
    [MSR.TSC_ADJUST, plain('tsc_offset')],
    // Microcode: writing 0 before CPUID is how the level is asked for. Updates are accepted and do nothing.
    [MSR.BIOS_SIGN_ID, constant(0x1_0000_0000n, true)],
    [0x79, { read: () => { throw gp(0); }, write: () => {} }],
    // Platform identifier.
    [0x17, constant(0n)],
    [MSR.MTRRCAP, constant(MTRRCAP_VALUE)],
    [MSR.SYSENTER_CS, plain('sysenter_cs')],
    [MSR.SYSENTER_ESP, plain('sysenter_esp', isCanonical)],
    [MSR.SYSENTER_EIP, plain('sysenter_eip', isCanonical)],
    [MSR.MCG_CAP, constant(MCG_CAP_VALUE)],
    [MSR.MCG_STATUS, constant(0n, true)],
    [MSR.MISC_ENABLE, plain('misc_enable')],
    // Last-branch recording is not there: BTF and LBR read back as 0.
    [MSR.DEBUGCTL, plain('debugctl', (v) => (v & ~3n) === 0n)],
    [MSR.PAT, plain('pat', (v) => allBytes(v, (b) => memoryType(b, true)))],
    [MSR.MTRR_DEF_TYPE, plain('mtrr_def_type', (v) => (v & ~0xcffn) === 0n && memoryType(Number(v & 0xffn)))],
    [MSR.TSC_DEADLINE, fromApic(MSR.TSC_DEADLINE)],
    [MSR.EFER, efer],
    [MSR.STAR, plain('star')],
    [MSR.LSTAR, plain('lstar', isCanonical)],
    [MSR.CSTAR, plain('cstar', isCanonical)],
    [MSR.FMASK, plain('fmask', below(32))],
    [MSR.FS_BASE, segmentBase(SEG.FS)],
    [MSR.GS_BASE, segmentBase(SEG.GS)],
    [MSR.KERNEL_GS_BASE, plain('kernel_gs_base', isCanonical)],
    [MSR.TSC_AUX, plain('tsc_aux', below(32))],
  ]); // prettier-ignore
  for (const [msr, name] of MTRR_FIXED)
    table.set(
      msr,
      plain(name, (v) => allBytes(v, (b) => memoryType(b))),
    );
  for (let i = 0; i < VARIABLE_MTRRS; i++) {
    const base = (v: bigint): boolean => v >> BigInt(MAXPHYADDR) === 0n && (v & 0xf00n) === 0n && memoryType(Number(v & 0xffn)); // prettier-ignore
    const mask = (v: bigint): boolean => v >> BigInt(MAXPHYADDR) === 0n && (v & 0x7ffn) === 0n;
    table.set(MSR.MTRR_PHYS_BASE0 + i * 2, plain(`mtrr_base${i}` as SystemRegister, base));
    table.set(MSR.MTRR_PHYS_BASE0 + i * 2 + 1, plain(`mtrr_mask${i}` as SystemRegister, mask));
  }
  for (let msr: number = MSR.X2APIC_FIRST; msr <= MSR.X2APIC_LAST; msr++) table.set(msr, fromApic(msr));
  return table;
}
const TABLE = buildTable();
/** Which feature a register belongs to: without it there is no such register. */
const NEEDS: Readonly<Record<number, string>> = {
  [MSR.TSC_ADJUST]: 'tsc-adjust',
  [MSR.TSC_DEADLINE]: 'tsc-deadline',
  [MSR.TSC_AUX]: 'rdtscp',
  [MSR.PAT]: 'pat',
  [MSR.MTRRCAP]: 'mtrr',
  [MSR.MTRR_DEF_TYPE]: 'mtrr',
};

function find(cpu: Cpu, msr: number, verb: string): Register {
  const register = TABLE.get(msr);
  if (register && (NEEDS[msr] === undefined || cpu.model.has(NEEDS[msr]))) return register;
  cpu.unsupported(`${verb} MSR 0x${msr.toString(16)}`);
  throw gp(0);
}
export const readMsr = (cpu: Cpu, msr: number): bigint => find(cpu, msr, 'read of').read(cpu);
export const writeMsr = (cpu: Cpu, msr: number, value: bigint): void => {
  const register = find(cpu, msr, 'write to');
  if (!register.write) throw gp(0);
  register.write(cpu, value);
};
