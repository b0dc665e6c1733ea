/**
 * One block of translated code being made. It follows the guest's code up to a page's end or a branch that does not fall
 * through; each guest instruction is one instruction here. Offsets are into the translation cache.
 */
import { decode } from '../../isa/decode';
import type { CodeSize, Instruction } from '../../isa/instruction';
import { assert } from '../../util/assert';
import { branch, CALL_OUT, IN_PLACE, jump, loop, push, relocated } from './relocate';
import { isInPlace, treatmentOf } from './treatment';
import type { Treatment } from './treatment';

export interface CallOut {
  readonly insn: Instruction;
  readonly treatment: Treatment;
}
/** Translated code of one run of guest instructions. */
export interface TranslatedBlock {
  readonly rip: bigint;
  readonly start: number;
  end: number;
  /** Where each instruction begins, and which of the guest's it is. */
  readonly offsets: number[];
  readonly rips: bigint[];
  /** Guest pages that it was read from (gpa / 4096). */
  readonly pages: number[];
  /** Of the guest's code, from `rip` on. */
  bytes: number;
  alive: boolean;
}
/** The guest's code, with the rights of a fetch. */
export interface GuestCode {
  /** gpa; throws GuestFault. */
  fetch(rip: bigint): number;
  /** Up to the end of the page. */
  bytes(gpa: number, length: number): Uint8Array;
  readonly codeSize: CodeSize;
}
/** Where branches lead. */
export interface Places {
  /** A translation, or a stub. */
  placeOf(rip: bigint): number;
  /** Of a translation that begins there. */
  entryOf(rip: bigint): number | undefined;
}

const PAGE = 4096n;
const MAX_INSTRUCTIONS = 48;
const MAX_BYTES = 15;
/** The longest that one instruction becomes. */
const ROOM = 40;
export const MAX_BLOCK_BYTES = MAX_INSTRUCTIONS * ROOM;

export class Translation {
  readonly block: TranslatedBlock;
  readonly out: number[] = [];
  readonly callOuts = new Map<number, CallOut>();
  /** Jumps that are not the guest's: where they lead. */
  readonly joins = new Map<number, number>();
  /** Instructions behind call-outs: the guest comes back there. */
  readonly comebacks = new Map<bigint, number>();

  constructor(
    rip: bigint,
    private readonly start: number,
    private readonly code: GuestCode,
    private readonly places: Places,
  ) {
    this.block = { rip, start, end: start, offsets: [], rips: [], pages: [], bytes: 0, alive: true };
  }
  private get here(): number {
    return this.start + this.out.length;
  }

  /** Throws the GuestFault of the first instruction's fetch. */
  make(): this {
    const { block, code, places } = this;
    const { rip } = block;
    let at = rip;
    let afterCallOut = false;
    let goesOn = true;
    do {
      const read = this.read(at);
      if (!read) break;
      const { here } = this;
      block.offsets.push(here);
      block.rips.push(at);
      if (afterCallOut) this.comebacks.set(at, here);
      at = BigInt.asUintN(code.codeSize, at + BigInt(read.insn.length));
      goesOn = this.emit(read.insn, read.bytes, at);
      afterCallOut = this.callOuts.has(here);
    } while (
      goesOn &&
      block.rips.length < MAX_INSTRUCTIONS &&
      at / PAGE === rip / PAGE &&
      places.entryOf(at) === undefined
    );
    if (goesOn) this.join(at);
    block.bytes = Number(BigInt.asUintN(code.codeSize, at - rip));
    return this;
  }
  /** The guest's instruction; undefined where it cannot be read: what is there will fault when it is reached. */
  private read(rip: bigint): { insn: Instruction; bytes: Uint8Array } | undefined {
    const { block, code } = this;
    const first = block.rips.length === 0;
    try {
      const gpa = code.fetch(rip);
      let bytes = code.bytes(gpa, MAX_BYTES).slice();
      let insn = decode(bytes, rip, code.codeSize);
      this.claim(gpa);
      if (insn === 'truncated') {
        const second = code.fetch((rip / PAGE + 1n) * PAGE);
        bytes = Uint8Array.of(...bytes, ...code.bytes(second, MAX_BYTES));
        insn = decode(bytes, rip, code.codeSize);
        this.claim(second);
      }
      if (typeof insn === 'object') return { insn, bytes: bytes.subarray(0, insn.length) };
      // What is no instruction is the virtual processor's to refuse.
      return first ? { insn: undefinedInstruction(rip, code.codeSize), bytes: UD2 } : undefined;
    } catch (fault) {
      if (first) throw fault;
      return undefined;
    }
  }
  private claim(gpa: number): void {
    const page = Math.floor(gpa / 4096);
    if (!this.block.pages.includes(page)) this.block.pages.push(page);
  }

  /** False: nothing is executed behind it. `next`: the guest's instruction behind it. */
  private emit(insn: Instruction, bytes: Uint8Array, next: bigint): boolean {
    const { out, places } = this;
    const treatment = treatmentOf(insn);
    const target = insn.operands[0]?.kind === 'relative' ? insn.operands[0].target : 0n;
    switch (treatment) {
      case 'copy':
      case 'indirect': {
        const moved = relocated(bytes, insn);
        if (!moved) return this.callOut(insn, treatment);
        out.push(...moved);
        // Some end a block of decoded code and go on all the same: WRFSBASE.
        return treatment === 'copy' && !insn.row.mnemonic.startsWith('ud');
      }
      case 'jump':
        out.push(...jump(this.here, places.placeOf(target)));
        return false;
      case 'branch':
        out.push(...branch(bytes, this.here, places.placeOf(target)));
        return true;
      case 'loop':
        out.push(...loop(bytes, insn.codeSize));
        this.join(next);
        this.join(target);
        return false;
      case 'call': {
        const pushed = push(next, insn.codeSize);
        if (!pushed) return this.callOut(insn, treatment);
        out.push(...pushed);
        this.join(target);
        return false;
      }
      case 'cli':
      case 'sti':
      case 'pushf':
      case 'popf':
      case 'call-indirect':
      case 'call-out':
        return this.callOut(insn, treatment);
    }
  }
  private callOut(insn: Instruction, treatment: Treatment): boolean {
    this.callOuts.set(this.here, { insn, treatment });
    const inPlace = isInPlace(treatment);
    this.out.push(...(inPlace ? IN_PLACE : CALL_OUT));
    return inPlace || !insn.row.attributes.ends;
  }
  /** A jump that is none of the guest's. */
  private join(rip: bigint): void {
    const from = this.here;
    const to = this.places.placeOf(rip);
    this.out.push(...jump(from, to));
    this.joins.set(from, to);
  }
}

const UD2 = Uint8Array.of(0x0f, 0x0b);
function undefinedInstruction(rip: bigint, codeSize: CodeSize): Instruction {
  const insn = decode(UD2, rip, codeSize);
  assert(typeof insn === 'object', 'UD2 is an instruction');
  return insn;
}
