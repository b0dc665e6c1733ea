/**
 * Event channels as bit fields in shared_info: a pending and a mask bit for each port, and for each processor a selector
 * of the words to look at. xen.h, struct shared_info.
 */
import { Page } from '../page';
import type { XenDomain } from '../ports';
import { infoOf, markPending } from './delivery';
import type { Delivered, Delivery } from './delivery';

/** After 32 vcpu_info of 64 bytes. */
const PENDING_AT = 32 * 64;

export class TwoLevel implements Delivery {
  constructor(private readonly domain: XenDomain) {}

  /** As many bits in as many words as a word has bits. */
  get ports(): number {
    return (this.domain.word * 8) ** 2;
  }
  private get page(): Page {
    return new Page(this.domain.memory, this.domain.sharedInfo);
  }
  private get maskAt(): number {
    return PENDING_AT + this.ports / 8;
  }

  isPending(port: number): boolean {
    return this.page.bit(PENDING_AT, port);
  }
  isMasked(port: number): boolean {
    return this.page.bit(this.maskAt, port);
  }
  setPending({ port, vcpu }: Delivered): boolean {
    if (this.page.setBit(PENDING_AT, port, true)) return false;
    if (!this.isMasked(port)) this.select(port, vcpu);
    return true;
  }
  clearPending({ port }: Delivered): void {
    this.page.setBit(PENDING_AT, port, false);
  }
  unmask({ port, vcpu }: Delivered): void {
    if (this.page.setBit(this.maskAt, port, false) && this.isPending(port)) this.select(port, vcpu);
  }

  private select(port: number, vcpu: number): void {
    const { page, at } = infoOf(this.domain, vcpu);
    // The selector is the second word of vcpu_info.
    const { word } = this.domain;
    if (!page.setBit(at + word, Math.floor(port / (word * 8)), true)) markPending(this.domain, vcpu);
  }
}
