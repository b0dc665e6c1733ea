/**
 * Memory-type range registers as firmware leaves them: write-back by default, devices uncached (SDM vol. 3A 11.11).
 * Every processor gets the same.
 */
import { MSR } from '../../x86/registers';
import { MAXPHYADDR } from '../../mmu/guest-paging';
import { FOUR_GIB, PCI_HOLE } from '../address-map';

export interface MsrWriter {
  writeMsr(msr: number, value: bigint): void;
  has(feature: string): boolean;
}

const TYPE = { UNCACHED: 0, WRITE_BACK: 6 } as const;
const VALID = 1n << 11n;
/** MTRRs on, fixed ranges on. */
const DEF_TYPE = 0xc00n | BigInt(TYPE.WRITE_BACK);
const FIXED_WRITE_BACK = 0x0606_0606_0606_0606n;
/** 64 KiB each from 0, 16 KiB each from 80000h: RAM. A0000h, the VGA window, and what follows stays uncached. */
const FIXED_RAM = [0x250, 0x258] as const;
/** 4 KiB each, F0000h to FFFFFh: tables and services of firmware. */
const FIXED_BIOS = [0x26e, 0x26f] as const;

export function setMemoryTypes(processor: MsrWriter): void {
  if (!processor.has('mtrr')) return;
  for (const msr of [...FIXED_RAM, ...FIXED_BIOS]) processor.writeMsr(msr, FIXED_WRITE_BACK);
  // The last GiB below 4 GiB, where RAM never is.
  processor.writeMsr(MSR.MTRR_PHYS_BASE0, BigInt(PCI_HOLE + TYPE.UNCACHED));
  const mask = (1n << BigInt(MAXPHYADDR)) - 1n - (BigInt(FOUR_GIB - PCI_HOLE) - 1n);
  processor.writeMsr(MSR.MTRR_PHYS_BASE0 + 1, mask | VALID);
  processor.writeMsr(MSR.MTRR_DEF_TYPE, DEF_TYPE);
}
