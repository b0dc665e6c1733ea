/**
 * Debian's kernels, unmodified, to a shell and off again: twice in the compiler and once in the interpreter with equal
 * hashes. Needs `npm run build`, scripts/fetch-guests.mjs, and xz for the vmlinux inside the bzImage.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { busyboxOf, initramfs, kernelOf, moduleTreeOf } from '../../scripts/initramfs';
import { vmlinuxOf } from '../../scripts/vmlinux';
import { guest, runGuest, withFolder } from './support/run';

interface Row {
  name: string;
  /** Package of the kernel, and of the busybox that it runs. */
  kernel: string;
  busybox: string;
  /** Boot the vmlinux by PVH, not the bzImage. */
  pvh?: boolean;
  cpus?: number;
  /** Another processor than the default. */
  cpu?: string;
  /** The machine that `uname -m` names. */
  machine: string;
}

const AMD64 = { kernel: 'linux-image-amd64', busybox: 'busybox-static', machine: 'x86_64' };
const I386 = { busybox: 'busybox-static_i386', machine: 'i686' };
const rows: Row[] = [
  { name: 'amd64 by PVH', ...AMD64, pvh: true },
  { name: 'amd64 by PVH, two CPUs', ...AMD64, pvh: true, cpus: 2 },
  { name: 'amd64 bzImage', ...AMD64 },
  { name: 'i386 with PAE', ...I386, kernel: 'linux-image-686-pae_i386' },
  { name: 'i386 with PAE, two CPUs', ...I386, kernel: 'linux-image-686-pae_i386', cpus: 2 },
  { name: 'i386 without PAE', ...I386, kernel: 'linux-image-686_i386' },
  // Their vDSO enters the kernel by SYSENTER on Intel's processors, by SYSCALL from compatibility mode on AMD's.
  { name: '32-bit programs under amd64, on Intel', ...AMD64, busybox: I386.busybox, cpu: 'haswell' },
  { name: '32-bit programs under amd64, on AMD', ...AMD64, busybox: I386.busybox, cpu: 'epyc' },
];

const MODULES = ['virtio_blk', 'virtio_pci', 'ata_piix', 'sd_mod', 'ext4', 'crc32c_generic'];
const DISK_BYTES = 8 << 20;

/** Goes on only when each command has succeeded; the last line of the copy names both files' hashes. */
const conversation = (commands: readonly string[]): string =>
  [...commands.flatMap((command) => ['expect ringside#', `send ${command}\\n`]), ''].join('\n');
const SCRIPT = conversation([
  'cat /proc/cpuinfo',
  'uname -m; nproc',
  'mkdir /ide /virtio; mke2fs -q /dev/sda; mke2fs -q /dev/vda; mount -t ext4 /dev/sda /ide; mount -t ext4 /dev/vda /virtio',
  'cp /bin/busybox /ide/; sync; echo 3 >/proc/sys/vm/drop_caches; cp /ide/busybox /virtio/; umount /ide /virtio',
  'echo 3 >/proc/sys/vm/drop_caches; mount -t ext4 /dev/sda /ide; mount -t ext4 /dev/vda /virtio; sha256sum /ide/busybox /virtio/busybox',
  'umount /ide /virtio; dmesg | tail',
  'poweroff -f',
]);

function boot({ kernel, busybox, pvh, cpus = 1, cpu = 'max' }: Row, tiers: readonly string[]) {
  return withFolder((folder) => {
    const file = (name: string, bytes: Uint8Array): string => {
      writeFileSync(join(folder, name), bytes);
      return join(folder, name);
    };
    const bzImage = kernelOf(guest(kernel));
    const image = pvh ? file('vmlinux', vmlinuxOf(bzImage)) : bzImage;
    const moduleTree = moduleTreeOf(guest(kernel));
    const initrd = file('initrd', initramfs({ busybox: busyboxOf(guest(busybox)), moduleTree, modules: MODULES }));
    const disks = ['ide', 'virtio'].flatMap((kind) => ['--disk', `${file(kind, new Uint8Array(DISK_BYTES))},if=${kind}`]);
    const options = [
      ...['--initrd', initrd, '--append', 'console=ttyS0', '--memory', '256M', '--cpus', `${cpus}`, '--cpu', cpu, ...disks],
      ...['--fail', 'Kernel panic', '--max-instructions', '20000000000'],
    ];
    return tiers.map((tier) => runGuest(image, [...options, '--tier', tier], SCRIPT));
  });
} // prettier-ignore

describe('Debian kernels reach a shell', () => {
  for (const row of rows)
    it(row.name, function () {
      if (!existsSync(guest(row.kernel)) || !existsSync(guest(row.busybox))) this.skip();
      const [first, ...others] = boot(row, row.cpu ? ['compiler'] : ['compiler', 'compiler', 'interpreter']);
      assert.equal(first.status, 0, first.tail);
      assert.equal(first.report!.stop, 'power-off');
      const sha256 = createHash('sha256').update(readFileSync(busyboxOf(guest(row.busybox)))).digest('hex'); // prettier-ignore
      for (const disk of ['ide', 'virtio']) assert.match(first.console, new RegExp(`${sha256}  /${disk}/busybox`));
      assert.match(first.console, new RegExp(`\\n${row.machine}\\r?\\n${row.cpus ?? 1}\\r?\\n`));
      assert.doesNotMatch(first.console, /\bBUG:|WARNING: CPU|Call Trace|unchecked MSR|ata\d.*(failed|exception)/);
      for (const other of others) {
        assert.equal(other.report!.stateHash, first.report!.stateHash);
        assert.equal(other.report!.instructions, first.report!.instructions);
      }
    }).timeout(1_800_000);
});
