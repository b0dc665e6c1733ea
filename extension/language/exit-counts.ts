/** How often each line of assembly has left the guest in this run: above the line, and in its hover. */
import * as vscode from 'vscode';
import type { BaseLanguageClient } from 'vscode-languageclient';
import type { CustomRequests } from '../../debug-adapter/protocol';
import type { Sessions } from '../sessions';
import { countText, lineText } from './count-text';
import { SENSITIVE_LINES } from './protocol';
import type { SensitiveLine } from './protocol';

type Line = CustomRequests['ringside/exitLines']['body']['lines'][number];

export class ExitCounts implements vscode.CodeLensProvider, vscode.HoverProvider {
  private readonly changed = new vscode.EventEmitter<void>();
  readonly onDidChangeCodeLenses = this.changed.event;
  /** By document; asked for anew when the guest has run. */
  private readonly known = new Map<string, Promise<Line[]>>();
  private readonly subscription: vscode.Disposable;

  constructor(
    private readonly sessions: Sessions,
    private readonly client: BaseLanguageClient,
  ) {
    let last: string | undefined;
    this.subscription = sessions.onDidChange((state) => {
      // A new session is asked at once, so that it counts from its beginning.
      if (state === 'running' && sessions.active?.id === last) return;
      last = sessions.active?.id;
      this.known.clear();
      this.changed.fire();
    });
  }

  register(languages: readonly string[]): vscode.Disposable[] {
    return [
      vscode.languages.registerCodeLensProvider([...languages], this),
      vscode.languages.registerHoverProvider([...languages], this),
    ];
  }

  dispose(): void {
    this.subscription.dispose();
    this.changed.dispose();
  }

  async provideCodeLenses(document: vscode.TextDocument): Promise<vscode.CodeLens[]> {
    const lines = await this.linesOf(document);
    return lines.map((line) => {
      const at = new vscode.Range(line.line - 1, 0, line.line - 1, 0);
      return new vscode.CodeLens(at, { title: countText(line), command: '' });
    });
  }

  /** Beside the language server's own: what this line has cost in this run, and what it would have cost. */
  async provideHover(document: vscode.TextDocument, position: vscode.Position): Promise<vscode.Hover | undefined> {
    if (this.sessions.active === undefined) return undefined;
    const [lines, sensitive] = await Promise.all([
      this.linesOf(document),
      this.client.sendRequest<SensitiveLine[]>(SENSITIVE_LINES, { uri: document.uri.toString() }),
    ]);
    const counted = lines.find(({ line }) => line === position.line + 1);
    const nature = sensitive.find(({ line }) => line === position.line);
    const text = lineText(counted, nature);
    return text === undefined ? undefined : new vscode.Hover(text);
  }

  private linesOf(document: vscode.TextDocument): Promise<Line[]> {
    const { active, state } = this.sessions;
    if (active === undefined || state === 'none') return Promise.resolve([]);
    const key = document.uri.toString();
    const known = this.known.get(key) ?? this.ask(document.uri);
    this.known.set(key, known);
    return known;
  }

  /** A session that ends meanwhile, or whose program is built from other sources, has nothing to say here. */
  private async ask(uri: vscode.Uri): Promise<Line[]> {
    const path = uri.scheme === 'file' ? uri.fsPath : uri.toString(true);
    try {
      const args: CustomRequests['ringside/exitLines']['arguments'] = { source: { path }, count: true };
      return (await this.sessions.request<{ lines: Line[] }>('ringside/exitLines', args)).lines;
    } catch {
      return [];
    }
  }
}
