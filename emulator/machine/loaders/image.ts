/**
 * What a loader is given and what it makes of it: plain data, so that loading can be tested without a machine.
 * Addresses are gpa, sizes bytes.
 */
import type { Segment } from '../../cpu/state';
import type { GPR_NAMES, SEG_NAMES } from '../../x86/registers';

/** Kinds of memory as INT 15h AX=E820h numbers them (ACPI 6.4 table 15.2). */
export const MEMORY_TYPE = { ram: 1, reserved: 2, acpi: 3, nvs: 4, unusable: 5 } as const;

export interface MemoryRange {
  gpa: number;
  bytes: number;
  /** MEMORY_TYPE; ranges that are not listed are holes. */
  type: number;
}

/** What the firmware of the machine has laid out before any image is loaded. */
export interface BootEnvironment {
  /** Sorted by address, without overlaps. */
  e820: readonly MemoryRange[];
  /** The ACPI root pointer: where it is and its bytes. */
  rsdp?: { gpa: number; bytes: Uint8Array };
}

export const BOOT_FORMATS = {
  'multiboot-1': 'Multiboot 1',
  'multiboot-2': 'Multiboot 2',
  pvh: 'PVH',
  'linux-16': 'Linux boot protocol, 16-bit entry',
  'linux-32': 'Linux boot protocol, 32-bit entry',
  'linux-64': 'Linux boot protocol, 64-bit entry',
  'elf-32': 'plain 32-bit ELF',
  'elf-64': 'plain 64-bit ELF',
  'boot-sector': 'boot sector',
} as const;
export type BootFormat = keyof typeof BOOT_FORMATS;

export interface MemoryWrite {
  /** For messages and traces: `segment 1`, `initrd`, `command line`. */
  what: string;
  gpa: number;
  bytes: Uint8Array;
}

export type SegmentName = (typeof SEG_NAMES)[number];
export type RegisterName = (typeof GPR_NAMES)[number] | 'rip' | 'rflags';

/** The state of the first processor at the first instruction of the image. Registers that are not named are 0. */
export interface EntryState {
  mode: 'real' | 'protected-32' | 'long';
  registers: Partial<Record<RegisterName, bigint>>;
  segments: Record<SegmentName, Segment>;
  cr0: number;
  cr3: number;
  cr4: number;
  efer: number;
  gdtr: { base: number; limit: number };
  idtr: { base: number; limit: number };
}

export interface BootImage {
  format: BootFormat;
  writes: MemoryWrite[];
  /** Ranges that must read as 0 even on a machine that was used before: the image's BSS. */
  zero: { what: string; gpa: number; bytes: number }[];
  entry: EntryState;
  /** The BIOS's services must be there: the image is entered in real mode. */
  needsBios: boolean;
  /** The whole file as drive 80h, for an image that was started from its first sector. */
  disk?: Uint8Array;
}
