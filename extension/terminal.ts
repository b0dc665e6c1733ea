/** The guest's first serial port as a terminal of the editor. */
import * as vscode from 'vscode';
import type { CustomEvents, CustomRequests } from '../debug-adapter/protocol';

/** What a terminal needs of a debug session. */
type Session = Pick<vscode.DebugSession, 'id' | 'name' | 'customRequest' | 'configuration'>;

const CLEARED = '\x1b[2J\x1b[3J\x1b[H';
const dim = (text: string): string => `\x1b[2m${text}\x1b[0m`;

/** By what is said of it: its file is the adapter's to read. */
const isLinux = ({ kernel, append, technique }: vscode.DebugConfiguration): boolean =>
  technique !== 'paravirtual' &&
  (/(^|[\\/])(vmlinu|bzImage)[^\\/]*$/.test(String(kernel)) || /\bconsole=/.test(String(append)));

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
  private silent = true;
  /** Instead of what the guest has not said yet there is a note. */
  private noted = false;

  constructor(private readonly onClosed: () => void) {}

  get idle(): boolean {
    return this.session === undefined;
  }

  async attach(session: Session): Promise<void> {
    this.session = session;
    // Erase the former guest's screen and what has scrolled off it, then home.
    this.show(CLEARED);
    this.silent = true;
    const { text } = await this.request('ringside/console', { attach: true });
    this.says(text);
    if (this.silent) this.note(session);
  }

  /** Kernels that unpack themselves are silent for half a minute: what is waited for, and where else to look. */
  private note({ configuration }: Session): void {
    const lines = [vscode.l10n.t('The guest has not written to its console yet.')];
    if (isLinux(configuration))
      lines.push(
        vscode.l10n.t('A Linux kernel unpacks itself first: Debian’s in 4.5 thousand million instructions, which the status bar counts.'),
        vscode.l10n.t('Then it writes here, with "console=ttyS0" in "append".'),
      );
    else if (configuration.technique !== 'paravirtual')
      lines.push(vscode.l10n.t('What it sends to its first serial port (0x3f8) is shown here.'));
    if (configuration.technique !== 'paravirtual')
      lines.push(vscode.l10n.t('Who writes to the screen instead is seen in the view Guest Screen.'));
    this.show(dim(lines.join('\n')));
    this.noted = true;
  } // prettier-ignore

  /** Of the guest. */
  says(text: string): void {
    if (text === '') return;
    this.silent = false;
    if (this.noted) this.show(CLEARED);
    this.noted = false;
    this.show(text);
  }

  detach(): void {
    this.session = undefined;
    this.noted = false;
    this.show(`\r\n${dim(vscode.l10n.t('The guest has ended.'))}\r\n`);
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

interface Shown {
  pty: SerialTerminal;
  terminal: vscode.Terminal;
}

export class SerialTerminals {
  private readonly bySession = new Map<string, Shown>();
  private readonly byName = new Map<string, Shown>();

  /** Brings the session's terminal to the front; one that was closed comes back with all that was said. */
  async open(session: Session): Promise<void> {
    const shown = this.bySession.get(session.id);
    if (shown) return shown.terminal.show();
    const name = vscode.l10n.t('Serial: {0}', session.name);
    const there = this.byName.get(name);
    const reuse = there?.pty.idle ? there : this.create(name);
    this.bySession.set(session.id, reuse);
    reuse.terminal.show(true);
    await reuse.pty.attach(session);
  }

  ended(session: Pick<Session, 'id'>): void {
    this.bySession.get(session.id)?.pty.detach();
    this.bySession.delete(session.id);
  }

  receive(event: vscode.DebugSessionCustomEvent): void {
    if (event.event !== 'ringside/console') return;
    this.bySession.get(event.session.id)?.pty.says((event.body as CustomEvents['ringside/console']).text);
  }

  dispose(): void {
    for (const { terminal } of this.byName.values()) terminal.dispose();
  }

  private create(name: string): Shown {
    const pty: SerialTerminal = new SerialTerminal(() => {
      if (this.byName.get(name)?.pty === pty) this.byName.delete(name);
      for (const [id, other] of this.bySession) if (other.pty === pty) this.bySession.delete(id);
    });
    const made = { pty, terminal: vscode.window.createTerminal({ name, pty, iconPath: new vscode.ThemeIcon('plug') }) };
    this.byName.set(name, made);
    return made;
  }
}
