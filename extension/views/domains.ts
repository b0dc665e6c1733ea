/** The virtual machines of the session: state, memory, technique; pause, resume and destroy each. */
import * as vscode from 'vscode';
import type { CustomRequests, DomainEntry } from '../../debug-adapter/protocol';
import { DEBUG_TYPE, type Sessions } from '../sessions';

type Body = CustomRequests['ringside/domains']['body'];
/** `alone`: the session's one machine, which the editor's own buttons pause. */
export type Item =
  { kind: 'domain'; domain: DomainEntry; alone: boolean } | { kind: 'fact'; name: string; value: string };

const ICONS: Record<DomainEntry['state'], string> = {
  running: 'play',
  runnable: 'play-circle',
  blocked: 'watch',
  paused: 'debug-pause',
  dead: 'error',
};

/** Between two looks at domains that run. */
const PERIOD_MS = 1000;

export class DomainsView implements vscode.TreeDataProvider<Item> {
  static readonly id = 'ringside.domains';
  private readonly changed = new vscode.EventEmitter<void>();
  readonly onDidChangeTreeData = this.changed.event;

  private items: Item[] = [];
  /** Counts questions, and which was answered last: a later answer to an earlier one is nobody's. */
  private asked = 0;
  private shown = 0;

  constructor(private readonly sessions: Sessions) {}

  register(): vscode.Disposable {
    const view = vscode.window.createTreeView(DomainsView.id, { treeDataProvider: this });
    const look = (): void => {
      if (view.visible) this.refresh();
    };
    // Nobody tells when one halts or wakes: who looks asks, once he has been answered.
    const timer = setInterval(() => {
      if (this.sessions.state === 'running' && this.shown === this.asked) look();
    }, PERIOD_MS);
    return vscode.Disposable.from(
      view,
      { dispose: () => clearInterval(timer) },
      view.onDidChangeVisibility(look),
      this.sessions.onDidChange(look),
      vscode.debug.onDidReceiveDebugSessionCustomEvent(({ session, event }) => {
        if (session.type === DEBUG_TYPE && event === 'ringside/domains') look();
      }),
      ...(['pause', 'resume', 'destroy'] as const).map((action) =>
        vscode.commands.registerCommand(`ringside.${action}Domain`, (item: Item) => this.act(action, item)),
      ),
    );
  }

  /**
   * Asks first and has the tree drawn with the answer: between the two the editor knows no domain, and a click on a button
   * there would be on none.
   */
  private refresh(): void {
    const asked = ++this.asked;
    void this.domains().then((items) => {
      if (asked < this.shown) return;
      this.shown = asked;
      this.items = items;
      this.changed.fire();
    });
  }
  private async domains(): Promise<Item[]> {
    if (this.sessions.state === 'none') return [];
    try {
      const { domains, actions } = await this.sessions.request<Body>('ringside/domains', {});
      return domains.map((domain) => ({ kind: 'domain', domain, alone: !actions }));
    } catch {
      // Before the launch is through there is nothing to list.
      return [];
    }
  }

  getChildren(item?: Item): Item[] {
    if (!item) return this.items;
    return item.kind === 'domain' ? factsOf(item.domain) : [];
  }

  getTreeItem(item: Item): vscode.TreeItem {
    if (item.kind === 'fact') {
      const tree = new vscode.TreeItem(item.name);
      tree.description = item.value;
      return tree;
    }
    const { domain, alone } = item;
    const tree = new vscode.TreeItem(domain.name, vscode.TreeItemCollapsibleState.Collapsed);
    tree.id = `${domain.id}`;
    // What is not virtualised is not called "none".
    const technique = domain.technique === 'none' ? vscode.l10n.t('bare machine') : domain.technique;
    tree.description = `${technique}, ${stateOf(domain)}`;
    // The side bar is narrow.
    tree.tooltip = `${domain.name}: ${tree.description}`;
    tree.iconPath = new vscode.ThemeIcon(domain.stopped === undefined ? ICONS[domain.state] : 'debug-stackframe');
    tree.contextValue = alone ? 'machine' : `domain.${domain.state}`;
    return tree;
  }

  private async act(action: 'pause' | 'resume' | 'destroy', item: Item | undefined): Promise<void> {
    if (item?.kind !== 'domain') return;
    try {
      await this.sessions.request('ringside/domains', { action, domain: item.domain.name });
      this.refresh();
    } catch (error) {
      void vscode.window.showErrorMessage(error instanceof Error ? error.message : String(error));
    }
  }
}

/** While the session stands still nothing runs, whatever a domain's state is: that is what the user reads first. */
export function stateOf({ state, held, stopped }: Pick<DomainEntry, 'state' | 'held' | 'stopped'>): string {
  if (!held || state === 'dead') return state;
  const waits = state === 'blocked' || state === 'paused' ? state : undefined;
  if (stopped !== undefined) return [waits, vscode.l10n.t('stopped: {0}', stopped)].filter(Boolean).join(', ');
  return state === 'paused' ? state : vscode.l10n.t('held, {0}', waits ?? 'runnable');
}

/** What there is to say of a domain, in the order in which people ask. */
export function factsOf(domain: DomainEntry): Item[] {
  const { memory, frames, paging, instructions, weight, cap, vcpus, why, stopped } = domain;
  const facts: [string, string | undefined][] = [
    [vscode.l10n.t('why'), why],
    [vscode.l10n.t('stopped'), stopped],
    [vscode.l10n.t('memory'), `${memory / (1 << 20)} MiB`],
    [vscode.l10n.t('frames'), vscode.l10n.t('{0} of {1} reserved', number(frames.used), number(frames.reserved))],
    [vscode.l10n.t('paging'), paging],
    [vscode.l10n.t('instructions'), number(instructions)],
    [vscode.l10n.t('weight'), `${weight}`],
    [vscode.l10n.t('cap'), cap ? `${cap} %` : vscode.l10n.t('none')],
    ...vcpus.map(({ cpu, state }): [string, string] => [`CPU ${cpu}`, state]),
  ];
  return facts.flatMap(([name, value]): Item[] => (value === undefined ? [] : [{ kind: 'fact', name, value }]));
}

const number = (value: number): string => value.toLocaleString('en-US');
