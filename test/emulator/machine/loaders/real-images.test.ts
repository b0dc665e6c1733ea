/** Images that nobody here wrote, from the packages that scripts/fetch-guests.mjs has fetched. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { BootFormat } from '../../../../emulator/machine/loaders/image';
import { loadInto, refusal } from './check';
import { MIB, environment } from './images';

const guests = join(__dirname, '../../../../.cache/guests');
/** The file of a package whose path begins like this; kernels carry their version in the name. */
const find = (path: string): string | undefined => {
  const full = join(guests, path);
  if (existsSync(full)) return full;
  const folder = join(full, '..');
  const name = existsSync(folder) && readdirSync(folder).find((entry) => join(folder, entry).startsWith(full));
  return name ? join(folder, name) : undefined;
};

const row = (path: string, test: (kernel: Uint8Array) => void): void => {
  it(path, function () {
    const file = find(path);
    if (!file) {
      // Named by the runner as pending; continuous integration fetches the packages first and asserts that they came.
      this.test!.title += ` (skipped: node scripts/fetch-guests.mjs ${path.split('/')[0]})`;
      return this.skip();
    }
    test(readFileSync(file));
  });
};

describe('loaders: real images', () => {
  const loads: [string, BootFormat, number][] = [
    ['memtest86+/boot/memtest86+x64.bin', 'linux-64', MIB + 0x200],
    ['memtest86+/boot/memtest86+ia32.bin', 'linux-32', MIB],
    ['ipxe/boot/ipxe.lkrn', 'linux-16', 0],
    ['linux-image-amd64/boot/vmlinuz-', 'linux-64', 16 * MIB + 0x200],
    ['grub-pc-bin/usr/lib/grub/i386-pc/boot.img', 'boot-sector', 0x7c00],
    ['ipxe/usr/lib/ipxe/ipxe.iso', 'boot-sector', 0x7c00],
  ];
  for (const [path, format, rip] of loads)
    row(path, (kernel) => {
      const loaded = loadInto({ name: path, kernel }, environment(256));
      assert.equal(loaded.image.format, format);
      assert.equal(loaded.register('rip'), rip);
    });

  const refused: [string, RegExp][] = [
    ['ipxe/boot/ipxe.efi', /PE/],
    ['busybox-static/usr/share/man/man1/busybox.1.gz', /gzip/],
    ['linux-image-amd64/boot/config-', /is text/],
  ];
  for (const [path, message] of refused)
    row(path, (kernel) => assert.match(refusal({ name: path, kernel }, environment(256)), message));

  row('linux-image-amd64/boot/vmlinuz-', (kernel) => {
    assert.match(refusal({ name: 'vmlinuz', kernel }, environment(16)), /the kernel occupies.*more memory/);
    assert.match(refusal({ name: 'vmlinuz', kernel: kernel.subarray(0, 1_000_000) }), /syssize/);
  });
});
