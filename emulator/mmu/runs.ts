/**
 * An address space as runs of pages mapped alike. All of them are kept in a few bytes each, so that any of a million can
 * be asked for by its number; nothing of an entry becomes an object until somebody looks at it.
 */
import type { Mapping } from '../machine/api';
import type { Alias } from '../machine/inspect-api';
import { ENTRY, NO_PAGING } from './guest-paging';
import type { PagingContext, PagingFormat, PagingLevel } from './guest-paging';
import { canonicalise, EXECUTE, rightBits, rightsFrom, rightsOf, USER, WRITE } from './inspect';
import type { TableMemory } from './inspect';
import { leafAddress } from './walk';

const PAGE_MASK = 0xfff;
/** Where an entry that is no leaf points: bits 51:12. */
const TABLE_TARGET = { shift: 12, pse36: false } as PagingLevel;
/** Where addresses of the 4-level format jump: below it bit 47 is clear, from it on it is set. */
const HALF = 2 ** 47;

/** Tables that lead to each other can be visited without end: as many as map 60 GiB in small pages. */
const MOST_TABLES = 30_000;

/** How many bits of address the format resolves. */
const widthOf = ({ levels }: PagingFormat): number =>
  levels.length === 0 ? 0 : levels[0].shift + Math.log2(levels[0].indexMask + 1);

/** `gva` without what sign extension adds; `allowed` and `denied` are of all levels together. False: enough. */
type Visit = (gva: number, level: PagingLevel, target: number, low: number, allowed: number, denied: number) => boolean;

/** Each leaf that maps something, in order of address from `start` on. */
function eachLeaf(paging: PagingContext, memory: TableMemory, start: number, visit: Visit): void {
  const { format, pdptes } = paging;
  const words = format.entryBytes >>> 2;
  let tables = 0;
  table(0, paging.root, 0, -1, 0);

  function table(depth: number, gpa: number, base: number, allowed: number, denied: number): boolean {
    if (tables++ === MOST_TABLES) return false;
    const level = format.levels[depth];
    const bytes = 2 ** level.shift;
    // A structure lies in one page, and a page in one place.
    const host = level.registers ? 0 : memory.hostAddress(gpa - (gpa & PAGE_MASK));
    const source = level.registers ? pdptes : memory.words;
    const at = level.registers ? 0 : (host + (gpa & PAGE_MASK)) >>> 2;
    for (let index = start > base ? Math.floor((start - base) / bytes) : 0; index <= level.indexMask; index++) {
      // Absent memory reads as ones.
      const low = host < 0 ? -1 : source[at + index * words];
      if (!(low & format.presentMask)) continue;
      const high = host < 0 ? -1 : words === 2 ? source[at + index * 2 + 1] : 0;
      const leaf = level.last || (level.large && (low & format.largeMask) !== 0);
      if (low & (leaf ? level.leafReservedLow : level.tableReservedLow)) continue;
      if (high & (leaf ? level.leafReservedHigh : level.tableReservedHigh)) continue;
      const nowAllowed = level.rights ? allowed & low : allowed;
      const nowDenied = level.rights ? denied | high : denied;
      const gva = base + index * bytes;
      const target = leafAddress(leaf ? level : TABLE_TARGET, low, high);
      const goOn = leaf
        ? visit(gva, level, target, low, nowAllowed, nowDenied)
        : table(depth + 1, target, gva, nowAllowed, nowDenied);
      if (!goOn) return false;
    }
    return true;
  }
}

const GLOBAL = 8;
/** Above these bits: log2 of the page's size. */
const SHIFT = 4;

/** What runs are searched by. `target`: lies in what they map. */
export interface RunSearch {
  write?: boolean;
  user?: boolean;
  execute?: boolean;
  target?: number;
}

/** In order of address. */
export class RunList {
  length = 0;
  private gva = new Float64Array(1024);
  private target = new Float64Array(1024);
  private bytes = new Float64Array(1024);
  private kind = new Uint16Array(1024);

  constructor(private readonly format: PagingFormat) {}

  /** Runs from `from` on; once there are more than `limit`, the first `limit` are complete. */
  static of(paging: PagingContext, memory: TableMemory, from = 0n, limit = Infinity): RunList {
    const { format } = paging;
    const list = new RunList(format);
    if (format.levels.length === 0) return list;
    const start = Number(BigInt.asUintN(widthOf(format), from));
    eachLeaf(paging, memory, start, (gva, level, target, low, allowed, denied) => {
      list.add(gva, target, level.shift, kindOf(format, level, low, allowed, denied));
      return list.length <= limit;
    });
    return list;
  }

  private add(gva: number, target: number, shift: number, kind: number): void {
    const bytes = 2 ** shift;
    const last = this.length - 1;
    const alike =
      last >= 0 &&
      this.kind[last] === kind &&
      this.gva[last] + this.bytes[last] === gva &&
      this.target[last] + this.bytes[last] === target &&
      (gva !== HALF || this.format.name !== '4-level');
    if (alike) {
      this.bytes[last] += bytes;
      return;
    }
    if (this.length === this.gva.length) this.grow();
    this.gva[this.length] = gva;
    this.target[this.length] = target;
    this.bytes[this.length] = bytes;
    this.kind[this.length++] = kind;
  }
  private grow(): void {
    const twice = (old: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> => {
      const wider = new Float64Array(old.length * 2);
      wider.set(old);
      return wider;
    };
    const kind = new Uint16Array(this.kind.length * 2);
    kind.set(this.kind);
    [this.gva, this.target, this.bytes, this.kind] = [twice(this.gva), twice(this.target), twice(this.bytes), kind];
  }

  at(index: number): Mapping {
    return this.part(index, this.gva[index], this.gva[index] + this.bytes[index]);
  }
  /** Of a run, from an address to another. */
  private part(index: number, from: number, end: number): Mapping {
    const kind = this.kind[index];
    return {
      gva: canonicalise(this.format, BigInt(from)),
      gpa: this.target[index] + (from - this.gva[index]),
      size: BigInt(end - from),
      pageBytes: 2 ** (kind >> SHIFT),
      ...rightsFrom(kind),
      global: (kind & GLOBAL) !== 0,
    };
  }

  /** Parts of the address space that the other list does not map alike, in order of address, at most `limit`. */
  missingIn(other: RunList, limit: number): Mapping[] {
    const out: Mapping[] = [];
    let first = 0;
    for (let i = 0; i < this.length && out.length < limit; i++) {
      const end = this.gva[i] + this.bytes[i];
      const distance = this.target[i] - this.gva[i];
      let at = this.gva[i];
      while (first < other.length && other.gva[first] + other.bytes[first] <= at) first++;
      for (let j = first; at < end && j < other.length && other.gva[j] < end; j++) {
        if (other.kind[j] !== this.kind[i] || other.target[j] - other.gva[j] !== distance) continue;
        if (other.gva[j] > at) out.push(this.part(i, at, other.gva[j]));
        at = Math.min(end, other.gva[j] + other.bytes[j]);
      }
      if (at < end) out.push(this.part(i, at, end));
    }
    return out.slice(0, limit);
  }

  /** The first run that ends behind this address; `length`: none does. */
  indexOf(gva: bigint): number {
    const wanted = Number(BigInt.asUintN(widthOf(this.format), gva));
    let [low, high] = [0, this.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.gva[middle] + this.bytes[middle] > wanted) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** Indices of the runs that are like that. */
  matching({ write, user, execute, target }: RunSearch): Uint32Array {
    const bit = (wanted: boolean | undefined, mask: number): [mask: number, value: number] =>
      wanted === undefined ? [0, 0] : [mask, wanted ? mask : 0];
    const bits = [bit(write, WRITE), bit(user, USER), bit(execute, EXECUTE)];
    const mask = bits.reduce((all, [each]) => all | each, 0);
    const value = bits.reduce((all, [, each]) => all | each, 0);
    const found = new Uint32Array(this.length);
    let count = 0;
    for (let i = 0; i < this.length; i++) {
      if ((this.kind[i] & mask) !== value) continue;
      if (target !== undefined && (target < this.target[i] || target >= this.target[i] + this.bytes[i])) continue;
      found[count++] = i;
    }
    return found.slice(0, count);
  }
}

const kindOf = (format: PagingFormat, level: PagingLevel, low: number, allowed: number, denied: number): number =>
  (level.shift << SHIFT) | rightBits(format, allowed, denied) | (!format.rights && low & ENTRY.G ? GLOBAL : 0);

/** Runs of pages mapped alike, in order of address from `from` on, at most `limit`. */
export function mappings(paging: PagingContext, memory: TableMemory, from: bigint, limit: number): Mapping[] {
  if (limit <= 0) return [];
  const list = RunList.of(paging, memory, from, limit);
  return Array.from({ length: Math.min(limit, list.length) }, (_, i) => list.at(i));
}

/** Pages that map a gpa, in order of address, at most `limit`. */
export function aliases(paging: PagingContext, memory: TableMemory, gpa: number, limit: number): Alias[] {
  const { format } = paging;
  if (format === NO_PAGING)
    return gpa < 2 ** 32 ? [{ gva: BigInt(gpa), pageBytes: 4096, write: true, user: true, execute: true }] : [];
  const out: Alias[] = [];
  eachLeaf(paging, memory, 0, (gva, level, target, _, allowed, denied) => {
    const pageBytes = 2 ** level.shift;
    if (gpa >= target && gpa < target + pageBytes) {
      const at = canonicalise(format, BigInt(gva + (gpa - target)));
      out.push({ gva: at, pageBytes, ...rightsOf(format, allowed, denied) });
    }
    return out.length < limit;
  });
  return out;
}
