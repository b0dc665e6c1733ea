/**
 * A virtio entropy source. Source: VIRTIO 1.1 section 5.4. Its bytes are the same in every run: the machine is
 * deterministic, and nobody should keep secrets in it. The generator is xorshift128 (Marsaglia 2003).
 */
import type { QueueAccess, VirtioKind } from './virtio-pci';

const SEED = [0x0123_4567, 0x89ab_cdef, 0xfedc_ba98, 0x7654_3210] as const;
/** A driver that asks for more gets so many, which is allowed. */
const MAX_BYTES = 4096;

export class VirtioEntropy implements VirtioKind {
  readonly name = 'entropy';
  readonly type = 4;
  readonly classCode = 0x10_0000;
  readonly queues = 1;
  readonly features = 0;
  private state: number[] = [...SEED];

  config(): Uint8Array {
    return new Uint8Array(0);
  }
  reset(): void {}
  save(): unknown {
    return [...this.state];
  }
  restore(saved: unknown): void {
    this.state = [...(saved as number[])];
  }

  serve(_queue: number, { take, giveBack }: QueueAccess): number {
    let bytes = 0;
    for (let chain = take(); chain; chain = take()) {
      const data = Uint8Array.from({ length: Math.min(MAX_BYTES, chain.writableBytes) }, () => this.next() & 0xff);
      chain.write(data);
      bytes += data.length;
      giveBack(chain);
    }
    return bytes;
  }

  private next(): number {
    const [x, y, z, w] = this.state as [number, number, number, number];
    const t = x ^ (x << 11);
    const value = (w ^ (w >>> 19) ^ (t ^ (t >>> 8))) >>> 0;
    this.state = [y, z, w, value];
    return value >>> 8;
  }
}
