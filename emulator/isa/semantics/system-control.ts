/** Control, debug and model-specific registers; TLB and caches; CPUID and counters; HLT. Privilege: cpu/dispatch.ts. */
import type { Processor } from '../../cpu/ports';
import { GuestFault } from '../../cpu/ports';
import { CR4, GPR, RFLAGS, VECTOR } from '../../x86/registers';
import type { SystemMeaning } from '../instruction';
import { effectiveAddress, linearOperand, readGpr, readOperand, registerOf, writeGpr } from '../operands';

const gp = (): GuestFault => new GuestFault(VECTOR.GP, 0);
const ud = (): GuestFault => new GuestFault(VECTOR.UD);
/** MOV CR and MOV DR move 64 bits in 64-bit mode and 32 elsewhere, whatever is prefixed. */
const width = (cpu: Processor): 64 | 32 => (cpu.long ? 64 : 32);

export const movFromControl: SystemMeaning = (cpu, insn) => {
  writeGpr(cpu.state, registerOf(insn, 0), width(cpu), cpu.readControl(registerOf(insn, 1)));
};
export const movToControl: SystemMeaning = (cpu, insn) => {
  cpu.writeControl(registerOf(insn, 0), readGpr(cpu.state, registerOf(insn, 1), width(cpu)));
};
export const movFromDebug: SystemMeaning = (cpu, insn) => {
  writeGpr(cpu.state, registerOf(insn, 0), width(cpu), cpu.readDebug(registerOf(insn, 1)));
};
export const movToDebug: SystemMeaning = (cpu, insn) => {
  cpu.writeDebug(registerOf(insn, 0), readGpr(cpu.state, registerOf(insn, 1), width(cpu)));
};
export const lmsw: SystemMeaning = (cpu, insn) => cpu.loadMachineStatus(Number(readOperand(cpu, insn, 0)));
export const clts: SystemMeaning = (cpu) => cpu.clearTaskSwitched();

/** The address is not checked and nothing is accessed. */
export const invlpg: SystemMeaning = (cpu, insn) => {
  const memory = insn.memory!;
  const offset = effectiveAddress(cpu.state, memory);
  const base = cpu.long && memory.segment < 4 ? 0n : cpu.state.segmentBase(memory.segment);
  cpu.flushTlb(BigInt.asUintN(cpu.long ? 64 : 32, base + offset));
};
/** SDM vol. 2 INVPCID. Translations of other PCIDs are never kept (mmu/tlb.ts): only the checks differ. */
export const invpcid: SystemMeaning = (cpu, insn) => {
  const type = readOperand(cpu, insn, 0);
  const at = linearOperand(cpu, insn, 16, 'read');
  const pcid = cpu.read(at, 8);
  const gva = cpu.read(at + 8n, 8);
  if (type > 3n || pcid >> 12n) throw gp();
  if (type <= 1n && pcid !== 0n && !(cpu.state.system32('cr4') & CR4.PCIDE)) throw gp();
  if (type !== 0n) {
    cpu.flushTlb('all');
    return;
  }
  if (BigInt.asUintN(64, BigInt.asIntN(48, gva)) !== gva) throw gp();
  cpu.flushTlb(gva);
};
/** INVD, WBINVD: there is no cache to speak of. */
export const nothing: SystemMeaning = () => {};
/** CLFLUSH, CLFLUSHOPT, CLWB: there is nothing to write back; they count as the read of a byte (SDM vol. 2). */
export const clflush: SystemMeaning = (cpu, insn) => {
  cpu.read(linearOperand(cpu, insn, 1, 'read'), 1);
};

export const rdmsr: SystemMeaning = (cpu) => {
  const value = cpu.readMsr(cpu.state.gpr32(GPR.RCX));
  cpu.state.setGpr32(GPR.RAX, Number(value & 0xffff_ffffn));
  cpu.state.setGpr32(GPR.RDX, Number((value >> 32n) & 0xffff_ffffn));
};
export const wrmsr: SystemMeaning = (cpu) => {
  const { state } = cpu;
  cpu.writeMsr(state.gpr32(GPR.RCX), (BigInt(state.gpr32(GPR.RDX)) << 32n) | BigInt(state.gpr32(GPR.RAX)));
};

export const rdpid: SystemMeaning = (cpu, insn) => {
  writeGpr(cpu.state, registerOf(insn, 0), width(cpu), cpu.state.system('tsc_aux'));
};
/** CPUID leaf 0AH says that there are no counters: every index is out of range. */
export const rdpmc: SystemMeaning = () => {
  throw gp();
};
export const cpuid: SystemMeaning = (cpu) => {
  const { state } = cpu;
  const [a, b, c, d] = cpu.cpuid(state.gpr32(GPR.RAX), state.gpr32(GPR.RCX));
  state.setGpr32(GPR.RAX, a);
  state.setGpr32(GPR.RBX, b);
  state.setGpr32(GPR.RCX, c);
  state.setGpr32(GPR.RDX, d);
};

export const hlt: SystemMeaning = (cpu) => cpu.halt();
export const undefinedInstruction: SystemMeaning = () => {
  throw ud();
};

/** SMAP's switch: #UD, not #GP, below level 0. */
export const setAlignmentCheck =
  (on: boolean): SystemMeaning =>
  (cpu) => {
    const { state } = cpu;
    if (state.cpl > 0) throw ud();
    state.systemFlags = on ? state.systemFlags | RFLAGS.AC : state.systemFlags & ~RFLAGS.AC;
    cpu.modeChanged();
  };
