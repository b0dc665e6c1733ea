/** The guest's first serial port as a terminal of the editor. */
import * as vscode from 'vscode';
import type { CustomEvents, CustomRequests } from '../debug-adapter/protocol';

/** What a terminal needs of a debug session. */
type Session = Pick<vscode.DebugSession, 'id' | 'name' | 'customRequest'>;

/**
 * One serial port. Outlives the session, so that the guest's last words stay readable, and serves the next session of
 * the same name.
 */
class SerialTerminal implements vscode.Pseudoterminal {
  private readonly written = new vscode.EventEmitter<string>();
  readonly onDidWrite = this.written.event;
  /** Undefined once the guest is gone. */
  private session: Session | undefined;
  private isOpen = false;
  /** Came before the editor opened the terminal. */
  private early = '';
  private afterReturn = false;

  constructor(private readonly onClosed: () => void) {}

  get idle(): boolean {
    return this.session === undefined;
  }

  async attach(session: Session): Promise<void> {
    this.session = session;
    // Erase the former guest's screen and what has scrolled off it, then home.
    this.show('\x1b[2J\x1b[3J\x1b[H');
    const { text } = await this.request('ringside/console', { attach: true });
    this.show(text);
  }

  detach(): void {
    this.session = undefined;
    this.show(`\r\n\x1b[2m${vscode.l10n.t('The guest has ended.')}\x1b[0m\r\n`);
  }

  /** Guests that send bare line feeds, as to a teletype driver, still start each line at the left. */
  show(text: string): void {
    const lines = text.replace(/\n/g, (_, at: number) =>
      (at === 0 ? this.afterReturn : text[at - 1] === '\r') ? '\n' : '\r\n',
    );
    if (text !== '') this.afterReturn = text.endsWith('\r');
    if (this.isOpen) this.written.fire(lines);
    else this.early += lines;
  }

  open(): void {
    this.isOpen = true;
    this.written.fire(this.early);
    this.early = '';
  }

  close(): void {
    void this.request('ringside/console', { attach: false });
    this.session = undefined;
    this.onClosed();
  }

  handleInput(text: string): void {
    void this.request('ringside/consoleInput', { text });
  }

  /** A session that ends meanwhile answers nothing; that is no news to the user. */
  private async request<C extends 'ringside/console' | 'ringside/consoleInput'>(
    command: C,
    args: CustomRequests[C]['arguments'],
  ): Promise<{ text: string }> {
    const session = this.session;
    try {
      return (await session?.customRequest(command, args)) ?? { text: '' };
    } catch (error) {
      if (this.session !== undefined) this.show(`\r\n${error instanceof Error ? error.message : String(error)}\r\n`);
      return { text: '' };
    }
  }
}

export class SerialTerminals {
  private readonly bySession = new Map<string, SerialTerminal>();
  private readonly byName = new Map<string, { pty: SerialTerminal; terminal: vscode.Terminal }>();

  async open(session: Session): Promise<void> {
    const name = vscode.l10n.t('Serial: {0}', session.name);
    const there = this.byName.get(name);
    const reuse = there?.pty.idle ? there : this.create(name);
    this.bySession.set(session.id, reuse.pty);
    reuse.terminal.show(true);
    await reuse.pty.attach(session);
  }

  ended(session: Pick<Session, 'id'>): void {
    this.bySession.get(session.id)?.detach();
    this.bySession.delete(session.id);
  }

  receive(event: vscode.DebugSessionCustomEvent): void {
    if (event.event !== 'ringside/console') return;
    this.bySession.get(event.session.id)?.show((event.body as CustomEvents['ringside/console']).text);
  }

  dispose(): void {
    for (const { terminal } of this.byName.values()) terminal.dispose();
  }

  private create(name: string): { pty: SerialTerminal; terminal: vscode.Terminal } {
    const pty: SerialTerminal = new SerialTerminal(() => {
      if (this.byName.get(name)?.pty === pty) this.byName.delete(name);
      for (const [id, other] of this.bySession) if (other === pty) this.bySession.delete(id);
    });
    const made = { pty, terminal: vscode.window.createTerminal({ name, pty, iconPath: new vscode.ThemeIcon('plug') }) };
    this.byName.set(name, made);
    return made;
  }
}
