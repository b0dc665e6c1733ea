/** Segment registers and descriptor tables: MOV, PUSH, POP, LDS...; LGDT...; LAR, LSL, VERR, VERW, ARPL. */
import type { Processor } from '../../cpu/ports';
import { GuestFault } from '../../cpu/ports';
import type { Emitter } from '../../execution/builder';
import { CR4, SEG, VECTOR } from '../../x86/registers';
import type { Instruction, SystemMeaning } from '../instruction';
import { linearOperand, readOperand, registerOf, setZero, writeOperand } from '../operands';
import { isCanonical } from '../../util/words';

type Bytes = 2 | 4 | 8;
const bytesOf = (insn: Instruction): Bytes => (insn.operandSize / 8) as Bytes;
const gp = (code = 0): GuestFault => new GuestFault(VECTOR.GP, code);
const ud = (): GuestFault => new GuestFault(VECTOR.UD);

/** Memory gets 16 bits, a register the whole operand size, zero-extended. */
function store16(cpu: Processor, insn: Instruction, value: number): void {
  if (insn.operands[0].kind === 'memory') writeOperand(cpu, insn, 0, BigInt(value), 16);
  else writeOperand(cpu, insn, 0, BigInt(value));
}

export const movFromSegment: SystemMeaning = (cpu, insn) => {
  store16(cpu, insn, cpu.state.selector(registerOf(insn, 1)));
};
export function movFromSegmentEmitted(e: Emitter): void {
  const selector = e.read(1);
  if (e.isMemory(0)) e.write(0, selector, 16);
  else e.write(0, e.size === 64 ? selector.extendU() : selector);
}
export const movToSegment: SystemMeaning = (cpu, insn) => {
  const index = registerOf(insn, 0);
  if (index === SEG.CS || index > SEG.GS) throw ud();
  cpu.loadSegment(index, Number(readOperand(cpu, insn, 1, 16) & 0xffffn));
  if (index === SEG.SS) cpu.inhibitInterrupts('mov-ss');
};
export const pushSegment: SystemMeaning = (cpu, insn) => {
  cpu.push(BigInt(cpu.state.selector(registerOf(insn, 0))), bytesOf(insn));
};
export const popSegment: SystemMeaning = (cpu, insn) => {
  const index = registerOf(insn, 0);
  const bytes = bytesOf(insn);
  // With POP SS the pointer moves in the old stack's width: the size is taken before SS changes.
  const selector = Number(cpu.peek(0, bytes) & 0xffffn);
  const { state } = cpu;
  const before = state.gpr(4);
  cpu.release(bytes);
  try {
    cpu.loadSegment(index, selector);
  } catch (fault) {
    state.setGpr(4, before);
    throw fault;
  }
  if (index === SEG.SS) cpu.inhibitInterrupts('mov-ss');
};

/** LDS, LES, LSS, LFS, LGS: offset, then selector. */
export const loadFarPointer =
  (segment: number): SystemMeaning =>
  (cpu, insn) => {
    const bytes = bytesOf(insn);
    const at = linearOperand(cpu, insn, bytes, 'read');
    const selectorAt = linearOperand(cpu, insn, 2, 'read', bytes);
    const offset = cpu.read(at, bytes);
    cpu.loadSegment(segment, Number(cpu.read(selectorAt, 2)));
    writeOperand(cpu, insn, 0, offset);
  };

// --- Descriptor-table registers

/** CR4.UMIP hides them from user programs (SDM vol. 3A 2.5). */
function checkUmip(cpu: Processor): void {
  if (cpu.state.cpl > 0 && cpu.state.system32('cr4') & CR4.UMIP) throw gp();
}

const storeTable =
  (table: 'gdtr' | 'idtr'): SystemMeaning =>
  (cpu, insn) => {
    checkUmip(cpu);
    const { state } = cpu;
    const bytes = cpu.long ? 8 : 4;
    const limitAt = linearOperand(cpu, insn, 2, 'write');
    const baseAt = linearOperand(cpu, insn, bytes, 'write', 2);
    cpu.probeWrite(limitAt, 2);
    cpu.probeWrite(baseAt, bytes);
    cpu.write(limitAt, 2, state.system(`${table}.limit`));
    cpu.write(baseAt, bytes, BigInt.asUintN(bytes * 8, state.system(`${table}.base`)));
  };
export const sgdt = storeTable('gdtr');
export const sidt = storeTable('idtr');

const loadTable =
  (table: 'gdtr' | 'idtr'): SystemMeaning =>
  (cpu, insn) => {
    const { state } = cpu;
    const bytes = cpu.long ? 8 : 4;
    const limit = cpu.read(linearOperand(cpu, insn, 2, 'read'), 2);
    let base = cpu.read(linearOperand(cpu, insn, bytes, 'read', 2), bytes);
    if (cpu.long && !isCanonical(base)) throw gp();
    // The 286's 24 bits.
    if (!cpu.long && insn.operandSize === 16) base &= 0xff_ffffn;
    state.setSystem(`${table}.limit`, limit);
    state.setSystem(`${table}.base`, base);
  };
export const lgdt = loadTable('gdtr');
export const lidt = loadTable('idtr');

export const sldt: SystemMeaning = (cpu, insn) => {
  checkUmip(cpu);
  store16(cpu, insn, cpu.state.selector(SEG.LDTR));
};
export const str: SystemMeaning = (cpu, insn) => {
  checkUmip(cpu);
  store16(cpu, insn, cpu.state.selector(SEG.TR));
};
export const lldt: SystemMeaning = (cpu, insn) => {
  cpu.loadLdtr(Number(readOperand(cpu, insn, 0) & 0xffffn));
};
export const ltr: SystemMeaning = (cpu, insn) => {
  cpu.loadTr(Number(readOperand(cpu, insn, 0) & 0xffffn));
};
/** Memory gets 16 bits; a register as many of CR0 as its size holds. */
export const smsw: SystemMeaning = (cpu, insn) => {
  checkUmip(cpu);
  const cr0 = cpu.readControl(0);
  if (insn.operands[0].kind === 'memory') writeOperand(cpu, insn, 0, cr0, 16);
  else writeOperand(cpu, insn, 0, cr0);
};

// --- Looking at descriptors (SDM vol. 2 LAR, LSL, VERR/VERW): ZF says whether one may.

const LAR_TYPES = [1, 2, 3, 4, 5, 9, 11, 12];
const LSL_TYPES = [1, 2, 3, 9, 11];
const IA32E_LAR_TYPES = [2, 9, 11, 12];
const IA32E_LSL_TYPES = [2, 9, 11];

const descriptorFor = (
  cpu: Processor,
  selector: number,
  types: readonly number[],
): { low: number; high: number } | undefined => {
  const d = cpu.visibleDescriptor(selector);
  if (!d) return undefined;
  const system = (d.attributes & 0x10) === 0;
  return system && !types.includes(d.attributes & 15) ? undefined : d;
};
const selectorOperand = (cpu: Processor, insn: Instruction): number => Number(readOperand(cpu, insn, 1, 16) & 0xffffn);

export const lar: SystemMeaning = (cpu, insn) => {
  const d = descriptorFor(cpu, selectorOperand(cpu, insn), cpu.ia32e ? IA32E_LAR_TYPES : LAR_TYPES);
  setZero(cpu, d !== undefined);
  if (d) writeOperand(cpu, insn, 0, BigInt((d.high & 0x00f0_ff00) >>> 0));
};
export const lsl: SystemMeaning = (cpu, insn) => {
  const d = descriptorFor(cpu, selectorOperand(cpu, insn), cpu.ia32e ? IA32E_LSL_TYPES : LSL_TYPES);
  setZero(cpu, d !== undefined);
  if (!d) return;
  const raw = (d.low & 0xffff) | (d.high & 0xf_0000);
  writeOperand(cpu, insn, 0, BigInt((d.high & 0x80_0000 ? (raw << 12) | 0xfff : raw) >>> 0));
};
export const verr: SystemMeaning = (cpu, insn) => {
  setZero(cpu, cpu.accessible(Number(readOperand(cpu, insn, 0, 16) & 0xffffn), false));
};
export const verw: SystemMeaning = (cpu, insn) => {
  setZero(cpu, cpu.accessible(Number(readOperand(cpu, insn, 0, 16) & 0xffffn), true));
};

/** Raises the RPL of the first selector to that of the second. */
export const arpl: SystemMeaning = (cpu, insn) => {
  const destination = Number(readOperand(cpu, insn, 0));
  const rpl = Number(readOperand(cpu, insn, 1)) & 3;
  const lower = (destination & 3) < rpl;
  if (lower) writeOperand(cpu, insn, 0, BigInt((destination & ~3) | rpl));
  setZero(cpu, lower);
};

// --- FS and GS bases

function checkFsgsbase(cpu: Processor): void {
  if (!(cpu.state.system32('cr4') & CR4.FSGSBASE)) throw ud();
}
export const readBase =
  (segment: number): SystemMeaning =>
  (cpu, insn) => {
    checkFsgsbase(cpu);
    writeOperand(cpu, insn, 0, cpu.state.segmentBase(segment));
  };
export const writeBase =
  (segment: number): SystemMeaning =>
  (cpu, insn) => {
    checkFsgsbase(cpu);
    const value = readOperand(cpu, insn, 0);
    if (!isCanonical(value)) throw gp();
    cpu.state.setSegmentBase(segment, value);
  };
export const swapgs: SystemMeaning = ({ state }) => {
  const base = state.segmentBase(SEG.GS);
  state.setSegmentBase(SEG.GS, state.system('kernel_gs_base'));
  state.setSystem('kernel_gs_base', base);
};
