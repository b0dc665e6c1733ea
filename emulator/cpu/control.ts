/**
 * Control registers: what may be written, and what a change entails (SDM vol. 2 MOV CR; vol. 3A 2.5, 4.1, 9.8.5).
 */
import { PDPTE_RESERVED, MAXPHYADDR } from '../mmu/guest-paging';
import { CR0, CR4, EFER, SEG } from '../x86/registers';
import { gp, ud } from './faults';
import { isIa32e, isLong } from './mode';
import { TYPE } from './descriptors';
import { ATTRIBUTE } from './state';
import { VM_MODE } from './vm-mode';
import { CR0_FIXED, CR0_UNRESTRICTED } from './vmx-capabilities';
import type { Cpu } from './cpu';

const CR0_KNOWN =
  (CR0.PE | CR0.MP | CR0.EM | CR0.TS | CR0.ET | CR0.NE | CR0.WP | CR0.AM | CR0.NW | CR0.CD | CR0.PG) >>> 0;

export function readControl(cpu: Cpu, index: number): bigint {
  const { state } = cpu;
  switch (index) {
    case 0:
      return state.system('cr0');
    case 2:
      return state.system('cr2');
    case 3:
      return state.system('cr3');
    case 4:
      return state.system('cr4');
    case 8:
      return BigInt((cpu.interrupts.getTpr() >> 4) & 15);
    default:
      throw ud();
  }
}

/** Throws #GP(0) for what the manual forbids, #UD for registers that do not exist. */
export function writeControl(cpu: Cpu, index: number, value: bigint): void {
  switch (index) {
    case 0:
      writeCr0(cpu, value);
      return;
    case 2:
      cpu.state.setSystem('cr2', value);
      return;
    case 3:
      writeCr3(cpu, value);
      return;
    case 4:
      writeCr4(cpu, value);
      return;
    case 8:
      if (value > 15n) throw gp(0);
      cpu.state.setSystem('cr8', value);
      cpu.interrupts.setTpr(Number(value) << 4);
      return;
    default:
      throw ud();
  }
}

/** Bits of CR0 that must be 1 in VMX operation (SDM vol. 3C 24.8). */
function fixedCr0(cpu: Cpu): number {
  const mode = cpu.state.system('vm_mode');
  if (mode === VM_MODE.vmxRoot) return CR0_FIXED;
  return mode === VM_MODE.vmxGuest ? (cpu.vmx?.unrestricted ? CR0_UNRESTRICTED : CR0_FIXED) : 0;
}

function writeCr0(cpu: Cpu, value: bigint): void {
  const { state } = cpu;
  if (value >> 32n) throw gp(0);
  const now = ((Number(value) & CR0_KNOWN) | CR0.ET) >>> 0;
  if ((now & fixedCr0(cpu)) >>> 0 !== fixedCr0(cpu)) throw gp(0);
  const old = state.system32('cr0');
  const paging = (now & CR0.PG) !== 0;
  if (paging && !(now & CR0.PE)) throw gp(0);
  if (now & CR0.NW && !(now & CR0.CD)) throw gp(0);
  const efer = state.system32('efer');
  let nextEfer = efer;
  const turnsOn = paging && !(old & CR0.PG);
  const turnsOff = !paging && (old & CR0.PG) !== 0;
  if (turnsOn && efer & EFER.LME) {
    // SDM vol. 3A 9.8.5: the conditions for entering IA-32e mode.
    if (!(state.system32('cr4') & CR4.PAE) || state.segmentAttributes(SEG.CS) & ATTRIBUTE.L) throw gp(0);
    const tr = state.segmentAttributes(SEG.TR) & ATTRIBUTE.TYPE;
    if (tr === TYPE.TSS16_BUSY && !(state.segmentAttributes(SEG.TR) & ATTRIBUTE.UNUSABLE) && state.selector(SEG.TR))
      throw gp(0);
    nextEfer |= EFER.LMA;
  }
  if (turnsOff) {
    if (isLong(state) || state.system32('cr4') & CR4.PCIDE) throw gp(0);
    nextEfer &= ~EFER.LMA;
  }
  const changed = old ^ now;
  const pae = paging && (state.system32('cr4') & CR4.PAE) !== 0 && !(nextEfer & EFER.LMA);
  if (pae && changed & (CR0.PG | CR0.CD | CR0.NW)) loadPdptes(cpu, true);
  state.setSystem('cr0', BigInt(now));
  state.setSystem('efer', BigInt(nextEfer));
  if (changed & (CR0.PG | CR0.WP | CR0.PE)) cpu.pagingChanged();
  cpu.modeChanged();
}

function writeCr3(cpu: Cpu, value: bigint): void {
  const { state } = cpu;
  if (isIa32e(state)) {
    // Bit 63 with PCIDE asks to keep translations; it is never stored. Ours are dropped anyway (mmu/tlb.ts).
    if (state.system32('cr4') & CR4.PCIDE) value &= ~(1n << 63n);
    if (value >> BigInt(MAXPHYADDR)) throw gp(0);
  } else {
    value &= 0xffff_ffffn;
  }
  const old = state.system('cr3');
  state.setSystem('cr3', value);
  try {
    loadPdptes(cpu);
  } catch (fault) {
    state.setSystem('cr3', old);
    throw fault;
  }
  cpu.pagingChanged('non-global');
}

/** Bits of CR4 that exist: what CPUID advertises. */
export const knownCr4 = (cpu: Cpu): number => {
  const has = (name: string, bits: number): number => (cpu.model.has(name) ? bits : 0);
  return (
    CR4.TSD | CR4.MCE | CR4.PCE | has('de', CR4.DE) | has('pse', CR4.PSE) | has('pae', CR4.PAE) | has('pge', CR4.PGE) |
    has('fxsr', CR4.OSFXSR) | has('sse', CR4.OSXMMEXCPT) | has('umip', CR4.UMIP) | has('fsgsbase', CR4.FSGSBASE) |
    has('pcid', CR4.PCIDE) | has('xsave', CR4.OSXSAVE) | has('smep', CR4.SMEP) | has('smap', CR4.SMAP) |
    has('vme', CR4.VME | CR4.PVI) | has('vmx', CR4.VMXE)
  ); // prettier-ignore
};

function writeCr4(cpu: Cpu, value: bigint): void {
  const { state } = cpu;
  if (value >> 32n || Number(value) & ~knownCr4(cpu)) throw gp(0);
  const now = Number(value);
  const vmx = state.system('vm_mode') === VM_MODE.vmxRoot || state.system('vm_mode') === VM_MODE.vmxGuest;
  if (vmx && !(now & CR4.VMXE)) throw gp(0);
  const old = state.system32('cr4');
  const changed = old ^ now;
  if (isIa32e(state) && !(now & CR4.PAE)) throw gp(0);
  if (changed & now & CR4.PCIDE && (!isIa32e(state) || state.system('cr3') & 0xfffn)) throw gp(0);
  const paging = (state.system32('cr0') & CR0.PG) !== 0;
  if (paging && !isIa32e(state) && now & CR4.PAE && changed & (CR4.PAE | CR4.PGE | CR4.PSE | CR4.SMEP))
    loadPdptes(cpu, true);
  state.setSystem('cr4', BigInt(now));
  if (changed & (CR4.PAE | CR4.PGE | CR4.PSE | CR4.SMEP | CR4.SMAP | CR4.PCIDE)) cpu.pagingChanged();
  cpu.modeChanged();
}

/** PAE paging keeps its four top entries in registers (SDM vol. 3A 4.4.1). `force`: the mode is about to begin. */
export function loadPdptes(cpu: Cpu, force = false): void {
  const { state } = cpu;
  const pae = (state.system32('cr0') & CR0.PG) !== 0 && (state.system32('cr4') & CR4.PAE) !== 0 && !isIa32e(state);
  if (!pae && !force) return;
  const table = Number(state.system('cr3') & 0xffff_ffe0n);
  const values: bigint[] = [];
  const { second } = cpu.mmu.walker;
  for (let i = 0; i < 4; i++) {
    const gpa = table + i * 8;
    const value = cpu.mmu.readPhysical(second ? second.translatePdpte(gpa) : gpa, 8);
    const low = Number(value & 0xffff_ffffn);
    const high = Number(value >> 32n);
    if (low & 1 && ((low & PDPTE_RESERVED.low) !== 0 || (high & PDPTE_RESERVED.high) !== 0)) throw gp(0);
    values.push(value);
  }
  state.setSystem('pdpte0', values[0]);
  state.setSystem('pdpte1', values[1]);
  state.setSystem('pdpte2', values[2]);
  state.setSystem('pdpte3', values[3]);
}

/** LMSW: PE can be set, not cleared; only PE, MP, EM, TS. */
export function loadMachineStatus(cpu: Cpu, value: number): void {
  const old = cpu.state.system32('cr0');
  const pe = (old | value) & CR0.PE;
  const next = BigInt(((old & ~0xf) | (value & 0xe) | pe) >>> 0);
  writeCr0(cpu, cpu.overseer?.writeControl?.(0, next) ?? next);
}
export function clearTaskSwitched(cpu: Cpu): void {
  const next = cpu.state.system('cr0') & ~BigInt(CR0.TS);
  cpu.state.setSystem('cr0', cpu.overseer?.writeControl?.(0, next) ?? next);
  cpu.modeChanged();
}
