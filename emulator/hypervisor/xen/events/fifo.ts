/**
 * Event channels as queues: an event word for each port in pages that the guest gives, linked into sixteen queues a
 * processor by priority. event_channel.h, the FIFO ABI. Hypervisor and guest take turns here, so the BUSY bit, which is for
 * two that meet in a word, is never needed; a guest that sets it itself is not waited for.
 */
import { PAGE_BYTES } from '../../../mmu/physical-memory';
import { refuse } from '../errno';
import { Page } from '../page';
import type { FramePlace, XenDomain } from '../ports';
import { markPending } from './delivery';
import type { Delivered, Delivery } from './delivery';

export const LINK_BITS = 17;
export const PRIORITIES = 16;
export const DEFAULT_PRIORITY = 7;
/** The low bits of a word: the next port of its queue. */
const LINKS = 2 ** LINK_BITS;
const WORDS_A_PAGE = PAGE_BYTES / 4;
const PAGES = LINKS / WORDS_A_PAGE;
const WORD = { PENDING: 2 ** 31, MASKED: 2 ** 30, LINKED: 2 ** 29, BUSY: 2 ** 28 } as const;
/** struct evtchn_fifo_control_block: ready bits, a reserved word, a head for each queue. */
const HEADS_AT = 8;
const BLOCK_BYTES = HEADS_AT + 4 * PRIORITIES;

export interface FifoSaved {
  /** By processor; null: no control block yet. */
  control: (FramePlace | null)[];
  /** Event words: frames. */
  array: number[];
  /** Last port of each queue, by processor and priority; 0: none. */
  tails: number[][];
  /** Where a port was queued last: processor * 16 + priority. */
  queued: [port: number, queue: number][];
  /** Pending, but without an event word yet. */
  early: number[];
}

const has = (word: number, bit: number): boolean => Math.floor(word / bit) % 2 === 1;

export class Fifo implements Delivery {
  private readonly control: (FramePlace | null)[];
  private readonly array: number[] = [];
  private readonly tails: number[][];
  private readonly queued = new Map<number, number>();
  private readonly early = new Set<number>();

  constructor(private readonly domain: XenDomain) {
    this.control = new Array<null>(domain.vcpus).fill(null);
    this.tails = this.control.map(() => new Array<number>(PRIORITIES).fill(0));
  }

  /** EVTCHNOP_init_control for one processor. */
  initControl(vcpu: number, mfn: number, offset: number): void {
    if (offset % 8 !== 0 || offset > PAGE_BYTES - BLOCK_BYTES)
      refuse('EINVAL', `a control block at offset ${offset} is not aligned to 8 or leaves its page`);
    if (this.control[vcpu]) refuse('EINVAL', `vcpu ${vcpu} has a control block already`);
    this.domain.getFrame(mfn, true);
    this.control[vcpu] = { mfn, offset };
  }

  /** EVTCHNOP_expand_array. `known`: the event of a port, if it has one. */
  expand(mfn: number, known: (port: number) => Delivered | undefined): void {
    if (this.array.length >= PAGES) refuse('ENOSPC', `the event array has all ${PAGES} pages`);
    this.domain.getFrame(mfn, true);
    this.array.push(mfn);
    for (const port of sorted(this.early)) {
      if (!this.wordOf(port)) continue;
      this.early.delete(port);
      const event = known(port);
      if (event) this.setPending(event);
    }
  }
  /** Gives the guest's pages back. */
  dissolve(): void {
    for (const control of this.control) if (control) this.domain.putFrame(control.mfn, true);
    for (const mfn of this.array) this.domain.putFrame(mfn, true);
    this.control.fill(null);
    this.array.length = 0;
  }

  isPending(port: number): boolean {
    const word = this.wordOf(port);
    return word ? has(word.value, WORD.PENDING) : this.early.has(port);
  }
  isMasked(port: number): boolean {
    const word = this.wordOf(port);
    return !word || has(word.value, WORD.MASKED);
  }
  setPending(event: Delivered): boolean {
    const word = this.wordOf(event.port);
    if (!word) {
      this.early.add(event.port);
      return false;
    }
    const was = has(word.value, WORD.PENDING);
    if (!was) word.value += WORD.PENDING;
    if (!has(word.value, WORD.MASKED) && !has(word.value, WORD.LINKED)) this.link(event, word);
    return !was;
  }
  clearPending({ port }: Delivered): void {
    const word = this.wordOf(port);
    this.early.delete(port);
    if (word && has(word.value, WORD.PENDING)) word.value -= WORD.PENDING;
  }
  unmask(event: Delivered): void {
    const word = this.wordOf(event.port);
    if (!word) return;
    if (has(word.value, WORD.MASKED)) word.value -= WORD.MASKED;
    if (has(word.value, WORD.PENDING)) this.setPending(event);
  }

  private link({ port, vcpu, priority }: Delivered, word: EventWord): void {
    const control = this.control[vcpu];
    if (!control) return;
    const before = this.queued.get(port);
    if (before !== undefined) {
      // The guest has taken it off: a queue that ended with it is empty now.
      const tails = this.tails[Math.floor(before / PRIORITIES)]!;
      if (tails[before % PRIORITIES] === port) tails[before % PRIORITIES] = 0;
    }
    this.queued.set(port, vcpu * PRIORITIES + priority);
    // The end of a queue links to nothing.
    word.value += WORD.LINKED - (word.value % LINKS);
    const tails = this.tails[vcpu]!;
    const appended = this.append(tails[priority]!, port);
    tails[priority] = port;
    if (appended) return;
    const page = new Page(this.domain.memory, control.mfn);
    page.setU32(control.offset + HEADS_AT + 4 * priority, port);
    if (!page.setBit(control.offset, priority, true)) markPending(this.domain, vcpu);
  }
  /** False: the queue is empty, or the guest has taken its tail off. */
  private append(tail: number, port: number): boolean {
    const word = tail === 0 ? undefined : this.wordOf(tail);
    if (!word) return false;
    const { value } = word;
    if (!has(value, WORD.LINKED)) return false;
    word.value = value - (has(value, WORD.BUSY) ? WORD.BUSY : 0) - (value % LINKS) + port;
    return true;
  }
  private wordOf(port: number): EventWord | undefined {
    const mfn = this.array[Math.floor(port / WORDS_A_PAGE)];
    return mfn === undefined ? undefined : new EventWord(new Page(this.domain.memory, mfn), (port % WORDS_A_PAGE) * 4);
  }

  save(): FifoSaved {
    return {
      control: this.control.map((place) => place && { ...place }),
      array: [...this.array],
      tails: this.tails.map((queue) => [...queue]),
      queued: [...this.queued].sort(([a], [b]) => a - b),
      early: sorted(this.early),
    };
  }
  /** The users of frames are restored with the frames. */
  restore(saved: FifoSaved): void {
    saved.control.forEach((place, vcpu) => (this.control[vcpu] = place && { ...place }));
    this.array.splice(0, this.array.length, ...saved.array);
    saved.tails.forEach((queue, vcpu) => (this.tails[vcpu] = [...queue]));
    this.queued.clear();
    for (const [port, queue] of saved.queued) this.queued.set(port, queue);
    this.early.clear();
    for (const port of saved.early) this.early.add(port);
  }
}

const sorted = (ports: Iterable<number>): number[] => [...ports].sort((a, b) => a - b);

/** In guest memory: read and written in place. */
class EventWord {
  constructor(
    private readonly page: Page,
    private readonly at: number,
  ) {}
  get value(): number {
    return this.page.u32(this.at);
  }
  set value(value: number) {
    this.page.setU32(this.at, value);
  }
}
