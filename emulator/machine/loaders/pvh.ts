/** PVH: Xen's entry without firmware (Xen docs/misc/pvh.pandoc, xen/include/public/arch-x86/hvm/start_info.h). */
import type { BootInput } from '../api';
import type { Elf } from '../elf';
import { UserError } from '../../util/assert';
import { claimSegments, physicalEntry } from './elf-segments';
import { protectedEntry } from './entry';
import { Structure, cString } from './fields';
import type { BootEnvironment, BootImage } from './image';
import type { PlacedModule } from './modules';
import { placeModules } from './modules';
import { Placement } from './placement';

/** xen/include/public/elfnote.h */
const XEN_ELFNOTE_PHYS32_ENTRY = 18;
const START_MAGIC = 0x336e_c578;

/** The entry point of the note, or undefined. */
export const findPvhEntry = (elf: Elf): bigint | undefined => {
  const note = elf.notes().find((n) => n.owner === 'Xen' && n.type === XEN_ELFNOTE_PHYS32_ENTRY);
  if (!note) return undefined;
  const { description } = note;
  if (description.length !== 4 && description.length !== 8)
    throw new UserError(
      `${elf.name}: ELF note Xen/18 (PHYS32_ENTRY) has ${description.length} bytes instead of 4 or 8; write the entry point as .long or .quad.`,
    );
  return description.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
};

export const loadPvh = (input: BootInput, environment: BootEnvironment, elf: Elf, entry: bigint): BootImage => {
  const placement = new Placement(input.name, environment);
  claimSegments(elf, placement);
  const rip = physicalEntry(elf, entry, 'PHYS32_ENTRY (note Xen/18)');
  const info = placeStartInfo(input, placement, placeModules(input, placement));
  return {
    format: 'pvh',
    writes: placement.writes,
    zero: placement.zero,
    entry: protectedEntry(placement, { rbx: BigInt(info), rip: BigInt(rip) }),
    needsBios: false,
  };
};

/** struct hvm_start_info, version 1 (with memory map). */
const placeStartInfo = (input: BootInput, placement: Placement, modules: PlacedModule[]): number => {
  const { e820, rsdp } = placement.environment;
  const text = (what: string, value: string): number => placement.place(what, cString(value), { align: 1 });
  const list = new Structure(modules.length * 32);
  modules.forEach((module, i) => {
    list.u64(i * 32, module.gpa).u64(i * 32 + 8, module.bytes);
    list.u64(i * 32 + 16, text(`name of module ${module.name}`, module.name));
  });
  const map = new Structure(e820.length * 24);
  e820.forEach(({ gpa, bytes, type }, i) =>
    map
      .u64(i * 24, gpa)
      .u64(i * 24 + 8, bytes)
      .u32(i * 24 + 16, type),
  );
  const info = new Structure(56)
    .u32(0, START_MAGIC)
    .u32(4, 1)
    .u32(12, modules.length)
    .u64(16, modules.length ? placement.place('module list', list.bytes, { align: 8 }) : 0)
    .u64(24, text('command line', input.append ?? ''))
    .u64(32, rsdp?.gpa ?? 0)
    .u64(40, placement.place('memory map', map.bytes, { align: 8 }))
    .u32(48, e820.length);
  return placement.place('boot information', info.bytes, { align: 8 });
};
