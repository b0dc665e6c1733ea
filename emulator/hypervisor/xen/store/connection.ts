/**
 * A domain's line to xenstore: requests and answers over the shared page. Whatever the guest puts into it, what is kept
 * for it here is bounded: one request that is not complete, answers up to a limit, after which it is not read until it reads.
 */
import { ByteRing } from '../io/byte-ring';
import { Page } from '../page';
import type { XenDomain, XenPart } from '../ports';
import type { Client, ClientSaved } from './client';
import { StoreError } from './errors';
import type { Change } from './tree';
import type { XenStore } from './store';
import { encodeMessage, parseMessage, XS } from './wire';
import type { Message } from './wire';

export const STORE_SERVICE = 'xenstore';
const REQUESTS = { at: 0, bytes: 1024, consumer: 2048, producer: 2052 };
const ANSWERS = { at: 1024, bytes: 1024, consumer: 2056, producer: 2060 };
const FEATURES_AT = 2064;
const ERROR_AT = 2072;
/** server_features: the error field is there. */
const HAS_ERROR = 2;
const ERROR = { RING_INDEX: 2, PROTOCOL: 3 } as const;
/** Answers that wait for the guest to read: beyond it requests wait too, and watch events are dropped. */
const MAX_WAITING = 1 << 18;

export interface ConnectionSaved {
  mfn: number;
  port: number;
  broken: boolean;
  /** Of a request that is not complete. */
  input: Uint8Array;
  output: Uint8Array;
  client: ClientSaved;
}

export class XenStoreConnection implements XenPart {
  readonly name = 'xenstore connection';
  private readonly client: Client;
  private mfn = 0;
  private port = 0;
  private broken = false;
  private input = new Uint8Array();
  private output: number[] = [];

  constructor(
    private readonly domain: XenDomain,
    store: XenStore,
    private readonly wiring: {
      /** Notifies the guest on its port. */
      notify(port: number): void;
      /** Said once: what a guest did wrong. */
      report(what: string): void;
    },
  ) {
    this.client = store.client(domain.id, (payload) => this.event(payload));
  }

  /** The domain builder's choice of the shared frame and of the port. */
  connect(mfn: number, port: number): void {
    this.domain.getFrame(mfn, true);
    this.mfn = mfn;
    this.port = port;
    this.page.setU32(FEATURES_AT, HAS_ERROR);
  }
  /** The guest notified its port. */
  serve(): void {
    if (this.port === 0 || this.broken) return;
    const taken = this.receive();
    const sent = this.flush();
    if (taken || sent) this.wiring.notify(this.port);
  }
  hear(change: Change): void {
    this.client.hear(change);
    if (this.port !== 0 && !this.broken && this.flush()) this.wiring.notify(this.port);
  }

  /** True: something was taken from the ring. */
  private receive(): boolean {
    const ring = new ByteRing(this.page, REQUESTS);
    if (ring.filled === undefined) {
      this.fail(ERROR.RING_INDEX, 'the indices of its xenstore ring are further apart than the ring is long');
      return false;
    }
    let any = false;
    while (!this.broken && this.output.length < MAX_WAITING) {
      const bytes = ring.take();
      if (bytes.length === 0) break;
      any = true;
      this.input = concatenate(this.input, bytes);
      this.handle();
    }
    return any;
  }
  private handle(): void {
    for (let next = parseMessage(this.input); next; next = parseMessage(this.input)) {
      if (next === 'broken') return this.fail(ERROR.PROTOCOL, 'a message to xenstore is longer than any may be');
      this.input = this.input.slice(next.bytes);
      this.answer(next.message);
    }
  }
  private answer(message: Message): void {
    try {
      const { type, transaction, payload } = message;
      this.client.answer(type, transaction, payload, (answer) => this.queue({ ...message, payload: answer }));
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      this.queue({ ...message, type: XS.ERROR, payload: `${error.errno}\0` });
    }
  }
  private event(payload: string): void {
    if (this.output.length >= MAX_WAITING) {
      this.wiring.report('does not read xenstore: watch events are dropped');
      return;
    }
    this.queue({ type: XS.WATCH_EVENT, request: 0, transaction: 0, payload });
  }
  private queue(message: Message): void {
    for (const byte of encodeMessage(message)) this.output.push(byte);
  }
  /** True: something was put into the ring. */
  private flush(): boolean {
    if (this.output.length === 0) return false;
    const put = new ByteRing(this.page, ANSWERS).put(Uint8Array.from(this.output.slice(0, ANSWERS.bytes)));
    this.output.splice(0, put);
    return put > 0;
  }
  /** The line is dead until the domain starts again. */
  private fail(error: number, why: string): void {
    this.broken = true;
    this.page.setU32(ERROR_AT, error);
    this.wiring.report(why);
  }
  private get page(): Page {
    return new Page(this.domain.memory, this.mfn);
  }

  reset(): void {
    this.client.reset();
    this.mfn = this.port = 0;
    this.broken = false;
    this.input = new Uint8Array();
    this.output = [];
  }
  save(): ConnectionSaved {
    const { mfn, port, broken } = this;
    return { mfn, port, broken, input: this.input.slice(), output: Uint8Array.from(this.output), client: this.client.save() }; // prettier-ignore
  }
  restore(saved: unknown): void {
    const { mfn, port, broken, input, output, client } = saved as ConnectionSaved;
    [this.mfn, this.port, this.broken, this.input, this.output] = [mfn, port, broken, input.slice(), [...output]];
    this.client.restore(client);
  }
  inspect(): Record<string, number | string | boolean> {
    const { mfn, port, broken } = this;
    return { frame: mfn, port, broken, waiting: this.output.length, watches: this.client.watches.all.map(({ path, token }) => `${path} (${token})`).join(', ') }; // prettier-ignore
  }
}

function concatenate(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(a.length + b.length);
  out.set(a);
  out.set(b, a.length);
  return out;
}
