/**
 * The x87 register stack and its exceptions as plain meanings use them. SDM vol. 1 chapter 8.
 * Not kept: the last opcode (FOP), which processors since the Pentium 4 only record for unmasked exceptions.
 * With CR0.NE clear, errors would be reported by FERR# through IRQ 13; that line is not wired: it is reported as unsupported
 * and execution goes on as with IGNNE# asserted.
 */
import type { Processor } from '../../cpu/ports';
import { GuestFault } from '../../cpu/ports';
import * as layout from '../../execution/layout';
import { INDEFINITE } from '../../util/float80';
import type { Float80 } from '../../util/float80';
import { EXCEPTION, Environment } from '../../util/softfloat';
import { CR0, SEG, VECTOR } from '../../x86/registers';
import type { Instruction } from '../instruction';

/** Status word (SDM vol. 1 figure 8-4). */
export const STATUS = { SF: 0x40, ES: 0x80, C0: 0x100, C1: 0x200, C2: 0x400, C3: 0x4000, B: 0x8000 } as const;
const CONDITION_BITS = STATUS.C0 | STATUS.C1 | STATUS.C2 | STATUS.C3;
const PRECISIONS = [24, 64, 53, 64];

export class Unit {
  readonly view: DataView;

  constructor(readonly cpu: Processor) {
    this.view = cpu.state.view;
  }

  get control(): number {
    return this.view.getUint16(layout.X87_CONTROL, true);
  }
  /** Bit 6 reads as 1 always. */
  set control(value: number) {
    this.view.setUint16(layout.X87_CONTROL, (value & 0x1f7f) | 0x40, true);
    this.summarize();
  }
  get status(): number {
    return this.view.getUint16(layout.X87_STATUS, true);
  }
  set status(value: number) {
    this.view.setUint16(layout.X87_STATUS, value, true);
    this.summarize();
  }
  /** ES and B follow from the exceptions and their masks. */
  private summarize(): void {
    const status = this.status & ~(STATUS.ES | STATUS.B);
    const pending = status & ~this.control & 0x3f;
    this.view.setUint16(layout.X87_STATUS, pending ? status | STATUS.ES | STATUS.B : status, true);
  }
  get tags(): number {
    return this.view.getUint8(layout.X87_TAGS);
  }
  set tags(value: number) {
    this.view.setUint8(layout.X87_TAGS, value);
  }
  get top(): number {
    return (this.status >> 11) & 7;
  }
  set top(value: number) {
    this.status = (this.status & ~0x3800) | ((value & 7) << 11);
  }
  /** C0 to C3 as given, of those in `which`. */
  setConditions(bits: number, which = CONDITION_BITS): void {
    this.status = (this.status & ~which) | bits;
  }

  /** Physical number of ST(i). */
  private physical(i: number): number {
    return (this.top + i) & 7;
  }
  isEmpty(i: number): boolean {
    return !((this.tags >> this.physical(i)) & 1);
  }
  get(i: number): Float80 {
    const at = layout.X87 + this.physical(i) * 16;
    const high = this.view.getUint16(at + 8, true);
    return { sign: high >> 15, exponent: high & 0x7fff, significand: this.view.getBigUint64(at, true) };
  }
  set(i: number, value: Float80): void {
    const at = layout.X87 + this.physical(i) * 16;
    this.view.setBigUint64(at, value.significand, true);
    this.view.setUint16(at + 8, (value.sign << 15) | value.exponent, true);
    this.tags |= 1 << this.physical(i);
  }
  free(i: number): void {
    this.tags &= ~(1 << this.physical(i));
  }
  pop(): void {
    this.free(0);
    this.top++;
  }

  /** What an operation obeys now; give it to `finish` afterwards. */
  environment(): Environment {
    const control = this.control;
    return new Environment((control >> 10) & 3, PRECISIONS[(control >> 8) & 3], control & 0x3f);
  }
  /** Accumulates the exceptions of an operation; C1 says whether it rounded away from zero. */
  finish(env: Environment): void {
    this.status = (this.status & ~STATUS.C1) | env.flags | (env.roundedUp ? STATUS.C1 : 0);
  }
  /** A register that should have been full or, with `overflow`, empty. True: the exception is masked, go on. */
  stackFault(overflow = false): boolean {
    this.status = (this.status & ~STATUS.C1) | EXCEPTION.INVALID | STATUS.SF | (overflow ? STATUS.C1 : 0);
    return (this.control & EXCEPTION.INVALID) !== 0;
  }
  /** Pushes what `make` yields (nothing if it yields nothing), or the indefinite onto a full stack. */
  push(make: (env: Environment) => Float80 | undefined): void {
    if (!this.isEmpty(7)) {
      if (!this.stackFault(true)) return;
      this.top--;
      this.set(0, INDEFINITE);
      return;
    }
    const env = this.environment();
    const value = make(env);
    this.finish(env);
    if (value === undefined) return;
    this.top--;
    this.set(0, value);
  }
}

/** #NM, and #MF for an exception that is pending; `waits` false: FN... instructions, which ignore the latter. */
export function available(cpu: Processor, waits = true): Unit {
  const cr0 = cpu.state.system32('cr0');
  if (cr0 & (CR0.EM | CR0.TS)) throw new GuestFault(VECTOR.NM);
  const unit = new Unit(cpu);
  if (waits) reportPending(unit, cr0);
  return unit;
}
export function reportPending(unit: Unit, cr0: number): void {
  if (!(unit.status & STATUS.ES)) return;
  if (cr0 & CR0.NE) throw new GuestFault(VECTOR.MF);
  unit.cpu.unsupported('x87 errors through FERR# and IRQ 13 (CR0.NE = 0)');
}

/** Where the instruction and its operand are: FIP, FCS, FDP, FDS. Controlling instructions leave them alone. */
export function recordPointers(unit: Unit, instruction: Instruction, operandOffset?: bigint): void {
  const { view, cpu } = unit;
  view.setBigUint64(layout.X87_FIP, instruction.rip, true);
  view.setUint16(layout.X87_FCS, cpu.state.selector(SEG.CS), true);
  if (operandOffset === undefined || !instruction.memory) return;
  view.setBigUint64(layout.X87_FDP, operandOffset, true);
  view.setUint16(layout.X87_FDS, cpu.state.selector(instruction.memory.segment), true);
}
