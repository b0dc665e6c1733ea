/**
 * What every drive on an IDE cable has: the task file, BSY and DRQ, the data register, the interrupt request. A kind of
 * drive (ata-disk.ts, atapi-cdrom.ts) says what its commands do. Source: ATA/ATAPI-6 (T13 1410D) chapters 7 to 9.
 *
 * Every step of a command takes guest time, so that interrupts come after the instruction that asked and busy bits are
 * seen. Not emulated: command queueing, power states other than ready, media that is locked or changed.
 */
import type { Clock, Inspection } from './bus';

export const STATUS = { ERR: 0x01, DRQ: 0x08, DSC: 0x10, DF: 0x20, DRDY: 0x40, BSY: 0x80 } as const;
export const ERROR = { ABRT: 0x04, IDNF: 0x10, UNC: 0x40 } as const;
/** Device register. */
export const DEVICE = { HEAD: 0x0f, SECOND: 0x10, LBA: 0x40, FIXED: 0xa0 } as const;
/** Offsets from the command block's base. */
export const REG = { DATA: 0, ERROR: 1, COUNT: 2, LOW: 3, MID: 4, HIGH: 5, DEVICE: 6, STATUS: 7 } as const;

const COMMAND_NS = 20_000;
const BLOCK_NS = 5_000;
/** 200 MB/s. */
const NS_PER_BYTE = 5;

/** The bus-master engine, as a drive sees it. Bytes moved: fewer than asked when the guest's table ends early. */
export interface DmaEngine {
  toMemory(data: Uint8Array): number;
  fromMemory(bytes: number): Uint8Array;
}

export interface DriveState {
  /** Last and last but one value written to features, count, low, mid, high: 48-bit commands take both. */
  task: number[];
  previous: number[];
  device: number;
  status: number;
  error: number;
  command: number;
  interrupt: boolean;
  /** The block at the data register, and how much of it has passed. */
  block: Uint8Array;
  at: number;
  direction: 'in' | 'out';
  /** What happens at `dueNs`; -1: nothing. */
  next: 'command' | 'block' | 'dma';
  dueNs: number;
  /** Bytes that wait for the bus master; 0: none. */
  dmaBytes: number;
}

const NO_BLOCK = new Uint8Array(0);

export abstract class IdeDrive {
  protected s: DriveState = this.fresh();

  constructor(
    protected readonly clock: Clock,
    /** INTRQ or DMARQ may have changed. */
    private readonly linesChanged: () => void,
  ) {}

  /** LBA mid and high after reset (section 9.12). */
  protected abstract readonly signature: readonly [mid: number, high: number];
  /** Status after reset: packet devices have DRDY clear until they are identified. */
  protected abstract readonly resetStatus: number;
  /** Ends in one of finish, abort, send, receive, waitForDma. */
  protected abstract execute(command: number): void;
  /** The host has taken the block that `send` offered. */
  protected abstract blockTaken(): void;
  /** The host has filled the block that `receive` asked for, and time has passed. */
  protected abstract blockGiven(block: Uint8Array): void;
  protected abstract transfer(engine: DmaEngine): void;
  /** After BSY between two blocks. */
  protected abstract nextBlock(): void;
  protected abstract resetState(): void;
  abstract inspect(): Inspection;

  private fresh(): DriveState {
    return {
      task: [0, 1, 1, 0, 0], previous: [0, 0, 0, 0, 0], device: 0, status: 0, error: 1, command: 0, interrupt: false,
      block: NO_BLOCK, at: 0, direction: 'in', next: 'command', dueNs: -1, dmaBytes: 0,
    }; // prettier-ignore
  }

  /** Power-on, SRST, or DEVICE RESET. */
  reset(): void {
    this.s = { ...this.fresh(), status: this.resetStatus };
    this.sign();
    this.resetState();
    this.linesChanged();
  }
  protected sign(): void {
    this.s.task = [0, 1, 1, ...this.signature];
  }

  get interrupt(): boolean {
    return this.s.interrupt;
  }
  get busy(): boolean {
    return (this.s.status & STATUS.BSY) !== 0;
  }
  deadline(): number {
    return this.s.dueNs < 0 ? Infinity : this.s.dueNs;
  }
  tick(engine: DmaEngine): void {
    if (this.s.dueNs < 0 || this.clock.now() < this.s.dueNs) return;
    this.s.dueNs = -1;
    if (this.s.next === 'command') this.execute(this.s.command);
    else if (this.s.next === 'dma') this.transfer(engine);
    else if (this.s.direction === 'in') this.nextBlock();
    else this.blockGiven(this.s.block);
  }

  /** Status, which the host has read by the command block: that acknowledges the interrupt. */
  acknowledge(): number {
    const { status } = this.s;
    this.setInterrupt(false);
    return status;
  }
  get status(): number {
    return this.s.status;
  }

  readRegister(register: number, highOrder: boolean): number {
    if (register === REG.ERROR) return this.s.error;
    if (register === REG.DEVICE) return this.s.device | DEVICE.FIXED;
    return (highOrder ? this.s.previous : this.s.task)[register - 1]!;
  }

  /** Both drives of a cable hear what is written to the registers; while BSY or DRQ it is ignored. */
  writeRegister(register: number, byte: number): void {
    if (this.s.status & (STATUS.BSY | STATUS.DRQ)) return;
    if (register === REG.DEVICE) {
      this.s.device = byte;
      return;
    }
    this.s.previous[register - 1] = this.s.task[register - 1]!;
    this.s.task[register - 1] = byte;
  }

  writeCommand(command: number): void {
    if (command === 0x08 && this.resetsByCommand) return this.reset();
    if (this.s.status & (STATUS.BSY | STATUS.DRQ)) return;
    Object.assign(this.s, { command, error: 0, dmaBytes: 0, block: NO_BLOCK, at: 0 });
    this.setInterrupt(false);
    this.wait('command', COMMAND_NS);
  }
  protected readonly resetsByCommand: boolean = false;

  readData(bytes: number): number {
    const { s } = this;
    if (!(s.status & STATUS.DRQ) || s.direction !== 'in' || s.dmaBytes) return 0;
    let value = 0;
    for (let i = 0; i < bytes; i++) value |= (s.block[s.at + i] ?? 0) << (i * 8);
    s.at += bytes;
    if (s.at >= s.block.length) this.blockTaken();
    return value >>> 0;
  }

  writeData(bytes: number, value: number): void {
    const { s } = this;
    if (!(s.status & STATUS.DRQ) || s.direction !== 'out' || s.dmaBytes) return;
    for (let i = 0; i < bytes && s.at + i < s.block.length; i++) s.block[s.at + i] = value >>> (i * 8);
    s.at += bytes;
    if (s.at >= s.block.length) this.wait('block', BLOCK_NS + s.block.length * NS_PER_BYTE);
  }

  /** The bus master runs or has stopped. */
  busMaster(running: boolean): void {
    const { s } = this;
    if (!s.dmaBytes) return;
    if (running && s.dueNs < 0) {
      s.next = 'dma';
      s.dueNs = this.clock.now() + BLOCK_NS + s.dmaBytes * NS_PER_BYTE;
    } else if (!running) s.dueNs = -1;
  }
  get dmaWaiting(): boolean {
    return this.s.dmaBytes > 0;
  }

  save(): unknown {
    return structuredClone(this.s);
  }
  restore(saved: unknown): void {
    this.s = structuredClone(saved) as DriveState;
  }

  // --- For the kinds of drive.

  /** The first of `count` bytes of a register pair is the later one: low byte. */
  protected wide(register: number): number {
    return this.s.task[register - 1]! | (this.s.previous[register - 1]! << 8);
  }
  protected task(register: number): number {
    return this.s.task[register - 1]!;
  }
  protected setTask(register: number, byte: number): void {
    this.s.task[register - 1] = byte & 0xff;
  }

  protected finish(error = 0): void {
    Object.assign(this.s, { status: STATUS.DRDY | STATUS.DSC | (error ? STATUS.ERR : 0), error, dmaBytes: 0 });
    this.setInterrupt(true);
  }
  /** Taken without an interrupt: the last block of a PIO read (section 9.5). */
  protected finishQuietly(): void {
    this.s.status = STATUS.DRDY | STATUS.DSC;
  }
  protected send(block: Uint8Array): void {
    Object.assign(this.s, { block, at: 0, direction: 'in', status: STATUS.DRDY | STATUS.DSC | STATUS.DRQ });
    this.setInterrupt(true);
  }
  protected pause(): void {
    this.wait('block', BLOCK_NS);
  }
  protected receive(bytes: number, interrupt: boolean): void {
    const block = new Uint8Array(bytes);
    Object.assign(this.s, { block, at: 0, direction: 'out', status: STATUS.DRDY | STATUS.DSC | STATUS.DRQ });
    if (interrupt) this.setInterrupt(true);
  }
  protected waitForDma(direction: 'in' | 'out', bytes: number): void {
    Object.assign(this.s, { dmaBytes: bytes, direction, status: STATUS.DRDY | STATUS.DSC | STATUS.DRQ });
    this.linesChanged();
  }
  protected setInterrupt(level: boolean): void {
    if (this.s.interrupt === level) return;
    this.s.interrupt = level;
    this.linesChanged();
  }

  private wait(next: DriveState['next'], ns: number): void {
    Object.assign(this.s, { next, dueNs: this.clock.now() + ns, status: STATUS.BSY });
  }
}

/** Text in identify data: two characters a word, the first in the high byte (ATA/ATAPI-6 section 8.15.8). */
export function identifyText(words: Uint16Array, first: number, count: number, text: string): void {
  const padded = text.padEnd(count * 2).slice(0, count * 2);
  for (let i = 0; i < count; i++) {
    words[first + i] = ((padded.charCodeAt(i * 2) & 0x7f) << 8) | (padded.charCodeAt(i * 2 + 1) & 0x7f);
  }
}
