/**
 * One cable of an IDE controller: the command and control blocks, up to two drives, the bus master of this channel.
 * Source: ATA/ATAPI-6 chapters 7.1 to 7.14; Intel "Programming Interface for Bus Master IDE Controller" 1.0; 82371SB
 * (PIIX3) data sheet 290550 section 2.6.
 */
import type { Clock, GuestMemory, Inspection, Line } from './bus';
import type { DmaEngine, IdeDrive } from './ide-drive';
import { DEVICE, REG, STATUS } from './ide-drive';

const CONTROL = { NO_INTERRUPT: 2, RESET: 4, HIGH_ORDER: 0x80 } as const;
const MASTER = { START: 1, TO_MEMORY: 8 } as const;
const MASTER_STATUS = { ACTIVE: 1, ERROR: 2, INTERRUPT: 4, DRIVES: 0x60 } as const;
const END_OF_TABLE = 0x8000;
/** A table lies within 64 KiB. */
const MAX_DESCRIPTORS = 8192;

interface ChannelState {
  control: number;
  selected: number;
  line: boolean;
  command: number;
  status: number;
  /** gpa of the descriptor table. */
  table: number;
  /** Of the transfer under way: descriptors used up, bytes used of the one after. */
  descriptor: number;
  used: number;
}
export interface ChannelSaved {
  state: ChannelState;
  drives: unknown[];
}

const initial = (): ChannelState => ({
  control: 0, selected: 0, line: false, command: 0, status: 0, table: 0, descriptor: 0, used: 0,
}); // prettier-ignore

export type MakeDrive = (clock: Clock, linesChanged: () => void) => IdeDrive;

export class IdeChannel implements DmaEngine {
  private readonly drives: (IdeDrive | undefined)[] = [undefined, undefined];
  private s = initial();

  constructor(
    private readonly clock: Clock,
    private readonly irq: Line,
    private readonly memory: GuestMemory,
    /** The guest lets the function reach memory. */
    private readonly mayMaster: () => boolean,
  ) {}

  /** Before power-on; undefined: the connector is empty. */
  plug(drive: 0 | 1, make: MakeDrive | undefined): void {
    this.drives[drive] = make?.(this.clock, () => this.update());
  }
  get empty(): boolean {
    return !this.drives[0] && !this.drives[1];
  }

  reset(): void {
    this.s = initial();
    for (const drive of this.drives) drive?.reset();
    this.update();
  }
  save(): ChannelSaved {
    return { state: { ...this.s }, drives: this.drives.map((drive) => drive?.save() ?? null) };
  }
  restore({ state, drives }: ChannelSaved): void {
    this.drives.forEach((drive, i) => drive?.restore(drives[i]));
    this.s = { ...state };
  }
  deadline(): number {
    return Math.min(this.drives[0]?.deadline() ?? Infinity, this.drives[1]?.deadline() ?? Infinity);
  }
  tick(): void {
    for (const drive of this.drives) drive?.tick(this);
  }

  read(register: number, bytes: number): number {
    const drive = this.drives[this.s.selected];
    if (register === REG.DATA) return drive?.readData(bytes) ?? 0;
    if (!drive) return 0;
    if (register === REG.STATUS) return this.s.control & CONTROL.RESET ? STATUS.BSY : drive.acknowledge();
    return drive.readRegister(register, (this.s.control & CONTROL.HIGH_ORDER) !== 0);
  }

  write(register: number, bytes: number, value: number): void {
    const drive = this.drives[this.s.selected];
    if (register === REG.DATA) return drive?.writeData(bytes, value);
    this.s.control &= ~CONTROL.HIGH_ORDER;
    if (register === REG.STATUS) {
      drive?.writeCommand(value);
      return this.update();
    }
    for (const each of this.drives) each?.writeRegister(register, value);
    if (register === REG.DEVICE) {
      this.s.selected = value & DEVICE.SECOND ? 1 : 0;
      this.update();
    }
  }

  /** Does not acknowledge. */
  get alternateStatus(): number {
    return this.s.control & CONTROL.RESET ? STATUS.BSY : (this.drives[this.s.selected]?.status ?? 0);
  }
  writeControl(byte: number): void {
    const resets = (byte & CONTROL.RESET) !== 0 && !(this.s.control & CONTROL.RESET);
    this.s.control = byte;
    if (resets) {
      for (const drive of this.drives) drive?.reset();
      this.s.selected = 0;
    }
    this.update();
  }

  // --- Bus master registers: 8 bytes

  readMaster(offset: number): number {
    if (offset === 0) return this.s.command;
    if (offset === 2) return this.s.status;
    return offset >= 4 ? (this.s.table >>> ((offset - 4) * 8)) & 0xff : 0;
  }
  writeMaster(offset: number, byte: number): void {
    const { s } = this;
    if (offset === 0) this.command(byte);
    else if (offset === 2) {
      const cleared = byte & (MASTER_STATUS.ERROR | MASTER_STATUS.INTERRUPT);
      s.status = (s.status & ~cleared & ~MASTER_STATUS.DRIVES) | (byte & MASTER_STATUS.DRIVES);
    } else if (offset >= 4) {
      const shift = (offset - 4) * 8;
      s.table = ((s.table & ~(0xff << shift)) | (byte << shift)) & ~3;
      s.table >>>= 0;
    }
  }

  private command(byte: number): void {
    const { s } = this;
    const starts = (byte & MASTER.START) !== 0 && !(s.command & MASTER.START);
    s.command = byte & (MASTER.START | MASTER.TO_MEMORY);
    if (starts) Object.assign(s, { status: s.status | MASTER_STATUS.ACTIVE, descriptor: 0, used: 0 });
    if (!(byte & MASTER.START)) s.status &= ~MASTER_STATUS.ACTIVE;
    this.master();
  }
  /** Lets the selected drive know whether its data can flow. */
  private master(): void {
    const drive = this.drives[this.s.selected];
    if (drive?.dmaWaiting) drive.busMaster((this.s.status & MASTER_STATUS.ACTIVE) !== 0 && this.mayMaster());
  }

  // --- DmaEngine

  toMemory(data: Uint8Array): number {
    if (!(this.s.command & MASTER.TO_MEMORY)) return this.fail();
    return this.walk(data.length, (gpa, at, bytes) => this.memory.writeBytes(gpa, data.subarray(at, at + bytes)));
  }
  fromMemory(bytes: number): Uint8Array {
    if (this.s.command & MASTER.TO_MEMORY) return new Uint8Array(this.fail());
    const data = new Uint8Array(bytes);
    const moved = this.walk(bytes, (gpa, at, length) => {
      const part = this.memory.readBytes(gpa, length);
      data.set(part, at);
      return part.length;
    });
    return data.subarray(0, moved);
  }

  /** Along the descriptors: gpa, byte count (0: 64 KiB), end-of-table flag. */
  private walk(bytes: number, move: (gpa: number, at: number, bytes: number) => number): number {
    const { s } = this;
    let done = 0;
    while (done < bytes && s.status & MASTER_STATUS.ACTIVE) {
      const entry = this.memory.readBytes(s.table + s.descriptor * 8, 8);
      if (entry.length < 8 || s.descriptor >= MAX_DESCRIPTORS) return this.fail(done);
      const view = new DataView(entry.buffer, entry.byteOffset);
      const size = view.getUint16(4, true) & 0xfffe || 0x1_0000;
      const length = Math.min(size - s.used, bytes - done);
      const gpa = (view.getUint32(0, true) & ~1) >>> 0;
      if (move(gpa + s.used, done, length) < length) return this.fail(done);
      done += length;
      s.used += length;
      if (s.used < size) break;
      s.used = 0;
      s.descriptor++;
      if (view.getUint16(6, true) & END_OF_TABLE) s.status &= ~MASTER_STATUS.ACTIVE;
    }
    return done;
  }
  /** Nobody answers at that address: the transfer ends here, and the error bit says so. */
  private fail(done = 0): number {
    this.s.status = (this.s.status | MASTER_STATUS.ERROR) & ~MASTER_STATUS.ACTIVE;
    return done;
  }

  inspect(): Inspection {
    const { selected, command, status, table } = this.s;
    const result: Inspection = { selected, 'busMaster.command': command, 'busMaster.status': status, table };
    this.drives.forEach((drive, i) => {
      for (const [key, value] of Object.entries(drive?.inspect() ?? {})) result[`drive${i}.${key}`] = value;
    });
    return result;
  }

  private update(): void {
    this.master();
    const level = (this.drives[this.s.selected]?.interrupt ?? false) && !(this.s.control & CONTROL.NO_INTERRUPT);
    if (level && !this.s.line) this.s.status |= MASTER_STATUS.INTERRUPT;
    this.s.line = level;
    this.irq.set(level);
  }
}
