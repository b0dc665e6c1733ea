/**
 * Far JMP and CALL: to code segments, through call gates, to tasks (SDM vol. 2 JMP, CALL; vol. 3A 5.8). RET and IRET
 * are in far-return.ts. Nothing changes before all checks have passed and the stack has been written.
 */
import { GPR, SEG } from '../x86/registers';
import {
  dplOf, fetchDescriptor, gateOf, isCode, isConforming, isNull, isPresent, isSegment, markAccessed, segmentOf,
  TYPE, typeOf, upperHalf,
} from './descriptors'; // prettier-ignore
import type { Descriptor, Gate } from './descriptors';
import { innerStack, longStackPointer } from './events';
import { gp, np, selectorCode } from './faults';
import { isIa32e, isLong, isReal, stackSize } from './mode';
import { isCanonical } from '../util/words';
import { nullSegment, realSegment } from './segments';
import { Stack } from './stack';
import { ATTRIBUTE } from './state';
import type { Segment } from './state';
import { switchTask } from './tasks';
import type { Cpu } from './cpu';

export { farReturn, interruptReturn } from './far-return';

type Size = 16 | 32 | 64;
type Bytes = 2 | 4 | 8;

export function farJump(cpu: Cpu, selector: number, offset: bigint, returnRip: bigint): void {
  if (isReal(cpu.state)) {
    jumpReal(cpu, selector, offset);
    return;
  }
  const d = targetDescriptor(cpu, selector);
  if (isSegment(d)) {
    const cs = directCode(cpu, d, selector);
    checkTarget(cpu, cs, offset);
    enterCode(cpu, d, cs, offset);
    return;
  }
  transferBySystem(cpu, d, selector, returnRip, 'jump');
}

export function farCall(cpu: Cpu, selector: number, offset: bigint, size: Size, returnRip: bigint): void {
  const { state } = cpu;
  const bytes = (size / 8) as Bytes;
  if (isReal(state)) {
    const stack = Stack.current(cpu);
    stack.push(state.selector(SEG.CS), bytes);
    stack.push(returnRip, bytes);
    jumpReal(cpu, selector, offset);
    stack.commit();
    return;
  }
  const d = targetDescriptor(cpu, selector);
  if (isSegment(d)) {
    const cs = directCode(cpu, d, selector);
    const stack = Stack.current(cpu);
    stack.push(state.selector(SEG.CS), bytes);
    stack.push(returnRip, bytes);
    checkTarget(cpu, cs, offset);
    enterCode(cpu, d, cs, offset);
    stack.commit();
    return;
  }
  transferBySystem(cpu, d, selector, returnRip, 'call');
}

function jumpReal(cpu: Cpu, selector: number, offset: bigint): void {
  const cs = realSegment(cpu, SEG.CS, selector);
  if (offset > BigInt(cs.limit)) throw gp(0);
  cpu.state.setSegment(SEG.CS, cs);
  cpu.state.rip = offset;
  cpu.modeChanged();
}

function targetDescriptor(cpu: Cpu, selector: number): Descriptor {
  if (isNull(selector)) throw gp(0);
  return fetchDescriptor(cpu, selector);
}

/** A code segment named directly: no change of privilege. */
function directCode(cpu: Cpu, d: Descriptor, selector: number): Segment {
  const { cpl } = cpu.state;
  const code = selectorCode(selector);
  if (!isCode(d)) throw gp(code);
  if (isConforming(d) ? dplOf(d) > cpl : (selector & 3) > cpl || dplOf(d) !== cpl) throw gp(code);
  checkLong(cpu, d, code);
  if (!isPresent(d)) throw np(code);
  return segmentOf(cpu, (selector & ~3) | cpl, d);
}
/** L and D together are reserved (SDM vol. 3A 5.2.1). */
export function checkLong(cpu: Cpu, d: Descriptor, code: number): void {
  if (isIa32e(cpu.state) && d.attributes & ATTRIBUTE.L && d.attributes & ATTRIBUTE.DB) throw gp(code);
}

/** The target must lie in the new code segment: #GP(0). */
export function checkTarget(cpu: Cpu, cs: Segment, offset: bigint): void {
  const long = isIa32e(cpu.state) && (cs.attributes & ATTRIBUTE.L) !== 0;
  if (long ? !isCanonical(offset) : offset > BigInt(cs.limit)) throw gp(0);
}

/** CS:RIP. Marking the descriptor may still fault: what else changes, changes after this. */
export function enterCode(cpu: Cpu, d: Descriptor, cs: Segment, offset: bigint): void {
  placeCode(cpu, d, cs, offset);
  cpu.modeChanged();
}
/** The same, where more changes before the mode is what it will be. */
export function placeCode(cpu: Cpu, d: Descriptor, cs: Segment, offset: bigint): void {
  markAccessed(cpu, d);
  cpu.state.setSegment(SEG.CS, { ...cs, attributes: cs.attributes | 1 });
  cpu.state.rip = offset;
}

function transferBySystem(cpu: Cpu, d: Descriptor, selector: number, returnRip: bigint, how: 'jump' | 'call'): void {
  const { cpl } = cpu.state;
  const code = selectorCode(selector);
  const type = typeOf(d);
  const allowed = dplOf(d) >= cpl && dplOf(d) >= (selector & 3);
  if (isIa32e(cpu.state)) {
    if (type !== TYPE.CALL32 || !allowed) throw gp(code);
    if (!isPresent(d)) throw np(code);
    throughGate(cpu, gateOf(d.low, d.high, upperHalf(cpu, d)), how, returnRip, 8);
    return;
  }
  switch (type) {
    case TYPE.CALL16:
    case TYPE.CALL32:
      if (!allowed) throw gp(code);
      if (!isPresent(d)) throw np(code);
      throughGate(cpu, gateOf(d.low, d.high), how, returnRip, type === TYPE.CALL16 ? 2 : 4);
      return;
    case TYPE.TASK_GATE:
      if (!allowed) throw gp(code);
      if (!isPresent(d)) throw np(code);
      switchTask(cpu, gateOf(d.low, d.high).selector, { reason: how, ext: 0, returnRip });
      return;
    case TYPE.TSS16:
    case TYPE.TSS32:
      if (!allowed) throw gp(code);
      switchTask(cpu, selector, { reason: how, ext: 0, returnRip });
      return;
    default:
      throw gp(code);
  }
}

/** SDM vol. 3A 5.8.4. `bytes`: width of what the gate pushes. */
function throughGate(cpu: Cpu, gate: Gate, how: 'jump' | 'call', returnRip: bigint, bytes: Bytes): void {
  const { state } = cpu;
  const { cpl } = state;
  if (isNull(gate.selector)) throw gp(0);
  const d = fetchDescriptor(cpu, gate.selector);
  const code = selectorCode(gate.selector);
  const higher = isConforming(d) || how === 'call' ? dplOf(d) > cpl : dplOf(d) !== cpl;
  if (!isCode(d) || higher) throw gp(code);
  if (bytes === 8 && (!(d.attributes & ATTRIBUTE.L) || d.attributes & ATTRIBUTE.DB)) throw gp(code);
  if (!isPresent(d)) throw np(code);
  const offset = bytes === 2 ? gate.offset & 0xffffn : gate.offset;
  if (how === 'call' && !isConforming(d) && dplOf(d) < cpl) {
    callInner(cpu, d, gate, offset, returnRip, bytes);
    return;
  }
  const cs = segmentOf(cpu, (gate.selector & ~3) | cpl, d);
  if (how === 'call') {
    // A 64-bit gate pushes quadwords on whatever stack is in force.
    const stack = bytes === 8 ? longStack(cpu) : Stack.current(cpu);
    stack.push(state.selector(SEG.CS), bytes);
    stack.push(returnRip, bytes);
    checkTarget(cpu, cs, offset);
    enterCode(cpu, d, cs, offset);
    stack.commit();
    return;
  }
  checkTarget(cpu, cs, offset);
  enterCode(cpu, d, cs, offset);
}
function longStack(cpu: Cpu): Stack {
  const { state } = cpu;
  const pointer = isLong(state) ? state.gpr(GPR.RSP) : BigInt.asUintN(32, state.gpr(GPR.RSP));
  return Stack.inner(cpu, state.segment(SEG.SS), pointer, state.cpl, 0, true);
}

function callInner(cpu: Cpu, d: Descriptor, gate: Gate, offset: bigint, returnRip: bigint, bytes: Bytes): void {
  const { state } = cpu;
  const cpl = dplOf(d);
  const cs = segmentOf(cpu, (gate.selector & ~3) | cpl, d);
  let stack: Stack;
  let newStack: Segment;
  if (bytes === 8) {
    newStack = nullSegment(cpl, cpl);
    stack = Stack.inner(cpu, newStack, longStackPointer(cpu, cpl * 8 + 4, 0), cpl, 0, true);
  } else {
    ({ stack, ss: newStack } = innerStack(cpu, cpl, 0));
  }
  const oldPointer = BigInt.asUintN(stackSize(state), state.gpr(GPR.RSP));
  // Parameters, in the order they lie: the first pushed is the farthest.
  const parameters: bigint[] = [];
  if (bytes !== 8) {
    const old = Stack.current(cpu);
    for (let i = gate.count - 1; i >= 0; i--) parameters.push(old.peek(i * bytes, bytes));
  }
  stack.push(state.selector(SEG.SS), bytes);
  stack.push(bytes === 8 ? state.gpr(GPR.RSP) : oldPointer, bytes);
  for (const value of parameters) stack.push(value, bytes);
  stack.push(state.selector(SEG.CS), bytes);
  stack.push(returnRip, bytes);
  checkTarget(cpu, cs, offset);
  placeCode(cpu, d, cs, offset);
  state.setSegment(SEG.SS, newStack);
  stack.commit();
  cpu.modeChanged();
}

/** SDM vol. 2 SYSCALL, SYSRET, SYSENTER, SYSEXIT: fixed descriptors, tables are not read. */
export function loadFlat(cpu: Cpu, code: number, stack: number, cpl: 0 | 3, long: boolean): void {
  const common = ATTRIBUTE.P | ATTRIBUTE.S | ATTRIBUTE.G | (cpl << 5);
  const { state } = cpu;
  const size = long ? ATTRIBUTE.L : ATTRIBUTE.DB;
  state.setSegment(SEG.CS, { selector: code, base: 0n, limit: 0xffff_ffff, attributes: common | size | 0xb });
  state.setSegment(SEG.SS, { selector: stack, base: 0n, limit: 0xffff_ffff, attributes: common | ATTRIBUTE.DB | 3 });
  cpu.modeChanged();
}
