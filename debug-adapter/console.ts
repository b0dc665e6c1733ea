/** The guest's serial console: one consumer at a time, so that nothing is shown twice. */

/** Kept for a terminal that attaches late. */
const KEPT_CHARACTERS = 256 * 1024;

export class GuestConsole {
  private decoder = new TextDecoder('utf-8');
  private pending: Uint8Array[] = [];
  private history = '';
  /** A terminal listens: `ringside/console` events instead of `output` events. */
  attached = false;

  constructor(private readonly emit: (text: string, attached: boolean) => void) {}

  readonly receive = (bytes: Uint8Array): void => {
    this.pending.push(bytes.slice());
  };

  /** Called between slices: one event for many bytes. */
  flush(): void {
    if (this.pending.length === 0) return;
    const text = this.pending.map((bytes) => this.decoder.decode(bytes, { stream: true })).join('');
    this.pending = [];
    if (text === '') return;
    this.history = (this.history + text).slice(-KEPT_CHARACTERS);
    this.emit(text, this.attached);
  }

  /** What has been sent so far, for a terminal that begins now. */
  text(): string {
    this.flush();
    return this.history;
  }
}
