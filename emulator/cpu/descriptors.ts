/**
 * Descriptors as they lie in the GDT and LDT: fetching with the checks of SDM vol. 3A 3.4.5 and 5.2, and the accessed
 * and busy bits. Nothing here changes a register.
 */
import { SEG } from '../x86/registers';
import { ATTRIBUTE } from './state';
import type { Segment } from './state';
import { gp, selectorCode } from './faults';
import type { Ext } from './faults';
import { isIa32e } from './mode';
import type { GuestFault } from './ports';
import type { Cpu } from './cpu';

/** System-segment and gate types (SDM vol. 3A table 3-2). In IA-32e mode 9, B, C, E, F are 64-bit and 1-7 are reserved. */
export const TYPE = {
  TSS16: 1, LDT: 2, TSS16_BUSY: 3, CALL16: 4, TASK_GATE: 5, INTERRUPT16: 6, TRAP16: 7,
  TSS32: 9, TSS32_BUSY: 11, CALL32: 12, INTERRUPT32: 14, TRAP32: 15,
} as const; // prettier-ignore

export interface Descriptor {
  selector: number;
  /** Linear address of the descriptor. */
  gva: bigint;
  low: number;
  high: number;
  /** VMX format, as Segment.attributes. */
  attributes: number;
}

export const typeOf = (d: { attributes: number }): number => d.attributes & ATTRIBUTE.TYPE;
export const dplOf = (d: { attributes: number }): number => (d.attributes >> 5) & 3;
export const isPresent = (d: { attributes: number }): boolean => (d.attributes & ATTRIBUTE.P) !== 0;
/** Code or data, not a system segment or gate. */
export const isSegment = (d: { attributes: number }): boolean => (d.attributes & ATTRIBUTE.S) !== 0;
export const isCode = (d: { attributes: number }): boolean => isSegment(d) && (d.attributes & 8) !== 0;
export const isConforming = (d: { attributes: number }): boolean => isCode(d) && (d.attributes & 4) !== 0;
export const isWritableData = (d: { attributes: number }): boolean => isSegment(d) && (d.attributes & 0xa) === 2;
export const isReadable = (d: { attributes: number }): boolean =>
  isSegment(d) && (!(d.attributes & 8) || (d.attributes & 2) !== 0);

const attributesOf = (high: number): number => (high >>> 8) & 0xf0ff;
export const limitOf = (low: number, high: number): number => {
  const limit = (low & 0xffff) | (high & 0xf_0000);
  return high & 0x80_0000 ? ((limit << 12) | 0xfff) >>> 0 : limit;
};
const baseOf = (low: number, high: number): number =>
  ((low >>> 16) | ((high & 0xff) << 16) | (high & 0xff00_0000)) >>> 0;

export const isNull = (selector: number): boolean => (selector & 0xfffc) === 0;

/** Linear address of a selector's descriptor, or -1n if it lies beyond its table. */
export function descriptorAddress(cpu: Cpu, selector: number, bytes = 8): bigint {
  const { state } = cpu;
  const offset = selector & 0xfff8;
  if (selector & 4) {
    const ldt = state.segment(SEG.LDTR);
    if (ldt.attributes & ATTRIBUTE.UNUSABLE || offset + bytes - 1 > ldt.limit) return -1n;
    return ldt.base + BigInt(offset);
  }
  if (offset + bytes - 1 > state.system32('gdtr.limit')) return -1n;
  return state.system('gdtr.base') + BigInt(offset);
}

/** Undefined: beyond the table. */
export function tryDescriptor(cpu: Cpu, selector: number): Descriptor | undefined {
  const gva = descriptorAddress(cpu, selector);
  if (gva < 0n) return undefined;
  const raw = cpu.read(gva, 8, true);
  const low = Number(raw & 0xffff_ffffn);
  const high = Number(raw >> 32n);
  return { selector, gva, low, high, attributes: attributesOf(high) };
}
/** `fault`: #GP mostly, #TS in task switches and for the stacks of inner levels. */
export function fetchDescriptor(
  cpu: Cpu,
  selector: number,
  fault: (code: number) => GuestFault = gp,
  ext: Ext = 0,
): Descriptor {
  const d = tryDescriptor(cpu, selector);
  if (!d) throw fault(selectorCode(selector, ext));
  return d;
}

/** The upper half of a 16-byte system descriptor in IA-32e mode: bits 63:32 of the base or offset (SDM figure 7-4). */
export function upperHalf(cpu: Cpu, d: Descriptor, fault: (code: number) => GuestFault = gp, ext: Ext = 0): number {
  const code = selectorCode(d.selector, ext);
  if (descriptorAddress(cpu, d.selector, 16) < 0n) throw fault(code);
  const raw = cpu.read(d.gva + 8n, 8, true);
  if ((raw >> 40n) & 0x1fn) throw fault(code);
  return Number(raw & 0xffff_ffffn);
}

/** The hidden part that loading the descriptor yields. System segments in IA-32e mode have 64-bit bases. */
export function segmentOf(cpu: Cpu, selector: number, d: Descriptor, ext: Ext = 0): Segment {
  let base = BigInt(baseOf(d.low, d.high));
  if (!isSegment(d) && isIa32e(cpu.state)) base |= BigInt(upperHalf(cpu, d, gp, ext)) << 32n;
  return { selector, base, limit: limitOf(d.low, d.high), attributes: d.attributes };
}

/** Sets the accessed bit in the table if it is clear, and in `d`. */
export function markAccessed(cpu: Cpu, d: Descriptor): void {
  if (d.attributes & 1) return;
  d.attributes |= 1;
  d.high |= 0x100;
  cpu.write(d.gva + 5n, 1, BigInt((d.high >>> 8) & 0xff), true);
}
/** Sets or clears the busy bit of a TSS descriptor (type bit 1) in the table. */
export function setBusy(cpu: Cpu, gva: bigint, busy: boolean): void {
  const access = cpu.read(gva + 5n, 1, true);
  cpu.write(gva + 5n, 1, busy ? access | 2n : access & ~2n, true);
}

export interface Gate {
  type: number;
  selector: number;
  offset: bigint;
  /** Of a call gate: words or doublewords to copy. Of a 64-bit interrupt gate: the stack table entry. */
  count: number;
  dpl: number;
  present: boolean;
}
export const gateOf = (low: number, high: number, upper = 0): Gate => ({
  type: (high >>> 8) & 15,
  selector: low >>> 16,
  offset: (BigInt(upper) << 32n) | BigInt(((high & 0xffff_0000) | (low & 0xffff)) >>> 0),
  count: high & 0x1f,
  dpl: (high >>> 13) & 3,
  present: (high & 0x8000) !== 0,
});
