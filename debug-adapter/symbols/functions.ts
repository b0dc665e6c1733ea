/** Functions, what was inlined into them, and their lexical blocks. DWARF 5 section 3.3. */
import type { FunctionSymbol, SourceLine } from './api';
import { AT, TAG } from './dwarf-constants';
import type { Dwarf } from './dwarf';
import type { Entry } from './entries';
import type { Lines } from './lines';
import { type Range, rangesOf } from './ranges';
import { toGva } from './reader';
import type { FunctionIndex } from './scan';
import { lastAtMost, Recent } from './slices';

/** A frame of the source program: a function or an inlined one, and its blocks around the address, innermost first. */
export interface ScopeFrame {
  entry: Entry;
  inlined: boolean;
  blocks: Entry[];
}

const contains = (ranges: Range[], address: number): boolean =>
  ranges.some((r) => address >= r.low && address < r.high);
const SCOPES: readonly number[] = [TAG.lexical_block, TAG.inlined_subroutine, TAG.try_block, TAG.catch_block];

export class Functions {
  private readonly scopes = new Recent<Entry, { entry: Entry; ranges: Range[] }[]>(512);
  private readonly entries = new Recent<number, Entry | undefined>(512);

  constructor(
    private readonly dwarf: Dwarf,
    private readonly lines: Lines,
    private readonly index: FunctionIndex,
  ) {}

  get count(): number {
    return this.index.low.length;
  }
  /** The function whose code is there. */
  entryAt(address: number): Entry | undefined {
    // Functions of one name in several units may overlap; some steps back find one that still runs.
    let i = lastAtMost(this.index.low, address);
    for (let tries = 0; i >= 0 && tries < 8; i--, tries++)
      if (address < this.index.high[i]!) return this.entry(this.index.entry[i]!);
    return undefined;
  }
  entry(offset: number): Entry | undefined {
    return this.entries.get(offset, () => this.dwarf.entry(offset));
  }
  symbol(entry: Entry): FunctionSymbol | undefined {
    const ranges = rangesOf(entry).map((r) => ({ start: toGva(r.low), end: toGva(r.high) }));
    const first = ranges[0];
    if (!first) return undefined;
    const declaration = this.declaration(entry);
    return { name: this.nameOf(entry), ...first, ranges, ...(declaration && { declaration }), source: 'dwarf' };
  }
  nameOf(entry: Entry): string {
    const name = this.dwarf.nameOf(entry) ?? '(no name)';
    return name;
  }
  declaration(entry: Entry): SourceLine | undefined {
    const owner = this.dwarf.withAttribute(entry, AT.decl_line);
    const line = owner?.number(AT.decl_line);
    if (!owner || line === undefined) return undefined;
    const file = this.dwarf.withAttribute(entry, AT.decl_file);
    const path = file && this.filePath(file, AT.decl_file);
    return path === undefined ? undefined : { path, line, column: owner.number(AT.decl_column) ?? 0 };
  }
  /** A file number of an attribute, by the table of the entry's unit. */
  filePath(entry: Entry, attribute: number): string | undefined {
    const table = this.lines.tableOf(entry.unit);
    const file = entry.number(attribute);
    return table && file !== undefined ? this.lines.pathOf(table, file) : undefined;
  }

  /** Frames at an address, innermost first: empty where no function is known. */
  framesAt(address: number): ScopeFrame[] {
    const root = this.entryAt(address);
    if (!root) return [];
    let frame: ScopeFrame = { entry: root, inlined: false, blocks: [root] };
    const frames = [frame];
    for (let at = root, depth = 0; depth < 256; depth++) {
      const inner = this.scopesIn(at).find((s) => contains(s.ranges, address));
      if (!inner) break;
      at = inner.entry;
      if (at.tag === TAG.inlined_subroutine) {
        frame = { entry: at, inlined: true, blocks: [at] };
        frames.unshift(frame);
      } else frame.blocks.unshift(at);
    }
    return frames;
  }
  /** Blocks and inlined functions directly below an entry that have code. */
  private scopesIn(entry: Entry): { entry: Entry; ranges: Range[] }[] {
    return this.scopes.get(entry, () => {
      const found = [];
      for (const child of entry.children()) {
        if (!SCOPES.includes(child.tag)) continue;
        const ranges = rangesOf(child);
        if (ranges.length > 0) found.push({ entry: child, ranges });
      }
      return found;
    });
  }

  /** The call that returns to `address`: its DW_TAG_call_site, if the producer described it. */
  callSite(address: number): Entry | undefined {
    const root = this.entryAt(address - 1);
    return root && this.callSiteIn(root, address, 0);
  }
  private callSiteIn(scope: Entry, address: number, depth: number): Entry | undefined {
    if (depth > 64) return undefined;
    for (const child of scope.children()) {
      if (child.tag === TAG.call_site || child.tag === TAG.GNU_call_site) {
        const at = child.address(AT.call_return_pc) ?? child.address(AT.low_pc);
        if (at === address) return child;
      } else if (SCOPES.includes(child.tag)) {
        const found = this.callSiteIn(child, address, depth + 1);
        if (found) return found;
      }
    }
    return undefined;
  }
}
