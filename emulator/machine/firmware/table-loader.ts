/**
 * ACPI tables for firmware that places them itself: the tables as one file, and commands that say where pointers and
 * checksums are. Source: QEMU "hw/acpi/bios-linker-loader" as SeaBIOS's romfile_loader reads it: commands of 128 bytes.
 */
import { assert } from '../../util/assert';
import type { Bytes, Region } from './bytes';
import { ascii, u32, u8, zeros } from './bytes';

const COMMAND = { ALLOCATE: 1, ADD_POINTER: 2, ADD_CHECKSUM: 3 } as const;
const ZONE = { HIGH: 1, LOW: 2 } as const;
const COMMAND_BYTES = 128;
const TABLES = 'etc/acpi/tables';
const RSDP = 'etc/acpi/rsdp';
const CHECKSUM_AT = 9;
const FACS_ALIGN = 64;

const name = (file: string): Bytes => ascii(file, 56, '\0');
const command = (...fields: Bytes[]): Bytes => {
  const bytes = fields.flat();
  return [...bytes, ...zeros(COMMAND_BYTES - bytes.length)];
};
const allocate = (file: string, align: number, zone: number): Bytes =>
  command(u32(COMMAND.ALLOCATE), name(file), u32(align), u8(zone));
const addPointer = (inFile: string, offset: number, bytes: number): Bytes =>
  command(u32(COMMAND.ADD_POINTER), name(inFile), name(TABLES), u32(offset), u8(bytes));
const addChecksum = (file: string, at: number, start: number, length: number): Bytes =>
  command(u32(COMMAND.ADD_CHECKSUM), name(file), u32(at), u32(start), u32(length));

/** Pointers in tables, by signature: offset and bytes. RSDT and XSDT are lists of them. */
const POINTERS: Record<string, readonly (readonly [offset: number, bytes: 4 | 8])[]> = {
  FACP: [[36, 4], [40, 4], [132, 8], [140, 8]],
}; // prettier-ignore

/** `regions` as acpiTables() gives them: tables, FACS, root pointer, each at an address. */
export function acpiFiles(regions: readonly Region[]): Record<string, Uint8Array> {
  const byName = (what: string): Region => {
    const region = regions.find((r) => r.what === what);
    assert(region !== undefined, `no ${what} among the firmware's regions`);
    return region;
  };
  const [tables, facs, rsdp] = ['ACPI tables', 'ACPI FACS', 'ACPI root pointer'].map(byName) as [
    Region,
    Region,
    Region,
  ];
  const facsAt = Math.ceil(tables.bytes.length / FACS_ALIGN) * FACS_ALIGN;
  const file = new Uint8Array(facsAt + facs.bytes.length);
  file.set(tables.bytes);
  file.set(facs.bytes, facsAt);
  const inFile = (gpa: number): number => {
    if (gpa >= facs.gpa && gpa < facs.gpa + facs.bytes.length) return facsAt + gpa - facs.gpa;
    assert(gpa >= tables.gpa && gpa < tables.gpa + tables.bytes.length, `an ACPI table at ${gpa} outside of all`);
    return gpa - tables.gpa;
  };
  const commands: Bytes[] = [allocate(TABLES, FACS_ALIGN, ZONE.HIGH), allocate(RSDP, 16, ZONE.LOW)];
  /** The address becomes an offset in the file, to which firmware adds where the file lies. */
  const point = (bytes: Uint8Array, where: string, offset: number, width: number): void => {
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    const gpa = view.getUint32(offset, true);
    if (gpa === 0) return;
    view.setUint32(offset, inFile(gpa), true);
    commands.push(addPointer(where, offset, width));
  };
  for (const { at, signature, length } of tablesIn(tables.bytes)) {
    for (const [offset, bytes] of pointersOf(signature, length)) point(file, TABLES, at + offset, bytes);
    commands.push(addChecksum(TABLES, at + CHECKSUM_AT, at, length));
  }
  const root = rsdp.bytes.slice();
  point(root, RSDP, 16, 4);
  point(root, RSDP, 24, 8);
  commands.push(addChecksum(RSDP, 8, 0, 20), addChecksum(RSDP, 32, 0, 36));
  return { [TABLES]: file, [RSDP]: root, 'etc/table-loader': Uint8Array.from(commands.flat()) };
}

function pointersOf(signature: string, length: number): readonly (readonly [offset: number, bytes: 4 | 8])[] {
  const width = signature === 'RSDT' ? 4 : signature === 'XSDT' ? 8 : 0;
  if (width === 0) return POINTERS[signature] ?? [];
  return Array.from({ length: (length - 36) / width }, (_, i) => [36 + i * width, width]);
}

/** One after the other, each begins on 16 bytes. */
function* tablesIn(bytes: Uint8Array): Generator<{ at: number; signature: string; length: number }> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at + 36 <= bytes.length;) {
    const signature = String.fromCharCode(...bytes.subarray(at, at + 4));
    const length = view.getUint32(at + 4, true);
    assert(/^[A-Z0-9]{4}$/.test(signature) && length >= 36, `no ACPI table at ${at} of its region`);
    yield { at, signature, length };
    at = Math.ceil((at + length) / 16) * 16;
  }
}
