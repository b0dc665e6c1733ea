/** Abbreviation tables and the sizes of forms. DWARF 5 sections 7.5.3 and 7.5.6. */
import { AT, FORM, nameOf } from './dwarf-constants';
import { DwarfError, Reader } from './reader';

const SIBLING = AT.sibling;
const IMPLICIT_CONST = FORM.implicit_const;

/** What the sizes of some forms depend on. */
export interface Sizes {
  version: number;
  addressSize: number;
  offsetSize: 4 | 8;
}

export interface Abbreviation {
  tag: number;
  children: boolean;
  /** One element an attribute. */
  names: number[];
  forms: number[];
  /** Values of DW_FORM_implicit_const, by index of the attribute. */
  implicit?: Map<number, bigint>;
  /** How to step over all values: n ≥ 0 skips n bytes, the rest are SKIP. */
  steps: number[];
  /** Index of DW_AT_sibling, -1 if none. */
  sibling: number;
  /** Notes of scan.ts. */
  plan?: unknown;
}
export type AbbreviationTable = Map<number, Abbreviation>;

export const SKIP = { LEB: -1, STRING: -2, BLOCK: -3, BLOCK1: -4, BLOCK2: -5, BLOCK4: -6, INDIRECT: -7 } as const;

// prettier-ignore
const FIXED: Readonly<Record<number, number>> = {
  [FORM.data1]: 1, [FORM.data2]: 2, [FORM.data4]: 4, [FORM.data8]: 8, [FORM.data16]: 16, [FORM.flag]: 1,
  [FORM.flag_present]: 0, [FORM.implicit_const]: 0, [FORM.ref1]: 1, [FORM.ref2]: 2, [FORM.ref4]: 4, [FORM.ref8]: 8,
  [FORM.ref_sig8]: 8, [FORM.ref_sup4]: 4, [FORM.ref_sup8]: 8, [FORM.strx1]: 1, [FORM.strx2]: 2, [FORM.strx3]: 3,
  [FORM.strx4]: 4, [FORM.addrx1]: 1, [FORM.addrx2]: 2, [FORM.addrx3]: 3, [FORM.addrx4]: 4,
};
// prettier-ignore
const VARIABLE: Readonly<Record<number, number>> = {
  [FORM.sdata]: SKIP.LEB, [FORM.udata]: SKIP.LEB, [FORM.ref_udata]: SKIP.LEB, [FORM.strx]: SKIP.LEB,
  [FORM.addrx]: SKIP.LEB, [FORM.loclistx]: SKIP.LEB, [FORM.rnglistx]: SKIP.LEB, [FORM.GNU_addr_index]: SKIP.LEB,
  [FORM.GNU_str_index]: SKIP.LEB, [FORM.string]: SKIP.STRING, [FORM.block]: SKIP.BLOCK, [FORM.exprloc]: SKIP.BLOCK,
  [FORM.block1]: SKIP.BLOCK1, [FORM.block2]: SKIP.BLOCK2, [FORM.block4]: SKIP.BLOCK4, [FORM.indirect]: SKIP.INDIRECT,
};

/** Bytes of a form's value, or one of SKIP. */
export const stepOver = (form: number, sizes: Sizes): number => {
  const step = FIXED[form] ?? VARIABLE[form];
  if (step !== undefined) return step;
  switch (form) {
    case FORM.addr:
      return sizes.addressSize;
    case FORM.ref_addr:
      return sizes.version <= 2 ? sizes.addressSize : sizes.offsetSize;
    case FORM.strp:
    case FORM.line_strp:
    case FORM.sec_offset:
    case FORM.strp_sup:
    case FORM.GNU_ref_alt:
    case FORM.GNU_strp_alt:
      return sizes.offsetSize;
    default:
      throw new DwarfError(`attribute form ${nameOf(FORM, form)} is not known`);
  }
};

/** Moves over one value. */
export const skipValue = (reader: Reader, step: number, sizes: Sizes): void => {
  if (step >= 0) return reader.skip(step);
  switch (step) {
    case SKIP.LEB:
      return reader.skipLeb();
    case SKIP.STRING:
      return reader.skipString();
    case SKIP.BLOCK:
      return reader.skip(reader.uleb());
    case SKIP.BLOCK1:
      return reader.skip(reader.u8());
    case SKIP.BLOCK2:
      return reader.skip(reader.u16());
    case SKIP.BLOCK4:
      return reader.skip(reader.u32());
    default:
      return skipValue(reader, stepOver(indirectForm(reader), sizes), sizes);
  }
};

/** The form of a value of DW_FORM_indirect. */
export const indirectForm = (reader: Reader): number => {
  const form = reader.uleb();
  if (form === FORM.indirect) throw new DwarfError(`${reader.section}: DW_FORM_indirect says DW_FORM_indirect`);
  return form;
};

/** Moves over all values of an entry. */
export const skipValues = (reader: Reader, abbreviation: Abbreviation, sizes: Sizes): void => {
  for (const step of abbreviation.steps) {
    if (step >= 0) reader.skip(step);
    else skipValue(reader, step, sizes);
  }
};

export const readAbbreviations = (section: Uint8Array, offset: number, sizes: Sizes): AbbreviationTable => {
  const reader = new Reader(section, '.debug_abbrev', offset);
  const table: AbbreviationTable = new Map();
  for (let code = reader.uleb(); code !== 0; code = reader.uleb()) table.set(code, readOne(reader, sizes));
  return table;
};

const readOne = (reader: Reader, sizes: Sizes): Abbreviation => {
  const entry: Abbreviation = { tag: reader.uleb(), children: reader.u8() !== 0, names: [], forms: [], steps: [], sibling: -1 }; // prettier-ignore
  for (;;) {
    const [name, form] = [reader.uleb(), reader.uleb()];
    if (name === 0 && form === 0) return entry;
    if (name === SIBLING) entry.sibling = entry.names.length;
    entry.names.push(name);
    entry.forms.push(form);
    if (form === IMPLICIT_CONST) (entry.implicit ??= new Map()).set(entry.names.length - 1, reader.slebBig());
    const step = stepOver(form, sizes);
    const last = entry.steps.length - 1;
    if (step >= 0 && last >= 0 && entry.steps[last]! >= 0) entry.steps[last]! += step;
    else entry.steps.push(step);
  }
};
