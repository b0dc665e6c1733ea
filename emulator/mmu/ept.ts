/** Extended page tables as a format of paging structures (SDM vol. 3C 29.3.2, tables 29-1 to 29-7). */
import { buildFormat } from './guest-paging';
import type { PagingContext, PagingFormat } from './guest-paging';

export const EPT = { R: 1, W: 2, X: 4, LARGE: 0x80, A: 0x100, D: 0x200, WRITE_BACK: 6 << 3 } as const;
/** Bits of an EPTP: page-walk length 4, write-back, accessed and dirty flags (table 25-9). */
export const EPTP = { LENGTH_4: 3 << 3, WRITE_BACK: 6, ACCESSED_DIRTY: 1 << 6 } as const;

const TYPE_SHIFT = 3;
/** Bits MAXPHYADDR (40) to 51. */
const RESERVED_HIGH = 0x000f_ff00;
const TYPES = 0x78;

/** What is present and writable must be readable; a leaf's memory type is 0, 1, 4, 5 or 6 (29.3.3.1). */
function malformed(low: number, leaf: boolean): boolean {
  if ((low & (EPT.R | EPT.W)) === EPT.W) return true;
  const type = (low >>> TYPE_SHIFT) & 7;
  return leaf && (type === 2 || type === 3 || type === 7);
}

const make = (accessedDirty: boolean): PagingFormat => ({
  ...buildFormat('EPT', 8, RESERVED_HIGH, false, [
    { name: 'EPT PML4E', level: 4, shift: 39, bits: 9, tableReserved: TYPES | EPT.LARGE },
    { name: 'EPT PDPTE', level: 3, shift: 30, bits: 9, large: true, tableReserved: TYPES, leafReserved: 0x3fff_f000 },
    { name: 'EPT PDE', level: 2, shift: 21, bits: 9, large: true, tableReserved: TYPES, leafReserved: 0x1f_f000 },
    { name: 'EPT PTE', level: 1, shift: 12, bits: 9, last: true },
  ]),
  presentMask: EPT.R | EPT.W | EPT.X,
  accessedMask: accessedDirty ? EPT.A : 0,
  dirtyMask: accessedDirty ? EPT.D : 0,
  rights: [EPT.R, EPT.W, EPT.X],
  malformed,
});
const FORMATS = [make(false), make(true)] as const;

/** The tables that an EPT pointer names. */
export function eptContext(pointer: bigint): PagingContext {
  const accessedDirty = (pointer & BigInt(EPTP.ACCESSED_DIRTY)) !== 0n;
  return {
    format: FORMATS[accessedDirty ? 1 : 0],
    root: Number(pointer & 0xff_ffff_f000n),
    pdptes: new Int32Array(8),
    writeProtect: true,
    smep: false,
    smap: false,
  };
}
