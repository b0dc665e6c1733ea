/** All rows, numbered. The table of what exists: decoder, tiers, listings and tests derive from it. */
import type { Row, RowAttributes } from './instruction';
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

/** All rows' attributes have all properties in one order: reading them is several times as fast with objects of one shape. */
const NONE: Record<keyof RowAttributes, undefined> = {
  writes: undefined, undefined: undefined, reads: undefined, privileged: undefined, io: undefined, sensitive: undefined,
  intercept: undefined, lock: undefined, repeat: undefined, only64: undefined, not64: undefined, protectedOnly: undefined,
  only64OnIntel: undefined, notLongOnAmd: undefined, default64: undefined, force64: undefined, form: undefined, ends: undefined, feature: undefined,
}; // prettier-ignore

export const ROWS: readonly Row[] = FAMILIES.flat().map(
  ({ mnemonic, opcode, operands, meaning, attributes }, index): Row => ({
    index, mnemonic, opcode, operands, meaning, attributes: { ...NONE, ...attributes },
  }),
); // prettier-ignore
