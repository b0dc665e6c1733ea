/** Xenstore of a host: one tree for all domains, kept by Ringside. What back ends do there they do as domain 0. */
import type { XenStoreConnection } from './connection';
import { Client, viewOf } from './client';
import type { StoreView } from './client';
import { homeOf } from './paths';
import type { Permissions } from './permissions';
import { Editor, Tree } from './tree';
import type { Change } from './tree';
import { concerns } from './watches';

type Listener = (path: string) => void;

export class XenStore {
  readonly tree = new Tree();
  private readonly connections = new Map<number, XenStoreConnection>();
  private readonly listeners: { path: string; listener: Listener }[] = [];

  /** A domain is there. */
  introduce(domid: number, connection: XenStoreConnection): void {
    this.connections.set(domid, connection);
    this.changed([{ path: '@introduceDomain', exact: true }]);
  }
  /** The domain is gone, and what it had. */
  release(domid: number): void {
    this.connections.delete(domid);
    this.remove(homeOf(domid));
    this.changed([{ path: '@releaseDomain', exact: true }]);
  }
  introduced(domid: number): boolean {
    return domid === 0 || this.connections.has(domid);
  }
  client(domid: number, send: (payload: string) => void): Client {
    return new Client(domid, this, send);
  }

  // --- as domain 0
  private get editor(): Editor {
    return new Editor(this.tree, 0, () => 0);
  }
  /** Undefined: no such node. */
  read(path: string): string | undefined {
    return this.tree.get(path)?.value;
  }
  write(path: string, value: string, permissions?: Permissions): void {
    const changes = this.editor.write(path, value);
    if (permissions) this.editor.setPermissions(path, permissions);
    this.changed(changes);
  }
  remove(path: string): void {
    if (this.tree.get(path)) this.changed(this.editor.remove(path));
  }
  /** Names below; none where there is no such node. */
  children(path: string): readonly string[] {
    return this.tree.get(path)?.children ?? [];
  }
  /** Wiring, no state: whoever listens looks at the tree again after a restore. Returns how to stop. */
  listen(path: string, listener: Listener): () => void {
    const entry = { path, listener };
    this.listeners.push(entry);
    return () => void this.listeners.splice(this.listeners.indexOf(entry), 1);
  }

  changed(changes: readonly Change[]): void {
    for (const change of changes) {
      for (const { path, listener } of [...this.listeners]) if (concerns(path, change)) listener(change.path);
      for (const [, connection] of [...this.connections].sort(([a], [b]) => a - b)) connection.hear(change);
    }
  }

  inspect(): StoreView {
    return viewOf(this.tree);
  }
  save(): ReturnType<Tree['save']> {
    return this.tree.save();
  }
  restore(saved: ReturnType<Tree['save']>): void {
    this.tree.restore(saved);
  }
}
