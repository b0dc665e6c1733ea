import assert from 'node:assert/strict';
import { refusal } from './check';
import {
  MIB,
  bootSector,
  bzImage,
  elf,
  environment,
  kernelWith,
  multiboot1Header,
  multiboot2Header,
  pvhNote,
} from './images';
import type { TestSegment } from './images';

const code = Uint8Array.of(0x90, 0xf4);
const text = (s: string): Uint8Array => new TextEncoder().encode(s);
const latin = (s: string, size = 1024): Uint8Array => Buffer.concat([Buffer.from(s, 'latin1'), Buffer.alloc(size, 1)]);
const plain = (...segments: TestSegment[]): Uint8Array => elf({ entry: BigInt(segments[0]!.gpa), segments });
const pe = (): Uint8Array => {
  const bytes = Buffer.alloc(1024);
  bytes.write('MZ');
  bytes.writeUInt32LE(0x80, 0x3c);
  bytes.write('PE\0\0', 0x80);
  return bytes;
};
const patched = (bytes: Uint8Array, at: number, ...values: number[]): Uint8Array => {
  const copy = bytes.slice();
  copy.set(values, at);
  return copy;
};
const mb1 = (words: number[]): Uint8Array => Buffer.concat([multiboot1Header(0x1_0000, words), Buffer.alloc(64)]);
const wide = 0xffff_ffff_8000_0000n;

describe('loaders: one message for every image that cannot be booted', () => {
  // prettier-ignore
  const rows: [string, Uint8Array, RegExp][] = [
    ['empty', new Uint8Array(0), /empty/],
    ['text', text('#!/bin/sh\necho no kernel\n'), /is text/],
    ['noise', latin('\x01\x02\x03'), /no signature.*0x1fe/],
    ['short noise', Uint8Array.of(1, 2, 3), /only 3 bytes/],
    ['gzip', latin('\x1f\x8b\x08'), /gzip; unpack/],
    ['xz', latin('\xfd7zXZ\0'), /xz; unpack/],
    ['zstd', latin('\x28\xb5\x2f\xfd'), /zstd/],
    ['cpio', latin('070701'), /--initrd/],
    ['Debian package', latin('!<arch>\ndebian-binary'), /dpkg -x/],
    ['PE', pe(), /PE.*EFI/],
    ['ARM ELF', elf({ machine: 40, entry: 0n, segments: [] }), /e_machine is 40/],
    ['ARM64 image', Buffer.concat([Buffer.alloc(0x38, 1), Buffer.from('ARM\x64'), Buffer.alloc(1000)]), /ARM64/],
    ['object file', elf({ type: 1, entry: 0n, segments: [{ gpa: MIB, bytes: code }] }), /e_type at offset 0x10 is 0x1/],
    ['core dump', elf({ type: 4, entry: 0n, segments: [{ gpa: MIB, bytes: code }] }), /core dump/],
    ['debug file', elf({ entry: 0n, segments: [] }), /PT_LOAD/],
    ['dynamic program', plain({ gpa: MIB, bytes: code }, { gpa: 0, type: 3, bytes: text('/lib/ld.so\0') }), /PT_INTERP/],
    ['headers below 1 MiB', plain({ gpa: 0xff000, bytes: code, memorySize: 0x2000 }), /not all RAM.*ld -n/],
    ['Multiboot header too late', plain({ gpa: MIB, bytes: Buffer.concat([Buffer.alloc(8192, 0x90), multiboot1Header(0)]) }), /Multiboot header at offset 0x20\w\w is not where/],
    ['in the hole', plain({ gpa: 0xa0000, bytes: code }), /program header 0 \(p_paddr 0xa0000.*not all RAM/],
    ['over the edge of the hole', plain({ gpa: 0x9f000, bytes: code, memorySize: 0x2000 }), /not all RAM/],
    ['over the vectors', plain({ gpa: 0, bytes: code }), /interrupt vectors/],
    ['beyond memory', plain({ gpa: MIB, bytes: code, memorySize: 64 * MIB }), /more memory/],
    ['beyond everything', elf({ wide: true, entry: 0n, segments: [{ gpa: 2 ** 53, bytes: code }] }), /beyond any physical memory/],
    ['segments overlap', plain({ gpa: MIB, bytes: code }, { gpa: MIB + 1, bytes: code }), /program header 1.*where program header 0/],
    ['entry nowhere', elf({ entry: 5n, segments: [{ gpa: MIB, bytes: code }] }), /e_entry is 0x5/],
    ['skewed page', elf({ wide: true, entry: wide, segments: [{ gpa: MIB + 1, gva: wide, bytes: code }] }), /page-aligned/],
    ['cut ELF', plain({ gpa: MIB, bytes: code }).subarray(0, 97), /beyond the end/],

    ['mb1 unknown flag', kernelWith(multiboot1Header(0x10)), /flags at offset 0x64 is 0x10, of which 0x10/],
    ['mb1 no addresses', Buffer.concat([multiboot1Header(0), Buffer.alloc(600)]), /no load addresses/],
    ['mb1 addresses cut off', multiboot1Header(0x1_0000), /header_addr would lie at/],
    ['mb1 load above header', mb1([MIB, MIB + 4, 0, 0, MIB + 4]), /load_addr at offset 0x10 is 0x100004, above/],
    ['mb1 load before file', mb1([MIB + 8, MIB, 0, 0, MIB]), /load_addr.*8 bytes before/],
    ['mb1 end below start', mb1([MIB, MIB, MIB - 1, 0, MIB]), /load_end_addr.*below/],
    ['mb1 end behind file', mb1([MIB, MIB, MIB + 0x1000, 0, MIB]), /load_end_addr.*behind the file/],
    ['mb1 bss below end', mb1([MIB, MIB, 0, MIB + 4, MIB]), /bss_end_addr.*below/],
    ['mb1 entry outside', mb1([MIB, MIB, 0, 0, MIB + 0x1000]), /entry_addr.*not in what is loaded/],

    ['mb2 for MIPS', kernelWith(multiboot2Header([], 4)), /architecture.*0x4, not i386/],
    ['mb2 EFI boot services', kernelWith(multiboot2Header([{ type: 7, words: [] }])), /tag 7 \(EFI boot services\)/],
    ['mb2 EFI entry', kernelWith(multiboot2Header([{ type: 9, words: [0] }])), /tag 9 \(EFI amd64 entry address\)/],
    ['mb2 unknown tag', kernelWith(multiboot2Header([{ type: 99, words: [0] }])), /tag 99 \(unknown\)/],
    ['mb2 wants SMBIOS', kernelWith(multiboot2Header([{ type: 1, words: [13] }])), /mbi_tag_types.*0xd/],
    ['mb2 tag too long', patched(kernelWith(multiboot2Header([{ type: 4, words: [0] }])), 0x60 + 16 + 4, 0xff), /size of Multiboot 2 header tag 4/],
    ['mb2 no end', patched(kernelWith(multiboot2Header([{ type: 4, words: [0, 0] }])), 0x60 + 16 + 16, 4, 0, 0, 0, 8), /no end tag/],
    ['mb2 no entry', multiboot2Header([{ type: 2, words: [MIB, MIB, 0, 0] }]), /no entry address tag/],
    ['mb2 no ELF', multiboot2Header([]), /no address tag/],

    ['PVH note of 2 bytes', elf({ entry: 0n, segments: [{ gpa: MIB, bytes: code }, { gpa: 0, type: 4, bytes: patched(pvhNote(MIB), 4, 2) }] }), /PHYS32_ENTRY\) has 2 bytes/],
    ['PVH entry nowhere', elf({ entry: 0n, segments: [{ gpa: MIB, bytes: code }, { gpa: 0, type: 4, bytes: pvhNote(4) }] }), /PHYS32_ENTRY.*0x4/],

    ['Linux 3.0', bzImage({ version: 0x300 }), /version at offset 0x206 is 0x300/],
    ['Linux cut in setup', bzImage({ setupSects: 40 }).subarray(0, 4000), /setup_sects at offset 0x1f1 is 0x28/],
    ['Linux cut in kernel', bzImage().subarray(0, 4096), /syssize at offset 0x1f4/],
    ['Linux too big', bzImage({ initSize: 128 * MIB }), /the kernel occupies.*more memory/],
    ['Linux header too long', patched(bzImage(), 0x201, 0xff), /jump at offset 0x201 is 0xff/],
    ['Linux above 4 GiB', bzImage({ prefAddress: 2 ** 33 }), /pref_address/],
  ];
  for (const [what, kernel, message] of rows) it(what, () => assert.match(refusal({ name: 'image', kernel }), message));
});

describe('loaders: options that a format has no place for', () => {
  const some = { name: 'f', bytes: Uint8Array.of(1) };
  const elf32 = plain({ gpa: MIB, bytes: code });
  // prettier-ignore
  const rows: [string, Parameters<typeof refusal>[0], RegExp][] = [
    ['plain ELF --append', { name: 'k', kernel: elf32, append: 'x' }, /--append/],
    ['plain ELF --initrd', { name: 'k', kernel: elf32, initrd: some }, /--initrd/],
    ['plain ELF --module', { name: 'k', kernel: elf32, modules: [some] }, /--module/],
    ['boot sector --append', { name: 'k', kernel: bootSector(), append: 'x' }, /--append/],
    ['Linux --module', { name: 'k', kernel: bzImage(), modules: [some] }, /--module/],
    ['Linux long command line', { name: 'k', kernel: bzImage(), append: 'x'.repeat(3000) }, /3000 bytes.*shorten --append/],
    ['module larger than memory', { name: 'k', kernel: kernelWith(multiboot1Header(0)), modules: [{ name: 'big', bytes: new Uint8Array(5 * MIB) }] }, /no room for module big/],
    ['initrd larger than memory', { name: 'k', kernel: bzImage(), initrd: { name: 'big', bytes: new Uint8Array(5 * MIB) } }, /no room for initrd/],
  ];
  for (const [what, input, message] of rows) it(what, () => assert.match(refusal(input, environment(4)), message));
});
