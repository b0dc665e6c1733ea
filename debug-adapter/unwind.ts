/**
 * Stack frames: by call-frame information where there is some, else by frame pointers and return addresses, and across
 * the borders that no compiler describes: interrupt entry and system calls, each shown as a label.
 */
import type { UnwoundFrame } from './symbols/api';
import type { RegisterNumbers } from './dwarf-registers';
import { targetOf, topFrame, type CodeFrame, type Frame, type UnwindContext } from './frames';
import { readGates, StackReader, type HardwareFrame } from './hardware-frames';
import { WITH_ERROR } from '../emulator/x86/registers';
import { borderLabel, SYSTEM_CALL_LABEL } from './trap-log';

/** Words of a stack that are looked through for a frame. */
const SCAN_WORDS = 512;
const BUILT_FRAME_WORDS = 24n;
/** A frame pointer further away than this is some other number. */
const MAX_FRAME_BYTES = 1n << 16n;

/** Frames from the innermost on, at most `limit`. Loops end where the stack does not grow. */
export function unwindStack(context: UnwindContext, cpu: number, limit: number): Frame[] {
  const top = topFrame(context, cpu);
  const frames: Frame[] = [top];
  if (/real|16|8086/.test(context.inspect.mode(cpu))) return frames;
  const unwinder = new Unwinder(context, cpu, top.numbers);
  for (let frame = top; frames.length < limit;) {
    const caller = unwinder.callerOf(frame);
    if (caller === undefined) break;
    if (caller.label !== undefined) frames.push({ kind: 'label', cpu, text: caller.label });
    frames.push(caller.frame);
    frame = caller.frame;
  }
  return frames;
}

interface Caller {
  label?: string;
  frame: CodeFrame;
}

class Unwinder {
  private readonly stack: StackReader;
  private gates: Map<bigint, number> | undefined;

  constructor(
    private readonly context: UnwindContext,
    cpu: number,
    private readonly numbers: RegisterNumbers,
  ) {
    this.stack = new StackReader(context.inspect, cpu, numbers);
  }

  callerOf(frame: CodeFrame): Caller | undefined {
    const target = targetOf(this.context, frame);
    const unwound = this.context.program.unwind(frame.lookup, target);
    if (unwound !== undefined) {
      const caller = this.byCallFrameInformation(frame, unwound);
      if (caller !== undefined) return caller;
      if (this.vectorOf(frame) === undefined) return undefined;
    }
    return this.byLookingAround(frame);
  }

  private byCallFrameInformation(frame: CodeFrame, unwound: UnwoundFrame): Caller | undefined {
    const { numbers } = this;
    const entry = this.vectorOf(frame) !== undefined || unwound.signalFrame;
    const pc = unwound.registers.get(numbers.pc);
    if (entry && pc !== undefined) {
      // Interrupt functions of C compilers: the saved RIP is where a return address would be, the rest follows above.
      // Assembly with a signal frame: the CFA lies above the whole frame.
      for (const words of [1, 5, 3]) {
        const hardware = this.stack.hardwareFrame(unwound.cfa - BigInt(words * numbers.word), frame.cpl);
        if (hardware?.pc === pc) return this.acrossInterrupt(frame, hardware, unwound.registers, true);
      }
    }
    if (unwound.outermost || pc === undefined || pc === 0n) return undefined;
    const registers = new Map(unwound.registers);
    if (!registers.has(numbers.sp)) registers.set(numbers.sp, unwound.cfa);
    if (!unwound.signalFrame) {
      if (!this.stack.executable(pc, frame.cpl === 3)) return undefined;
      if (unwound.stackSwitched !== true && !this.grows(frame, registers)) return undefined;
      return { frame: { ...frame, pc, lookup: pc - 1n, registers, guessed: false } };
    }
    const user = !this.stack.executable(pc, false);
    const cpl = user || pc < 1n << 47n ? this.privilegeOf(pc) : 0;
    return this.across(frame, { pc, registers, cpl }, undefined);
  }

  private across(
    frame: CodeFrame,
    beyond: Pick<CodeFrame, 'pc' | 'registers' | 'cpl'>,
    hardware: HardwareFrame | undefined,
  ): Caller {
    const label = this.labelOf(frame, beyond.pc, beyond.cpl, hardware);
    // A system call returns behind its instruction, an interrupt to the very instruction.
    const lookup = label === SYSTEM_CALL_LABEL ? beyond.pc - 1n : beyond.pc;
    return { label, frame: { ...frame, ...beyond, lookup, guessed: false } };
  }

  /** Without debug information: whatever is found first on the way up the stack. */
  private byLookingAround(frame: CodeFrame): Caller | undefined {
    const sp = frame.registers.get(this.numbers.sp);
    if (sp === undefined) return this.byFramePointer(frame, 0n);
    const entered = frame.cpl === 0 && this.atSystemCallEntry(frame, sp);
    if (entered) return entered;
    if (this.hasFrame(frame)) {
      const caller = this.byFramePointer(frame, sp);
      if (caller !== undefined) return caller;
    }
    const word = BigInt(this.numbers.word);
    for (let at = sp, n = 0; n < SCAN_WORDS; n++, at += word) {
      const value = this.stack.word(at);
      if (value === undefined) return undefined;
      const hardware = this.stack.hardwareFrame(at, frame.cpl);
      if (hardware !== undefined) return this.acrossInterrupt(frame, hardware, frame.registers);
      if (frame.cpl === 0 && this.stack.isSystemCallReturn(value)) {
        const built = this.builtFrame(frame, at, value);
        return built ? this.acrossInterrupt(frame, built, frame.registers) : this.acrossSystemCall(frame, at, value);
      }
      if (this.stack.isReturnAddress(value, frame.cpl === 3)) {
        return { frame: this.called(frame, value, at + word, frame.registers.get(this.numbers.fp)) };
      }
    }
    return undefined;
  }

  /** Kernels push for SYSCALL what an interrupt would have pushed, above the registers of which RCX is one. */
  private builtFrame(frame: CodeFrame, at: bigint, pc: bigint): HardwareFrame | undefined {
    for (let n = 1n; n <= BUILT_FRAME_WORDS; n++) {
      const found = this.stack.hardwareFrame(at + n * BigInt(this.numbers.word), frame.cpl);
      if (found?.pc === pc) return found;
    }
    return undefined;
  }

  /** PUSH RBP; MOV RBP, RSP at the start of the function, and both behind us. */
  private hasFrame(frame: CodeFrame): boolean {
    const start = this.context.program.functionAt(frame.lookup)?.start;
    if (start === undefined) return false;
    const code = this.stack.bytes(start, 8);
    const at = code[0] === 0xf3 ? 4 : 0; // ENDBR64
    const moved = code[at] === 0x55 && (code[at + 1] === 0x48 || code[at + 1] === 0x89 || code[at + 1] === 0x8b);
    return moved && frame.pc >= start + BigInt(at + 1 + (this.numbers.word === 8 ? 3 : 2));
  }

  private byFramePointer(frame: CodeFrame, sp: bigint): Caller | undefined {
    const fp = frame.registers.get(this.numbers.fp);
    const word = BigInt(this.numbers.word);
    if (fp === undefined || fp < sp || fp - sp > MAX_FRAME_BYTES || fp % word !== 0n) return undefined;
    const pc = this.stack.word(fp + word);
    if (pc === undefined || !this.stack.isReturnAddress(pc, frame.cpl === 3)) return undefined;
    return { frame: this.called(frame, pc, fp + 2n * word, this.stack.word(fp)) };
  }

  private called(frame: CodeFrame, pc: bigint, sp: bigint, fp: bigint | undefined): CodeFrame {
    const registers = this.preserved(frame.registers);
    registers.set(this.numbers.pc, pc).set(this.numbers.sp, sp);
    if (fp !== undefined) registers.set(this.numbers.fp, fp);
    return { ...frame, pc, lookup: pc - 1n, registers, guessed: true };
  }

  private preserved(registers: Map<number, bigint>): Map<number, bigint> {
    return new Map([...registers].filter(([number]) => this.numbers.preserved.includes(number)));
  }

  /** `described`: call-frame information said what became of each register; else only preserved ones are trusted. */
  private acrossInterrupt(
    frame: CodeFrame,
    hardware: HardwareFrame,
    known: Map<number, bigint>,
    described = false,
  ): Caller {
    // At the very entry nothing has been changed yet.
    const untouched = described || (frame.pc === frame.lookup && this.gateTable().has(frame.pc));
    const registers = untouched ? new Map(known) : this.preserved(known);
    registers.set(this.numbers.pc, hardware.pc).set(this.numbers.sp, hardware.sp);
    const { pc, cpl } = hardware;
    return this.across(frame, { pc, registers, cpl }, hardware);
  }

  private atSystemCallEntry(frame: CodeFrame, sp: bigint): Caller | undefined {
    if (frame.pc !== this.context.inspect.registers(frame.cpu).get('lstar')) return undefined;
    const pc = frame.registers.get(2); // RCX (SDM vol. 2B, SYSCALL)
    if (pc === undefined || !this.stack.isSystemCallReturn(pc)) return undefined;
    const registers = new Map(frame.registers).set(this.numbers.pc, pc).set(this.numbers.sp, sp);
    return { label: SYSTEM_CALL_LABEL, frame: { ...frame, pc, lookup: pc - 1n, registers, cpl: 3 } };
  }

  /** SYSCALL saves no stack pointer: the kernel's stub did, somewhere near the saved RIP. */
  private acrossSystemCall(frame: CodeFrame, at: bigint, pc: bigint): Caller {
    const registers = this.preserved(frame.registers).set(this.numbers.pc, pc);
    for (const distance of [1n, 2n, 3n, -1n, -2n, 4n, 5n, 6n, -3n, -4n]) {
      const value = this.stack.word(at + distance * BigInt(this.numbers.word));
      if (value === undefined || value % 8n !== 0n || value < 0x1000n || value >= 1n << 47n) continue;
      if (this.stack.inspect.translate(frame.cpu, value - 8n, 'write', { user: true }).gpa === undefined) continue;
      registers.set(this.numbers.sp, value);
      break;
    }
    return {
      label: SYSTEM_CALL_LABEL,
      frame: { ...frame, pc, lookup: pc - 1n, registers, cpl: 3, guessed: true },
    };
  }

  private labelOf(frame: CodeFrame, pc: bigint, cpl: number, hardware: HardwareFrame | undefined): string {
    if (this.isSystemCallEntry(frame)) return SYSTEM_CALL_LABEL;
    const event = this.context.traps.deliveredAt(frame.cpu, pc, cpl);
    if (event !== undefined) return borderLabel({ ...event, cpl });
    const vector = this.vectorOf(frame);
    if (vector === undefined && this.stack.isSystemCallReturn(pc)) return SYSTEM_CALL_LABEL;
    const errorCode =
      hardware && vector !== undefined && WITH_ERROR.includes(vector) ? Number(hardware.below) : undefined;
    return borderLabel({ vector, errorCode, cpl });
  }

  /** What SYSCALL jumps to lies in the function of this frame. */
  private isSystemCallEntry(frame: CodeFrame): boolean {
    const entry = this.context.inspect.registers(frame.cpu).get('lstar');
    if (entry === undefined || entry === 0n) return false;
    if (entry === frame.pc) return true;
    const start = this.context.program.functionAt(frame.lookup)?.start;
    return start !== undefined && this.context.program.functionAt(entry)?.start === start;
  }

  /** The vector whose gate leads into the function of this frame. */
  private vectorOf(frame: CodeFrame): number | undefined {
    const exact = this.gateTable().get(frame.pc);
    if (exact !== undefined) return exact;
    const start = this.context.program.functionAt(frame.lookup)?.start;
    return start === undefined ? undefined : this.gateTable().get(start);
  }

  private gateTable(): Map<bigint, number> {
    return (this.gates ??= readGates(this.context.inspect, this.stack.cpu));
  }

  private privilegeOf(pc: bigint): number {
    return this.stack.inspect.translate(this.stack.cpu, pc, 'execute', { user: true }).gpa === undefined ? 0 : 3;
  }

  /** A caller's stack pointer lies above; anything else is damage or a loop. */
  private grows(frame: CodeFrame, registers: Map<number, bigint>): boolean {
    const before = frame.registers.get(this.numbers.sp);
    const after = registers.get(this.numbers.sp);
    return before === undefined || after === undefined || after > before;
  }
}
