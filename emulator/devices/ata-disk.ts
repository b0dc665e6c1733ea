/**
 * A hard disk with the ATA command set. Source: ATA/ATAPI-6 (T13 1410D) chapter 8; PIO modes 0-4, multiword DMA 0-2.
 *
 * Not emulated: SMART, security, host-protected areas (the native size is the size), Ultra DMA (the PIIX3 has none).
 * What the disk does not know it aborts, as the standard says; guests probe for features that way.
 */
import type { Clock, Inspection } from './bus';
import { SECTOR_BYTES } from './disk';
import type { Disk } from './disk';
import { DEVICE, ERROR, IdeDrive, REG, STATUS, identifyText } from './ide-drive';
import type { DmaEngine } from './ide-drive';

const HEADS = 16;
const SECTORS_A_TRACK = 63;
const MAX_MULTIPLE = 16;
const LBA28_LIMIT = 0x0fff_ffff;

interface AtaState {
  heads: number;
  sectorsATrack: number;
  /** Sectors a block of READ and WRITE MULTIPLE; 0: off. */
  multiple: number;
  /** SET FEATURES 03h, the transfer mode: 0x08-0x0c PIO, 0x20-0x22 multiword DMA. */
  mode: number;
  writeCache: boolean;
  /** Of the transfer under way: next sector, sectors after it, sectors a block. */
  lba: number;
  left: number;
  blockSectors: number;
}

const initial = (): AtaState => ({
  heads: HEADS, sectorsATrack: SECTORS_A_TRACK, multiple: 0, mode: 0x22, writeCache: true, lba: 0, left: 0, blockSectors: 1,
}); // prettier-ignore

type Handler = (disk: AtaDisk, wide: boolean) => void;

export class AtaDisk extends IdeDrive {
  protected readonly signature = [0, 0] as const;
  protected readonly resetStatus = STATUS.DRDY | STATUS.DSC;
  private ata = initial();

  constructor(
    private readonly disk: Disk,
    private readonly serial: string,
    clock: Clock,
    linesChanged: () => void,
  ) {
    super(clock, linesChanged);
    this.reset();
  }

  protected resetState(): void {
    this.ata = initial();
  }
  override save(): unknown {
    return { drive: super.save(), ata: { ...this.ata }, disk: this.disk.save() };
  }
  override restore(saved: unknown): void {
    const { drive, ata, disk } = saved as { drive: unknown; ata: AtaState; disk: ReturnType<Disk['save']> };
    super.restore(drive);
    this.ata = { ...ata };
    this.disk.restore(disk);
  }
  inspect(): Inspection {
    const { command, status, error } = this.s;
    return { disk: this.disk.name, sectors: this.disk.sectors, command, status, error };
  }

  protected execute(command: number): void {
    const [handler, wide] = COMMANDS.get(command) ?? [undefined, false];
    if (handler) handler(this, wide);
    else this.finish(ERROR.ABRT);
  }

  // --- Transfers

  /** Address and count of the task file; undefined: outside the disk, and the command has ended. */
  private locate(wide: boolean): boolean {
    const { ata } = this;
    const device = this.s.device;
    const bytes = [REG.LOW, REG.MID, REG.HIGH].map((register) => this.task(register));
    const low = bytes[0]! | (bytes[1]! << 8) | (bytes[2]! << 16);
    ata.left = wide ? this.wide(REG.COUNT) || 0x1_0000 : this.task(REG.COUNT) || 0x100;
    if (wide) {
      const [a, b, c] = [REG.LOW, REG.MID, REG.HIGH].map((register) => this.wide(register) >> 8);
      ata.lba = low + (a! + b! * 0x100 + c! * 0x1_0000) * 0x100_0000;
    } else if (device & DEVICE.LBA) ata.lba = low | ((device & DEVICE.HEAD) << 24);
    else {
      const cylinder = bytes[1]! | (bytes[2]! << 8);
      ata.lba = (cylinder * ata.heads + (device & DEVICE.HEAD)) * ata.sectorsATrack + bytes[0]! - 1;
    }
    const inside = ata.lba >= 0 && ata.lba + ata.left <= this.disk.sectors;
    if (!inside) this.finish(ERROR.IDNF);
    return inside;
  }

  readPio(wide: boolean, blockSectors: number): void {
    if (blockSectors === 0) return this.finish(ERROR.ABRT);
    if (!this.locate(wide)) return;
    this.ata.blockSectors = blockSectors;
    this.nextBlock();
  }
  writePio(wide: boolean, blockSectors: number): void {
    if (blockSectors === 0 || this.disk.readOnly) return this.finish(ERROR.ABRT);
    if (!this.locate(wide)) return;
    this.ata.blockSectors = blockSectors;
    this.receive(Math.min(blockSectors, this.ata.left) * SECTOR_BYTES, false);
  }
  startDma(direction: 'in' | 'out', wide: boolean): void {
    if (direction === 'out' && this.disk.readOnly) return this.finish(ERROR.ABRT);
    if (this.locate(wide)) this.waitForDma(direction, this.ata.left * SECTOR_BYTES);
  }
  verify(wide: boolean): void {
    if (this.locate(wide)) this.finish();
  }

  protected nextBlock(): void {
    const { ata } = this;
    if (ata.left === 0) return this.finishQuietly();
    const sectors = Math.min(ata.blockSectors, ata.left);
    const block = this.disk.read(ata.lba * SECTOR_BYTES, sectors * SECTOR_BYTES);
    this.advance(sectors);
    this.send(block);
  }
  protected blockTaken(): void {
    if (this.ata.left === 0) this.finishQuietly();
    else this.pause();
  }
  protected blockGiven(block: Uint8Array): void {
    const { ata } = this;
    this.disk.write(ata.lba * SECTOR_BYTES, block);
    this.advance(block.length / SECTOR_BYTES);
    if (ata.left === 0) this.finish();
    else this.receive(Math.min(ata.blockSectors, ata.left) * SECTOR_BYTES, true);
  }

  protected transfer(engine: DmaEngine): void {
    const { ata } = this;
    const offset = ata.lba * SECTOR_BYTES;
    const bytes = ata.left * SECTOR_BYTES;
    let moved: number;
    if (this.s.direction === 'in') moved = engine.toMemory(this.disk.read(offset, bytes));
    else {
      const data = engine.fromMemory(bytes);
      moved = data.length;
      this.disk.write(offset, data.subarray(0, moved - (moved % SECTOR_BYTES)));
    }
    // The guest's table ended early: the drive keeps asking for the rest, and the guest's time-out ends that.
    this.advance(Math.floor(moved / SECTOR_BYTES));
    if (ata.left === 0) this.finish();
    else this.s.dmaBytes = ata.left * SECTOR_BYTES;
  }

  private advance(sectors: number): void {
    this.ata.lba += sectors;
    this.ata.left -= sectors;
  }

  // --- Commands without a transfer, and what the disk says of itself

  get multiple(): number {
    return this.ata.multiple;
  }
  setMultiple(): void {
    const count = this.task(REG.COUNT);
    if (count > MAX_MULTIPLE || (count & (count - 1)) !== 0) return this.finish(ERROR.ABRT);
    this.ata.multiple = count;
    this.finish();
  }
  setGeometry(): void {
    this.ata.heads = (this.s.device & DEVICE.HEAD) + 1;
    this.ata.sectorsATrack = this.task(REG.COUNT) || SECTORS_A_TRACK;
    this.finish();
  }
  setFeatures(): void {
    const feature = this.task(1);
    const mode = this.task(REG.COUNT);
    if (feature === 0x03) {
      const known = mode <= 1 || (mode >= 0x08 && mode <= 0x0c) || (mode >= 0x20 && mode <= 0x22);
      if (!known) return this.finish(ERROR.ABRT);
      this.ata.mode = mode;
    } else if (feature === 0x02 || feature === 0x82) this.ata.writeCache = feature === 0x02;
    // Look-ahead, and whether a soft reset keeps these settings: nothing that a guest could tell apart.
    else if (![0xaa, 0x55, 0xcc, 0x66].includes(feature)) return this.finish(ERROR.ABRT);
    this.finish();
  }
  diagnose(): void {
    this.sign();
    this.s.error = 1;
    this.s.status = STATUS.DRDY | STATUS.DSC;
    this.setInterrupt(true);
  }
  powerMode(): void {
    this.setTask(REG.COUNT, 0xff); // active
    this.finish();
  }
  nativeMax(wide: boolean): void {
    const max = wide ? this.disk.sectors - 1 : Math.min(this.disk.sectors - 1, LBA28_LIMIT);
    const byte = (n: number): number => Math.floor(max / 2 ** (8 * n)) & 0xff;
    this.s.task = [this.task(1), this.task(2), byte(0), byte(1), byte(2)];
    if (wide) this.s.previous = [0, 0, byte(3), byte(4), byte(5)];
    else this.s.device = (this.s.device & ~DEVICE.HEAD) | (byte(3) & DEVICE.HEAD);
    this.finish();
  }
  succeed(): void {
    this.finish();
  }
  identify(): void {
    this.ata.left = 0;
    const words = this.identity();
    this.send(new Uint8Array(words.buffer));
  }

  /** Words of IDENTIFY DEVICE (table 26). */
  private identity(): Uint16Array {
    const { sectors } = this.disk;
    const { heads, sectorsATrack, multiple, mode, writeCache } = this.ata;
    const words = new Uint16Array(256);
    const cylinders = (h: number, s: number): number => Math.min(16383, Math.floor(sectors / (h * s)));
    const pair = (at: number, value: number): void =>
      void words.set([value & 0xffff, Math.floor(value / 0x1_0000) & 0xffff], at);
    words.set([0x0040, cylinders(HEADS, SECTORS_A_TRACK), 0, HEADS, 0, 0, SECTORS_A_TRACK], 0);
    identifyText(words, 10, 10, this.serial);
    identifyText(words, 23, 4, '1.0');
    identifyText(words, 27, 20, 'RINGSIDE DISK');
    words.set([0x8000 | MAX_MULTIPLE, 0x0001, 0x0b00, 0x4000], 47);
    words.set([0x0200, 0x0200, 0x0003], 51);
    const current = cylinders(heads, sectorsATrack);
    words.set([current, heads, sectorsATrack], 54);
    pair(57, current * heads * sectorsATrack);
    words[59] = multiple ? 0x100 | multiple : 0;
    pair(60, Math.min(sectors, LBA28_LIMIT));
    words[63] = 0x07 | (mode >= 0x20 ? 1 << (8 + (mode & 7)) : 0);
    words.set([0x03, 120, 120, 120, 120], 64);
    words.set([0x007e, 0x0019], 80); // ATA-1 to ATA/ATAPI-6
    words.set([0x4020, 0x7400, 0x4000, writeCache ? 0x4020 : 0x4000, 0x3400, 0x4000], 82); // write cache, LBA48, flush
    words[93] = 0x6001;
    pair(100, sectors);
    words[102] = Math.floor(sectors / 2 ** 32);
    return words;
  }
}

/** Command codes, and whether they take 48-bit addresses. */
const COMMANDS = new Map<number, readonly [Handler, boolean]>([
  ...[0x20, 0x21].map((code) => [code, [(d: AtaDisk, w: boolean) => d.readPio(w, 1), false]] as const),
  [0x24, [(d, w) => d.readPio(w, 1), true]],
  [0xc4, [(d, w) => d.readPio(w, d.multiple), false]],
  [0x29, [(d, w) => d.readPio(w, d.multiple), true]],
  ...[0x30, 0x31].map((code) => [code, [(d: AtaDisk, w: boolean) => d.writePio(w, 1), false]] as const),
  [0x34, [(d, w) => d.writePio(w, 1), true]],
  [0xc5, [(d, w) => d.writePio(w, d.multiple), false]],
  [0x39, [(d, w) => d.writePio(w, d.multiple), true]],
  ...[0xc8, 0xc9].map((code) => [code, [(d: AtaDisk, w: boolean) => d.startDma('in', w), false]] as const),
  [0x25, [(d, w) => d.startDma('in', w), true]],
  ...[0xca, 0xcb].map((code) => [code, [(d: AtaDisk, w: boolean) => d.startDma('out', w), false]] as const),
  [0x35, [(d, w) => d.startDma('out', w), true]],
  ...[0x40, 0x41].map((code) => [code, [(d: AtaDisk, w: boolean) => d.verify(w), false]] as const),
  [0x42, [(d, w) => d.verify(w), true]],
  ...Array.from({ length: 16 }, (_, i) => [0x10 + i, [(d: AtaDisk) => d.succeed(), false]] as const), // RECALIBRATE
  // SEEK, standby and idle (the disk is always ready), FLUSH CACHE: what was written is there.
  ...[0x70, 0xe0, 0xe1, 0xe2, 0xe3, 0xe7, 0xea].map((code) => [code, [(d: AtaDisk) => d.succeed(), false]] as const),
  [0x90, [(d) => d.diagnose(), false]],
  [0x91, [(d) => d.setGeometry(), false]],
  [0xc6, [(d) => d.setMultiple(), false]],
  [0xe5, [(d) => d.powerMode(), false]],
  [0xec, [(d) => d.identify(), false]],
  [0xef, [(d) => d.setFeatures(), false]],
  [0xf8, [(d, w) => d.nativeMax(w), false]],
  [0x27, [(d, w) => d.nativeMax(w), true]],
]); // prettier-ignore
