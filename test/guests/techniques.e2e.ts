/**
 * Guests that nobody here wrote, under each complete technique: they come as far as on the bare machine, in as many
 * instructions, and end in its state. Needs `npm run build`, scripts/fetch-guests.mjs, and xz for the vmlinux inside the bzImage.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { busyboxOf, initramfs, kernelOf } from '../../scripts/initramfs';
import { vmlinuxOf } from '../../scripts/vmlinux';
import { guest, runGuest } from './support/run';
import type { Ended } from './support/run';

const WAYS = {
  'binary-translation': ['--technique', 'binary-translation'],
  'vt-x, nested': ['--technique', 'vt-x', '--paging', 'nested'],
  'vt-x, shadow': ['--technique', 'vt-x', '--paging', 'shadow'],
  'amd-v, nested': ['--technique', 'amd-v', '--paging', 'nested'],
  'amd-v, shadow': ['--technique', 'amd-v', '--paging', 'shadow'],
} as const;
type Way = keyof typeof WAYS;
const ALL = Object.keys(WAYS) as Way[];

interface Row {
  name: string;
  /** In .cache/guests; all must be there. */
  needs: string[];
  /** The image to start, and what goes with it; made in the folder. */
  make(folder: string): { image: string; options: readonly string[] };
  until: string;
  ways: readonly Way[];
}
const memtest = (name: string): Pick<Row, 'needs' | 'make' | 'until'> => ({
  needs: [`memtest86+/boot/${name}`],
  make: () => ({ image: guest(`memtest86+/boot/${name}`), options: ['--memory', '64M'] }),
  until: 'Status: Testing',
});
function linux(kernel: string, busybox: string, pvh: boolean): Pick<Row, 'needs' | 'make' | 'until'> {
  return {
    needs: [kernel, busybox],
    make: (folder) => {
      const file = (name: string, bytes: Uint8Array): string => (writeFileSync(join(folder, name), bytes), join(folder, name)); // prettier-ignore
      const bzImage = kernelOf(guest(kernel));
      const image = pvh ? file('vmlinux', vmlinuxOf(bzImage)) : bzImage;
      return { image, options: ['--initrd', file('initrd', initramfs({ busybox: busyboxOf(guest(busybox)) }))] };
    },
    until: 'Run /init',
  };
}
/** To the prompt under each of them: docs/techniques.md. */
const ROWS: readonly Row[] = [
  { name: 'memtest86+, 64-bit', ...memtest('memtest86+x64.bin'), ways: ALL },
  { name: 'memtest86+, 32-bit', ...memtest('memtest86+ia32.bin'), ways: ['binary-translation', 'vt-x, shadow'] },
  { name: "Debian's amd64 kernel by PVH", ...linux('linux-image-amd64', 'busybox-static', true), ways: ['binary-translation', 'vt-x, nested', 'amd-v, shadow'] },
  { name: "Debian's 686-pae kernel", ...linux('linux-image-686-pae_i386', 'busybox-static_i386', false), ways: ['binary-translation', 'vt-x, nested'] },
]; // prettier-ignore

describe('the same guest under each technique', () => {
  for (const { name, needs, make, until, ways } of ROWS)
    describe(name, () => {
      let folder: string;
      let run: (options: readonly string[]) => Ended;
      let bare: Ended;
      before(function () {
        this.timeout(900_000);
        if (!needs.every((each) => existsSync(guest(each)))) this.skip();
        folder = mkdtempSync(join(tmpdir(), 'ringside-'));
        const { image, options } = make(folder);
        const common = ['--append', 'console=ttyS0', '--until', until, '--max-instructions', '8000000000'];
        run = (own) => runGuest(image, [...options, ...common, ...own]);
        bare = run([]);
        assert.equal(bare.status, 0, bare.tail);
      });
      after(() => {
        if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
      });
      for (const way of ways)
        it(way, () => {
          const { status, report, console, tail } = run(WAYS[way]);
          assert.equal(status, 0, tail);
          assert.equal(console, bare.console);
          const { instructions, stateHash } = report!;
          assert.deepEqual({ instructions, stateHash }, { instructions: bare.report!.instructions, stateHash: bare.report!.stateHash }); // prettier-ignore
        });
    }).timeout(900_000);
});
