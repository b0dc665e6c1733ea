/** VT-x instructions: operands, privilege, and what RFLAGS say of the outcome (SDM vol. 3C 31.2, 31.3). The work: cpu/vmx-unit.ts. */
import type { Processor, VmxResult, VmxUnit } from '../../cpu/ports';
import { GuestFault } from '../../cpu/ports';
import { ARITHMETIC_FLAGS, CR4, RFLAGS, SEG, VECTOR } from '../../x86/registers';
import type { Instruction, SystemMeaning } from '../instruction';
import { linearOperand, nextRip, readOperand, writeOperand } from '../operands';

const ud = (): GuestFault => new GuestFault(VECTOR.UD);
const L = 1 << 13;

/** Refused where there is no VMX operation or no privilege. Guests have left before. */
function unit(cpu: Processor): VmxUnit {
  const { vmx } = cpu;
  const compatibility = cpu.ia32e && !(cpu.state.segmentAttributes(SEG.CS) & L);
  if (!vmx?.on || cpu.real || cpu.virtual8086 || compatibility) throw ud();
  if (cpu.state.cpl !== 0) throw new GuestFault(VECTOR.GP, 0);
  return vmx;
}
/** 31.2: VMsucceed, VMfailInvalid (CF), VMfailValid (ZF). */
function conclude({ state }: Processor, result: VmxResult): void {
  const cleared = state.rflags & ~ARITHMETIC_FLAGS;
  state.rflags = cleared | (result === 'ok' ? 0 : result === 'invalid' ? RFLAGS.CF : RFLAGS.ZF);
}
const address = (cpu: Processor, insn: Instruction): bigint => cpu.read(linearOperand(cpu, insn, 8, 'read'), 8);

export const vmxon: SystemMeaning = (cpu, insn) => {
  const { vmx, state } = cpu;
  const compatibility = cpu.ia32e && !cpu.long;
  if (!vmx || cpu.real || cpu.virtual8086 || compatibility || !(state.system32('cr4') & CR4.VMXE)) throw ud();
  if (state.cpl !== 0) throw new GuestFault(VECTOR.GP, 0);
  conclude(cpu, vmx.enable(address(cpu, insn)));
};
export const vmxoff: SystemMeaning = (cpu) => conclude(cpu, unit(cpu).disable());
export const vmclear: SystemMeaning = (cpu, insn) => conclude(cpu, unit(cpu).clear(address(cpu, insn)));
export const vmptrld: SystemMeaning = (cpu, insn) => conclude(cpu, unit(cpu).load(address(cpu, insn)));
export const vmptrst: SystemMeaning = (cpu, insn) => {
  const { current } = unit(cpu);
  cpu.write(linearOperand(cpu, insn, 8, 'write'), 8, current);
  conclude(cpu, 'ok');
};
export const vmread: SystemMeaning = (cpu, insn) => {
  const result = unit(cpu).readField(readOperand(cpu, insn, 1));
  if (typeof result !== 'object') return conclude(cpu, result);
  writeOperand(cpu, insn, 0, result.value);
  conclude(cpu, 'ok');
};
export const vmwrite: SystemMeaning = (cpu, insn) => {
  const vmx = unit(cpu);
  conclude(cpu, vmx.writeField(readOperand(cpu, insn, 0), readOperand(cpu, insn, 1)));
};
const entry =
  (kind: 'launch' | 'resume'): SystemMeaning =>
  (cpu, insn) => {
    const result = unit(cpu).enter(kind, nextRip(insn));
    if (result === 'jumped') return 'jumped';
    conclude(cpu, result);
  };
export const vmlaunch = entry('launch');
export const vmresume = entry('resume');
/** In root operation, without dual-monitor treatment of SMM. */
export const vmcall: SystemMeaning = (cpu) => conclude(cpu, unit(cpu).call());
/** A guest's alone: what it does there is cpu/vmx-functions.ts. */
export const vmfunc: SystemMeaning = () => {
  throw ud();
};
const invalidate =
  (kind: 'invept' | 'invvpid'): SystemMeaning =>
  (cpu, insn) => {
    const vmx = unit(cpu);
    const at = linearOperand(cpu, insn, 16, 'read');
    conclude(cpu, vmx.invalidate(kind, readOperand(cpu, insn, 0), [cpu.read(at, 8), cpu.read(at + 8n, 8)]));
  };
export const invept = invalidate('invept');
export const invvpid = invalidate('invvpid');
