/** What page tables were when the client last looked at another stop, and lists of them at this one: kept only of what it asks for. */

/** Things that are compared at once; the one that was asked for longest ago goes. */
const MOST_KEPT = 64;
/** Of a million mappings a list has 26 MB. */
const MOST_MADE = 6;

export interface Earlier<T> {
  /** Absent: nothing was kept yet. */
  before?: T;
  /** Instruction count then. */
  since?: number;
}
interface Kept {
  /** At this stop, and at the one before it that was looked at. */
  stop: number;
  instructions: number;
  now: unknown;
  earlier: Earlier<unknown>;
}

export class TableChanges {
  private readonly kept = new Map<string, Kept>();

  /** `stop`: a number for each standstill; `instructions`: retired. */
  constructor(private readonly where: () => { stop: number; instructions: number }) {}

  /** Keeps what is there now, and says what was there at an earlier stop. */
  exchange<T>(key: string, now: T): Earlier<T> {
    const { stop, instructions } = this.where();
    const known = this.kept.get(key);
    this.kept.delete(key);
    const earlier = !known
      ? {}
      : known.stop === stop
        ? known.earlier
        : { before: known.now, since: known.instructions };
    this.kept.set(key, { stop, instructions, now, earlier });
    if (this.kept.size > MOST_KEPT) this.kept.delete(this.kept.keys().next().value!);
    return earlier as Earlier<T>;
  }
  clear(): void {
    this.kept.clear();
    this.edited();
  }

  private readonly made = new Map<string, { at: string; value: unknown }>();
  /** What is made anew when the machine has run, or the user has edited it. */
  once<T>(key: string, make: () => T): T {
    const { stop, instructions } = this.where();
    const at = `${stop} ${instructions}`;
    let known = this.made.get(key);
    if (known?.at !== at) this.made.set(key, (known = { at, value: make() }));
    if (this.made.size > MOST_MADE) this.made.delete(this.made.keys().next().value!);
    return known.value as T;
  }
  /** What was made is out of date. */
  edited(): void {
    this.made.clear();
  }
}
