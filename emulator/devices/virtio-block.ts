/**
 * A virtio disk. Source: VIRTIO 1.1 section 5.2. Not emulated: discard, write zeroes, several queues, topology.
 */
import type { Inspection } from './bus';
import { SECTOR_BYTES } from './disk';
import type { Disk } from './disk';
import type { QueueAccess, VirtioKind } from './virtio-pci';
import type { Chain } from './virtio-queue';

const FEATURE = { SEG_MAX: 1 << 2, READ_ONLY: 1 << 5, BLOCK_SIZE: 1 << 6, FLUSH: 1 << 9 } as const;
const REQUEST = { IN: 0, OUT: 1, FLUSH: 4, GET_ID: 8 } as const;
const STATUS = { OK: 0, ERROR: 1, UNSUPPORTED: 2 } as const;
const HEADER_BYTES = 16;
const ID_BYTES = 20;
/** Data buffers of a request: the queue's size less header and status. */
const MAX_SEGMENTS = 254;
const CONFIG_BYTES = 60;

export class VirtioBlock implements VirtioKind {
  readonly type = 2;
  readonly classCode = 0x01_0000;
  readonly queues = 1;
  readonly features: number;

  constructor(
    readonly name: string,
    private readonly disk: Disk,
    private readonly serial: string,
  ) {
    this.features = FEATURE.SEG_MAX | FEATURE.BLOCK_SIZE | FEATURE.FLUSH | (disk.readOnly ? FEATURE.READ_ONLY : 0);
  }

  reset(): void {}
  save(): unknown {
    return this.disk.save();
  }
  restore(saved: unknown): void {
    this.disk.restore(saved as ReturnType<Disk['save']>);
  }
  inspect(): Inspection {
    return { disk: this.disk.name, sectors: this.disk.sectors };
  }

  config(): Uint8Array {
    const view = new DataView(new ArrayBuffer(CONFIG_BYTES));
    view.setBigUint64(0, BigInt(this.disk.sectors), true);
    view.setUint32(12, MAX_SEGMENTS, true);
    view.setUint32(20, SECTOR_BYTES, true);
    return new Uint8Array(view.buffer);
  }

  serve(_queue: number, { take, giveBack }: QueueAccess): number {
    let bytes = 0;
    for (let chain = take(); chain; chain = take()) {
      bytes += chain.readableBytes + chain.writableBytes;
      this.request(chain);
      giveBack(chain);
    }
    return bytes;
  }

  /** The last writable byte is the status, wherever the buffers end. */
  private request(chain: Chain): void {
    const room = chain.writableBytes - 1;
    const header = chain.read(HEADER_BYTES);
    if (room < 0) return; // nowhere to say that it is wrong
    const status = header.length < HEADER_BYTES ? STATUS.ERROR : this.perform(chain, header, room);
    // What was not filled stays as it was: the status comes last all the same.
    chain.skip(chain.writableBytes - 1);
    chain.write(Uint8Array.of(status));
  }

  private perform(chain: Chain, header: Uint8Array, room: number): number {
    const view = new DataView(header.buffer, header.byteOffset);
    const type = view.getUint32(0, true);
    const offset = Number(view.getBigUint64(8, true)) * SECTOR_BYTES;
    const inside = (bytes: number): boolean => bytes % SECTOR_BYTES === 0 && offset + bytes <= this.disk.bytes;
    switch (type) {
      case REQUEST.IN:
        if (!inside(room)) return STATUS.ERROR;
        chain.write(this.disk.read(offset, room));
        return STATUS.OK;
      case REQUEST.OUT:
        if (this.disk.readOnly || !inside(chain.readableBytes)) return STATUS.ERROR;
        this.disk.write(offset, chain.read(chain.readableBytes));
        return STATUS.OK;
      case REQUEST.FLUSH:
        return STATUS.OK; // what was written is there
      case REQUEST.GET_ID:
        chain.write(Uint8Array.from(this.serial.padEnd(ID_BYTES, '\0').slice(0, Math.min(ID_BYTES, room)), (c) => c.charCodeAt(0)));
        return STATUS.OK;
      default:
        return STATUS.UNSUPPORTED;
    }
  } // prettier-ignore
}
