/** All rows, numbered. The table of what exists: decoder, tiers, listings and tests derive from it. */
import type { Row } from './instruction';
import type { RowSpec } from './row';
import { integerRows } from './rows/integer';
import { branchRows } from './rows/branch';
import { farRows } from './rows/far';
import { stringRows } from './rows/string';
import { farRows } from './rows/far';
import { systemRows } from './rows/system';
import { systemRows } from './rows/system';

const FAMILIES: readonly (readonly RowSpec[])[] = [integerRows, branchRows, stringRows, systemRows, farRows];

export const ROWS: readonly Row[] = FAMILIES.flat().map((spec, index) => ({ index, ...spec }));
