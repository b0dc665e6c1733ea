/**
 * Kernels that nobody here wrote, as paravirtualised guests on the built command line: Debian's amd64 kernel to a shell on hvc0 with a
 * disk, and GNU Mach for Xen to its own debugger. Needs `npm run build` and scripts/fetch-guests.mjs.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { busyboxOf, initramfs, kernelOf, moduleTreeOf } from '../../scripts/initramfs';
import { guest, runGuest, withFolder } from './support/run';

const PARAVIRTUAL = ['--technique', 'paravirtual', '--memory', '256M'];
const DISK_BYTES = 16 << 20;
const SCRIPT = [
  'expect ringside#',
  'send cat /bin/busybox >/dev/xvda; sync; echo 3 >/proc/sys/vm/drop_caches\\n',
  'expect ringside#',
  'send head -c $(wc -c </bin/busybox) /dev/xvda | sha256sum; cat /sys/hypervisor/type; poweroff -f\\n',
  '',
].join('\n');

describe('paravirtualised kernels', () => {
  it('Debian\'s Linux reaches a shell on hvc0, writes and reads a disk and powers off', function () {
    const kernel = guest('linux-image-amd64');
    const busybox = busyboxOf(guest('busybox-static'));
    if (!existsSync(kernel) || !existsSync(busybox)) this.skip();
    withFolder((folder) => {
      const initrd = join(folder, 'initrd');
      writeFileSync(initrd, initramfs({ busybox, moduleTree: moduleTreeOf(kernel), modules: ['xen-blkfront'] }));
      const disk = join(folder, 'disk');
      writeFileSync(disk, new Uint8Array(DISK_BYTES));
      const options = ['--initrd', initrd, '--disk', disk, '--append', 'console=hvc0', '--fail', 'Kernel panic', '--max-instructions', '12000000000'];
      const { status, report, console, tail } = runGuest(kernelOf(kernel), [...PARAVIRTUAL, ...options], SCRIPT);
      assert.equal(status, 0, tail);
      assert.equal(report!.stop, 'power-off');
      assert.match(console, /Hypervisor detected: Xen PV/);
      assert.match(console, new RegExp(`${createHash('sha256').update(readFileSync(busybox)).digest('hex')}  -`));
      assert.doesNotMatch(console, /\bBUG:|WARNING: CPU|Call Trace|unchecked MSR/);
    });
  }).timeout(1_200_000);

  it('Debian\'s Linux brings up a second virtual processor', function () {
    const kernel = guest('linux-image-amd64');
    const busybox = busyboxOf(guest('busybox-static'));
    if (!existsSync(kernel) || !existsSync(busybox)) this.skip();
    withFolder((folder) => {
      const initrd = join(folder, 'initrd');
      writeFileSync(initrd, initramfs({ busybox }));
      const options = ['--cpus', '2', '--initrd', initrd, '--append', 'console=hvc0', '--until', 'ringside#', '--fail', 'Kernel panic', '--max-instructions', '8000000000'];
      const { status, console, tail } = runGuest(kernelOf(kernel), [...PARAVIRTUAL, ...options]);
      assert.equal(status, 0, tail);
      assert.match(console, /smp: Brought up 1 node, 2 CPUs/);
      assert.doesNotMatch(console, /\bBUG:|WARNING: CPU|Call Trace/);
    });
  }).timeout(1_200_000);

  it('GNU Mach starts, finds no program to start, and enters its debugger', function () {
    const image = guest('gnumach-image-1.8-xen-486-dbg/boot/gnumach-1.8-xen-486-dbg.gz');
    if (!existsSync(image)) this.skip();
    withFolder((folder) => {
      const kernel = join(folder, 'gnumach');
      writeFileSync(kernel, gunzipSync(readFileSync(image)));
      const { status, console, tail } = runGuest(kernel, [...PARAVIRTUAL, '--until', 'db> ', '--max-instructions', '500000000']);
      assert.equal(status, 0, tail);
      assert.match(console, /Running on xen-3\.0-x86_64/);
      assert.match(console, /bootstrap_create: No bootstrap code loaded/);
    });
  }).timeout(120_000);
}); // prettier-ignore
