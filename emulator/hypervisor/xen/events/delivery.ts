/** How a pending port shows in guest memory: what the two ABIs of event channels (2-level, FIFO) both answer. */
import { Page } from '../page';
import type { XenDomain } from '../ports';

/** A port's part in its delivery. */
export interface Delivered {
  port: number;
  /** Notified. */
  vcpu: number;
  /** FIFO: 0 (first) to 15. */
  priority: number;
}

export interface Delivery {
  /** False: it was pending already. */
  setPending(event: Delivered): boolean;
  clearPending(event: Delivered): void;
  isPending(port: number): boolean;
  isMasked(port: number): boolean;
  unmask(event: Delivered): void;
}

/** xen.h, struct vcpu_info. */
export const UPCALL_PENDING = 0;
export const UPCALL_MASK = 1;

/** A processor's vcpu_info: its page, and where in it. */
export function infoOf(domain: XenDomain, vcpu: number): { page: Page; at: number } {
  const { mfn, offset } = domain.vcpuInfo(vcpu);
  return { page: new Page(domain.memory, mfn), at: offset };
}

export function markPending(domain: XenDomain, vcpu: number): void {
  const { page, at } = infoOf(domain, vcpu);
  if (page.u8(at + UPCALL_PENDING) !== 0) return;
  page.setU8(at + UPCALL_PENDING, 1);
  domain.kick(vcpu);
}
