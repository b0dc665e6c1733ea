/**
 * Blocks of decoded code, by where they lie in memory: a cache, never state. A block is a straight run of instructions
 * of one page, translated for one execution mode; an instruction across two pages is a block of its own.
 */
import { decode } from '../isa/decode';
import type { Instruction } from '../isa/instruction';
import { GuestFault } from '../cpu/ports';
import { VECTOR } from '../x86/registers';
import { assert } from '../util/assert';
import type { PhysicalMemory } from '../mmu/physical-memory';
import type { Flushed } from '../mmu/tlb';
import { checkRecordable, nextRip, writeFall, writeGuard, writeHeader, writeRecord } from './forms';
import type { ExecutionMode, FormTable } from './forms';
import { JumpCache } from './jump-cache';
import { Block, CodeBytes } from './block';
import type { BlockParts } from './block';
import { BlocksByGpa } from './blocks-by-gpa';
import { CodePages, MAX_INSTRUCTION_BYTES, PAGE, pageOf } from './code-pages';
import * as layout from './layout';
import type { Regions } from './regions';
import { GUARD_BYTES, HANDLER, HEADER, HEADER_BYTES, NO_REGION, RECORD, RECORD_BYTES } from './record';

/** What the cache asks of the processor. */
export interface CodeSource {
  readonly physical: PhysicalMemory;
  /** gpa of the byte at a linear address, with the rights of a fetch; throws GuestFault. */
  fetch(gva: bigint): number;
  /** The page that was just fetched from is global. */
  isGlobal(gva: bigint): boolean;
  /** CS base, and the last offset that may be executed. */
  codeSegment(): { base: bigint; limit: bigint };
  /** Instructions at these addresses begin blocks with a guard (record.ts). */
  isBreakpoint(gva: bigint): boolean;
  /** Whether there is any. */
  hasBreakpoints(): boolean;
  hasFeature(name: string): boolean;
  /**
   * Where code goes on that is not what it seems (hypervisor/translation/): the other RIP, and the length of a jump there
   * that is no instruction of the guest's, if one is there.
   */
  redirect?(rip: bigint): { to: bigint; bytes: number } | undefined;
}

const MAX_INSTRUCTIONS = 64;

export class CodeCache {
  private readonly view: DataView;
  private readonly jumps: JumpCache;
  private readonly blocks: Block[] = [];
  private readonly byGpa = new BlocksByGpa();
  private readonly pages: CodePages;
  private readonly code = new CodeBytes();
  /** Instructions that somebody asked for, by record. */
  private readonly asked = new Map<number, Instruction>();
  private free = layout.RECORDS;

  constructor(
    memory: WebAssembly.Memory,
    private readonly forms: FormTable,
    private readonly source: CodeSource,
  ) {
    this.view = new DataView(memory.buffer);
    this.jumps = new JumpCache(this.view);
    this.pages = new CodePages(source.physical);
    source.physical.onCodeWrite = (gpa, bytes) => {
      for (const block of this.pages.touchedBy(gpa, bytes)) this.forget(block);
    };
    source.physical.holdsCode = this.pages.holds;
  }

  /** The block that begins at `rip` (offset in CS). Throws the GuestFault that fetching it raises. */
  lookup(rip: bigint, mode: ExecutionMode): Block {
    rip = this.resolve(rip);
    const { base, limit } = this.source.codeSegment();
    const gva = mode.codeSize === 64 ? rip : BigInt.asUintN(32, base + rip);
    if (rip > limit) throw new GuestFault(VECTOR.GP, 0);
    const gpa = this.source.fetch(gva);
    for (let block = this.byGpa.first(gpa); block; block = block.nextAtGpa)
      if (block.mode.key === mode.key && block.rip === rip && this.secondPageHolds(block)) return block;
    return this.build(rip, gva, gpa, limit, mode);
  }
  /** RIP of the instruction that is executed next when RIP is `rip`. */
  readonly resolve = (rip: bigint): bigint => {
    for (;;) {
      const redirected = this.source.redirect?.(rip);
      if (!redirected) return rip;
      rip = redirected.to;
    }
  };
  private secondPageHolds(block: Block): boolean {
    return block.secondGpa < 0 || this.source.fetch(secondPage(block.gva)) === block.secondGpa;
  }

  /** The compiled tier, where there is one. */
  regions?: Regions;
  neighbour(near: Block, rip: bigint): Block | undefined {
    rip = this.resolve(rip);
    const gpa = near.gpa + Number(rip - near.rip);
    if (pageOf(gpa) !== pageOf(near.gpa)) return undefined;
    let block = this.byGpa.first(gpa);
    while (block && (block.rip !== rip || block.mode.key !== near.mode.key)) block = block.nextAtGpa;
    return block && this.compilable(block) ? block : undefined;
  }
  indirectTargets(near: Block): Block[] {
    const targets = new Set<Block>();
    for (const block of this.pages.inPageOf(near.gpa))
      if (block.indirect && this.neighbour(near, block.rip) === block) targets.add(block);
    return [...targets];
  }
  private compilable(block: Block): boolean {
    return block.secondGpa < 0 && !this.source.isBreakpoint(block.gva) && this.regions!.isWarm(block);
  }

  /** Lets `link` (a word of a record) lead to a block. Only within a page is the way there known to stay the same. */
  link(link: number, from: bigint, to: Block): void {
    if (to.secondGpa >= 0 || (from ^ to.gva) >= BigInt(PAGE)) return;
    this.view.setInt32(link, to.entry, true);
    to.incoming.push(link);
  }

  /** `rip`: where branches go that mean this block. */
  enterJumpCache(block: Block, rip = block.rip): void {
    this.jumps.enter(block, this.source.isGlobal(block.gva), rip);
  }
  /** A processor forgot translations. */
  flushJumpCache(processor: number, what: Flushed): void {
    this.jumps.flush(processor, what);
  }

  blockOf(record: number): Block {
    const first = record - this.view.getUint8(record + RECORD.POSITION) * RECORD_BYTES;
    return this.blocks[this.view.getInt32(first - HEADER_BYTES + HEADER.BLOCK, true)];
  }
  /** That a record stands for. */
  instructionAt(record: number): Instruction {
    let insn = this.asked.get(record);
    if (!insn) this.asked.set(record, (insn = this.blockOf(record).instructions[this.position(record)]));
    return insn;
  }
  /** RIP of that instruction. */
  ripAt(record: number): bigint {
    const next = this.view.getBigUint64(record + RECORD.NEXT_RIP, true);
    const { codeSize } = this.blockOf(record).mode;
    return BigInt.asUintN(codeSize === 64 ? 64 : 32, next - BigInt(this.view.getUint8(record + RECORD.LENGTH)));
  }
  position(record: number): number {
    return this.view.getUint8(record + RECORD.POSITION);
  }

  private build(rip: bigint, gva: bigint, gpa: number, limit: bigint, mode: ExecutionMode): Block {
    if (this.free + (MAX_INSTRUCTIONS + 4) * RECORD_BYTES > layout.RECORDS_END) this.clear();
    const instructions: Instruction[] = [];
    let secondGpa = -1;
    let bytes = 0;
    const room = PAGE - (gpa % PAGE);
    let { bytes: code, from, end } = this.codeBytes(gpa, room);
    let fall: bigint | undefined;
    const guards = this.source.hasBreakpoints();
    while (bytes < room && instructions.length < MAX_INSTRUCTIONS) {
      const at = bytes === 0 ? rip : rip + BigInt(bytes);
      if (instructions.length > 0) {
        if (guards && this.source.isBreakpoint(gva + BigInt(bytes))) break;
        const redirected = this.source.redirect?.(at);
        if (redirected) {
          fall = this.resolve(at);
          bytes += redirected.bytes;
          break;
        }
      }
      let decoded = decode(code, at, mode.codeSize, from + bytes, end);
      if (decoded === 'truncated') {
        if (instructions.length > 0) break;
        secondGpa = this.source.fetch(secondPage(gva));
        const rest = this.codeBytes(secondGpa, MAX_INSTRUCTION_BYTES);
        code = Uint8Array.from([...code.subarray(from, end), ...rest.bytes.subarray(rest.from, rest.end)]);
        [from, end] = [0, code.length];
        decoded = decode(code, at, mode.codeSize);
      }
      const fault = this.faultOf(decoded, at, limit);
      if (fault || typeof decoded === 'string') {
        if (instructions.length > 0) break;
        throw fault;
      }
      checkRecordable(decoded);
      instructions.push(decoded);
      bytes += decoded.length;
      if (decoded.row.attributes.ends || secondGpa >= 0) break;
    }
    fall ??= nextRip(instructions[instructions.length - 1]);
    return this.place({ rip, gva, gpa, secondGpa, bytes, mode, fall }, instructions, this.code.add(code, from, bytes));
  }

  private faultOf(decoded: ReturnType<typeof decode>, at: bigint, limit: bigint): GuestFault | undefined {
    if (decoded === 'invalid') return new GuestFault(VECTOR.UD);
    if (typeof decoded === 'string') return new GuestFault(VECTOR.GP, 0);
    if (decoded.codeSize !== 64 && at + BigInt(decoded.length) - 1n > limit) return new GuestFault(VECTOR.GP, 0);
    const { feature } = decoded.row.attributes;
    return feature && !this.source.hasFeature(feature) ? new GuestFault(VECTOR.UD) : undefined;
  }

  /** What lies at a gpa, up to the end of its page: from `from` to `end` of `bytes`. */
  private codeBytes(gpa: number, length: number): { bytes: Uint8Array; from: number; end: number } {
    const { physical } = this.source;
    const from = physical.hostAddress(gpa);
    if (from >= 0) return { bytes: physical.data, from, end: from + Math.min(length, PAGE - (gpa % PAGE)) };
    const bytes = physical.codeOutsideRam(gpa, Math.min(length, MAX_INSTRUCTION_BYTES));
    return { bytes, from: 0, end: bytes.length };
  }

  /** `code`: where its bytes lie in `this.code`. */
  private place(parts: BlockParts, instructions: readonly Instruction[], code: number): Block {
    const { mode } = parts;
    const last = instructions[instructions.length - 1] as Instruction | undefined;
    assert(last !== undefined, 'a block has an instruction');
    const guarded = this.source.isBreakpoint(parts.gva);
    const entry = this.free + HEADER_BYTES;
    if (guarded) this.free += GUARD_BYTES;
    const address = this.free + HEADER_BYTES;
    const block = new Block(parts, this.blocks.length, instructions.length, address, entry, this.code, code);
    writeHeader(this.view, this.free, block, { index: 0, need: NO_REGION, heat: this.regions?.heat ?? NO_REGION });
    for (let i = 0; i < instructions.length; i++) {
      const insn = instructions[i];
      const next = i + 1 < instructions.length ? instructions[i + 1].rip : nextRip(insn);
      writeRecord(this.view, address + i * RECORD_BYTES, this.forms.handler(insn, mode), insn, i, next);
    }
    if (guarded) writeGuard(this.view, block, instructions[0]);
    const end = address + instructions.length * RECORD_BYTES;
    // After a plain meaning that ends the block nothing is executed, but the record must be there to be named.
    writeFall(this.view, end, last, instructions.length, parts.fall);
    this.forms.flush();
    this.free = end + RECORD_BYTES;
    this.blocks.push(block);
    this.byGpa.add(block);
    this.pages.add(block);
    return block;
  }

  /** Forgets every block that executes the instruction at a linear address: a breakpoint came or went there. */
  forgetLinear(gva: bigint): void {
    for (const block of this.blocks)
      if (block.alive && block.gva <= gva && gva < block.gva + BigInt(block.bytes)) this.forget(block);
  }

  private forget(block: Block): void {
    if (!block.alive) return;
    block.alive = false;
    this.regions?.forget(block);
    this.jumps.forget(block);
    if (block.entry !== block.address) this.view.setInt32(block.entry - HEADER_BYTES + HEADER.NEED, NO_REGION, true);
    for (const link of block.incoming) this.view.setInt32(link, 0, true);
    // Whoever is inside leaves before its next instruction; whoever arrives by the jump cache leaves at once.
    for (let i = 0; i <= block.count; i++)
      this.view.setUint32(block.address + i * RECORD_BYTES + RECORD.HANDLER, HANDLER.STOP, true);
    this.byGpa.remove(block);
    this.pages.remove(block);
  }

  /** Forgets everything: only between runs of generated code. Counts up `generation`, so that kept links are dropped. */
  clear(): void {
    this.regions?.clear();
    this.pages.clear();
    this.blocks.length = 0;
    this.code.clear();
    this.asked.clear();
    this.byGpa.clear();
    this.free = layout.RECORDS;
    this.generation++;
    this.jumps.clear();
  }
  generation = 0;
}

const secondPage = (gva: bigint): bigint => ((gva >> 12n) + 1n) << 12n;
