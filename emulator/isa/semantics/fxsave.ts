/** FXSAVE and FXRSTOR: SDM vol. 1 section 10.5, vol. 2 tables 3-43 to 3-46. */
import type { Processor } from '../../cpu/ports';
import { GuestFault } from '../../cpu/ports';
import * as layout from '../../execution/layout';
import { CR0, CR4, VECTOR } from '../../x86/registers';
import type { Instruction, SystemMeaning } from '../instruction';
import { memoryLinear, readBytes, writeBytes } from './x87-memory';
import { Unit } from './x87-unit';

/** Bits of MXCSR that may be set: all of the lower half, denormals-are-zeros included. */
export const MXCSR_MASK = 0xffff;
const AT = {
  control: 0,
  status: 2,
  tags: 4,
  opcode: 6,
  fip: 8,
  fdp: 16,
  mxcsr: 24,
  mask: 28,
  st: 32,
  xmm: 160,
} as const;
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
  const unit = new Unit(cpu);
  const state = unit.view;
  const vectors = vectorCount(cpu, instruction);
  const bytes = new Uint8Array(vectors ? AT.xmm + vectors * 16 : AT.xmm);
  const view = new DataView(bytes.buffer);
  view.setUint16(AT.control, unit.control, true);
  view.setUint16(AT.status, unit.status, true);
  view.setUint8(AT.tags, unit.tags);
  view.setUint16(AT.opcode, state.getUint16(layout.X87_OPCODE, true), true);
  for (const [at, offset, selector] of [
    [AT.fip, layout.X87_FIP, layout.X87_FCS],
    [AT.fdp, layout.X87_FDP, layout.X87_FDS],
  ]) {
    view.setBigUint64(at, state.getBigUint64(offset, true), true);
    if (!(instruction.rex & 8)) view.setUint32(at + 4, state.getUint16(selector, true), true);
  }
  view.setUint32(AT.mxcsr, state.getUint32(layout.MXCSR, true), true);
  view.setUint32(AT.mask, MXCSR_MASK, true);
  const source = cpu.state.bytes;
  for (let i = 0; i < 8; i++) {
    const at = layout.X87 + ((unit.top + i) & 7) * 16;
    bytes.set(source.subarray(at, at + 10), AT.st + i * 16);
  }
  for (let i = 0; i < vectors; i++) {
    const at = layout.VECTORS + i * layout.VECTOR_SIZE;
    bytes.set(source.subarray(at, at + 16), AT.xmm + i * 16);
  }
  writeBytes(cpu, gva, bytes);
};

export const fxrstor: SystemMeaning = (cpu, instruction) => {
  const gva = open(cpu, instruction, 'read');
  const bytes = readBytes(cpu, gva, WRITTEN);
  const view = new DataView(bytes.buffer);
  const mxcsr = view.getUint32(AT.mxcsr, true);
  const vectors = vectorCount(cpu, instruction);
  if (mxcsr & ~MXCSR_MASK) throw new GuestFault(VECTOR.GP, 0);
  const unit = new Unit(cpu);
  const state = unit.view;
  unit.control = view.getUint16(AT.control, true);
  unit.status = view.getUint16(AT.status, true);
  unit.tags = view.getUint8(AT.tags);
  state.setUint16(layout.X87_OPCODE, view.getUint16(AT.opcode, true) & 0x7ff, true);
  for (const [at, offset, selector] of [
    [AT.fip, layout.X87_FIP, layout.X87_FCS],
    [AT.fdp, layout.X87_FDP, layout.X87_FDS],
  ]) {
    const whole = view.getBigUint64(at, true);
    const wide = (instruction.rex & 8) !== 0;
    state.setBigUint64(offset, wide ? whole : whole & 0xffff_ffffn, true);
    state.setUint16(selector, wide ? 0 : view.getUint16(at + 4, true), true);
  }
  state.setUint32(layout.MXCSR, mxcsr, true);
  const target = cpu.state.bytes;
  for (let i = 0; i < 8; i++) {
    const at = layout.X87 + ((unit.top + i) & 7) * 16;
    target.set(bytes.subarray(AT.st + i * 16, AT.st + i * 16 + 10), at);
  }
  for (let i = 0; i < vectors; i++) {
    const at = layout.VECTORS + i * layout.VECTOR_SIZE;
    target.set(bytes.subarray(AT.xmm + i * 16, AT.xmm + i * 16 + 16), at);
  }
};
