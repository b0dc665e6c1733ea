import assert from 'node:assert/strict';
import { BOOT_FORMATS } from '../../../../emulator/machine/loaders/image';
import type { BootFormat } from '../../../../emulator/machine/loaders/image';
import { CpuState } from '../../../../emulator/cpu/state';
import { enterImage } from '../../../../emulator/machine/boot';
import { loadInto } from './check';
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

const code = Uint8Array.of(0x90, 0x90, 0xf4);
const file = (name: string, text: string): { name: string; bytes: Uint8Array } => ({ name, bytes: Buffer.from(text) });

describe('loaders: detection by content', () => {
  const rows: [BootFormat, Uint8Array][] = [
    ['multiboot-1', kernelWith(multiboot1Header(3))],
    ['multiboot-2', kernelWith(multiboot2Header([]))],
    ['multiboot-2', kernelWith(Buffer.concat([multiboot2Header([]), multiboot1Header(0)]))],
    ['pvh', elf({ entry: 0n, segments: [{ gpa: MIB, bytes: code }, { gpa: 0, type: 4, bytes: pvhNote(MIB) }] })],
    ['linux-32', bzImage()],
    ['linux-64', bzImage({ xloadflags: 1 })],
    ['linux-32', bzImage({ version: 0x20b, xloadflags: 1 })],
    ['linux-16', bzImage({ code32Start: 0 })],
    ['linux-16', bzImage({ loadflags: 0, kernelBytes: 0x1000, initSize: 0x1000 })],
    ['elf-32', elf({ entry: BigInt(MIB), segments: [{ gpa: MIB, bytes: code }] })],
    ['elf-64', elf({ wide: true, entry: BigInt(MIB), segments: [{ gpa: MIB, bytes: code }] })],
    ['boot-sector', bootSector()],
  ]; // prettier-ignore
  for (const [format, kernel] of rows)
    it(`${BOOT_FORMATS[format]} (${kernel.length} bytes)`, () => {
      const { image } = loadInto({ name: 'k', kernel });
      assert.equal(image.format, format);
      // A Multiboot kernel may look at what a BIOS left: Xen does.
      assert.equal(image.needsBios, image.entry.mode === 'real' || format.startsWith('multiboot'));
      enterImage(new CpuState(new WebAssembly.Memory({ initial: 1 })), image.entry);
    });
});

describe('loaders: Multiboot 1', () => {
  const kernel = kernelWith(multiboot1Header(3));

  it('hands over memory, command line, modules and its name', () => {
    const loaded = loadInto({ name: '/home/me/k.elf', kernel, append: 'a b', initrd: file('/x/init', 'INIT'), modules: [file('m2', 'MODULE')] }); // prettier-ignore
    assert.equal(loaded.register('rax'), 0x2bad_b002);
    assert.equal(loaded.register('rip'), MIB + 12);
    const info = loaded.register('rbx');
    assert.equal(loaded.u32(info) & 0x24d, 0x24d);
    assert.equal(loaded.u32(info + 4), 639);
    assert.equal(loaded.u32(info + 8), 63 * 1024 - 64);
    assert.equal(loaded.text(loaded.u32(info + 16)), 'k.elf a b');
    assert.equal(loaded.text(loaded.u32(info + 64)), 'Ringside');
    assert.equal(loaded.u32(info + 20), 2);
    const modules = loaded.u32(info + 24);
    const found = [0, 16].map((at) => {
      const [start, end, name] = [0, 4, 8].map((f) => loaded.u32(modules + at + f)) as [number, number, number];
      assert.equal(start % 0x1000, 0);
      return [loaded.text(name), Buffer.from(loaded.bytes(start, end - start)).toString()];
    });
    assert.deepEqual(found, [['init', 'INIT'], ['m2', 'MODULE']]); // prettier-ignore
    const [bytes, map] = [loaded.u32(info + 44), loaded.u32(info + 48)];
    const entries = [];
    for (let at = map; at < map + bytes; at += loaded.u32(at) + 4)
      entries.push({ gpa: loaded.u64(at + 4), bytes: loaded.u64(at + 12), type: loaded.u32(at + 20) });
    assert.deepEqual(entries, environment().e820);
  });

  it('clears the BSS and leaves flat 32-bit segments over a table that says the same', () => {
    const loaded = loadInto({ name: 'k', kernel });
    assert.equal(loaded.u32(MIB + 12 + 64), 0);
    const { entry } = loaded.image;
    assert.deepEqual([entry.cr0, entry.cr4, entry.efer, entry.registers.rflags], [0x11, 0, 0, 2n]);
    for (const name of ['cs', 'ds', 'es', 'ss'] as const) {
      assert.deepEqual([entry.segments[name].base, entry.segments[name].limit], [0n, 0xffff_ffff]);
      const low = loaded.u32(entry.gdtr.base + entry.segments[name].selector);
      const high = loaded.u32(entry.gdtr.base + entry.segments[name].selector + 4);
      assert.equal(low, 0xffff);
      assert.equal(high >>> 0, name === 'cs' ? 0x00cf9b00 : 0x00cf9300);
    }
  });

  it('translates a virtual e_entry', () => {
    const high = elf({ entry: 0xc010_0010n, segments: [{ gpa: MIB, gva: 0xc010_0000n, bytes: Buffer.concat([multiboot1Header(0), code, code]) }] }); // prettier-ignore
    assert.equal(loadInto({ name: 'k', kernel: high }).register('rip'), MIB + 0x10);
  });

  it('loads by the addresses in the header', () => {
    // 8 bytes before the header belong to the image too: load_addr is 8 below header_addr.
    const header = multiboot1Header(0x1_0000, [MIB + 8, MIB, MIB + 48, MIB + 0x100, MIB + 40]);
    const raw = Buffer.concat([Buffer.alloc(8, 0x11), header, Buffer.alloc(8, 0x22)]);
    const loaded = loadInto({ name: 'raw', kernel: raw });
    assert.equal(loaded.register('rip'), MIB + 40);
    assert.deepEqual(loaded.bytes(MIB, 48), new Uint8Array(raw.subarray(0, 48)));
    assert.equal(loaded.u32(MIB + 0xfc), 0);
  });
});

describe('loaders: Multiboot 2', () => {
  it('gives every tag that it knows', () => {
    const kernel = kernelWith(
      multiboot2Header([
        { type: 1, words: [1, 3, 4, 6, 15] },
        { type: 6, words: [] },
      ]),
    );
    const loaded = loadInto({ name: 'k', kernel, append: 'x', modules: [file('m', 'M')] });
    assert.equal(loaded.register('rax'), 0x36d7_6289);
    const info = loaded.register('rbx');
    const tags = new Map<number, number>();
    let at = info + 8;
    for (; loaded.u32(at) !== 0; at += Math.ceil(loaded.u32(at + 4) / 8) * 8) tags.set(loaded.u32(at), at);
    assert.equal(at + 8 - info, loaded.u32(info), 'total_size ends with the end tag');
    assert.deepEqual([...tags.keys()], [1, 2, 3, 4, 6, 8, 14, 15]);
    assert.equal(loaded.text(tags.get(1)! + 8), 'k x');
    assert.equal(loaded.text(tags.get(3)! + 16), 'm');
    assert.equal(loaded.u8(loaded.u32(tags.get(3)! + 8)), 'M'.charCodeAt(0));
    assert.equal(loaded.u32(tags.get(6)! + 4), 16 + 24 * environment().e820.length);
    assert.equal(loaded.u32(tags.get(15)! + 4), 8 + 36);
  });

  it('obeys address and entry tags, and an entry tag with an ELF file', () => {
    const header = multiboot2Header([
      { type: 2, words: [MIB, MIB, 0, 0] },
      { type: 3, words: [MIB + 4] },
    ]);
    assert.equal(loadInto({ name: 'raw', kernel: header }).register('rip'), MIB + 4);
    const kernel = kernelWith(multiboot2Header([{ type: 3, words: [MIB + 8] }]));
    assert.equal(loadInto({ name: 'k', kernel }).register('rip'), MIB + 8);
  });
});

describe('loaders: PVH', () => {
  it('hands over hvm_start_info version 1', () => {
    const kernel = elf({ wide: true, entry: 0n, segments: [{ gpa: MIB, gva: 0xffff_ffff_8010_0000n, bytes: code }, { gpa: 0, type: 4, bytes: pvhNote(MIB + 1, 8) }] }); // prettier-ignore
    const loaded = loadInto({ name: 'k', kernel, append: 'quiet', initrd: file('i', 'RD') });
    assert.equal(loaded.register('rip'), MIB + 1);
    const info = loaded.register('rbx');
    assert.deepEqual([0, 4, 8, 12].map((at) => loaded.u32(info + at)), [0x336e_c578, 1, 0, 1]); // prettier-ignore
    const module = loaded.u64(info + 16);
    assert.equal(Buffer.from(loaded.bytes(loaded.u64(module), loaded.u64(module + 8))).toString(), 'RD');
    assert.equal(loaded.text(loaded.u64(info + 24)), 'quiet');
    assert.equal(loaded.u64(info + 32), 0xf1230);
    assert.equal(loaded.u32(info + 48), environment().e820.length);
    assert.equal(loaded.u64(loaded.u64(info + 40) + 24 * 3), MIB);
  });
});

describe('loaders: Linux', () => {
  const checkParams = (loaded: ReturnType<typeof loadInto>, params: number): void => {
    assert.equal(loaded.u32(params + 0x202), 0x53726448);
    assert.equal(loaded.u8(params + 0x210), 0xff);
    assert.equal(loaded.text(loaded.u32(params + 0x228)), 'console=ttyS0');
    assert.equal(loaded.u8(params + 0x1ef), 0, 'the sentinel');
    assert.equal(loaded.u8(params + 0x1e8), environment().e820.length);
    assert.equal(loaded.u64(params + 0x2d0 + 20 * 3), MIB);
    assert.deepEqual([6, 7, 0xe].map((at) => loaded.u8(params + at)), [3, 80, 25]); // prettier-ignore
    assert.equal(loaded.u64(params + 0x70), 0xf1230);
  };
  const initrd = file('initrd', 'R'.repeat(5000));

  it('enters the 32-bit kernel with boot_params in ESI, the initrd as high as it may be', () => {
    const loaded = loadInto({
      name: 'k',
      kernel: bzImage({ initrdAddrMax: 0x1ff_ffff }),
      append: 'console=ttyS0',
      initrd,
    });
    assert.equal(loaded.register('rip'), MIB);
    const params = loaded.register('rsi');
    checkParams(loaded, params);
    assert.deepEqual([loaded.u32(params + 0x218), loaded.u32(params + 0x21c)], [0x200_0000 - 0x2000, 5000]);
    assert.equal(loaded.u8(0x200_0000 - 0x2000), 'R'.charCodeAt(0));
    assert.deepEqual([loaded.image.entry.segments.cs.selector, loaded.image.entry.segments.ds.selector], [0x10, 0x18]);
  });

  it('enters the 64-bit kernel 200h above its load address, on tables that map 4 GiB to themselves', () => {
    const kernel = bzImage({ xloadflags: 1, relocatable: true, prefAddress: 16 * MIB });
    const loaded = loadInto({ name: 'k', kernel, append: 'console=ttyS0' });
    assert.equal(loaded.register('rip'), 16 * MIB + 0x200);
    checkParams(loaded, loaded.register('rsi'));
    const { entry } = loaded.image;
    assert.deepEqual([entry.cr0, entry.cr4, entry.efer], [0x8000_0011, 0x20, 0x500]);
    for (const gva of [0, 0x1234_5000, 0xfee0_0000]) {
      const pdpt = loaded.u64(entry.cr3);
      const pd = loaded.u64((pdpt & ~0xfff) + 8 * Math.floor(gva / 2 ** 30));
      const pde = loaded.u64((pd & ~0xfff) + 8 * (Math.floor(gva / 2 ** 21) % 512));
      assert.equal(pde, Math.floor(gva / 2 ** 21) * 2 ** 21 + 0x83);
    }
  });

  it('moves a relocatable kernel to where there is memory', () => {
    const kernel = bzImage({ relocatable: true, prefAddress: 128 * MIB });
    assert.equal(loadInto({ name: 'k', kernel }).register('rip'), 2 * MIB);
  });

  for (const [what, options, base] of [
    ['2.07 without 32-bit entry', { code32Start: 0, version: 0x207 }, 0x10000],
    ['zImage 2.01', { loadflags: 0, version: 0x201, kernelBytes: 0x1000 }, 0x90000],
  ] as const)
    it(`enters the setup code in real mode: ${what}`, () => {
      const loaded = loadInto({ name: 'k', kernel: bzImage({ ...options, initSize: 0 }), append: 'console=ttyS0' });
      const { entry } = loaded.image;
      assert.equal(entry.mode, 'real');
      assert.deepEqual([entry.segments.cs.base, entry.registers.rip], [BigInt(base + 0x200), 0n]);
      for (const name of ['ds', 'es', 'ss'] as const) assert.equal(entry.segments[name].selector, base >> 4);
      assert.equal(loaded.u8(base + 0x211) & 0x80, 0x80);
      assert.ok(loaded.u16(base + 0x224) < loaded.register('rsp'));
      const line = base === 0x10000 ? loaded.u32(base + 0x228) : base + loaded.u16(base + 0x22);
      assert.equal(loaded.text(line), 'console=ttyS0');
      if (base === 0x90000) assert.equal(loaded.u16(base + 0x20), 0xa33f);
      assert.equal(loaded.u8(base === 0x90000 ? 0x10000 : MIB), 0x90);
    });
});

describe('loaders: plain ELF and boot sector', () => {
  it('maps a 64-bit segment at its virtual address', () => {
    const gva = 0xffff_ffff_8000_0000n;
    const kernel = elf({
      wide: true,
      entry: gva + 2n,
      segments: [{ gpa: 2 * MIB, gva, bytes: code, memorySize: 3 * MIB }],
    });
    const loaded = loadInto({ name: 'k', kernel });
    assert.equal(loaded.image.entry.registers.rip, gva + 2n);
    const { cr3 } = loaded.image.entry;
    const pdpt = loaded.u64(cr3 + 8 * 511) & ~0xfff;
    const pd = loaded.u64(pdpt + 8 * 510) & ~0xfff;
    assert.equal(loaded.u64(pd), 2 * MIB + 0x83);
    const pt = loaded.u64(pd + 8) & ~0xfff;
    assert.equal(loaded.u64(pt), 4 * MIB + 3);
    assert.equal(loaded.u64(pt + 8 * 255), 5 * MIB - 0x1000 + 3);
    assert.equal(loaded.u64(pt + 8 * 256), 0);
  });

  it('starts a disk at 0000:7C00 with its number in DL', () => {
    const disk = Buffer.concat([bootSector([0xeb, 0xfe]), Buffer.alloc(512)]);
    const loaded = loadInto({ name: 'd', kernel: disk });
    const { entry } = loaded.image;
    assert.deepEqual([entry.segments.cs.selector, entry.registers.rip, entry.registers.rdx], [0, 0x7c00n, 0x80n]);
    assert.equal(loaded.u16(0x7c00), 0xfeeb);
    assert.equal(loaded.u16(0x7dfe), 0xaa55);
    assert.equal(loaded.image.disk, disk);
  });
});
