/** What a guest can make us say, and make us remember to have said: each thing once, and not more than somebody would read. */

const MOST = 1000;

export class SaidOnce {
  private readonly said = new Set<string>();

  constructor(private readonly tell: (what: string) => void) {}

  say(what: string): void {
    const { said } = this;
    if (said.size > MOST || said.has(what)) return;
    said.add(what);
    this.tell(said.size > MOST ? `more than ${MOST} different things: those that follow are not told` : what);
  }
}
