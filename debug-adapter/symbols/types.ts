/** Types from their entries. DWARF 5 chapter 5. */
import type { Member, Type } from './api';
import { AT, OP, TAG } from './dwarf-constants';
import { base } from './base-types';
import type { Dwarf } from './dwarf';
import type { Entry } from './entries';
import { ENTRY, type EntryKind, type NameIndex } from './names';
import { DwarfError, Reader } from './reader';
import { typeName } from './type-names';

export const VOID: Type = { kind: 'void', name: 'void', bytes: 0 };
const DAMAGED: Type = { kind: 'void', name: '(damaged type)', bytes: 0 };
const MAX_CACHED = 20_000;
/** More enclosing types than any sane program has: damaged files can make rings. */
const DEEPEST = 64;
const QUALIFIER: Readonly<Record<number, string>> = {
  [TAG.const_type]: 'const',
  [TAG.volatile_type]: 'volatile',
  [TAG.restrict_type]: 'restrict',
  [TAG.atomic_type]: '_Atomic',
  [TAG.immutable_type]: 'immutable',
};
const AGGREGATE: Readonly<Record<number, { kind: 'struct' | 'union' | 'class'; index: EntryKind }>> = {
  [TAG.structure_type]: { kind: 'struct', index: ENTRY.STRUCT },
  [TAG.class_type]: { kind: 'class', index: ENTRY.STRUCT },
  [TAG.interface_type]: { kind: 'class', index: ENTRY.STRUCT },
  [TAG.union_type]: { kind: 'union', index: ENTRY.UNION },
};

export class Types {
  private cache = new Map<number, Type>();
  private depth = 0;

  constructor(
    private readonly dwarf: Dwarf,
    private readonly names: NameIndex,
  ) {}

  /** The type that an entry names with DW_AT_type; void without one, or where the file is damaged. */
  of(entry: Entry): Type {
    return this.guard(DAMAGED, () => {
      const type = this.dwarf.withAttribute(entry, AT.type)?.reference(AT.type);
      return type ? this.at(type) : VOID;
    });
  }
  /** Types read their parts when asked, outside of any other guard. */
  private guard<T>(otherwise: T, read: () => T): T {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof DwarfError)) throw error;
      this.dwarf.warn(error.message);
      return otherwise;
    }
  }
  at(entry: Entry): Type {
    const known = this.cache.get(entry.offset);
    if (known) return known;
    if (this.depth > DEEPEST)
      throw new DwarfError(`${entry.unit.section}: the type at 0x${entry.offset.toString(16)} contains itself`);
    this.depth++;
    try {
      const type = this.build(entry);
      if (this.cache.size >= MAX_CACHED) this.cache = new Map();
      this.cache.set(entry.offset, type);
      return type;
    } finally {
      this.depth--;
    }
  }
  private sizeOf(entry: Entry): number {
    return this.of(entry).bytes;
  }

  /** Definitions, by name. */
  named(text: string): Type | undefined {
    const [, keyword, name] = /^\s*(?:(struct|class|union|enum)\s+)?(.*?)\s*$/.exec(text)!;
    const kinds: Record<string, EntryKind[]> = {
      struct: [ENTRY.STRUCT],
      class: [ENTRY.STRUCT],
      union: [ENTRY.UNION],
      enum: [ENTRY.ENUM],
    };
    for (const kind of keyword ? kinds[keyword]! : [ENTRY.TYPE, ENTRY.STRUCT, ENTRY.UNION, ENTRY.ENUM]) {
      const offset = this.names.find(name!, kind)[0];
      const entry = offset === undefined ? undefined : this.dwarf.entry(offset);
      if (entry) return this.at(entry);
    }
    return undefined;
  }
  enumerator(name: string): { value: bigint; type: Type } | undefined {
    const offset = this.names.find(name, ENTRY.ENUMERATOR)[0];
    const entry = offset === undefined ? undefined : this.dwarf.entry(offset);
    if (!entry) return undefined;
    const type = this.at(entry);
    const found = type.kind === 'enum' ? type.values().find((v) => v.name === name) : undefined;
    return found && { value: found.value, type };
  }

  private build(entry: Entry): Type {
    const qualifier = QUALIFIER[entry.tag];
    if (qualifier !== undefined)
      return this.wrapper({ kind: 'qualified', qualifier, ...this.common(entry, undefined) }, entry);
    if (AGGREGATE[entry.tag]) return this.aggregate(entry);
    switch (entry.tag) {
      case TAG.base_type:
        return base(entry);
      case TAG.pointer_type:
      case TAG.ptr_to_member_type:
        return this.pointer(entry);
      case TAG.reference_type:
        return this.pointer(entry, '&');
      case TAG.rvalue_reference_type:
        return this.pointer(entry, '&&');
      case TAG.typedef:
      case TAG.template_alias:
        return this.wrapper({ kind: 'typedef', ...this.common(entry, this.dwarf.nameOf(entry) ?? '(no name)') }, entry);
      case TAG.array_type:
        return this.array(entry);
      case TAG.enumeration_type:
        return this.enumeration(entry);
      case TAG.subroutine_type:
      case TAG.subprogram:
        return this.function(entry);
      case TAG.unspecified_type:
        return { kind: 'void', name: entry.string(AT.name) ?? 'void', bytes: 0 };
      default:
        this.dwarf.warn(`types of tag 0x${entry.tag.toString(16)} are not known`);
        return { kind: 'void', name: `(type of tag 0x${entry.tag.toString(16)})`, bytes: 0 };
    }
  }

  private common(entry: Entry, name: string | undefined): { name: string; bytes: number; to: () => Type } {
    return { name: name ?? '', bytes: entry.number(AT.byte_size) ?? this.sizeOf(entry), to: () => this.of(entry) };
  }
  /** Names of derived types are made when asked for: making them reads the types below. */
  private wrapper<T extends Type>(type: T, entry: Entry): T {
    if (type.name === '' && entry.tag !== TAG.typedef)
      Object.defineProperty(type, 'name', { get: () => typeName(type), enumerable: true });
    return type;
  }
  private pointer(entry: Entry, reference?: '&' | '&&'): Type {
    const bytes = entry.number(AT.byte_size) ?? entry.unit.addressSize;
    return this.wrapper(
      { kind: 'pointer', name: '', bytes, to: () => this.of(entry), ...(reference && { reference }) },
      entry,
    );
  }

  private function(entry: Entry): Type {
    const list = (): Entry[] => this.guard([], () => [...entry.children()]);
    const parameters = (): Type[] => list().filter((c) => c.tag === TAG.formal_parameter).map((c) => this.of(c)); // prettier-ignore
    const variadic = list().some((c) => c.tag === TAG.unspecified_parameters);
    return this.wrapper(
      { kind: 'function', name: '', bytes: 0, returns: () => this.of(entry), parameters, variadic },
      entry,
    );
  }

  /** Dimensions are nested, the first one outermost (DWARF 5 section 5.5). */
  private array(entry: Entry): Type {
    const counts = [...entry.children()].filter((c) => c.tag === TAG.subrange_type || c.tag === TAG.generic_subrange).map(countOf); // prettier-ignore
    if (counts.length === 0) counts.push(undefined);
    const element = (): Type => this.of(entry);
    let bytes = this.sizeOf(entry);
    let of = element;
    let type: Type | undefined;
    for (const count of counts.reverse()) {
      bytes = count === undefined ? 0 : Math.min(bytes * count, Number.MAX_SAFE_INTEGER);
      type = this.wrapper({ kind: 'array', name: '', bytes, of, count }, entry);
      const inner = type;
      of = () => inner;
    }
    return type!;
  }

  private enumeration(entry: Entry): Type {
    const definition = this.definition(entry, ENTRY.ENUM);
    if (definition) return this.at(definition);
    const tag = this.dwarf.nameOf(entry) ?? '';
    const underlying = entry.has(AT.type) ? this.underlying(this.of(entry)) : undefined;
    const bytes = entry.number(AT.byte_size) ?? underlying?.bytes ?? 4;
    const read = (): { name: string; value: bigint }[] =>
      [...entry.children()].filter((c) => c.tag === TAG.enumerator).map((c) => ({ name: c.string(AT.name) ?? '', value: c.constant(AT.const_value) ?? 0n })); // prettier-ignore
    let values: { name: string; value: bigint }[] | undefined;
    const list = (): { name: string; value: bigint }[] => (values ??= this.guard([], read));
    const unsigned = underlying?.kind === 'base' && underlying.encoding.startsWith('unsigned');
    const wrap = (v: bigint): bigint => (unsigned ? BigInt.asUintN(bytes * 8, v) : v);
    const signed = underlying ? !unsigned : list().some((v) => v.value < 0n);
    return { kind: 'enum', name: `enum ${tag || '{...}'}`, tag, bytes, signed, values: () => list().map((v) => ({ ...v, value: wrap(v.value) })) }; // prettier-ignore
  }
  private underlying(type: Type): Type {
    let at = type;
    for (let i = 0; i < DEEPEST && (at.kind === 'typedef' || at.kind === 'qualified'); i++) at = at.to();
    return at;
  }

  private aggregate(entry: Entry): Type {
    const { kind, index } = AGGREGATE[entry.tag]!;
    const definition = this.definition(entry, index);
    if (definition && definition.offset !== entry.offset) return this.at(definition);
    const tag = this.dwarf.nameOf(entry) ?? '';
    const incomplete = entry.flag(AT.declaration);
    let members: Member[] | undefined;
    return {
      kind,
      name: `${kind} ${tag || '{...}'}`,
      tag,
      bytes: entry.number(AT.byte_size) ?? 0,
      ...(incomplete && { incomplete }),
      members: () => (members ??= this.guard([], () => [...entry.children()].flatMap((c) => this.member(c) ?? []))),
    };
  }
  /** Of a declaration: by its signature, or by its name anywhere in the file. */
  private definition(entry: Entry, index: EntryKind): Entry | undefined {
    if (entry.has(AT.signature)) {
      const target = entry.reference(AT.signature);
      if (target) return target;
    }
    if (!entry.flag(AT.declaration)) return undefined;
    const name = this.dwarf.nameOf(entry);
    const offset = name === undefined ? undefined : this.names.find(name, index)[0];
    const found = offset === undefined ? undefined : this.dwarf.entry(offset);
    return found && !found.flag(AT.declaration) ? found : undefined;
  }

  private member(entry: Entry): Member | undefined {
    const inherited = entry.tag === TAG.inheritance;
    if (!inherited && entry.tag !== TAG.member && entry.tag !== TAG.variant_part) return undefined;
    // Static members are variables, not parts of the object.
    if (entry.flag(AT.declaration) || entry.flag(AT.external)) return undefined;
    const type = this.of(entry);
    const name = inherited ? typeName(type) : (this.dwarf.nameOf(entry) ?? '');
    const offset = memberOffset(entry);
    const bitSize = entry.number(AT.bit_size);
    if (bitSize === undefined) return { name, type, offset };
    const bits = bitPosition(entry, offset, bitSize, type.bytes);
    return { name, type, offset: bits >> 3, bitSize, bitOffset: bits & 7 };
  }
}

/** Elements of a dimension; undefined where it is flexible or only known at run time. */
const countOf = (subrange: Entry): number | undefined => {
  const count = subrange.number(AT.count);
  if (count !== undefined) return count;
  const upper = subrange.constant(AT.upper_bound);
  if (upper === undefined) return undefined;
  // `int a[0]` has an upper bound of -1, which some producers write as the largest unsigned number.
  const bound = upper >= 1n << 63n ? BigInt.asIntN(64, upper) : upper === 0xffff_ffffn ? -1n : upper;
  const n = Number(bound) - (subrange.number(AT.lower_bound) ?? 0) + 1;
  return n >= 0 ? n : undefined;
};

/** DWARF 2 wrote the offset as an expression: DW_OP_plus_uconst n. */
const memberOffset = (entry: Entry): number => {
  const block = entry.block(AT.data_member_location);
  if (!block) return entry.number(AT.data_member_location) ?? 0;
  const reader = new Reader(block, 'DW_AT_data_member_location');
  const op = reader.done ? 0 : reader.u8();
  return op === OP.plus_uconst || op === OP.constu ? reader.uleb() : 0;
};

/**
 * Bits from the start of the object to the field. DWARF 4 has DW_AT_data_bit_offset; before, DW_AT_bit_offset counted
 * from the most significant bit of a storage unit (DWARF 3 section 5.6.6).
 */
const bitPosition = (entry: Entry, offset: number, bitSize: number, typeBytes: number): number => {
  const direct = entry.number(AT.data_bit_offset);
  if (direct !== undefined) return offset * 8 + direct;
  const constant = entry.constant(AT.bit_offset);
  if (constant === undefined) return offset * 8;
  const storage = entry.number(AT.byte_size) ?? typeBytes;
  return offset * 8 + storage * 8 - Number(BigInt.asIntN(32, constant)) - bitSize;
};
