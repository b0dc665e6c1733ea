import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readElf } from '../../emulator/machine/elf';
import { findPvhEntry, loadPvh } from '../../emulator/machine/loaders/pvh';
import { environment } from '../emulator/machine/loaders/images';
import { loadInto } from '../emulator/machine/loaders/check';
import { goldenText, guests, have, haveQemu, runOnOurs, runOnQemu } from './oracles';

const folder = join(guests, 'sample');
const image = join(folder, 'sample.elf');
const bytes = readFileSync(image);

describe('sample guest: the built image', () => {
  it('is small, has DWARF 5 with relative names and no path of the machine that built it', () => {
    assert.ok(statSync(image).size < 300_000);
    const elf = readElf('sample.elf', bytes);
    const info = elf.contents(elf.section('.debug_info')!);
    assert.equal(info[4], 5, 'DWARF version of the first unit');
    const text = bytes.toString('latin1');
    for (const path of ['/usr/', '/home/', '/root/', '/tmp/', '/build', 'C:\\']) assert.ok(!text.includes(path), path);
  });

  it('is in memory the same by its Multiboot addresses and by its program headers', () => {
    const byHeader = loadInto({ name: 'sample.elf', kernel: bytes });
    assert.equal(byHeader.image.format, 'multiboot-1');
    const elf = readElf('sample.elf', bytes);
    const pvh = loadPvh({ name: 'sample.elf', kernel: bytes }, environment(), elf, findPvhEntry(elf)!);
    for (const write of pvh.writes.filter(({ what }) => what.startsWith('program header')))
      assert.deepEqual(byHeader.bytes(write.gpa, write.bytes.length), new Uint8Array(write.bytes), write.what);
    for (const zero of pvh.zero)
      assert.ok(byHeader.bytes(zero.gpa, zero.bytes).every((byte) => byte === 0), zero.what);
  });
});

/** The same image with its Multiboot header spoilt: QEMU then starts it by PVH. */
const withoutMultiboot = (to: string): string => {
  const copy = Buffer.from(bytes);
  copy.writeUInt32LE(0, copy.indexOf(Buffer.from([0x02, 0xb0, 0xad, 0x1b])));
  const file = join(to, 'sample.elf');
  writeFileSync(file, copy);
  return file;
};

describe('sample guest: behaviour', () => {
  const expected = (): string => goldenText('sample.txt', () => runOnQemu(image, 'exit').console);
  const byPvh = (): string => expected().replace('Multiboot, command line "sample.elf exit"', 'PVH, command line "exit"');
  let temporary: string;
  before(() => (temporary = mkdtempSync(join(tmpdir(), 'ringside-'))));
  after(() => rmSync(temporary, { recursive: true }));

  it('on our machine, by Multiboot', () => {
    assert.deepEqual(runOnOurs(image, 'exit'), { console: expected(), end: 'debug-exit 0' });
  });

  it('on our machine, by PVH', () => {
    assert.deepEqual(runOnOurs(withoutMultiboot(temporary), 'exit'), { console: byPvh(), end: 'debug-exit 0' });
  });

  it('on QEMU, by Multiboot and by PVH', function () {
    if (!haveQemu()) this.skip();
    assert.deepEqual(runOnQemu(image, 'exit'), { console: expected(), end: 'debug-exit 0' });
    assert.deepEqual(runOnQemu(withoutMultiboot(temporary), 'exit'), { console: byPvh(), end: 'debug-exit 0' });
  });

  it('rebuilt with the gcc of this machine', function () {
    if (!have('gcc') || !have('make') || process.platform !== 'linux' || process.arch !== 'x64') this.skip();
    for (const file of readdirSync(folder)) if (/\.(c|h|S|ld)$|^Makefile$/.test(file)) copyFileSync(join(folder, file), join(temporary, file)); // prettier-ignore
    execFileSync('make', ['-s', '-C', temporary], { stdio: 'pipe' });
    const rebuilt = join(temporary, 'sample.elf');
    // The same compiler gives the same bytes; another one another image that behaves alike, but for the pages it fills.
    const pages = (text: string): string => text.replace(/\d+ pages/, 'n pages').replace(/frame [0-9a-f]+/g, 'a frame');
    const sameCompiler = readFileSync(rebuilt).equals(bytes);
    const wanted = { console: expected(), end: 'debug-exit 0' };
    const ran = runOnOurs(rebuilt, 'exit');
    if (sameCompiler) assert.deepEqual(ran, wanted);
    else assert.deepEqual({ ...ran, console: pages(ran.console) }, { ...wanted, console: pages(wanted.console) });
  }).timeout(120_000);
});
