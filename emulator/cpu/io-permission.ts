/** Who may use which port: IOPL, then the bitmap in the TSS (SDM vol. 1 19.5). Throws #GP(0). */
import { RFLAGS, SEG } from '../x86/registers';
import { TYPE } from './descriptors';
import { gp } from './faults';
import { ATTRIBUTE } from './state';
import type { Cpu } from './cpu';

export function checkPort(cpu: Cpu, port: number, bytes: number): void {
  const { state } = cpu;
  if (!cpu.protected) return;
  const iopl = (state.systemFlags & RFLAGS.IOPL) >> 12;
  if (!cpu.virtual8086 && state.cpl <= iopl) return;
  const tr = state.segment(SEG.TR);
  const type = tr.attributes & ATTRIBUTE.TYPE;
  if (tr.attributes & ATTRIBUTE.UNUSABLE || (type !== TYPE.TSS32_BUSY && type !== TYPE.TSS32)) throw gp(0);
  if (tr.limit < 0x67) throw gp(0);
  const bitmap = Number(cpu.read(tr.base + 0x66n, 2, true));
  const offset = bitmap + (port >> 3);
  // Two bytes are always read: an access may straddle them.
  if (offset + 1 > tr.limit) throw gp(0);
  const bits = Number(cpu.read(tr.base + BigInt(offset), 2, true)) >> (port & 7);
  if (bits & ((1 << bytes) - 1)) throw gp(0);
}
