/**
 * Sensitive instructions that do not trap in ring 1 (the lecture's second problem): for each, what the guest kernel gets,
 * and what it would have got in the ring 0 that it believes itself in. Loads of segment registers and far transfers are absent:
 * descriptors of ring 0 are out of reach of ring 1, so they trap.
 */
import type { Cpu } from '../../cpu/cpu';
import type { Instruction } from '../../isa/instruction';
import { RFLAGS, SEG, SEG_NAMES } from '../../x86/registers';

const hex = (value: bigint | number): string => `0x${value.toString(16)}`;
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

const selector =
  (index: number): Look =>
  (real, believed) => {
    const got = real.state.selector(index);
    const expected = believed.state.selector(index);
    return got === expected
      ? undefined
      : `${SEG_NAMES[index].toUpperCase()} reads as ${hex(got)}, where the guest loaded ${hex(expected)}: bits 1:0 show the ring that it is really in.`;
  };

const taskRegister =
  (index: number, name: string): Look =>
  (real, believed) => {
    const got = real.state.selector(index);
    const expected = believed.state.selector(index);
    return got === expected ? undefined : `It stores the hypervisor's ${name} (${hex(got)}); the guest loaded ${hex(expected)}.`;
  }; // prettier-ignore

const movFromSegment: Look = (real, believed, insn) => {
  const operand = insn.operands[1];
  return operand?.kind === 'segment' ? selector(operand.index)(real, believed, insn) : undefined;
};
const pushSegment: Look = (real, believed, insn) => {
  const operand = insn.operands[0];
  return operand?.kind === 'segment' ? selector(operand.index)(real, believed, insn) : undefined;
};

/** LAR, LSL, VERR, VERW: descriptors of ring 0 look absent from ring 1. */
const descriptor: Look = (real, believed, insn) => {
  const operand = insn.operands.at(-1);
  if (operand?.kind !== 'gpr') return undefined;
  const selector = real.state.gpr16(operand.index);
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
  mov: movFromSegment,
  push: pushSegment,
  lar: descriptor,
  lsl: descriptor,
  verr: descriptor,
  verw: descriptor,
};

/** Before a sensitive instruction of a deprivileged guest kernel runs. */
export const lookForHole: Look = (real, believed, insn) => {
  if (insn.row.attributes.privileged) return undefined;
  const look = Object.hasOwn(HOLES, insn.row.mnemonic) ? HOLES[insn.row.mnemonic] : undefined;
  return look?.(real, believed, insn);
};
