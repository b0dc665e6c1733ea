/** The memory map that firmware reports (ACPI 6.4 chapter 15, INT 15h AX=E820h). */
import {
  ACPI_NVS_BYTES, ACPI_RECLAIM_BYTES, EBDA, FOUR_GIB, IO_APIC_GPA, LOCAL_APIC_GPA, MIB, VGA_WINDOW, checkMemory,
  memorySplit,
} from '../address-map'; // prettier-ignore
import type { Bytes } from './bytes';
import { u32, u64 } from './bytes';

export const E820_TYPE = { RAM: 1, RESERVED: 2, ACPI: 3, NVS: 4 } as const;

export interface E820Entry {
  gpa: number;
  bytes: number;
  type: (typeof E820_TYPE)[keyof typeof E820_TYPE];
}

/** Where the ACPI tables and the FACS lie: the last 64 KiB of RAM below 4 GiB. */
export function acpiRegion(memoryBytes: number): { tables: number; nvs: number } {
  const tables = memorySplit(memoryBytes).low - ACPI_RECLAIM_BYTES - ACPI_NVS_BYTES;
  return { tables, nvs: tables + ACPI_RECLAIM_BYTES };
}

/** Ascending, disjoint. */
export function e820(memoryBytes: number): E820Entry[] {
  checkMemory(memoryBytes);
  const { high } = memorySplit(memoryBytes);
  const { tables, nvs } = acpiRegion(memoryBytes);
  const upper = VGA_WINDOW.last + 1;
  const entries: E820Entry[] = [
    { gpa: 0, bytes: EBDA, type: E820_TYPE.RAM },
    { gpa: EBDA, bytes: VGA_WINDOW.first - EBDA, type: E820_TYPE.RESERVED },
    { gpa: upper + 0x3_0000, bytes: MIB - upper - 0x3_0000, type: E820_TYPE.RESERVED },
    { gpa: MIB, bytes: tables - MIB, type: E820_TYPE.RAM },
    { gpa: tables, bytes: ACPI_RECLAIM_BYTES, type: E820_TYPE.ACPI },
    { gpa: nvs, bytes: ACPI_NVS_BYTES, type: E820_TYPE.NVS },
    { gpa: IO_APIC_GPA, bytes: 0x1000, type: E820_TYPE.RESERVED },
    { gpa: LOCAL_APIC_GPA, bytes: 0x1000, type: E820_TYPE.RESERVED },
  ];
  if (high > 0) entries.push({ gpa: FOUR_GIB, bytes: high, type: E820_TYPE.RAM });
  return entries;
}

/** The 20-byte form that INT 15h and the Linux zero page use. */
export const encodeE820 = (entry: E820Entry): Bytes => [...u64(entry.gpa), ...u64(entry.bytes), ...u32(entry.type)];
