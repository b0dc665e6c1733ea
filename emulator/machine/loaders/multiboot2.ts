/** Multiboot 2 (specification 2.0): sections 3.1 header, 3.3 i386 machine state, 3.6 boot information. */
import type { BootInput } from '../api';
import { readElf, isElf } from '../elf';
import type { Elf } from '../elf';
import { claimSegments, physicalEntry } from './elf-segments';
import { protectedEntry } from './entry';
import { DAMAGED, Fields, hex } from './fields';
import type { BootEnvironment, BootImage } from './image';
import { placeModules } from './modules';
import { claimByAddress } from './multiboot-address';
import type { AddressFields } from './multiboot-address';
import { TAG, placeInfo } from './multiboot2-info';
import { Placement } from './placement';

const HEADER_MAGIC = 0xe852_50d6;
const LOADER_MAGIC = 0x36d7_6289n;
/** The header lies wholly in the first 32 KiB, on an 8-byte boundary. */
const SEARCH = 32768;
const OPTIONAL = 1;

/** What the tags of the header asked for. */
interface Wishes {
  address?: Omit<AddressFields, 'entry'>;
  entry?: AddressFields['entry'];
}

/** Offset of the header, or undefined. */
export const findMultiboot2 = (file: Fields, within: number = SEARCH): number | undefined => {
  for (let at = 0; at + 16 <= Math.min(within, file.length); at += 8) {
    if (file.peek32(at) !== HEADER_MAGIC) continue;
    const sum = HEADER_MAGIC + file.peek32(at + 4) + file.peek32(at + 8) + file.peek32(at + 12);
    if (sum % 0x1_0000_0000 === 0) return at;
  }
  return undefined;
};

export const loadMultiboot2 = (input: BootInput, environment: BootEnvironment, header: number): BootImage => {
  const file = new Fields(input.name, input.kernel);
  const placement = new Placement(input.name, environment);
  const wishes = readHeader(file, header);
  const elf = isElf(input.kernel) ? readElf(input.name, input.kernel) : undefined;
  const entry = loadKernel(file, header, placement, wishes, elf);
  const info = placeInfo(input, placement, placeModules(input, placement), elf);
  return {
    format: 'multiboot-2',
    writes: placement.writes,
    zero: placement.zero,
    entry: protectedEntry(placement, { rax: LOADER_MAGIC, rbx: BigInt(info), rip: BigInt(entry) }),
    needsBios: true,
  };
};

const loadKernel = (file: Fields, header: number, placement: Placement, wishes: Wishes, elf?: Elf): number => {
  if (wishes.address) {
    if (!wishes.entry)
      throw file.bad('the Multiboot 2 header', header, undefined, 'has an address tag (2) but no entry address tag (3)', 'add one'); // prettier-ignore
    return claimByAddress(file, header, placement, { ...wishes.address, entry: wishes.entry });
  }
  if (!elf)
    throw file.bad('the Multiboot 2 header', header, undefined, 'has no address tag (2) and the file is no ELF file', 'add the tag or link an ELF file'); // prettier-ignore
  claimSegments(elf, placement);
  // Unlike e_entry, the entry address tag is physical (section 3.1.6).
  return wishes.entry ? wishes.entry.value : physicalEntry(elf);
};

const readHeader = (file: Fields, header: number): Wishes => {
  const architecture = file.u32(header + 4, 'Multiboot 2 header field architecture');
  if (architecture !== 0)
    throw file.bad('Multiboot 2 header field architecture', header + 4, architecture, 'not i386 (0)', 'give a kernel for x86'); // prettier-ignore
  const length = file.u32(header + 8, 'Multiboot 2 header field header_length');
  if (length < 24 || header + length > file.length)
    throw file.bad('Multiboot 2 header field header_length', header + 8, length, 'too small or beyond the end of the file', DAMAGED); // prettier-ignore
  const wishes: Wishes = {};
  for (let at = header + 16; at + 8 <= header + length;) {
    const type = file.u16(at, 'tag type');
    const size = file.u32(at + 4, `size of tag ${type}`);
    if (type === 0) return wishes;
    if (size < 8 || at + size > header + length)
      throw file.bad(`size of Multiboot 2 header tag ${type}`, at + 4, size, 'smaller than a tag or beyond the header', DAMAGED); // prettier-ignore
    readTag(file, at, type, size, wishes);
    at += Math.ceil(size / 8) * 8;
  }
  throw file.bad('the Multiboot 2 header', header, undefined, 'has no end tag (0) within header_length', DAMAGED);
};

/** Names for messages; a number says that the tag needs nothing of us. */
const TAG_NAMES: Record<number, string> = {
  7: 'EFI boot services',
  8: 'EFI i386 entry address',
  9: 'EFI amd64 entry address',
};

const readTag = (file: Fields, at: number, type: number, size: number, wishes: Wishes): void => {
  const field = (offset: number, name: string): { name: string; offset: number; value: number } => ({
    name: `Multiboot 2 header field ${name}`,
    offset: at + offset,
    value: file.u32(at + offset, `Multiboot 2 header field ${name}`),
  });
  const optional = (file.u16(at + 2, 'tag flags') & OPTIONAL) !== 0;
  switch (type) {
    case 1:
      return checkRequests(file, at, size, optional);
    case 2:
      wishes.address = { header: field(8, 'header_addr'), load: field(12, 'load_addr'), loadEnd: field(16, 'load_end_addr'), bssEnd: field(20, 'bss_end_addr') }; // prettier-ignore
      return;
    case 3:
      wishes.entry = field(8, 'entry_addr');
      return;
    case 4: // console: EGA text is what we have
    case 5: // framebuffer: a wish, which need not be granted
    case 6: // modules are page-aligned in any case
    case 10: // relocatable: its link address is always allowed to be tried
      return;
    default:
      if (optional) return;
      throw file.bad(`tag ${type} (${TAG_NAMES[type] ?? 'unknown'}) of the Multiboot 2 header`, at, undefined, 'is required by the image and not available on this machine, which has no EFI', 'mark the tag optional (flags bit 0) or build the kernel without it'); // prettier-ignore
  }
};

/** Section 3.1.4: information that must be there. */
const checkRequests = (file: Fields, at: number, size: number, optional: boolean): void => {
  const known = new Set<number>(Object.values(TAG));
  for (let i = 8; i + 4 <= size; i += 4) {
    const type = file.u32(at + i, 'mbi_tag_types');
    if (known.has(type) || optional) continue;
    throw file.bad('Multiboot 2 header field mbi_tag_types', at + i, type, `a piece of boot information that this machine cannot give (it has ${[...known].map(hex).join(', ')})`, 'mark the request optional (flags bit 0)'); // prettier-ignore
  }
};
