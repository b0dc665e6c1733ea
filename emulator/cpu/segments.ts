/**
 * Loading of segment registers, with every check (SDM vol. 2 MOV, POP, LDS; LLDT; LTR; vol. 3A 5.5 to 5.7).
 * CS is loaded by far transfers only: far-transfer.ts, events.ts.
 */
import { SEG } from '../x86/registers';
import {
  descriptorAddress, dplOf, fetchDescriptor, isCode, isConforming, isNull, isPresent, isReadable, isSegment,
  isWritableData, markAccessed, segmentOf, setBusy, TYPE, typeOf,
} from './descriptors'; // prettier-ignore
import type { Descriptor } from './descriptors';
import type { Ext } from './faults';
import { gp, np, selectorCode, ss } from './faults';
import { isIa32e, isLong, isReal, isVirtual8086 } from './mode';
import type { GuestFault } from './ports';
import { ATTRIBUTE } from './state';
import type { Segment } from './state';
import { isCanonical } from '../util/words';
import type { Cpu } from './cpu';

const REAL_ATTRIBUTES = ATTRIBUTE.P | ATTRIBUTE.S | 3;

/** A selector as real-address and virtual-8086 mode load it. */
export function realSegment(cpu: Cpu, index: number, selector: number): Segment {
  const base = BigInt(selector << 4);
  if (isVirtual8086(cpu.state)) return { selector, base, limit: 0xffff, attributes: REAL_ATTRIBUTES | ATTRIBUTE.DPL };
  // Limit and size survive from protected mode: many loaders rely on it ("unreal mode").
  const { limit, attributes } = cpu.state.segment(index);
  const usable = !(attributes & ATTRIBUTE.UNUSABLE);
  const kept = usable ? attributes & (ATTRIBUTE.DB | ATTRIBUTE.G) : 0;
  return { selector, base, limit: usable ? limit : 0xffff, attributes: REAL_ATTRIBUTES | kept };
}

/** A null selector in a data segment. SS keeps the privilege level in its DPL. */
export const nullSegment = (selector: number, dpl = 0): Segment => ({
  selector,
  base: 0n,
  limit: 0,
  attributes: ATTRIBUTE.UNUSABLE | (dpl << 5),
});

/** MOV, POP and the like to ES, SS, DS, FS, GS. */
export function loadSegment(cpu: Cpu, index: number, selector: number): void {
  cpu.state.setSegment(index, checkedSegment(cpu, index, selector));
  cpu.modeChanged();
}

export function checkedSegment(cpu: Cpu, index: number, selector: number): Segment {
  const { state } = cpu;
  if (isReal(state)) return realSegment(cpu, index, selector);
  if (index === SEG.SS) return checkedStack(cpu, selector);
  if (isNull(selector)) return nullSegment(selector);
  const d = fetchDescriptor(cpu, selector);
  const code = selectorCode(selector);
  if (!isReadable(d)) throw gp(code);
  if (!isConforming(d) && ((selector & 3) > dplOf(d) || state.cpl > dplOf(d))) throw gp(code);
  if (!isPresent(d)) throw np(code);
  markAccessed(cpu, d);
  return segmentOf(cpu, selector, d);
}

function checkedStack(cpu: Cpu, selector: number): Segment {
  const { state } = cpu;
  const { cpl } = state;
  if (isNull(selector)) {
    if (!isLong(state) || cpl === 3 || (selector & 3) !== cpl) throw gp(0);
    return nullSegment(selector, cpl);
  }
  const d = stackDescriptor(cpu, selector, cpl, gp, 0);
  markAccessed(cpu, d);
  return segmentOf(cpu, selector, d);
}

/** A stack segment for `level`: #GP or #TS (`fault`) with the selector, #SS if not present. */
export function stackDescriptor(
  cpu: Cpu,
  selector: number,
  level: number,
  fault: (code: number) => GuestFault,
  ext: Ext,
): Descriptor {
  const d = fetchDescriptor(cpu, selector, fault, ext);
  const code = selectorCode(selector, ext);
  if ((selector & 3) !== level || dplOf(d) !== level || !isWritableData(d)) throw fault(code);
  if (!isPresent(d)) throw ss(code);
  return d;
}

/** After a return to an outer level: data segments that the new level may not have become null (SDM vol. 2 RET). */
export function dropInnerSegments(cpu: Cpu, cpl: number): void {
  for (const index of [SEG.ES, SEG.DS, SEG.FS, SEG.GS]) {
    const attributes = cpu.state.segmentAttributes(index);
    if (attributes & ATTRIBUTE.UNUSABLE) continue;
    if (!isConforming({ attributes }) && dplOf({ attributes }) < cpl) cpu.state.setSegment(index, nullSegment(0));
  }
}

export function loadLdtr(cpu: Cpu, selector: number): void {
  if (isNull(selector)) {
    cpu.state.setSegment(SEG.LDTR, nullSegment(selector));
    return;
  }
  if (selector & 4) throw gp(selectorCode(selector));
  const d = fetchDescriptor(cpu, selector);
  const code = selectorCode(selector);
  if (isSegment(d) || typeOf(d) !== TYPE.LDT) throw gp(code);
  const segment = segmentOf(cpu, selector, d);
  if (!isPresent(d)) throw np(code);
  if (!isCanonical(segment.base)) throw gp(code);
  cpu.state.setSegment(SEG.LDTR, segment);
}

export function loadTr(cpu: Cpu, selector: number): void {
  if (isNull(selector)) throw gp(0);
  const code = selectorCode(selector);
  if (selector & 4) throw gp(code);
  const d = fetchDescriptor(cpu, selector);
  const available = typeOf(d) === TYPE.TSS32 || (typeOf(d) === TYPE.TSS16 && !isIa32e(cpu.state));
  if (isSegment(d) || !available) throw gp(code);
  const segment = segmentOf(cpu, selector, d);
  if (!isPresent(d)) throw np(code);
  if (!isCanonical(segment.base)) throw gp(code);
  setBusy(cpu, d.gva, true);
  cpu.state.setSegment(SEG.TR, { ...segment, attributes: segment.attributes | 2 });
}

/** What LAR and LSL may see of a selector: undefined where they clear ZF. */
export function visibleDescriptor(cpu: Cpu, selector: number): Descriptor | undefined {
  if (isNull(selector) || descriptorAddress(cpu, selector) < 0n) return undefined;
  const d = fetchDescriptor(cpu, selector);
  if (isConforming(d)) return d;
  if (cpu.state.cpl > dplOf(d) || (selector & 3) > dplOf(d)) return undefined;
  return d;
}

/** VERR and VERW. */
export function accessible(cpu: Cpu, selector: number, write: boolean): boolean {
  const d = visibleDescriptor(cpu, selector);
  if (!d || !isSegment(d)) return false;
  return write ? isWritableData(d) : !isCode(d) || isReadable(d);
}
