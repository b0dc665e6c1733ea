/**
 * The one quick pass over all entries: names of functions, variables, types and enumerators, and where functions lie.
 * Only entries at the top of a unit (and in its name spaces) are looked at; what is below them is stepped over.
 */
import { type Abbreviation, type AbbreviationTable, skipValue, skipValues } from './abbreviations';
import { AT, FORM, TAG } from './dwarf-constants';
import type { Dwarf } from './dwarf';
import { ENTRY, type EntryKind, NameIndex, SOURCE } from './names';
import { rangesOf } from './ranges';
import { DwarfError, type Reader } from './reader';
import * as plan from './scan-plan';
import { Numbers, type Slices, sortedOrder } from './slices';
import type { Unit } from './units';

/** Functions by address: parallel arrays, in ascending order of `low`. A split function has several elements. */
export interface FunctionIndex {
  low: Float64Array;
  high: Float64Array;
  entry: Uint32Array;
}

/** Own bindings: an imported one costs a call in some module formats, and these loops are hot. */
const { FLAG_PRESENT, FUNCTION, makePlan, NOTHING, REF4, ROLE, SPACE, VARIABLE } = plan;
type Plan = plan.Plan;

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
  private current!: Unit;
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

  async unit(unit: Unit, slices: Slices): Promise<void> {
    try {
      this.begin(unit);
      while (!this.some()) if (slices.due()) await slices.pause();
    } catch (error) {
      if (!(error instanceof DwarfError)) throw error;
      this.dwarf.warn(
        `${unit.section}: the unit at 0x${(unit.start - unit.base).toString(16)} is read in part: ${error.message}`,
      );
    }
  }
  /** After the last unit. */
  async functions(slices: Slices): Promise<FunctionIndex> {
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

  private begin(unit: Unit): void {
    this.current = unit;
    this.nested = nests(this.dwarf.facts(unit).language);
    this.table = this.dwarf.abbreviations(unit);
    this.path = [];
    const root = this.dwarf.entry(unit.root, unit);
    this.reader = this.dwarf.reader(unit, root?.hasChildren ? root.next - unit.base : unit.end - unit.base);
  }

  /** Up to STEP entries; true when the unit is done. */
  private some(): boolean {
    const { reader, current: unit } = this;
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
    const { noted } = this;
    const plan = (abbreviation.plan ??= makePlan(abbreviation, this.current)) as Plan;
    const { what } = plan;
    if (what === NOTHING && !abbreviation.children) return skipValues(this.reader, abbreviation, this.current);
    this.note(plan);
    let inside = false;
    if (what === FUNCTION) this.addFunction(offset);
    else if (what === VARIABLE) this.addVariable(offset);
    else if (what === SPACE) inside = true;
    else if (what !== NOTHING) inside = this.addType(offset, what as EntryKind, abbreviation.children);
    if (!abbreviation.children) return;
    if (inside) this.path.push(noted.name < 0 ? undefined : this.nameText());
    else this.skipChildren(noted.sibling);
  }

  /** Reads the values of an entry; the reader is behind them afterwards. */
  private note({ roles, forms, steps }: Plan): void {
    const { reader, noted, current: unit } = this;
    noted.name = noted.sibling = -1;
    noted.declared = noted.located = noted.hasCode = noted.origin = false;
    for (let i = 0; i < steps.length; i++) {
      switch (roles[i]) {
        case ROLE.NAME:
          noted.name = reader.at;
          noted.nameForm = forms[i]!;
          break;
        case ROLE.DECLARED:
          noted.declared = forms[i] === FLAG_PRESENT || reader.bytes[reader.at] !== 0;
          break;
        case ROLE.LOCATED:
          noted.located = true;
          break;
        case ROLE.CODE:
          noted.hasCode = true;
          break;
        case ROLE.ORIGIN:
          noted.origin = true;
          break;
        case ROLE.SIBLING:
          if (forms[i] === REF4) {
            noted.sibling = unit.start - unit.base + reader.u32();
            continue;
          }
      }
      const step = steps[i]!;
      if (step >= 0) reader.skip(step);
      else skipValue(reader, step, unit);
    }
  }

  private skipChildren(sibling: number): void {
    const { reader, current: unit } = this;
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
        this.note((abbreviation.plan ??= makePlan(abbreviation, unit)) as Plan);
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
    const entry = this.dwarf.entry(offset, this.current)!;
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
    const entry = this.dwarf.entry(offset, this.current)!;
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
      const name = this.dwarf.nameOf(this.dwarf.entry(offset, this.current)!);
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
    const { noted, current: unit, reader } = this;
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
