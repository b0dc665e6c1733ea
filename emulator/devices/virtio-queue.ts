/**
 * A split virtqueue, as the device uses it. Source: Virtual I/O Device (VIRTIO) 1.1, section 2.6.
 *
 * Everything in it was written by the guest: addresses, lengths and links are checked, and what is wrong throws BadQueue,
 * upon which the transport asks for a reset. Not emulated: packed rings, event indices.
 */
import type { GuestMemory } from './bus';

const DESCRIPTOR_BYTES = 16;
const FLAG = { NEXT: 1, WRITE: 2, INDIRECT: 4 } as const;
const NO_INTERRUPT = 1;
/** More than any driver asks for at once; less than what would hold the machine up. */
const MAX_CHAIN_BYTES = 64 << 20;
/** Data moves in pieces, so that a length alone allocates nothing. */
const PIECE_BYTES = 1 << 16;
export const MAX_QUEUE_SIZE = 256;

/** The driver broke the rules; the message is for people. */
export class BadQueue extends Error {}

export interface QueueState {
  size: number;
  enabled: boolean;
  /** MSI-X vector. */
  vector: number;
  /** gpa: descriptor table, available ring (driver area), used ring (device area); as halves: low, high. */
  descriptors: [number, number];
  driver: [number, number];
  device: [number, number];
  /** Next entry of the available ring to take, entries of the used ring written: modulo 2^16. */
  taken: number;
  used: number;
}

export const NO_VECTOR = 0xffff;
export const newQueue = (): QueueState => ({
  size: MAX_QUEUE_SIZE, enabled: false, vector: NO_VECTOR, descriptors: [0, 0], driver: [0, 0], device: [0, 0], taken: 0, used: 0,
}); // prettier-ignore

interface Segment {
  gpa: number;
  bytes: number;
}

/** A request: what the device reads, then what it writes, each a stream over the chain's buffers. */
export class Chain {
  private readAt = 0;
  private writeAt = 0;

  constructor(
    readonly head: number,
    private readonly memory: GuestMemory,
    private readonly readable: Segment[],
    private readonly writable: Segment[],
  ) {}

  get readableBytes(): number {
    return total(this.readable) - this.readAt;
  }
  get writableBytes(): number {
    return total(this.writable) - this.writeAt;
  }
  /** Bytes that were written. */
  get written(): number {
    return this.writeAt;
  }

  /** The next bytes; fewer where the chain ends. */
  read(bytes: number): Uint8Array {
    const out = new Uint8Array(Math.min(bytes, this.readableBytes));
    this.readAt += pieces(this.readable, this.readAt, out.length, (gpa, at, length) => {
      const part = this.memory.readBytes(gpa, length);
      if (part.length < length) throw new BadQueue(`a buffer at gp:0x${gpa.toString(16)} is not in RAM`);
      out.set(part, at);
    });
    return out;
  }
  /** Leaves the next bytes to be written as they are. */
  skip(bytes: number): void {
    this.writeAt += bytes;
  }
  /** As much as there is room for. */
  write(data: Uint8Array): void {
    const bytes = Math.min(data.length, this.writableBytes);
    this.writeAt += pieces(this.writable, this.writeAt, bytes, (gpa, at, length) => {
      if (this.memory.writeBytes(gpa, data.subarray(at, at + length)) < length)
        throw new BadQueue(`a buffer at gp:0x${gpa.toString(16)} is not in RAM`);
    });
  }
}

const total = (segments: readonly Segment[]): number => segments.reduce((sum, { bytes }) => sum + bytes, 0);

/** Visits `bytes` of the stream from `from` on; returns `bytes`. */
function pieces(
  segments: readonly Segment[],
  from: number,
  bytes: number,
  visit: (gpa: number, at: number, length: number) => void,
): number {
  let skip = from;
  let done = 0;
  for (const segment of segments) {
    let at = Math.min(skip, segment.bytes);
    skip -= at;
    while (at < segment.bytes && done < bytes) {
      const length = Math.min(segment.bytes - at, bytes - done, PIECE_BYTES);
      visit(segment.gpa + at, done, length);
      at += length;
      done += length;
    }
  }
  return bytes;
}

export class VirtQueue {
  constructor(
    private readonly s: QueueState,
    private readonly memory: GuestMemory,
  ) {}

  /** The next request of the driver; undefined: none. */
  take(): Chain | undefined {
    const { s } = this;
    const driver = address(s.driver);
    const available = this.u16(driver + 2);
    if (available === s.taken) return undefined;
    if (((available - s.taken) & 0xffff) > s.size) throw new BadQueue('the available index is further on than the queue is long');
    const head = this.u16(driver + 4 + (s.taken % s.size) * 2);
    s.taken = (s.taken + 1) & 0xffff;
    return this.chain(head);
  } // prettier-ignore

  /** The driver has more. */
  get waits(): boolean {
    return this.u16(address(this.s.driver) + 2) !== this.s.taken;
  }

  /** Gives a request back with what was written to it. True: the driver wants an interrupt. */
  giveBack(chain: Chain): boolean {
    const { s } = this;
    const device = address(s.device);
    const element = new Uint8Array(8);
    const view = new DataView(element.buffer);
    view.setUint32(0, chain.head, true);
    view.setUint32(4, chain.written, true);
    this.put(device + 4 + (s.used % s.size) * 8, element);
    s.used = (s.used + 1) & 0xffff;
    this.put(device + 2, Uint8Array.of(s.used & 0xff, s.used >> 8));
    return (this.u16(address(s.driver)) & NO_INTERRUPT) === 0;
  }

  private chain(head: number): Chain {
    const lists: { readable: Segment[]; writable: Segment[] } = { readable: [], writable: [] };
    let table = address(this.s.descriptors);
    let entries = this.s.size;
    let index = head;
    let bytes = 0;
    for (let seen = 0; ; seen++) {
      if (index >= entries) throw new BadQueue(`descriptor ${index} of a table of ${entries}`);
      if (seen >= entries) throw new BadQueue('a chain of descriptors that goes in a circle');
      const { gpa, length, flags, next } = this.descriptor(table + index * DESCRIPTOR_BYTES);
      if (flags & FLAG.INDIRECT) {
        const inside = table !== address(this.s.descriptors);
        if (inside || flags & FLAG.NEXT || length === 0 || length % DESCRIPTOR_BYTES)
          throw new BadQueue(`an indirect table of ${length} bytes, flags ${flags}`);
        table = gpa;
        entries = length / DESCRIPTOR_BYTES;
        if (entries > MAX_QUEUE_SIZE) throw new BadQueue(`an indirect table of ${entries} descriptors`);
        index = 0;
        seen = -1;
        continue;
      }
      const list = flags & FLAG.WRITE ? lists.writable : lists.readable;
      if (list === lists.readable && lists.writable.length > 0) throw new BadQueue('a buffer to read after one to write');
      list.push({ gpa, bytes: length });
      bytes += length;
      if (bytes > MAX_CHAIN_BYTES) throw new BadQueue(`a request of more than ${MAX_CHAIN_BYTES} bytes`);
      if (!(flags & FLAG.NEXT)) return new Chain(head, this.memory, lists.readable, lists.writable);
      index = next;
    }
  } // prettier-ignore

  private descriptor(gpa: number): { gpa: number; length: number; flags: number; next: number } {
    const bytes = this.get(gpa, DESCRIPTOR_BYTES);
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    return {
      gpa: address([view.getUint32(0, true), view.getUint32(4, true)]),
      length: view.getUint32(8, true),
      flags: view.getUint16(12, true),
      next: view.getUint16(14, true),
    };
  }
  private u16(gpa: number): number {
    const bytes = this.get(gpa, 2);
    return bytes[0]! | (bytes[1]! << 8);
  }
  private get(gpa: number, bytes: number): Uint8Array {
    const data = this.memory.readBytes(gpa, bytes);
    if (data.length < bytes) throw new BadQueue(`the queue at gp:0x${gpa.toString(16)} is not in RAM`);
    return data;
  }
  private put(gpa: number, data: Uint8Array): void {
    if (this.memory.writeBytes(gpa, data) < data.length)
      throw new BadQueue(`the queue at gp:0x${gpa.toString(16)} is not in RAM`);
  }
}

const address = ([low, high]: readonly [number, number]): number => high * 0x1_0000_0000 + low;
