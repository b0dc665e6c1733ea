/**
 * SeaBIOS, unmodified, starts what is on our disks: a boot sector, and GRUB with memtest86+ behind it; each from IDE and
 * virtio. Needs `npm run build` and scripts/fetch-guests.mjs; GRUB's disk needs grub-mkimage.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { have } from './oracles';
import { grubDisk } from '../../scripts/grub-disk';
import { bootSector } from './support/disk-image';
import { guest, runGuest, withFolder } from './support/run';
import type { Ended } from './support/run';

const BIOS = guest('seabios/usr/share/seabios/bios.bin');
const LARGE_BIOS = guest('seabios/usr/share/seabios/bios-256k.bin');
const VGA = guest('seabios/usr/share/seabios/vgabios-isavga.bin');
const MEMTEST = guest('memtest86+/boot/memtest86+x64.bin');
const GRUB = guest('grub-pc-bin');
const CONNECTORS = ['ide', 'virtio'] as const;

function start(make: (folder: string) => Uint8Array, connector: string, bios: string, options: string[]): Ended {
  return withFolder((folder) => {
    const disk = join(folder, 'disk.img');
    writeFileSync(disk, make(folder));
    const parts = ['--firmware', bios, '--vga-rom', VGA, '--disk', `${disk},if=${connector}`, '--memory', '64M'];
    return runGuest(undefined, [...parts, '--max-instructions', '2000000000', ...options]);
  });
}

describe('SeaBIOS', () => {
  before(function () {
    if (!existsSync(BIOS)) this.skip();
  });
  for (const connector of CONNECTORS)
    for (const bios of [BIOS, LARGE_BIOS])
      it(`starts a boot sector from ${connector}, with ${bios.slice(bios.lastIndexOf('/') + 1)}`, () => {
        const { status, console, tail } = start(() => bootSector('the next one'), connector, bios, []);
        assert.equal(status, 0, tail);
        assert.match(console, /Booting from Hard Disk/);
        assert.match(console, /Boot sector: the next one/);
        assert.match(tail, /firmware: SeaBIOS \(version/);
        assert.doesNotMatch(tail, /lacks|error|WARNING/i);
      }).timeout(300_000);

  for (const connector of CONNECTORS)
    it(`starts GRUB from ${connector}, which starts memtest86+, twice the same`, function () {
      if (!existsSync(GRUB) || !existsSync(MEMTEST) || !have('grub-mkimage')) this.skip();
      const kernel = readFileSync(MEMTEST);
      const make = (folder: string): Uint8Array => grubDisk({ folder, package: GRUB, kernel, commandLine: 'console=ttyS0' }); // prettier-ignore
      const [first, second] = [0, 1].map(() => start(make, connector, BIOS, ['--until', 'Status: Testing']));
      assert.equal(first!.status, 0, first!.tail);
      assert.match(first!.console, /Welcome to GRUB/);
      assert.equal(second!.report!.stateHash, first!.report!.stateHash);
    }).timeout(900_000);
});
