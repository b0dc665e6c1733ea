/**
 * Who lies where in the guest's memory while it is being filled: an image claims the addresses that its header names,
 * boot information, modules and initrd are placed where there is room. Nothing may overlap, nothing may leave RAM.
 */
import { UserError } from '../../util/assert';
import { hex } from './fields';
import type { BootEnvironment, BootImage, MemoryRange } from './image';
import { MEMORY_TYPE } from './image';

/** The interrupt vectors and the BIOS data area are the firmware's (0-0x500); the rest of page 0 stays free too. */
const LOWEST = 0x1000;
/** Everything that a loader places is reachable by 32-bit code. */
const TOP = 0x1_0000_0000;
const MIB = 0x10_0000;

interface Taken {
  what: string;
  start: number;
  end: number;
}

export interface PlaceOptions {
  align: number;
  /** Lowest and (exclusive) highest address. */
  from?: number;
  below?: number;
  /** As high as possible, not as low. */
  high?: boolean;
}

export class Placement {
  readonly writes: BootImage['writes'] = [];
  readonly zero: BootImage['zero'] = [];
  readonly ram: readonly MemoryRange[];
  private readonly taken: Taken[] = [];

  /** `name` of the image, for messages. */
  constructor(
    readonly name: string,
    readonly environment: BootEnvironment,
  ) {
    this.ram = mergeRam(environment.e820);
    this.taken.push({ what: 'the interrupt vectors and the BIOS data area', start: 0, end: 0x500 });
  }

  /** Highest end of anything that was claimed or placed. */
  get end(): number {
    return this.taken.reduce((end, taken) => Math.max(end, taken.end), 0);
  }
  /** End of the RAM that begins at (or before) 1 MiB, which boot protocols call upper memory; 1 MiB: there is none. */
  get upperMemoryEnd(): number {
    const upper = this.ram.find((range) => range.gpa <= MIB && range.gpa + range.bytes > MIB);
    return upper ? upper.gpa + upper.bytes : MIB;
  }
  /** RAM from 0 to the first hole. */
  get lowerMemoryEnd(): number {
    return this.ram[0]?.gpa === 0 ? Math.min(this.ram[0].bytes, 0xa0000) : 0;
  }

  isRam(gpa: number, bytes: number): boolean {
    return this.ram.some((range) => gpa >= range.gpa && gpa + bytes <= range.gpa + range.bytes);
  }
  isFree(gpa: number, bytes: number): boolean {
    return !this.taken.some((taken) => gpa < taken.end && taken.start < gpa + bytes);
  }

  /** Puts `bytes` and then zeros up to `size` where the image says. UserError: not RAM, or something is there already. */
  claim(what: string, gpa: number, bytes: Uint8Array, size: number = bytes.length): void {
    this.reserve(what, gpa, size);
    if (bytes.length) this.writes.push({ what, gpa, bytes });
    if (size > bytes.length) this.zero.push({ what, gpa: gpa + bytes.length, bytes: size - bytes.length });
  }

  /** Keeps others away without writing anything. UserError as for `claim`. */
  reserve(what: string, gpa: number, size: number): void {
    if (size === 0) return;
    const range = `${hex(gpa)}-${hex(gpa + size)}`;
    if (!this.isRam(gpa, size)) {
      const ram = this.ram.map((r) => `${hex(r.gpa)}-${hex(r.gpa + r.bytes)}`).join(', ');
      // Linkers put the file's headers in front of a text that begins at 1 MiB.
      const low = gpa < MIB && gpa + size > 0xa0000;
      const remedy = low ? 'link it at 1 MiB or above (ld -n leaves the headers out)' : 'link it elsewhere or give the machine more memory'; // prettier-ignore
      throw new UserError(`${this.name}: ${what} occupies ${range}, which is not all RAM (RAM is ${ram}); ${remedy}.`);
    }
    const other = this.taken.find((taken) => gpa < taken.end && taken.start < gpa + size);
    if (other)
      throw new UserError(
        `${this.name}: ${what} occupies ${range}, where ${other.what} is (${hex(other.start)}-${hex(other.end)}); link one of them elsewhere.`,
      );
    this.taken.push({ what, start: gpa, end: gpa + size });
  }

  /** Finds room. UserError when there is none. Returns the address. */
  place(what: string, bytes: Uint8Array, options: PlaceOptions): number {
    const gpa = this.find(what, bytes.length, options);
    this.claim(what, gpa, bytes);
    return gpa;
  }

  private find(what: string, size: number, options: PlaceOptions): number {
    const { align, from = LOWEST, below = TOP, high = false } = options;
    let best: number | undefined;
    for (const range of this.ram) {
      const start = Math.max(range.gpa, from);
      const end = Math.min(range.gpa + range.bytes, below);
      // Candidates: the edge of the range, and the edges of what is in it.
      const edges = high
        ? [end, ...this.taken.map((taken) => taken.start)].map((edge) => Math.floor((edge - size) / align) * align)
        : [start, ...this.taken.map((taken) => taken.end)].map((edge) => Math.ceil(edge / align) * align);
      for (const gpa of edges) {
        if (gpa < start || gpa + size > end || !this.isFree(gpa, size)) continue;
        if (best === undefined || (high ? gpa > best : gpa < best)) best = gpa;
      }
    }
    if (best !== undefined) return best;
    throw new UserError(
      `${this.name}: no room for ${what} (${size} bytes between ${hex(from)} and ${hex(below)}); give the machine more memory.`,
    );
  }
}

/** Neighbouring RAM ranges as one. */
const mergeRam = (e820: readonly MemoryRange[]): MemoryRange[] => {
  const merged: MemoryRange[] = [];
  for (const range of e820) {
    if (range.type !== MEMORY_TYPE.ram || range.bytes === 0) continue;
    const last = merged.at(-1);
    if (last && last.gpa + last.bytes === range.gpa) last.bytes += range.bytes;
    else merged.push({ ...range });
  }
  return merged;
};
