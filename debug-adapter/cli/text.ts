/** Text that people write in options and scripts, and the console's lines as people see them. */

const ESCAPES: Record<string, string> = { r: '\r', n: '\n', t: '\t', e: '\x1b', '\\': '\\' };

/** Escapes as in C: \r \n \t \e \\ \xNN. Any other backslash stays. */
export const unescape = (text: string): string =>
  text.replace(/\\(?:x([0-9a-fA-F]{2})|([rnte\\]))/g, (_, hex: string | undefined, letter: string) =>
    hex === undefined ? ESCAPES[letter]! : String.fromCharCode(parseInt(hex, 16)),
  );

/** Enough for any line that a person reads; without it a guest could make matching as slow as it likes. */
const LONGEST_LINE = 1024;

/**
 * The line that the guest is writing, without escape sequences. A sequence that moves the cursor ends the line as a line
 * break does: programs that paint the screen (memtest86+) write no others.
 */
export class ConsoleLine {
  private text = '';
  /** Inside an escape sequence: what has come of it. */
  private sequence?: string;

  get current(): string {
    return this.text;
  }

  /** One byte. True if the line has grown, so that it is worth looking at again. */
  add(byte: number): boolean {
    const char = String.fromCharCode(byte);
    if (this.sequence !== undefined) return this.inSequence(char);
    if (byte === 0x1b) this.sequence = '';
    else if (char === '\n' || char === '\r') this.clear();
    else if (char === '\b') this.text = this.text.slice(0, -1);
    else if (byte >= 0x20 || char === '\t') {
      this.text = (this.text + char).slice(-LONGEST_LINE);
      return true;
    }
    return false;
  }

  clear(): void {
    this.text = '';
  }

  /** ECMA-48 control sequences: ESC [ parameters, then a final byte 40h to 7Eh; other sequences are one byte long. */
  private inSequence(char: string): false {
    this.sequence += char;
    const csi = this.sequence!.startsWith('[');
    const final = csi ? this.sequence!.length > 1 && char >= '@' : true;
    if (!final || this.sequence === '[') return false;
    // m sets colours; what else ends a sequence moves the cursor or erases.
    if (csi && char !== 'm') this.clear();
    this.sequence = undefined;
    return false;
  }
}
