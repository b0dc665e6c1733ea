import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { ELF_TYPE, isElf, PT, readElf, SHT, UserError } from '../../../emulator/index';
import { build, bytesOf, hasGcc, run } from '../../debug-adapter/symbols/support/toolchain';

/** A file of one class with one segment, one note and no sections. */
const small = (bits: 32 | 64): { bytes: Uint8Array; view: DataView } => {
  const bytes = new Uint8Array(256);
  const view = new DataView(bytes.buffer);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, bits === 64 ? 2 : 1, 1, 1]);
  view.setUint16(16, ELF_TYPE.EXEC, true);
  view.setUint16(18, bits === 64 ? 62 : 3, true);
  const segment = bits === 64 ? 64 : 52;
  view.setUint32(24, 0x1234, true);
  view.setUint32(bits === 64 ? 32 : 28, segment, true);
  view.setUint16(bits === 64 ? 54 : 42, bits === 64 ? 56 : 32, true);
  view.setUint16(bits === 64 ? 56 : 44, 1, true);
  view.setUint32(segment, PT.NOTE, true);
  view.setUint32(segment + (bits === 64 ? 8 : 4), 128, true);
  view.setUint32(segment + (bits === 64 ? 32 : 16), 24, true);
  view.setUint32(128, 4, true);
  view.setUint32(132, 4, true);
  view.setUint32(136, 18, true);
  bytes.set([0x58, 0x65, 0x6e, 0, 1, 2, 3, 4], 140);
  return { bytes, view };
};

describe('ELF', () => {
  for (const bits of [32, 64] as const)
    it(`reads headers, segments and notes of ELF${bits}`, () => {
      const elf = readElf('small', small(bits).bytes);
      assert.equal(elf.entry, 0x1234n);
      assert.equal(elf.machine, bits === 64 ? 'x86-64' : 'i386');
      assert.deepEqual(elf.notes().map((n) => [n.owner, n.type, ...n.description]), [['Xen', 18, 1, 2, 3, 4]]); // prettier-ignore
      assert.deepEqual(elf.sections, []);
    });

  const damage: [string, (bytes: Uint8Array, view: DataView) => Uint8Array | void, RegExp][] = [
    ['no magic', (b) => void (b[0] = 0), /^small: ELF field e_ident does not begin with 7F "ELF"; give an ELF file\.$/],
    ['a class that does not exist', (b) => void (b[4] = 3), /EI_CLASS.* is 3/],
    ['big-endian', (b) => void (b[5] = 2), /EI_DATA.*x86/],
    ['another machine', (_, v) => v.setUint16(18, 40, true), /e_machine is 40 \(32-bit ARM\)/],
    ['cut off in the header', (b) => b.slice(0, 40), /e_ehsize.*cut off/],
    ['cut off in the program headers', (b) => b.slice(0, 100), /e_phoff and e_phnum.*beyond the end/],
    ['cut off in a segment', (b) => b.slice(0, 140), /p_offset and p_filesz of program header 0/],
    ['program headers of no size', (_, v) => v.setUint16(54, 8, true), /e_phentsize is 8/],
    [
      'an offset beyond all files',
      (_, v) => v.setUint32(64 + 12, 0xffff_ffff, true),
      /p_offset of program header 0 is 0xffffffff00000080/,
    ],
  ];
  for (const [what, change, message] of damage)
    it(`names the field: ${what}`, () => {
      const { bytes, view } = small(64);
      const changed = change(bytes, view) ?? bytes;
      assert.throws(() => readElf('small', changed), (e) => e instanceof UserError && message.test(e.message) && e.message.endsWith('.')); // prettier-ignore
    });

  it('boots an image whose section table was cut off', () => {
    const { bytes, view } = small(64);
    view.setUint32(40, 0xff00, true);
    view.setUint16(58, 64, true);
    view.setUint16(60, 9, true);
    const elf = readElf('small', bytes);
    assert.equal(elf.segments.length, 1);
    assert.throws(() => elf.sections, /e_shoff and e_shnum reach/);
  });

  for (const flags of [['-O0'], ['-O1', '-m32']])
    it(`agrees with readelf: ${flags.join(' ')}`, function () {
      if (!hasGcc) return this.skip();
      const path = build(flags);
      const elf = readElf(path, bytesOf(path));
      const sections = [
        ...run('readelf', '-SW', path).matchAll(/^ +\[ *(\d+)\] (\S*) +(\w+) +([\da-f]+) ([\da-f]+) ([\da-f]+)/gm),
      ].slice(1);
      assert.equal(elf.sections.length, sections.length + 1);
      for (const [, index, name, , gva, offset, size] of sections) {
        const s = elf.sections[Number(index)]!;
        assert.deepEqual(
          [s.name, s.gva, s.offset, s.size],
          [name, BigInt(`0x${gva}`), parseInt(offset!, 16), parseInt(size!, 16)],
        );
      }
      const symbols = run('nm', '-a', path).split('\n').flatMap((l) => /^([\da-f]+) [^U] (.+)$/.exec(l)?.slice(1) ?? []); // prettier-ignore
      const ours = new Map([...elf.symbols()].map((s) => [s.name, s.value]));
      for (let i = 0; i < symbols.length; i += 2) if (ours.has(symbols[i + 1]!)) assert.ok([...elf.symbols()].some((s) => s.name === symbols[i + 1] && s.value === BigInt(`0x${symbols[i]}`)), symbols[i + 1]); // prettier-ignore
      assert.ok(ours.has('main'));
      const id = /Build ID: ([\da-f]+)/.exec(execFileSync('readelf', ['-n', path], { encoding: 'utf8' }))?.[1];
      assert.equal(elf.buildId(), id);
      assert.ok(elf.sections.some((s) => s.type === SHT.SYMTAB) && isElf(elf.bytes));
    });

  it('damage is a UserError or goes unnoticed, never anything else', () => {
    const { bytes } = small(64);
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(200), fc.nat(255)), { maxLength: 12 }), fc.nat(256), (changes, length) => {
        const copy = bytes.slice(0, length);
        for (const [at, value] of changes) if (at > 6 && at < copy.length) copy[at] = value;
        try {
          const elf = readElf('small', copy);
          elf.notes();
          for (const s of elf.sections) elf.contents(s);
          for (const s of elf.symbols()) assert.equal(typeof s.name, 'string');
        } catch (error) {
          assert.ok(error instanceof UserError, String((error as Error).stack));
        }
      }),
      { numRuns: 2000 },
    );
  });
});
