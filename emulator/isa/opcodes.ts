/** All rows, numbered. The table of what exists: decoder, tiers, listings and tests derive from it. */
import type { Row } from './instruction';
import type { RowSpec } from './row';
import { integerRows } from './rows/integer';
import { branchRows } from './rows/branch';
import { stringRows } from './rows/string';

const FAMILIES: readonly (readonly RowSpec[])[] = [integerRows, branchRows, stringRows];

export const ROWS: readonly Row[] = FAMILIES.flat().map((spec, index) => ({ index, ...spec }));
