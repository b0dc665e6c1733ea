/** The processor as BIOS services see it: registers of a real-mode caller, physical memory. */
import type { Cpu } from '../cpu/cpu';
import { realSegment } from '../cpu/segments';
import { GPR, SEG } from '../x86/registers';
import type { RealModeProcessor, Register32, SegmentName } from './firmware/bios-context';

const NUMBER: Record<Exclude<Register32, 'eip'>, number> = {
  eax: GPR.RAX, ebx: GPR.RBX, ecx: GPR.RCX, edx: GPR.RDX, esi: GPR.RSI, edi: GPR.RDI, ebp: GPR.RBP, esp: GPR.RSP,
}; // prettier-ignore
const SEGMENT: Record<SegmentName, number> = { cs: SEG.CS, ds: SEG.DS, es: SEG.ES, ss: SEG.SS };

/** The processor does not exist yet when the board is built: it is asked for at each call. */
export const realModeProcessor = (cpu: () => Cpu): RealModeProcessor => ({
  get: (register) => (register === 'eip' ? Number(cpu().state.rip & 0xffff_ffffn) : cpu().state.gpr32(NUMBER[register])),
  set(register, value) {
    const { state } = cpu();
    if (register === 'eip') state.rip = BigInt(value >>> 0);
    else state.setGpr(NUMBER[register], (state.gpr(NUMBER[register]) & ~0xffff_ffffn) | BigInt(value >>> 0));
  },
  getSegment: (name) => cpu().state.selector(SEGMENT[name]),
  setSegment(name, selector) {
    cpu().state.setSegment(SEGMENT[name], realSegment(cpu(), SEGMENT[name], selector));
    cpu().modeChanged();
  },
  readPhysical: (gpa, bytes) => readAll(cpu(), gpa, bytes),
  writePhysical(gpa, bytes) {
    const { physical } = cpu().mmu;
    const done = physical.writeBytes(gpa, bytes, true);
    for (let i = done; i < bytes.length; i++) cpu().mmu.writePhysical(gpa + i, 1, BigInt(bytes[i]));
  },
}); // prettier-ignore

/** RAM at once; the text screen a byte at a time from its chip. */
function readAll(cpu: Cpu, gpa: number, bytes: number): Uint8Array {
  const ram = cpu.mmu.physical.readBytes(gpa, bytes);
  if (ram.length === bytes) return ram;
  const all = new Uint8Array(bytes);
  all.set(ram);
  for (let i = ram.length; i < bytes; i++) all[i] = Number(cpu.mmu.readPhysical(gpa + i, 1));
  return all;
}
