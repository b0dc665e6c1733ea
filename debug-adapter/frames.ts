/** What a stack frame is, and what of the stopped guest can be asked in one. */
import type { Inspector } from '../emulator/machine/api';
import { registersOfMode, type RegisterNumbers } from './dwarf-registers';
import type { Program } from './program';
import type { Target } from './symbols/api';
import type { TrapLog } from './trap-log';

export interface CodeFrame {
  kind: 'code';
  cpu: number;
  /** Linear address of the next instruction in this frame. */
  pc: bigint;
  /** The address to look up in symbols: behind a call it belongs to the next line already. */
  lookup: bigint;
  /** By DWARF number; absent: not known in this frame. */
  registers: Map<number, bigint>;
  numbers: RegisterNumbers;
  cpl: number;
  /** Found by guessing: shown subdued. */
  guessed: boolean;
}
export interface LabelFrame {
  kind: 'label';
  cpu: number;
  text: string;
  /** It stands above all frames: what is asked in it is asked of the one below. */
  top?: true;
  /** Host-physical address of the code that it stands for. */
  hpa?: number;
}
export type Frame = CodeFrame | LabelFrame;

export interface UnwindContext {
  inspect: Inspector;
  program: Program;
  traps: TrapLog;
}

/** The frame of the processor as it stands. */
export function topFrame(context: UnwindContext, cpu: number): CodeFrame {
  const { inspect } = context;
  const numbers = registersOfMode(inspect.mode(cpu));
  const file = inspect.registers(cpu);
  const registers = new Map<number, bigint>();
  numbers.names.forEach((name, number) => {
    const value = name === '' ? undefined : file.get(name);
    if (value !== undefined) registers.set(number, value);
  });
  const pc = inspect.pc(cpu);
  registers.set(numbers.pc, pc);
  const cpl = inspect.mode(cpu) === 'real' ? 0 : Number((file.get('cs') ?? 0n) & 3n);
  return { kind: 'code', cpu, pc, lookup: pc, registers, numbers, cpl, guessed: false };
}

/** What location expressions may ask in this frame. */
export function targetOf(context: UnwindContext, frame: CodeFrame): Target {
  const target: Target = {
    register: (number) => frame.registers.get(number),
    memory: (gva, bytes) => context.inspect.readVirtual(frame.cpu, gva, bytes),
    cpu: () => frame.cpu,
  };
  let cfa: bigint | undefined;
  let asked = false;
  target.cfa = () => {
    if (!asked) [asked, cfa] = [true, context.program.unwind(frame.lookup, target)?.cfa];
    return cfa;
  };
  target.caller = () => {
    const unwound = context.program.unwind(frame.lookup, target);
    const pc = unwound?.registers.get(frame.numbers.pc);
    if (unwound === undefined || unwound.outermost || unwound.signalFrame || pc === undefined) return undefined;
    const registers = new Map(unwound.registers);
    if (!registers.has(frame.numbers.sp)) registers.set(frame.numbers.sp, unwound.cfa);
    return { pc, target: targetOf(context, { ...frame, pc, lookup: pc - 1n, registers }) };
  };
  return target;
}
