/**
 * Sensitive instructions that do not trap in ring 1 (the lecture's second problem): for each, what the guest kernel gets,
 * and what it would have got in the ring 0 that it believes itself in. Programs see the tables and CPUID of the hypervisor too.
 *
 * Loads of segment registers and most far transfers are absent, as descriptors of ring 0 are out of reach of ring 1 and they trap;
 * those to conforming code do not. In 64-bit mode SWAPGS, SYSCALL and SYSRET trap, and RDFSBASE and its like speak of
 * registers that are the guest's own.
 */
import type { Cpu } from '../../cpu/cpu';
import type { Instruction } from '../../isa/instruction';
import { effectiveAddress, readOperand } from '../../isa/operands';
import { isConforming } from '../../cpu/descriptors';
import { GPR, RFLAGS, SEG, SEG_NAMES } from '../../x86/registers';
import { KERNEL_RING } from './software';

/** Numbers are words of 32 bits, signed or not. */
const hex = (value: bigint | number): string => `0x${(typeof value === 'number' ? value >>> 0 : value).toString(16)}`;
const bit = (flags: number, mask: number): number => (flags & mask ? 1 : 0);
const IOPL_SHIFT = 12;
const iopl = (flags: number): number => (flags & RFLAGS.IOPL) >>> IOPL_SHIFT;

/** What differs, in a sentence; undefined: nothing, this time. `real`: the processor; `believed`: the virtual one. */
type Look = (real: Cpu, believed: Cpu, instruction: Instruction) => string | undefined;

const size = (insn: Instruction): 2 | 4 | 8 => (insn.operandSize === 16 ? 2 : insn.operandSize === 64 ? 8 : 4);

/** IF and IOPL that the guest asks for by a flags image, against what the processor does with it at CPL above IOPL: nothing. */
function ignoredFlags(image: number, believed: Cpu): string | undefined {
  const now = believed.state.systemFlags;
  const parts: string[] = [];
  if (bit(image, RFLAGS.IF) !== bit(now, RFLAGS.IF))
    parts.push(`IF should have become ${bit(image, RFLAGS.IF)} and stays ${bit(now, RFLAGS.IF)}`);
  if (iopl(image) !== iopl(now)) parts.push(`IOPL should have become ${iopl(image)} and stays ${iopl(now)}`);
  return parts.length > 0 ? `${parts.join('; ')}: above IOPL the processor ignores them.` : undefined;
}

const table =
  (base: 'gdtr.base' | 'idtr.base', limit: 'gdtr.limit' | 'idtr.limit'): Look =>
  (real, believed) => {
    const [got, expected] = [real.state, believed.state].map((s) => `${hex(s.system(base))}, limit ${hex(s.system(limit))}`);
    return got === expected ? undefined : `It stores the hypervisor's table (${got}); the guest's own is at ${expected}.`;
  }; // prettier-ignore

/** The ring shows in CS and SS alone. `verb`: what became of the selector. */
function ring(real: Cpu, index: number, verb: string): string | undefined {
  const got = real.state.selector(index);
  return (got & 3) === KERNEL_RING
    ? `${SEG_NAMES[index].toUpperCase()} ${verb} as ${hex(got)} instead of ${hex(got & ~3)}: bits 1:0 show the ring that it is really in.`
    : undefined;
}

const taskRegister =
  (index: number, name: string): Look =>
  (real, believed) => {
    const got = real.state.selector(index);
    const expected = believed.state.selector(index);
    return got === expected ? undefined : `It stores the hypervisor's ${name} (${hex(got)}); the guest loaded ${hex(expected)}.`;
  }; // prettier-ignore

const readsSegment: Look = (real, _, insn) => {
  const operand = insn.operands.find(({ kind }) => kind === 'segment');
  return operand?.kind === 'segment' ? ring(real, operand.index, 'reads') : undefined;
};

/** CALL and JMP to conforming code stay in the ring where they are; all others trap. */
const farTransfer: Look = (real, _, insn) => {
  const target = farSelector(real, insn);
  const descriptor = target === undefined ? undefined : real.visibleDescriptor(target);
  if (!descriptor || !isConforming(descriptor)) return undefined;
  const pushed = insn.row.mnemonic === 'call' ? ring(real, SEG.CS, 'is pushed') : undefined;
  return [`It goes on in ring ${real.state.cpl} of conforming code.`, ...(pushed ? [pushed] : [])].join(' ');
};
function farSelector(real: Cpu, insn: Instruction): number | undefined {
  const [operand] = insn.operands;
  if (operand?.kind === 'far') return operand.selector;
  if (operand?.kind !== 'memory' || !insn.memory) return undefined;
  const at = effectiveAddress(real.state, insn.memory) + BigInt(insn.operandSize / 8);
  return Number(real.read(BigInt.asUintN(real.long ? 64 : 32, real.state.segmentBase(insn.memory.segment) + at), 2));
}

/** LAR, LSL, VERR, VERW: descriptors of ring 0 look absent from ring 1. */
const descriptor: Look = (real, believed, insn) => {
  const at = insn.operands.length - 1;
  const selector = Number(readOperand(real, insn, at) & 0xffffn);
  return real.visibleDescriptor(selector) === undefined && believed.visibleDescriptor(selector) !== undefined
    ? `Descriptor ${hex(selector)} looks out of reach: its ring is 0, and the guest is really in ring ${real.state.cpl}.`
    : undefined;
};

const HOLES: Readonly<Record<string, Look>> = {
  pushf: (_, believed) => {
    const flags = believed.state.systemFlags;
    const wrong = !(flags & RFLAGS.IF) || iopl(flags) !== 0;
    return wrong
      ? `It stores IF=1 and IOPL=0; the guest has IF=${bit(flags, RFLAGS.IF)} and IOPL=${iopl(flags)}.`
      : undefined;
  },
  popf: (real, believed, insn) => ignoredFlags(Number(real.peek(0, size(insn))), believed),
  iret: (real, believed, insn) => {
    const bytes = size(insn);
    const target = Number(real.peek(bytes, bytes)) & 3;
    // A return to ring 0, which is above ring 1, traps.
    return target < real.state.cpl ? undefined : ignoredFlags(Number(real.peek(2 * bytes, bytes)), believed);
  },
  sgdt: table('gdtr.base', 'gdtr.limit'),
  sidt: table('idtr.base', 'idtr.limit'),
  sldt: taskRegister(SEG.LDTR, 'LDT'),
  str: taskRegister(SEG.TR, 'task register'),
  smsw: (real, believed) => {
    const got = real.state.system32('cr0') & 0xffff;
    const expected = believed.state.system32('cr0') & 0xffff;
    return got === expected ? undefined : `It reads CR0 as ${hex(got)}; the guest's is ${hex(expected)}.`;
  },
  mov: readsSegment,
  push: readsSegment,
  call: farTransfer,
  jmp: farTransfer,
  cpuid: (real, believed) => {
    const [leaf, subleaf] = [real.state.gpr32(GPR.RAX), real.state.gpr32(GPR.RCX)];
    const [got, expected] = [real, believed].map((cpu) => cpu.cpuid(leaf, subleaf).map(hex).join(' '));
    return got === expected
      ? undefined
      : `Leaf ${hex(leaf)} of the hypervisor's processor is ${got}; the guest's is ${expected}.`;
  },
  lar: descriptor,
  lsl: descriptor,
  verr: descriptor,
  verw: descriptor,
};

/** Instructions that look at tables other than the processor's: the hypervisor's are where it says (withOwnTables). */
export const readsOwnTables = (mnemonic: string): boolean => mnemonic === 'sgdt' || mnemonic === 'sldt';

/** They depend on more of the virtual processor than it keeps to itself while the guest runs. */
export const readsDescriptors = (mnemonic: string): boolean => HOLES[mnemonic] === descriptor;

/** Before an instruction of a deprivileged guest runs. */
export const lookForHole: Look = (real, believed, insn) => {
  const { mnemonic, attributes } = insn.row;
  if (!Object.hasOwn(HOLES, mnemonic) || attributes.privileged) return undefined;
  if (!attributes.sensitive && mnemonic !== 'cpuid') return undefined;
  // What a program may not change is none of its holes.
  const program = real.state.cpl === 3 && iopl(believed.state.systemFlags) < 3;
  if (program && (mnemonic === 'popf' || mnemonic === 'iret')) return undefined;
  return HOLES[mnemonic](real, believed, insn);
};
