/** What firmware says of memory, read as a processor does (SDM vol. 3A 11.11.4). */
import assert from 'node:assert/strict';
import { setMemoryTypes } from '../../../../emulator/machine/firmware/memory-types';
import { Bench } from '../../cpu/fixture';

const WRITE_BACK = 6;
const UNCACHED = 0;

/** The fixed range of an address below 1 MiB, or the variable ranges, or the default. */
function typeAt(b: Bench, gpa: number): number {
  const msr = (index: number): bigint => b.cpu.readMsr(index);
  assert.equal(msr(0x2ff) & 0xc00n, 0xc00n, 'both kinds of ranges are on');
  if (gpa < 0x10_0000) {
    const [base, first, size] = gpa < 0x8_0000 ? [0, 0x250, 0x1_0000] : gpa < 0xc_0000 ? [0x8_0000, 0x258, 0x4000] : [0xc_0000, 0x268, 0x1000]; // prettier-ignore
    const n = Math.floor((gpa - base) / size);
    return Number((msr(first + (n >> 3)) >> BigInt((n & 7) * 8)) & 0xffn);
  }
  for (let i = 0; i < 8; i++) {
    const mask = msr(0x201 + i * 2);
    const base = msr(0x200 + i * 2);
    if (mask & 0x800n && ((BigInt(gpa) ^ base) & mask & ~0xfffn) === 0n) return Number(base & 0xffn);
  }
  return Number(msr(0x2ff) & 0xffn);
}

describe('memory types', () => {
  const rows: [string, number, number][] = [
    ['conventional memory', 0x5_0000, WRITE_BACK],
    ['the last KiB of it', 0x9_fc00, WRITE_BACK],
    ['VGA', 0xb_8000, UNCACHED],
    ['firmware', 0xf_0000, WRITE_BACK],
    ['extended memory', 0x10_0000, WRITE_BACK],
    ['the end of RAM below 4 GiB', 0xbfff_f000, WRITE_BACK],
    ['the PCI hole', 0xc000_0000, UNCACHED],
    ['the local APIC', 0xfee0_0000, UNCACHED],
    ['above 4 GiB', 0x1_0000_0000, WRITE_BACK],
  ];
  for (const [name, gpa, want] of rows)
    it(name, () => {
      const b = new Bench();
      setMemoryTypes(b.cpu);
      assert.equal(typeAt(b, gpa), want);
    });
  it('a processor without the registers is left alone', () => {
    const b = new Bench('max,-mtrr');
    setMemoryTypes(b.cpu);
    assert.equal(b.state.system('mtrr_def_type'), 0n);
    assert.deepEqual(b.unsupported, []);
  });
});
