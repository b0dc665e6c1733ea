/** Small images of every format, made here so that a test can say what is in them and damage it. */
import type { BootEnvironment } from '../../../../emulator/machine/loaders/image';
import { Structure } from '../../../../emulator/machine/loaders/fields';

export const MIB = 0x10_0000;

export const environment = (mib = 64): BootEnvironment => ({
  e820: [
    { gpa: 0, bytes: 0x9fc00, type: 1 },
    { gpa: 0x9fc00, bytes: 0x400, type: 2 },
    { gpa: 0xf0000, bytes: 0x10000, type: 2 },
    { gpa: MIB, bytes: (mib - 1) * MIB - 0x10000, type: 1 },
    { gpa: mib * MIB - 0x10000, bytes: 0x10000, type: 3 },
  ],
  rsdp: { gpa: 0xf1230, bytes: new Uint8Array(36).fill(0xaa) },
});

export interface TestSegment {
  gpa: number;
  gva?: bigint;
  bytes: Uint8Array;
  memorySize?: number;
  type?: number;
}

export interface TestElf {
  wide?: boolean;
  machine?: number;
  type?: number;
  entry: bigint;
  segments: TestSegment[];
}

/** Program headers at once behind the file header, the contents from the next multiple of 16, one after the other. */
export const elf = ({ wide = false, machine = wide ? 62 : 3, type = 2, entry, segments }: TestElf): Uint8Array => {
  const [headerBytes, segmentBytes] = wide ? [64, 56] : [52, 32];
  let offset = Math.ceil((headerBytes + segmentBytes * segments.length) / 16) * 16;
  const file = new Structure(offset + segments.reduce((sum, s) => sum + s.bytes.length, 0));
  file.set(0, Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, wide ? 2 : 1, 1, 1));
  file.u16(16, type).u16(18, machine).u32(20, 1);
  if (wide)
    file.u64(24, entry).u64(32, headerBytes).u16(52, headerBytes).u16(54, segmentBytes).u16(56, segments.length);
  else
    file
      .u32(24, Number(entry))
      .u32(28, headerBytes)
      .u16(40, headerBytes)
      .u16(42, segmentBytes)
      .u16(44, segments.length);
  segments.forEach(({ gpa, gva = BigInt(gpa), bytes, memorySize = bytes.length, type: p = 1 }, i) => {
    const at = headerBytes + i * segmentBytes;
    if (wide) file.u32(at, p).u32(at + 4, 7).u64(at + 8, offset).u64(at + 16, gva).u64(at + 24, gpa).u64(at + 32, bytes.length).u64(at + 40, memorySize); // prettier-ignore
    else file.u32(at, p).u32(at + 4, offset).u32(at + 8, Number(gva)).u32(at + 12, gpa).u32(at + 16, bytes.length).u32(at + 20, memorySize); // prettier-ignore
    file.set(offset, bytes);
    offset += bytes.length;
  });
  return file.bytes;
};

/** `words` follow the checksum: the address fields. */
export const multiboot1Header = (flags: number, words: number[] = []): Uint8Array => {
  const header = new Structure(12 + words.length * 4).u32(0, 0x1bad_b002).u32(4, flags);
  header.u32(8, -(0x1bad_b002 + flags) >>> 0);
  words.forEach((word, i) => header.u32(12 + i * 4, word >>> 0));
  return header.bytes;
};

export interface TestTag {
  type: number;
  optional?: boolean;
  words: number[];
}
export const multiboot2Header = (tags: TestTag[], architecture = 0): Uint8Array => {
  const sizes = tags.map((tag) => Math.ceil((8 + tag.words.length * 4) / 8) * 8);
  const length = 16 + sizes.reduce((sum, size) => sum + size, 0) + 8;
  const header = new Structure(length).u32(0, 0xe852_50d6).u32(4, architecture).u32(8, length);
  header.u32(12, -(0xe852_50d6 + architecture + length) >>> 0);
  let at = 16;
  tags.forEach((tag, i) => {
    header.u16(at, tag.type).u16(at + 2, tag.optional ? 1 : 0).u32(at + 4, 8 + tag.words.length * 4); // prettier-ignore
    tag.words.forEach((word, n) => header.u32(at + 8 + n * 4, word >>> 0));
    at += sizes[i]!;
  });
  header.u32(at + 4, 8);
  return header.bytes;
};

/** A PT_NOTE segment's contents: Xen's PHYS32_ENTRY. */
export const pvhNote = (entry: number, bytes: 4 | 8 = 4): Uint8Array => {
  const note = new Structure(16 + bytes).u32(0, 4).u32(4, bytes).u32(8, 18).set(12, new TextEncoder().encode('Xen\0'));
  return note.u32(16, entry).bytes;
};

export interface TestLinux {
  version?: number;
  loadflags?: number;
  code32Start?: number;
  xloadflags?: number;
  setupSects?: number;
  kernelBytes?: number;
  prefAddress?: number;
  relocatable?: boolean;
  initSize?: number;
  initrdAddrMax?: number;
}

export const bzImage = (options: TestLinux = {}): Uint8Array => {
  const {
    version = 0x20c,
    loadflags = 1,
    code32Start = MIB,
    xloadflags = 0,
    setupSects = 4,
    kernelBytes = 0x2000,
  } = options;
  const setup = (setupSects + 1) * 512;
  const image = new Structure(setup + kernelBytes).u8(0x1f1, setupSects).u32(0x1f4, kernelBytes / 16);
  image
    .u16(0x1fe, 0xaa55)
    .u8(0x200, 0xeb)
    .u8(0x201, 0x66)
    .set(0x202, new TextEncoder().encode('HdrS'))
    .u16(0x206, version);
  image
    .u8(0x211, loadflags)
    .u32(0x214, code32Start)
    .u32(0x22c, options.initrdAddrMax ?? 0x7fff_ffff)
    .u32(0x230, 0x20_0000);
  image
    .u8(0x234, options.relocatable ? 1 : 0)
    .u16(0x236, xloadflags)
    .u32(0x238, 0x7ff);
  image.u64(0x258, options.prefAddress ?? MIB).u32(0x260, options.initSize ?? 0x10000);
  image.bytes.fill(0x90, setup);
  return image.bytes;
};

export const bootSector = (code: number[] = [0xf4]): Uint8Array => {
  const sector = new Structure(512).set(0, Uint8Array.from(code)).u16(510, 0xaa55);
  return sector.bytes;
};

/** A 32-bit ELF kernel at 1 MiB with `header` at the start of its text. */
export const kernelWith = (header: Uint8Array, bss = 0x1000): Uint8Array => {
  const bytes = new Uint8Array(header.length + 64);
  bytes.set(header);
  return elf({ entry: BigInt(MIB + header.length), segments: [{ gpa: MIB, bytes, memorySize: bytes.length + bss }] });
};
