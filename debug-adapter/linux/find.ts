/** Where in the guest's address space a Linux kernel would be. */
import type { Inspector, Mapping } from '../../emulator/machine/api';
import type { Region } from '../symbols/kallsyms';

/** The image lies in this GiB, at a place that KASLR chooses (kernel: Documentation/arch/x86/x86_64/mm.rst). */
const IMAGE_64 = { start: 0xffff_ffff_8000_0000n, end: 0xffff_ffff_c000_0000n };
/** With 32 bits it is part of the linear mapping, which begins at PAGE_OFFSET: at 3 GiB, or at 2 with other splits. */
const IMAGE_32 = { start: 0x8000_0000n, end: 0xff00_0000n };
const EFER_LMA = 1n << 10n;
/** Runs of pages that are looked at; a hostile guest could map every other page. */
const MAX_MAPPINGS = 8192;
const MAX_BYTES = 1n << 30n;

const isWide = (inspect: Inspector, cpu: number): boolean =>
  ((inspect.registers(cpu).get('efer') ?? 0n) & EFER_LMA) !== 0n;

/**
 * A program's pages are left out where it may have some. With 64 bits it has none there, and under Xen a paravirtual kernel's own
 * are pages of ring 3 (Xen's public header arch-x86/xen-x86_64.h: the guest's kernel runs in ring 3).
 */
function imageMappings(inspect: Inspector, cpu: number, limit: number): Mapping[] {
  const wide = isWide(inspect, cpu);
  const { start, end } = wide ? IMAGE_64 : IMAGE_32;
  if (((inspect.registers(cpu).get('cr0') ?? 0n) & (1n << 31n)) === 0n) return [];
  return inspect.mappings(cpu, start, limit).filter(({ gva, user }) => gva < end && (wide || !user));
}

/** Cheap: whether anything is mapped there. */
export const mayBeKernel = (inspect: Inspector, cpu: number): boolean => imageMappings(inspect, cpu, 1).length > 0;

/** What is mapped there, neighbours joined. */
export function kernelRegions(inspect: Inspector, cpu: number): { regions: Region[]; pointerBytes: 4 | 8 } {
  const regions: Region[] = [];
  let bytes = 0n;
  for (const { gva, size } of imageMappings(inspect, cpu, MAX_MAPPINGS)) {
    bytes += size;
    if (bytes > MAX_BYTES) break;
    const last = regions.at(-1);
    if (last?.end === gva) last.end += size;
    else regions.push({ start: gva, end: gva + size });
  }
  return { regions, pointerBytes: isWide(inspect, cpu) ? 8 : 4 };
}
