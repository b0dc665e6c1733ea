/**
 * Kernels that nobody here wrote, as paravirtualised guests on the built command line: Debian's amd64 kernel to a shell on hvc0 with a
 * disk, also with 32-bit programs, and GNU Mach for Xen to its own debugger, and to a program. Needs `npm run build` and scripts/fetch-guests.mjs.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { busyboxOf, initramfs, kernelOf, moduleTreeOf } from '../../scripts/initramfs';
import { guests, have } from './oracles';
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

const SCRIPT_32 = 'expect ringside#\nsend ls -la /proc/self/exe; poweroff -f\\n\n';

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

  it('GNU Mach starts a program that is its module, and the program speaks', function () {
    const image = guest('gnumach-image-1.8-xen-486-dbg/boot/gnumach-1.8-xen-486-dbg.gz');
    if (!existsSync(image) || !have('gcc')) this.skip();
    withFolder((folder) => {
      const [kernel, program] = [join(folder, 'gnumach'), join(folder, 'hello')];
      writeFileSync(kernel, gunzipSync(readFileSync(image)));
      execFileSync('gcc', ['-m32', '-nostdlib', '-static', '-no-pie', '-Wl,--build-id=none', '-o', program, join(guests, 'mach/hello.S')]);
      const module = ['--module', `${program},args=$(task-create) $(task-resume)`];
      const { status, console, tail } = runGuest(kernel, [...PARAVIRTUAL, ...module, '--until', 'runs on Mach', '--max-instructions', '500000000']);
      assert.equal(status, 0, tail);
      assert.match(console, /module 0: hello \$\(task-create\) \$\(task-resume\)/);
      assert.match(console, /task loaded: hello\s+start hello: a program of ours runs on Mach/);
    });
  }).timeout(120_000);

  for (const [cpu, way] of [
    ['max', 'SYSENTER'],
    ['epyc', 'SYSCALL'],
  ] as const)
    it(`32-bit programs under Debian's 64-bit Linux: ${way} of their vDSO`, function () {
      const kernel = guest('linux-image-amd64');
      const busybox = busyboxOf(guest('busybox-static_i386'));
      if (!existsSync(kernel) || !existsSync(busybox)) this.skip();
      withFolder((folder) => {
        const initrd = join(folder, 'initrd');
        writeFileSync(initrd, initramfs({ busybox }));
        const options = ['--cpu', cpu, '--initrd', initrd, '--append', 'console=hvc0', '--fail', 'Kernel panic', '--max-instructions', '8000000000'];
        const { status, report, tail } = runGuest(kernelOf(kernel), [...PARAVIRTUAL, ...options], SCRIPT_32);
        assert.equal(status, 0, tail);
        assert.equal(report!.stop, 'power-off');
      });
    }).timeout(1_200_000);
}); // prettier-ignore
