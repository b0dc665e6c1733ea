/** The control block of a hypervisor that runs on the processor itself: the current VMCS, or the VMCB that was run last. */
import { knownCr4 } from '../../cpu/control';
import type { Cpu } from '../../cpu/cpu';
import { Vmcb } from '../../cpu/svm-state';
import { VM_MODE } from '../../cpu/vm-mode';
import { Vmcs, wordsOf } from '../../cpu/vmcs-region';
import type { StructureNode } from '../../machine/inspect-api';
import { EXIT_CONTROL, isGuestState, isReadOnly, VMCS, widthOf } from '../../x86/vmcs';
import type { VmcsFieldName } from '../../x86/vmcs';
import { SAVE } from '../../x86/vmcb';
import type { VmcbField } from '../../x86/vmcb';
import { hex, inMemory } from './nodes';
import type { Editing } from './nodes';
import { vmcbNode } from './vmcb-node';
import { vmcsNode } from './vmcs-node';

const NONE = 0xffff_ffff_ffff_ffffn;

/** Undefined: nobody runs a guest here. */
export function hostedBlock(cpu: Cpu): StructureNode | undefined {
  const { state } = cpu;
  const mode = state.system('vm_mode');
  const current = state.system('vmcs');
  const { physical } = cpu.mmu;
  if (current === NONE || physical.hostAddress(Number(current)) < 0) return undefined;
  if (mode === VM_MODE.vmxRoot || mode === VM_MODE.vmxGuest) {
    const vmcs = new Vmcs(physical, Number(current));
    // While its guest runs, the processor is in the guest's mode.
    const wide = mode === VM_MODE.vmxRoot ? cpu.ia32e : vmcs.has('EXIT_CONTROLS', EXIT_CONTROL.HOST_64);
    const block = vmcsNode(vmcs, { cr4: knownCr4(cpu), wide, peek: wordsOf(physical) }, fieldsOf(vmcs, mode));
    return withRefusal(block, cpu.vmx?.lastRefusal);
  }
  // A page at 0 was never one.
  if (!cpu.svm?.on || current === 0n) return undefined;
  const vmcb = new Vmcb(physical, Number(current));
  const block = vmcbNode(vmcb, { cr4: knownCr4(cpu), paging: true }, areaOf(vmcb, mode));
  return withRefusal(block, cpu.svm.lastRefusal);
}

/**
 * Changed where they lie: what counts at the next entry. While its guest is on the processor the guest's state is there, and an exit
 * would write it over (SDM vol. 3C 28.3; APM vol. 2 15.6).
 */
const fieldsOf =
  (vmcs: Vmcs, mode: bigint): Editing<VmcsFieldName> =>
  (name) => {
    if (name === undefined || isReadOnly(VMCS[name])) return undefined;
    if (mode === VM_MODE.vmxGuest && isGuestState(VMCS[name])) return undefined;
    return inMemory(vmcs.addressOf(name), (widthOf(VMCS[name]) / 8) as 2 | 4 | 8);
  };
const areaOf =
  (vmcb: Vmcb, mode: bigint): Editing<VmcbField> =>
  (field) => {
    if (field === undefined || (mode === VM_MODE.svmGuest && field.offset >= SAVE)) return undefined;
    return inMemory(vmcb.hpa + field.offset, field.bytes);
  };

function withRefusal(block: StructureNode, refusal: { field: string; rule: string } | undefined): StructureNode {
  const value = block.value?.replace('hp:', 'gp:') ?? hex(0);
  if (!refusal) return { ...block, value };
  const node = { name: 'last entry that was refused', value: refusal.field, text: refusal.rule };
  return { ...block, value, children: [node, ...(block.children ?? [])] };
}
