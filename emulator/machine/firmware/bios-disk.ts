/**
 * INT 13h on images held in memory. Source: RBIL INT 13/AH=00h to AH=48h; Enhanced Disk Drive Specification 1.1.
 * Disks are write-protected: an image that the user gave is never changed.
 */
import type { BiosContext, BiosDisk, ServiceTable } from './bios-context';
import { BDA } from './bios-context';

const SECTOR = 512;
const STATUS = { OK: 0, BAD_COMMAND: 1, WRITE_PROTECTED: 3, NOT_FOUND: 4, BOUNDARY: 9, NOT_READY: 0xaa } as const;
const LAST_STATUS = BDA + 0x41;

interface Geometry {
  cylinders: number;
  heads: number;
  sectors: number;
}

/** Floppy formats by size in KiB (RBIL table 00242: drive types 1 to 5). */
const FLOPPIES: Readonly<Record<number, Geometry & { type: number }>> = {
  360: { cylinders: 40, heads: 2, sectors: 9, type: 1 },
  720: { cylinders: 80, heads: 2, sectors: 9, type: 3 },
  1200: { cylinders: 80, heads: 2, sectors: 15, type: 2 },
  1440: { cylinders: 80, heads: 2, sectors: 18, type: 4 },
  2880: { cylinders: 80, heads: 2, sectors: 36, type: 5 },
};

const sectorsOf = (disk: BiosDisk): number => Math.ceil(disk.bytes.length / SECTOR);

function geometry(disk: BiosDisk): Geometry & { type: number } {
  if (disk.drive < 0x80) {
    const kib = Object.keys(FLOPPIES).map(Number).find((size) => disk.bytes.length <= size * 1024); // prettier-ignore
    return FLOPPIES[kib ?? 2880]!;
  }
  // Assisted translation: 63 sectors, as many heads as it takes for 1024 cylinders.
  const total = sectorsOf(disk);
  const heads = [16, 32, 64, 128].find((h) => total <= 1024 * h * 63) ?? 255;
  return { cylinders: Math.max(1, Math.min(1024, Math.floor(total / (heads * 63)))), heads, sectors: 63, type: 0 };
}

const selected = (b: BiosContext): BiosDisk | undefined => b.config.disks.find((d) => d.drive === (b.dx & 0xff));

function finish(b: BiosContext, status: number): void {
  b.write(LAST_STATUS, 1, status);
  b.ah = status;
  b.setCarry(status !== STATUS.OK);
}

/** Sectors into guest memory; what the image lacks of its last sector is zeros. */
function readSectors(b: BiosContext, disk: BiosDisk, lba: number, count: number, gpa: number): number {
  if (lba < 0 || count < 0 || lba + count > sectorsOf(disk)) return STATUS.NOT_FOUND;
  const buffer = new Uint8Array(count * SECTOR);
  buffer.set(disk.bytes.subarray(lba * SECTOR, (lba + count) * SECTOR));
  b.cpu.writePhysical(gpa, buffer);
  return STATUS.OK;
}

/** Cylinder, head and sector of CX and DH; -1: no such place. */
function chsToLba(b: BiosContext, disk: BiosDisk): number {
  const { heads, sectors } = geometry(disk);
  const cylinder = (b.cx >> 8) | ((b.cx & 0xc0) << 2);
  const head = b.dx >> 8;
  const sector = b.cx & 0x3f;
  if (sector === 0 || sector > sectors || head >= heads) return -1;
  return (cylinder * heads + head) * sectors + sector - 1;
}

function readChs(b: BiosContext, transfer: boolean): void {
  const disk = selected(b);
  if (!disk) return finish(b, STATUS.NOT_READY);
  const count = b.al;
  const lba = chsToLba(b, disk);
  const gpa = b.at('es', 'ebx');
  if (count === 0 || count > 128) return finish(b, STATUS.BAD_COMMAND);
  const status = transfer ? readSectors(b, disk, lba, count, gpa) : lba < 0 ? STATUS.NOT_FOUND : STATUS.OK;
  b.al = status === STATUS.OK ? count : 0;
  finish(b, status);
}

function parameters(b: BiosContext): void {
  const disk = selected(b);
  if (!disk) return finish(b, 7);
  const { cylinders, heads, sectors, type } = geometry(disk);
  const last = cylinders - 1;
  b.ax = 0;
  b.bx = type;
  b.cx = ((last & 0xff) << 8) | ((last >> 2) & 0xc0) | sectors;
  const sameKind = b.config.disks.filter((d) => d.drive >> 7 === disk.drive >> 7).length;
  b.dx = ((heads - 1) << 8) | sameKind;
  finish(b, STATUS.OK);
}

/** Disk address packet at DS:SI: size, 0, count, buffer offset:segment, 64-bit block. */
function extendedRead(b: BiosContext, transfer: boolean): void {
  const disk = selected(b);
  if (!disk) return finish(b, STATUS.NOT_READY);
  const packet = b.at('ds', 'esi');
  const count = b.read(packet + 2, 2);
  const buffer = b.read(packet + 6, 2) * 16 + b.read(packet + 4, 2);
  const lba = b.read(packet + 8, 4) + b.read(packet + 12, 4) * 0x1_0000_0000;
  const inside = lba + count <= sectorsOf(disk);
  const status = transfer ? readSectors(b, disk, lba, count, buffer) : inside ? STATUS.OK : STATUS.NOT_FOUND;
  if (status !== STATUS.OK) b.write(packet + 2, 2, 0);
  finish(b, status);
}

/** AH=48h: result buffer of 26 bytes at DS:SI. */
function extendedParameters(b: BiosContext): void {
  const disk = selected(b);
  const gpa = b.at('ds', 'esi');
  if (!disk || b.read(gpa, 2) < 26) return finish(b, STATUS.BAD_COMMAND);
  const { cylinders, heads, sectors } = geometry(disk);
  b.write(gpa, 2, 26);
  b.write(gpa + 2, 2, 0x02); // geometry is valid
  b.write(gpa + 4, 4, cylinders);
  b.write(gpa + 8, 4, heads);
  b.write(gpa + 12, 4, sectors);
  b.write(gpa + 16, 4, sectorsOf(disk));
  b.write(gpa + 20, 4, 0);
  b.write(gpa + 24, 2, SECTOR);
  finish(b, STATUS.OK);
}

function extensionsPresent(b: BiosContext): void {
  if (b.bx !== 0x55aa || (b.dx & 0x80) === 0 || !selected(b)) return finish(b, STATUS.BAD_COMMAND);
  b.ax = 0x2100; // EDD 1.1
  b.bx = 0xaa55;
  b.cx = 1; // packet access
  b.setCarry(false);
}

function driveType(b: BiosContext): void {
  const disk = selected(b);
  if (!disk) {
    b.ax = 0;
    return b.setCarry(true);
  }
  b.ah = disk.drive < 0x80 ? 1 : 3;
  if (disk.drive >= 0x80) {
    b.cx = sectorsOf(disk) >>> 16;
    b.dx = sectorsOf(disk) & 0xffff;
  }
  b.setCarry(false);
}

const writeProtected = (b: BiosContext): void => {
  b.config.unsupported('BIOS INT 13h: writing to a disk (disks are write-protected)');
  finish(b, STATUS.WRITE_PROTECTED);
};

export const DISK_SERVICES: ServiceTable = {
  0x1300: (b) => finish(b, selected(b) ? STATUS.OK : STATUS.NOT_READY),
  0x1301: (b) => {
    b.ah = b.read(LAST_STATUS, 1);
    b.setCarry(b.ah !== 0);
  },
  0x1302: (b) => readChs(b, true),
  0x1303: writeProtected,
  0x1304: (b) => readChs(b, false),
  0x1308: parameters,
  0x1315: driveType,
  0x1341: extensionsPresent,
  0x1342: (b) => extendedRead(b, true),
  0x1343: writeProtected,
  0x1344: (b) => extendedRead(b, false),
  0x1347: (b) => extendedRead(b, false),
  0x1348: extendedParameters,
  // AH=4Bh, El Torito status: not booted from a CD.
  0x134b: (b) => finish(b, STATUS.BAD_COMMAND),
};
