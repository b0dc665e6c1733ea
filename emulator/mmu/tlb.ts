/**
 * The software TLB that generated code looks into (execution/layout.ts gives its form), and a small one for fetches.
 * A cache: nothing here is state.
 *
 * Policy: it holds translations of the current address space, and of global pages. A load of CR3 forgets all others,
 * whether PCID is on or not, which is always allowed (SDM vol. 3A 4.10.4: a processor may drop any entry at any time).
 * Entries remember the size of their page, because INVLPG of any address in a
 * large page must forget all of it.
 */
import * as layout from '../execution/layout';

const TABLES = 8;
const ENTRY_WORDS = 4;
const INDEX_MASK = layout.TLB_ENTRIES - 1;
/** Beyond so many fills since the last flush whole tables are searched; below, the filled slots. */
const LOG_LENGTH = 4096;
const CODE_ENTRIES = 256;
const STACK_PAGE_WORD = layout.STACK_PAGE >>> 2;
/** Beside the page's size: a load of CR3 leaves the entry alone. */
const GLOBAL = 0x100;

class FillLog {
  readonly slots = new Int32Array(LOG_LENGTH);
  /** More than there is room for: some are missing. */
  count = 0;

  add(slot: number): void {
    if (this.count < LOG_LENGTH) this.slots[this.count] = slot;
    this.count++;
  }
  get complete(): boolean {
    return this.count <= LOG_LENGTH;
  }
}

/** What was forgotten: all, all but global pages, or what lies in the same GiB as an address. */
export type Flushed = 'all' | 'non-global' | { lo: number; hi: number };

export class Tlb {
  private readonly words: Int32Array;
  /** Slots that were filled since the last flush that concerns them: with global pages, and with others. */
  private readonly globals = new FillLog();
  private readonly others = new FillLog();
  /** Tables that hold anything, a bit each. */
  private used = 0;
  /** Large pages that may be in the tables, by their numbers, by the log2 of their size. */
  private readonly large = new Map<number, Set<number>>();
  /** Page address of a fetch (its low bits: 1 for user), gpa of the page. */
  private readonly codeLow = new Int32Array(CODE_ENTRIES).fill(-1);
  private readonly codeHigh = new Int32Array(CODE_ENTRIES);
  private readonly codeGpa = new Float64Array(CODE_ENTRIES);
  private readonly codeGlobal = new Uint8Array(CODE_ENTRIES);
  /** How often something was forgotten: for who keeps another TLB of the same address space. */
  flushes = 0;

  /** Whoever caches by gva (the jump cache) forgets too. */
  onFlush: (what: Flushed) => void = () => {};

  /** `base`: where its tables lie in the linear memory (layout.tlbOf). `number`: marks entries of the jump cache that go with it. */
  constructor(
    memory: WebAssembly.Memory,
    private readonly base: number = layout.TLB,
    readonly number = 0,
  ) {
    this.words = new Int32Array(memory.buffer);
    // No page address has its low bits set: -1 never hits.
    this.words.fill(-1, base >>> 2, (base + layout.TLB_BYTES) >>> 2);
    this.forgetStackPage();
  }

  /** Addresses of the tables of a context. */
  readTable(context: layout.Context): number {
    return this.base + context * 2 * layout.TLB_TABLE_BYTES;
  }
  writeTable(context: layout.Context): number {
    return this.readTable(context) + layout.TLB_TABLE_BYTES;
  }

  /** Linear-memory address for the byte at hi:lo, or -1. `table`: readTable() or writeTable() of a context. */
  lookup(table: number, lo: number, hi: number): number {
    const slot = (table >>> 2) + ((lo >>> 12) & INDEX_MASK) * ENTRY_WORDS;
    const words = this.words;
    if (words[slot] !== (lo & -4096) || words[slot + 1] !== (hi | 0)) return -1;
    return (lo + words[slot + 2]) >>> 0;
  }

  /** `host`: linear-memory address of the page's first byte. */
  fill(table: number, lo: number, hi: number, host: number, pageShift: number, global = false): void {
    this.forgetStackPage();
    if (pageShift > 12) this.noteLarge(pageNumber(lo, hi, pageShift), pageShift);
    const page = lo & -4096;
    const slot = (table >>> 2) + ((lo >>> 12) & INDEX_MASK) * ENTRY_WORDS;
    const words = this.words;
    words[slot] = page;
    words[slot + 1] = hi;
    words[slot + 2] = host - page;
    words[slot + 3] = pageShift | (global ? GLOBAL : 0);
    this.used |= 1 << ((table - this.base) / layout.TLB_TABLE_BYTES);
    (global ? this.globals : this.others).add(slot);
  }

  private noteLarge(number: number, shift: number): void {
    let pages = this.large.get(shift);
    if (!pages) this.large.set(shift, (pages = new Set()));
    // A guest may have any number of them over time.
    if (pages.size >= LOG_LENGTH) this.flush();
    pages.add(number);
  }
  private isInLarge(lo: number, hi: number): boolean {
    for (const [shift, pages] of this.large) if (pages.has(pageNumber(lo, hi, shift))) return true;
    return false;
  }

  /** gpa of a fetched byte, or -1. */
  lookupCode(lo: number, hi: number, user: boolean): number {
    const i = (lo >>> 12) & (CODE_ENTRIES - 1);
    if (this.codeLow[i] !== ((lo & -4096) | (user ? 1 : 0)) || this.codeHigh[i] !== (hi | 0)) return -1;
    return this.codeGpa[i] + (lo & 4095);
  }
  fillCode(lo: number, hi: number, user: boolean, pageGpa: number, global: boolean): void {
    const i = (lo >>> 12) & (CODE_ENTRIES - 1);
    this.codeLow[i] = (lo & -4096) | (user ? 1 : 0);
    this.codeHigh[i] = hi;
    this.codeGpa[i] = pageGpa;
    this.codeGlobal[i] = global ? 1 : 0;
  }

  /** All, all but global pages, or the page around an address. */
  forget(scope: 'all' | 'non-global' | bigint): void {
    if (scope === 'all') this.flush();
    else if (scope === 'non-global') this.flushNonGlobal();
    else this.flushPage(Number(BigInt.asIntN(32, scope)), Number(BigInt.asIntN(32, scope >> 32n)));
  }
  flush(): void {
    const { words, globals, others } = this;
    this.flushes++;
    this.forgetStackPage();
    if (globals.complete && others.complete) {
      for (const { slots, count } of [globals, others]) for (let i = 0; i < count; i++) words[slots[i]] = -1;
    } else {
      for (let t = 0; t < TABLES; t++) {
        if (!(this.used & (1 << t))) continue;
        const first = (this.base + t * layout.TLB_TABLE_BYTES) >>> 2;
        words.fill(-1, first, first + (layout.TLB_TABLE_BYTES >>> 2));
      }
    }
    globals.count = others.count = 0;
    this.used = 0;
    this.large.clear();
    this.codeLow.fill(-1);
    this.onFlush('all');
  }

  /** As a load of CR3 (SDM vol. 3A 4.10.4.1). */
  flushNonGlobal(): void {
    const { words, others } = this;
    this.flushes++;
    this.forgetStackPage();
    const forget = (slot: number): void => {
      if (!(words[slot + 3] & GLOBAL)) words[slot] = -1;
    };
    if (!others.complete) this.eachUsed(forget);
    else for (let i = 0; i < others.count; i++) forget(others.slots[i]);
    others.count = 0;
    for (let i = 0; i < CODE_ENTRIES; i++) if (!this.codeGlobal[i]) this.codeLow[i] = -1;
    this.onFlush('non-global');
  }
  /** The page of an address that was just fetched from. */
  isGlobalCode(lo: number): boolean {
    return this.codeGlobal[(lo >>> 12) & (CODE_ENTRIES - 1)] !== 0;
  }

  /** Everything of the page around hi:lo, whatever its size. */
  flushPage(lo: number, hi: number): void {
    this.flushes++;
    this.forgetStackPage();
    if (this.isInLarge(lo, hi)) {
      this.eachUsed((slot) => {
        const shift = this.words[slot + 3] & 0xff;
        if (pageNumber(this.words[slot], this.words[slot + 1], shift) === pageNumber(lo, hi, shift))
          this.words[slot] = -1;
      });
    } else {
      const index = ((lo >>> 12) & INDEX_MASK) * ENTRY_WORDS;
      for (let t = 0; t < TABLES; t++) {
        const slot = ((this.base + t * layout.TLB_TABLE_BYTES) >>> 2) + index;
        if (this.words[slot] === (lo & -4096) && this.words[slot + 1] === (hi | 0)) this.words[slot] = -1;
      }
    }
    // Fetch translations do not know their page's size, which is a GiB at most.
    for (let i = 0; i < CODE_ENTRIES; i++)
      if (this.codeLow[i] >>> 30 === lo >>> 30 && this.codeHigh[i] === (hi | 0)) this.codeLow[i] = -1;
    this.onFlush({ lo, hi });
  }

  /** Takes a page out of the write tables: it now holds code. `hostPage`: its linear-memory address. */
  dropWrites(hostPage: number): void {
    this.forgetStackPage();
    for (let t = 1; t < TABLES; t += 2) {
      if (!(this.used & (1 << t))) continue;
      const first = (this.base + t * layout.TLB_TABLE_BYTES) >>> 2;
      for (let slot = first; slot < first + layout.TLB_ENTRIES * ENTRY_WORDS; slot += ENTRY_WORDS)
        if (this.words[slot] !== -1 && ((this.words[slot] + this.words[slot + 2]) | 0) === (hostPage | 0))
          this.words[slot] = -1;
    }
  }

  /** With any change of a TLB, or of who uses which: compiled code may have an entry there. */
  forgetStackPage(): void {
    this.words[STACK_PAGE_WORD] = this.words[STACK_PAGE_WORD + 1] = -1;
  }
  private eachUsed(visit: (slot: number) => void): void {
    for (let t = 0; t < TABLES; t++) {
      if (!(this.used & (1 << t))) continue;
      const first = (this.base + t * layout.TLB_TABLE_BYTES) >>> 2;
      for (let slot = first; slot < first + layout.TLB_ENTRIES * ENTRY_WORDS; slot += ENTRY_WORDS)
        if (this.words[slot] !== -1) visit(slot);
    }
  }
}

/** `shift`: below 32. */
const pageNumber = (lo: number, hi: number, shift: number): number =>
  (hi >>> 0) * (0x8000_0000 / (1 << (shift - 1))) + (lo >>> shift);
