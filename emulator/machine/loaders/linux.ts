/**
 * The Linux boot protocol (Linux Documentation/arch/x86/boot.rst). Where the image has a 64-bit entry that one is used,
 * else the 32-bit one: both skip the setup code, whose findings boot_params gets from us. An image without a 32-bit
 * entry (a zImage; iPXE, whose code32_start is 0) is entered in its real-mode setup code, which needs BIOS services.
 */
import type { BootInput } from '../api';
import { UserError } from '../../util/assert';
import { longEntry, protectedEntry, realEntry } from './entry';
import { Fields, Structure, cString, hex } from './fields';
import type { BootEnvironment, BootImage } from './image';
import { HEADER, LOADFLAG, readLinuxHeader } from './linux-header';
import type { LinuxHeader } from './linux-header';
import { refuse } from './modules';
import { placePageTables } from './page-tables';
import { Placement } from './placement';

const MIB = 0x10_0000;
const PAGE = 0x1000;
/** Offset of startup_64 from the load address. */
const ENTRY_64 = 0x200;
/** A boot loader without a number of its own. */
const UNKNOWN_LOADER = 0xff;

export const loadLinux = (input: BootInput, environment: BootEnvironment): BootImage => {
  refuse(input, 'the Linux boot protocol', ['modules']);
  const file = new Fields(input.name, input.kernel);
  const header = readLinuxHeader(file);
  const placement = new Placement(input.name, environment);
  const append = cString(input.append ?? '');
  if (append.length - 1 > header.cmdlineSize)
    throw new UserError(
      `${input.name}: the command line has ${append.length - 1} bytes, more than cmdline_size at offset ${hex(HEADER.cmdlineSize)} allows (${header.cmdlineSize}); shorten --append.`,
    );
  const real = !header.loadedHigh || header.code32Start === 0;
  return real ? loadReal(input, file, header, placement) : loadProtected(input, file, header, placement);
};

const loadProtected = (input: BootInput, file: Fields, header: LinuxHeader, placement: Placement): BootImage => {
  const load = loadAddress(header, placement);
  const kernel = file.bytes.subarray(header.setupBytes);
  placement.claim('the kernel', load, kernel, header.initSize);
  const initrd = placeInitrd(input, header, placement);
  const commandLine = placement.place('command line', cString(input.append ?? ''), { align: 16 });
  const params = bootParams(file, header, placement);
  params.u32(HEADER.code32Start, load).u32(HEADER.cmdLinePtr, commandLine);
  params.u32(HEADER.ramdiskImage, initrd.gpa).u32(HEADER.ramdiskSize, initrd.bytes);
  const zeroPage = placement.place('boot_params', params.bytes, { align: PAGE });
  const registers = { rsi: BigInt(zeroPage), rip: BigInt(header.kernel64 ? load + ENTRY_64 : load) };
  return {
    format: header.kernel64 ? 'linux-64' : 'linux-32',
    writes: placement.writes,
    zero: placement.zero,
    entry: header.kernel64
      ? longEntry(placement, placePageTables(placement, 4), registers)
      : protectedEntry(placement, registers),
    needsBios: false,
  };
};

/** The preferred address, if there is memory; else, for a relocatable kernel, the first aligned one from 1 MiB. */
const loadAddress = (header: LinuxHeader, placement: Placement): number => {
  const preferred = header.prefAddress || MIB;
  if (!header.relocatable || placement.isRam(preferred, header.initSize)) return preferred;
  const lowest = Math.ceil(MIB / header.kernelAlignment) * header.kernelAlignment;
  return placement.isRam(lowest, header.initSize) ? lowest : preferred;
};

/** As high as it may be, out of the way of a kernel that unpacks itself. */
const placeInitrd = (input: BootInput, header: LinuxHeader, placement: Placement): { gpa: number; bytes: number } => {
  if (!input.initrd?.bytes.length) return { gpa: 0, bytes: 0 };
  const { bytes } = input.initrd;
  const below = Math.min(header.initrdAddrMax + 1, placement.upperMemoryEnd);
  return { gpa: placement.place('initrd', bytes, { align: PAGE, from: MIB, below, high: true }), bytes: bytes.length };
};

/** boot_params: the setup header of the file in a page of zeros, and what the setup code would have asked the BIOS. */
const bootParams = (file: Fields, header: LinuxHeader, placement: Placement): Structure => {
  const params = new Structure(PAGE);
  params.set(
    HEADER.setupSects,
    file.slice(HEADER.setupSects, header.headerEnd - HEADER.setupSects, 'the setup header'),
  );
  params.u8(HEADER.typeOfLoader, UNKNOWN_LOADER);
  // struct screen_info: VGA text mode 3, 80 by 25 with 16-line characters, cursor below the first line.
  params.u8(0x01, 1).u8(0x06, 3).u8(0x07, 80).u16(0x0a, 3).u8(0x0e, 25).u8(0x0f, 1).u16(0x10, 16);
  const above = Math.min((placement.upperMemoryEnd - MIB) / 1024, 0xffff_ffff);
  params.u16(0x02, Math.min(above, 0xffff)).u32(0x1e0, above);
  params.u64(0x70, placement.environment.rsdp?.gpa ?? 0);
  const { e820 } = placement.environment;
  params.u8(0x1e8, e820.length);
  e820.forEach(({ gpa, bytes, type }, i) => params.u64(0x2d0 + i * 20, gpa).u64(0x2d8 + i * 20, bytes).u32(0x2e0 + i * 20, type)); // prettier-ignore
  return params;
};

/** Setup code: 32 KiB at most, its heap and stack up to the end of the segment, then the command line. */
const REAL_SEGMENT_BYTES = 0x1_0000;
const STACK_AND_HEAP_END = 0xfff0;
const HEAP_BELOW_STACK = 0x200;
const OLD_REAL_ADDRESS = 0x9_0000;
const ZIMAGE_ADDRESS = 0x1_0000;

const loadReal = (input: BootInput, file: Fields, header: LinuxHeader, placement: Placement): BootImage => {
  // Before 2.02 the setup code moves itself to 0x90000 and expects to be there (boot.rst, "Memory Layout"), and it
  // shares the segment with the command line. A zImage's kernel fills the memory below.
  const old = header.version < 0x202 || !header.loadedHigh;
  const base = old ? OLD_REAL_ADDRESS : 0x1_0000;
  const end = old ? 0x9800 : STACK_AND_HEAP_END;
  const setup = new Structure(old ? 0xa000 : REAL_SEGMENT_BYTES);
  if (header.setupBytes > end - 0x400)
    throw file.bad('setup header field setup_sects', HEADER.setupSects, header.setupBytes / 512 - 1, 'more than fits below its stack', 'build the image again'); // prettier-ignore
  const kernel = file.bytes.subarray(header.setupBytes);
  const load = header.loadedHigh ? MIB : ZIMAGE_ADDRESS;
  placement.claim('the kernel', load, kernel, header.initSize);
  const initrd = placeInitrd(input, header, placement);
  const append = cString(input.append ?? '');
  setup.set(0, file.bytes.subarray(0, header.setupBytes)).u8(HEADER.typeOfLoader, UNKNOWN_LOADER);
  setup.u32(HEADER.ramdiskImage, initrd.gpa).u32(HEADER.ramdiskSize, initrd.bytes);
  if (header.version >= 0x201) {
    setup.u16(HEADER.heapEndPtr, end - HEAP_BELOW_STACK);
    setup.u8(HEADER.loadflags, file.u8(HEADER.loadflags, 'loadflags') | LOADFLAG.canUseHeap);
  }
  if (old) {
    // The old way: a magic number and the offset in the segment, in the boot sector's place ("The Kernel Command Line").
    setup
      .set(end, append.subarray(0, setup.bytes.length - end))
      .u16(0x20, 0xa33f)
      .u16(0x22, end);
    if (header.version >= 0x202) setup.u32(HEADER.cmdLinePtr, base + end);
  }
  placement.claim('the setup code with its stack and heap', base, setup.bytes);
  if (!old) setup.u32(HEADER.cmdLinePtr, placement.place('command line', append, { align: 16, from: base }));
  const segment = base >> 4;
  return {
    format: 'linux-16',
    writes: placement.writes,
    zero: placement.zero,
    entry: realEntry(segment + 0x20, 0, segment, { rsp: BigInt(end) }),
    needsBios: true,
  };
};
