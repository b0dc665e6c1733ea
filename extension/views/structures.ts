/** Control blocks, descriptor tables, registers and devices as a tree in the debug side bar, decoded to the bit. */
import * as vscode from 'vscode';
import type { CustomRequests } from '../../debug-adapter/protocol';
import type { Sessions } from '../sessions';

type Body = CustomRequests['ringside/structures']['body'];
type Node = Body['nodes'][number];
type Bit = NonNullable<Node['bits']>[number];

/** A node of the tree: a structure, a field, or some bits of it. */
export type Item = { kind: 'node'; path: string; node: Node } | { kind: 'bit'; path: string; bit: Bit };

export class StructuresView implements vscode.TreeDataProvider<Item> {
  static readonly id = 'ringside.structures';
  private readonly changed = new vscode.EventEmitter<void>();
  readonly onDidChangeTreeData = this.changed.event;
  /** By path: what was shown at the stop before, to mark what has changed since. */
  private before = new Map<string, string>();
  private now = new Map<string, string>();

  constructor(private readonly sessions: Sessions) {}

  register(): vscode.Disposable {
    const view = vscode.window.createTreeView(StructuresView.id, { treeDataProvider: this, showCollapseAll: true });
    return vscode.Disposable.from(
      view,
      this.sessions.onDidChange((state) => {
        if (state === 'stopped' && view.visible) this.refresh();
        if (state === 'none') this.forget();
        view.message = state === 'running' ? vscode.l10n.t('The guest is running. Pause it to see more.') : undefined;
      }),
      view.onDidChangeVisibility(({ visible }) => visible && this.refresh()),
      vscode.debug.onDidChangeActiveStackItem(() => view.visible && this.refresh()),
      vscode.commands.registerCommand('ringside.editStructure', (item: Item) => this.edit(item)),
      vscode.commands.registerCommand('ringside.copyStructure', (item: Item) =>
        vscode.env.clipboard.writeText(textOf(item).join('\n')),
      ),
    );
  }

  async getChildren(item?: Item): Promise<Item[]> {
    if (item?.kind === 'bit') return [];
    if (item) return childrenOf(item);
    if (this.sessions.state !== 'stopped') return [];
    const { nodes } = await this.sessions.request<Body>('ringside/structures', {});
    return nodes.map((node) => ({ kind: 'node', path: node.name, node }));
  }

  getTreeItem(item: Item): vscode.TreeItem {
    const tree = new vscode.TreeItem(labelOf(item));
    tree.id = item.path;
    tree.collapsibleState =
      item.kind === 'node' && childrenOf(item).length > 0
        ? vscode.TreeItemCollapsibleState.Collapsed
        : vscode.TreeItemCollapsibleState.None;
    const description = descriptionOf(item);
    tree.description = this.changedSince(item) ? `${description} ●` : description;
    tree.tooltip = [...textOf(item, 1), ...(this.changedSince(item) ? [vscode.l10n.t('Changed since the last stop')] : [])].join('\n'); // prettier-ignore
    // What a tooltip says at length is too much to be read aloud at each row.
    tree.accessibilityInformation = { label: `${labelOf(item)}: ${tree.description}` };
    tree.contextValue = item.kind === 'node' && item.node.editable ? 'editable' : item.kind;
    return tree;
  }

  private refresh(): void {
    this.before = this.now;
    this.now = new Map();
    this.changed.fire();
  }
  private forget(): void {
    this.before = new Map();
    this.now = new Map();
    this.changed.fire();
  }

  private changedSince(item: Item): boolean {
    const description = descriptionOf(item);
    this.now.set(item.path, description);
    const before = this.before.get(item.path);
    return before !== undefined && before !== description;
  }

  private async edit(item: Item): Promise<void> {
    if (item.kind !== 'node' || item.node.editable === undefined) return;
    const { name, value = '', editable } = item.node;
    const wanted = await vscode.window.showInputBox({ title: name, value, prompt: vscode.l10n.t('New value') });
    if (wanted === undefined) return;
    try {
      await this.sessions.request('setExpression', { expression: editable, value: wanted });
      this.refresh();
    } catch (error) {
      void vscode.window.showErrorMessage(error instanceof Error ? error.message : String(error));
    }
  }
}

const childrenOf = ({ path, node }: Extract<Item, { kind: 'node' }>): Item[] => [
  ...(node.bits ?? []).map((bit): Item => ({ kind: 'bit', path: `${path}/${bit.name}`, bit })),
  // Two fields may have one name.
  ...(node.children ?? []).map((child, n): Item => ({ kind: 'node', path: `${path}/${n}.${child.name}`, node: child })),
];

const labelOf = (item: Item): string => (item.kind === 'node' ? item.node.name : item.bit.name);

export function descriptionOf(item: Item): string {
  if (item.kind === 'node') return [item.node.value, item.node.text].filter((part) => part !== undefined).join('  ');
  const { bit, width, value, text } = item.bit;
  const place = width === 1 ? `bit ${bit}` : `bits ${bit + width - 1}:${bit}`;
  const shown = width === 1 ? '' : `0x${value.toString(16)} `;
  return `${shown}${text === undefined ? '' : `${text} `}(${place})`;
}

/** For the clipboard and for tooltips: indented, to a depth. */
export function textOf(item: Item, depth = Infinity, indent = ''): string[] {
  const line = `${indent}${labelOf(item)}: ${descriptionOf(item)}`;
  if (item.kind === 'bit' || depth === 0) return [line];
  return [line, ...childrenOf(item).flatMap((child) => textOf(child, depth - 1, `${indent}  `))];
}
