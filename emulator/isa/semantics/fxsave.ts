/** FXSAVE and FXRSTOR: SDM vol. 1 section 10.5, vol. 2. */
import type { Processor } from '../../cpu/ports';
import { GuestFault } from '../../cpu/ports';
import * as layout from '../../execution/layout';
import { CR0, CR4, VECTOR } from '../../x86/registers';
import type { Instruction, SystemMeaning } from '../instruction';
import { FX, MXCSR_MASK, restoreX87, restoreXmm, saveX87, saveXmm } from './fx-image';
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
  const vectors = vectorCount(cpu, instruction);
  const image = new Uint8Array(FX.xmm + vectors * 16);
  saveX87(cpu, instruction, image);
  const view = new DataView(image.buffer);
  view.setUint32(FX.mxcsr, cpu.state.view.getUint32(layout.MXCSR, true), true);
  view.setUint32(FX.mask, MXCSR_MASK, true);
  saveXmm(cpu, vectors, image);
  writeBytes(cpu, gva, image);
};

export const fxrstor: SystemMeaning = (cpu, instruction) => {
  const gva = open(cpu, instruction, 'read');
  const image = readBytes(cpu, gva, WRITTEN);
  const mxcsr = new DataView(image.buffer).getUint32(FX.mxcsr, true);
  if (mxcsr & ~MXCSR_MASK) throw new GuestFault(VECTOR.GP, 0);
  restoreX87(cpu, instruction, image);
  cpu.state.view.setUint32(layout.MXCSR, mxcsr, true);
  restoreXmm(cpu, vectorCount(cpu, instruction), image);
};
