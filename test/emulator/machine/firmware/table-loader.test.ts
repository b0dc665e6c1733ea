import assert from 'node:assert/strict';
import { acpiTables } from '../../../../emulator/machine/firmware/acpi';
import { acpiFiles } from '../../../../emulator/machine/firmware/table-loader';

const MIB = 1 << 20;
const PLACES: Record<string, number> = { 'etc/acpi/tables': 0x0ffe_0000, 'etc/acpi/rsdp': 0x000f_5000 };

/** Firmware: allocates, adds addresses, makes checksums. */
function load(files: Record<string, Uint8Array>): Map<number, Uint8Array> {
  const script = files['etc/table-loader']!;
  const placed: Record<string, Uint8Array> = {};
  const name = (at: number): string => Buffer.from(script.subarray(at, at + 56)).toString('latin1').replace(/\0.*/s, ''); // prettier-ignore
  const view = new DataView(script.buffer, script.byteOffset);
  for (let at = 0; at < script.length; at += 128) {
    const file = name(at + 4);
    const u32 = (offset: number): number => view.getUint32(at + offset, true);
    if (u32(0) === 1) placed[file] = files[file]!.slice();
    else if (u32(0) === 2) {
      const where = new DataView(placed[file]!.buffer);
      where.setUint32(u32(116), where.getUint32(u32(116), true) + PLACES[name(at + 60)]!, true);
    } else {
      const bytes = placed[file]!;
      const sum = bytes.subarray(u32(64), u32(64) + u32(68)).reduce((a, b) => a + b, 0);
      bytes[u32(60)]! -= sum;
    }
  }
  return new Map(Object.entries(placed).map(([file, bytes]) => [PLACES[file]!, bytes]));
}

describe('ACPI tables that firmware places', () => {
  it('lead from the root pointer to every table, with good checksums', () => {
    const memory = load(acpiFiles(acpiTables(256 * MIB, 2, 0xf_0000)));
    const at = (gpa: number): DataView => {
      for (const [base, bytes] of memory) if (gpa >= base && gpa < base + bytes.length) return new DataView(bytes.buffer, gpa - base);
      throw new Error(`nothing at ${gpa.toString(16)}`);
    };
    const sum = (gpa: number, bytes: number): number => Array.from({ length: bytes }, (_, i) => at(gpa).getUint8(i)).reduce((a, b) => (a + b) & 0xff, 0);
    const signature = (gpa: number): string => Array.from({ length: 4 }, (_, i) => String.fromCharCode(at(gpa).getUint8(i))).join('');
    const table = (gpa: number): string => {
      assert.equal(sum(gpa, at(gpa).getUint32(4, true)), 0, `checksum of ${signature(gpa)}`);
      return signature(gpa);
    };
    const rsdp = PLACES['etc/acpi/rsdp']!;
    assert.deepEqual([sum(rsdp, 20), sum(rsdp, 36)], [0, 0]);
    for (const [pointer, root, width] of [[16, 'RSDT', 4], [24, 'XSDT', 8]] as const) {
      const list = at(rsdp).getUint32(pointer, true);
      assert.equal(table(list), root);
      const listed = Array.from({ length: (at(list).getUint32(4, true) - 36) / width }, (_, i) => at(list).getUint32(36 + i * width, true));
      assert.deepEqual(listed.map(table).slice(0, 2), ['FACP', 'APIC']);
      const [fadt] = listed as [number];
      for (const field of [40, 140]) assert.equal(table(at(fadt).getUint32(field, true)), 'DSDT');
      // One of the two is enough (ACPI 6.4 table 5.9).
      const facs = at(fadt).getUint32(36, true) || at(fadt).getUint32(132, true);
      assert.deepEqual([signature(facs), facs % 64], ['FACS', 0]);
    }
  }); // prettier-ignore
});
