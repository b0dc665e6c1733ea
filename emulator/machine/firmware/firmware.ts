/**
 * What firmware leaves in memory for an operating system: ACPI, MP and SMBIOS tables, found by their signatures in
 * F0000h to FFFFFh. Real-mode services are bios.ts; the state of the chips is post.ts.
 */
import { BIOS_SEGMENT } from '../address-map';
import { acpiTables } from './acpi';
import type { Region } from './bytes';
import { mpTable } from './mp-table';
import type { CpuIdentity } from './mp-table';
import { smbios } from './smbios';

export { e820, encodeE820, E820_TYPE } from './e820';
export type { E820Entry } from './e820';
export type { Region } from './bytes';

/** Offsets in the F000h segment; the BIOS stubs lie from E000h on. */
const PLACE = { RSDP: 0x0000, MP: 0x1000, SMBIOS: 0x4000 } as const;
/** Guest-physical address of the ACPI root pointer: PVH and multiboot 2 hand it over. */
export const RSDP_GPA = BIOS_SEGMENT + PLACE.RSDP;

/** To be written to guest memory before the first instruction. */
export function firmwareTables(memoryBytes: number, cpus: number, identity: CpuIdentity): Region[] {
  return [
    ...acpiTables(memoryBytes, cpus, RSDP_GPA),
    mpTable(BIOS_SEGMENT + PLACE.MP, cpus, identity),
    smbios(BIOS_SEGMENT + PLACE.SMBIOS, memoryBytes, cpus, identity),
  ];
}
