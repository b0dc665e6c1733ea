/**
 * An ELF executable without any boot protocol. The state it finds is ours to define: interrupts off, all registers 0
 * but RSP, which is the top of a 16 KiB stack; segments flat. A 32-bit file is entered in protected mode with paging
 * off, at the physical address of e_entry. A 64-bit file is entered in 64-bit mode at e_entry, the first 4 GiB mapped
 * to themselves and each segment also at its p_vaddr, all writable and executable by the supervisor only.
 */
import type { BootInput } from '../api';
import type { Elf } from '../elf';
import { PT } from '../elf';
import { UserError } from '../../util/assert';
import { claimSegments, loadable, physicalEntry } from './elf-segments';
import { longEntry, protectedEntry } from './entry';
import type { BootEnvironment, BootImage, EntryState } from './image';
import { refuse } from './modules';
import type { PageRange } from './page-tables';
import { placePageTables } from './page-tables';
import { Placement } from './placement';

const STACK_BYTES = 0x4000;

export const loadPlainElf = (input: BootInput, environment: BootEnvironment, elf: Elf): BootImage => {
  if (elf.segments.some((segment) => segment.type === PT.INTERP))
    throw new UserError(
      `${input.name}: program header PT_INTERP says that this is a program for an operating system; give a kernel, linked without a dynamic loader (-static, -nostdlib).`,
    );
  refuse(input, 'a plain ELF executable', ['append', 'initrd', 'modules']);
  const placement = new Placement(input.name, environment);
  claimSegments(elf, placement);
  const stack = placement.place('the first stack', new Uint8Array(STACK_BYTES), { align: 16 });
  return {
    format: elf.class === 64 ? 'elf-64' : 'elf-32',
    writes: placement.writes,
    zero: placement.zero,
    entry: elf.class === 64 ? entry64(elf, placement, stack) : entry32(elf, placement, stack),
    needsBios: false,
  };
};

const entry32 = (elf: Elf, placement: Placement, stack: number): EntryState =>
  protectedEntry(placement, { rsp: BigInt(stack + STACK_BYTES), rip: BigInt(physicalEntry(elf)) });

const entry64 = (elf: Elf, placement: Placement, stack: number): EntryState => {
  physicalEntry(elf);
  const ranges = loadable(elf).map(({ segment }): PageRange => ({
    gva: segment.gva,
    gpa: Number(segment.gpa),
    bytes: Number(segment.memorySize),
  }));
  const high = ranges.filter((range) => range.gva !== BigInt(range.gpa));
  return longEntry(placement, placePageTables(placement, 4, high), {
    rsp: BigInt(stack + STACK_BYTES),
    rip: elf.entry,
  });
};
