/**
 * A virtio console with one port: hvc0. Source: VIRTIO 1.1 section 5.3. Not emulated: several ports, resizing.
 */
import type { QueueAccess, VirtioKind } from './virtio-pci';

const EMERGENCY_WRITE = 1 << 2;
const EMERGENCY_AT = 8;
const QUEUE = { RECEIVE: 0, TRANSMIT: 1 } as const;
const CONFIG_BYTES = 12;
const TAKE_BYTES = 4096;
/** Typed ahead of a guest that does not read. */
const MAX_TYPED = 1 << 16;

export class VirtioConsole implements VirtioKind {
  readonly name = 'console';
  readonly type = 3;
  readonly classCode = 0x07_8000;
  readonly queues = 2;
  readonly features = EMERGENCY_WRITE;
  private typed: number[] = [];

  constructor(private readonly onByte: (byte: number) => void) {}

  /** The caller then kicks queue 0. */
  enter(bytes: ArrayLike<number>): void {
    for (let i = 0; i < bytes.length && this.typed.length < MAX_TYPED; i++) this.typed.push(bytes[i]!);
  }

  reset(): void {}
  save(): unknown {
    return Uint8Array.from(this.typed);
  }
  restore(saved: unknown): void {
    this.typed = [...(saved as Uint8Array)];
  }

  config(): Uint8Array {
    const config = new Uint8Array(CONFIG_BYTES);
    config.set([80, 0, 25, 0, 1]);
    return config;
  }
  writeConfig(offset: number, byte: number): void {
    if (offset === EMERGENCY_AT) this.onByte(byte);
  }

  serve(queue: number, { take, giveBack }: QueueAccess): number {
    let bytes = 0;
    if (queue === QUEUE.RECEIVE) {
      while (this.typed.length > 0) {
        const chain = take();
        if (!chain) break;
        const part = this.typed.splice(0, chain.writableBytes);
        chain.write(Uint8Array.from(part));
        bytes += part.length;
        giveBack(chain);
      }
    }
    if (queue === QUEUE.TRANSMIT) {
      for (let chain = take(); chain; chain = take()) {
        bytes += chain.readableBytes;
        while (chain.readableBytes > 0) chain.read(TAKE_BYTES).forEach((byte) => this.onByte(byte));
        giveBack(chain);
      }
    }
    return bytes;
  }
}
