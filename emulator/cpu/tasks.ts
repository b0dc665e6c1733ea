/**
 * Hardware task switches (SDM vol. 3A chapter 7.2 and 7.3; order of checks and error codes: table 7-1). Never in
 * IA-32e mode. Faults up to the point where the new task is committed are raised in the old task with #TS, #GP or #NP;
 * what fails afterwards (segments of the new task) is raised in the new one, whose registers are then already loaded.
 */
import { CR0, GPR, RFLAGS, SEG, VECTOR } from '../x86/registers';
import { loadPdptes } from './control';
import {
  dplOf, fetchDescriptor, isCode, isConforming, isNull, isPresent, isReadable, isSegment, markAccessed,
  segmentOf, setBusy, TYPE, typeOf,
} from './descriptors'; // prettier-ignore
import type { Descriptor } from './descriptors';
import { DR6 } from './debug-registers';
import { gp, np, selectorCode, ts } from './faults';
import type { Ext } from './faults';
import { GuestFault } from './ports';
import { nullSegment, realSegment, stackDescriptor } from './segments';
import type { Cpu } from './cpu';

export interface TaskSwitch {
  reason: 'jump' | 'call' | 'interrupt' | 'return';
  ext: Ext;
  /** RIP that the old task continues at. */
  returnRip: bigint;
  /** EFLAGS to save for the old task; default: as they are. */
  flags?: number;
}

const GENERAL = [GPR.RAX, GPR.RCX, GPR.RDX, GPR.RBX, GPR.RSP, GPR.RBP, GPR.RSI, GPR.RDI] as const;

/** The image of a task: SDM figures 7-2 and 7-10. */
interface Image {
  cr3: number;
  eip: number;
  eflags: number;
  general: number[];
  /** ES, CS, SS, DS, FS, GS. */
  segments: number[];
  ldt: number;
  trap: boolean;
}

/** Returns the width of what is pushed in the new task: 2 for a 16-bit TSS, 4 for a 32-bit one. */
export function switchTask(cpu: Cpu, selector: number, how: TaskSwitch): 2 | 4 {
  const { state } = cpu;
  const d = targetDescriptor(cpu, selector, how);
  const wide = (typeOf(d) & 8) !== 0;
  const target = segmentOf(cpu, selector, d);
  const source = how.reason === 'interrupt' ? 'gate' : how.reason === 'return' ? 'iret' : how.reason;
  const length = source === 'gate' ? {} : { length: Number(how.returnRip - state.rip) };
  cpu.overseer?.taskSwitch?.({ reason: 'task-switch', selector, source, ...length });
  if (target.limit < (wide ? 0x67 : 0x2b)) throw ts(selectorCode(selector, how.ext));
  const old = state.segment(SEG.TR);
  const oldWide = (old.attributes & 8) !== 0;
  // Everything that is read or written must be there before the first change.
  cpu.probeWrite(old.base, oldWide ? 0x68 : 0x2c, true);
  cpu.probeWrite(target.base, wide ? 0x68 : 0x2c, true);
  const image = wide ? read32(cpu, target.base) : read16(cpu, target.base);

  const nested = how.reason === 'call' || how.reason === 'interrupt';
  if (how.reason === 'jump' || how.reason === 'return') busy(cpu, old.selector, false);
  let flags = how.flags ?? state.rflags;
  if (how.reason === 'return') flags &= ~RFLAGS.NT;
  save(cpu, old.base, oldWide, how.returnRip, flags);
  if (nested) {
    cpu.write(target.base, 2, BigInt(old.selector), true);
    image.eflags |= RFLAGS.NT;
  }
  if (how.reason !== 'return') setBusy(cpu, d.gva, true);

  state.setSystem('cr0', state.system('cr0') | BigInt(CR0.TS));
  state.setSegment(SEG.TR, { ...target, attributes: target.attributes | 2 });
  load(cpu, image, wide, how.ext);
  if (image.trap) throw new GuestFault(VECTOR.DB, undefined, undefined, true, DR6.BT);
  return wide ? 4 : 2;
}

function targetDescriptor(cpu: Cpu, selector: number, how: TaskSwitch): Descriptor {
  const returning = how.reason === 'return';
  const wrong = returning ? ts : gp;
  const code = selectorCode(selector, how.ext);
  if (isNull(selector) || selector & 4) throw wrong(code);
  const d = fetchDescriptor(cpu, selector, wrong, how.ext);
  const type = typeOf(d);
  const ok = returning
    ? type === TYPE.TSS16_BUSY || type === TYPE.TSS32_BUSY
    : type === TYPE.TSS16 || type === TYPE.TSS32;
  if (isSegment(d) || !ok) throw wrong(code);
  if (!isPresent(d)) throw np(code);
  return d;
}

function busy(cpu: Cpu, selector: number, on: boolean): void {
  setBusy(cpu, fetchDescriptor(cpu, selector).gva, on);
}

function read32(cpu: Cpu, base: bigint): Image {
  const at = (offset: number, bytes: 2 | 4): number => Number(cpu.read(base + BigInt(offset), bytes, true));
  return {
    cr3: at(0x1c, 4),
    eip: at(0x20, 4),
    eflags: at(0x24, 4),
    general: GENERAL.map((_, i) => at(0x28 + i * 4, 4)),
    segments: [0, 1, 2, 3, 4, 5].map((i) => at(0x48 + i * 4, 2)),
    ldt: at(0x60, 2),
    trap: (at(0x64, 2) & 1) !== 0,
  };
}
function read16(cpu: Cpu, base: bigint): Image {
  const at = (offset: number): number => Number(cpu.read(base + BigInt(offset), 2, true));
  return {
    cr3: -1,
    eip: at(0x0e),
    eflags: at(0x10),
    // The upper halves are undefined in the manual; all ones on every processor that was looked at.
    general: GENERAL.map((_, i) => (at(0x12 + i * 2) | 0xffff_0000) >>> 0),
    segments: [...[0, 1, 2, 3].map((i) => at(0x22 + i * 2)), 0, 0],
    ldt: at(0x2a),
    trap: false,
  };
}

function save(cpu: Cpu, base: bigint, wide: boolean, rip: bigint, flags: number): void {
  const { state } = cpu;
  const bytes = wide ? 4 : 2;
  const put = (offset: number, value: number): void =>
    cpu.write(base + BigInt(offset), bytes, BigInt.asUintN(bytes * 8, BigInt(value)), true);
  put(wide ? 0x20 : 0x0e, Number(rip & 0xffff_ffffn));
  put(wide ? 0x24 : 0x10, flags);
  GENERAL.forEach((register, i) => put((wide ? 0x28 : 0x12) + i * bytes, state.gpr32(register)));
  for (let i = 0; i < (wide ? 6 : 4); i++)
    cpu.write(base + BigInt((wide ? 0x48 : 0x22) + i * bytes), 2, BigInt(state.selector(i)), true);
}

/** From here on the new task is the current one. */
function load(cpu: Cpu, image: Image, wide: boolean, ext: Ext): void {
  const { state } = cpu;
  if (wide && state.system32('cr0') & CR0.PG) {
    state.setSystem('cr3', BigInt(image.cr3));
    loadPdptes(cpu);
    cpu.pagingChanged();
  }
  state.rip = BigInt(image.eip);
  state.rflags = (image.eflags & (wide ? 0x003f_7fd7 : 0x7fd7)) | RFLAGS.FIXED;
  GENERAL.forEach((register, i) => state.setGpr32(register, image.general[i]));
  // Until they are checked, selectors without descriptors: a fault finds them so.
  const v86 = (image.eflags & RFLAGS.VM) !== 0;
  const cpl = v86 ? 3 : image.segments[1] & 3;
  for (let i = 0; i < 6; i++) state.setSegment(i, nullSegment(image.segments[i], i === SEG.SS ? cpl : 0));
  // Breakpoints that were for one task only (SDM vol. 3B 17.2.4).
  state.setSystem('dr7', state.system('dr7') & ~0x155n);
  cpu.debug.update();
  cpu.modeChanged();

  state.setSegment(SEG.LDTR, nullSegment(image.ldt));
  if (!isNull(image.ldt)) loadLdt(cpu, image.ldt, ext);
  if (v86) {
    for (let i = 0; i < 6; i++) state.setSegment(i, realSegment(cpu, i, image.segments[i]));
  } else {
    loadTaskSegments(cpu, image.segments, cpl, ext);
  }
  cpu.modeChanged();
  if (BigInt(image.eip) > BigInt(state.segment(SEG.CS).limit)) throw gp(ext);
}

function loadLdt(cpu: Cpu, selector: number, ext: Ext): void {
  const code = selectorCode(selector, ext);
  if (selector & 4) throw ts(code);
  const d = fetchDescriptor(cpu, selector, ts, ext);
  if (isSegment(d) || typeOf(d) !== TYPE.LDT || !isPresent(d)) throw ts(code);
  cpu.state.setSegment(SEG.LDTR, segmentOf(cpu, selector, d));
}

/** SDM vol. 3A table 7-1, checks 9 to 16. */
function loadTaskSegments(cpu: Cpu, selectors: number[], cpl: number, ext: Ext): void {
  const { state } = cpu;
  const cs = selectors[SEG.CS];
  if (isNull(cs)) throw ts(ext);
  const code = fetchDescriptor(cpu, cs, ts, ext);
  const fits = isConforming(code) ? dplOf(code) <= cpl : dplOf(code) === cpl;
  if (!isCode(code) || !fits) throw ts(selectorCode(cs, ext));
  if (!isPresent(code)) throw np(selectorCode(cs, ext));
  const stack = selectors[SEG.SS];
  if (isNull(stack)) throw ts(ext);
  const ss = stackDescriptor(cpu, stack, cpl, ts, ext);
  markAccessed(cpu, code);
  state.setSegment(SEG.CS, segmentOf(cpu, cs, code));
  markAccessed(cpu, ss);
  state.setSegment(SEG.SS, segmentOf(cpu, stack, ss));
  for (const index of [SEG.ES, SEG.DS, SEG.FS, SEG.GS]) {
    const selector = selectors[index];
    if (isNull(selector)) continue;
    const d = fetchDescriptor(cpu, selector, ts, ext);
    if (!isReadable(d)) throw ts(selectorCode(selector, ext));
    if (!isConforming(d) && (dplOf(d) < cpl || dplOf(d) < (selector & 3))) throw ts(selectorCode(selector, ext));
    if (!isPresent(d)) throw np(selectorCode(selector, ext));
    markAccessed(cpu, d);
    state.setSegment(index, segmentOf(cpu, selector, d));
  }
}

/** IRET with NT set: the back link of the current TSS. */
export function returnFromTask(cpu: Cpu, returnRip: bigint): void {
  const tr = cpu.state.segment(SEG.TR);
  const link = Number(cpu.read(tr.base, 2, true));
  switchTask(cpu, link, { reason: 'return', ext: 0, returnRip });
}
