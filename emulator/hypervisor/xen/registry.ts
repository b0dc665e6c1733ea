/** What the paravirtualised domains of a host share: the numbers under which they know each other, and a xenstore. */
import type { Host } from '../host';
import type { DomainParts } from './parts';
import { XenStore } from './store/store';

export class XenHost {
  readonly domains = new Map<number, DomainParts>();
  readonly store = new XenStore();
}

const hosts = new WeakMap<Host, XenHost>();
export function xenOf(host: Host): XenHost {
  let known = hosts.get(host);
  if (!known) hosts.set(host, (known = new XenHost()));
  return known;
}
