/** Named bits of control registers, flags and page-table entries: from the manuals' tables to text and back. */
import { fieldsOfMasks, fieldValue, setFields } from '../../emulator/util/bit-fields';
import type { Field } from '../../emulator/util/bit-fields';
import { CR0, CR4, EFER, RFLAGS } from '../../emulator/x86/registers';

export type { Field };
export { fieldValue };

export const FIELDS: Readonly<Record<string, readonly Field[]>> = {
  rflags: fieldsOfMasks(RFLAGS),
  cr0: fieldsOfMasks(CR0),
  cr4: fieldsOfMasks(CR4),
  efer: fieldsOfMasks(EFER),
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

export const withField = (value: bigint, field: Field, part: bigint): bigint => {
  const mask = ((1n << BigInt(field.width)) - 1n) << BigInt(field.bit);
  return (value & ~mask) | ((part << BigInt(field.bit)) & mask);
};

/** `[ PE PG IOPL=3 ]`: names of set bits, values of wider fields. */
export const describeBits = (value: bigint, fields: readonly Field[]): string => {
  const set = setFields(value, fields).map(({ name, width, value: part }) => (width === 1 ? name : `${name}=${part}`));
  return set.length === 0 ? '[ ]' : `[ ${set.join(' ')} ]`;
};
