import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as aml from '../../../../emulator/machine/firmware/aml';
import { RSDP_GPA, e820, firmwareTables } from '../../../../emulator/machine/firmware/firmware';

const MIB = 0x10_0000;
const GIB = 1024 * MIB;
const sum = (bytes: Uint8Array): number => bytes.reduce((total, b) => (total + b) & 0xff, 0);
const text = (bytes: Uint8Array): string => String.fromCharCode(...bytes);

/** Firmware's regions as memory that can be read anywhere. */
function memory(memoryBytes = 256 * MIB, cpus = 2) {
  const regions = firmwareTables(memoryBytes, cpus, { signature: 0x663 });
  const at = (gpa: number, bytes: number): Uint8Array => {
    const region = regions.find((r) => gpa >= r.gpa && gpa + bytes <= r.gpa + r.bytes.length);
    assert.ok(region, `nothing at ${gpa.toString(16)}`);
    return region.bytes.subarray(gpa - region.gpa, gpa - region.gpa + bytes);
  };
  const u16 = (gpa: number): number => at(gpa, 2)[0]! + at(gpa, 2)[1]! * 256;
  const u32 = (gpa: number): number => u16(gpa) + u16(gpa + 2) * 0x1_0000;
  const table = (gpa: number): { signature: string; bytes: Uint8Array } => {
    const bytes = at(gpa, u32(gpa + 4));
    return { signature: text(bytes.subarray(0, 4)), bytes };
  };
  return { regions, at, u16, u32, table };
}

describe('E820', () => {
  for (const size of [2 * MIB, 16 * MIB, 256 * MIB, 3 * GIB, 3 * GIB + MIB, 8 * GIB]) {
    it(`is sorted, disjoint and complete for ${size / MIB} MiB`, () => {
      const entries = e820(size);
      let end = 0;
      for (const { gpa, bytes } of entries.slice().sort((a, b) => a.gpa - b.gpa)) {
        assert.ok(gpa >= end && bytes > 0);
        end = gpa + bytes;
      }
      const ram = entries.filter((e) => e.type !== 2).reduce((total, e) => total + e.bytes, 0);
      // All but the VGA window, the BIOS area and the last KiB of conventional memory.
      assert.equal(ram, size - MIB + 0x9_fc00);
    });
  }
});

describe('ACPI tables', () => {
  it('are linked and add up to 0', () => {
    const { at, u32, table } = memory();
    const rsdp = at(RSDP_GPA, 36);
    assert.equal(text(rsdp.subarray(0, 8)), 'RSD PTR ');
    assert.deepEqual([sum(rsdp.subarray(0, 20)), sum(rsdp)], [0, 0]);
    const rsdt = u32(RSDP_GPA + 16);
    const xsdt = u32(RSDP_GPA + 24);
    const listed = [u32(rsdt + 36), u32(rsdt + 40), u32(rsdt + 44)];
    assert.deepEqual([u32(xsdt + 36), u32(xsdt + 44), u32(xsdt + 52)], listed);
    const [fadt, madt, hpet] = listed as [number, number, number];
    const expected = [[rsdt, 'RSDT'], [xsdt, 'XSDT'], [fadt, 'FACP'], [madt, 'APIC'], [hpet, 'HPET'], [u32(fadt + 40), 'DSDT']] as const;
    for (const [gpa, signature] of expected) {
      assert.equal(table(gpa).signature, signature);
      assert.equal(sum(table(gpa).bytes), 0, signature);
    }
    assert.equal(text(at(u32(fadt + 36), 4)), 'FACS');
    assert.equal(u32(fadt + 36) % 64, 0);
    // The FACS is named once.
    assert.deepEqual([u32(fadt + 132), u32(fadt + 140)], [0, u32(fadt + 40)]);
    assert.equal(u32(hpet + 44), 0xfed0_0000);
  }); // prettier-ignore
  it('lie in memory that E820 gives to ACPI', () => {
    for (const size of [2 * MIB, 256 * MIB, 4 * GIB]) {
      for (const region of firmwareTables(size, 4, { signature: 0 })) {
        const owner = e820(size).find(
          (e) => region.gpa >= e.gpa && region.gpa + region.bytes.length <= e.gpa + e.bytes,
        );
        assert.ok(owner && owner.type !== 1, `${region.what} of ${size}`);
      }
    }
  });
  it('list every processor', () => {
    const { u32, table } = memory(64 * MIB, 3);
    const { bytes } = table(u32(u32(RSDP_GPA + 16) + 40));
    const ids: number[] = [];
    for (let at = 44; at < bytes.length; at += bytes[at + 1]!) if (bytes[at] === 0) ids.push(bytes[at + 3]!);
    assert.deepEqual(ids, [0, 1, 2]);
  });
  it('disassemble and compile again to the same DSDT (iasl)', function () {
    if (spawnSync('iasl', ['-v']).error) {
      this.test!.title += ': skipped, iasl (acpica-tools) is not installed';
      return this.skip();
    }
    const { u32, table } = memory();
    const { bytes } = table(u32(u32(u32(RSDP_GPA + 16) + 36) + 40));
    const folder = mkdtempSync(join(tmpdir(), 'dsdt-'));
    try {
      writeFileSync(join(folder, 'dsdt.aml'), bytes);
      assert.equal(spawnSync('iasl', ['-d', 'dsdt.aml'], { cwd: folder }).status, 0);
      const source = readFileSync(join(folder, 'dsdt.dsl'), 'utf8');
      for (const needed of [
        'Device (PCI0)',
        'EisaId ("PNP0A03")',
        'EisaId ("PNP0501")',
        '_S5, Package',
        'Method (_PRT',
        'EisaId ("PNP0103")',
      ]) {
        assert.ok(source.includes(needed), needed);
      }
      // Without optimisation, so that every byte must come back.
      const again = spawnSync('iasl', ['-oa', '-p', 'again', 'dsdt.dsl'], { cwd: folder, encoding: 'utf8' });
      assert.match(again.stdout, /0 Errors, 0 Warnings/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('AML encoder', () => {
  const rows: [name: string, encoded: readonly number[], hex: string][] = [
    ['name', aml.nameString('_CRS'), '5f435253'],
    ['short name', aml.nameString('A'), '415f5f5f'],
    ['root name', aml.nameString('\\_SB.PCI0'), '5c2e5f53425f50434930'],
    ['three segments', aml.nameString('^A.B.C'), '5e2f03415f5f5f425f5f5f435f5f5f'],
    ['zero', aml.integer(0), '00'],
    ['one', aml.integer(1), '01'],
    ['byte', aml.integer(0xff), '0aff'],
    ['word', aml.integer(0x1234), '0b3412'],
    ['doubleword', aml.integer(0xffff_0000), '0c0000ffff'],
    ['EISA id', aml.eisaId('PNP0A03'), '0c41d00a03'],
    ['package', aml.defPackage(aml.integer(5), aml.integer(0)), '1205020a0500'],
    ['resources', aml.resourceTemplate(aml.io(0x3f8, 8), aml.irqNoFlags(4)), '11100a0d4701f803f80301082210007900'],
  ]; // prettier-ignore
  for (const [name, encoded, hex] of rows) {
    it(name, () => assert.equal(Buffer.from(encoded).toString('hex'), hex));
  }
  it('lengths count themselves, in one to four bytes', () => {
    const lengths = [[62, '3f'], [63, '4104'], [4093, '4fff'], [4094, '810001'], [1_048_572, '8fffff']] as const;
    for (const [body, lead] of lengths) {
      const encoded = aml.pkg(new Array<number>(body).fill(0));
      assert.equal(Buffer.from(encoded.slice(0, encoded.length - body)).toString('hex'), lead);
    }
  }); // prettier-ignore
});

describe('MP table', () => {
  it('adds up, and counts its entries', () => {
    const { at, u16, u32 } = memory();
    const pointer = 0xf_1000;
    assert.equal(text(at(pointer, 4)), '_MP_');
    assert.equal(sum(at(pointer, 16)), 0);
    const table = u32(pointer + 4);
    assert.equal(text(at(table, 4)), 'PCMP');
    assert.equal(sum(at(table, u16(table + 4))), 0);
    let count = 0;
    let place = table + 44;
    for (; place < table + u16(table + 4); count++) place += at(place, 1)[0] === 0 ? 20 : 8;
    assert.equal(place, table + u16(table + 4));
    assert.equal(count, u16(table + 34));
  });
});

describe('SMBIOS', () => {
  it('adds up, and its structures end where the entry point says', () => {
    const { at, u16, u32 } = memory();
    const entry = 0xf_4000;
    assert.equal(text(at(entry, 4)), '_SM_');
    assert.deepEqual([sum(at(entry, 0x1f)), sum(at(entry + 0x10, 0x0f))], [0, 0]);
    const table = at(u32(entry + 0x18), u16(entry + 0x16));
    const types: number[] = [];
    for (let place = 0; place < table.length;) {
      types.push(table[place]!);
      place += table[place + 1]!;
      while (table[place] !== 0 || table[place + 1] !== 0) place++;
      place += 2;
    }
    assert.deepEqual(types, [0, 1, 4, 4, 16, 17, 19, 32, 127]);
    assert.equal(u16(entry + 0x1c), types.length);
  });
});
