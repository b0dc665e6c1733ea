/**
 * AMD-V instructions (APM vol. 2 15.5, 15.17, 15.29). EFER.SVME, privilege and mode: cpu/dispatch.ts. The work:
 * cpu/svm-unit.ts.
 */
import type { Processor, SvmUnit } from '../../cpu/ports';
import { GuestFault } from '../../cpu/ports';
import { GPR, VECTOR } from '../../x86/registers';
import type { Instruction, SystemMeaning } from '../instruction';
import { assert } from '../../util/assert';
import { nextRip } from '../operands';

const ud = (): GuestFault => new GuestFault(VECTOR.UD);
function unit({ svm }: Processor): SvmUnit {
  assert(svm, 'a row of AMD-V came through although the model has none');
  return svm;
}
/** rAX, in the width of addresses. */
const address = ({ state }: Processor, { addressSize }: Instruction): bigint =>
  addressSize === 64 ? state.gpr(GPR.RAX) : BigInt(state.gpr32(GPR.RAX));

export const vmrun: SystemMeaning = (cpu, insn) => {
  unit(cpu).run(address(cpu, insn), nextRip(insn));
  return 'jumped';
};
/** Only a guest whose hypervisor intercepts it gets anywhere (15.26). */
export const vmmcall: SystemMeaning = () => {
  throw ud();
};
export const vmload: SystemMeaning = (cpu, insn) => unit(cpu).load(address(cpu, insn));
export const vmsave: SystemMeaning = (cpu, insn) => unit(cpu).save(address(cpu, insn));
export const stgi: SystemMeaning = (cpu) => unit(cpu).setGlobalInterrupts(true);
export const clgi: SystemMeaning = (cpu) => unit(cpu).setGlobalInterrupts(false);
/** Secure start needs a TPM: this processor does not have it (CPUID 8000_0001h ECX bit 12). */
export const skinit: SystemMeaning = () => {
  throw ud();
};
/** Of the address space that an ASID names (APM vol. 3, INVLPGA). */
export const invlpga: SystemMeaning = (cpu) => {
  unit(cpu).forget(cpu.state.gpr(GPR.RAX), cpu.state.gpr32(GPR.RCX));
};
