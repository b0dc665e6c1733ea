/** Far JMP, CALL, RET; INT and IRET; SYSCALL, SYSENTER and their ways back. */
import type { Processor } from '../../cpu/ports';
import { GuestFault } from '../../cpu/ports';
import { CR0, EFER, GPR, RFLAGS, VECTOR } from '../../x86/registers';
import type { Instruction, SystemMeaning } from '../instruction';
import { linearOperand, nextRip, readOperand } from '../operands';
import { isCanonical } from '../../util/words';

type Size = 16 | 32 | 64;
type Bytes = 2 | 4 | 8;
const gp = (): GuestFault => new GuestFault(VECTOR.GP, 0);
const ud = (): GuestFault => new GuestFault(VECTOR.UD);
const bytesOf = (insn: Instruction): Bytes => (insn.operandSize / 8) as Bytes;

/** The pointer: in the code stream, or in memory, offset first. */
function farPointer(cpu: Processor, insn: Instruction): { selector: number; offset: bigint } {
  const [operand] = insn.operands;
  if (operand.kind === 'far') return { selector: operand.selector, offset: BigInt(operand.offset) };
  const bytes = bytesOf(insn);
  const offset = cpu.read(linearOperand(cpu, insn, bytes, 'read'), bytes);
  return { selector: Number(cpu.read(linearOperand(cpu, insn, 2, 'read', bytes), 2)), offset };
}
export const farJump: SystemMeaning = (cpu, insn) => {
  const { selector, offset } = farPointer(cpu, insn);
  cpu.farJump(selector, offset, nextRip(insn));
  return 'jumped';
};
export const farCall: SystemMeaning = (cpu, insn) => {
  const { selector, offset } = farPointer(cpu, insn);
  cpu.farCall(selector, offset, insn.operandSize as Size, nextRip(insn));
  return 'jumped';
};
export const farReturn: SystemMeaning = (cpu, insn) => {
  const release = insn.operands.length > 0 ? Number(readOperand(cpu, insn, 0)) : 0;
  cpu.farReturn(insn.operandSize as Size, release);
  return 'jumped';
};
export const iret: SystemMeaning = (cpu, insn) => {
  cpu.interruptReturn(insn.operandSize as Size, nextRip(insn));
  return 'jumped';
};

export const int: SystemMeaning = (cpu, insn) => {
  cpu.softwareInterrupt(Number(readOperand(cpu, insn, 0)), 'int', nextRip(insn));
  return 'jumped';
};
export const int3: SystemMeaning = (cpu, insn) => {
  cpu.softwareInterrupt(VECTOR.BP, 'int3', nextRip(insn));
  return 'jumped';
};
export const int1: SystemMeaning = (cpu, insn) => {
  cpu.softwareInterrupt(VECTOR.DB, 'int1', nextRip(insn));
  return 'jumped';
};
export const into: SystemMeaning = (cpu, insn) => {
  if (!(cpu.state.rflags & RFLAGS.OF)) return undefined;
  cpu.softwareInterrupt(VECTOR.OF, 'into', nextRip(insn));
  return 'jumped';
};

// --- Fast system calls: no table is read, CS and SS are flat (SDM vol. 2; vol. 3A 5.8.7, 5.8.8)

const selectors = (star: bigint, shift: bigint): number => Number((star >> shift) & 0xffffn);

/** Outside of 64-bit mode AMD's processors alone come here (only64OnIntel). */
export const syscall: SystemMeaning = (cpu, insn) => {
  const { state } = cpu;
  if (!(state.system32('efer') & EFER.SCE)) throw ud();
  const star = state.system('star');
  const code = selectors(star, 32n) & 0xfffc;
  const flags = state.rflags & ~RFLAGS.RF;
  state.setGpr(GPR.RCX, nextRip(insn));
  if (cpu.ia32e) {
    state.setGpr(11, BigInt(flags >>> 0));
    state.rip = state.system(cpu.long ? 'lstar' : 'cstar');
    state.rflags = flags & ~state.system32('fmask');
  } else {
    // APM vol. 3, SYSCALL: legacy mode has neither R11 nor a mask.
    state.rip = star & 0xffff_ffffn;
    state.rflags = flags & ~(RFLAGS.VM | RFLAGS.IF);
  }
  cpu.loadFlat(code, code + 8, 0, cpu.ia32e);
  cpu.stepByNewFlags();
  return 'jumped';
};
export const sysret: SystemMeaning = (cpu, insn) => {
  const { state } = cpu;
  if (!(state.system32('efer') & EFER.SCE)) throw ud();
  const base = selectors(state.system('star'), 48n);
  const long = insn.operandSize === 64;
  const rip = long ? state.gpr(GPR.RCX) : BigInt(state.gpr32(GPR.RCX));
  // Intel checks before the privilege changes: the fault is raised in the kernel, on the user's stack.
  if (!isCanonical(rip)) throw gp();
  state.rip = rip;
  if (cpu.long) state.rflags = (Number(state.gpr(11) & 0x3c_7fd7n) | RFLAGS.FIXED) >>> 0;
  else state.rflags |= RFLAGS.IF;
  cpu.loadFlat(((long ? base + 16 : base) & 0xffff) | 3, ((base + 8) & 0xffff) | 3, 3, long);
  cpu.stepByNewFlags();
  return 'jumped';
};

const requireSysenter = (cpu: Processor): number => {
  const { state } = cpu;
  const code = state.system32('sysenter_cs') & 0xffff;
  if (!(state.system32('cr0') & CR0.PE) || (code & 0xfffc) === 0) throw gp();
  return code;
};
export const sysenter: SystemMeaning = (cpu) => {
  const { state } = cpu;
  const code = requireSysenter(cpu) & 0xfffc;
  const long = cpu.ia32e;
  state.rflags &= ~(RFLAGS.VM | RFLAGS.IF | RFLAGS.RF);
  const low = (value: bigint): bigint => (long ? value : value & 0xffff_ffffn);
  state.setGpr(GPR.RSP, low(state.system('sysenter_esp')));
  state.rip = low(state.system('sysenter_eip'));
  cpu.loadFlat(code, code + 8, 0, long);
  return 'jumped';
};
export const sysexit: SystemMeaning = (cpu, insn) => {
  const { state } = cpu;
  const code = requireSysenter(cpu);
  const long = insn.operandSize === 64;
  const rip = long ? state.gpr(GPR.RDX) : BigInt(state.gpr32(GPR.RDX));
  const rsp = long ? state.gpr(GPR.RCX) : BigInt(state.gpr32(GPR.RCX));
  if (!isCanonical(rip) || !isCanonical(rsp)) throw gp();
  state.setGpr(GPR.RSP, rsp);
  state.rip = rip;
  cpu.loadFlat(((code + (long ? 32 : 16)) & 0xffff) | 3, ((code + (long ? 40 : 24)) & 0xffff) | 3, 3, long);
  return 'jumped';
};
