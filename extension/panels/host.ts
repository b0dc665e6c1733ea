/** The page-table panel's half in the extension: opens the webview and relays requests to the debug session. */
import * as vscode from 'vscode';
import type { GuestState, HostMessage, ViewMessage } from './protocol';

const TYPE = 'ringside';

export class PageTablePanel implements vscode.WebviewViewProvider, vscode.DebugAdapterTrackerFactory {
  static readonly viewId = 'ringside.pageTables';
  private view: vscode.WebviewView | undefined;
  private viewReady = false;
  /** Asked for before the view was there. */
  private pendingWalk: string | undefined;
  private readonly stopped = new Set<string>();

  constructor(private readonly extensionUri: vscode.Uri) {}

  resolveWebviewView(view: vscode.WebviewView): void {
    this.view = view;
    this.viewReady = false;
    const scripts = vscode.Uri.joinPath(this.extensionUri, 'dist', 'views');
    view.webview.options = { enableScripts: true, localResourceRoots: [scripts] };
    view.webview.onDidReceiveMessage((message: ViewMessage) => void this.receive(message));
    view.onDidChangeVisibility(() => view.visible && this.refresh());
    view.onDidDispose(() => {
      this.view = undefined;
    });
    view.webview.html = page(view.webview, scripts, 'page-table', vscode.l10n.t('Page tables'));
  }

  /** Watches the adapter's events for stops: the editor has none of its own for them. */
  createDebugAdapterTracker(session: vscode.DebugSession): vscode.DebugAdapterTracker {
    return {
      onDidSendMessage: (message: { type?: string; event?: string; body?: { areas?: string[] } }) => {
        if (message.type !== 'event') return;
        if (message.event === 'stopped') this.stopped.add(session.id);
        else if (message.event === 'continued' || message.event === 'terminated') this.stopped.delete(session.id);
        // An edit by the user can change tables too.
        else if (message.event !== 'invalidated' && message.event !== 'memory') return;
        if (session.id === vscode.debug.activeDebugSession?.id) this.refresh();
      },
      onWillReceiveMessage: (message: { type?: string; command?: string }) => {
        if (!RESUMES.has(message.command ?? '')) return;
        this.stopped.delete(session.id);
        this.refresh();
      },
      onWillStopSession: () => {
        this.stopped.delete(session.id);
        this.refresh();
      },
    };
  }

  refresh(): void {
    this.post({ kind: 'state', state: this.state });
  }

  /** `ringside.walkAddress`: of a variable from its context menu, or of what the user types. */
  async walk(clicked: unknown): Promise<void> {
    const address = addressOf(clicked) ?? (await this.askForAddress());
    if (address === undefined) return;
    this.pendingWalk = address;
    await vscode.commands.executeCommand(`${PageTablePanel.viewId}.focus`);
    this.deliverWalk();
  }

  private get state(): GuestState {
    const session = vscode.debug.activeDebugSession;
    if (session?.type !== TYPE) return 'none';
    return this.stopped.has(session.id) ? 'stopped' : 'running';
  }

  private post(message: HostMessage): void {
    if (this.viewReady) void this.view?.webview.postMessage(message);
  }

  private deliverWalk(): void {
    if (!this.viewReady || this.pendingWalk === undefined) return;
    this.post({ kind: 'walk', address: this.pendingWalk });
    this.pendingWalk = undefined;
  }

  private async receive(message: ViewMessage): Promise<void> {
    if (message.kind === 'ready') {
      this.viewReady = true;
      this.refresh();
      return this.deliverWalk();
    }
    const { id, command } = message;
    try {
      const session = vscode.debug.activeDebugSession;
      if (session?.type !== TYPE) throw new Error(vscode.l10n.t('No guest is being debugged.'));
      const body = await session.customRequest(command, { ...frame(), ...message.arguments });
      this.post({ kind: 'response', id, body });
    } catch (error) {
      this.post({ kind: 'failure', id, error: error instanceof Error ? error.message : String(error) });
    }
  }

  private async askForAddress(): Promise<string | undefined> {
    return vscode.window.showInputBox({
      prompt: vscode.l10n.t('Address to walk through the page tables'),
      placeHolder: 'gv:0xffff800000000000, $rip, &variable',
    });
  }
}

const RESUMES = new Set(['continue', 'next', 'stepIn', 'stepOut', 'goto', 'restart', 'reverseContinue', 'stepBack']);

/** The frame and the processor that the user looks at. */
function frame(): { frameId?: number; cpu?: number } {
  const item = vscode.debug.activeStackItem;
  if (item === undefined) return {};
  // One thread a processor, counted from 1.
  return { cpu: item.threadId - 1, ...('frameId' in item ? { frameId: item.frameId } : {}) };
}

/** What the variables view hands to a command. */
function addressOf(clicked: unknown): string | undefined {
  const { variable } = (clicked ?? {}) as {
    variable?: { value?: string; evaluateName?: string; memoryReference?: string };
  };
  return variable?.memoryReference ?? variable?.evaluateName ?? variable?.value;
}

function page(webview: vscode.Webview, scripts: vscode.Uri, name: string, title: string): string {
  const uri = (file: string): string => webview.asWebviewUri(vscode.Uri.joinPath(scripts, file)).toString();
  const nonce = crypto.randomUUID().replaceAll('-', '');
  const policy = `default-src 'none'; script-src 'nonce-${nonce}'; style-src ${webview.cspSource}; font-src ${webview.cspSource}`;
  return `<!DOCTYPE html>
<html lang="${vscode.env.language}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="${uri(`${name}.css`)}">
<title>${title}</title>
</head>
<body><div id="root"></div><script nonce="${nonce}" src="${uri(`${name}.js`)}"></script></body>
</html>`;
}
