/**
 * Far RET and IRET in all modes (SDM vol. 2 RET, IRET/IRETD/IRETQ). The frame is read and checked whole before
 * anything changes.
 */
import { GPR, RFLAGS, SEG } from '../x86/registers';
import {
  dplOf, fetchDescriptor, isCode, isConforming, isNull, isPresent, markAccessed, segmentOf,
} from './descriptors'; // prettier-ignore
import type { Descriptor } from './descriptors';
import { checkLong, checkTarget, enterCode, placeCode } from './far-transfer';
import { gp, np, selectorCode } from './faults';
import { isIa32e, isLong, isProtected, isVirtual8086, stackSize } from './mode';
import { dropInnerSegments, nullSegment, realSegment, stackDescriptor } from './segments';
import { setStackPointer, Stack } from './stack';
import { SYSTEM_ADDRESS } from '../execution/layout';
import { ATTRIBUTE } from './state';
import type { Segment } from './state';
import { BLOCKED_BY } from './stretch';
import { returnFromTask } from './tasks';
import type { Cpu } from './cpu';

const { interruptibility: INTERRUPTIBILITY } = SYSTEM_ADDRESS;
const NMI = Number(BLOCKED_BY.nmi);

type Size = 16 | 32 | 64;
type Bytes = 2 | 4 | 8;

export function farReturn(cpu: Cpu, size: Size, release: number): void {
  const { state } = cpu;
  const bytes = (size / 8) as Bytes;
  const stack = Stack.current(cpu);
  const rip = stack.pop(bytes);
  const selector = Number(stack.pop(bytes) & 0xffffn);
  if (!isProtected(state) || isVirtual8086(state)) {
    returnReal(cpu, stack, rip, selector, release);
    return;
  }
  const target = returnCode(cpu, selector);
  checkTarget(cpu, target.cs, rip);
  if ((selector & 3) === state.cpl) {
    stack.release(release);
    enterCode(cpu, target.d, target.cs, rip);
    stack.commit();
    return;
  }
  stack.release(release);
  returnOuter(cpu, target, rip, stack, bytes, release);
  cpu.modeChanged();
}

function returnReal(cpu: Cpu, stack: Stack, rip: bigint, selector: number, release: number): void {
  const cs = realSegment(cpu, SEG.CS, selector);
  if (rip > BigInt(cs.limit)) throw gp(0);
  stack.release(release);
  stack.commit();
  cpu.state.setSegment(SEG.CS, cs);
  cpu.state.rip = rip;
  cpu.modeChanged();
}

interface Target {
  d: Descriptor;
  cs: Segment;
}
/** The code segment on the stack: at the current level or an outer one. */
function returnCode(cpu: Cpu, selector: number): Target {
  const { cpl } = cpu.state;
  if (isNull(selector)) throw gp(0);
  const d = fetchDescriptor(cpu, selector);
  const code = selectorCode(selector);
  const rpl = selector & 3;
  if (!isCode(d) || rpl < cpl) throw gp(code);
  if (isConforming(d) ? dplOf(d) > rpl : dplOf(d) !== rpl) throw gp(code);
  checkLong(cpu, d, code);
  if (!isPresent(d)) throw np(code);
  return { d, cs: segmentOf(cpu, selector, d) };
}

/** SS as a return loads it: null is allowed to 64-bit code below level 3. */
function returnStack(cpu: Cpu, selector: number, cs: Segment): { ss: Segment; d?: Descriptor } {
  const rpl = cs.selector & 3;
  if (isNull(selector)) {
    const toLong = isIa32e(cpu.state) && (cs.attributes & ATTRIBUTE.L) !== 0;
    if (!toLong || rpl === 3 || (selector & 3) !== rpl) throw gp(0);
    return { ss: nullSegment(selector, rpl) };
  }
  const d = stackDescriptor(cpu, selector, rpl, gp, 0);
  return { ss: segmentOf(cpu, selector, d), d };
}

/** Takes SP and SS from the stack, loads them with CS, and drops segments that the outer level may not have. The mode changes. */
function returnOuter(cpu: Cpu, { d, cs }: Target, rip: bigint, stack: Stack, bytes: Bytes, release: number): void {
  const { state } = cpu;
  const pointer = stack.pop(bytes);
  const selector = Number(stack.pop(bytes) & 0xffffn);
  const { ss, d: stackDescriptorFound } = returnStack(cpu, selector, cs);
  if (stackDescriptorFound) markAccessed(cpu, stackDescriptorFound);
  markAccessed(cpu, d);
  const cpl = cs.selector & 3;
  state.setSegment(SEG.SS, ss.attributes & ATTRIBUTE.UNUSABLE ? ss : { ...ss, attributes: ss.attributes | 1 });
  placeCode(cpu, d, cs, rip);
  setStackPointer(cpu, outerStackSize(cpu, bytes), pointer + BigInt(release));
  dropInnerSegments(cpu, cpl);
}
/** The width of the stack just loaded. A 32-bit pop into a 64-bit stack pointer is zero-extended. */
const outerStackSize = (cpu: Cpu, bytes: Bytes): Size => {
  const size = stackSize(cpu.state);
  return size === 16 && bytes !== 2 ? 32 : size;
};

// --- IRET

const LOW = RFLAGS.CF | RFLAGS.PF | RFLAGS.AF | RFLAGS.ZF | RFLAGS.SF | RFLAGS.TF | RFLAGS.DF | RFLAGS.OF | RFLAGS.NT;
const HIGH = RFLAGS.RF | RFLAGS.AC | RFLAGS.ID;

/** Which flags IRET may change (SDM vol. 2 IRET). RF matters only to instruction breakpoints: kept while any is armed. */
function returnFlags(cpu: Cpu, image: bigint, bytes: Bytes, cpl: number): number {
  const old = cpu.state.rflags;
  const iopl = (old & RFLAGS.IOPL) >> 12;
  let mask = LOW;
  if (bytes > 2) mask |= HIGH;
  if (cpl <= iopl) mask |= RFLAGS.IF;
  if (cpl === 0) {
    mask |= RFLAGS.IOPL;
    if (bytes > 2) mask |= RFLAGS.VIF | RFLAGS.VIP;
  }
  const flags = (old & ~mask) | (Number(image & 0xffff_ffffn) & mask);
  return cpu.debug.armed() ? flags : flags & ~RFLAGS.RF;
}

export function interruptReturn(cpu: Cpu, size: Size, returnRip: bigint): void {
  const { state } = cpu;
  const bytes = (size / 8) as Bytes;
  if (!isProtected(state)) iretReal(cpu, bytes);
  else if (isVirtual8086(state)) iretVirtual(cpu, bytes);
  else if (isIa32e(state)) iretProtected(cpu, bytes, true);
  else if (state.systemFlags & RFLAGS.NT) returnFromTask(cpu, returnRip);
  else iretProtected(cpu, bytes, false);
  // NMIs are let in again, whatever they were blocked by (SDM vol. 3A 6.7.1).
  if (state.word(INTERRUPTIBILITY) & NMI) state.setWord(INTERRUPTIBILITY, state.word(INTERRUPTIBILITY) & ~NMI);
}

function iretReal(cpu: Cpu, bytes: Bytes): void {
  const stack = Stack.current(cpu);
  const rip = stack.pop(bytes);
  const selector = Number(stack.pop(bytes) & 0xffffn);
  const image = stack.pop(bytes);
  const flags = returnFlags(cpu, image, bytes, 0) & ~(RFLAGS.VIF | RFLAGS.VIP);
  returnReal(cpu, stack, rip, selector, 0);
  cpu.state.rflags = flags;
  cpu.modeChanged();
}

/** The monitor keeps IRET to itself unless IOPL is 3 (SDM vol. 3B 20.2.5). IOPL does not change. */
function iretVirtual(cpu: Cpu, bytes: Bytes): void {
  const { state } = cpu;
  if ((state.systemFlags & RFLAGS.IOPL) !== RFLAGS.IOPL) throw gp(0);
  const stack = Stack.current(cpu);
  const rip = stack.pop(bytes);
  const selector = Number(stack.pop(bytes) & 0xffffn);
  const flags = returnFlags(cpu, stack.pop(bytes), bytes, 3);
  returnReal(cpu, stack, rip, selector, 0);
  state.rflags = flags;
  cpu.modeChanged();
}

function iretProtected(cpu: Cpu, bytes: Bytes, ia32e: boolean): void {
  const { state } = cpu;
  if (ia32e && state.systemFlags & RFLAGS.NT) throw gp(0);
  const long = isLong(state);
  const { cpl } = state;
  const stack = Stack.current(cpu);
  const rip = stack.pop(bytes);
  const selector = Number(stack.pop(bytes) & 0xffffn);
  const image = stack.pop(bytes);
  if (!ia32e && bytes === 4 && cpl === 0 && Number(image & 0xffff_ffffn) & RFLAGS.VM) {
    iretToVirtual(cpu, stack, rip, selector, Number(image & 0xffff_ffffn));
    return;
  }
  const target = returnCode(cpu, selector);
  const flags = returnFlags(cpu, image, bytes, cpl);
  checkTarget(cpu, target.cs, rip);
  // From 64-bit code SS:RSP is always there (SDM vol. 3A 6.14.3).
  if ((selector & 3) === cpl && !long) {
    enterCode(cpu, target.d, target.cs, rip);
    stack.commit();
  } else {
    returnOuter(cpu, target, rip, stack, bytes, 0);
  }
  state.rflags = flags;
  cpu.modeChanged();
}

/** SDM vol. 3B 20.2.3: nine doublewords. */
function iretToVirtual(cpu: Cpu, stack: Stack, rip: bigint, cs: number, flags: number): void {
  const { state } = cpu;
  const pointer = stack.pop(4);
  const selectors = new Map<number, number>([[SEG.CS, cs]]);
  for (const index of [SEG.SS, SEG.ES, SEG.DS, SEG.FS, SEG.GS]) selectors.set(index, Number(stack.pop(4) & 0xffffn));
  if (rip > 0xffffn) throw gp(0);
  state.rflags = (flags & 0x003f_7fd7) | RFLAGS.FIXED;
  for (const [index, selector] of selectors) state.setSegment(index, realSegment(cpu, index, selector));
  state.setGpr32(GPR.RSP, Number(pointer & 0xffff_ffffn));
  state.rip = rip & 0xffffn;
  cpu.modeChanged();
}
