/** The nodes of xenstore: values with permissions, and the rules for changing them. Transactions see it through an overlay. */
import { fail } from './errors';
import { childOf, nameOf, parentOf } from './paths';
import { allows } from './permissions';
import type { Permissions } from './permissions';

export interface Node {
  /** Bytes as characters below 256. */
  value: string;
  permissions: Permissions;
  /** Names, in the order in which they were made. */
  children: readonly string[];
  /** When the node itself changed last; unique. */
  generation: number;
}

/** Nodes by path: the tree itself or a transaction's view of it. Nodes are replaced, never changed. */
export interface Nodes {
  get(path: string): Node | undefined;
  /** The generation is the view's to set. */
  set(path: string, node: Omit<Node, 'generation'>): void;
  delete(path: string): void;
}
/** A change that watchers hear of. */
export interface Change {
  path: string;
  /** A node that went with its ancestor: heard of only where it is watched itself. */
  exact: boolean;
}

export const MAX_VALUE_BYTES = 2048;
const MAX_PERMISSIONS = 5;
const MAX_NODES = 1000;

/** What a domain does with nodes; StoreError: why it may not. */
export class Editor {
  constructor(
    private readonly nodes: Nodes,
    private readonly domid: number,
    /** Nodes that each domain owns. */
    private readonly owned: (domid: number) => number,
  ) {}

  read(path: string): Node {
    const node = this.nodes.get(path);
    // Who may not read must not learn what is there.
    if (!node) fail(this.mayRead(path) ? 'ENOENT' : 'EACCES', `there is no ${path}`);
    if (!allows(node.permissions, this.domid, 'read')) fail('EACCES', `domain ${this.domid} may not read ${path}`);
    return node;
  }
  /** The node, or where it is not there the nearest ancestor, may be read: what watchers may hear. */
  mayRead(path: string): boolean {
    const node = this.nodes.get(path);
    if (node) return allows(node.permissions, this.domid, 'read');
    return path !== '/' && this.mayRead(parentOf(path));
  }
  write(path: string, value: string): Change[] {
    if (value.length > MAX_VALUE_BYTES && this.domid !== 0) fail('ENOSPC', `a value of ${value.length} bytes`);
    const node = this.nodes.get(path);
    if (node) {
      this.checkWrite(path, node);
      this.nodes.set(path, { ...node, value });
    } else this.create(path, value);
    return [{ path, exact: false }];
  }
  makeDirectory(path: string): Change[] {
    const node = this.nodes.get(path);
    if (node) {
      this.checkWrite(path, node);
      return [];
    }
    this.create(path, '');
    return [{ path, exact: false }];
  }
  remove(path: string): Change[] {
    if (path === '/') fail('EINVAL', 'the root stays');
    const parent = this.nodes.get(parentOf(path));
    const node = this.nodes.get(path);
    if (!node) {
      if (!parent) fail('ENOENT', `there is no ${parentOf(path)}`);
      return [];
    }
    this.checkWrite(path, node);
    const changes: Change[] = [];
    this.removeTree(path, node, changes);
    this.nodes.set(parentOf(path), { ...parent!, children: parent!.children.filter((name) => name !== nameOf(path)) });
    return changes;
  }
  setPermissions(path: string, permissions: Permissions): Change[] {
    const node = this.read(path);
    const owner = node.permissions[0]!.domid;
    if (permissions.length === 0 || permissions.length > MAX_PERMISSIONS) fail('EINVAL', `${permissions.length} permissions; 1 to ${MAX_PERMISSIONS}`); // prettier-ignore
    if (this.domid !== 0 && owner !== this.domid) fail('EACCES', `${path} is owned by domain ${owner}`);
    if (this.domid !== 0 && permissions[0]!.domid !== owner) fail('EPERM', `${path} is given to domain ${permissions[0]!.domid}`); // prettier-ignore
    this.nodes.set(path, { ...node, permissions });
    return [{ path, exact: false }];
  }

  private checkWrite(path: string, node: Node): void {
    if (!allows(node.permissions, this.domid, 'write')) fail('EACCES', `domain ${this.domid} may not write ${path}`);
  }
  /** With the ancestors that are missing: they have their parent's permissions, and whoever makes a node owns it. */
  private create(path: string, value: string): void {
    const missing = [path];
    let above = parentOf(path);
    let parent = this.nodes.get(above);
    for (; !parent; parent = this.nodes.get(above)) {
      missing.push(above);
      above = parentOf(above);
    }
    this.checkWrite(above, parent);
    if (this.domid !== 0 && this.owned(this.domid) + missing.length > MAX_NODES) fail('ENOSPC', `domain ${this.domid} owns ${MAX_NODES} nodes`); // prettier-ignore
    const [owner, ...others] = parent.permissions;
    const permissions = this.domid === 0 ? parent.permissions : [{ ...owner!, domid: this.domid }, ...others];
    for (const one of missing.reverse()) {
      const into = this.nodes.get(above)!;
      this.nodes.set(above, { ...into, children: [...into.children, nameOf(one)] });
      this.nodes.set(one, { value: one === path ? value : '', permissions, children: [] });
      above = one;
    }
  }
  private removeTree(path: string, node: Node, changes: Change[]): void {
    changes.push({ path, exact: changes.length > 0 });
    for (const name of node.children) {
      const child = childOf(path, name);
      this.removeTree(child, this.nodes.get(child)!, changes);
    }
    this.nodes.delete(path);
  }
}

/** The tree itself. */
export class Tree implements Nodes {
  private readonly byPath = new Map<string, Node>();
  private readonly counts = new Map<number, number>();
  private generation = 0;

  constructor() {
    this.reset();
  }
  reset(): void {
    this.byPath.clear();
    this.counts.clear();
    this.generation = 0;
    this.set('/', { value: '', permissions: [{ domid: 0, read: true, write: false }], children: [] });
  }
  get(path: string): Node | undefined {
    return this.byPath.get(path);
  }
  set(path: string, node: Omit<Node, 'generation'>): void {
    this.forget(path);
    this.byPath.set(path, { ...node, generation: ++this.generation });
    this.count(node.permissions[0]!.domid, 1);
  }
  delete(path: string): void {
    this.forget(path);
    this.byPath.delete(path);
  }
  owned(domid: number): number {
    return this.counts.get(domid) ?? 0;
  }
  private forget(path: string): void {
    const old = this.byPath.get(path);
    if (old) this.count(old.permissions[0]!.domid, -1);
  }
  private count(domid: number, change: number): void {
    this.counts.set(domid, this.owned(domid) + change);
  }
  /** All nodes, parents first. */
  *all(path = '/'): Generator<[path: string, node: Node]> {
    const node = this.byPath.get(path)!;
    yield [path, node];
    for (const name of node.children) yield* this.all(childOf(path, name));
  }
  save(): { nodes: [string, Node][]; generation: number } {
    return { nodes: [...this.all()], generation: this.generation };
  }
  restore({ nodes, generation }: ReturnType<Tree['save']>): void {
    this.reset();
    this.delete('/');
    for (const [path, node] of nodes) {
      this.byPath.set(path, node);
      this.count(node.permissions[0]!.domid, 1);
    }
    this.generation = generation;
  }
}

/** What a transaction sees: the tree with its own changes over it, and what it looked at. */
export class Overlay implements Nodes {
  /** Null: deleted. */
  private readonly changed = new Map<string, Node | null>();
  /** Generations as they were first seen; 0: not there. */
  private readonly seen = new Map<string, number>();

  constructor(private readonly tree: Tree) {}

  get(path: string): Node | undefined {
    const changed = this.changed.get(path);
    if (changed !== undefined) return changed ?? undefined;
    const node = this.tree.get(path);
    if (!this.seen.has(path)) this.seen.set(path, node?.generation ?? 0);
    return node;
  }
  set(path: string, node: Omit<Node, 'generation'>): void {
    this.get(path);
    this.changed.set(path, { ...node, generation: 0 });
  }
  delete(path: string): void {
    this.get(path);
    this.changed.set(path, null);
  }
  /** Bounds what a guest can make us remember. */
  get size(): number {
    return this.seen.size + this.changed.size;
  }
  /** How many nodes more (or fewer) the domain owns here than in the tree. */
  ownedMore(domid: number): number {
    let more = 0;
    for (const [path, node] of this.changed) {
      if (node?.permissions[0]!.domid === domid) more++;
      if (this.tree.get(path)?.permissions[0]!.domid === domid) more--;
    }
    return more;
  }
  /** False: something that it looked at has changed since; nothing is done. */
  commit(): boolean {
    for (const [path, generation] of this.seen) if ((this.tree.get(path)?.generation ?? 0) !== generation) return false;
    for (const [path, node] of this.changed)
      if (node) this.tree.set(path, node);
      else if (this.tree.get(path)) this.tree.delete(path);
    return true;
  }
  save(): { changed: [string, Node | null][]; seen: [string, number][] } {
    return { changed: [...this.changed], seen: [...this.seen] };
  }
  restore(saved: ReturnType<Overlay['save']>): void {
    for (const [path, node] of saved.changed) this.changed.set(path, node);
    for (const [path, generation] of saved.seen) this.seen.set(path, generation);
  }
}
