/**
 * IDE function of the PIIX3: two channels at their legacy addresses with interrupts 14 and 15, bus-master DMA.
 * Source: Intel 82371SB (PIIX3) data sheet 290550 sections 2.4.1 to 2.4.13 and 2.6.
 *
 * Timing registers read back and time nothing; a channel whose decode bit is clear answers nevertheless.
 */
import type { Clock, Device, GuestMemory, Inspection, Line } from './bus';
import { IdeChannel } from './ide-channel';
import type { ChannelSaved, MakeDrive } from './ide-channel';
import { PciFunction } from './pci-function';

const COMMAND = [0x1f0, 0x170] as const;
const CONTROL = [0x3f6, 0x376] as const;
const TIMING = 0x40;
const MASTER_BYTES = 8;

type Channels<T> = readonly [primary: T, secondary: T];

export class PciIde implements Device<Channels<ChannelSaved>> {
  readonly name = 'ide';
  readonly ports = [
    ...COMMAND.map((first) => ({ first, last: first + 7 })),
    ...CONTROL.map((first) => ({ first, last: first })),
  ];
  readonly portBytes = 4;
  readonly fn: PciFunction;
  private readonly channels: Channels<IdeChannel>;

  constructor(clock: Clock, irqs: Channels<Line>, memory: GuestMemory, slot: number) {
    const channel = (irq: Line): IdeChannel => new IdeChannel(clock, irq, memory, () => this.fn.busMaster);
    this.channels = [channel(irqs[0]), channel(irqs[1])];
    this.fn = new PciFunction({
      name: 'IDE controller', slot, function: 1, vendor: 0x8086, device: 0x7010, revision: 0, classCode: 0x01_0180,
      defaults: [[0x06, [0x80, 0x02]]],
      writable: [[TIMING, [0xff, 0xff, 0xff, 0xff, 0xff]]],
      bars: [
        undefined, undefined, undefined, undefined,
        {
          kind: 'io', bytes: 2 * MASTER_BYTES,
          read: (offset, bytes) => this.readMaster(offset, bytes),
          write: (offset, bytes, value) => this.writeMaster(offset, bytes, value),
        },
      ],
    }); // prettier-ignore
  }

  /** Before power-on: drives 0 and 1 of the first channel, then of the second. */
  plug(drives: readonly (MakeDrive | undefined)[]): void {
    for (let i = 0; i < 4; i++) this.channels[i >> 1]!.plug((i & 1) as 0 | 1, drives[i]);
  }
  /** Channels with a drive, for firmware to switch on. */
  get used(): readonly boolean[] {
    return this.channels.map((channel) => !channel.empty);
  }

  reset(): void {
    for (const channel of this.channels) channel.reset();
  }
  save(): Channels<ChannelSaved> {
    return [this.channels[0].save(), this.channels[1].save()];
  }
  restore(saved: Channels<ChannelSaved>): void {
    this.channels.forEach((channel, i) => channel.restore(saved[i]!));
  }
  deadline(): number {
    return Math.min(this.channels[0].deadline(), this.channels[1].deadline());
  }
  tick(): void {
    for (const channel of this.channels) channel.tick();
  }

  readPort(port: number, bytes: number): number {
    const i = port & 0x80 ? 0 : 1;
    if (port === CONTROL[i]) return this.channels[i]!.alternateStatus;
    const register = port & 7;
    if (register === 0) return this.channels[i]!.read(0, bytes);
    let value = 0;
    // Beyond the data register all are bytes; a wider access goes on at the next ones, as the bus splits it.
    for (let n = 0; n < bytes && register + n < 8; n++) value |= this.channels[i]!.read(register + n, 1) << (n * 8);
    return value >>> 0;
  }
  writePort(port: number, bytes: number, value: number): void {
    const i = port & 0x80 ? 0 : 1;
    if (port === CONTROL[i]) return this.channels[i]!.writeControl(value & 0xff);
    const register = port & 7;
    if (register === 0) return this.channels[i]!.write(0, bytes, value);
    for (let n = 0; n < bytes && register + n < 8; n++) {
      this.channels[i]!.write(register + n, 1, (value >>> (n * 8)) & 0xff);
    }
  }

  inspect(): Inspection {
    const result: Inspection = {};
    this.channels.forEach((channel, i) => {
      for (const [key, value] of Object.entries(channel.inspect())) result[`${i === 0 ? 'primary' : 'secondary'}.${key}`] = value; // prettier-ignore
    });
    return result;
  }

  private readMaster(offset: number, bytes: number): number {
    let value = 0;
    for (let n = bytes - 1; n >= 0; n--) value = (value << 8) | this.masterByte(offset + n);
    return value >>> 0;
  }
  private masterByte(offset: number): number {
    return this.channels[offset >> 3]?.readMaster(offset & 7) ?? 0xff;
  }
  private writeMaster(offset: number, bytes: number, value: number): void {
    for (let n = 0; n < bytes; n++) {
      this.channels[(offset + n) >> 3]?.writeMaster((offset + n) & 7, (value >>> (n * 8)) & 0xff);
    }
  }
}
