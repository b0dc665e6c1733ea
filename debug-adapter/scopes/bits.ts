/** Named bits of control registers, flags and page-table entries: from the manuals' tables to text and back. */
import { CR0, CR4, EFER, RFLAGS } from '../../emulator/x86/registers';

export interface Field {
  name: string;
  /** Lowest bit. */
  bit: number;
  width: number;
}

/** From a table of masks as emulator/x86 has them. */
const fieldsOf = (masks: Readonly<Record<string, number>>): Field[] =>
  Object.entries(masks)
    .filter(([name]) => name !== 'FIXED')
    .map(([name, mask]) => {
      const unsigned = mask >>> 0;
      const bit = 31 - Math.clz32(unsigned & -unsigned);
      return { name, bit, width: 32 - Math.clz32(unsigned >>> bit) };
    });

export const FIELDS: Readonly<Record<string, readonly Field[]>> = {
  rflags: fieldsOf(RFLAGS),
  cr0: fieldsOf(CR0),
  cr4: fieldsOf(CR4),
  efer: fieldsOf(EFER),
  // SDM vol. 3B figure 18-1.
  dr6: [
    ...[0, 1, 2, 3].map((n) => ({ name: `B${n}`, bit: n, width: 1 })),
    { name: 'BD', bit: 13, width: 1 },
    { name: 'BS', bit: 14, width: 1 },
    { name: 'BT', bit: 15, width: 1 },
  ],
  dr7: [
    ...[0, 1, 2, 3].flatMap((n) => [
      { name: `L${n}`, bit: 2 * n, width: 1 },
      { name: `G${n}`, bit: 2 * n + 1, width: 1 },
    ]),
    { name: 'GD', bit: 13, width: 1 },
    ...[0, 1, 2, 3].flatMap((n) => [
      { name: `RW${n}`, bit: 16 + 4 * n, width: 2 },
      { name: `LEN${n}`, bit: 18 + 4 * n, width: 2 },
    ]),
  ],
};

export const fieldValue = (value: bigint, field: Field): bigint =>
  (value >> BigInt(field.bit)) & ((1n << BigInt(field.width)) - 1n);

export const withField = (value: bigint, field: Field, part: bigint): bigint => {
  const mask = ((1n << BigInt(field.width)) - 1n) << BigInt(field.bit);
  return (value & ~mask) | ((part << BigInt(field.bit)) & mask);
};

/** `[ PE PG IOPL=3 ]`: names of set bits, values of wider fields. */
export const describeBits = (value: bigint, fields: readonly Field[]): string => {
  const set = fields
    .filter((field) => fieldValue(value, field) !== 0n)
    .map((field) => (field.width === 1 ? field.name : `${field.name}=${fieldValue(value, field)}`));
  return set.length === 0 ? '[ ]' : `[ ${set.join(' ')} ]`;
};
