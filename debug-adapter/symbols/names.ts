/**
 * Names of everything that can be looked up, without making a string of each: a name is a place in a section, equal
 * names share a number, and entries with the same name are a chain.
 */
import { Numbers } from './slices';

/** What an entry of the index is. Structure, union and enumeration tags are one name space each, as in C. */
export const ENTRY = { FUNCTION: 0, VARIABLE: 1, STRUCT: 2, UNION: 3, ENUM: 4, TYPE: 5, ENUMERATOR: 6 } as const;
export type EntryKind = (typeof ENTRY)[keyof typeof ENTRY];

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Where the bytes of a name are. Names that are in no section (`space::name`) are kept in EXTRA. */
export const SOURCE = { STR: 0, INFO: 1, TYPES: 2, LINE_STR: 3, EXTRA: 4 } as const;

export class NameIndex {
  private readonly source = new Numbers(new Uint32Array(1024));
  private readonly offset = new Numbers(new Uint32Array(1024));
  private readonly firstEntry = new Numbers(new Uint32Array(1024));
  private readonly hash = new Numbers(new Uint32Array(1024));
  private readonly nextEntry = new Numbers(new Uint32Array(1024));
  private readonly entry = new Numbers(new Uint32Array(1024));
  private readonly kind = new Numbers(new Uint32Array(1024));
  /** Open addressing; 0 is free, else name + 1. By text, and for .debug_str also by offset. */
  private byText = new Uint32Array(4096);
  private byOffset = new Uint32Array(4096);
  private offsets = 0;
  private extra = new Uint8Array(256);
  private extraUsed = 0;

  constructor(
    private readonly sections: { str: Uint8Array; info: Uint8Array; types: Uint8Array; line_str: Uint8Array },
  ) {}

  get count(): number {
    return this.source.length;
  }
  get entries(): number {
    return this.entry.length;
  }

  /** The number of the name that lies there. */
  intern(source: number, offset: number): number {
    return source === SOURCE.STR ? this.internShared(offset) : this.internBytes(source, offset);
  }
  internText(text: string): number {
    const bytes = encoder.encode(text);
    if (this.extraUsed + bytes.length + 1 > this.extra.length) {
      const grown = new Uint8Array((this.extra.length + bytes.length) * 2);
      grown.set(this.extra);
      this.extra = grown;
    }
    const at = this.extraUsed;
    this.extra.set(bytes, at);
    this.extra[at + bytes.length] = 0;
    const before = this.count;
    const name = this.internBytes(SOURCE.EXTRA, at);
    if (name === before) this.extraUsed += bytes.length + 1;
    return name;
  }
  /** `offset`: of the entry (units.ts). False: it is there already, and one of its kind is enough. */
  add(name: number, kind: EntryKind, offset: number, once: boolean): boolean {
    if (once && this.has(name, kind)) return false;
    const i = this.entry.length;
    this.entry.push(offset);
    this.kind.push(kind);
    this.nextEntry.push(this.firstEntry.get(name));
    this.firstEntry.set(name, i + 1);
    return true;
  }
  has(name: number, kind: EntryKind): boolean {
    for (let i = this.firstEntry.get(name); i !== 0; i = this.nextEntry.get(i - 1))
      if (this.kind.get(i - 1) === kind) return true;
    return false;
  }

  /** Offsets of the entries of that name and kind, in file order. */
  find(text: string, kind: EntryKind): number[] {
    const bytes = encoder.encode(text);
    const found: number[] = [];
    const hash = hashOf(bytes, 0);
    for (let slot = hash & (this.byText.length - 1); ; slot = (slot + 1) & (this.byText.length - 1)) {
      const name = this.byText[slot]! - 1;
      if (name < 0) return [];
      if (
        this.hash.get(name) !== hash ||
        !sameText(bytes, 0, this.bytesOf(this.source.get(name)), this.offset.get(name))
      )
        continue;
      for (let i = this.firstEntry.get(name); i !== 0; i = this.nextEntry.get(i - 1))
        if (this.kind.get(i - 1) === kind) found.push(this.entry.get(i - 1));
      return found.reverse();
    }
  }
  /** Names with an entry that begin with `prefix`, in no order. */
  *startingWith(prefix: string): Generator<string> {
    const bytes = encoder.encode(prefix);
    for (let name = 0; name < this.count; name++) {
      if (this.firstEntry.get(name) === 0) continue;
      const from = this.bytesOf(this.source.get(name));
      const at = this.offset.get(name);
      let i = 0;
      while (i < bytes.length && from[at + i] === bytes[i]) i++;
      if (i === bytes.length) yield this.text(name);
    }
  }
  /** Offsets of all entries of a kind, in the order they were added, beginning with the i-th entry. */
  *ofKind(kind: EntryKind): Generator<number> {
    for (let i = 0; i < this.entry.length; i++) if (this.kind.get(i) === kind) yield this.entry.get(i);
  }
  text(name: number): string {
    const bytes = this.bytesOf(this.source.get(name));
    const at = this.offset.get(name);
    let end = at;
    while (end < bytes.length && bytes[end] !== 0) end++;
    return decoder.decode(bytes.subarray(at, end));
  }

  private bytesOf(source: number): Uint8Array {
    const { str, info, types, line_str } = this.sections;
    return source === SOURCE.STR ? str : source === SOURCE.INFO ? info : source === SOURCE.TYPES ? types : source === SOURCE.LINE_STR ? line_str : this.extra; // prettier-ignore
  }
  /** Linkers merge .debug_str: an offset seen before needs no look at the text. */
  private internShared(offset: number): number {
    const mask = this.byOffset.length - 1;
    let slot = Math.imul(offset, 0x9e37_79b1) & mask;
    for (; this.byOffset[slot] !== 0; slot = (slot + 1) & mask) {
      const name = this.byOffset[slot]! - 1;
      if (this.offset.get(name) === offset && this.source.get(name) === SOURCE.STR) return name;
    }
    const name = this.internBytes(SOURCE.STR, offset);
    // Without merging, equal texts have several offsets; only the first one is short-cut.
    if (this.offset.get(name) === offset && this.source.get(name) === SOURCE.STR) {
      this.byOffset[slot] = name + 1;
      if (++this.offsets * 2 > this.byOffset.length) this.growOffsets();
    }
    return name;
  }
  private internBytes(source: number, offset: number): number {
    const bytes = this.bytesOf(source);
    const hash = hashOf(bytes, offset);
    const mask = this.byText.length - 1;
    let slot = hash & mask;
    for (; this.byText[slot] !== 0; slot = (slot + 1) & mask) {
      const name = this.byText[slot]! - 1;
      if (
        this.hash.get(name) === hash &&
        sameText(bytes, offset, this.bytesOf(this.source.get(name)), this.offset.get(name))
      )
        return name;
    }
    const name = this.source.length;
    this.source.push(source);
    this.offset.push(offset);
    this.hash.push(hash);
    this.firstEntry.push(0);
    this.byText[slot] = name + 1;
    if (name * 2 > this.byText.length) this.growText();
    return name;
  }
  private growText(): void {
    this.byText = new Uint32Array(this.byText.length * 2);
    const mask = this.byText.length - 1;
    for (let name = 0; name < this.count; name++) {
      let slot = this.hash.get(name) & mask;
      while (this.byText[slot] !== 0) slot = (slot + 1) & mask;
      this.byText[slot] = name + 1;
    }
  }
  private growOffsets(): void {
    const old = this.byOffset;
    this.byOffset = new Uint32Array(old.length * 2);
    const mask = this.byOffset.length - 1;
    for (const entry of old) {
      if (entry === 0) continue;
      let slot = Math.imul(this.offset.get(entry - 1), 0x9e37_79b1) & mask;
      while (this.byOffset[slot] !== 0) slot = (slot + 1) & mask;
      this.byOffset[slot] = entry;
    }
  }
}

/** FNV-1a up to the terminating zero or the end. */
const hashOf = (bytes: Uint8Array, at: number): number => {
  let hash = 0x811c_9dc5;
  for (; at < bytes.length && bytes[at] !== 0; at++) hash = Math.imul(hash ^ bytes[at]!, 0x0100_0193);
  return hash >>> 0;
};
const sameText = (a: Uint8Array, i: number, b: Uint8Array, j: number): boolean => {
  for (; ; i++, j++) {
    const [x, y] = [a[i] ?? 0, b[j] ?? 0];
    if (x !== y) return false;
    if (x === 0) return true;
  }
};
