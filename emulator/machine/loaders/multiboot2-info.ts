/** Multiboot 2 boot information (specification 2.0 section 3.6): a row of tags. */
import type { BootInput } from '../api';
import type { Elf, ElfSection } from '../elf';
import { SHT } from '../elf';
import { Structure, cString } from './fields';
import type { PlacedModule } from './modules';
import { LOADER_NAME, commandLine } from './multiboot1';
import type { Placement } from './placement';

export const TAG = {
  commandLine: 1, loaderName: 2, module: 3, basicMemory: 4, memoryMap: 6, framebuffer: 8, elfSections: 9, oldRsdp: 14, newRsdp: 15,
} as const; // prettier-ignore

/** Offsets of sh_addr, and size of an entry, in an ELF section header. */
const SECTION_HEADER = { 32: { bytes: 40, address: 12 }, 64: { bytes: 64, address: 16 } } as const;
const RSDP_V1_BYTES = 20;

const tag = (type: number, content: Uint8Array): Uint8Array => {
  // Padding to 8 bytes is not part of the size.
  const padded = new Structure(Math.ceil((8 + content.length) / 8) * 8);
  return padded
    .u32(0, type)
    .u32(4, 8 + content.length)
    .set(8, content).bytes;
};

/** Places the structure and returns its address. */
export const placeInfo = (input: BootInput, placement: Placement, modules: PlacedModule[], elf?: Elf): number => {
  const tags = [
    tag(TAG.commandLine, cString(commandLine(input))),
    tag(TAG.loaderName, cString(LOADER_NAME)),
    ...modules.map(moduleTag),
    basicMemoryTag(placement),
    memoryMapTag(placement),
    // The text screen that the firmware left: 80 by 25 cells of 16 bits, pitch 160 (type 2, EGA text).
    tag(
      TAG.framebuffer,
      new Structure(24).u64(0, 0xb8000).u32(8, 160).u32(12, 80).u32(16, 25).u8(20, 16).u8(21, 2).bytes,
    ),
    ...rsdpTags(placement),
    ...(elf && elf.sections.length > 0 ? [elfSectionsTag(elf, placement)] : []),
    tag(0, new Uint8Array(0)),
  ];
  const size = tags.reduce((sum, bytes) => sum + bytes.length, 8);
  const info = new Structure(size).u32(0, size);
  let at = 8;
  for (const bytes of tags) {
    info.set(at, bytes);
    at += bytes.length;
  }
  return placement.place('boot information', info.bytes, { align: 8 });
};

const moduleTag = (module: PlacedModule): Uint8Array => {
  const name = cString(module.name);
  return tag(
    TAG.module,
    new Structure(8 + name.length)
      .u32(0, module.gpa)
      .u32(4, module.gpa + module.bytes)
      .set(8, name).bytes,
  );
};

const basicMemoryTag = (placement: Placement): Uint8Array =>
  tag(
    TAG.basicMemory,
    new Structure(8).u32(0, placement.lowerMemoryEnd >> 10).u32(4, (placement.upperMemoryEnd - 0x10_0000) / 1024).bytes,
  );

const memoryMapTag = (placement: Placement): Uint8Array => {
  const { e820 } = placement.environment;
  const map = new Structure(8 + e820.length * 24).u32(0, 24).u32(4, 0);
  e820.forEach(({ gpa, bytes, type }, i) => {
    const at = 8 + i * 24;
    map
      .u64(at, gpa)
      .u64(at + 8, bytes)
      .u32(at + 16, type);
  });
  return tag(TAG.memoryMap, map.bytes);
};

const rsdpTags = (placement: Placement): Uint8Array[] => {
  const rsdp = placement.environment.rsdp?.bytes;
  if (!rsdp) return [];
  const old = tag(TAG.oldRsdp, rsdp.slice(0, RSDP_V1_BYTES));
  return rsdp.length > RSDP_V1_BYTES ? [old, tag(TAG.newRsdp, rsdp)] : [old];
};

/**
 * The section headers, with the symbol table and its strings brought into memory (their sh_addr says where). Other
 * sections that are not part of a segment stay on the host: DWARF can be larger than the guest's memory.
 */
const elfSectionsTag = (elf: Elf, placement: Placement): Uint8Array => {
  const layout = SECTION_HEADER[elf.class];
  const wanted = new Set<ElfSection>();
  for (const section of elf.sections)
    if (section.type === SHT.SYMTAB) [section, elf.sections[section.link]].forEach((s) => s && wanted.add(s));
  const names = elf.sections.find((section) => section.name === '.shstrtab');
  if (names) wanted.add(names);
  const table = new Structure(12 + elf.sections.length * layout.bytes);
  table
    .u32(0, elf.sections.length)
    .u32(4, layout.bytes)
    .u32(8, names?.index ?? 0);
  for (const section of elf.sections) {
    const at = 12 + section.index * layout.bytes;
    table.set(at, sectionHeader(elf, section));
    if (!wanted.has(section) || section.gva !== 0n) continue;
    const bytes = elf.contents(section);
    if (bytes.length === 0) continue;
    const gpa = placement.place(`section ${section.name}`, bytes, { align: 16, from: 0x10_0000 });
    if (elf.class === 64) table.u64(at + layout.address, gpa);
    else table.u32(at + layout.address, gpa);
  }
  return tag(TAG.elfSections, table.bytes);
};

/** A section header as in the file (gABI figure 4-8). */
const sectionHeader = (elf: Elf, s: ElfSection): Uint8Array => {
  const header = new Structure(SECTION_HEADER[elf.class].bytes).u32(4, s.type).u32(8, s.flags);
  if (elf.class === 32)
    return header.u32(12, Number(s.gva)).u32(16, s.offset).u32(20, s.size).u32(24, s.link).u32(28, s.info).u32(32, s.align).u32(36, s.entrySize).bytes; // prettier-ignore
  return header.u64(16, s.gva).u64(24, s.offset).u64(32, s.size).u32(40, s.link).u32(44, s.info).u64(48, s.align).u64(56, s.entrySize).bytes; // prettier-ignore
};
