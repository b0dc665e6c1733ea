/** What the paravirtualised domains of a host share: the numbers under which they know each other, and a xenstore. */
import type { Host } from '../host';
import type { DomainParts } from './parts';
import { childOf } from './store/paths';
import type { Permissions } from './store/permissions';
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

/** A part of the store as plain data, parents first: a domain's state holds its own and nothing of others. */
export type SavedNodes = [path: string, value: string, permissions: Permissions][];

export function saveNodes(store: XenStore, path: string): SavedNodes {
  const node = store.tree.get(path);
  if (!node) return [];
  const below = node.children.flatMap((name) => saveNodes(store, childOf(path, name)));
  return [[path, node.value, node.permissions], ...below];
}
export function restoreNodes(store: XenStore, path: string, nodes: SavedNodes): void {
  store.remove(path);
  for (const [at, value, permissions] of nodes) store.write(at, value, permissions);
}
