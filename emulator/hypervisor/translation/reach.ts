/** Which of a guest's code binary translation takes; the rest runs on the virtual processor as it is. */
import type { Cpu } from '../../cpu/cpu';
import { executionMode } from '../../cpu/mode';
import { CR0, RFLAGS, SEG } from '../../x86/registers';

/** Ring 3 as it is unless it may change IF, ring 0 in flat 32-bit or 64-bit code. */
export function translates(cpu: Cpu): boolean {
  const { state } = cpu;
  if (!(state.system32('cr0') & CR0.PE) || state.cpl === 1 || state.cpl === 2) return false;
  if (state.cpl === 3) return (state.systemFlags & RFLAGS.IOPL) !== RFLAGS.IOPL;
  // They speak of the guest's addresses.
  if (cpu.debug.watchesCode) return false;
  const { codeSize } = executionMode(state);
  if (codeSize === 64) return true;
  const { base, limit } = state.segment(SEG.CS);
  return codeSize === 32 && base === 0n && limit === 0xffff_ffff && !cpu.ia32e;
}

/** Not translated, though a kernel may stay there. */
export const isCompatibilityKernel = (cpu: Cpu): boolean => cpu.ia32e && !cpu.long && cpu.state.cpl === 0;
export const COMPATIBILITY =
  'binary translation of a kernel in compatibility mode, which the virtual processor executes as it is';
/** More instructions than a kernel needs there on its way to 64-bit code. */
export const PASSING = 1000;
