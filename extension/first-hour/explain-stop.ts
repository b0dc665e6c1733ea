/** `Ringside: Explain This Stop`: what happened, why, where to look next, as a page with links; it follows the stops while it is open. */
import * as vscode from 'vscode';
import type { CustomRequests } from '../../debug-adapter/protocol';
import type { Sessions } from '../sessions';

type Explanation = CustomRequests['ringside/explainStop']['body'];
type View = NonNullable<Explanation['next'][number]['view']>;

const SCHEME = 'ringside-stop';

/** Where a piece of advice leads. */
const COMMANDS: Record<View, { title: () => string; command: string }> = {
  pageTables: { title: () => vscode.l10n.t('Open Page Tables'), command: 'ringside.pageTables.focus' },
  exits: { title: () => vscode.l10n.t('Open VM Exits'), command: 'ringside.exits.focus' },
  structures: { title: () => vscode.l10n.t('Open Structures'), command: 'ringside.structures.focus' },
  domains: { title: () => vscode.l10n.t('Open Domains'), command: 'ringside.domains.focus' },
  callStack: { title: () => vscode.l10n.t('Open Call Stack'), command: 'workbench.debug.callStackView.focus' },
  disassembly: { title: () => vscode.l10n.t('Open Disassembly'), command: 'debug.action.openDisassemblyView' },
};

export class StopExplanation implements vscode.TextDocumentContentProvider, vscode.CodeLensProvider {
  private readonly changed = new vscode.EventEmitter<vscode.Uri>();
  readonly onDidChange = this.changed.event;
  private readonly uri = vscode.Uri.from({ scheme: SCHEME, path: `/${vscode.l10n.t('This Stop')}.md` });
  private explanation: Explanation | undefined;

  constructor(private readonly sessions: Sessions) {}

  register(): vscode.Disposable {
    return vscode.Disposable.from(
      vscode.commands.registerCommand('ringside.explainStop', () => this.show()),
      vscode.workspace.registerTextDocumentContentProvider(SCHEME, this),
      vscode.languages.registerCodeLensProvider({ scheme: SCHEME }, this),
      this.sessions.onDidChange(() => this.changed.fire(this.uri)),
    );
  }

  async provideTextDocumentContent(): Promise<string> {
    if (this.sessions.state !== 'stopped') {
      this.explanation = undefined;
      return vscode.l10n.t('The guest is not at a standstill.');
    }
    this.explanation = await this.sessions.request<Explanation>('ringside/explainStop', {});
    return pageOf(this.explanation);
  }

  /** Above the lines of advice: what leads there. */
  provideCodeLenses(document: vscode.TextDocument): vscode.CodeLens[] {
    const { next = [], address } = this.explanation ?? {};
    const lineOf = (text: string): number => document.getText().split('\n').indexOf(text);
    const lens = (text: string, title: string, command: string, ...args: unknown[]): vscode.CodeLens[] => {
      const line = lineOf(text);
      return line < 0 ? [] : [new vscode.CodeLens(new vscode.Range(line, 0, line, 0), { title, command, arguments: args })];
    };
    return [
      ...(address ? lens(headings().what, vscode.l10n.t('Walk {0}', address), 'ringside.walkAddress', { address }) : []),
      ...next.flatMap(({ text, view }) => (view ? lens(item(text), COMMANDS[view].title(), COMMANDS[view].command) : [])),
    ];
  } // prettier-ignore

  private async show(): Promise<void> {
    if (this.sessions.state !== 'stopped') {
      void vscode.window.showInformationMessage(vscode.l10n.t('There is no stop to explain: the guest has to stand still. Pause it first.')); // prettier-ignore
      return;
    }
    this.changed.fire(this.uri);
    const document = await vscode.workspace.openTextDocument(this.uri);
    // The one that explained the last stop is still there, perhaps.
    const tab = vscode.window.tabGroups.all.find(({ tabs }) => tabs.some(({ input }) => input instanceof vscode.TabInputText && input.uri.toString() === this.uri.toString())); // prettier-ignore
    await vscode.window.showTextDocument(document, {
      viewColumn: tab?.viewColumn ?? vscode.ViewColumn.Beside,
      preview: true,
      preserveFocus: false,
    });
  }
}

const headings = (): Record<'what' | 'why' | 'next' | 'details' | 'manual', string> => ({
  what: `## ${vscode.l10n.t('What happened')}`,
  why: `## ${vscode.l10n.t('Why')}`,
  next: `## ${vscode.l10n.t('Where to look next')}`,
  details: `## ${vscode.l10n.t('Details')}`,
  manual: `## ${vscode.l10n.t('To read')}`,
});
const item = (text: string): string => `- ${text}`;

/** Markdown, readable as it is. */
export function pageOf({ title, what, why, details, next, manual }: Explanation): string {
  const heading = headings();
  const part = (head: string, ...lines: string[]): string[] => ['', head, '', ...lines];
  return [
    `# ${title}`,
    ...part(heading.what, what),
    ...(why ? part(heading.why, why) : []),
    ...(next.length > 0 ? part(heading.next, ...next.map(({ text }) => item(text))) : []),
    ...(details ? part(heading.details, '```', details, '```') : []),
    ...(manual ? part(heading.manual, manual) : []),
    '',
  ].join('\n');
}
