/** The debug sections as a whole: units, entries by offset, and the values that are kept in other sections. */
import { type AbbreviationTable, readAbbreviations } from './abbreviations';
import { AT, FORM, nameOf, UT } from './dwarf-constants';
import { Entry } from './entries';
import { DwarfError, Reader, stringAt } from './reader';
import type { DebugSections } from './sections';
import { Recent } from './slices';
import { readUnitHeaders, type Unit, type UnitFacts } from './units';

/** Tables in use at once are few; the kernel has thousands, of a few hundred objects each. */
const TABLES_KEPT = 24;

export class Dwarf {
  readonly units: Unit[] = [];
  private readonly tables = new Recent<number, AbbreviationTable>(TABLES_KEPT);
  private readonly signatures = new Map<bigint, number>();

  constructor(
    readonly sections: DebugSections,
    readonly warn: (text: string) => void,
  ) {
    readUnitHeaders(sections.info, '.debug_info', 0, this.units, warn);
    readUnitHeaders(sections.types, '.debug_types', sections.info.length, this.units, warn);
    for (const unit of this.units)
      if (unit.signature !== undefined && unit.typeEntry !== undefined && unit.type === UT.type)
        this.signatures.set(unit.signature, unit.typeEntry);
  }

  /** A cursor into the unit's section, at an offset of that section, ending with the unit. */
  reader(unit: Unit, at: number): Reader {
    const bytes = unit.section === '.debug_info' ? this.sections.info : this.sections.types;
    return new Reader(bytes, unit.section, at, unit.end - unit.base);
  }
  abbreviations(unit: Unit): AbbreviationTable {
    // The sizes of values are in the table as well: units of other sizes need a table of their own.
    const key = unit.abbreviations * 64 + unit.version * 8 + (unit.addressSize >> 2) * 2 + (unit.offsetSize >> 3);
    return this.tables.get(key, () => readAbbreviations(this.sections.abbrev, unit.abbreviations, unit));
  }

  unitAt(offset: number): Unit | undefined {
    let [low, high] = [0, this.units.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.units[middle]!.start <= offset) low = middle + 1;
      else high = middle;
    }
    const unit = this.units[low - 1];
    return unit && offset < unit.end ? unit : undefined;
  }
  /** The entry at an offset; undefined for the null entry that ends a list of children. */
  entry(offset: number, unit = this.unitAt(offset)): Entry | undefined {
    if (!unit || offset < unit.root || offset >= unit.end) return undefined;
    const reader = this.reader(unit, offset - unit.base);
    const code = reader.uleb();
    if (code === 0) return undefined;
    const abbreviation = this.abbreviations(unit).get(code);
    if (!abbreviation)
      throw new DwarfError(
        `${unit.section} at 0x${(offset - unit.base).toString(16)}: abbreviation ${code} is not in its table`,
      );
    return new Entry(this, unit, offset, abbreviation, reader.at);
  }
  /** Offset of what follows an entry and all below it. */
  after(entry: Entry): number {
    if (!entry.hasChildren) return entry.next;
    const sibling = entry.sibling();
    if (sibling !== undefined) return sibling;
    let at = entry.next;
    for (let depth = 1; depth > 0;) {
      if (at >= entry.unit.end) return entry.unit.end;
      const child = this.entry(at, entry.unit);
      if (!child) {
        depth--;
        at++;
        continue;
      }
      const jump = child.hasChildren ? child.sibling() : undefined;
      if (child.hasChildren && jump === undefined) depth++;
      at = jump ?? child.next;
    }
    return at;
  }

  /**
   * An attribute, or that of the entry which this one completes (DW_AT_abstract_origin, DW_AT_specification): the first
   * that has one of `names`.
   */
  withAttribute(entry: Entry, ...names: number[]): Entry | undefined {
    let at: Entry | undefined = entry;
    for (let depth = 0; at && depth < 8; depth++) {
      if (names.some((name) => at!.has(name))) return at;
      at = at.has(AT.abstract_origin) ? at.reference(AT.abstract_origin) : at.reference(AT.specification);
    }
    return undefined;
  }
  nameOf(entry: Entry): string | undefined {
    return this.withAttribute(entry, AT.name)?.string(AT.name);
  }

  /** What the root entry says; read once. */
  facts(unit: Unit): UnitFacts {
    unit.facts ??= this.readFacts(unit);
    return unit.facts;
  }
  private readFacts(unit: Unit): UnitFacts {
    // The bases come first: strings and addresses of the same entry may need them.
    const facts: UnitFacts = { name: '', directory: '', producer: '', language: 0, lowPc: 0, rangesBase: 0 };
    unit.facts = facts;
    const root = this.entry(unit.root, unit);
    if (!root) return facts;
    facts.strOffsetsBase = root.number(AT.str_offsets_base);
    facts.addrBase = root.number(AT.addr_base) ?? root.number(AT.GNU_addr_base);
    facts.rnglistsBase = root.number(AT.rnglists_base);
    facts.loclistsBase = root.number(AT.loclists_base);
    facts.rangesBase = root.number(AT.GNU_ranges_base) ?? 0;
    facts.lines = root.number(AT.stmt_list);
    facts.language = root.number(AT.language) ?? 0;
    facts.name = root.string(AT.name) ?? '';
    facts.directory = root.string(AT.comp_dir) ?? '';
    facts.producer = root.string(AT.producer) ?? '';
    facts.lowPc = root.address(AT.low_pc) ?? 0;
    const split = root.string(AT.dwo_name) ?? root.string(AT.GNU_dwo_name);
    if (split !== undefined)
      this.warn(
        `${facts.name || 'a unit'} has its types and variables in ${split} (split DWARF), which is not read: build without -gsplit-dwarf`,
      );
    return facts;
  }

  string(unit: Unit, form: number, reader: Reader): string | undefined {
    const { str, line_str } = this.sections;
    switch (form) {
      case FORM.string:
        return reader.string();
      case FORM.strp:
        return stringAt(str, '.debug_str', reader.offset(unit.offsetSize));
      case FORM.line_strp:
        return stringAt(line_str, '.debug_line_str', reader.offset(unit.offsetSize));
      case FORM.strx:
      case FORM.strx1:
      case FORM.strx2:
      case FORM.strx3:
      case FORM.strx4:
      case FORM.GNU_str_index:
        return stringAt(str, '.debug_str', this.stringOffset(unit, form, reader));
      case FORM.strp_sup:
      case FORM.GNU_strp_alt:
        this.supplementary();
        return undefined;
      default:
        return undefined;
    }
  }
  /** DW_FORM_strx and its like: through .debug_str_offsets (DWARF 5 section 7.26). */
  stringOffset(unit: Unit, form: number, reader: Reader): number {
    const sizes: Record<number, number> = { [FORM.strx1]: 1, [FORM.strx2]: 2, [FORM.strx3]: 3, [FORM.strx4]: 4 };
    const size = sizes[form];
    const index = size === undefined ? reader.uleb() : reader.unsigned(size);
    const base = this.facts(unit).strOffsetsBase ?? (unit.offsetSize === 8 ? 16 : 8);
    return new Reader(this.sections.str_offsets, '.debug_str_offsets', base + index * unit.offsetSize).offset(
      unit.offsetSize,
    );
  }

  address(unit: Unit, form: number, reader: Reader): number | undefined {
    if (form === FORM.addr) return reader.address(unit.addressSize);
    const sizes: Record<number, number> = { [FORM.addrx1]: 1, [FORM.addrx2]: 2, [FORM.addrx3]: 3, [FORM.addrx4]: 4 };
    if (form === FORM.addrx || form === FORM.GNU_addr_index) return this.indexedAddress(unit, reader.uleb());
    const size = sizes[form];
    return size === undefined ? undefined : this.indexedAddress(unit, reader.unsigned(size));
  }
  /** An element of .debug_addr. */
  indexedAddress(unit: Unit, index: number): number {
    const base = this.facts(unit).addrBase ?? (unit.version >= 5 ? 8 : 0);
    return new Reader(this.sections.addr, '.debug_addr', base + index * unit.addressSize).address(unit.addressSize);
  }

  /** Offset of the entry that is referred to, in the numbering of units.ts. */
  reference(unit: Unit, form: number, reader: Reader): number | undefined {
    switch (form) {
      case FORM.ref1:
        return unit.start + reader.u8();
      case FORM.ref2:
        return unit.start + reader.u16();
      case FORM.ref4:
        return unit.start + reader.u32();
      case FORM.ref8:
        return unit.start + reader.u64Number();
      case FORM.ref_udata:
        return unit.start + reader.uleb();
      case FORM.ref_addr:
        return unit.version <= 2 ? reader.unsigned(unit.addressSize) : reader.offset(unit.offsetSize);
      case FORM.ref_sig8: {
        const signature = reader.u64();
        const offset = this.signatures.get(signature);
        if (offset === undefined) this.warn(`type unit ${signature.toString(16)} is not in the file`);
        return offset;
      }
      case FORM.GNU_ref_alt:
      case FORM.ref_sup4:
      case FORM.ref_sup8:
        this.supplementary();
        return undefined;
      default:
        this.warn(`references of form ${nameOf(FORM, form)} are not known`);
        return undefined;
    }
  }
  private supplementary(): void {
    this.warn(
      'some entries are in a supplementary file (.gnu_debugaltlink, made by dwz), which is not read: use the file as it was before dwz -m',
    );
  }
}
