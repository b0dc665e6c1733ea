/** Types from BTF, as the same trees that DWARF gives: expressions, hovers and variables do not see the difference. */
import type { Member, Type } from './api';
import { BTF, type Btf } from './btf';
import { typeName } from './type-names';

const VOID: Type = { kind: 'void', name: 'void', bytes: 0 };
const QUALIFIER: Readonly<Record<number, string>> = {
  [BTF.VOLATILE]: 'volatile',
  [BTF.CONST]: 'const',
  [BTF.RESTRICT]: 'restrict',
};
const KEYWORD_KINDS: Readonly<Record<string, number[]>> = {
  struct: [BTF.STRUCT],
  class: [BTF.STRUCT],
  union: [BTF.UNION],
  enum: [BTF.ENUM, BTF.ENUM64],
};
/** Bits of an INT's encoding. */
const INT = { SIGNED: 1, CHAR: 2, BOOL: 4 } as const;
/** Types around types: damaged ones can make rings. */
const DEEPEST = 64;
const MAX_CACHED = 20_000;

export interface BtfFunction {
  parameters: { name: string; type: Type }[];
  returns: Type;
  variadic: boolean;
}

export class BtfTypes {
  private cache = new Map<number, Type>();
  private depth = 0;
  private readonly sections = new Map<string, ReadonlySet<string>>();

  constructor(
    readonly btf: Btf,
    private readonly pointerBytes: 4 | 8,
  ) {}

  at(id: number): Type {
    const known = this.cache.get(id);
    if (known) return known;
    if (this.depth > DEEPEST) return VOID;
    this.depth++;
    try {
      const type = this.build(id);
      if (this.cache.size >= MAX_CACHED) this.cache = new Map();
      this.cache.set(id, type);
      return type;
    } finally {
      this.depth--;
    }
  }

  /** Definitions, by name: `struct page`, `u32`, `page`. */
  named(text: string): Type | undefined {
    const [, keyword, name] = /^\s*(?:(struct|class|union|enum)\s+)?(.*?)\s*$/.exec(text)!;
    const kinds = keyword
      ? KEYWORD_KINDS[keyword]!
      : [BTF.TYPEDEF, BTF.INT, BTF.FLOAT, BTF.STRUCT, BTF.UNION, BTF.ENUM, BTF.ENUM64];
    for (const kind of kinds) {
      const id = this.btf.find(name!, kind)[0];
      if (id !== undefined) return this.at(id);
    }
    return undefined;
  }
  enumerator(name: string): { value: bigint; type: Type } | undefined {
    const found = this.btf.findEnumerator(name);
    const type = found && this.at(found.id);
    const value = type?.kind === 'enum' ? type.values()[found!.row]?.value : undefined;
    return value === undefined ? undefined : { value, type: type! };
  }
  /** Of a variable; BTF has the per-CPU ones, newer kernels' also others. */
  variable(name: string): Type | undefined {
    const id = this.btf.find(name, BTF.VAR)[0];
    return id === undefined ? undefined : this.at(this.btf.sizeOrType(id));
  }
  function(name: string): BtfFunction | undefined {
    const id = this.btf.find(name, BTF.FUNC)[0];
    if (id === undefined) return undefined;
    const prototype = this.btf.sizeOrType(id);
    return this.btf.kind(prototype) === BTF.FUNC_PROTO ? this.prototype(prototype) : undefined;
  }
  /** Names of the variables in a section. */
  variablesIn(section: string): ReadonlySet<string> {
    let names = this.sections.get(section);
    if (names === undefined) this.sections.set(section, (names = new Set(this.listVariables(section))));
    return names;
  }
  private listVariables(section: string): string[] {
    const id = this.btf.find(section, BTF.DATASEC)[0];
    if (id === undefined) return [];
    const { count, word } = this.btf.parts(id);
    return Array.from({ length: count }, (_, row) => this.btf.name(word(row, 0))).filter((name) => name !== '');
  }

  private prototype(id: number): BtfFunction {
    const { count, word } = this.btf.parts(id);
    const rows = Array.from({ length: count }, (_, row) => ({
      name: this.btf.text(word(row, 0)),
      type: this.at(word(row, 1)),
    }));
    // `...` is a last parameter without name and type.
    const last = rows.at(-1);
    const variadic = last !== undefined && last.name === '' && last.type.kind === 'void';
    return { parameters: variadic ? rows.slice(0, -1) : rows, returns: this.at(this.btf.sizeOrType(id)), variadic };
  }

  private build(id: number): Type {
    const { btf } = this;
    const kind = btf.kind(id);
    const qualifier = QUALIFIER[kind];
    if (qualifier !== undefined) return named({ kind: 'qualified', name: '', qualifier, ...this.inner(id) });
    switch (kind) {
      case BTF.INT:
        return this.integer(id);
      case BTF.FLOAT:
        return { kind: 'base', name: btf.name(id), bytes: btf.sizeOrType(id), encoding: 'float' };
      case BTF.PTR:
        return named({ kind: 'pointer', name: '', bytes: this.pointerBytes, to: () => this.at(btf.sizeOrType(id)) });
      case BTF.ARRAY:
        return this.array(id);
      case BTF.STRUCT:
      case BTF.UNION:
        return this.aggregate(id, kind === BTF.STRUCT ? 'struct' : 'union');
      case BTF.FWD:
        return this.forward(id);
      case BTF.ENUM:
      case BTF.ENUM64:
        return this.enumeration(id, kind === BTF.ENUM64);
      case BTF.TYPEDEF:
        return { kind: 'typedef', name: btf.name(id), ...this.inner(id) };
      case BTF.TYPE_TAG:
      case BTF.VAR:
      case BTF.FUNC:
        return this.at(btf.sizeOrType(id));
      case BTF.FUNC_PROTO: {
        const { returns, parameters, variadic } = this.lazyPrototype(id);
        return named({ kind: 'function', name: '', bytes: 0, returns, parameters, variadic });
      }
      default:
        return VOID;
    }
  }
  private inner(id: number): { bytes: number; to: () => Type } {
    const to = this.btf.sizeOrType(id);
    return { bytes: this.at(to).bytes, to: () => this.at(to) };
  }
  private lazyPrototype(id: number): { returns: () => Type; parameters: () => Type[]; variadic: boolean } {
    const { count, word } = this.btf.parts(id);
    const variadic = count > 0 && word(count - 1, 0) === 0 && word(count - 1, 1) === 0;
    return {
      returns: () => this.at(this.btf.sizeOrType(id)),
      parameters: () => this.prototype(id).parameters.map(({ type }) => type),
      variadic,
    };
  }

  private integer(id: number): Type {
    const name = this.btf.name(id);
    const encoding = this.btf.parts(id).word(0, 0) >>> 24;
    const bytes = this.btf.sizeOrType(id);
    const base = (as: Extract<Type, { kind: 'base' }>['encoding']): Type => ({ kind: 'base', name, bytes, encoding: as });
    if (encoding & INT.BOOL) return base('boolean');
    if (name === 'char' || name === 'signed char') return base('char');
    if (name === 'unsigned char') return base('unsigned-char');
    return base(encoding & INT.SIGNED ? 'signed' : 'unsigned');
  } // prettier-ignore
  private array(id: number): Type {
    const { word } = this.btf.parts(id);
    const [element, count] = [word(0, 0), word(0, 2)];
    const bytes = Math.min(this.at(element).bytes * count, Number.MAX_SAFE_INTEGER);
    // A flexible array member has no elements.
    return named({
      kind: 'array',
      name: '',
      bytes,
      of: () => this.at(element),
      count: count === 0 ? undefined : count,
    });
  }
  private forward(id: number): Type {
    const kind = this.btf.flag(id) ? 'union' : 'struct';
    const tag = this.btf.name(id);
    const definition = this.btf.find(tag, kind === 'union' ? BTF.UNION : BTF.STRUCT)[0];
    if (definition !== undefined) return this.at(definition);
    return { kind, name: `${kind} ${tag}`, tag, bytes: 0, incomplete: true, members: () => [] };
  }
  private enumeration(id: number, wide: boolean): Type {
    const { btf } = this;
    const tag = btf.name(id);
    const bytes = btf.sizeOrType(id);
    let signed = btf.flag(id);
    const { count, word } = btf.parts(id);
    const value = (row: number): bigint => {
      const low = BigInt(word(row, 1));
      if (wide) {
        const whole = low | (BigInt(word(row, 2)) << 32n);
        return signed ? BigInt.asIntN(64, whole) : whole;
      }
      return signed ? BigInt.asIntN(32, low) : low;
    };
    // Older encoders set no flag: a value with the top bit was a negative one.
    if (!wide && !signed) for (let row = 0; row < count && !signed; row++) signed = word(row, 1) >= 0x8000_0000;
    const values = (): { name: string; value: bigint }[] =>
      Array.from({ length: count }, (_, row) => ({ name: btf.text(word(row, 0)), value: value(row) }));
    return { kind: 'enum', name: `enum ${tag || '{...}'}`, tag, bytes, signed, values };
  }

  private aggregate(id: number, kind: 'struct' | 'union'): Type {
    const { btf } = this;
    const tag = btf.name(id);
    let members: Member[] | undefined;
    return {
      kind,
      name: `${kind} ${tag || '{...}'}`,
      tag,
      bytes: btf.sizeOrType(id),
      members: () => (members ??= this.members(id)),
    };
  }
  private members(id: number): Member[] {
    const { count, word } = this.btf.parts(id);
    const hasSizes = this.btf.flag(id);
    return Array.from({ length: count }, (_, row): Member => {
      const type = this.at(word(row, 1));
      const packed = word(row, 2);
      const bits = hasSizes ? packed & 0xff_ffff : packed;
      const bitSize = hasSizes ? packed >>> 24 : 0;
      const name = this.btf.text(word(row, 0));
      if (bitSize === 0) return { name, type, offset: bits >>> 3 };
      return { name, type, offset: bits >>> 3, bitSize, bitOffset: bits & 7 };
    });
  }
}

/** Names of derived types are made when asked for: making them reads the types below. */
function named<T extends Type>(type: T): T {
  Object.defineProperty(type, 'name', { get: () => typeName(type), enumerable: true });
  return type;
}
