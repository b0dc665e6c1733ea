/**
 * ACPI machine language, one function a production of the grammar (ACPI 6.4 section 20.2), and the resource
 * descriptors of section 6.4. Only what the tables of this PC need.
 */
import { assert } from '../../util/assert';
import type { Bytes } from './bytes';
import { ascii, u16, u32 } from './bytes';

// --- 20.2.1, 20.2.4: names and package lengths

const nameSeg = (name: string): Bytes => {
  assert(/^[A-Z_][A-Z0-9_]{0,3}$/.test(name), `${name} is not an AML name segment`);
  return ascii(name, 4, '_');
};

/** `\_SB.PCI0`, `^X`, `_CRS`. */
export function nameString(path: string): Bytes {
  const [, prefix, rest] = /^(\\|\^*)(.*)$/.exec(path)!;
  const segments = rest === '' ? [] : rest!.split('.');
  const encoded = segments.flatMap(nameSeg);
  const lead = ascii(prefix!);
  if (segments.length === 0) return [...lead, 0x00];
  if (segments.length === 1) return [...lead, ...encoded];
  if (segments.length === 2) return [...lead, 0x2e, ...encoded];
  return [...lead, 0x2f, segments.length, ...encoded];
}

/** Length of `body` and of itself, then `body`. */
export function pkg(body: Bytes): Bytes {
  if (body.length + 1 < 0x40) return [body.length + 1, ...body];
  for (let extra = 1; extra <= 3; extra++) {
    const total = body.length + 1 + extra;
    if (total >= 1 << (4 + 8 * extra)) continue;
    const lead = [(extra << 6) | (total & 0x0f)];
    for (let i = 0; i < extra; i++) lead.push((total >> (4 + 8 * i)) & 0xff);
    return [...lead, ...body];
  }
  throw new Error('Ringside is wrong about itself: an AML package of more than 256 MiB');
}

// --- 20.2.3: data objects

export function integer(value: number): Bytes {
  if (value === 0) return [0x00];
  if (value === 1) return [0x01];
  if (value < 0x100) return [0x0a, value];
  if (value < 0x1_0000) return [0x0b, ...u16(value)];
  return [0x0c, ...u32(value)];
}
export const defBuffer = (bytes: Bytes): Bytes => [0x11, ...pkg([...integer(bytes.length), ...bytes])];
export const defPackage = (...elements: Bytes[]): Bytes => [0x12, ...pkg([elements.length, ...elements.flat()])];

/** Compressed EISA id of `PNP0A03` (section 19.3.4): three letters of 5 bits, four digits, big-endian. */
export function eisaId(id: string): Bytes {
  assert(/^[A-Z]{3}[0-9A-F]{4}$/.test(id), `${id} is not an EISA id`);
  const letters = [...id.slice(0, 3)].reduce((sum, c) => (sum << 5) | (c.charCodeAt(0) - 0x40), 0);
  const digits = parseInt(id.slice(3), 16);
  return [0x0c, letters >> 8, letters & 0xff, digits >> 8, digits & 0xff];
}
export const string = (text: string): Bytes => [0x0d, ...ascii(text), 0];

// --- 20.2.5: objects, statements, expressions

export const defName = (name: string, value: Bytes): Bytes => [0x08, ...nameString(name), ...value];
export const defScope = (name: string, ...terms: Bytes[]): Bytes => [
  0x10,
  ...pkg([...nameString(name), ...terms.flat()]),
];
export const defDevice = (name: string, ...terms: Bytes[]): Bytes => [
  0x5b,
  0x82,
  ...pkg([...nameString(name), ...terms.flat()]),
];
export const defMethod = (name: string, argumentCount: number, ...terms: Bytes[]): Bytes => [
  0x14,
  ...pkg([...nameString(name), argumentCount, ...terms.flat()]),
];
export const defReturn = (value: Bytes): Bytes => [0xa4, ...value];
export const defStore = (value: Bytes, target: Bytes): Bytes => [0x70, ...value, ...target];
export const defIf = (condition: Bytes, ...terms: Bytes[]): Bytes => [0xa0, ...pkg([...condition, ...terms.flat()])];
export const argObj = (index: number): Bytes => [0x68 + index];

// --- 6.4: resource descriptors

/** `bytes` ports at `first`, 16-bit decode (6.4.2.5). */
export const io = (first: number, bytes: number): Bytes => [0x47, 0x01, ...u16(first), ...u16(first), 0x01, bytes];
/** Edge-triggered, active high, exclusive (6.4.2.1). */
export const irqNoFlags = (irq: number): Bytes => [0x22, ...u16(1 << irq)];

/** `bytes` of memory at `first`, read and write, fixed (6.4.3.4). */
export const memory32Fixed = (first: number, bytes: number): Bytes => [
  0x86,
  ...u16(9),
  1,
  ...u32(first),
  ...u32(bytes),
];

type Width = 2 | 4;
/** Word and doubleword address space (6.4.3.5), fixed ends, this bridge produces it. */
function addressSpace(type: number, flags: number, width: Width, first: number, last: number): Bytes {
  const field = width === 2 ? u16 : u32;
  const fields = [0, first, last, 0, last - first + 1].flatMap(field);
  return [width === 2 ? 0x88 : 0x87, ...u16(3 + fields.length), type, 0x0c, flags, ...fields];
}
export const wordBusNumber = (first: number, last: number): Bytes => addressSpace(2, 0, 2, first, last);
export const wordIo = (first: number, last: number): Bytes => addressSpace(1, 0x03, 2, first, last);
/** Read and write; cacheable (2) or not (0) in bits 2:1. */
export const dwordMemory = (first: number, last: number): Bytes => addressSpace(0, 0x01, 4, first, last);

/** Descriptors, end tag without checksum (6.4.2.9). */
export const resourceTemplate = (...descriptors: Bytes[]): Bytes => defBuffer([...descriptors.flat(), 0x79, 0x00]);

/** Common header of system description tables (5.2.6) in front of `body`. */
export function systemTable(signature: string, revision: number, body: Bytes): Bytes {
  const header = [
    ...ascii(signature, 4), ...u32(36 + body.length), revision, 0, ...ascii('RNGSID', 6), ...ascii('RINGSIDE', 8),
    ...u32(1), ...ascii('RNGS', 4), ...u32(1),
  ]; // prettier-ignore
  const table = [...header, ...body];
  let sum = 0;
  for (const byte of table) sum += byte;
  table[9] = -sum & 0xff;
  return table;
}
