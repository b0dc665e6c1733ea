/** How the quick pass of scan.ts reads the entries of one abbreviation: worked out once, not once an entry. */
import { type Abbreviation, type Sizes, stepOver } from './abbreviations';
import { AT, FORM, TAG } from './dwarf-constants';
import { ENTRY, type EntryKind } from './names';

const KIND: Readonly<Record<number, EntryKind>> = {
  [TAG.structure_type]: ENTRY.STRUCT,
  [TAG.class_type]: ENTRY.STRUCT,
  [TAG.union_type]: ENTRY.UNION,
  [TAG.enumeration_type]: ENTRY.ENUM,
  [TAG.typedef]: ENTRY.TYPE,
  [TAG.base_type]: ENTRY.TYPE,
};
/** What an attribute means to the pass, one byte each: looked up once an abbreviation, not once an entry. */
export const ROLE = { NONE: 0, NAME: 1, DECLARED: 2, LOCATED: 3, CODE: 4, ORIGIN: 5, SIBLING: 6 };
const ROLE_OF: Readonly<Record<number, number>> = {
  [AT.name]: ROLE.NAME,
  [AT.declaration]: ROLE.DECLARED,
  [AT.location]: ROLE.LOCATED,
  [AT.const_value]: ROLE.LOCATED,
  [AT.low_pc]: ROLE.CODE,
  [AT.ranges]: ROLE.CODE,
  [AT.abstract_origin]: ROLE.ORIGIN,
  [AT.specification]: ROLE.ORIGIN,
  [AT.sibling]: ROLE.SIBLING,
};
/** What an entry is to the pass: an EntryKind, a name space, or nothing. */
export const SPACE = 100;
export const NOTHING = 101;
export const { FUNCTION, VARIABLE } = ENTRY;
export const FLAG_PRESENT = FORM.flag_present;
export const REF4 = FORM.ref4;

export interface Plan {
  what: number;
  roles: Uint8Array;
  forms: number[];
  steps: number[];
}
export const makePlan = (abbreviation: Abbreviation, sizes: Sizes): Plan => {
  const { tag, names, forms } = abbreviation;
  const what = tag === TAG.subprogram ? ENTRY.FUNCTION : tag === TAG.variable ? ENTRY.VARIABLE : tag === TAG.namespace ? SPACE : (KIND[tag] ?? NOTHING); // prettier-ignore
  return {
    what,
    roles: Uint8Array.from(names, (n) => ROLE_OF[n] ?? ROLE.NONE),
    forms,
    steps: forms.map((f) => stepOver(f, sizes)),
  };
};
