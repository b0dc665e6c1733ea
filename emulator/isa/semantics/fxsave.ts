/** FXSAVE and FXRSTOR: SDM vol. 1 section 10.5, vol. 2. */
import type { Processor } from '../../cpu/ports';
import { GuestFault } from '../../cpu/ports';
import { CR0, CR4, VECTOR } from '../../x86/registers';
import type { Instruction, SystemMeaning } from '../instruction';
import { FX, MXCSR_MASK, restoreFx, saveFx } from './fx-image';
import { memoryLinear, readBytes, writeBytes } from './x87-memory';

export { MXCSR_MASK } from './fx-image';

/** What FXSAVE writes; the rest of the 512 bytes is the software's. */
const WRITTEN = 416;

function open(cpu: Processor, instruction: Instruction, access: 'read' | 'write'): bigint {
  const cr0 = cpu.state.system32('cr0');
  if (cr0 & CR0.EM) throw new GuestFault(VECTOR.UD);
  if (cr0 & CR0.TS) throw new GuestFault(VECTOR.NM);
  const gva = memoryLinear(cpu, instruction, 512, access);
  if (gva & 15n) throw new GuestFault(VECTOR.GP, 0);
  return gva;
}

/** Registers that are saved: none while the system does not expect it, sixteen in 64-bit mode. */
const vectorCount = (cpu: Processor, { codeSize }: Instruction): number =>
  cpu.state.system32('cr4') & CR4.OSFXSR ? (codeSize === 64 ? 16 : 8) : 0;

export const fxsave: SystemMeaning = (cpu, instruction) => {
  const gva = open(cpu, instruction, 'write');
  writeBytes(cpu, gva, saveFx(cpu, instruction, vectorCount(cpu, instruction)));
};

export const fxrstor: SystemMeaning = (cpu, instruction) => {
  const gva = open(cpu, instruction, 'read');
  const image = readBytes(cpu, gva, WRITTEN);
  const mxcsr = new DataView(image.buffer).getUint32(FX.mxcsr, true);
  if (mxcsr & ~MXCSR_MASK) throw new GuestFault(VECTOR.GP, 0);
  restoreFx(cpu, instruction, vectorCount(cpu, instruction), image);
};
