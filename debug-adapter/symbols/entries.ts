/** One debugging information entry: its attributes, decoded when asked for. DWARF 5 sections 2.1 and 7.5. */
import { type Abbreviation, indirectForm, skipValue, skipValues, stepOver } from './abbreviations';
import { FORM } from './dwarf-constants';
import type { Dwarf } from './dwarf';
import type { Reader } from './reader';
import type { Unit } from './units';

export class Entry {
  private positions?: number[];
  private afterValues?: number;

  constructor(
    readonly dwarf: Dwarf,
    readonly unit: Unit,
    /** In the numbering of units.ts. */
    readonly offset: number,
    private readonly abbreviation: Abbreviation,
    /** Of the first value, in the unit's section. */
    private readonly values: number,
  ) {}

  get tag(): number {
    return this.abbreviation.tag;
  }
  get hasChildren(): boolean {
    return this.abbreviation.children;
  }
  /** Offset of what follows: the first child, or the next entry. */
  get next(): number {
    if (this.afterValues === undefined) {
      const reader = this.dwarf.reader(this.unit, this.values);
      skipValues(reader, this.abbreviation, this.unit);
      this.afterValues = reader.at;
    }
    return this.afterValues + this.unit.base;
  }
  has(name: number): boolean {
    return this.abbreviation.names.includes(name);
  }
  /** The form of an attribute, DW_FORM_indirect resolved; undefined where the entry has no such attribute. */
  form(name: number): number | undefined {
    return this.open(name)?.form;
  }

  /** A constant (also a flag or offset) as a number. */
  number(name: number): number | undefined {
    const value = this.constant(name);
    return value === undefined ? undefined : Number(value);
  }
  /** A constant: data forms without a sign, sdata and implicit_const with. Undefined for other classes of forms. */
  constant(name: number): bigint | undefined {
    const opened = this.open(name);
    if (!opened) return undefined;
    const { reader, form, implicit } = opened;
    switch (form) {
      case FORM.data1:
      case FORM.flag:
        return BigInt(reader.u8());
      case FORM.data2:
        return BigInt(reader.u16());
      case FORM.data4:
        return BigInt(reader.u32());
      case FORM.data8:
        return reader.u64();
      case FORM.data16:
        return reader.u64() | (reader.u64() << 64n);
      case FORM.udata:
        return reader.ulebBig();
      case FORM.sdata:
        return reader.slebBig();
      case FORM.implicit_const:
        return implicit;
      case FORM.flag_present:
        return 1n;
      case FORM.sec_offset:
        return BigInt(reader.offset(this.unit.offsetSize));
      case FORM.loclistx:
      case FORM.rnglistx:
        return BigInt(reader.uleb());
      default:
        return undefined;
    }
  }
  flag(name: number): boolean {
    return this.has(name) && (this.number(name) ?? 0) !== 0;
  }

  string(name: number): string | undefined {
    const opened = this.open(name);
    return opened && this.dwarf.string(this.unit, opened.form, opened.reader);
  }
  /** In the form of toAddress. */
  address(name: number): number | undefined {
    const opened = this.open(name);
    return opened && this.dwarf.address(this.unit, opened.form, opened.reader);
  }
  /** The entry that an attribute refers to. */
  reference(name: number): Entry | undefined {
    const opened = this.open(name);
    if (!opened) return undefined;
    const offset = this.dwarf.reference(this.unit, opened.form, opened.reader);
    return offset === undefined ? undefined : this.dwarf.entry(offset);
  }
  /** An expression or block. Not a copy. */
  block(name: number): Uint8Array | undefined {
    const opened = this.open(name);
    if (!opened) return undefined;
    const { reader, form } = opened;
    switch (form) {
      case FORM.exprloc:
      case FORM.block:
        return reader.block(reader.uleb());
      case FORM.block1:
        return reader.block(reader.u8());
      case FORM.block2:
        return reader.block(reader.u16());
      case FORM.block4:
        return reader.block(reader.u32());
      case FORM.data16:
        return reader.block(16);
      default:
        return undefined;
    }
  }

  /** Children in order. */
  *children(): Generator<Entry> {
    if (!this.hasChildren) return;
    let at = this.next;
    for (;;) {
      const child = this.dwarf.entry(at, this.unit);
      if (!child) return;
      yield child;
      at = this.dwarf.after(child);
    }
  }
  /** Position of DW_AT_sibling's target, where the producer wrote one. */
  sibling(): number | undefined {
    const index = this.abbreviation.sibling;
    if (index < 0) return undefined;
    const opened = this.open(this.abbreviation.names[index]!)!;
    const target = this.dwarf.reference(this.unit, opened.form, opened.reader);
    return target !== undefined && target > this.offset && target <= this.unit.end ? target : undefined;
  }

  private open(name: number): { reader: Reader; form: number; implicit: bigint | undefined } | undefined {
    const index = this.abbreviation.names.indexOf(name);
    if (index < 0) return undefined;
    this.positions ??= this.locate();
    const reader = this.dwarf.reader(this.unit, this.positions[index]!);
    const said = this.abbreviation.forms[index]!;
    const form = said === FORM.indirect ? indirectForm(reader) : said;
    return { reader, form, implicit: this.abbreviation.implicit?.get(index) };
  }
  private locate(): number[] {
    const reader = this.dwarf.reader(this.unit, this.values);
    const positions: number[] = [];
    for (const form of this.abbreviation.forms) {
      positions.push(reader.at);
      const step = stepOver(form, this.unit);
      if (step >= 0) reader.skip(step);
      else skipValue(reader, step, this.unit);
    }
    this.afterValues = reader.at;
    return positions;
  }
}
