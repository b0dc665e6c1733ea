/** Which loader an image is for, by its content. Names and extensions say nothing. */
import type { BootInput } from '../api';
import { readElf, type Elf } from '../elf';
import { UserError } from '../../util/assert';
import { loadBootSector } from './boot-sector';
import { loadPlainElf } from './elf-plain';
import { Fields, hex } from './fields';
import type { BootEnvironment, BootImage } from './image';
import { kindOf, type Kind } from './kind';
import { loadLinux } from './linux';
import { findMultiboot1, loadMultiboot1 } from './multiboot1';
import { findMultiboot2, loadMultiboot2 } from './multiboot2';
import { findPvhEntry, loadPvh } from './pvh';

export const FORMATS_FOR_PEOPLE = 'an ELF kernel (Multiboot 1 or 2, PVH, plain), a Linux bzImage or a bootable disk';

/** Files that people give by mistake, by their first bytes, and what to do about each. */
const FOREIGN: readonly { at: number; magic: string; is: string; remedy: string }[] = [
  { at: 0, magic: '\x1f\x8b', is: 'compressed with gzip', remedy: 'unpack it first (gunzip)' },
  { at: 0, magic: '\xfd7zXZ', is: 'compressed with xz', remedy: 'unpack it first (unxz)' },
  { at: 0, magic: '\x28\xb5\x2f\xfd', is: 'compressed with zstd', remedy: 'unpack it first (unzstd)' },
  { at: 0, magic: 'BZh', is: 'compressed with bzip2', remedy: 'unpack it first (bunzip2)' },
  { at: 0, magic: 'PK\x03\x04', is: 'a zip archive', remedy: 'unpack it first (unzip)' },
  { at: 0, magic: '!<arch>\n', is: 'an archive (a static library or a Debian package)', remedy: 'unpack it first (ar x, dpkg -x)' },
  { at: 0, magic: '070701', is: 'a cpio archive', remedy: 'give it as --initrd and a kernel as the image' },
  { at: 0, magic: 'QFI\xfb', is: 'a qcow2 disk', remedy: 'convert it to a raw image' },
  { at: 0x38, magic: 'ARM\x64', is: 'an ARM64 kernel', remedy: 'give one for x86' },
  { at: 0, magic: '\xcf\xfa\xed\xfe', is: 'a Mach-O file', remedy: 'link it as ELF' },
]; // prettier-ignore

/**
 * Chooses by content, in this order: Linux boot protocol, Multiboot 2, Multiboot 1, PVH, plain ELF, boot sector.
 * UserError: what the file is instead, or which of its fields is wrong.
 */
export const load = (input: BootInput, environment: BootEnvironment): BootImage => {
  const file = new Fields(input.name, input.kernel);
  if (file.length === 0) throw new UserError(`${input.name}: the file is empty; give ${FORMATS_FOR_PEOPLE}.`);
  const kind = kindOf(file);
  // A boot sector's signature is two bytes only: what is known to be something else comes first.
  if (kind === undefined || kind === 'boot-sector') refuseForeign(file);
  if (kind === undefined) throw new UserError(`${input.name}: ${describeUnknown(file)}; give ${FORMATS_FOR_PEOPLE}.`);
  return LOADERS[kind](input, environment, file);
};

type Load = (input: BootInput, environment: BootEnvironment, file: Fields) => BootImage;
const elfOf = ({ name, kernel }: BootInput): Elf => readElf(name, kernel);

/** Each finds again what made its kind known. */
const LOADERS: Record<Kind, Load> = {
  linux: loadLinux,
  'multiboot-2': (input, environment, file) => loadMultiboot2(input, environment, findMultiboot2(file)!),
  'multiboot-1': (input, environment, file) => loadMultiboot1(input, environment, findMultiboot1(file)!),
  pvh: (input, environment) => loadPvh(input, environment, elfOf(input), findPvhEntry(elfOf(input))!),
  elf: (input, environment, file) => {
    const elf = elfOf(input);
    refuseLateHeader(file, elf);
    return loadPlainElf(input, environment, elf);
  },
  'boot-sector': loadBootSector,
};

/** So far a kernel is searched for a header that lies too far behind. */
const LATE = 1 << 20;

/** Entered without its protocol's registers and boot information, the kernel would go astray. */
const refuseLateHeader = (file: Fields, elf: Elf): void => {
  const at = findMultiboot1(file, LATE) ?? findMultiboot2(file, LATE);
  // Elsewhere it may be another kernel's, which this one carries along.
  const code = elf.segments.find(({ gva, fileSize }) => elf.entry >= gva && elf.entry < gva + BigInt(fileSize));
  if (at !== undefined && code !== undefined && at >= code.offset && at < code.offset + code.fileSize)
    throw new UserError(
      `${file.name}: the Multiboot header at offset ${hex(at)} is not where loaders look for it (in the first 8 KiB of the file, 32 KiB for Multiboot 2); put its section first in the linker script, and link with --build-id=none where a note comes before it.`,
    );
};

const refuseForeign = (file: Fields): void => {
  const foreign = FOREIGN.find(({ at, magic }) => file.has(at, magic));
  if (foreign) throw new UserError(`${file.name}: the file is ${foreign.is}; ${foreign.remedy}.`);
  if (file.has(0, 'MZ') && file.has(file.peek32(0x3c), 'PE\0\0'))
    throw new UserError(
      `${file.name}: the file is a Windows or EFI program (PE), and this machine has no EFI; give ${FORMATS_FOR_PEOPLE}.`,
    );
};

const describeUnknown = (file: Fields): string => {
  const head = file.bytes.subarray(0, 512);
  if (head.every((byte) => (byte >= 0x20 && byte < 0x7f) || (byte >= 9 && byte <= 13) || byte >= 0x80))
    return 'the file is text';
  if (file.length < 512) return `the file has only ${file.length} bytes and no signature that is known`;
  return `the file has no signature that is known, and at offset 0x1fe not the 55 AA of a boot sector`;
};
