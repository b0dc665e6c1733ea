/** Segmentation of one access by a plain meaning; generated code does the same from the same words (layout.ts). */
import * as layout from '../execution/layout';
import { SEG } from '../x86/registers';
import type { Cpu } from './cpu';
import { gp, ss } from './faults';
import type { Access } from './ports';
import { isCanonical } from '../util/words';

/** Linear address of an access. Throws #GP, or #SS for the stack, where limits or rights forbid it (SDM vol. 3A 5.3). */
export function linearAddress(cpu: Cpu, segment: number, offset: bigint, bytes: number, access: Access): bigint {
  const { state } = cpu;
  if (cpu.long) {
    const base = segment === SEG.FS || segment === SEG.GS ? state.segmentBase(segment) : 0n;
    const gva = BigInt.asUintN(64, base + offset);
    const last = BigInt.asUintN(64, gva + BigInt(bytes > 0 ? bytes - 1 : 0));
    if (!isCanonical(gva) || !isCanonical(last)) throw segment === SEG.SS ? ss() : gp();
    return gva;
  }
  const first = Number(BigInt.asUintN(32, offset));
  const at = layout.SEGMENTS + segment * layout.SEGMENT_SIZE;
  const low = state.view.getUint32(
    at + (access === 'write' ? layout.SEGMENT.WRITE_LOW : layout.SEGMENT.READ_LOW),
    true,
  );
  const high = state.view.getUint32(
    at + (access === 'write' ? layout.SEGMENT.WRITE_HIGH : layout.SEGMENT.READ_HIGH),
    true,
  );
  if (low > high || first < low || first + (bytes > 0 ? bytes - 1 : 0) > high) throw segment === SEG.SS ? ss() : gp();
  return BigInt.asUintN(32, state.segmentBase(segment) + BigInt(first));
}
