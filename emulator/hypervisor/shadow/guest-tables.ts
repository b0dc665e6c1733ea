/** Pages of the guest that nobody may write to unseen: those that hold tables from which shadows were built, and traced ones. */
import { PAGE_BYTES } from '../../mmu/physical-memory';
import type { PhysicalMemory } from '../../mmu/physical-memory';
import { placeOf } from './space';
import type { Space, Use } from './space';

/** So many writes without a use in between: the page is no table any more, or is being filled. It is followed again when used. */
const FLOOD = 24;

interface GuestTable {
  readonly uses: Map<string, Use>;
  /** Since an entry of it was last used. */
  writes: number;
}

/** Pages are guest-physical addresses over 4096. */
export class GuestTables {
  private readonly tables = new Map<number, GuestTable>();
  private readonly traced = new Set<number>();

  /** `protect`: every shadow leaf that maps the page becomes read-only. */
  constructor(
    private readonly guest: PhysicalMemory,
    private readonly protect: (page: number) => void,
  ) {}

  isTable(page: number): boolean {
    return this.tables.has(page);
  }
  isTraced(page: number): boolean {
    return this.traced.has(page);
  }
  usesOf(page: number): Use[] {
    return [...(this.tables.get(page)?.uses.values() ?? [])];
  }
  /** The table at `page` translates addresses of the space from `va` on, 2**shift bytes an entry. */
  use(space: Space, page: number, va: number, shift: number): void {
    const place = placeOf(va, shift);
    const known = space.uses.get(place);
    if (known?.page === page) {
      this.tables.get(page)!.writes = 0;
      return;
    }
    if (known) this.unuse(space, place);
    const use: Use = { space, va, shift };
    space.uses.set(place, { page, use });
    let table = this.tables.get(page);
    if (!table) {
      this.tables.set(page, (table = { uses: new Map(), writes: 0 }));
      if (!this.traced.has(page)) this.follow(page);
    }
    table.writes = 0;
    table.uses.set(`${space.key} ${place}`, use);
  }
  unuse(space: Space, place: string): void {
    const known = space.uses.get(place);
    if (!known) return;
    space.uses.delete(place);
    const table = this.tables.get(known.page);
    table?.uses.delete(`${space.key} ${place}`);
    if (table?.uses.size !== 0) return;
    this.tables.delete(known.page);
    if (!this.traced.has(known.page)) this.guest.follow(known.page * PAGE_BYTES, false);
  }
  /** What a table that was written to is used for; undefined: it is none. */
  written(page: number): Use[] | 'flood' | undefined {
    const table = this.tables.get(page);
    if (!table) return undefined;
    return ++table.writes > FLOOD ? 'flood' : [...table.uses.values()];
  }

  trace(page: number): void {
    if (this.traced.has(page)) return;
    this.traced.add(page);
    if (!this.tables.has(page)) this.follow(page);
  }
  untrace(page: number): void {
    if (this.traced.delete(page) && !this.tables.has(page)) this.guest.follow(page * PAGE_BYTES, false);
  }
  private follow(page: number): void {
    this.guest.follow(page * PAGE_BYTES, true);
    this.protect(page);
  }
}
