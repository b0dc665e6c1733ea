/**
 * A BIOS that starts the machine by itself: its ROM, and what it asks for by fw_cfg. Made for SeaBIOS (its
 * docs/Runtime_config and docs/Memory_model); another BIOS may ignore fw_cfg.
 */
import { FwCfg } from '../devices/fw-cfg';
import type { Device, GuestMemory } from '../devices/bus';
import { DebugPort } from '../devices/debug-port';
import { UserError } from '../util/assert';
import { FOUR_GIB, memorySplit } from './address-map';
import type { FirmwareInput, MachineConfig } from './api';
import { E820_TYPE, encodeE820, firmwareTables } from './firmware/firmware';
import { acpiFiles } from './firmware/table-loader';

const KIB = 1024;
const SIZES = { least: 64 * KIB, most: 4096 * KIB } as const;
const NO_GRAPHICS = 0x04;
const ITEM = { RAM: 0x03, CPUS: 0x05, MAX_CPUS: 0x0f, IRQ0_OVERRIDE: 0x8002 } as const;
const SMBIOS_ENTRY_BYTES = 31;
const SMBIOS_TABLE_AT = 32;
const COM1 = 0x3f8;

/** UserError: what is wrong with the image. */
export function checkFirmware({ name, firmware, vgaRom }: FirmwareInput): void {
  const { length } = firmware;
  if (length < SIZES.least || length > SIZES.most || (length & (length - 1)) !== 0)
    throw new UserError(`${name}: a BIOS image of ${length} bytes; give one of 64 KiB to 4 MiB, a power of two.`);
  // The reset vector holds a jump: near, far or short.
  if (![0xea, 0xe9, 0xeb].includes(firmware[length - 16]!))
    throw new UserError(`${name}: there is no jump at its reset vector, so it is no BIOS image; give a file such as bios.bin.`);
  if (vgaRom && (vgaRom[0] !== 0x55 || vgaRom[1] !== 0xaa))
    throw new UserError(`${name}: the video BIOS does not begin with 55 AA; give an option ROM such as vgabios-isavga.bin.`);
} // prettier-ignore

const little = (value: number, bytes: number): Uint8Array =>
  Uint8Array.from({ length: bytes }, (_, i) => Math.floor(value / 2 ** (8 * i)) & 0xff);

interface Surroundings extends Pick<MachineConfig, 'memory' | 'cpus'> {
  /** CPUID.1:EAX */
  signature: number;
  /** Disks as Open Firmware names them, the first is tried first. */
  paths: readonly string[];
}

/** The chips that a BIOS expects beside those of any PC. */
export function firmwareDevices(
  { vgaRom }: FirmwareInput,
  ram: GuestMemory,
  surroundings: Surroundings,
  onLog: (line: string) => void,
): Device[] {
  return [configuration(ram, surroundings, vgaRom), new DebugPort(onLog)];
}

function configuration(
  memory: GuestMemory,
  { memory: memoryBytes, cpus, signature, paths }: Surroundings,
  vgaRom: Uint8Array | undefined,
): FwCfg {
  const regions = firmwareTables(memoryBytes, cpus, { signature });
  const smbios = regions.find(({ what }) => what === 'SMBIOS')!.bytes;
  const { low, high } = memorySplit(memoryBytes);
  const map = [{ gpa: 0, bytes: low, type: E820_TYPE.RAM }];
  if (high > 0) map.push({ gpa: FOUR_GIB, bytes: high, type: E820_TYPE.RAM });
  const numbered = new Map([
    [ITEM.RAM, little(memoryBytes, 8)],
    [NO_GRAPHICS, little(0, 2)],
    [ITEM.CPUS, little(cpus, 2)],
    [ITEM.MAX_CPUS, little(cpus, 2)],
    [ITEM.IRQ0_OVERRIDE, little(1, 1)],
  ]);
  return new FwCfg(memory, numbered, {
    ...acpiFiles(regions),
    'etc/e820': Uint8Array.from(map.flatMap(encodeE820)),
    'etc/smbios/smbios-anchor': smbios.slice(0, SMBIOS_ENTRY_BYTES),
    'etc/smbios/smbios-tables': smbios.slice(SMBIOS_TABLE_AT),
    // Straight to the disk; text goes to the serial console, too, and keys come from there.
    'etc/show-boot-menu': little(0, 8),
    'etc/sercon-port': little(COM1, 8),
    ...(paths.length > 0 ? { bootorder: bytesOf(`${paths.join('\n')}\0`) } : {}),
    ...(vgaRom ? { 'vgaroms/vgabios.bin': vgaRom } : {}),
  });
}

const bytesOf = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0));
