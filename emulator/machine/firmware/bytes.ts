/** Bytes of firmware tables: little-endian fields, text, checksums. */

/** What firmware puts in guest memory before anything runs. */
export interface Region {
  gpa: number;
  bytes: Uint8Array;
  /** For people: `ACPI tables`. */
  what: string;
}

export type Bytes = readonly number[];

export const u8 = (value: number): Bytes => [value & 0xff];
export const u16 = (value: number): Bytes => [value & 0xff, (value >>> 8) & 0xff];
export const u32 = (value: number): Bytes => [...u16(value), ...u16(value >>> 16)];
/** Below 2^53. */
export const u64 = (value: number): Bytes => [...u32(value >>> 0), ...u32(Math.floor(value / 0x1_0000_0000))];
export const zeros = (count: number): Bytes => new Array<number>(count).fill(0);
/** ASCII, cut or padded to `length`. */
export const ascii = (text: string, length = text.length, pad = ' '): Bytes =>
  Array.from(text.padEnd(length, pad).slice(0, length), (c) => c.charCodeAt(0));

/** The byte that makes all of them add up to 0. */
export function checksum(bytes: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i++) sum += bytes[i]!;
  return -sum & 0xff;
}

/** `bytes` with its checksum at `at`, over the first `length`. */
export function withChecksum(bytes: Bytes, at: number, length = bytes.length): Bytes {
  const result = [...bytes];
  result[at] = 0;
  result[at] = checksum(result.slice(0, length));
  return result;
}
