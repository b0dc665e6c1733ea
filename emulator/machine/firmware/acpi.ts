/**
 * ACPI tables of the PC. Source: ACPI 6.4 chapter 5. What is not on the board (ECAM, GPE blocks, SMI command port) is not
 * in them.
 */
import { PM } from '../../devices/acpi-pm';
import { HPET_ID } from '../../devices/hpet';
import {
  ACPI_RECLAIM_BYTES, HPET_GPA, IO_APIC_GPA, LOCAL_APIC_GPA, PM_BASE, RESET_PORT, RESET_VALUE, SCI_IRQ,
} from '../address-map'; // prettier-ignore
import { assert } from '../../util/assert';
import { systemTable } from './aml';
import type { Bytes, Region } from './bytes';
import { ascii, u16, u32, u64, withChecksum, zeros } from './bytes';
import { dsdt } from './dsdt';
import { acpiRegion } from './e820';

const FADT_REVISION = 4;
/** FIRMWARE_CTRL names the FACS; the wide field stays 0, or it would be there twice (section 5.2.9). */
const NO_X_FACS = 0;
const FADT_FLAGS = {
  WBINVD: 1 << 0, PROC_C1: 1 << 2, NO_SLEEP_BUTTON: 1 << 5, RTC_NOT_FIXED: 1 << 6, RESET_REGISTER: 1 << 10,
} as const; // prettier-ignore
/** Legacy devices and an 8042 are there (table 5.10). */
const IAPC_BOOT_ARCH = 3;
/** Latencies beyond these say: no C2, no C3. */
const NO_C2 = 101;
const NO_C3 = 1001;
/** A tick is an instruction; no system wants to be interrupted more often than every hundred. */
const HPET_SHORTEST_TICKS = 100;

/** Generic address of a system I/O port (section 5.2.3.2). */
const gas = (port: number, bits: number, access: number): Bytes => [1, bits, 0, access, ...u64(port)];
const NO_GAS = zeros(12);

function fadt(dsdtGpa: number, facsGpa: number): Bytes {
  const flags = Object.values(FADT_FLAGS).reduce((sum, bit) => sum | bit, 0);
  const body = [
    ...u32(facsGpa), ...u32(dsdtGpa), 0, 1 /* desktop */, ...u16(SCI_IRQ), ...u32(0), 0, 0, 0, 0,
    ...u32(PM_BASE + PM.EVENT), ...u32(0), ...u32(PM_BASE + PM.CONTROL), ...u32(0), ...u32(0), ...u32(PM_BASE + PM.TIMER), ...u32(0), ...u32(0),
    4, 2, 0, 4, 0, 0, 0, 0, ...u16(NO_C2), ...u16(NO_C3), ...u16(0), ...u16(0), 0, 0,
    0, 0, 0x32 /* century */, ...u16(IAPC_BOOT_ARCH), 0, ...u32(flags),
    ...gas(RESET_PORT, 8, 1), RESET_VALUE, ...u16(0), 0, ...u64(NO_X_FACS), ...u64(dsdtGpa),
    ...gas(PM_BASE + PM.EVENT, 32, 2), ...NO_GAS, ...gas(PM_BASE + PM.CONTROL, 16, 2), ...NO_GAS, ...NO_GAS,
    ...gas(PM_BASE + PM.TIMER, 32, 3), ...NO_GAS, ...NO_GAS,
  ]; // prettier-ignore
  assert(body.length === 244 - 36, `a FADT of ${body.length + 36} bytes`);
  return systemTable('FACP', FADT_REVISION, body);
}

const facs = (): Bytes => [...ascii('FACS'), ...u32(64), ...zeros(24), 1, ...zeros(31)];

/** Active high, level: the SCI. MPS INTI flags (table 5.26). */
export const ACTIVE_HIGH_LEVEL = 0x0d;

function madt(cpus: number): Bytes {
  const body: number[] = [...u32(LOCAL_APIC_GPA), ...u32(1 /* there are 8259s, too */)];
  for (let cpu = 0; cpu < cpus; cpu++) body.push(0, 8, cpu, cpu, ...u32(1));
  body.push(1, 12, cpus, 0, ...u32(IO_APIC_GPA), ...u32(0));
  body.push(2, 10, 0, 0, ...u32(2), ...u16(0)); // IRQ0 is pin 2
  body.push(2, 10, 0, SCI_IRQ, ...u32(SCI_IRQ), ...u16(ACTIVE_HIGH_LEVEL));
  body.push(4, 6, 0xff, ...u16(0), 1); // NMI at LINT1 of every processor
  return systemTable('APIC', 4, body);
}

/** IA-PC HPET specification 1.0a section 3.2.4: block id, address, number, shortest periodic interval in ticks. */
const hpet = (): Bytes =>
  systemTable('HPET', 1, [...u32(HPET_ID), 0, 64, 0, 0, ...u64(HPET_GPA), 0, ...u16(HPET_SHORTEST_TICKS), 0]);

function rsdp(rsdtGpa: number, xsdtGpa: number): Bytes {
  const bytes = [
    ...ascii('RSD PTR '),
    0,
    ...ascii('RNGSID', 6),
    2,
    ...u32(rsdtGpa),
    ...u32(36),
    ...u64(xsdtGpa),
    0,
    0,
    0,
    0,
  ];
  return withChecksum(withChecksum(bytes, 8, 20), 32);
}

/** Tables at the top of low RAM, root pointer at `rsdpGpa` (16-byte aligned, in E0000h to FFFFFh). */
export function acpiTables(memoryBytes: number, cpus: number, rsdpGpa: number): Region[] {
  const { tables, nvs } = acpiRegion(memoryBytes);
  const placed: number[] = [];
  const place = (table: Bytes): number => {
    while (placed.length % 16) placed.push(0);
    const gpa = tables + placed.length;
    for (const byte of table) placed.push(byte);
    return gpa;
  };
  const dsdtGpa = place(dsdt(memoryBytes, cpus));
  const listed = [place(fadt(dsdtGpa, nvs)), place(madt(cpus)), place(hpet())];
  const rsdtGpa = place(
    systemTable(
      'RSDT',
      1,
      listed.flatMap((gpa) => [...u32(gpa)]),
    ),
  );
  const xsdtGpa = place(
    systemTable(
      'XSDT',
      1,
      listed.flatMap((gpa) => [...u64(gpa)]),
    ),
  );
  assert(placed.length <= ACPI_RECLAIM_BYTES, `ACPI tables of ${placed.length} bytes do not fit`);
  return [
    { gpa: tables, bytes: Uint8Array.from(placed), what: 'ACPI tables' },
    { gpa: nvs, bytes: Uint8Array.from(facs()), what: 'ACPI FACS' },
    { gpa: rsdpGpa, bytes: Uint8Array.from(rsdp(rsdtGpa, xsdtGpa)), what: 'ACPI root pointer' },
  ];
}
