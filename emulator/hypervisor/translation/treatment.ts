/** What becomes of a guest kernel's instruction in translated code. */
import type { Instruction } from '../../isa/instruction';

export type Treatment =
  /** The same bytes; addresses relative to RIP become absolute. */
  | 'copy'
  /** Near branches: to translated code, while the guest's return addresses go on its stack. */
  | 'jump' | 'branch' | 'loop' | 'call'
  /** The guest's address comes from a register, memory or the stack: the processor is led to its translation. */
  | 'indirect'
  /** A call-out that is answered in place, without leaving the guest. */
  | 'cli' | 'sti' | 'pushf' | 'popf' | 'call-indirect'
  /** A call-out to the hypervisor, which executes it on the virtual processor. */
  | 'call-out'; // prettier-ignore

const NAMED: Readonly<Record<string, Treatment>> = {
  cli: 'cli', sti: 'sti', pushf: 'pushf', popf: 'popf',
  loop: 'loop', loope: 'loop', loopne: 'loop', jcxz: 'loop', ret: 'indirect',
  // Their privilege is checked by their meanings, or they are transfers that speak of the guest's own tables.
  clac: 'call-out', stac: 'call-out', cpuid: 'call-out', syscall: 'call-out', sysenter: 'call-out', int1: 'call-out', int3: 'call-out',
  // They store the address of the last x87 instruction.
  fnstenv: 'call-out', fnsave: 'call-out', fxsave: 'call-out', xsave: 'call-out', xsaveopt: 'call-out', xsavec: 'call-out',
  into: 'call-out', arpl: 'call-out', rdpmc: 'call-out', monitor: 'call-out', mwait: 'call-out',
}; // prettier-ignore
/** They look at nothing that the physical processor has otherwise. */
const HARMLESS: readonly (string | undefined)[] = [undefined, 'pause', 'rdtsc', 'rdtscp', 'rdrand', 'rdseed'];

export function treatmentOf(insn: Instruction): Treatment {
  const { mnemonic, attributes } = insn.row;
  const { privileged, sensitive, io, intercept } = attributes;
  if (mnemonic === 'jmp' || mnemonic === 'call') return nearBranch(insn);
  if (Object.hasOwn(NAMED, mnemonic)) return NAMED[mnemonic];
  if (privileged || sensitive || io || !HARMLESS.includes(intercept)) return 'call-out';
  if (insn.operands[0]?.kind === 'relative') return insn.operandSize === 16 ? 'call-out' : 'branch';
  // 32-bit addresses relative to EIP in 64-bit code.
  return insn.memory?.ripRelative && insn.addressSize !== insn.codeSize ? 'call-out' : 'copy';
}

function nearBranch({ row, operands, operandSize, codeSize, memory, addressSize }: Instruction): Treatment {
  if (row.attributes.sensitive || (codeSize === 32 && operandSize === 16)) return 'call-out';
  if (memory?.ripRelative && addressSize !== codeSize) return 'call-out';
  if (operands[0].kind === 'relative') return row.mnemonic === 'call' ? 'call' : 'jump';
  return row.mnemonic === 'call' ? 'call-indirect' : 'indirect';
}

/** Answered without leaving translated code. */
export const isInPlace = (treatment: Treatment): boolean =>
  treatment === 'cli' || treatment === 'sti' || treatment === 'pushf' || treatment === 'popf';
