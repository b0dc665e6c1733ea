/**
 * Tiny kernels that try out one feature of the processor each (guests/tests). Expected is what QEMU prints; of
 * those in BY_HAND what the manual says, as QEMU departs from it there or has not got it. UPDATE=1 writes QEMU's output anew.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { golden, goldenText, guests, have, haveQemu, runOnOurs, runOnQemu } from './oracles';

const folder = join(guests, 'tests');
const names = readdirSync(folder).flatMap((file) => (file.endsWith('.S') ? [file.slice(0, -2)] : []));
const image = (name: string): string => join(folder, `${name}.elf`);
const BY_HAND = new Set(['manual', 'manual-long', 'manual-paging', 'manual-segments', 'x2apic']);
/** How many processors; one where nothing is said. */
const CPUS: Record<string, number> = { processors: 4 };
const ours = (name: string, file = image(name)) => runOnOurs(file, '', 20_000_000, CPUS[name]);
const qemu = (name: string) => runOnQemu(image(name), '', 'max', CPUS[name]);
/** Single lines in which QEMU departs from the manual. */
const CORRECTIONS: Record<string, Record<string, string>> = {
  // SDM volume 3B section 20.1.1: limits are 64 KiB and are checked. QEMU checks none.
  'real-mode': {
    'word at offset FFFFh: vector 13, return address': '0000008d',
    'address beyond 64 KiB: vector 13, return address': '000000c7',
  },
  // SDM volume 2, XSAVE and XRSTOR: #NM with CR0.TS, #GP for MXCSR. QEMU checks neither.
  xsave: {
    'task switched, vector': '0000000000000007',
    'task switched, offset': '0000000000000010',
    'reserved bit of MXCSR, vector': '000000000000000d',
    'reserved bit of MXCSR, offset': '0000000000000012',
  },
  // SDM volume 2, WRGSBASE: #GP. QEMU takes every address.
  fsgsbase: {
    'not canonical, vector': '000000000000000d',
    'not canonical, offset': '000000000000000a',
    'and nothing changed': '0000000012345678',
  },
};

const fromQemu = (name: string): string => goldenText(`${name}.txt`, () => qemu(name).console);
const expected = (name: string): string => {
  if (BY_HAND.has(name)) return readFileSync(join(golden, `${name}.txt`), 'utf8');
  const corrections = CORRECTIONS[name] ?? {};
  const correct = (line: string): string => {
    const label = Object.keys(corrections).find((key) => line.startsWith(`${key}: `));
    return label ? `${label}: ${corrections[label]}` : line;
  };
  return fromQemu(name).split('\n').map(correct).join('\n');
};

describe('processor features, by tiny kernels', () => {
  for (const name of names)
    it(`${name}: our machine prints what QEMU${BY_HAND.has(name) ? ' should print' : ' prints'}`, () => {
      const { console, end } = ours(name);
      assert.equal(console, expected(name));
      assert.equal(end, 'debug-exit 0');
    });

  it('QEMU prints what is expected', function () {
    if (!haveQemu()) this.skip();
    for (const name of names)
      if (!BY_HAND.has(name))
        assert.deepEqual(qemu(name), { console: fromQemu(name), end: 'debug-exit 0' });
  });

  it('the built images are those of the sources', function () {
    for (const name of names) assert.ok(existsSync(image(name)), `${name}.elf is missing: make -C guests/tests`);
    if (!have('gcc') || !have('make')) this.skip();
    const out = mkdtempSync(join(tmpdir(), 'ringside-'));
    try {
      execFileSync('make', ['-s', '-C', folder, `OUT=${out}`], { stdio: 'pipe' });
    } catch {
      this.skip(); // a gcc that cannot build 32-bit code
    }
    try {
      // Assemblers of other versions may encode differently; what counts is that the output is the same.
      for (const name of names) {
        const rebuilt = join(out, `${name}.elf`);
        if (readFileSync(rebuilt).equals(readFileSync(image(name)))) continue;
        assert.equal(ours(name, rebuilt).console, expected(name), `${name} was not built again`);
      }
    } finally {
      rmSync(out, { recursive: true });
    }
  }).timeout(60_000);
});
