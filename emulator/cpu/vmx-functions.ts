/** VM functions: what a guest asks of the processor without leaving, where its hypervisor allows it (SDM vol. 3C 26.5.6). */
import type { Instruction } from '../isa/instruction';
import { GPR } from '../x86/registers';
import { VM_FUNCTION } from '../x86/vmcs';
import type { Cpu } from './cpu';
import { ud } from './faults';
import { GuestExit } from './ports';
import type { Vmcs } from './vmcs-region';
import { badEptPointer } from './vmx-checks';

const FUNCTIONS = 64;
const LISTED = 512;

/**
 * VMFUNC, at any CPL, in a guest whose hypervisor has enabled VM functions: the EPT pointer in the VMCS is another of its list
 * (26.5.6.3). An exit where the function is not enabled or the list has no such entry.
 */
export function vmFunction(cpu: Cpu, vmcs: Vmcs, instruction: Instruction): void {
  const [number, index] = [cpu.state.gpr32(GPR.RAX) >>> 0, cpu.state.gpr32(GPR.RCX) >>> 0];
  if (number >= FUNCTIONS) throw ud();
  const exit = (): GuestExit => new GuestExit({ reason: 'virtualization', mnemonic: 'vmfunc' }, instruction);
  if (!vmcs.has('VM_FUNCTION_CONTROLS', number) || number !== VM_FUNCTION.EPTP_SWITCHING) throw exit();
  if (index >= LISTED) throw exit();
  const pointer = cpu.mmu.readPhysical(Number(vmcs.read('EPTP_LIST')) + 8 * index, 8);
  if (badEptPointer(pointer)) throw exit();
  vmcs.write('EPT_POINTER', pointer);
}
