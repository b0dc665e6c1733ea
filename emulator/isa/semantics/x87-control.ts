/** x87 control instructions: words, environment, whole state. SDM vol. 1 sections 8.1.10 and 8.3.11, vol. 2 FLDENV, FSAVE. */
import type { Processor } from '../../cpu/ports';
import { GuestFault } from '../../cpu/ports';
import * as layout from '../../execution/layout';
import { kindOf } from '../../util/float80';
import { CR0, RFLAGS, VECTOR } from '../../x86/registers';
import type { Instruction, SystemMeaning } from '../instruction';
import { memoryLinear, readBytes, writeBytes } from './x87-memory';
import { STATUS, Unit, available, reportPending } from './x87-unit';

const INITIAL_CONTROL = 0x37f;

export function initialize(unit: Unit): void {
  unit.tags = 0;
  unit.status = 0;
  unit.control = INITIAL_CONTROL;
  const { view } = unit;
  view.setUint16(layout.X87_OPCODE, 0, true);
  for (const at of [layout.X87_FIP, layout.X87_FDP]) view.setBigUint64(at, 0n, true);
  for (const at of [layout.X87_FCS, layout.X87_FDS]) view.setUint16(at, 0, true);
}

export const fninit: SystemMeaning = (cpu) => initialize(available(cpu, false));
export const fnclex: SystemMeaning = (cpu) => {
  const unit = available(cpu, false);
  unit.status &= ~(0xff | STATUS.B);
};
export const fnop: SystemMeaning = (cpu) => void available(cpu);
/** FENI, FDISI, FSETPM: of the 8087 and 80287; later processors ignore them. */
export const ignored: SystemMeaning = (cpu) => void available(cpu, false);

/** WAIT: answers to TS only together with MP. */
export const wait: SystemMeaning = (cpu) => {
  const cr0 = cpu.state.system32('cr0');
  if (cr0 & CR0.MP && cr0 & CR0.TS) throw new GuestFault(VECTOR.NM);
  reportPending(new Unit(cpu), cr0);
};

export const fldcw: SystemMeaning = (cpu, instruction) => {
  const unit = available(cpu);
  unit.control = Number(cpu.read(memoryLinear(cpu, instruction, 2, 'read'), 2));
};
const storeWord = (word: (unit: Unit) => number): SystemMeaning => (cpu, instruction) => {
  const unit = available(cpu, false);
  cpu.write(memoryLinear(cpu, instruction, 2, 'write'), 2, BigInt(word(unit)));
}; // prettier-ignore
export const fnstcw = storeWord((unit) => unit.control);
export const fnstsw = storeWord((unit) => unit.status);
export const fnstswAx: SystemMeaning = (cpu) => cpu.state.setGpr16(0, available(cpu, false).status);

export const ffree = (pop: boolean): SystemMeaning => (cpu, { operands: [operand] }) => {
  const unit = available(cpu);
  if (operand.kind === 'st') unit.free(operand.index);
  unit.setConditions(0, STATUS.C1);
  if (pop) unit.pop();
}; // prettier-ignore
export const moveTop = (by: 1 | -1): SystemMeaning => (cpu) => {
  const unit = available(cpu);
  unit.top += by;
  unit.setConditions(0, STATUS.C1);
}; // prettier-ignore

// --- The environment in its four shapes.
/** Two bits a physical register: valid, zero, special, empty (SDM vol. 1 figure 8-7). */
function fullTags(unit: Unit): number {
  const { top } = unit;
  let tags = 0;
  for (let physical = 0; physical < 8; physical++) {
    const i = (physical - top) & 7;
    const kind = unit.isEmpty(i) ? 'empty' : kindOf(unit.get(i));
    const tag = kind === 'empty' ? 3 : kind === 'normal' ? 0 : kind === 'zero' ? 1 : 2;
    tags |= tag << (physical * 2);
  }
  return tags;
}

interface Shape {
  wide: boolean;
  /** Real and virtual-8086 mode: linear pointers. */
  linear: boolean;
  bytes: 14 | 28;
}
function shapeOf(cpu: Processor, instruction: Instruction): Shape {
  const wide = instruction.operandSize !== 16;
  const linear = !(cpu.state.system32('cr0') & CR0.PE) || (cpu.state.systemFlags & RFLAGS.VM) !== 0;
  return { wide, linear, bytes: wide ? 28 : 14 };
}

/** The seven words of the environment: control, status, tags, and the pointers as the shape has them. */
function environmentWords(unit: Unit, { linear }: Shape): number[] {
  const { view } = unit;
  const fip = view.getUint32(layout.X87_FIP, true);
  const fdp = view.getUint32(layout.X87_FDP, true);
  const fcs = view.getUint16(layout.X87_FCS, true);
  const fds = view.getUint16(layout.X87_FDS, true);
  const opcode = view.getUint16(layout.X87_OPCODE, true) & 0x7ff;
  const head = [unit.control, unit.status, fullTags(unit)];
  if (!linear) return [...head, fip, fcs | (opcode << 16), fdp, fds];
  const code = (fip + fcs * 16) >>> 0;
  const data = (fdp + fds * 16) >>> 0;
  return [...head, code & 0xffff, ((code >>> 16) << 12) | opcode, data & 0xffff, (data >>> 16) << 12];
}

function environmentBytes(unit: Unit, shape: Shape): Uint8Array {
  const bytes = new Uint8Array(shape.bytes);
  const view = new DataView(bytes.buffer);
  environmentWords(unit, shape).forEach((word, i) => {
    if (!shape.wide) return view.setUint16(i * 2, word, true);
    // What is above a 16-bit field reads as ones.
    const ones = i < 3 || i === 6 || (shape.linear && (i === 3 || i === 5)) ? 0xffff_0000 : 0;
    view.setUint32(i * 4, (word | (shape.linear && i === 6 ? 0 : ones)) >>> 0, true);
  });
  return bytes;
}

function loadEnvironment(unit: Unit, shape: Shape, bytes: Uint8Array): void {
  const source = new DataView(bytes.buffer, bytes.byteOffset);
  const word = (i: number): number => (shape.wide ? source.getUint32(i * 4, true) : source.getUint16(i * 2, true));
  const tags = word(2);
  let inUse = 0;
  for (let i = 0; i < 8; i++) if (((tags >> (i * 2)) & 3) !== 3) inUse |= 1 << i;
  unit.tags = inUse;
  unit.control = word(0) & 0xffff;
  unit.status = word(1) & 0xffff;
  const { view } = unit;
  const offset = (at: number, selectorAt: number, low: number, high: number): void => {
    const linear = shape.linear ? ((low & 0xffff) | ((high >>> 12) << 16)) >>> 0 : low;
    view.setBigUint64(at, BigInt(linear), true);
    view.setUint16(selectorAt, shape.linear ? 0 : high & 0xffff, true);
  };
  offset(layout.X87_FIP, layout.X87_FCS, word(3), word(4));
  offset(layout.X87_FDP, layout.X87_FDS, word(5), word(6));
  const opcode = shape.linear ? word(4) : shape.wide ? word(4) >>> 16 : 0;
  view.setUint16(layout.X87_OPCODE, opcode & 0x7ff, true);
}

export const fnstenv: SystemMeaning = (cpu, instruction) => {
  const unit = available(cpu, false);
  const shape = shapeOf(cpu, instruction);
  writeBytes(cpu, memoryLinear(cpu, instruction, shape.bytes, 'write'), environmentBytes(unit, shape));
  unit.control |= 0x3f;
};
export const fldenv: SystemMeaning = (cpu, instruction) => {
  const unit = available(cpu);
  const shape = shapeOf(cpu, instruction);
  loadEnvironment(unit, shape, readBytes(cpu, memoryLinear(cpu, instruction, shape.bytes, 'read'), shape.bytes));
};

/** Address of ST(i)'s ten bytes in the state. */
const registerAt = (unit: Unit, i: number): number => layout.X87 + ((unit.top + i) & 7) * 16;

export const fnsave: SystemMeaning = (cpu, instruction) => {
  const unit = available(cpu, false);
  const shape = shapeOf(cpu, instruction);
  const bytes = new Uint8Array(shape.bytes + 80);
  bytes.set(environmentBytes(unit, shape));
  for (let i = 0; i < 8; i++) {
    const at = registerAt(unit, i);
    bytes.set(cpu.state.bytes.subarray(at, at + 10), shape.bytes + i * 10);
  }
  writeBytes(cpu, memoryLinear(cpu, instruction, bytes.length, 'write'), bytes);
  initialize(unit);
};
export const frstor: SystemMeaning = (cpu, instruction) => {
  const unit = available(cpu);
  const shape = shapeOf(cpu, instruction);
  const size = shape.bytes + 80;
  const bytes = readBytes(cpu, memoryLinear(cpu, instruction, size, 'read'), size);
  loadEnvironment(unit, shape, bytes);
  for (let i = 0; i < 8; i++)
    cpu.state.bytes.set(bytes.subarray(shape.bytes + i * 10, shape.bytes + i * 10 + 10), registerAt(unit, i));
};
