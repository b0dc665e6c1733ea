/**
 * The back end of the PV console: what the guest writes goes to the machine's console, what is typed there to the guest.
 * io/console.h, struct xencons_interface.
 */
import { Page } from '../page';
import type { XenDomain, XenPart } from '../ports';
import { ByteRing } from './byte-ring';

const INPUT = { at: 0, bytes: 1024, consumer: 3072, producer: 3076 };
const OUTPUT = { at: 1024, bytes: 2048, consumer: 3080, producer: 3084 };
/** Typed ahead of a guest that does not read. */
const MAX_TYPED = 1 << 16;
export const CONSOLE_SERVICE = 'console';

export interface ConsoleSaved {
  mfn: number;
  port: number;
  typed: Uint8Array;
}

export interface ConsoleWiring {
  /** Bytes that the guest wrote. */
  output(bytes: Uint8Array): void;
  /** Notifies the guest on its port. */
  notify(port: number): void;
  /** Said once: what a guest did wrong. */
  report(what: string): void;
}

export class XenConsole implements XenPart {
  readonly name = 'xen console';
  private typed: number[] = [];
  private mfn = 0;
  private port = 0;

  /** Frame and port come with `connect`; until then nobody writes and nobody reads. */
  constructor(
    private readonly domain: XenDomain,
    private readonly wiring: ConsoleWiring,
  ) {}

  /** The domain builder's choice of the shared frame, which stays an ordinary writable page from now on, and of the port. */
  connect(mfn: number, port: number): void {
    this.domain.getFrame(mfn, true);
    this.mfn = mfn;
    this.port = port;
  }
  /** Typed, from outside; returns how much was taken. */
  enter(bytes: Uint8Array): number {
    const taken = Math.min(bytes.length, MAX_TYPED - this.typed.length);
    for (let i = 0; i < taken; i++) this.typed.push(bytes[i]!);
    if (this.fill()) this.wiring.notify(this.port);
    return taken;
  }
  /** The guest notified its port: it wrote, or it read and there is room. */
  serve(): void {
    if (this.port === 0) return;
    const output = this.ring(OUTPUT);
    if (output.filled === undefined) {
      this.wiring.report('the output indices of the PV console are further apart than its ring is long');
      return;
    }
    const written = output.take();
    if (written.length > 0) this.wiring.output(written);
    const filled = this.fill();
    if (written.length > 0 || filled) this.wiring.notify(this.port);
  }

  /** True: something was put into the ring. */
  private fill(): boolean {
    if (this.port === 0 || this.typed.length === 0) return false;
    const put = this.ring(INPUT).put(Uint8Array.from(this.typed.slice(0, INPUT.bytes)));
    this.typed.splice(0, put);
    return put > 0;
  }
  private ring(layout: typeof INPUT): ByteRing {
    return new ByteRing(new Page(this.domain.memory, this.mfn), layout);
  }

  reset(): void {
    this.typed = [];
    this.mfn = this.port = 0;
  }
  save(): ConsoleSaved {
    return { mfn: this.mfn, port: this.port, typed: Uint8Array.from(this.typed) };
  }
  restore(saved: unknown): void {
    const { mfn, port, typed } = saved as ConsoleSaved;
    [this.mfn, this.port, this.typed] = [mfn, port, [...typed]];
  }
  inspect(): Record<string, number | string | boolean> {
    const { mfn, port } = this;
    const view = { frame: mfn, port, typed: this.typed.length };
    if (port === 0) return view;
    const [input, output] = [this.ring(INPUT).inspect(), this.ring(OUTPUT).inspect()];
    return { ...view, inConsumer: input.consumer, inProducer: input.producer, inFilled: input.filled, outConsumer: output.consumer, outProducer: output.producer, outFilled: output.filled };
  } // prettier-ignore
}
