/**
 * What a step by lines asks at each instruction, kept from step to step: loops come by again and again. Symbols are asked
 * once (Program keeps their answers); an instruction is decoded once for the bytes that stand there.
 */
import type { DisassembledInstruction, Inspector } from '../emulator/machine/api';
import type { Program } from './program';
import type { LineEntry } from './symbols/api';

/** Software entered the kernel by itself: stepping over it is stepping over a call. */
const ENTERS_KERNEL = /^(int|int1|int3|into|syscall|sysenter|vmcall|vmmcall)$/;
const MOST_DECODED = 4096;

export interface Facts {
  /** The instruction, where it is one to step over. */
  call: DisassembledInstruction | undefined;
  /** The instruction may leave the function. */
  isReturn: boolean;
  line: LineEntry | undefined;
  function: bigint | undefined;
  /** Inlined functions around the address. */
  depth: number;
}

interface Decoded {
  mode: string;
  instruction: DisassembledInstruction;
}
/** By machine, and so gone with it. */
const decodedOf = new WeakMap<Inspector, Map<bigint, Decoded>>();

/** Undefined: nothing can be read there. */
function instructionAt(inspect: Inspector, cpu: number, pc: bigint): DisassembledInstruction | undefined {
  let decoded = decodedOf.get(inspect);
  if (decoded === undefined || decoded.size >= MOST_DECODED) decodedOf.set(inspect, (decoded = new Map()));
  const mode = inspect.mode(cpu);
  const known = decoded.get(pc);
  if (known?.mode === mode) {
    const { bytes } = known.instruction;
    const now = inspect.readVirtual(cpu, pc, bytes.length);
    if (now.length === bytes.length && bytes.every((byte, n) => byte === now[n])) return known.instruction;
  }
  const [instruction] = inspect.disassemble(cpu, pc, 1);
  if (instruction === undefined || instruction.mnemonic === '(bad)') decoded.delete(pc);
  else decoded.set(pc, { mode, instruction });
  return instruction;
}

const calls = ({ isCall, mnemonic }: DisassembledInstruction): boolean => isCall || ENTERS_KERNEL.test(mnemonic);

/** The instruction there, if it calls something. */
export function callAt(inspect: Inspector, cpu: number, pc: bigint): DisassembledInstruction | undefined {
  const next = instructionAt(inspect, cpu, pc);
  return next !== undefined && calls(next) ? next : undefined;
}

export function factsAt(
  { inspect, program }: { inspect: Inspector; program: Program },
  cpu: number,
  pc: bigint,
): Facts {
  const next = instructionAt(inspect, cpu, pc);
  const call = next !== undefined && calls(next) ? next : undefined;
  return { call, isReturn: next?.isReturn ?? true, ...program.placeOf(pc) };
}
