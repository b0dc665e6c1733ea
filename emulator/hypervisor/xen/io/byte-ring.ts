/** A stream of bytes in a shared page with free-running indices: what console and xenstore speak over. */
import type { Page } from '../page';

/** Offsets in the page; `bytes` is a power of two. */
export interface RingLayout {
  at: number;
  bytes: number;
  consumer: number;
  producer: number;
}

export class ByteRing {
  constructor(
    private readonly page: Page,
    private readonly layout: RingLayout,
  ) {}

  /** Bytes that wait for the consumer; undefined: the indices are further apart than the ring is long, so the guest lies. */
  get filled(): number | undefined {
    const filled = (this.page.u32(this.layout.producer) - this.page.u32(this.layout.consumer)) >>> 0;
    return filled > this.layout.bytes ? undefined : filled;
  }
  /** Takes what waits, at most `limit` bytes: none where the indices lie. */
  take(limit = Infinity): Uint8Array {
    const consumer = this.page.u32(this.layout.consumer);
    const taken = new Uint8Array(Math.min(this.filled ?? 0, limit));
    this.pieces(consumer, taken.length, (at, from, length) => taken.set(this.page.bytes(at, length), from));
    this.page.setU32(this.layout.consumer, consumer + taken.length);
    return taken;
  }
  /** How many were put: as many as there is room for, none where the indices lie. */
  put(data: Uint8Array): number {
    const producer = this.page.u32(this.layout.producer);
    const put = Math.min(this.layout.bytes - (this.filled ?? this.layout.bytes), data.length);
    this.pieces(producer, put, (at, from, length) => this.page.setBytes(at, data.subarray(from, from + length)));
    this.page.setU32(this.layout.producer, producer + put);
    return put;
  }
  inspect(): { consumer: number; producer: number; filled: number | string } {
    const [consumer, producer] = [this.page.u32(this.layout.consumer), this.page.u32(this.layout.producer)];
    return { consumer, producer, filled: this.filled ?? 'the indices lie' };
  }

  /** The ring's end may lie in between. */
  private pieces(index: number, bytes: number, visit: (at: number, from: number, length: number) => void): void {
    const start = index % this.layout.bytes;
    const first = Math.min(bytes, this.layout.bytes - start);
    if (first > 0) visit(this.layout.at + start, 0, first);
    if (bytes > first) visit(this.layout.at, first, bytes - first);
  }
}
