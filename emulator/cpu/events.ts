/**
 * Delivery of exceptions and interrupts: which handler, which stack, what is pushed, and what happens when that fails.
 * Source: SDM vol. 3A chapter 6; vol. 2 INT n. Nothing in the processor changes before the whole delivery has
 * succeeded, so that a fault on the way is delivered from the state before.
 */
import type { TrapEvent } from '../machine/api';
import { GPR, RFLAGS, SEG, VECTOR } from '../x86/registers';
import { CONTEXT } from '../execution/layout';
import {
  dplOf, fetchDescriptor, gateOf, isCode, isConforming, isNull, isPresent, limitOf, markAccessed, segmentOf, TYPE,
} from './descriptors'; // prettier-ignore
import type { Descriptor, Gate } from './descriptors';
import { gp, idtCode, np, selectorCode, ts } from './faults';
import type { Ext } from './faults';
import { isIa32e, isLong, isProtected, isVirtual8086 } from './mode';
import type { PendingEvent } from './exit-cause';
import { GuestExit, GuestFault } from './ports';
import { isCanonical } from '../util/words';
import { nullSegment, realSegment, stackDescriptor } from './segments';
import { Stack } from './stack';
import { ATTRIBUTE } from './state';
import type { Segment } from './state';
import { switchTask } from './tasks';
import type { Cpu } from './cpu';

export type Delivery = 'delivered' | 'held' | 'shutdown';

export const isSoftware = (kind: PendingEvent['kind']): boolean => kind === 'int' || kind === 'int3' || kind === 'into';
const isException = (kind: PendingEvent['kind']): boolean => kind === 'fault' || kind === 'trap';

/** `asked`: the filter has already seen this event. */
export function deliver(cpu: Cpu, event: PendingEvent, asked = false): Delivery {
  for (;;) {
    cpu.overseer?.event(event);
    if (event.vector === VECTOR.DB) cpu.debug.raised(event);
    if (!asked && cpu.onEvent !== undefined && cpu.onEvent(describe(cpu, event))) {
      cpu.heldEvent = event;
      return 'held';
    }
    asked = false;
    try {
      enter(cpu, event);
      return 'delivered';
    } catch (fault) {
      if (fault instanceof GuestExit) fault.during = event;
      if (!(fault instanceof GuestFault)) throw fault;
      const next = combine(event, fault, cpu.state.rip);
      if (!next) {
        cpu.overseer?.tripleFault();
        cpu.shutDown(describe(cpu, event));
        return 'shutdown';
      }
      event = next;
    }
  }
}

/**
 * The event that a guest is entered with. Where its delivery leaves the guest again, that exit is of the guest that was entered:
 * it must not come out of the instruction that entered it.
 */
export function deliverAtEntry(cpu: Cpu, event: PendingEvent): void {
  try {
    deliver(cpu, event);
  } catch (exit) {
    if (!(exit instanceof GuestExit)) throw exit;
    cpu.overseer!.leave(exit);
  }
}

export function describe(cpu: Cpu, event: PendingEvent): TrapEvent {
  const source = isException(event.kind)
    ? 'exception'
    : event.kind === 'interrupt' || event.kind === 'nmi'
      ? event.kind
      : 'software';
  const { state } = cpu;
  const described: TrapEvent = { vector: event.vector, source, rip: state.rip, cpl: state.cpl };
  if (event.errorCode !== undefined) described.errorCode = event.errorCode;
  if (event.address !== undefined) described.address = event.address;
  if (cpu.overseer?.inPortedKernel) described.ported = true;
  return described;
}

type Class = 'benign' | 'contributory' | 'page-fault' | 'double-fault';
const CONTRIBUTORY: readonly number[] = [VECTOR.DE, VECTOR.TS, VECTOR.NP, VECTOR.SS, VECTOR.GP, VECTOR.CP];
/** SDM vol. 3A table 6-4: interrupts of either kind are benign, whatever their vector. */
const classOf = (event: { vector: number; kind: PendingEvent['kind'] }): Class => {
  if (!isException(event.kind)) return 'benign';
  if (event.vector === VECTOR.DF) return 'double-fault';
  if (event.vector === VECTOR.PF) return 'page-fault';
  return CONTRIBUTORY.includes(event.vector) ? 'contributory' : 'benign';
};

/** SDM vol. 3A table 6-5. Undefined: shutdown. */
export function combine(first: PendingEvent, second: GuestFault, rip: bigint): PendingEvent | undefined {
  const { vector, errorCode, address, conditions } = second;
  const next: PendingEvent = { vector, kind: 'fault', errorCode, address, conditions, returnRip: rip, during: first };
  const before = classOf(first);
  const after = classOf(next);
  const bad = after === 'contributory' || after === 'page-fault';
  if (before === 'double-fault' && bad) return undefined;
  const double = (before === 'contributory' && after === 'contributory') || (before === 'page-fault' && bad);
  return double ? { vector: VECTOR.DF, kind: 'fault', errorCode: 0, returnRip: rip, during: first } : next;
}

function enter(cpu: Cpu, event: PendingEvent): void {
  const { state } = cpu;
  if (event.vector === VECTOR.PF && isException(event.kind)) state.setSystem('cr2', event.address ?? 0n);
  if (!isProtected(state)) enterReal(cpu, event);
  else if (isIa32e(state)) enterLong(cpu, event);
  else enterProtected(cpu, event);
  const blocked = state.system('interruptibility') & ~3n;
  state.setSystem('interruptibility', event.kind === 'nmi' ? blocked | 4n : blocked);
  state.setSystem('activity', 0n);
  cpu.modeChanged();
}

/** EFLAGS as pushed: RF tells that the instruction is to run again (SDM vol. 3B 17.3.1.1). */
const pushedFlags = (cpu: Cpu, event: PendingEvent): number => {
  const flags = cpu.state.rflags;
  return event.kind === 'fault' && event.vector !== VECTOR.DB ? flags | RFLAGS.RF : flags;
};
const handlerFlags = (flags: number, interruptGate: boolean): number => {
  flags &= ~(RFLAGS.TF | RFLAGS.NT | RFLAGS.RF | RFLAGS.VM);
  return interruptGate ? flags & ~RFLAGS.IF : flags;
};

/** SDM vol. 3B 20.1.4: a table of far pointers. No error codes. */
function enterReal(cpu: Cpu, event: PendingEvent): void {
  const { state } = cpu;
  const offset = event.vector * 4;
  if (offset + 3 > state.system32('idtr.limit')) throw gp();
  const pointer = Number(cpu.read(state.system('idtr.base') + BigInt(offset), 4, true));
  const stack = Stack.current(cpu);
  const flags = state.rflags;
  stack.push(flags & 0xffff, 2);
  stack.push(state.selector(SEG.CS), 2);
  stack.push(event.returnRip & 0xffffn, 2);
  const cs = realSegment(cpu, SEG.CS, pointer >>> 16);
  if ((pointer & 0xffff) > cs.limit) throw gp();
  stack.commit();
  state.setSegment(SEG.CS, cs);
  state.rip = BigInt(pointer & 0xffff);
  state.rflags = flags & ~(RFLAGS.IF | RFLAGS.TF | RFLAGS.RF | RFLAGS.AC);
}

const GATE_TYPES: readonly number[] = [TYPE.INTERRUPT16, TYPE.TRAP16, TYPE.INTERRUPT32, TYPE.TRAP32];

function readGate(cpu: Cpu, event: PendingEvent, ext: Ext, long: boolean): Gate {
  const { state } = cpu;
  const bytes = long ? 16 : 8;
  const offset = event.vector * bytes;
  const code = idtCode(event.vector, ext);
  if (offset + bytes - 1 > state.system32('idtr.limit')) throw gp(code);
  const at = state.system('idtr.base') + BigInt(offset);
  const raw = cpu.read(at, 8, true);
  const upper = long ? Number(cpu.read(at + 8n, 4, true)) : 0;
  const high = Number(raw >> 32n);
  const gate = gateOf(Number(raw & 0xffff_ffffn), high, upper);
  const known = long
    ? gate.type === TYPE.INTERRUPT32 || gate.type === TYPE.TRAP32
    : gate.type === TYPE.TASK_GATE || GATE_TYPES.includes(gate.type);
  if (!known || high & 0x1000) throw gp(code);
  if (isSoftware(event.kind) && gate.dpl < state.cpl) throw gp(code);
  if (!gate.present) throw np(code);
  return gate;
}

function handlerCode(cpu: Cpu, gate: Gate, ext: Ext): Descriptor {
  if (isNull(gate.selector)) throw gp(ext);
  const d = fetchDescriptor(cpu, gate.selector, gp, ext);
  const code = selectorCode(gate.selector, ext);
  if (!isCode(d) || dplOf(d) > cpu.state.cpl) throw gp(code);
  return d;
}

/** With IOPL below 3, INT n in virtual-8086 mode belongs to the monitor (SDM vol. 3B 20.3.3; no VME here). */
function checkVirtualInt(cpu: Cpu, event: PendingEvent): void {
  const { state } = cpu;
  if (event.kind === 'int' && isVirtual8086(state) && (state.systemFlags & RFLAGS.IOPL) !== RFLAGS.IOPL) throw gp(0);
}

function enterProtected(cpu: Cpu, event: PendingEvent): void {
  const { state } = cpu;
  checkVirtualInt(cpu, event);
  const ext: Ext = isSoftware(event.kind) ? 0 : 1;
  const gate = readGate(cpu, event, ext, false);
  if (gate.type === TYPE.TASK_GATE) {
    enterTask(cpu, event, gate, ext);
    return;
  }
  const d = handlerCode(cpu, gate, ext);
  const v86 = isVirtual8086(state);
  const code = selectorCode(gate.selector, ext);
  const inner = !isConforming(d) && dplOf(d) < state.cpl;
  if (v86 && (!inner || dplOf(d) !== 0)) throw gp(code);
  if (!isPresent(d)) throw np(code);
  const bytes = gate.type & 8 ? 4 : 2;
  const cpl = inner ? dplOf(d) : state.cpl;
  const frame = inner ? innerStack(cpu, cpl, ext) : { stack: Stack.current(cpu, ext), ss: undefined };
  const { stack } = frame;
  const flags = pushedFlags(cpu, event);
  if (inner) {
    if (v86) for (const index of [SEG.GS, SEG.FS, SEG.DS, SEG.ES]) stack.push(state.selector(index), bytes);
    stack.push(state.selector(SEG.SS), bytes);
    stack.push(state.gpr(GPR.RSP), bytes);
  }
  stack.push(flags, bytes);
  stack.push(state.selector(SEG.CS), bytes);
  stack.push(event.returnRip, bytes);
  if (event.errorCode !== undefined) stack.push(event.errorCode, bytes);
  const offset = bytes === 2 ? gate.offset & 0xffffn : gate.offset;
  if (offset > BigInt(limitOf(d.low, d.high))) throw gp(ext);
  markAccessed(cpu, d);
  const cs = segmentOf(cpu, (gate.selector & ~3) | cpl, d);
  if (frame.ss) {
    if (v86) for (const index of [SEG.GS, SEG.FS, SEG.DS, SEG.ES]) state.setSegment(index, nullSegment(0));
    state.setSegment(SEG.SS, frame.ss);
  }
  stack.commit();
  state.setSegment(SEG.CS, cs);
  state.rip = offset;
  state.rflags = handlerFlags(state.rflags, (gate.type & 1) === 0);
}

/** The stack that the TSS names for `cpl` (SDM vol. 3A 5.8.5). */
export function innerStack(cpu: Cpu, cpl: number, ext: Ext): { stack: Stack; ss: Segment } {
  const { selector, pointer } = readInnerStack(cpu, cpl, ext);
  if (isNull(selector)) throw ts(ext);
  const d = stackDescriptor(cpu, selector, cpl, ts, ext);
  markAccessed(cpu, d);
  const ss = segmentOf(cpu, selector, d);
  return { stack: Stack.inner(cpu, ss, pointer, cpl, selectorCode(selector, ext)), ss };
}
function readInnerStack(cpu: Cpu, cpl: number, ext: Ext): { selector: number; pointer: bigint } {
  const tr = cpu.state.segment(SEG.TR);
  const wide = (tr.attributes & 8) !== 0;
  const offset = wide ? cpl * 8 + 4 : cpl * 4 + 2;
  if (tr.attributes & ATTRIBUTE.UNUSABLE || offset + (wide ? 5 : 3) > tr.limit)
    throw ts(selectorCode(tr.selector, ext));
  const at = tr.base + BigInt(offset);
  const pointer = cpu.read(at, wide ? 4 : 2, true);
  return { pointer, selector: Number(cpu.read(at + (wide ? 4n : 2n), 2, true)) };
}

function enterTask(cpu: Cpu, event: PendingEvent, gate: Gate, ext: Ext): void {
  const bytes = switchTask(cpu, gate.selector, {
    reason: 'interrupt',
    ext,
    returnRip: event.returnRip,
    flags: pushedFlags(cpu, event),
  });
  if (event.errorCode === undefined) return;
  const stack = Stack.current(cpu, ext);
  stack.push(event.errorCode, bytes);
  stack.commit();
}

/** SDM vol. 3A 6.14: 16-byte gates, always SS:RSP on the stack, which is aligned to 16 bytes. */
function enterLong(cpu: Cpu, event: PendingEvent): void {
  const { state } = cpu;
  const ext: Ext = isSoftware(event.kind) ? 0 : 1;
  const gate = readGate(cpu, event, ext, true);
  const d = handlerCode(cpu, gate, ext);
  const code = selectorCode(gate.selector, ext);
  if (!(d.attributes & ATTRIBUTE.L) || d.attributes & ATTRIBUTE.DB) throw gp(code);
  if (!isPresent(d)) throw np(code);
  const inner = !isConforming(d) && dplOf(d) < state.cpl;
  const cpl = inner ? dplOf(d) : state.cpl;
  const ist = gate.count & 7;
  let pointer = state.gpr(GPR.RSP);
  if (ist) pointer = longStackPointer(cpu, ist * 8 + 28, ext);
  else if (inner) pointer = longStackPointer(cpu, cpl * 8 + 4, ext);
  else if (!isLong(state)) pointer = BigInt.asUintN(32, pointer);
  const ss = nullSegment(cpl, cpl);
  const stack = Stack.inner(cpu, ss, pointer & ~15n, cpl, ext, true);
  stack.push(state.selector(SEG.SS), 8);
  stack.push(state.gpr(GPR.RSP), 8);
  stack.push(pushedFlags(cpu, event), 8);
  stack.push(state.selector(SEG.CS), 8);
  stack.push(event.returnRip, 8);
  if (event.errorCode !== undefined) stack.push(event.errorCode, 8);
  if (!isCanonical(gate.offset)) throw gp(ext);
  markAccessed(cpu, d);
  const cs = segmentOf(cpu, (gate.selector & ~3) | cpl, d);
  if (inner) state.setSegment(SEG.SS, ss);
  state.setGpr(GPR.RSP, stack.pointer);
  state.setSegment(SEG.CS, cs);
  state.rip = gate.offset;
  state.rflags = handlerFlags(state.rflags, (gate.type & 1) === 0);
}

/** A stack pointer in the 64-bit TSS (SDM figure 7-11). */
export function longStackPointer(cpu: Cpu, offset: number, ext: Ext): bigint {
  const tr = cpu.state.segment(SEG.TR);
  if (tr.attributes & ATTRIBUTE.UNUSABLE || offset + 7 > tr.limit) throw ts(selectorCode(tr.selector, ext));
  return cpu.mmu.read(tr.base + BigInt(offset), 8, CONTEXT.supervisor);
}
