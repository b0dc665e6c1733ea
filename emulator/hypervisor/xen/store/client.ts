/** A domain's dealings with xenstore: its watches and transactions, and the answer to each of its requests. */
import { fail } from './errors';
import { absolute, childOf, homeOf, watchable } from './paths';
import { formatPermission, parsePermission } from './permissions';
import { Editor, Overlay } from './tree';
import type { Change, Node, Nodes, Tree } from './tree';
import { Watches } from './watches';
import type { Watch } from './watches';
import { PAYLOAD_MAX, XS } from './wire';

const MAX_TRANSACTIONS = 10;
/** Nodes that a transaction may look at and change. */
const MAX_OVERLAY = 2000;

/** What a client may ask of the store around it. */
export interface StoreHost {
  readonly tree: Tree;
  /** Tells all watchers. */
  changed(changes: readonly Change[]): void;
  /** A domain has a connection. */
  introduced(domid: number): boolean;
}

interface Transaction {
  overlay: Overlay;
  /** Heard of when it ends well. */
  changes: Change[];
}

export interface ClientSaved {
  watches: Watch[];
  transactions: [number, { overlay: ReturnType<Overlay['save']>; changes: Change[] }][];
  nextTransaction: number;
}

type Handler = (client: Client, words: readonly string[], context: { id: number; payload: string }) => string;

export class Client {
  readonly watches: Watches;
  private readonly transactions = new Map<number, Transaction>();
  private nextTransaction = 1;

  constructor(
    readonly domid: number,
    private readonly host: StoreHost,
    /** A watch event is on its way to the domain. */
    private readonly send: (payload: string) => void,
  ) {
    this.watches = new Watches(domid);
  }

  /** `send` gets the payload of the answer; a first watch event follows it. StoreError: refused. */
  answer(type: number, id: number, payload: string, send: (payload: string) => void): void {
    const handler = HANDLERS.get(type) ?? fail('ENOSYS', `there is no request ${type}`);
    send(handler(this, strings(payload), { id, payload }));
    // Everybody hears once how things are.
    if (type === XS.WATCH) this.send(this.watches.event(this.watches.all.at(-1)!));
  }
  /** The tree changed. */
  hear(change: Change): void {
    for (const watch of this.watches.hearing(change))
      if (change.path.startsWith('@') || this.editor(0).mayRead(change.path)) this.send(this.watches.event(watch, change.path)); // prettier-ignore
  }
  editor(id: number): Editor {
    const { tree } = this.host;
    const overlay = this.overlay(id);
    const nodes: Nodes = overlay ?? tree;
    return new Editor(nodes, this.domid, (domid) => tree.owned(domid) + (overlay?.ownedMore(domid) ?? 0));
  }
  private overlay(id: number): Overlay | undefined {
    if (id === 0) return undefined;
    const { overlay } = this.transactions.get(id) ?? fail('ENOENT', `there is no transaction ${id}`);
    if (overlay.size > MAX_OVERLAY) fail('ENOSPC', `transaction ${id} concerns too many nodes`);
    return overlay;
  }
  path(text: string | undefined): string {
    return absolute(this.domid, text ?? fail('EINVAL', 'a path is missing'));
  }
  /** Now, or when the transaction ends. */
  note(id: number, changes: readonly Change[]): string {
    if (id === 0) this.host.changed(changes);
    else this.transactions.get(id)!.changes.push(...changes);
    return 'OK\0';
  }

  watch(path: string, token: string): string {
    const watch = { path: watchable(this.domid, path), token, relative: !path.startsWith('/') && !path.startsWith('@') }; // prettier-ignore
    this.watches.add(watch);
    return 'OK\0';
  }
  startTransaction(): string {
    if (this.transactions.size >= MAX_TRANSACTIONS && this.domid !== 0) fail('ENOSPC', `domain ${this.domid} has ${MAX_TRANSACTIONS} transactions`); // prettier-ignore
    const id = this.nextTransaction;
    this.nextTransaction = (id % 0x7fff_ffff) + 1;
    this.transactions.set(id, { overlay: new Overlay(this.host.tree), changes: [] });
    return `${id}\0`;
  }
  endTransaction(id: number, commit: string | undefined): string {
    const transaction = this.transactions.get(id) ?? fail('ENOENT', `there is no transaction ${id}`);
    if (commit !== 'T' && commit !== 'F') fail('EINVAL', 'a transaction ends with T or F');
    this.transactions.delete(id);
    if (commit === 'F') return 'OK\0';
    if (!transaction.overlay.commit()) fail('EAGAIN', `what transaction ${id} saw has changed`);
    this.host.changed(transaction.changes);
    return 'OK\0';
  }
  introduced(domid: number): boolean {
    return this.host.introduced(domid);
  }
  reset(): string {
    this.watches.clear();
    this.transactions.clear();
    return 'OK\0';
  }

  save(): ClientSaved {
    const transactions = [...this.transactions].map(([id, { overlay, changes }]) => [id, { overlay: overlay.save(), changes: [...changes] }] as ClientSaved['transactions'][number]); // prettier-ignore
    return { watches: [...this.watches.all], transactions, nextTransaction: this.nextTransaction };
  }
  restore(saved: ClientSaved): void {
    this.watches.restore(saved.watches);
    this.nextTransaction = saved.nextTransaction;
    this.transactions.clear();
    for (const [id, { overlay, changes }] of saved.transactions) {
      const restored = new Overlay(this.host.tree);
      restored.restore(overlay);
      this.transactions.set(id, { overlay: restored, changes: [...changes] });
    }
  }
}

/** Strings that end in zeros; a last one without is one too. */
function strings(payload: string): string[] {
  const parts = payload.split('\0');
  if (parts.at(-1) === '') parts.pop();
  return parts;
}

const list = (words: readonly string[]): string => words.map((word) => `${word}\0`).join('');

function directory(client: Client, words: readonly string[], { id }: { id: number }): string {
  const names = list(client.editor(id).read(client.path(words[0])).children);
  return names.length <= PAYLOAD_MAX ? names : fail('E2BIG', `the names below ${words[0]} need several messages`);
}
/** From an offset on; the generation tells whether parts belong together, and an empty name ends the last. */
function directoryPart(client: Client, words: readonly string[], { id }: { id: number }): string {
  const node: Node = client.editor(id).read(client.path(words[0]));
  const offset = Number(words[1] ?? Number.NaN);
  const names = list(node.children);
  if (!(offset >= 0 && offset <= names.length)) fail('EINVAL', `there is no offset ${words[1]} below ${words[0]}`);
  const head = `${node.generation}\0`;
  const part = names.slice(offset, offset + PAYLOAD_MAX - head.length - 1);
  return head + part + (offset + part.length === names.length ? '\0' : '');
}
function write(client: Client, _words: readonly string[], { id, payload }: { id: number; payload: string }): string {
  const end = payload.indexOf('\0');
  if (end < 0) fail('EINVAL', 'the path does not end');
  // The value is all the rest, zeros and all.
  return client.note(id, client.editor(id).write(client.path(payload.slice(0, end)), payload.slice(end + 1)));
}
function domainPath(_client: Client, words: readonly string[]): string {
  return `${homeOf(domainNumber(words[0]))}\0`;
}
function domainNumber(text: string | undefined): number {
  if (!/^\d{1,5}$/.test(text ?? '')) fail('EINVAL', `${JSON.stringify(text ?? '')} is not a domain`);
  return Number(text);
}
const toolstackOnly: Handler = (client) => fail('EACCES', `domain ${client.domid} is not the toolstack`);

const HANDLERS = new Map<number, Handler>([
  [XS.CONTROL, toolstackOnly],
  [XS.DIRECTORY, directory],
  [XS.DIRECTORY_PART, directoryPart],
  [XS.READ, (client, words, { id }) => client.editor(id).read(client.path(words[0])).value],
  [XS.WRITE, write],
  [XS.MKDIR, (client, words, { id }) => client.note(id, client.editor(id).makeDirectory(client.path(words[0])))],
  [XS.RM, (client, words, { id }) => client.note(id, client.editor(id).remove(client.path(words[0])))],
  [XS.GET_PERMS, (client, words, { id }) => list(client.editor(id).read(client.path(words[0])).permissions.map(formatPermission))],
  [XS.SET_PERMS, (client, words, { id }) => client.note(id, client.editor(id).setPermissions(client.path(words[0]), words.slice(1).map(parsePermission)))],
  [XS.WATCH, (client, words) => client.watch(words[0] ?? '', words[1] ?? fail('EINVAL', 'a token is missing'))],
  [XS.UNWATCH, (client, words) => { client.watches.remove(watchable(client.domid, words[0] ?? ''), words[1] ?? ''); return 'OK\0'; }],
  [XS.RESET_WATCHES, (client) => client.reset()],
  [XS.TRANSACTION_START, (client) => client.startTransaction()],
  [XS.TRANSACTION_END, (client, words, { id }) => client.endTransaction(id, words[0])],
  [XS.GET_DOMAIN_PATH, domainPath],
  [XS.IS_DOMAIN_INTRODUCED, (client, words) => (client.introduced(domainNumber(words[0])) ? 'T\0' : 'F\0')],
  [XS.INTRODUCE, toolstackOnly],
  [XS.RELEASE, toolstackOnly],
  [XS.RESUME, toolstackOnly],
  [XS.SET_TARGET, toolstackOnly],
]); // prettier-ignore

/** Of a tree, for people: children by name. */
export interface StoreView {
  value: string;
  permissions: string;
  children: Record<string, StoreView>;
}
export function viewOf(tree: Tree, path = '/'): StoreView {
  const { value, permissions, children } = tree.get(path)!;
  const below = children.map((name) => [name, viewOf(tree, childOf(path, name))] as const);
  return { value, permissions: permissions.map(formatPermission).join(' '), children: Object.fromEntries(below) };
}
