/** From an image to a machine about to execute its first instruction: memory, then registers. */
import type { CpuState } from '../cpu/state';
import { gprNumber } from '../cpu/state';
import { SEG_NAMES } from '../x86/registers';
import type { BootImage, EntryState } from './loaders/image';

export { load as loadImage } from './loaders/index';
export type { BootEnvironment, BootImage, MemoryRange } from './loaders/image';

/** Guest-physical memory as far as booting needs it; the ranges are RAM. */
export interface BootMemory {
  write(gpa: number, bytes: Uint8Array): void;
  zero(gpa: number, bytes: number): void;
}

export const fillMemory = (memory: BootMemory, image: BootImage): void => {
  for (const { gpa, bytes } of image.zero) memory.zero(gpa, bytes);
  for (const { gpa, bytes } of image.writes) memory.write(gpa, bytes);
};

/**
 * Sets what the boot protocol determines on a processor that was just reset: general registers, RIP, RFLAGS, segments,
 * descriptor tables, CR0, CR3, CR4, EFER. The caller then recomputes what it derives from them (`modeChanged`).
 */
export const enterImage = (state: CpuState, entry: EntryState): void => {
  for (let i = 0; i < 16; i++) state.setGpr(i, 0n);
  for (const [name, value] of Object.entries(entry.registers)) {
    if (name === 'rip') state.rip = value;
    else if (name === 'rflags') state.rflags = Number(value);
    else state.setGpr(gprNumber(name), value);
  }
  SEG_NAMES.forEach((name, i) => state.setSegment(i, entry.segments[name]));
  state.setSystem('cr0', BigInt(entry.cr0 >>> 0));
  state.setSystem('cr3', BigInt(entry.cr3));
  state.setSystem('cr4', BigInt(entry.cr4));
  state.setSystem('efer', BigInt(entry.efer));
  for (const table of ['gdtr', 'idtr'] as const) {
    state.setSystem(`${table}.base`, BigInt(entry[table].base));
    state.setSystem(`${table}.limit`, BigInt(entry[table].limit));
  }
};
