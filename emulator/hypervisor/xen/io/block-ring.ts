/**
 * The ring of a block device: requests and responses share its entries, and each side has free-running indices. io/ring.h,
 * io/blkif.h. The entries' layout is that of the guest's words, which it names as the `protocol` of the device.
 */
import { PAGE_BYTES } from '../../../mmu/physical-memory';
import type { Page } from '../page';

export type Protocol = 'x86_64-abi' | 'x86_32-abi';
interface Layout {
  requestBytes: number;
  id: number;
  sector: number;
  segments: number;
}
const LAYOUTS: Record<Protocol, Layout> = {
  'x86_64-abi': { requestBytes: 112, id: 8, sector: 16, segments: 24 },
  'x86_32-abi': { requestBytes: 108, id: 4, sector: 12, segments: 20 },
};
export const isProtocol = (text: string): text is Protocol => text in LAYOUTS;

const HEADER_BYTES = 64;
const INDEX = { requests: 0, requestEvent: 4, responses: 8, responseEvent: 12 } as const;
const SEGMENT_BYTES = 8;
export const MAX_SEGMENTS = 11;

export interface Segment {
  ref: number;
  /** Of the page's eight, both included. */
  first: number;
  last: number;
}
export interface BlockRequest {
  operation: number;
  /** As many as are said; those beyond MAX_SEGMENTS are not there. */
  count: number;
  id: bigint;
  sector: bigint;
  segments: Segment[];
}

export class BlockRing {
  private readonly layout: Layout;
  readonly entries: number;

  constructor(
    private readonly page: Page,
    protocol: Protocol,
  ) {
    this.layout = LAYOUTS[protocol];
    this.entries = 2 ** Math.floor(Math.log2((PAGE_BYTES - HEADER_BYTES) / this.layout.requestBytes));
  }

  /** Requests that wait behind the one numbered `consumed`; undefined: more than the ring can hold, so the guest lies. */
  waiting(consumed: number): number | undefined {
    const waiting = (this.page.u32(INDEX.requests) - consumed) >>> 0;
    return waiting > this.entries ? undefined : waiting;
  }
  /** Copied once: what the guest writes later is another request. */
  request(index: number): BlockRequest {
    const { requestBytes, id, sector, segments } = this.layout;
    const bytes = this.page.bytes(this.entry(index), requestBytes);
    const view = new DataView(bytes.buffer);
    const count = view.getUint8(1);
    const segment = (i: number): Segment => {
      const at = segments + i * SEGMENT_BYTES;
      return { ref: view.getUint32(at, true), first: view.getUint8(at + 4), last: view.getUint8(at + 5) };
    };
    return {
      operation: view.getUint8(0),
      count,
      id: view.getBigUint64(id, true),
      sector: view.getBigUint64(sector, true),
      segments: Array.from({ length: Math.min(count, MAX_SEGMENTS) }, (_, i) => segment(i)),
    };
  }
  /** The guest does not see it before `publish`. */
  respond(index: number, { id, operation }: BlockRequest, status: number): void {
    const response = new DataView(new ArrayBuffer(12));
    response.setBigUint64(0, id, true);
    response.setUint8(8, operation);
    response.setInt16(10, status, true);
    this.page.setBytes(this.entry(index), new Uint8Array(response.buffer));
  }
  /** True: the guest wants to be notified of one of these responses. `before`: how many there were. */
  publish(responses: number, before: number): boolean {
    this.page.setU32(INDEX.responses, responses);
    const wanted = this.page.u32(INDEX.responseEvent);
    return (responses - wanted) >>> 0 < (responses - before) >>> 0;
  }
  /** The guest notifies us of the next request. */
  askForNotice(consumed: number): void {
    this.page.setU32(INDEX.requestEvent, consumed + 1);
  }
  inspect(): { requests: number; responses: number; requestEvent: number; responseEvent: number } {
    const [requests, requestEvent, responses, responseEvent] = [0, 4, 8, 12].map((at) => this.page.u32(at)) as [number, number, number, number]; // prettier-ignore
    return { requests, responses, requestEvent, responseEvent };
  }
  private entry(index: number): number {
    return HEADER_BYTES + (index % this.entries) * this.layout.requestBytes;
  }
}
