/** The setup header of a bzImage or zImage (Linux Documentation/arch/x86/boot.rst, "The Real-Mode Kernel Header"). */
import { DAMAGED, hex } from './fields';
import type { Fields } from './fields';

const SECTOR = 512;
/** Offsets in the file and in boot_params alike. */
export const HEADER = {
  setupSects: 0x1f1, syssize: 0x1f4, bootFlag: 0x1fe, jump: 0x201, magic: 0x202, version: 0x206, typeOfLoader: 0x210,
  loadflags: 0x211, code32Start: 0x214, ramdiskImage: 0x218, ramdiskSize: 0x21c, heapEndPtr: 0x224, cmdLinePtr: 0x228,
  initrdAddrMax: 0x22c, kernelAlignment: 0x230, relocatable: 0x234, xloadflags: 0x236, cmdlineSize: 0x238,
  prefAddress: 0x258, initSize: 0x260,
} as const; // prettier-ignore
/** boot_params has something else from here on. */
const ROOM_IN_BOOT_PARAMS = 0x290;
export const LOADFLAG = { loadedHigh: 1, canUseHeap: 0x80 } as const;
export const XLOADFLAG = { kernel64: 1 } as const;

export interface LinuxHeader {
  /** 0x020f is 2.15. */
  version: number;
  /** Boot sector and setup code, in bytes; the rest of the file is the protected-mode kernel. */
  setupBytes: number;
  /** End of the setup header in the file. */
  headerEnd: number;
  loadedHigh: boolean;
  code32Start: number;
  kernel64: boolean;
  relocatable: boolean;
  kernelAlignment: number;
  prefAddress: number;
  /** Memory that it needs from its load address on; at least its own size. */
  initSize: number;
  initrdAddrMax: number;
  /** Characters of a command line, without the closing 0. */
  cmdlineSize: number;
}

export const isLinux = (file: Fields): boolean =>
  file.has(HEADER.magic, 'HdrS') && file.bytes[HEADER.bootFlag] === 0x55 && file.bytes[HEADER.bootFlag + 1] === 0xaa;

/** Fields that the image's protocol version does not have get the values that boot.rst gives them. */
export const readLinuxHeader = (file: Fields): LinuxHeader => {
  const version = file.u16(HEADER.version, 'setup header field version');
  if (version < 0x200 || version > 0x2ff)
    throw file.bad('setup header field version', HEADER.version, version, 'not a version 2.x of the boot protocol', DAMAGED); // prettier-ignore
  const since = <T>(minimum: number, value: () => T, otherwise: T): T => (version >= minimum ? value() : otherwise);
  const u32 = (offset: number, name: string): number => file.u32(offset, `setup header field ${name}`);
  // 0 means 4, for the sake of ancient kernels.
  const setupBytes = ((file.u8(HEADER.setupSects, 'setup_sects') || 4) + 1) * SECTOR;
  if (setupBytes >= file.length)
    throw file.bad('setup header field setup_sects', HEADER.setupSects, setupBytes / SECTOR - 1, `but the file has only ${file.length} bytes`, DAMAGED); // prettier-ignore
  checkSize(file, version, setupBytes);
  const loadflags = file.u8(HEADER.loadflags, 'loadflags');
  const prefAddress = since(0x20a, () => file.u64(HEADER.prefAddress, 'setup header field pref_address'), 0n);
  if (prefAddress > 0xffff_ffffn)
    throw file.bad('setup header field pref_address', HEADER.prefAddress, prefAddress, 'above 4 GiB', DAMAGED);
  const header: LinuxHeader = {
    version,
    setupBytes,
    headerEnd: HEADER.magic + file.u8(HEADER.jump, 'jump'),
    loadedHigh: (loadflags & LOADFLAG.loadedHigh) !== 0,
    code32Start: u32(HEADER.code32Start, 'code32_start'),
    kernel64: since(0x20c, () => (file.u16(HEADER.xloadflags, 'xloadflags') & XLOADFLAG.kernel64) !== 0, false),
    relocatable: since(0x205, () => file.u8(HEADER.relocatable, 'relocatable_kernel') !== 0, false),
    kernelAlignment: since(0x205, () => u32(HEADER.kernelAlignment, 'kernel_alignment'), 0) || 1,
    prefAddress: Number(prefAddress),
    initSize: Math.max(
      since(0x20a, () => u32(HEADER.initSize, 'init_size'), 0),
      file.length - setupBytes,
    ),
    initrdAddrMax: since(0x203, () => u32(HEADER.initrdAddrMax, 'initrd_addr_max'), 0x37ff_ffff),
    cmdlineSize: since(0x206, () => u32(HEADER.cmdlineSize, 'cmdline_size'), 0) || 255,
  };
  if (header.headerEnd > ROOM_IN_BOOT_PARAMS)
    throw file.bad('setup header field jump', HEADER.jump, header.headerEnd - HEADER.magic, 'so large that the header leaves its room in boot_params', DAMAGED); // prettier-ignore
  return header;
};

/** syssize is 32 bits wide, and counts the protected-mode code, since 2.04. */
const checkSize = (file: Fields, version: number, setupBytes: number): void => {
  if (version < 0x204) return;
  const paragraphs = file.u32(HEADER.syssize, 'setup header field syssize');
  // Rounded up to paragraphs, and not always padded to them.
  const least = setupBytes + paragraphs * 16 - 15;
  if (file.length < least)
    throw file.bad('setup header field syssize', HEADER.syssize, paragraphs, `so that the file should have about ${hex(least)} bytes and has ${hex(file.length)}`, DAMAGED); // prettier-ignore
};
