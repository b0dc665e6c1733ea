/**
 * A CD-ROM drive with a data disc. Source: ATA/ATAPI-6 (T13 1410D) sections 8.23 and 9.8 (PACKET); MMC-3 (T10 1363-D).
 *
 * Not emulated: audio, tracks beyond the first, writing, an open tray (the disc cannot be taken out), events.
 */
import type { Clock, Inspection } from './bus';
import type { Disk } from './disk';
import { ERROR, IdeDrive, REG, identifyText } from './ide-drive';
import type { DmaEngine } from './ide-drive';

const BLOCK = 2048;
const PACKET_BYTES = 12;
/** Interrupt reason, in the count register (section 9.8): command or data, direction. */
const REASON = { COMMAND: 1, TO_HOST: 2 } as const;
const SENSE = { NONE: 0, ILLEGAL_REQUEST: 5 } as const;
const ASC = { NONE: 0, INVALID_COMMAND: 0x20, OUT_OF_RANGE: 0x21, INVALID_FIELD: 0x24 } as const;
const FEATURE_DMA = 1;
/** More than this is read in several pieces by any driver. */
const MAX_BLOCKS = 0x8000;

interface CdState {
  sense: number;
  asc: number;
  /** The packet is being received. */
  command: boolean;
  /** Answer that is being sent: `sent` bytes are gone. */
  answer: Uint8Array;
  sent: number;
  dma: boolean;
}
const initial = (): CdState => ({
  sense: SENSE.NONE, asc: ASC.NONE, command: false, answer: new Uint8Array(0), sent: 0, dma: false,
}); // prettier-ignore

export class AtapiCdrom extends IdeDrive {
  protected readonly signature = [0x14, 0xeb] as const;
  protected readonly resetStatus = 0;
  protected override readonly resetsByCommand = true;
  private cd = initial();

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
    this.cd = initial();
  }
  override save(): unknown {
    return { drive: super.save(), cd: structuredClone(this.cd), disk: this.disk.save() };
  }
  override restore(saved: unknown): void {
    const { drive, cd, disk } = saved as { drive: unknown; cd: CdState; disk: ReturnType<Disk['save']> };
    super.restore(drive);
    this.cd = structuredClone(cd);
    this.disk.restore(disk);
  }
  inspect(): Inspection {
    const { sense, asc } = this.cd;
    return { disc: this.disk.name, blocks: this.blocks, status: this.s.status, sense, asc };
  }

  private get blocks(): number {
    return Math.ceil(this.disk.bytes / BLOCK);
  }

  protected execute(command: number): void {
    if (command === 0xa0) {
      this.cd.command = true;
      this.cd.dma = (this.task(1) & FEATURE_DMA) !== 0;
      this.setTask(REG.COUNT, REASON.COMMAND);
      return this.receive(PACKET_BYTES, false);
    }
    if (command === 0xa1) {
      this.cd.answer = new Uint8Array(0);
      this.cd.sent = 0;
      return this.send(this.identity());
    }
    if (command === 0xec) this.sign(); // IDENTIFY DEVICE is refused with the signature (section 8.15)
    if (command === 0x90) {
      this.sign();
      this.s.error = 1;
      this.s.status = 0;
      return this.setInterrupt(true);
    }
    const mode = this.task(REG.COUNT);
    const transferMode = this.task(1) === 3 && (mode <= 1 || (mode >= 8 && mode <= 12) || (mode >= 0x20 && mode <= 0x22));
    const known = [0xe0, 0xe1, 0xe7].includes(command) || (command === 0xef && transferMode);
    this.finish(known ? 0 : ERROR.ABRT);
  } // prettier-ignore

  protected blockGiven(block: Uint8Array): void {
    if (!this.cd.command) return this.finish(ERROR.ABRT);
    this.cd.command = false;
    this.packet(block);
  }
  protected nextBlock(): void {
    const { cd } = this;
    if (cd.sent >= cd.answer.length) return this.succeed();
    // An odd or absent limit is the largest even one (section 8.23.5).
    const limit = (this.task(REG.MID) | (this.task(REG.HIGH) << 8)) & ~1 || 0xfffe;
    const part = cd.answer.slice(cd.sent, cd.sent + limit);
    cd.sent += part.length;
    this.setTask(REG.COUNT, REASON.TO_HOST);
    this.setTask(REG.MID, part.length);
    this.setTask(REG.HIGH, part.length >> 8);
    this.send(part);
  }
  protected blockTaken(): void {
    if (this.s.command === 0xa1) this.finishQuietly();
    else this.pause();
  }
  protected transfer(engine: DmaEngine): void {
    const { cd } = this;
    cd.sent += engine.toMemory(cd.answer.subarray(cd.sent));
    if (cd.sent >= cd.answer.length) this.succeed();
    else this.s.dmaBytes = cd.answer.length - cd.sent;
  }

  private succeed(): void {
    this.setTask(REG.COUNT, REASON.COMMAND | REASON.TO_HOST);
    this.finish();
  }
  private reply(answer: Uint8Array, allocated: number): void {
    const { cd } = this;
    cd.answer = answer.slice(0, allocated);
    cd.sent = 0;
    if (cd.answer.length === 0) this.succeed();
    else if (cd.dma) this.waitForDma('in', cd.answer.length);
    else {
      this.s.direction = 'in';
      this.nextBlock();
    }
  }
  private check(asc: number): void {
    Object.assign(this.cd, { sense: SENSE.ILLEGAL_REQUEST, asc });
    this.setTask(REG.COUNT, REASON.COMMAND | REASON.TO_HOST);
    this.finish((SENSE.ILLEGAL_REQUEST << 4) | ERROR.ABRT);
  }

  private packet(packet: Uint8Array): void {
    const view = new DataView(packet.buffer, packet.byteOffset, packet.length);
    const length16 = view.getUint16(7);
    const operation = packet[0]!;
    if (operation !== 0x03) Object.assign(this.cd, { sense: SENSE.NONE, asc: ASC.NONE });
    switch (operation) {
      case 0x00: // TEST UNIT READY
      case 0x1b: // START STOP UNIT
      case 0x1e: // PREVENT ALLOW MEDIUM REMOVAL
      case 0x2b: // SEEK
      case 0xbb: // SET CD SPEED
        return this.succeed();
      case 0x03:
        return this.requestSense(packet[4]!);
      case 0x12:
        return this.reply(inquiry(), packet[4]!);
      case 0x25:
        return this.reply(words(this.blocks - 1, BLOCK), 8);
      case 0x28:
        return this.read(view.getUint32(2), length16);
      case 0xa8:
        return this.read(view.getUint32(2), view.getUint32(6));
      case 0x43:
        return this.contents(packet, length16);
      case 0x46: // GET CONFIGURATION: profile CD-ROM, no features
        return this.reply(Uint8Array.of(0, 0, 0, 4, 0, 0, 0, 8), length16);
      case 0x4a: // GET EVENT STATUS NOTIFICATION: none of those that are asked for is supported
        return packet[1]! & 1 ? this.reply(Uint8Array.of(0, 2, 0x80, 0), length16) : this.check(ASC.INVALID_FIELD);
      case 0x51: // READ DISC INFORMATION: complete, one session, one track
        return this.reply(Uint8Array.from([0, 32, 0x0e, 1, 1, 1, 1, ...new Array<number>(27).fill(0)]), length16);
      case 0x5a:
        return this.modeSense(packet[2]! & 0x3f, length16);
      default:
        return this.check(ASC.INVALID_COMMAND);
    }
  }

  private read(block: number, count: number): void {
    if (count > MAX_BLOCKS || block + count > this.blocks) return this.check(ASC.OUT_OF_RANGE);
    const data = new Uint8Array(count * BLOCK);
    // The last block of an image may be short.
    data.set(this.disk.read(block * BLOCK, Math.min(data.length, this.disk.bytes - block * BLOCK)));
    this.reply(data, data.length);
  }
  private requestSense(allocated: number): void {
    const { sense, asc } = this.cd;
    const data = new Uint8Array(18);
    data.set([0x70, 0, sense, 0, 0, 0, 0, 10, 0, 0, 0, 0, asc]);
    Object.assign(this.cd, { sense: SENSE.NONE, asc: ASC.NONE });
    this.reply(data, allocated);
  }
  private modeSense(page: number, allocated: number): void {
    const capabilities = [0x2a, 0x12, 0, 0, 0x71, 0x60, 0x29, 0, 0x02, 0xc2, 0, 2, 0, 0, 0x02, 0xc2, 0, 0, 0, 0];
    if (page !== 0x2a && page !== 0x3f) return this.check(ASC.INVALID_FIELD);
    this.reply(Uint8Array.from([0, 6 + capabilities.length, 0x01, 0, 0, 0, 0, 0, ...capabilities]), allocated);
  }
  /** READ TOC: one data track, and the lead-out. */
  private contents(packet: Uint8Array, allocated: number): void {
    const format = packet[2]! & 0x0f || packet[9]! >> 6;
    const inMinutes = (packet[1]! & 2) !== 0;
    const place = (block: number): number[] => {
      if (!inMinutes) return [...words(block)];
      const frames = block + 150;
      return [0, Math.floor(frames / 4500) & 0xff, Math.floor(frames / 75) % 60, frames % 75];
    };
    const descriptor = (track: number, block: number): number[] => [0, 0x14, track, 0, ...place(block)];
    if (format === 0) {
      const tracks = packet[6]! <= 1 ? descriptor(1, 0) : [];
      const list = [...tracks, ...descriptor(0xaa, this.blocks)];
      return this.reply(Uint8Array.from([0, list.length + 2, 1, 1, ...list]), allocated);
    }
    if (format === 1) return this.reply(Uint8Array.from([0, 10, 1, 1, ...descriptor(1, 0)]), allocated);
    this.check(ASC.INVALID_FIELD);
  }

  /** IDENTIFY PACKET DEVICE (section 8.16): CD-ROM, removable, packets of 12 bytes. */
  private identity(): Uint8Array {
    const identity = new Uint16Array(256);
    identity[0] = 0x8580;
    identifyText(identity, 10, 10, this.serial);
    identifyText(identity, 23, 4, '1.0');
    identifyText(identity, 27, 20, 'RINGSIDE CD-ROM');
    identity[49] = 0x0b00;
    identity[53] = 0x0002;
    identity[63] = 0x0407;
    identity.set([0x03, 120, 120, 120, 120], 64);
    identity.set([0x007e, 0x0019, 0x0010, 0x4000, 0x4000, 0x0010, 0x0000, 0x4000], 80);
    return new Uint8Array(identity.buffer);
  }
}

/** Big-endian, as SCSI has it. */
function words(...values: number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(values.length * 4));
  values.forEach((value, i) => view.setUint32(i * 4, value));
  return new Uint8Array(view.buffer);
}

function inquiry(): Uint8Array {
  const data = new Uint8Array(36);
  data.set([0x05, 0x80, 0x00, 0x21, 31]);
  const text = `${'RINGSIDE'.padEnd(8)}${'CD-ROM'.padEnd(16)}${'1.0'.padEnd(4)}`;
  data.set(Uint8Array.from(text, (c) => c.charCodeAt(0)), 8);
  return data;
} // prettier-ignore
