/** Firmware's part played by the machine itself: tables, chips and memory as a BIOS leaves them, then the image is entered. */
import type { Cpu } from '../cpu/cpu';
import type { Bus } from '../cpu/ports';
import type { PhysicalMemory } from '../mmu/physical-memory';
import { assert } from '../util/assert';
import type { BootInput, MachineConfig } from './api';
import { enterImage, fillMemory, loadImage } from './boot';
import { biosRegions } from './firmware/bios';
import type { BiosDisk } from './firmware/bios';
import { RSDP_GPA, e820, firmwareTables } from './firmware/firmware';
import { setMemoryTypes } from './firmware/memory-types';
import { openShadowRam, powerOnSelfTest } from './firmware/post';

const RSDP_BYTES = 36;
const FIRST_FIXED_DISK = 0x80;

/** On a machine that was just switched on. Returns what the BIOS services offer as disks. UserError: a bad image. */
export function startKernel(
  { memory, cpus: count }: MachineConfig,
  cpus: readonly Cpu[],
  physical: PhysicalMemory,
  bus: Bus,
  input: BootInput,
): BiosDisk[] {
  const write = (gpa: number, bytes: Uint8Array): void => {
    const written = physical.writeBytes(gpa, bytes, true);
    assert(written === bytes.length, `firmware or an image was placed outside RAM at gp:0x${gpa.toString(16)}`);
  };
  openShadowRam(bus);
  for (const cpu of cpus) setMemoryTypes(cpu);
  const tables = firmwareTables(memory, count, { signature: cpus[0].cpuid(1, 0)[0] });
  for (const { gpa, bytes } of tables) write(gpa, bytes);
  const rsdp = { gpa: RSDP_GPA, bytes: physical.readBytes(RSDP_GPA, RSDP_BYTES) };
  const image = loadImage(input, { e820: e820(memory), rsdp });
  powerOnSelfTest(bus);
  const disks = image.disk ? [{ drive: FIRST_FIXED_DISK, bytes: image.disk }] : [];
  if (image.needsBios) for (const { gpa, bytes } of biosRegions({ disks })) write(gpa, bytes);
  fillMemory({ write, zero: (gpa, bytes) => write(gpa, new Uint8Array(bytes)) }, image);
  enterImage(cpus[0].state, image.entry);
  return disks;
}
