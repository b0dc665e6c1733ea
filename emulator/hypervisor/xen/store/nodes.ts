/** Parts of xenstore as plain data: a domain's state holds its own and nothing of others. */
import { childOf } from './paths';
import type { Permissions } from './permissions';
import type { XenStore } from './store';

/** Parents first. */
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
