/**
 * Hypervisors that nobody here wrote, on the machine's VT-x and AMD-V: KVM inside Debian's kernel (a type 2 hypervisor), whose user
 * is guests/kvm, and Debian's Xen (type 1). Needs `npm run build` and scripts/fetch-guests.mjs, gunzip for Xen.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { busyboxOf, initramfs, kernelOf, moduleTreeOf } from '../../scripts/initramfs';
import { vmlinuxOf } from '../../scripts/vmlinux';
import { have } from './oracles';
import { guest, runGuest, withFolder } from './support/run';

const PROCESSORS = [
  { name: 'VT-x', cpu: 'haswell', module: 'kvm_intel', apic: 'enable_apicv', xen: /HVM: VMX enabled[^]*HVM: Hardware Assisted Paging \(HAP\) detected/ },
  { name: 'AMD-V', cpu: 'epyc', module: 'kvm_amd', apic: 'avic', xen: /HVM: SVM enabled[^]*HVM: Hardware Assisted Paging \(HAP\) detected/ },
] as const; // prettier-ignore
const KERNEL = 'linux-image-amd64';
const XEN = 'xen-hypervisor-4.17-amd64';
const SOURCES = resolve(import.meta.dirname, '..', '..', 'guests', 'kvm');
/** `apic`: the module's parameter that tells whether the processor's virtual APIC is used. */
const startOf = (module: string, apic: string): Buffer =>
  Buffer.from(`#!/bin/sh\n/bin/kvm; echo "kvm: status $?"; echo "apic: $(cat /sys/module/${module}/parameters/${apic})"; poweroff -f\n`);

/** What guests/kvm says when its virtual machines have run: exits to it are for HLT (5), a port (2). */
const SAID = [
  'kvm: version 0xc',
  'kvm: real mode says "16 bits+-", leaves for 0x5, rbx 0x5a',
  'kvm: writes 0x300000',
  'kvm: reads 0x300008',
  'kvm: long mode says "bc64", leaves for 0x5, rbx 0x1234b0d2',
  'kvm: interrupts says "t", leaves for 0x2, rbx 0x5',
  'kvm: local APIC says "", leaves for 0x2, rbx 0x5001400000035',
  'kvm: virtual interrupts says "", leaves for 0x2, rbx 0x41610416171',
  'kvm: status 0',
];

/** The built program, or, where there is a compiler, what its sources make now: both have to say the same. */
function program(folder: string, built: boolean): Uint8Array {
  if (!built && have('gcc') && have('make')) {
    execFileSync('make', ['-s', '-C', SOURCES, `OUT=${folder}`], { stdio: 'pipe' });
    return readFileSync(join(folder, 'kvm.elf'));
  }
  return readFileSync(join(SOURCES, 'kvm.elf'));
}

describe('hypervisors from Debian run guests by the hardware', () => {
  for (const { name, cpu, module, apic, xen } of PROCESSORS) {
    it(`KVM by ${name}`, function () {
      if (!existsSync(guest(KERNEL)) || !existsSync(guest('busybox-static'))) this.skip();
      withFolder((folder) => {
        const [image, initrd] = [join(folder, 'vmlinux'), join(folder, 'initrd')];
        writeFileSync(image, vmlinuxOf(kernelOf(guest(KERNEL))));
        const files = { 'bin/kvm': program(folder, module === 'kvm_intel'), start: startOf(module, apic) };
        const moduleTree = moduleTreeOf(guest(KERNEL));
        writeFileSync(initrd, initramfs({ busybox: busyboxOf(guest('busybox-static')), moduleTree, modules: [module], files }));
        const options = ['--initrd', initrd, '--cpu', cpu, '--append', 'console=ttyS0 loglevel=4', '--fail', 'Kernel panic'];
        const { status, console, tail } = runGuest(image, [...options, '--max-instructions', '6000000000']);
        assert.equal(status, 0, tail);
        const lines = console.split(/\r?\n/);
        assert.deepEqual(lines.filter((line) => line.startsWith('kvm: ')), SAID, tail);
        assert.deepEqual(lines.filter((line) => line.startsWith('apic: ')), [`apic: ${module === 'kvm_intel' ? 'Y' : 'N'}`], tail);
        assert.doesNotMatch(console, /\bBUG:|WARNING: CPU|Call Trace/);
      });
    }).timeout(900_000);

    it(`Xen by ${name}`, function () {
      if (!existsSync(guest(XEN))) this.skip();
      withFolder((folder) => {
        const image = join(folder, 'xen');
        writeFileSync(image, gunzipSync(readFileSync(guest(`${XEN}/boot/xen-4.17-amd64.gz`))));
        // It looks at the processor before it looks at what is to be domain 0.
        const domain0 = kernelOf(guest(KERNEL));
        const options = ['--cpu', cpu, '--append', 'com1=115200,8n1 console=com1 loglvl=all', '--module', domain0];
        const limits = ['--memory', '512M', '--until', 'HVM: HAP page sizes', '--max-instructions', '2000000000'];
        const { status, console, tail } = runGuest(image, [...options, ...limits]);
        assert.equal(status, 0, tail);
        assert.match(console, xen);
      });
    }).timeout(300_000);
  }
}); // prettier-ignore
