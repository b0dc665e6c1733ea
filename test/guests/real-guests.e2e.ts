/**
 * Guests that nobody here wrote, from Debian's packages, on the built command line: as far as they must come, and twice
 * the same. Needs `npm run build` and scripts/fetch-guests.mjs.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..', '..');
const guest = (path: string): string => join(root, '.cache', 'guests', path);

const rows: [name: string, image: string, options: string[]][] = [
  ['memtest86+, 64-bit, tests memory', 'memtest86+/boot/memtest86+x64.bin', ['--append', 'console=ttyS0', '--until', 'Status: Testing']],
  ['memtest86+, 32-bit, tests memory', 'memtest86+/boot/memtest86+ia32.bin', ['--append', 'console=ttyS0', '--until', 'Status: Testing']],
  ['iPXE lists its features', 'ipxe/boot/ipxe.lkrn', ['--until', 'Features: DNS HTTP']],
]; // prettier-ignore

function run(image: string, options: string[]): { status: number | null; report: Record<string, unknown>; tail: string } {
  const folder = mkdtempSync(join(tmpdir(), 'ringside-'));
  try {
    const json = join(folder, 'report.json');
    const limits = ['--memory', '64M', '--max-instructions', '2000000000', '--json', json];
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [join(root, 'dist', 'cli.js'), 'run', image, ...limits, ...options],
      { encoding: 'utf8', maxBuffer: 1 << 26 },
    );
    return { status, report: JSON.parse(readFileSync(json, 'utf8')), tail: stdout.slice(-400) + stderr };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
} // prettier-ignore

describe('real guests', () => {
  for (const [name, image, options] of rows)
    it(`${name}, twice the same`, function () {
      if (!existsSync(guest(image))) this.skip();
      const first = run(guest(image), options);
      assert.equal(first.status, 0, first.tail);
      assert.equal(first.report.stop, 'until');
      const second = run(guest(image), options);
      for (const key of ['instructions', 'stateHash']) assert.equal(second.report[key], first.report[key], key);
    }).timeout(600_000);
});
