/**
 * Where things lie on this PC: the numbers that board, firmware tables and loaders must agree on. Guest-physical
 * addresses and bytes.
 */
import { UserError } from '../util/assert';

export const MIB = 0x10_0000;
/** RAM below 4 GiB ends here at the latest; the rest of it begins at 4 GiB. */
export const PCI_HOLE = 0xc000_0000;
export const FOUR_GIB = 0x1_0000_0000;
export const IO_APIC_GPA = 0xfec0_0000;
export const HPET_GPA = 0xfed0_0000;
export const LOCAL_APIC_GPA = 0xfee0_0000;
export const VGA_WINDOW = { first: 0xa_0000, last: 0xb_ffff } as const;

/** Extended BIOS data area: the last KiB of conventional memory. */
export const EBDA = 0x9_fc00;
export const BIOS_SEGMENT = 0xf_0000;

/** ACPI fixed hardware, I/O ports. */
export const PM_BASE = 0x600;
export const RESET_PORT = 0xcf9;
export const RESET_VALUE = 6;
export const SCI_IRQ = 9;
/** I/O APIC pins of PIRQA to PIRQD. */
export const PIRQ_PIN = 16;
/** ISA interrupts that firmware routes PIRQA to PIRQD to. */
export const PIRQ_IRQS = [10, 10, 11, 11] as const;

/** ACPI tables and the FACS take the top of RAM below 4 GiB. */
export const ACPI_RECLAIM_BYTES = 0xf000;
export const ACPI_NVS_BYTES = 0x1000;
export const MIN_MEMORY = 2 * MIB;

/** Bytes of RAM below 4 GiB and from 4 GiB up. */
export function memorySplit(memoryBytes: number): { low: number; high: number } {
  const low = Math.min(memoryBytes, PCI_HOLE);
  return { low, high: memoryBytes - low };
}

export function checkMemory(memoryBytes: number): void {
  if (!Number.isInteger(memoryBytes) || memoryBytes % MIB !== 0 || memoryBytes < MIN_MEMORY) {
    throw new UserError(
      `memory: ${memoryBytes} bytes is not a whole number of MiB of at least 2; say for example 256M.`,
    );
  }
}
