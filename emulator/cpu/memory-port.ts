/**
 * What generated code calls when the TLB did not hit: plain RAM is handed over as an address in linear memory; devices,
 * page crossings, pages with code and watched pages go through a slot of SCRATCH and Mmu's long way.
 * Faults stay here as `pending`; the code leaves with EXIT.FAULT.
 */
import { SEG } from '../x86/registers';
import type { Instruction } from '../isa/instruction';
import { BULK_ITERATIONS } from '../execution/bulk-string';
import * as layout from '../execution/layout';
import { EXIT, LEAVE, RETRY } from '../execution/record';
import { toBigint } from '../util/words';
import type { Mmu } from '../mmu/access';
import { GuestFault, Interruption } from './ports';
import type { CpuState } from './state';

/** EXIT_FAULT: the exception is `pending` here. */
export const PENDING = 0xff;
const MODIFY = 0x100;
const ONTO_STACK: readonly string[] = ['push', 'call'];

interface DirectedWrite {
  lo: number;
  hi: number;
  bytes: number;
}

export class MemoryPort {
  pending?: Interruption;
  /** The record that is being executed: what the clock needs to know how far a block has come. */
  site = 0;
  private readonly slots: DirectedWrite[] = [];
  private nextSlot = 0;

  constructor(
    private state: CpuState,
    private mmu: Mmu,
    private readonly instructionAt: (record: number) => Instruction,
  ) {}
  /** Between two runs of generated code: the memory of another processor. */
  switchTo(state: CpuState, mmu: Mmu): void {
    this.state = state;
    this.mmu = mmu;
    mmu.tlb.forgetStackPage();
  }

  private attempt(site: number, access: () => number): number {
    this.site = site;
    try {
      return access();
    } catch (fault) {
      if (!(fault instanceof Interruption)) throw fault;
      return this.fail(fault);
    }
  }
  private fail(fault: Interruption): 0 {
    this.pending = fault;
    this.state.view.setUint32(layout.EXIT_FAULT, PENDING, true);
    return 0;
  }
  /**
   * A non-canonical stack address is #SS, any other #GP (SDM vol. 1 section 3.3.7.1). PUSH and CALL read their operand and write the
   * stack, POP does the reverse.
   */
  private isStack(site: number, write: boolean): boolean {
    const { memory, row } = this.instructionAt(site);
    if (!memory) return row.attributes.repeat === undefined;
    return memory.segment === SEG.SS || (write ? ONTO_STACK.includes(row.mnemonic) : row.mnemonic === 'pop');
  }

  readonly slowRead = (lo: number, hi: number, bytes: number, site: number): number =>
    this.attempt(site, () => {
      const host = this.mmu.resolve(lo, hi, bytes, false);
      if (host >= 0) return host;
      const slot = this.slot(lo, hi, bytes);
      this.fill(slot, lo, hi, bytes, false, site);
      return slot;
    });

  readonly slowWrite = (lo: number, hi: number, info: number, site: number): number =>
    this.attempt(site, () => {
      const bytes = info & 0xff;
      const host = this.mmu.resolve(lo, hi, bytes, true);
      if (host >= 0) return host;
      const slot = this.slot(lo, hi, bytes);
      if (info & MODIFY) this.fill(slot, lo, hi, bytes, true, site);
      else this.mmu.probeSlow(toBigint(lo, hi), bytes, true, this.isStack(site, true));
      return slot;
    });

  // --- For compiled regions.
  private retry(): 0 {
    this.state.view.setUint32(layout.EXIT_FAULT, RETRY, true);
    return 0;
  }
  readonly regionRead = (lo: number, hi: number, bytes: number): number => {
    try {
      const host = this.mmu.resolve(lo, hi, bytes, false);
      if (host >= 0) return host;
      return (lo & 4095) + bytes > 4096 ? this.joined(lo, hi, bytes) : this.retry();
    } catch (fault) {
      if (!(fault instanceof Interruption)) throw fault;
      return this.fail(fault);
    }
  };
  /** Two pages of plain RAM side by side in a slot. */
  private joined(lo: number, hi: number, bytes: number): number {
    const first = 4096 - (lo & 4095);
    const next = (lo + first) | 0;
    const a = this.mmu.resolve(lo, hi, first, false);
    const b = a < 0 || next === 0 ? -1 : this.mmu.resolve(next, hi, bytes - first, false);
    if (b < 0) return this.retry();
    const slot = this.slot(lo, hi, bytes);
    this.state.bytes.copyWithin(slot, a, a + first);
    this.state.bytes.copyWithin(slot + first, b, b + bytes - first);
    return slot;
  }
  readonly regionWrite = (lo: number, hi: number, info: number): number => {
    try {
      const host = this.mmu.resolve(lo, hi, info & 0xff, true);
      return host >= 0 ? host : this.retry();
    } catch (fault) {
      if (!(fault instanceof Interruption)) throw fault;
      return this.fail(fault);
    }
  };

  readonly slowCommit = (slot: number): void => {
    const { lo, hi, bytes } = this.slots[(slot - layout.SCRATCH) / layout.SCRATCH_SLOT];
    const gva = toBigint(lo, hi);
    for (let i = 0; i < bytes; i += 8) {
      const part = Math.min(8, bytes - i);
      this.mmu.storeSlow(gva + BigInt(i), part, BigInt.asUintN(part * 8, this.state.view.getBigUint64(slot + i, true)));
    }
  };

  private slot(lo: number, hi: number, bytes: number): number {
    // Four slots in turn, after the one where helpers leave results: no instruction has more directed accesses open.
    this.nextSlot = (this.nextSlot % 4) + 1;
    this.slots[this.nextSlot] = { lo, hi, bytes };
    return layout.SCRATCH + this.nextSlot * layout.SCRATCH_SLOT;
  }
  private fill(slot: number, lo: number, hi: number, bytes: number, write: boolean, site: number): void {
    const gva = toBigint(lo, hi);
    const stack = this.isStack(site, write);
    if (bytes > 8) this.mmu.probeSlow(gva, bytes, write, stack);
    for (let i = 0; i < bytes; i += 8) {
      const part = Math.min(8, bytes - i);
      this.state.view.setBigUint64(slot + i, this.mmu.loadSlow(gva + BigInt(i), part, write, stack), true);
    }
  }

  /**
   * REP MOVS and REP STOS, forwards, in flat segments: as many iterations as lie in one page of plain RAM each, and in the
   * budget. Answers 0 for everything else, faults included: the plain iteration then finds them.
   */
  readonly bulkSlow = (site: number): number => {
    const insn = this.instructionAt(site);
    const { state } = this;
    if (insn.addressSize === 16 || state.systemFlags & 0x400) return 0;
    if (insn.codeSize !== 64 && ((state.view.getUint32(layout.MODE, true) >> 4) & 3) === 0) return 0;
    if (insn.segmentOverride >= 0) return 0;
    const narrow = (value: bigint): bigint => (insn.addressSize === 32 ? BigInt.asUintN(32, value) : value);
    const count = narrow(state.gpr(1));
    if (count < BULK_ITERATIONS) return 0;
    try {
      return this.bulk(site, insn, count, narrow);
    } catch (fault) {
      if (fault instanceof Interruption) return 0;
      throw fault;
    }
  };

  private bulk(site: number, insn: Instruction, count: bigint, narrow: (value: bigint) => bigint): number {
    const { state, mmu } = this;
    this.site = site;
    const bytes = insn.operandSize / 8;
    const isMove = insn.row.mnemonic === 'movs';
    const [from, to] = [narrow(state.gpr(6)), narrow(state.gpr(7))];
    const inPage = (gva: bigint): number => Math.floor((4096 - Number(gva & 4095n)) / bytes);
    const budget = state.view.getInt32(layout.BUDGET, true);
    let n = Math.min(Number(count), budget + 1, inPage(to), isMove ? inPage(from) : Infinity);
    if (n < BULK_ITERATIONS) return 0;
    const low = (gva: bigint): number => Number(BigInt.asIntN(32, gva));
    const high = (gva: bigint): number => Number(BigInt.asIntN(32, gva >> 32n));
    const target = mmu.resolve(low(to), high(to), bytes, true, true);
    const source = isMove ? mmu.resolve(low(from), high(from), bytes, false) : 0;
    if (target < 0 || source < 0) return 0;
    if (isMove) {
      // A target just above the source repeats what was copied: only the part up to it can be done at once.
      if (target > source) n = Math.min(n, Math.floor((target - source) / bytes));
      if (n <= 0) return 0;
      state.bytes.copyWithin(target, source, source + n * bytes);
    } else this.fillRam(target, n, bytes);
    state.view.setInt32(layout.BUDGET, budget - (n - 1), true);
    const moved = BigInt(n * bytes);
    const set = (register: number, value: bigint): void => state.setGpr(register, narrow(value));
    set(1, count - BigInt(n));
    set(7, to + moved);
    if (isMove) set(6, from + moved);
    return n;
  }
  private fillRam(target: number, n: number, bytes: number): void {
    const { state } = this;
    const value = state.gpr(0);
    const pattern = Number(value & 0xffn);
    if (BigInt.asUintN(bytes * 8, value) === BigInt.asUintN(bytes * 8, BigInt(pattern) * 0x0101_0101_0101_0101n))
      state.bytes.fill(pattern, target, target + n * bytes);
    else
      for (let i = 0; i < n; i++) {
        const at = target + i * bytes;
        if (bytes === 8) state.view.setBigUint64(at, value, true);
        else if (bytes === 4) state.view.setUint32(at, state.gpr32(0), true);
        else state.view.setUint16(at, state.gpr16(0), true);
      }
  }

  /** The exception behind EXIT_FAULT, whether it came from here or was raised by emitted code. */
  takeFault(): Interruption {
    const word = this.state.view.getUint32(layout.EXIT_FAULT, true);
    if (word === PENDING && this.pending) {
      const fault = this.pending;
      this.pending = undefined;
      return fault;
    }
    const code = this.state.view.getUint32(layout.EXIT_FAULT_CODE, true);
    return new GuestFault(word & 0xff, word & 0x100 ? code : undefined);
  }
  /** As `fail`, for the plain meanings that generated code calls. */
  failed(fault: Interruption): typeof LEAVE {
    this.fail(fault);
    this.state.view.setInt32(layout.EXIT_REASON, EXIT.FAULT, true);
    return LEAVE;
  }
}
