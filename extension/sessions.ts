/** Which debug sessions of ours there are and whether their guests stand still: the editor tells extensions of neither. */
import * as vscode from 'vscode';
import type { GuestState } from './panels/protocol';

export const DEBUG_TYPE = 'ringside';

const RESUMES = new Set([
  'continue', 'next', 'stepIn', 'stepOut', 'goto', 'restart', 'reverseContinue', 'stepBack', 'ringside/stepTranslated',
]); // prettier-ignore

/** Watches the messages between editor and adapter. */
export class Sessions implements vscode.DebugAdapterTrackerFactory {
  private readonly stopped = new Set<string>();
  private readonly changed = new vscode.EventEmitter<GuestState>();
  /** The active session, its state, or what its guest consists of is another; also when the user edits while it stands. */
  readonly onDidChange = this.changed.event;
  private readonly launched = new vscode.EventEmitter<vscode.DebugSession>();
  /**
   * The adapter has taken the launch: the editor tells of a session that is refused, too. And the editor is done with its own part of the
   * start, in which it brings the debug console to the front.
   */
  readonly onDidLaunch = this.launched.event;
  private readonly subscription = vscode.debug.onDidChangeActiveDebugSession(() => this.tell());

  /** The active session, if it is one of ours. */
  get active(): vscode.DebugSession | undefined {
    const session = vscode.debug.activeDebugSession;
    return session?.type === DEBUG_TYPE ? session : undefined;
  }

  get state(): GuestState {
    const { active } = this;
    return active === undefined ? 'none' : this.stopped.has(active.id) ? 'stopped' : 'running';
  }

  createDebugAdapterTracker(session: vscode.DebugSession): vscode.DebugAdapterTracker {
    return {
      onDidSendMessage: (message: { type?: string; event?: string; command?: string; success?: boolean }) => {
        if (message.command === 'configurationDone' && message.success) this.launched.fire(session);
        if (message.type !== 'event') return;
        if (message.event === 'stopped') this.stopped.add(session.id);
        else if (message.event === 'continued' || message.event === 'terminated') this.stopped.delete(session.id);
        else if (message.event !== 'invalidated' && message.event !== 'memory') return;
        if (session.id === this.active?.id) this.tell();
      },
      onWillReceiveMessage: (message: { command?: string }) => {
        if (RESUMES.has(message.command ?? '')) this.runs(session);
      },
      onWillStopSession: () => this.runs(session),
    };
  }

  /**
   * Asks the active session about the frame that the user looks at. Error: there is no session, or what the adapter says.
   * The arguments' own frame or processor comes first.
   */
  async request<Body>(command: string, args: object): Promise<Body> {
    const { active } = this;
    if (active === undefined) throw new Error(vscode.l10n.t('No guest is being debugged.'));
    return (await active.customRequest(command, { ...focus(), ...args })) as Body;
  }

  dispose(): void {
    this.subscription.dispose();
    this.changed.dispose();
    this.launched.dispose();
  }

  private runs(session: vscode.DebugSession): void {
    this.stopped.delete(session.id);
    this.tell();
  }

  private tell(): void {
    this.changed.fire(this.state);
  }
}

/** The frame and the processor that the user looks at. */
function focus(): { frameId?: number; cpu?: number } {
  const item = vscode.debug.activeStackItem;
  if (item === undefined) return {};
  // One thread a processor, counted from 1.
  return { cpu: item.threadId - 1, ...('frameId' in item ? { frameId: item.frameId } : {}) };
}
