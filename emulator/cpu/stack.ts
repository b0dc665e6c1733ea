/**
 * A stack that may not be in force yet: frames are written to it, and RSP and SS change only once nothing can fail.
 */
import { CONTEXT } from '../execution/layout';
import type { Context } from '../execution/layout';
import { CR4, GPR, RFLAGS, SEG } from '../x86/registers';
import type { CodeSize } from '../isa/instruction';
import { ss as stackFault } from './faults';
import { stackSize } from './mode';
import { ATTRIBUTE } from './state';
import type { Segment } from './state';
import { isCanonical } from '../util/words';
import type { Cpu } from './cpu';

/** Whether [offset, offset + bytes) lies in the segment (SDM vol. 3A 5.3). */
export function withinLimit(segment: Segment, offset: number, bytes: number): boolean {
  const last = offset + bytes - 1;
  const code = (segment.attributes & 8) !== 0;
  if (!code && segment.attributes & 4) {
    const top = segment.attributes & ATTRIBUTE.DB ? 0xffff_ffff : 0xffff;
    return offset > segment.limit && last <= top;
  }
  return last <= segment.limit;
}

/** Rights of explicit accesses at a privilege level that is not yet in force. */
export function contextFor(cpu: Cpu, cpl: number): Context {
  if (cpl === 3) return CONTEXT.user;
  const lifted = cpu.state.system32('cr4') & CR4.SMAP && cpu.state.systemFlags & RFLAGS.AC;
  return lifted ? CONTEXT.supervisorNoSmap : CONTEXT.supervisor;
}

export class Stack {
  constructor(
    private readonly cpu: Cpu,
    readonly size: CodeSize,
    readonly segment: Segment,
    public pointer: bigint,
    private readonly context: Context,
    /** Error code of the #SS that lack of room raises. */
    private readonly code = 0,
  ) {}

  /** The one in force. */
  static current(cpu: Cpu, code = 0): Stack {
    const { state } = cpu;
    const size = stackSize(state);
    return new Stack(cpu, size, state.segment(SEG.SS), state.gpr(GPR.RSP), cpu.mmu.context, code);
  }
  /** One to be switched to: `segment` says its width, except in 64-bit mode. */
  static inner(cpu: Cpu, segment: Segment, pointer: bigint, cpl: number, code: number, long = false): Stack {
    const size = long ? 64 : segment.attributes & ATTRIBUTE.DB ? 32 : 16;
    return new Stack(cpu, size, segment, pointer, contextFor(cpu, cpl), code);
  }

  private linear(pointer: bigint, bytes: number): bigint {
    if (this.size === 64) {
      const last = bytes > 1 && crossesPage(pointer, bytes) ? BigInt.asUintN(64, pointer + BigInt(bytes - 1)) : pointer;
      if (!isCanonical(pointer) || !isCanonical(last)) throw stackFault(this.code);
      return pointer;
    }
    const offset = Number(BigInt.asUintN(this.size, pointer));
    if (this.segment.attributes & ATTRIBUTE.UNUSABLE || !withinLimit(this.segment, offset, bytes))
      throw stackFault(this.code);
    return BigInt.asUintN(32, this.segment.base + BigInt(offset));
  }
  push(value: bigint | number, bytes: 2 | 4 | 8): void {
    const pointer = BigInt.asUintN(this.size, this.pointer - BigInt(bytes));
    this.cpu.mmu.write(this.linear(pointer, bytes), bytes, BigInt.asUintN(bytes * 8, BigInt(value)), this.context);
    this.pointer = pointer;
  }
  /** The value `offset` bytes above the pointer, which stays. */
  peek(offset: number, bytes: 2 | 4 | 8): bigint {
    const pointer = BigInt.asUintN(this.size, this.pointer + BigInt(offset));
    return this.cpu.mmu.read(this.linear(pointer, bytes), bytes, this.context);
  }
  pop(bytes: 2 | 4 | 8): bigint {
    const value = this.peek(0, bytes);
    this.release(bytes);
    return value;
  }
  release(bytes: number): void {
    this.pointer = BigInt.asUintN(this.size, this.pointer + BigInt(bytes));
  }
  /** Throws #SS or #PF unless `bytes` can be pushed. */
  require(bytes: number): void {
    const pointer = BigInt.asUintN(this.size, this.pointer - BigInt(bytes));
    this.cpu.mmu.probe(this.linear(pointer, bytes), bytes, true, this.context, true);
  }
  /** RSP becomes this pointer; the bits that the stack's width does not reach stay. SS is the caller's affair. */
  commit(): void {
    setStackPointer(this.cpu, this.size, this.pointer);
  }
}

/** Only then can one end be canonical and the other not. */
const crossesPage = (pointer: bigint, bytes: number): boolean => Number(pointer & 4095n) + bytes > 4096;

export function setStackPointer(cpu: Cpu, size: CodeSize, pointer: bigint): void {
  const { state } = cpu;
  if (size === 64) state.setGpr(GPR.RSP, pointer);
  else if (size === 32) state.setGpr32(GPR.RSP, Number(BigInt.asUintN(32, pointer)));
  else state.setGpr16(GPR.RSP, Number(BigInt.asUintN(16, pointer)));
}
