/** Which ports, MSRs and accesses of control registers a hypervisor asks for: bitmaps, masks, targets (SDM vol. 3C 25.6.4, 25.6.6, 25.6.7, 25.6.9). */
import type { PhysicalMemory } from '../mmu/physical-memory';
import { CR0 } from '../x86/registers';
import { PRIMARY } from '../x86/vmcs';
import type { VmcsFieldName } from '../x86/vmcs';
import type { ExitCause } from './exit-cause';
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

/** CR0 bits that LMSW writes. */
const LMSW_BITS = 0xfn;
/** 26.1.3. `primary`: the primary controls. */
export function controlAsked(vmcs: Vmcs, primary: number, { register, access, value }: Extract<ExitCause, { reason: 'cr-access' }>): boolean {
  const wants = (number: number): boolean => (primary & (1 << number)) !== 0;
  const differs = (name: 'CR0' | 'CR4', bits: bigint): boolean =>
    ((value ^ vmcs.read(`${name}_SHADOW`)) & vmcs.read(`${name}_MASK`) & bits) !== 0n;
  if (access === 'read') return register === 3 ? wants(PRIMARY.CR3_STORE) : register === 8 && wants(PRIMARY.CR8_STORE);
  if (access === 'smsw') return false;
  // CLTS leaves where the guest believes TS to be set and the bit is the host's.
  if (access === 'clts') {
    const ts = BigInt(CR0.TS);
    return (vmcs.read('CR0_MASK') & vmcs.read('CR0_SHADOW') & ts) !== 0n;
  }
  if (access === 'lmsw') {
    // LMSW cannot clear PE.
    const bits = value & 1n ? LMSW_BITS : LMSW_BITS & ~1n;
    return differs('CR0', bits);
  }
  if (register === 0) return differs('CR0', -1n);
  if (register === 4) return differs('CR4', -1n);
  if (register === 8) return wants(PRIMARY.CR8_LOAD);
  return register === 3 && wants(PRIMARY.CR3_LOAD) && !isTarget(vmcs, value);
} // prettier-ignore
/** 25.6.7. */
function isTarget(vmcs: Vmcs, value: bigint): boolean {
  const count = Number(vmcs.read('CR3_TARGET_COUNT'));
  for (let i = 0; i < count; i++) if (vmcs.read(`CR3_TARGET${i}` as VmcsFieldName) === value) return true;
  return false;
}
