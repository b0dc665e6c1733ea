/** Multiboot 1 (Multiboot Specification 0.6.96): sections 3.1 header, 3.2 machine state, 3.3 boot information. */
import type { BootInput } from '../api';
import { readElf, isElf } from '../elf';
import { claimSegments, physicalEntry } from './elf-segments';
import { protectedEntry } from './entry';
import { Fields, Structure, cString, hex } from './fields';
import type { BootEnvironment, BootImage } from './image';
import type { PlacedModule } from './modules';
import { baseName, placeModules } from './modules';
import { Placement } from './placement';
import { claimByAddress } from './multiboot-address';

const HEADER_MAGIC = 0x1bad_b002;
const LOADER_MAGIC = 0x2bad_b002n;
/** The header lies wholly in the first 8 KiB, on a 4-byte boundary. */
const SEARCH = 8192;
const HEADER_FLAG = { pageAlign: 1, memory: 2, video: 4, address: 1 << 16 } as const;
const KNOWN_FLAGS = HEADER_FLAG.pageAlign | HEADER_FLAG.memory | HEADER_FLAG.video;
const INFO_FLAG = {
  memory: 1,
  commandLine: 4,
  modules: 8,
  memoryMap: 0x40,
  loaderName: 0x200,
  framebuffer: 0x1000,
} as const;
const INFO_BYTES = 116;
export const LOADER_NAME = 'Ringside';

/** Offset of the header, or undefined. */
export const findMultiboot1 = (file: Fields, within: number = SEARCH): number | undefined => {
  for (let at = 0; at + 12 <= Math.min(within, file.length); at += 4) {
    if (file.peek32(at) !== HEADER_MAGIC) continue;
    if ((HEADER_MAGIC + file.peek32(at + 4) + file.peek32(at + 8)) >>> 0 === 0) return at;
  }
  return undefined;
};

export const loadMultiboot1 = (input: BootInput, environment: BootEnvironment, header: number): BootImage => {
  const file = new Fields(input.name, input.kernel);
  const placement = new Placement(input.name, environment);
  const flags = file.u32(header + 4, 'Multiboot header field flags');
  const unknown = flags & 0xffff & ~KNOWN_FLAGS;
  if (unknown)
    throw file.bad('Multiboot header field flags', header + 4, flags, `of which ${hex(unknown)} is unknown and required`, 'build the kernel without it'); // prettier-ignore
  const entry = flags & HEADER_FLAG.address ? loadByHeader(file, header, placement) : loadElf(input, placement);
  const info = placeInfo(input, placement, placeModules(input, placement));
  return {
    format: 'multiboot-1',
    writes: placement.writes,
    zero: placement.zero,
    entry: protectedEntry(placement, { rax: LOADER_MAGIC, rbx: BigInt(info), rip: BigInt(entry) }),
    needsBios: true,
  };
};

const loadElf = (input: BootInput, placement: Placement): number => {
  const file = new Fields(input.name, input.kernel);
  if (!isElf(input.kernel))
    throw file.bad('the Multiboot header', undefined, undefined, 'gives no load addresses (flags bit 16) and the file is no ELF file', 'set the bit or link an ELF file'); // prettier-ignore
  const elf = readElf(input.name, input.kernel);
  claimSegments(elf, placement);
  return physicalEntry(elf);
};

/** Section 3.1.3: the header itself says what to load where. */
const loadByHeader = (file: Fields, header: number, placement: Placement): number => {
  const field = (offset: number, name: string): { offset: number; value: number; name: string } => ({
    offset: header + offset,
    value: file.u32(header + offset, `Multiboot header field ${name}`),
    name: `Multiboot header field ${name}`,
  });
  return claimByAddress(file, header, placement, {
    header: field(12, 'header_addr'),
    load: field(16, 'load_addr'),
    loadEnd: field(20, 'load_end_addr'),
    bssEnd: field(24, 'bss_end_addr'),
    entry: field(28, 'entry_addr'),
  });
};

/**
 * The command line begins with the kernel's name, as GRUB legacy and QEMU pass it: kernels that look at the loader's
 * name to know (Xen) strip a first word from every loader but GRUB 2.
 */
export const commandLine = (input: BootInput): string => [baseName(input.name), input.append ?? ''].join(' ').trim();

const placeInfo = (input: BootInput, placement: Placement, modules: PlacedModule[]): number => {
  const text = (what: string, value: string): number => placement.place(what, cString(value), { align: 1 });
  const list = new Structure(modules.length * 16);
  modules.forEach((module, i) => {
    list.u32(i * 16, module.gpa).u32(i * 16 + 4, module.gpa + module.bytes);
    list.u32(i * 16 + 8, text(`name of module ${module.name}`, module.name));
  });
  const { e820 } = placement.environment;
  const map = new Structure(e820.length * 24);
  e820.forEach(({ gpa, bytes, type }, i) => map.u32(i * 24, 20).u64(i * 24 + 4, gpa).u64(i * 24 + 12, bytes).u32(i * 24 + 20, type)); // prettier-ignore
  const flags =
    INFO_FLAG.memory | INFO_FLAG.commandLine | INFO_FLAG.memoryMap | INFO_FLAG.loaderName | INFO_FLAG.framebuffer;
  const info = new Structure(INFO_BYTES)
    .u32(0, flags | (modules.length ? INFO_FLAG.modules : 0))
    .u32(4, placement.lowerMemoryEnd >> 10)
    .u32(8, (placement.upperMemoryEnd - 0x10_0000) / 1024)
    .u32(16, text('command line', commandLine(input)))
    .u32(20, modules.length)
    .u32(24, modules.length ? placement.place('module list', list.bytes, { align: 4 }) : 0)
    .u32(44, map.bytes.length)
    .u32(48, placement.place('memory map', map.bytes, { align: 4 }))
    .u32(64, text('boot loader name', LOADER_NAME));
  // The screen is the text mode that the firmware left: 80 by 25 cells of 16 bits (type 2, EGA text).
  info.u64(88, 0xb8000).u32(96, 160).u32(100, 80).u32(104, 25).u8(108, 16).u8(109, 2);
  return placement.place('boot information', info.bytes, { align: 8 });
};
