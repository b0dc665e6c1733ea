/** Consoles of several domains in one stream of text: every line begins with the name of who wrote it. */
export class Interleaved {
  private writer?: string;
  private atStart = true;

  /** What to show for `text` of a domain. A line that another one interrupted goes on in a line of its own. */
  add(name: string, text: string): string {
    let out = '';
    if (this.writer !== name && !this.atStart) {
      out = '\n';
      this.atStart = true;
    }
    this.writer = name;
    for (const line of text.split(/(?<=\n)/)) {
      if (line === '') continue;
      out += this.atStart ? `[${name}] ${line}` : line;
      this.atStart = line.endsWith('\n');
    }
    return out;
  }
}
