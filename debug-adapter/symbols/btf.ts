/**
 * BTF: the type information that Linux kernels carry for BPF, and that is left when debug information is stripped
 * (kernel: Documentation/bpf/btf.rst). Types are numbered from 1; a module's BTF continues the numbers and text of vmlinux's.
 */

import { Numbers, type Slices } from './slices';

export const BTF = {
  VOID: 0,
  INT: 1,
  PTR: 2,
  ARRAY: 3,
  STRUCT: 4,
  UNION: 5,
  ENUM: 6,
  FWD: 7,
  TYPEDEF: 8,
  VOLATILE: 9,
  CONST: 10,
  RESTRICT: 11,
  FUNC: 12,
  FUNC_PROTO: 13,
  VAR: 14,
  DATASEC: 15,
  FLOAT: 16,
  DECL_TAG: 17,
  TYPE_TAG: 18,
  ENUM64: 19,
} as const;

/** Bytes behind the 12 that each type has: fixed, and for each of its `vlen` parts. */
const EXTRA: readonly (readonly [fixed: number, each: number])[] = [
  [0, 0], [4, 0], [0, 0], [12, 0], [0, 12], [0, 12], [0, 8], [0, 0], [0, 0], [0, 0],
  [0, 0], [0, 0], [0, 0], [0, 8], [4, 0], [0, 12], [0, 0], [4, 0], [0, 0], [0, 12],
]; // prettier-ignore

const MAGIC = 0xeb9f;
const HEADER_BYTES = 24;
/** Characters that are made at once. */
const TEXT_BYTES = 0x2000;
const TYPE_BYTES = 12;
/** Places of one text that are looked at; damaged tables could repeat it. */
const MAX_OCCURRENCES = 8;

export class Btf {
  private readonly found = new Map<string, number[]>();

  private constructor(
    private readonly view: DataView,
    private readonly base: Btf | undefined,
    /** Number of the first type that is not the base's. */
    readonly first: number,
    private readonly firstString: number,
    /** The text section; one character a byte. */
    private readonly strings: string,
    /** Offset of each type, from `first` on. */
    private readonly offsets: Uint32Array,
    private readonly nameOffsets: Uint32Array,
  ) {}

  /** Undefined: these bytes are no BTF. `base`: of vmlinux, for a module's. */
  static read(bytes: Uint8Array, base?: Btf): Btf | undefined {
    const reading = Btf.reading(bytes, base);
    let step = reading.next();
    while (!step.done) step = reading.next();
    return step.value;
  }
  /** The same in slices; vmlinux's has a hundred thousand types. */
  static async readSliced(bytes: Uint8Array, slices: Slices): Promise<Btf | undefined> {
    const reading = Btf.reading(bytes, undefined);
    let step = reading.next();
    for (; !step.done; step = reading.next()) if (slices.due()) await slices.pause();
    return step.value;
  }
  private static *reading(bytes: Uint8Array, base: Btf | undefined): Generator<void, Btf | undefined> {
    const sections = sectionsOf(bytes);
    if (sections === undefined) return undefined;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const parts: string[] = [];
    for (let at = sections.strings; at < sections.stringsEnd; at += TEXT_BYTES) {
      // Not TextDecoder: its latin1 is windows-1252, and a character must be a byte.
      parts.push(String.fromCharCode(...bytes.subarray(at, Math.min(at + TEXT_BYTES, sections.stringsEnd))));
      yield;
    }
    const offsets = new Numbers(new Uint32Array(1024));
    for (let at = sections.types; at + TYPE_BYTES <= sections.typesEnd;) {
      const info = view.getUint32(at + 4, true);
      const extra = EXTRA[(info >>> 24) & 31];
      const next = extra && at + TYPE_BYTES + extra[0] + extra[1] * (info & 0xffff);
      // What comes after a kind that is not known cannot be found; what comes before is good.
      if (next === undefined || next > sections.typesEnd) break;
      offsets.push(at);
      if ((offsets.length & 0xfff) === 0) yield;
      at = next;
    }
    const own = offsets.trimmed();
    const names = own.map((at) => view.getUint32(at, true));
    const firstString = base === undefined ? 0 : base.firstString + base.strings.length;
    return new Btf(view, base, base?.end ?? 1, firstString, parts.join(''), own, names);
  }

  /** One more than the last type's number. */
  get end(): number {
    return this.first + this.offsets.length;
  }
  private own(id: number): boolean {
    return id >= this.first && id < this.end;
  }
  private info(id: number): number {
    return this.view.getUint32(this.offsets[id - this.first]! + 4, true);
  }

  /** `VOID` also for numbers that no type has. */
  kind(id: number): number {
    if (this.own(id)) return (this.info(id) >>> 24) & 31;
    return this.base !== undefined && id < this.first ? this.base.kind(id) : BTF.VOID;
  }
  /** The general flag: of STRUCT and UNION that members have bit sizes, of ENUM that it is signed, of FWD that it is a union. */
  flag(id: number): boolean {
    if (!this.own(id)) return this.base?.flag(id) ?? false;
    return this.info(id) >>> 31 === 1;
  }
  /** `size` or `type`, whichever the kind has. */
  sizeOrType(id: number): number {
    if (!this.own(id)) return this.base?.sizeOrType(id) ?? 0;
    return this.view.getUint32(this.offsets[id - this.first]! + 8, true);
  }
  name(id: number): string {
    if (!this.own(id)) return this.base?.name(id) ?? '';
    return this.text(this.nameOffsets[id - this.first]!);
  }
  text(offset: number): string {
    if (this.base !== undefined && offset < this.firstString) return this.base.text(offset);
    const at = offset - this.firstString;
    if (at < 0 || at >= this.strings.length) return '';
    const end = this.strings.indexOf('\0', at);
    return this.strings.slice(at, end < 0 ? undefined : end);
  }
  /** The words behind the type: its parts as rows of `vlen`, each of `columns` words; or one row for what has no parts. */
  parts(id: number): { count: number; word(row: number, column: number): number } {
    if (!this.own(id)) return this.base?.parts(id) ?? { count: 0, word: () => 0 };
    const at = this.offsets[id - this.first]! + TYPE_BYTES;
    const info = this.info(id);
    const [fixed, each] = EXTRA[(info >>> 24) & 31]!;
    const count = each > 0 ? info & 0xffff : fixed > 0 ? 1 : 0;
    return { count, word: (row, column) => this.view.getUint32(at + row * each + column * 4, true) };
  }

  /** Numbers of the types with that name, of those kinds. */
  find(name: string, ...kinds: number[]): number[] {
    const own = this.named(name).filter((id) => kinds.includes(this.kind(id)));
    return own.length > 0 || !this.base ? own : this.base.find(name, ...kinds);
  }
  private named(name: string): number[] {
    const known = this.found.get(name);
    if (known !== undefined) return known;
    const ids: number[] = [];
    for (const offset of this.stringOffsets(name)) this.each(offset, (id) => ids.push(id));
    this.found.set(name, ids);
    return ids;
  }
  private each(nameOffset: number, visit: (id: number) => void): void {
    for (let i = this.nameOffsets.indexOf(nameOffset); i >= 0; i = this.nameOffsets.indexOf(nameOffset, i + 1))
      visit(i + this.first);
  }
  /** Where the text stands, in the offsets that types use; a module names its types with vmlinux's text, too. */
  private stringOffsets(text: string): number[] {
    if (text === '' || text.includes('\0')) return [];
    const offsets = this.base?.stringOffsets(text) ?? [];
    const { strings } = this;
    // Not with the zero byte first: the engine looks for the first character, which is everywhere then.
    for (let at = strings.indexOf(`${text}\0`); at >= 0; at = strings.indexOf(`${text}\0`, at + 1)) {
      if (at === 0 || strings.charCodeAt(at - 1) !== 0) continue;
      offsets.push(this.firstString + at);
      if (offsets.length >= MAX_OCCURRENCES) break;
    }
    return offsets;
  }
  /** Own types of one kind, in order. */
  *ofKind(...kinds: number[]): Generator<number> {
    for (let id = this.first; id < this.end; id++) if (kinds.includes(this.kind(id))) yield id;
  }
  /** The enumeration and the row of a constant. */
  findEnumerator(name: string): { id: number; row: number } | undefined {
    const offsets = this.stringOffsets(name);
    if (offsets.length === 0) return undefined;
    for (const id of this.ofKind(BTF.ENUM, BTF.ENUM64)) {
      const { count, word } = this.parts(id);
      for (let row = 0; row < count; row++) if (offsets.includes(word(row, 0))) return { id, row };
    }
    return this.base?.findEnumerator(name);
  }
}

interface Sections {
  types: number;
  typesEnd: number;
  strings: number;
  stringsEnd: number;
}

function sectionsOf(bytes: Uint8Array): Sections | undefined {
  if (bytes.length < HEADER_BYTES) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint16(0, true) !== MAGIC || view.getUint8(2) !== 1) return undefined;
  const word = (at: number): number => view.getUint32(at, true);
  const header = word(4);
  const types = header + word(8);
  const strings = header + word(16);
  const sections = { types, typesEnd: types + word(12), strings, stringsEnd: strings + word(20) };
  return Math.max(sections.typesEnd, sections.stringsEnd) > bytes.length ? undefined : sections;
}
