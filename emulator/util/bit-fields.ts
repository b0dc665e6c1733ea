/** Named bits and fields of a word, from tables of masks or of bit numbers. */
export interface Field {
  name: string;
  /** Lowest bit. */
  bit: number;
  width: number;
}

/** From a table of masks. What is called FIXED is always 1 and says nothing. */
export const fieldsOfMasks = (masks: Readonly<Record<string, number>>): Field[] =>
  Object.entries(masks)
    .filter(([name]) => name !== 'FIXED')
    .map(([name, mask]) => {
      const unsigned = mask >>> 0;
      const bit = 31 - Math.clz32(unsigned & -unsigned);
      return { name, bit, width: 32 - Math.clz32(unsigned >>> bit) };
    });
/** From a table of bit numbers, or a list of names from bit 0 on. */
export const fieldsOfBits = (bits: Readonly<Record<string, number>> | readonly string[]): Field[] =>
  Array.isArray(bits)
    ? bits.map((name: string, bit) => ({ name, bit, width: 1 }))
    : Object.entries(bits as Readonly<Record<string, number>>).map(([name, bit]) => ({ name, bit, width: 1 }));

export const fieldValue = (value: bigint, field: Field): bigint =>
  (value >> BigInt(field.bit)) & ((1n << BigInt(field.width)) - 1n);

/** Those that are not 0. */
export const setFields = (value: bigint, fields: readonly Field[]): (Field & { value: number })[] =>
  fields.flatMap((field) => {
    const part = Number(fieldValue(value, field));
    return part === 0 ? [] : [{ ...field, value: part }];
  });
