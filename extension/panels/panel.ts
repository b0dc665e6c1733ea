/** A panel's half in the extension: opens the webview, relays its requests to the debug session, does for it what only the editor can. */
import * as vscode from 'vscode';
import type { Sessions } from '../sessions';
import { act } from './actions';
import type { HostMessage, News, ViewMessage } from './protocol';

export interface PanelSpec {
  /** Of the view. */
  id: string;
  /** Names the view's script and style in dist/views. */
  script: string;
  title: string;
  /** Those of parts and of libraries, before its own. */
  styles: readonly string[];
  /** Nobody sees it any more: what it asked the adapter to tell is not wanted. */
  onHidden?(): unknown;
}

export class Panel implements vscode.WebviewViewProvider {
  private view: vscode.WebviewView | undefined;
  private ready = false;
  /** Said before the view was there. */
  private waiting: News[] = [];

  constructor(
    private readonly extensionUri: vscode.Uri,
    private readonly sessions: Sessions,
    private readonly what: PanelSpec,
  ) {}

  /** Registers the view, and what moves it. */
  register(): vscode.Disposable {
    return vscode.Disposable.from(
      vscode.window.registerWebviewViewProvider(this.what.id, this),
      this.sessions.onDidChange(() => this.refresh()),
      vscode.debug.onDidChangeActiveStackItem(() => this.refresh()),
      vscode.debug.onDidReceiveDebugSessionCustomEvent(({ session, event, body }) => {
        if (session === this.sessions.active) this.post({ kind: 'event', event, body } as News);
      }),
    );
  }

  resolveWebviewView(view: vscode.WebviewView): void {
    this.view = view;
    this.ready = false;
    const scripts = vscode.Uri.joinPath(this.extensionUri, 'dist', 'views');
    view.webview.options = { enableScripts: true, localResourceRoots: [scripts] };
    view.webview.onDidReceiveMessage((message: ViewMessage) => void this.receive(message));
    // The editor takes the page of a view that is hidden away, and loads it anew.
    view.onDidChangeVisibility(() => (view.visible ? this.refresh() : this.hidden()));
    view.onDidDispose(() => {
      this.view = undefined;
      this.hidden();
    });
    view.webview.html = page(view.webview, scripts, this.what);
  }

  /** Brings the panel to the front and says this to it. */
  async tell(message: News): Promise<void> {
    if (!this.ready) this.waiting.push(message);
    await vscode.commands.executeCommand(`${this.what.id}.focus`);
    if (this.ready && !this.waiting.includes(message)) this.post(message);
  }

  private hidden(): void {
    this.ready = false;
    if (this.sessions.active) this.what.onHidden?.();
  }

  private refresh(): void {
    this.post({ kind: 'state', state: this.sessions.state });
  }

  private post(message: HostMessage): void {
    if (this.ready) void this.view?.webview.postMessage(message);
  }

  private async receive(message: ViewMessage): Promise<void> {
    switch (message.kind) {
      case 'ready': {
        this.ready = true;
        this.refresh();
        this.waiting.splice(0).forEach((said) => this.post(said));
        return;
      }
      case 'action':
        return act(message.action, this.sessions);
      case 'request': {
        const { id, command } = message;
        try {
          this.post({ kind: 'response', id, body: await this.sessions.request(command, message.arguments) });
        } catch (error) {
          this.post({ kind: 'failure', id, error: error instanceof Error ? error.message : String(error) });
        }
      }
    }
  }
}

function page(webview: vscode.Webview, scripts: vscode.Uri, { script, title, styles }: PanelSpec): string {
  const uri = (file: string): string => webview.asWebviewUri(vscode.Uri.joinPath(scripts, file)).toString();
  const nonce = crypto.randomUUID().replaceAll('-', '');
  const policy = `default-src 'none'; script-src 'nonce-${nonce}'; style-src ${webview.cspSource}; font-src ${webview.cspSource}`;
  return `<!DOCTYPE html>
<html lang="${vscode.env.language}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
${['panel', ...styles, script].map((name) => `<link rel="stylesheet" href="${uri(`${name}.css`)}">`).join('\n')}
<title>${title}</title>
</head>
<body><div id="root" data-strings="${attribute(JSON.stringify(vscode.l10n.bundle ?? {}))}"></div><script nonce="${nonce}" src="${uri(`${script}.js`)}"></script></body>
</html>`;
}

/** Within double quotes. */
const attribute = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('"', '&quot;');
