/** Who may use which port: IOPL, then the bitmap in the TSS (SDM vol. 1 19.5). */
import { RFLAGS, SEG } from '../x86/registers';
import { TYPE } from './descriptors';
import { gp } from './faults';
import { ATTRIBUTE } from './state';
import type { Cpu } from './cpu';
import type { GuestFault } from './ports';

/** #GP(0), or nothing. The bitmap is read, which may throw. */
export function refusedPort(cpu: Cpu, port: number, bytes: number): GuestFault | undefined {
  const { state } = cpu;
  if (!cpu.protected) return undefined;
  const iopl = (state.systemFlags & RFLAGS.IOPL) >> 12;
  if (!cpu.virtual8086 && state.cpl <= iopl) return undefined;
  const tr = state.segment(SEG.TR);
  const type = tr.attributes & ATTRIBUTE.TYPE;
  if (tr.attributes & ATTRIBUTE.UNUSABLE || (type !== TYPE.TSS32_BUSY && type !== TYPE.TSS32)) return gp(0);
  if (tr.limit < 0x67) return gp(0);
  const bitmap = Number(cpu.read(tr.base + 0x66n, 2, true));
  const offset = bitmap + (port >> 3);
  // Two bytes are always read: an access may straddle them.
  if (offset + 1 > tr.limit) return gp(0);
  const bits = Number(cpu.read(tr.base + BigInt(offset), 2, true)) >> (port & 7);
  return bits & ((1 << bytes) - 1) ? gp(0) : undefined;
}
