/** Which ports and MSRs a hypervisor asks for, by its bitmaps (SDM vol. 3C 25.6.4, 25.6.9). */
import type { PhysicalMemory } from '../mmu/physical-memory';
import type { Vmcs } from './vmcs-region';

const MSR_RANGES = [{ first: 0, offset: 0 }, { first: 0xc000_0000, offset: 0x400 }] as const; // prettier-ignore
const MSRS_PER_RANGE = 0x2000;
const WRITES = 0x800;

function bit(memory: PhysicalMemory, base: bigint, number: number): boolean {
  const host = memory.hostAddress(Number(base) + (number >>> 3));
  return host < 0 || (memory.data[host] & (1 << (number & 7))) !== 0;
}
export function portAsked(memory: PhysicalMemory, vmcs: Vmcs, port: number, bytes: number): boolean {
  if (port + bytes > 0x1_0000) return true;
  for (let at = port; at < port + bytes; at++)
    if (bit(memory, vmcs.read(at < 0x8000 ? 'IO_BITMAP_A' : 'IO_BITMAP_B'), at & 0x7fff)) return true;
  return false;
}
export function msrAsked(memory: PhysicalMemory, vmcs: Vmcs, msr: number, write: boolean): boolean {
  const range = MSR_RANGES.find(({ first }) => msr >= first && msr < first + MSRS_PER_RANGE);
  if (!range) return true;
  return bit(memory, vmcs.read('MSR_BITMAPS') + BigInt(range.offset + (write ? WRITES : 0)), msr - range.first);
}
