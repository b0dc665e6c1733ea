/**
 * x87 and SSE state as FXSAVE and XSAVE lay it out in memory: SDM vol. 1 section 10.5, vol. 2 tables 3-43 to 3-46.
 * Images are byte arrays here; who may do it, and where they lie in guest memory, is fxsave.ts and xsave.ts.
 */
import type { Processor } from '../../cpu/ports';
import * as layout from '../../execution/layout';
import type { Instruction } from '../instruction';
import { Unit } from './x87-unit';

/** Bits of MXCSR that may be set: all of the lower half, denormals-are-zeros included. */
export const MXCSR_MASK = 0xffff;
/** Offsets of fields and of register arrays, 16 bytes a register. */
export const FX = {
  control: 0, status: 2, tags: 4, opcode: 6, fip: 8, fdp: 16, mxcsr: 24, mask: 28, st: 32, xmm: 160,
} as const; // prettier-ignore

const POINTERS = [
  [FX.fip, layout.X87_FIP, layout.X87_FCS],
  [FX.fdp, layout.X87_FDP, layout.X87_FDS],
] as const;
/** REX.W: 64-bit instruction and data pointers, no selectors. */
type Form = Pick<Instruction, 'rex'>;
const wide = ({ rex }: Form): boolean => (rex & 8) !== 0;

/** What FXSAVE writes; the rest of the 512 bytes is the software's. `count`: of vector registers. */
export function saveFx(cpu: Processor, form: Form, count: number): Uint8Array {
  const image = new Uint8Array(FX.xmm + count * 16);
  saveX87(cpu, form, image);
  const view = new DataView(image.buffer);
  view.setUint32(FX.mxcsr, cpu.state.view.getUint32(layout.MXCSR, true), true);
  view.setUint32(FX.mask, MXCSR_MASK, true);
  saveXmm(cpu, count, image);
  return image;
}
/** MXCSR has been checked. */
export function restoreFx(cpu: Processor, form: Form, count: number, image: Uint8Array): void {
  restoreX87(cpu, form, image);
  cpu.state.view.setUint32(layout.MXCSR, new DataView(image.buffer).getUint32(FX.mxcsr, true), true);
  restoreXmm(cpu, count, image);
}

export function saveX87(cpu: Processor, instruction: Form, image: Uint8Array): void {
  const view = new DataView(image.buffer, image.byteOffset);
  const unit = new Unit(cpu);
  view.setUint16(FX.control, unit.control, true);
  view.setUint16(FX.status, unit.status, true);
  view.setUint8(FX.tags, unit.tags);
  view.setUint16(FX.opcode, unit.view.getUint16(layout.X87_OPCODE, true), true);
  for (const [at, offset, selector] of POINTERS) {
    view.setBigUint64(at, unit.view.getBigUint64(offset, true), true);
    if (!wide(instruction)) view.setUint32(at + 4, unit.view.getUint16(selector, true), true);
  }
  for (let i = 0; i < 8; i++) {
    const at = layout.X87 + ((unit.top + i) & 7) * 16;
    image.set(cpu.state.bytes.subarray(at, at + 10), FX.st + i * 16);
  }
}

export function restoreX87(cpu: Processor, instruction: Form, image: Uint8Array): void {
  const view = new DataView(image.buffer, image.byteOffset);
  const unit = new Unit(cpu);
  unit.control = view.getUint16(FX.control, true);
  unit.status = view.getUint16(FX.status, true);
  unit.tags = view.getUint8(FX.tags);
  unit.view.setUint16(layout.X87_OPCODE, view.getUint16(FX.opcode, true) & 0x7ff, true);
  for (const [at, offset, selector] of POINTERS) {
    const whole = view.getBigUint64(at, true);
    unit.view.setBigUint64(offset, wide(instruction) ? whole : whole & 0xffff_ffffn, true);
    unit.view.setUint16(selector, wide(instruction) ? 0 : view.getUint16(at + 4, true), true);
  }
  for (let i = 0; i < 8; i++) {
    const at = layout.X87 + ((unit.top + i) & 7) * 16;
    cpu.state.bytes.set(image.subarray(FX.st + i * 16, FX.st + i * 16 + 10), at);
  }
}

/** As after FNINIT, registers 0 (SDM vol. 1 13.6). */
export function initializeX87(cpu: Processor): void {
  const unit = new Unit(cpu);
  cpu.state.bytes.fill(0, layout.X87, layout.X87_FDS + 2);
  unit.control = 0x37f;
  unit.status = 0;
}
export function x87InUse(cpu: Processor): boolean {
  const unit = new Unit(cpu);
  if ((unit.control & 0x1f3f) !== 0x33f || unit.status !== 0 || unit.tags !== 0) return true;
  const { bytes } = cpu.state;
  return anyByte(bytes, layout.X87, 128) || anyByte(bytes, layout.X87_OPCODE, layout.X87_FDS + 2 - layout.X87_OPCODE);
}

/** `count` 16 in 64-bit mode, else 8. */
export function saveXmm(cpu: Processor, count: number, image: Uint8Array): void {
  for (let i = 0; i < count; i++) {
    const at = layout.VECTORS + i * layout.VECTOR_SIZE;
    image.set(cpu.state.bytes.subarray(at, at + 16), FX.xmm + i * 16);
  }
}
export function restoreXmm(cpu: Processor, count: number, image: Uint8Array): void {
  for (let i = 0; i < count; i++) {
    const at = layout.VECTORS + i * layout.VECTOR_SIZE;
    cpu.state.bytes.set(image.subarray(FX.xmm + i * 16, FX.xmm + i * 16 + 16), at);
  }
}
/** Halves of the vector registers: XMM at 0, the rest of YMM at 16. */
export function clearHalves(cpu: Processor, count: number, half: 0 | 16): void {
  for (let i = 0; i < count; i++) {
    const at = layout.VECTORS + i * layout.VECTOR_SIZE + half;
    cpu.state.bytes.fill(0, at, at + 16);
  }
}
export function halvesInUse(cpu: Processor, count: number, half: 0 | 16): boolean {
  for (let i = 0; i < count; i++)
    if (anyByte(cpu.state.bytes, layout.VECTORS + i * layout.VECTOR_SIZE + half, 16)) return true;
  return false;
}
function anyByte(bytes: Uint8Array, at: number, length: number): boolean {
  for (let i = at; i < at + length; i++) if (bytes[i] !== 0) return true;
  return false;
}
