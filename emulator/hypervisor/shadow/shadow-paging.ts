/**
 * Shadow paging: the tables that the physical processor walks (GV to HP) are built on demand from the guest's tables
 * (GV to GP) and the map of its memory (GP to HP). Pages that hold guest tables are write-protected in every shadow; each
 * write to one traps, is carried out on the virtual processor, and empties what was built from the entry. So nothing in a
 * shadow is ever stale, INVLPG and reloads of CR3 have nothing to do, and shadows are kept while another space runs.
 *
 * Accessed and dirty bits: filling walks the guest's tables as the access would, which sets them. A leaf is writable only
 * when the guest's is dirty, so that the first write comes here.
 * CR0.WP = 0: a supervisor's write to a read-only page gets a leaf that is writable and not for users; the next access by a
 * user gets one that is read-only and for users.
 */
import type { PagingContext } from '../../mmu/guest-paging';
import { ENTRY, NO_PAGING } from '../../mmu/guest-paging';
import { PAGE, PAGE_BYTES } from '../../mmu/physical-memory';
import type { PhysicalMemory } from '../../mmu/physical-memory';
import { ACCESS, RIGHTS, Walker } from '../../mmu/walk';
import type { Rights, WalkRecorder } from '../../mmu/walk';
import { assert } from '../../util/assert';
import type { Reservation } from '../frames';
import { GuestTables } from './guest-tables';
import { gvaOf, keyOf, NONE, placeOf, sameSpace, vaOf } from './space';
import type { CodeKept, Space } from './space';
import { leafTarget, ShadowTables } from './tables';

export type ShadowOutcome =
  /** The access can be tried again. */
  | { kind: 'mapped' }
  /** The guest's own tables forbid it: error code of the page fault. */
  | { kind: 'guest-fault'; errorCode: number }
  /** No RAM there. */
  | { kind: 'mmio'; gpa: number }
  /** A write to a guest page table. */
  | { kind: 'table-write'; gpa: number };

/** Address spaces that are kept at once. */
const MAX_SPACES = 64;

export class ShadowPaging {
  /** Most recently used last. */
  private readonly spaces = new Map<string, Space>();
  private current?: Space;
  private readonly guestTables: GuestTables;
  /** Where leaves lie (word index) that map a guest page, by its number. */
  private readonly leavesOf = new Map<number, Set<number>>();
  private readonly walker: Walker;
  /** How often: for people. */
  readonly counts = { fills: 0, tableWrites: 0, unshadowed: 0, evicted: 0 };

  /** `flush`: the processor forgets translations of the current space, one page or all. */
  constructor(
    private readonly host: PhysicalMemory,
    private readonly guest: PhysicalMemory,
    private readonly frames: Reservation,
    private readonly flush: (gva: bigint | 'all') => void,
    /** Whether supervisor pages may be executed as they are: not where their code is translated. */
    private readonly kernelExecutes = true,
  ) {
    this.walker = new Walker(guest);
    this.guestTables = new GuestTables(guest, (page) => this.protect(page));
    guest.onFollowedWrite = (gpa, bytes) => this.written(gpa, bytes);
  }

  /** The shadow of a guest address space, to be in force on the processor. The processor's TLB is the caller's concern. */
  enter(context: PagingContext): ShadowTables {
    const { current } = this;
    if (current && current.stale.length === 0 && sameSpace(current.context, context)) return current.tables;
    const key = keyOf(context);
    let space = this.spaces.get(key);
    if (space) this.spaces.delete(key);
    else space = this.create(key, context);
    this.spaces.set(key, space);
    const begun = this.code.begun;
    // What has begun while it was in force was read through it.
    if (current && current.seen !== NONE) current.seen = begun;
    this.current = space;
    if (space.stale.length > 0 || space.seen !== begun) {
      const { stale, seen } = space;
      space.stale = [];
      space.seen = begun;
      this.code.verify(space.context, stale, Math.max(seen, 0));
    }
    return space.tables;
  }
  private create(key: string, context: PagingContext): Space {
    while (this.spaces.size >= MAX_SPACES) this.evict();
    for (;;) {
      const tables = new ShadowTables(context.format.name === '4-level' ? '4-level' : 'PAE', this.host, this.frames, (word, low, high) =>
        this.forgetLeaf(word, low, high)); // prettier-ignore
      if (tables.root >= 0) {
        const own = { ...context, pdptes: context.pdptes.slice() };
        return { key, context: own, tables, uses: new Map(), stale: [], seen: NONE };
      }
      tables.dissolve();
      this.evict();
    }
  }
  /** The space that was used longest ago goes. */
  private evict(): void {
    const oldest = [...this.spaces.values()].find((space) => space !== this.current);
    this.counts.evicted++;
    if (oldest) return this.dissolve(oldest);
    const { current } = this;
    assert(current && current.uses.size > 0, 'the reservation holds at least one address space');
    // It alone has used up the frames: it begins anew.
    for (const place of [...current.uses.keys()]) this.guestTables.unuse(current, place);
    current.tables.empty();
    current.seen = NONE;
    this.flush('all');
  }
  private dissolve(space: Space): void {
    this.spaces.delete(space.key);
    for (const place of [...space.uses.keys()]) this.guestTables.unuse(space, place);
    space.tables.dissolve();
    if (this.current === space) this.current = undefined;
  }
  /** All shadows go: after another past, or when the map of the guest's memory changed. */
  clear(): void {
    for (const space of [...this.spaces.values()]) this.dissolve(space);
    this.flush('all');
  }

  private forgetLeaf(word: number, low: number, high: number): void {
    if (!this.own.delete(word)) this.leavesOf.get(this.guestPage(low, high))?.delete(word);
  }
  /** For the checker. */
  isOwn(word: number): boolean {
    return this.own.has(word);
  }
  private guestPage(low: number, high: number): number {
    return Math.floor(this.guest.gpaOf(this.host.base + leafTarget(low, high)) / PAGE_BYTES);
  }

  /** The processor faulted in the current space. `context`: the guest's rules, as they are now. */
  fault(context: PagingContext, gva: bigint, access: 'read' | 'write' | 'execute', rights: Rights): ShadowOutcome {
    const space = this.current;
    assert(space, 'a space is in force while the guest runs');
    const lo = Number(BigInt.asIntN(32, gva));
    const hi = Number(BigInt.asIntN(32, gva >> 32n));
    const { walker } = this;
    const plain = context.format === NO_PAGING;
    const gpa = plain ? lo >>> 0 : walker.walk(context, lo, hi, ACCESS[access], rights);
    if (gpa < 0) return { kind: 'guest-fault', errorCode: -1 - gpa };
    const allowed = plain ? -1 : walker.allowed;
    const dirty = plain || (walker.leaf & ENTRY.D) !== 0;
    const execute = plain || walker.denied === 0;
    if (!this.guest.isRam(gpa)) return { kind: 'mmio', gpa };
    const flags = this.guest.flags(gpa);
    if (access === 'write' && flags & PAGE.FOLLOWED) return { kind: 'table-write', gpa };
    if (!plain) this.follow(space, context, lo, hi, rights);
    // Following may have found that the page is itself a table.
    const followed = (this.guest.flags(gpa) & PAGE.FOLLOWED) !== 0;
    if (access === 'write' && followed) return { kind: 'table-write', gpa };
    const mayWrite = (allowed & ENTRY.W) !== 0;
    const supervisorOnly = !mayWrite && access === 'write';
    this.map(space, vaOf(gva), gpa, {
      write: dirty && !followed && (mayWrite || supervisorOnly),
      user: (allowed & ENTRY.U) !== 0 && !supervisorOnly,
      execute: execute && (this.kernelExecutes || (allowed & ENTRY.U) !== 0),
    });
    this.counts.fills++;
    return { kind: 'mapped' };
  }

  private leafOf(space: Space, va: number): number {
    const page = va - (va % PAGE_BYTES);
    let word = space.tables.leaf(page, true);
    while (word < 0) {
      this.evict();
      word = space.tables.leaf(page, true);
    }
    return word;
  }
  private map(
    space: Space,
    va: number,
    gpa: number,
    rights: { write: boolean; user: boolean; execute: boolean },
  ): void {
    const word = this.leafOf(space, va);
    const { words } = this.host;
    if (words[word] & ENTRY.P) this.leavesOf.get(this.guestPage(words[word], words[word + 1]))?.delete(word);
    const hpa = this.guest.hpa(gpa - (gpa % PAGE_BYTES));
    space.tables.set(word, hpa, rights);
    const number = Math.floor(gpa / PAGE_BYTES);
    const leaves = this.leavesOf.get(number);
    if (leaves) leaves.add(word);
    else this.leavesOf.set(number, new Set([word]));
  }

  /** The guest tables on the way to an address are followed from now on. */
  private follow(space: Space, context: PagingContext, lo: number, hi: number, rights: Rights): void {
    const va = (hi & 0xffff) * 0x1_0000_0000 + (lo >>> 0);
    const recorder: WalkRecorder = {
      step: (format, level, gpa) => {
        if (level.registers) return;
        const table = gpa - (gpa % (format.entryBytes * (level.indexMask + 1)));
        const covers = 2 ** level.shift * (level.indexMask + 1);
        // A root covers all there is.
        this.guestTables.use(
          space,
          Math.floor(table / PAGE_BYTES),
          covers > 2 ** 48 ? 0 : va - (va % covers),
          level.shift,
        );
      },
    };
    this.walker.walk(context, lo, hi, ACCESS.read, rights, recorder);
  }
  /** Nobody may write to a guest page unseen any more. */
  private protect(page: number): void {
    const { words } = this.host;
    for (const word of this.leavesOf.get(page) ?? []) words[word] &= ~(ENTRY.W | ENTRY.D);
    this.flush('all');
  }

  /** Bytes of a followed page were written: what was built from these entries is void. */
  private written(gpa: number, bytes: number): void {
    const page = Math.floor(gpa / PAGE_BYTES);
    if (this.guestTables.isTraced(page)) this.onTracedWrite(gpa, bytes);
    const uses = this.guestTables.written(page);
    if (!uses) return;
    this.counts.tableWrites++;
    if (uses === 'flood') return this.unshadow(page);
    const offset = gpa % PAGE_BYTES;
    for (const { space, va, shift } of uses) {
      const { entryBytes } = space.context.format;
      for (let i = Math.floor(offset / entryBytes); i * entryBytes < offset + bytes; i++)
        this.forget(space, va + i * 2 ** shift, shift);
    }
  }
  /** Nothing is known any more of 2**shift bytes of a space. */
  private forget(space: Space, va: number, shift: number): void {
    if (shift > 12) {
      const end = va + 2 ** shift;
      for (const [place, { use }] of [...space.uses])
        if (use.shift < shift && use.va >= va && use.va < end) this.guestTables.unuse(space, place);
    }
    space.tables.clear(va, shift);
    if (this.code.holds(va, shift)) space.stale.push({ va, shift });
    if (space === this.current) this.flush(shift === 12 ? BigInt.asUintN(64, BigInt.asIntN(48, BigInt(va))) : 'all');
  }
  private unshadow(page: number): void {
    this.counts.unshadowed++;
    for (const use of this.guestTables.usesOf(page)) {
      const { format } = use.space.context;
      const level = format.levels.find((l) => l.shift === use.shift);
      assert(level, 'a use is of a level of its format');
      for (let i = 0; i <= level.indexMask; i++) this.forget(use.space, use.va + i * 2 ** use.shift, use.shift);
      this.guestTables.unuse(use.space, placeOf(use.va, use.shift));
    }
    assert(!this.guestTables.isTable(page), 'a table without uses is not followed');
  }

  /** A write to a page that is followed for another reason: code was translated from it. */
  onTracedWrite: (gpa: number, bytes: number) => void = () => {};
  /** Translated code: changes of where it lies are told to it. */
  code: CodeKept = { begun: NONE, holds: () => false, verify: () => {} };
  /** The tables on the way to code at `va` are followed in the current space, as those to data are. */
  followCode(va: number): void {
    const space = this.current;
    if (!space || space.context.format === NO_PAGING) return;
    const high = Number(BigInt.asIntN(32, gvaOf(va, space.context.format.name === '4-level') >> 32n));
    this.follow(space, space.context, va | 0, high, RIGHTS.supervisor);
  }
  /** Leaves (word index) that map the hypervisor's own pages. */
  private readonly own = new Set<number>();
  trace(page: number): void {
    this.guestTables.trace(page);
  }
  untrace(page: number): void {
    this.guestTables.untrace(page);
  }
  /** A page of the hypervisor's own, mapped into the current space: for its kernel to execute. */
  mapOwn(va: number, hpa: number): void {
    const space = this.current;
    assert(space, 'a space is in force while the guest runs');
    const word = this.leafOf(space, va);
    space.tables.set(word, hpa, { write: false, user: false, execute: true });
    this.own.add(word);
  }

  /** For the checker and for people. */
  get all(): readonly Space[] {
    return [...this.spaces.values()];
  }
  isTable(gpa: number): boolean {
    return this.guestTables.isTable(Math.floor(gpa / PAGE_BYTES));
  }
}

export { RIGHTS };
