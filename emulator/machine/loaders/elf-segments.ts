/** What every ELF loader shares: segments to memory, and which physical address e_entry means. */
import type { Elf, ElfSegment } from '../elf';
import { ELF_TYPE, PT } from '../elf';
import { UserError } from '../../util/assert';
import { hex } from './fields';
import type { Placement } from './placement';

/** Loadable segments that occupy memory, with their number in the program header table. */
export const loadable = (elf: Elf): { segment: ElfSegment; number: number }[] =>
  elf.segments
    .map((segment, number) => ({ segment, number }))
    .filter(({ segment }) => segment.type === PT.LOAD && segment.memorySize > 0n);

/** Claims memory for all loadable segments at their physical addresses. */
export const claimSegments = (elf: Elf, placement: Placement): void => {
  if (elf.type === ELF_TYPE.REL || elf.type === ELF_TYPE.CORE) {
    const kind = elf.type === ELF_TYPE.REL ? 'a relocatable object' : 'a core dump';
    throw new UserError(
      `${elf.name}: ELF field e_type at offset 0x10 is ${hex(elf.type)}, ${kind}, not an executable; give the linked kernel.`,
    );
  }
  const segments = loadable(elf);
  if (segments.length === 0)
    throw new UserError(
      `${elf.name}: ELF field e_phnum names no PT_LOAD program header, so that there is nothing to load; give the linked kernel, not its separate debug file.`,
    );
  for (const { segment, number } of segments) {
    const what = `program header ${number} (p_paddr ${hex(segment.gpa)}, p_memsz ${hex(segment.memorySize)})`;
    if (segment.gpa + segment.memorySize > BigInt(Number.MAX_SAFE_INTEGER))
      throw new UserError(`${elf.name}: ${what} lies beyond any physical memory; link the kernel lower.`);
    placement.claim(what, Number(segment.gpa), elf.segmentContents(segment), Number(segment.memorySize));
  }
};

/**
 * Where e_entry is in physical memory, for an entry with paging off. Linkers write virtual addresses there, some linker
 * scripts the physical one: what lies in a segment's virtual range is translated, what lies in a physical one is kept.
 */
export const physicalEntry = (elf: Elf, entry: bigint = elf.entry, field = 'e_entry'): number => {
  for (const base of ['gva', 'gpa'] as const)
    for (const { segment } of loadable(elf))
      if (entry >= segment[base] && entry < segment[base] + segment.memorySize)
        return Number(entry - segment[base] + segment.gpa);
  throw new UserError(
    `${elf.name}: ELF field ${field} is ${hex(entry)}, which lies in no loaded segment; name the entry point when linking (-e).`,
  );
};
