/** System Management BIOS 2.8 (DMTF DSP0134): entry point and the structures that guests look at. */
import { BIOS_SEGMENT, FOUR_GIB, MIB, memorySplit } from '../address-map';
import type { Bytes, Region } from './bytes';
import { ascii, u16, u32, u64, withChecksum, zeros } from './bytes';

/** Formatted area, then strings, then the empty string. */
function structure(type: number, handle: number, fields: Bytes, ...strings: string[]): Bytes {
  const text = strings.length === 0 ? [0, 0] : [...strings.flatMap((s) => [...ascii(s), 0]), 0];
  return [type, fields.length + 4, ...u16(handle), ...fields, ...text];
}

const bios = (): Bytes =>
  structure(
    0, 0x0000,
    [
      1, 2, ...u16(BIOS_SEGMENT >> 4), 3, 0 /* 64 KiB */, ...u64(0x80 /* PCI */), 0x01 /* ACPI */, 0x04, 0, 1, 0xff, 0xff,
    ],
    'Ringside', '0.1', '01/01/2024',
  ); // prettier-ignore

const system = (): Bytes =>
  structure(1, 0x0100, [1, 2, 3, 0, ...zeros(16), 6 /* power switch */, 0, 0], 'Ringside', 'PC', '0.1');

function processor(cpu: number, signature: number): Bytes {
  const socket = `CPU ${cpu}`;
  const fields = [
    1, 3 /* central */, 0x01 /* other family */, 2, ...u32(signature), ...u32(0x201), 3, 0x80 | 0x0a, ...u16(0),
    ...u16(100), ...u16(100), 0x41 /* populated, enabled */, 1 /* other upgrade */, ...u16(0xffff), ...u16(0xffff),
    ...u16(0xffff), 0, 0, 0, 1, 1, 1, ...u16(0x0004 /* 64-bit */), ...u16(0x01),
  ]; // prettier-ignore
  return structure(4, 0x0400 + cpu, fields, socket, 'Ringside', '0.1');
}

const memoryArray = (memoryBytes: number): Bytes =>
  structure(16, 0x1000, [3, 3, 3, ...u32(memoryBytes / 1024), ...u16(0xfffe), ...u16(1), ...u64(0)]);

function memoryDevice(memoryBytes: number): Bytes {
  const mib = memoryBytes / MIB;
  const size = mib < 0x7fff ? mib : 0x7fff;
  const fields = [
    ...u16(0x1000), ...u16(0xfffe), ...u16(64), ...u16(64), ...u16(size), 9 /* DIMM */, 0, 1, 0, 7 /* RAM */, ...u16(2),
    ...u16(0), 2, 0, 0, 0, 0, ...u32(size === 0x7fff ? mib : 0), ...u16(0), ...u16(0), ...u16(0), ...u16(0),
  ]; // prettier-ignore
  return structure(17, 0x1100, fields, 'DIMM 0', 'Ringside');
}

const mapped = (handle: number, gpa: number, bytes: number): Bytes =>
  structure(19, handle, [
    ...u32(gpa / 1024), ...u32((gpa + bytes) / 1024 - 1), ...u16(0x1000), 1, ...u64(0), ...u64(0),
  ]); // prettier-ignore

/** Entry point at `gpa` (16-byte aligned, F0000h to FFFFFh), the structures after it. */
export function smbios(gpa: number, memoryBytes: number, cpus: number, identity: { signature: number }): Region {
  const { low, high } = memorySplit(memoryBytes);
  const structures: Bytes[] = [bios(), system()];
  for (let cpu = 0; cpu < cpus; cpu++) structures.push(processor(cpu, identity.signature));
  structures.push(memoryArray(memoryBytes), memoryDevice(memoryBytes), mapped(0x1300, 0, low));
  if (high > 0) structures.push(mapped(0x1301, FOUR_GIB, high));
  structures.push(structure(32, 0x2000, [...zeros(6), 0]), structure(127, 0x7f00, []));
  const table = structures.flat();
  const largest = Math.max(...structures.map((s) => s.length));
  const inner = withChecksum(
    [...ascii('_DMI_'), 0, ...u16(table.length), ...u32(gpa + 32), ...u16(structures.length), 0x28],
    5,
  );
  const entry = withChecksum([...ascii('_SM_'), 0, 0x1f, 2, 8, ...u16(largest), 0, ...zeros(5), ...inner], 4);
  return { gpa, bytes: Uint8Array.from([...entry, 0, ...table]), what: 'SMBIOS' };
}
