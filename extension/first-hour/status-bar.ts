/** The status bar: technique, mode, ring and instructions of the guest; at each stop, and once a second while it runs. */
import * as vscode from 'vscode';
import type { CustomRequests } from '../../debug-adapter/protocol';
import type { Sessions } from '../sessions';

type Status = CustomRequests['ringside/status']['body'];

const EVERY_MS = 1000;

export class StatusBar implements vscode.Disposable {
  private readonly item = vscode.window.createStatusBarItem('ringside.status', vscode.StatusBarAlignment.Left, 40);
  private timer: ReturnType<typeof setInterval> | undefined;
  private asking = false;
  private readonly subscriptions: vscode.Disposable;

  constructor(private readonly sessions: Sessions) {
    this.item.name = vscode.l10n.t('Ringside: the guest');
    this.subscriptions = vscode.Disposable.from(
      sessions.onDidChange(() => this.changed()),
      vscode.debug.onDidChangeActiveStackItem(() => this.changed()),
    );
  }

  dispose(): void {
    clearInterval(this.timer);
    this.item.dispose();
    this.subscriptions.dispose();
  }

  private changed(): void {
    const { state } = this.sessions;
    clearInterval(this.timer);
    this.timer = undefined;
    if (state === 'none') return this.item.hide();
    if (state === 'running') this.timer = setInterval(() => void this.ask(), EVERY_MS);
    void this.ask();
  }

  /** One question at a time: an adapter that is busy answers late. */
  private async ask(): Promise<void> {
    if (this.asking) return;
    this.asking = true;
    try {
      const status = await this.sessions.request<Status>('ringside/status', {});
      if (this.sessions.state !== 'none') this.show(status);
    } catch {
      // The launch is not through, or the session is ending.
      this.item.hide();
    } finally {
      this.asking = false;
    }
  }

  private show(status: Status): void {
    this.item.text = `$(vm) ${textOf(status)}`;
    this.item.tooltip = tooltipOf(status);
    this.item.accessibilityInformation = { label: `Ringside: ${textOf(status)}`, role: 'button' };
    // Only a guest at a standstill has a stop to explain.
    this.item.command = status.running ? undefined : 'ringside.explainStop';
    this.item.show();
  }
}

const count = (value: number): string => value.toLocaleString(vscode.env.language);

export function textOf({ technique, mode, ring, instructions, running, cpu, cpus, domain }: Status): string {
  const what = technique === 'none' ? vscode.l10n.t('bare machine') : technique;
  const parts = [
    ...(domain === undefined ? [] : [domain]),
    what,
    ...(cpus > 1 ? [`CPU ${cpu}`] : []),
    // While it runs both change faster than anybody reads.
    ...(running ? [vscode.l10n.t('running')] : [mode, vscode.l10n.t('ring {0}', ring)]),
    vscode.l10n.t('{0} instructions', count(instructions)),
  ];
  return parts.join(' · ');
}

function tooltipOf({ technique, paging, running }: Status): string {
  const lines = [
    technique === 'none'
      ? vscode.l10n.t('The guest runs on the bare emulated machine.')
      : vscode.l10n.t('The guest runs under the technique {0}, with {1} page tables.', technique, paging),
    vscode.l10n.t('Instructions are those that have retired since power-on: the machine’s time.'),
    ...(running ? [] : [vscode.l10n.t('Click to have the stop explained.')]),
  ];
  return lines.join('\n');
}
