/**
 * The one quick pass over all entries: names of functions, variables, types and enumerators, and where functions lie.
 * Only entries at the top of a unit (and in its name spaces) are looked at; what is below them is stepped over.
 */
import { type Abbreviation, type AbbreviationTable, skipValue, skipValues, stepOver } from './abbreviations';
import { AT, FORM, TAG } from './dwarf-constants';
import type { Dwarf } from './dwarf';
import { ENTRY, type EntryKind, NameIndex, SOURCE } from './names';
import { rangesOf } from './ranges';
import { DwarfError, type Reader } from './reader';
import { Numbers, type Slices, sortedOrder } from './slices';
import type { Unit } from './units';

/** Functions by address: parallel arrays, in ascending order of `low`. A split function has several elements. */
export interface FunctionIndex {
  low: Float64Array;
  high: Float64Array;
  entry: Uint32Array;
}

const KIND: Readonly<Record<number, EntryKind>> = {
  [TAG.structure_type]: ENTRY.STRUCT,
  [TAG.class_type]: ENTRY.STRUCT,
  [TAG.union_type]: ENTRY.UNION,
  [TAG.enumeration_type]: ENTRY.ENUM,
  [TAG.typedef]: ENTRY.TYPE,
  [TAG.base_type]: ENTRY.TYPE,
};
/** Languages whose types contain types and functions: C++ and its standards, D, Rust and the like. */
const nests = (language: number): boolean => [0x04, 0x13, 0x1a, 0x1c, 0x21, 0x2b].includes(language);

/** Entries looked at between two looks at the clock. */
const STEP = 2000;

/** What the pass notes of one entry: positions of values, -1 where absent. */
class Noted {
  name = -1;
  nameForm = 0;
  declared = false;
  located = false;
  hasCode = false;
  origin = false;
  sibling = -1;
}

export class Scan {
  readonly names: NameIndex;
  private readonly low = new Numbers(new Float64Array(1024));
  private readonly high = new Numbers(new Float64Array(1024));
  private readonly entry = new Numbers(new Uint32Array(1024));
  private readonly noted = new Noted();
  private reader!: Reader;
  private unit!: Unit;
  private table!: AbbreviationTable;
  private nested = false;
  /** Names of the name spaces and classes that are open; undefined for those without a name. */
  private path: (string | undefined)[] = [];

  constructor(
    private readonly dwarf: Dwarf,
    private readonly mapped: (address: number) => boolean,
  ) {
    this.names = new NameIndex(dwarf.sections);
  }

  async run(slices: Slices, report: (unit: Unit) => void): Promise<FunctionIndex> {
    for (const unit of this.dwarf.units) {
      try {
        this.begin(unit);
        while (!this.some()) if (slices.due()) await this.pause(slices, unit, report);
      } catch (error) {
        if (!(error instanceof DwarfError)) throw error;
        this.dwarf.warn(
          `${unit.section}: the unit at 0x${(unit.start - unit.base).toString(16)} is read in part: ${error.message}`,
        );
      }
      if (slices.due()) await this.pause(slices, unit, report);
    }
    const keys = this.low.trimmed();
    const order = await sortedOrder(keys, slices);
    const [low, high, entry] = [
      new Float64Array(order.length),
      new Float64Array(order.length),
      new Uint32Array(order.length),
    ];
    order.forEach((from, to) => {
      low[to] = keys[from]!;
      high[to] = this.high.get(from);
      entry[to] = this.entry.get(from);
    });
    return { low, high, entry };
  }
  private pause(slices: Slices, unit: Unit, report: (unit: Unit) => void): Promise<void> {
    report(unit);
    return slices.pause();
  }

  private begin(unit: Unit): void {
    this.unit = unit;
    this.nested = nests(this.dwarf.facts(unit).language);
    this.table = this.dwarf.abbreviations(unit);
    this.path = [];
    const root = this.dwarf.entry(unit.root, unit);
    this.reader = this.dwarf.reader(unit, root?.hasChildren ? root.next - unit.base : unit.end - unit.base);
  }

  /** Up to STEP entries; true when the unit is done. */
  private some(): boolean {
    const { reader, unit } = this;
    for (let n = 0; n < STEP; n++) {
      if (reader.done) return true;
      const offset = reader.at + unit.base;
      const code = reader.uleb();
      if (code === 0) {
        if (this.path.length === 0) return true;
        this.path.pop();
        continue;
      }
      const abbreviation = this.table.get(code);
      if (!abbreviation) throw new DwarfError(`abbreviation ${code} is not in its table`);
      this.visit(offset, abbreviation);
    }
    return false;
  }

  private visit(offset: number, abbreviation: Abbreviation): void {
    const { reader, noted } = this;
    const { tag } = abbreviation;
    const kind = KIND[tag];
    const wanted = kind !== undefined || tag === TAG.subprogram || tag === TAG.variable || tag === TAG.namespace;
    if (!wanted && !abbreviation.children) return skipValues(reader, abbreviation, this.unit);
    this.note(abbreviation);
    let inside = false;
    if (tag === TAG.subprogram) this.addFunction(offset);
    else if (tag === TAG.variable) this.addVariable(offset);
    else if (tag === TAG.namespace) inside = true;
    else if (kind !== undefined) inside = this.addType(offset, kind, abbreviation.children);
    if (!abbreviation.children) return;
    if (inside) this.path.push(noted.name < 0 ? undefined : this.nameText());
    else this.skipChildren(noted.sibling);
  }

  /** Reads the values of an entry; the reader is behind them afterwards. */
  private note(abbreviation: Abbreviation): void {
    const { reader, noted, unit } = this;
    noted.name = noted.sibling = -1;
    noted.declared = noted.located = noted.hasCode = noted.origin = false;
    const { names, forms } = abbreviation;
    for (let i = 0; i < names.length; i++) {
      const form = forms[i]!;
      switch (names[i]) {
        case AT.name:
          noted.name = reader.at;
          noted.nameForm = form;
          break;
        case AT.declaration:
          noted.declared = form === FORM.flag_present || this.reader.bytes[reader.at] !== 0;
          break;
        case AT.location:
        case AT.const_value:
          noted.located = true;
          break;
        case AT.low_pc:
        case AT.ranges:
          noted.hasCode = true;
          break;
        case AT.abstract_origin:
        case AT.specification:
          noted.origin = true;
          break;
        case AT.sibling:
          if (form === FORM.ref4) {
            noted.sibling = this.unit.start - unit.base + reader.u32();
            continue;
          }
      }
      const step = stepOver(form, unit);
      if (step >= 0) reader.skip(step);
      else skipValue(reader, step, unit);
    }
  }

  private skipChildren(sibling: number): void {
    const { reader, unit } = this;
    if (sibling >= reader.at && sibling <= reader.end) {
      reader.at = sibling;
      return;
    }
    for (let depth = 1; depth > 0 && !reader.done;) {
      const code = reader.uleb();
      if (code === 0) {
        depth--;
        continue;
      }
      const abbreviation = this.table.get(code);
      if (!abbreviation) throw new DwarfError(`abbreviation ${code} is not in its table`);
      if (abbreviation.children && abbreviation.sibling >= 0) {
        this.note(abbreviation);
        if (this.noted.sibling >= reader.at && this.noted.sibling <= reader.end) reader.at = this.noted.sibling;
        else depth++;
        continue;
      }
      skipValues(reader, abbreviation, unit);
      if (abbreviation.children) depth++;
    }
  }

  private addFunction(offset: number): void {
    if (!this.noted.hasCode) return;
    const entry = this.dwarf.entry(offset, this.unit)!;
    for (const range of rangesOf(entry)) {
      if (!this.mapped(range.low)) continue;
      this.low.push(range.low);
      this.high.push(range.high);
      this.entry.push(offset);
    }
    this.addName(offset, ENTRY.FUNCTION, false);
  }
  private addVariable(offset: number): void {
    if (this.noted.located && !this.noted.declared) this.addName(offset, ENTRY.VARIABLE, false);
  }
  /** True if the entries below are to be looked at. */
  private addType(offset: number, kind: EntryKind, children: boolean): boolean {
    const { noted } = this;
    const known = noted.declared || (noted.name >= 0 && !this.addName(offset, kind, true));
    if (kind === ENTRY.ENUM && children && !known) this.addEnumerators(offset);
    return this.nested && (kind === ENTRY.STRUCT || kind === ENTRY.UNION) && !known;
  }
  private addEnumerators(offset: number): void {
    const keep = { ...this.noted };
    const after = this.reader.at;
    const entry = this.dwarf.entry(offset, this.unit)!;
    for (const child of entry.children()) {
      const name = child.tag === TAG.enumerator ? child.string(AT.name) : undefined;
      // Headers repeat anonymous enumerations in every unit: one known name is enough to know the rest.
      if (name !== undefined && !this.names.add(this.names.internText(name), ENTRY.ENUMERATOR, offset, true)) break;
    }
    Object.assign(this.noted, keep);
    this.reader.at = after;
  }

  /** False if it was there before and `once` is asked for. */
  private addName(offset: number, kind: EntryKind, once: boolean): boolean {
    const { noted } = this;
    if (noted.name < 0) {
      if (!noted.origin) return true;
      const name = this.dwarf.nameOf(this.dwarf.entry(offset, this.unit)!);
      return name === undefined || this.names.add(this.names.internText(name), kind, offset, once);
    }
    const name = this.internNoted();
    const added = this.names.add(name, kind, offset, once);
    if (this.path.some((part) => part !== undefined)) {
      const full = [...this.path.filter((part) => part !== undefined), this.names.text(name)].join('::');
      return this.names.add(this.names.internText(full), kind, offset, once);
    }
    return added;
  }
  /** The reader comes back to where it was. */
  private internNoted(): number {
    const { noted, unit, reader } = this;
    const form = noted.nameForm;
    if (form === FORM.string) return this.names.intern(unit.base === 0 ? SOURCE.INFO : SOURCE.TYPES, noted.name);
    const after = reader.at;
    reader.at = noted.name;
    let name: number;
    if (form === FORM.strp) name = this.names.intern(SOURCE.STR, reader.offset(unit.offsetSize));
    else if (form === FORM.line_strp) name = this.names.intern(SOURCE.LINE_STR, reader.offset(unit.offsetSize));
    else name = this.names.internText(this.dwarf.string(unit, form, reader) ?? '');
    reader.at = after;
    return name;
  }
  private nameText(): string {
    return this.names.text(this.internNoted());
  }
}
