/** All rows, numbered. The table of what exists: decoder, tiers, listings and tests derive from it. */
import type { Row } from './instruction';
import type { RowSpec } from './row';
import { integerRows } from './rows/integer';
import { avxRows } from './rows/avx';
import { avx2Rows } from './rows/avx2';
import { bmiRows } from './rows/bmi';
import { branchRows } from './rows/branch';
import { farRows } from './rows/far';
import { stringRows } from './rows/string';
import { systemRows } from './rows/system';
import { virtualizationRows } from './rows/virtualization';
import { ssse3Rows } from './rows/ssse3';
import { mmxRows } from './rows/mmx';
import { cryptoRows } from './rows/crypto';
import { sse4Rows } from './rows/sse4';
import { sseRows } from './rows/sse';
import { x87Rows } from './rows/x87';

const FAMILIES: readonly (readonly RowSpec[])[] = [
  integerRows,
  bmiRows,
  branchRows,
  stringRows,
  systemRows,
  virtualizationRows,
  farRows,
  x87Rows,
  sseRows,
  mmxRows,
  ssse3Rows,
  sse4Rows,
  cryptoRows,
  avxRows,
  avx2Rows,
];

export const ROWS: readonly Row[] = FAMILIES.flat().map((spec, index) => ({ index, ...spec }));
