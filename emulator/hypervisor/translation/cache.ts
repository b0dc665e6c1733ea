/**
 * The translation cache: real code in host memory, mapped into the top of every address space of the guest. Time, faults and
 * debuggers see the guest's instructions; jumps that only join blocks are none of the guest's and take no time.
 * A block never moves. Where code is not translated yet, or not any more, lies a stub, which becomes a jump.
 */
import type { CodeSize } from '../../isa/instruction';
import type { PhysicalMemory } from '../../mmu/physical-memory';
import { jump, JUMP_BYTES, STUB } from './relocate';
import { MAX_BLOCK_BYTES, Translation } from './translation';
import type { CallOut, GuestCode, TranslatedBlock } from './translation';

const PAGE = 4096n;
const PADDING = [0xcc, 0xcc, 0xcc, 0xcc, 0xcc];

export class TranslationCache {
  private next = 0;
  /** By where they lie. */
  private readonly blocks: TranslatedBlock[] = [];
  private readonly byRip = new Map<bigint, TranslatedBlock>();
  private readonly byPage = new Map<number, Set<TranslatedBlock>>();
  private readonly callOuts = new Map<number, CallOut>();
  /** Jumps that are not the guest's: where they lead. */
  private readonly joins = new Map<number, number>();
  /** Stubs: the guest's address that they stand for. */
  private readonly stubs = new Map<number, bigint>();
  private readonly stubOf = new Map<bigint, number>();
  /** Instructions behind call-outs: the guest comes back there. */
  private readonly midway = new Map<bigint, { block: TranslatedBlock; offset: number }>();
  readonly counts = { blocks: 0, instructions: 0, invalidated: 0, flushed: 0 };
  /** A guest page has code in here from now on. */
  onPage: (page: number) => void = () => {};
  onPageGone: (page: number) => void = () => {};
  /** So has a virtual page: the low 48 bits of its address. */
  onCode: (va: number) => void = () => {};

  constructor(
    private readonly host: PhysicalMemory,
    /** Host-physical address, and size in bytes. */
    private readonly hpa: number,
    readonly size: number,
  ) {}

  /** Offset of the translation of the code at `rip`, made if need be. Throws the GuestFault of its fetch. */
  get(rip: bigint, code: GuestCode): number {
    // What was translated for another mode is of another time.
    if (this.codeSize !== code.codeSize) this.clear();
    this.codeSize = code.codeSize;
    // Branches lead to blocks' beginnings alone: they are what becomes a stub when the block is void.
    const known = rip === this.wanted ? this.entryOf(rip) : this.find(rip);
    this.wanted = undefined;
    if (known !== undefined) return known;
    code.fetch(rip);
    if (this.next + MAX_BLOCK_BYTES > this.stubEnd) this.clear();
    return this.translate(rip, code).start;
  }
  codeSize: CodeSize = 16;
  /** A branch came there: it is to have a block of its own. */
  wanted?: bigint;
  entryOf(rip: bigint): number | undefined {
    return this.byRip.get(rip)?.start;
  }
  /** Offset of the translation of an instruction to begin at, if there is one. */
  find(rip: bigint): number | undefined {
    const block = this.byRip.get(rip);
    if (block) return block.start;
    const midway = this.midway.get(rip);
    return midway?.block.alive ? midway.offset : undefined;
  }
  /** What is executed at an offset if it is no instruction of the guest's: where it goes on. */
  joinAt(offset: number): number | undefined {
    return this.joins.get(offset);
  }
  stubAt(offset: number): bigint | undefined {
    return this.stubs.get(offset);
  }
  callOutAt(offset: number): CallOut | undefined {
    return this.callOuts.get(offset);
  }
  /** The guest's RIP of an instruction, a join or a stub. */
  ripAt(offset: number): bigint | undefined {
    let at = offset;
    for (let to = this.joins.get(at); to !== undefined; to = this.joins.get(at)) at = to;
    const stub = this.stubs.get(at);
    if (stub !== undefined) return stub;
    const block = this.blockAt(at);
    const index = block ? block.offsets.indexOf(at) : -1;
    return index < 0 ? undefined : block!.rips[index];
  }
  /** Also a dead one: somebody may still be in it. */
  blockAt(offset: number): TranslatedBlock | undefined {
    let [low, high] = [0, this.blocks.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.blocks[middle].end <= offset) low = middle + 1;
      else high = middle;
    }
    const block = this.blocks[low] as TranslatedBlock | undefined;
    return block && block.start <= offset ? block : undefined;
  }
  /** Something is executed there that the guest's code still says. */
  lives(offset: number): boolean {
    if (this.joins.has(offset) || this.stubs.has(offset)) return true;
    const block = this.blockAt(offset);
    return block !== undefined && block.alive && block.offsets.includes(offset);
  }
  /** Living translations of an instruction: offsets. */
  offsetsOf(rip: bigint): number[] {
    const found: number[] = [];
    for (const block of this.blocks)
      if (block.alive && block.rip <= rip && rip < block.rip + BigInt(block.bytes)) {
        const index = block.rips.indexOf(rip);
        if (index >= 0) found.push(block.offsets[index]);
      }
    return found;
  }

  private translate(rip: bigint, code: GuestCode): TranslatedBlock {
    const made = new Translation(rip, this.next, code, this).make();
    const { block, out } = made;
    for (const [offset, callOut] of made.callOuts) this.callOuts.set(offset, callOut);
    for (const [from, to] of made.joins) this.joins.set(from, to);
    for (const [to, offset] of made.comebacks) this.midway.set(to, { block, offset });
    this.place(block, out);
    return block;
  }
  /** Where branches to it lead: a translation, or a stub. */
  placeOf(rip: bigint): number {
    return this.byRip.get(rip)?.start ?? this.stub(rip);
  }
  private stub(rip: bigint): number {
    const known = this.stubOf.get(rip);
    if (known !== undefined) return known;
    // Stubs lie at the other end of the cache and grow towards the blocks.
    const at = (this.stubEnd -= JUMP_BYTES);
    this.write(at, [...STUB]);
    this.stubs.set(at, rip);
    this.stubOf.set(rip, at);
    return at;
  }
  private stubEnd = 0;
  private place(block: TranslatedBlock, out: readonly number[]): void {
    // There is room for the stub that it becomes one day.
    this.write(block.start, [...out, ...PADDING.slice(out.length)]);
    block.end = this.next = block.start + Math.max(out.length, PADDING.length);
    this.blocks.push(block);
    this.byRip.set(block.rip, block);
    this.counts.blocks++;
    this.counts.instructions += block.rips.length;
    for (const page of block.pages) {
      let blocks = this.byPage.get(page);
      if (!blocks) {
        this.byPage.set(page, (blocks = new Set()));
        this.onPage(page);
      }
      blocks.add(block);
    }
    for (const [i, page] of codePagesOf(block).entries()) {
      const known = this.codePages.get(page);
      if (known) known.blocks.add(block);
      else {
        this.codePages.set(page, {
          source: block.pages[i] ?? block.pages[0],
          blocks: new Set([block]),
          begun: this.begun++,
        });
        this.onCode(page * 4096);
      }
    }
    const stub = this.stubOf.get(block.rip);
    if (stub !== undefined) this.resolve(stub, block);
  }
  /** A stub becomes a jump: whoever leads there arrives. */
  private resolve(stub: number, block: TranslatedBlock): void {
    this.stubs.delete(stub);
    this.stubOf.delete(block.rip);
    this.joins.set(stub, block.start);
    this.write(stub, jump(stub, block.start));
  }
  private write(offset: number, bytes: readonly number[]): void {
    this.host.writeBytes(this.hpa + offset, Uint8Array.from(bytes));
  }

  /** The guest wrote to its code. */
  invalidate(gpa: number, bytes: number): void {
    const page = Math.floor(gpa / 4096);
    for (const block of this.byPage.get(page) ?? []) {
      // One that lies in two pages is not looked at closer.
      const offset = gpa % 4096;
      const first = Number(block.rip % PAGE);
      const apart = block.pages.length === 1 && (offset + bytes <= first || offset >= first + block.bytes);
      if (!apart) this.kill(block);
    }
  }
  invalidatePage(page: number): void {
    for (const block of [...(this.byPage.get(page) ?? [])]) this.kill(block);
  }
  /** By guest-virtual page (the low 48 bits of its address, over 4096): its blocks, and the guest page that they were read from. */
  private readonly codePages = new Map<number, { source: number; blocks: Set<TranslatedBlock>; begun: number }>();
  /** How often a virtual page has come to have code in here: what is numbered from then on is news to who knew of these. */
  begun = 0;
  *sources(): Generator<[page: number, source: number, begun: number]> {
    for (const [page, { source, begun }] of this.codePages) yield [page, source, begun];
  }
  /** Whether 2**shift bytes of virtual addresses were translated in part. */
  holdsCode(va: number, shift: number): boolean {
    const [first, pages] = [Math.floor(va / 4096), 2 ** (shift - 12)];
    if (pages === 1) return this.codePages.has(first);
    for (const page of this.codePages.keys()) if (page >= first && page < first + pages) return true;
    return false;
  }
  /** A virtual page leads elsewhere than it did. */
  invalidateVirtual(page: number): void {
    for (const block of [...(this.codePages.get(page)?.blocks ?? [])]) this.kill(block);
  }
  private kill(block: TranslatedBlock): void {
    if (!block.alive) return;
    block.alive = false;
    this.counts.invalidated++;
    this.byRip.delete(block.rip);
    for (const page of block.pages) {
      const blocks = this.byPage.get(page);
      if (!blocks?.delete(block) || blocks.size > 0) continue;
      this.byPage.delete(page);
      this.onPageGone(page);
    }
    for (const page of codePagesOf(block)) {
      const blocks = this.codePages.get(page)?.blocks;
      if (blocks?.delete(block) && blocks.size === 0) this.codePages.delete(page);
    }
    for (const offset of block.offsets) this.callOuts.delete(offset);
    // Whoever is inside goes on at its end, or at the stub that its beginning becomes.
    this.joins.delete(block.start);
    this.stubs.set(block.start, block.rip);
    if (!this.stubOf.has(block.rip)) this.stubOf.set(block.rip, block.start);
    this.write(block.start, STUB);
  }
  /** Everything is translated anew. */
  clear(): void {
    for (const page of this.byPage.keys()) this.onPageGone(page);
    for (const map of [
      this.byRip,
      this.byPage,
      this.callOuts,
      this.joins,
      this.stubs,
      this.stubOf,
      this.midway,
      this.codePages,
    ])
      map.clear();
    this.blocks.length = 0;
    this.next = 0;
    this.stubEnd = this.size;
    this.counts.flushed++;
    this.host.writeBytes(this.hpa, new Uint8Array(this.size).fill(0xcc));
  }
  /** Bytes in use, stubs among them. */
  get used(): number {
    return this.next + (this.size - this.stubEnd);
  }
  get all(): readonly TranslatedBlock[] {
    return this.blocks;
  }
}

function codePagesOf({ rip, bytes }: TranslatedBlock): number[] {
  const first = Number(BigInt.asUintN(48, rip) / PAGE);
  const last = Number(BigInt.asUintN(48, rip + BigInt(bytes - 1)) / PAGE);
  return first === last ? [first] : [first, last];
}
