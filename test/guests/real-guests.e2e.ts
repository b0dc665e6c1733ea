/**
 * Guests that nobody here wrote, from Debian's packages, on the built command line: as far as they must come, and twice
 * the same. Needs `npm run build` and scripts/fetch-guests.mjs.
 */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { guest, runGuest } from './support/run';

const rows: [name: string, image: string, options: string[]][] = [
  ['memtest86+, 64-bit, tests memory', 'memtest86+/boot/memtest86+x64.bin', ['--append', 'console=ttyS0', '--until', 'Status: Testing']],
  ['memtest86+, 32-bit, tests memory', 'memtest86+/boot/memtest86+ia32.bin', ['--append', 'console=ttyS0', '--until', 'Status: Testing']],
  ['iPXE lists its features', 'ipxe/boot/ipxe.lkrn', ['--until', 'Features: DNS HTTP']],
]; // prettier-ignore
const LIMITS = ['--memory', '64M', '--max-instructions', '2000000000'];

describe('real guests', () => {
  for (const [name, image, options] of rows)
    it(`${name}, twice the same`, function () {
      if (!existsSync(guest(image))) this.skip();
      const first = runGuest(guest(image), [...LIMITS, ...options]);
      assert.equal(first.status, 0, first.tail);
      assert.equal(first.report!.stop, 'until');
      const second = runGuest(guest(image), [...LIMITS, ...options]);
      assert.deepEqual(pick(second.report!), pick(first.report!));
    }).timeout(600_000);
});

const pick = ({ instructions, stateHash }: { instructions: number; stateHash: string }) => ({
  instructions,
  stateHash,
});
