/** What a hypervisor asks to see: instructions by control, ports and MSRs by bitmap, control registers by mask and target (SDM vol. 3C 25.6, 26.1). */
import type { PhysicalMemory } from '../mmu/physical-memory';
import { CR0 } from '../x86/registers';
import { PRIMARY, SECONDARY } from '../x86/vmcs';
import type { VmcsFieldName } from '../x86/vmcs';
import type { ExitCause, PlainExit } from './exit-cause';
import type { Interceptable } from './intercepts';
import type { Vmcs } from './vmcs-region';

/** Instructions that leave by a control (26.1.3); absent: always, or never. */
const BY_CONTROL: Readonly<Partial<Record<PlainExit, readonly ['primary' | 'secondary', number]>>> = {
  hlt: ['primary', PRIMARY.HLT], mwait: ['primary', PRIMARY.MWAIT], monitor: ['primary', PRIMARY.MONITOR],
  rdpmc: ['primary', PRIMARY.RDPMC], rdtsc: ['primary', PRIMARY.RDTSC], rdtscp: ['primary', PRIMARY.RDTSC],
  pause: ['primary', PRIMARY.PAUSE], invpcid: ['primary', PRIMARY.INVLPG], wbinvd: ['secondary', SECONDARY.WBINVD],
  rdrand: ['secondary', SECONDARY.RDRAND], rdseed: ['secondary', SECONDARY.RDSEED],
}; // prettier-ignore
const ALWAYS: readonly string[] = ['cpuid', 'invd', 'xsetbv', 'virtualization'];
/** #UD in a guest without the control (26.3). */
export const NEEDS: Readonly<Record<string, number>> = {
  rdtscp: SECONDARY.RDTSCP, rdpid: SECONDARY.RDTSCP, invpcid: SECONDARY.INVPCID, xsaves: SECONDARY.XSAVES, xrstors: SECONDARY.XSAVES,
  vmfunc: SECONDARY.VM_FUNCTIONS,
}; // prettier-ignore

const MSR_RANGES = [{ first: 0, offset: 0 }, { first: 0xc000_0000, offset: 0x400 }] as const; // prettier-ignore
const MSRS_PER_RANGE = 0x2000;
const WRITES = 0x800;

function bit(memory: PhysicalMemory, base: bigint, number: number): boolean {
  const host = memory.hostAddress(Number(base) + (number >>> 3));
  return host < 0 || (memory.data[host] & (1 << (number & 7))) !== 0;
}
function portAsked(memory: PhysicalMemory, vmcs: Vmcs, port: number, bytes: number): boolean {
  if (port + bytes > 0x1_0000) return true;
  for (let at = port; at < port + bytes; at++)
    if (bit(memory, vmcs.read(at < 0x8000 ? 'IO_BITMAP_A' : 'IO_BITMAP_B'), at & 0x7fff)) return true;
  return false;
}
function msrAsked(memory: PhysicalMemory, vmcs: Vmcs, msr: number, write: boolean): boolean {
  const range = MSR_RANGES.find(({ first }) => msr >= first && msr < first + MSRS_PER_RANGE);
  if (!range) return true;
  return bit(memory, vmcs.read('MSR_BITMAPS') + BigInt(range.offset + (write ? WRITES : 0)), msr - range.first);
}

/** CR0 bits that LMSW writes. */
const LMSW_BITS = 0xfn;
/** 26.1.3. `primary`: the primary controls. */
function controlAsked(vmcs: Vmcs, primary: number, { register, access, value }: Extract<ExitCause, { reason: 'cr-access' }>): boolean {
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

/** `primary`, `secondary`: the controls in force. */
export function asked(memory: PhysicalMemory, vmcs: Vmcs, primary: number, secondary: number, cause: Interceptable): boolean {
  const wants = (number: number): boolean => (primary & (1 << number)) !== 0;
  const { reason } = cause;
  if (ALWAYS.includes(reason)) return true;
  switch (reason) {
    case 'io':
      if (!wants(PRIMARY.IO_BITMAPS)) return wants(PRIMARY.UNCONDITIONAL_IO);
      return portAsked(memory, vmcs, cause.port, cause.bytes);
    case 'msr-read':
    case 'msr-write':
      return !wants(PRIMARY.MSR_BITMAPS) || msrAsked(memory, vmcs, cause.msr, reason === 'msr-write');
    case 'cr-access':
      return controlAsked(vmcs, primary, cause);
    case 'dr-access':
      return wants(PRIMARY.MOV_DR);
    case 'descriptor-table':
      return (secondary & (1 << SECONDARY.DESCRIPTOR_TABLES)) !== 0;
    case 'invlpg':
      return wants(PRIMARY.INVLPG);
    default: {
      const by = BY_CONTROL[reason as PlainExit];
      return by !== undefined && ((by[0] === 'primary' ? primary : secondary) & (1 << by[1])) !== 0;
    }
  }
} // prettier-ignore
