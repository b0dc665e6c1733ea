/**
 * Which changes of type a domain's frames went through in this run, and what made them: for people, never state. Always kept, in a
 * ring that costs a few stores a change; of a frame all those that the ring still holds are found by a chain.
 */
import type { PageType } from './typed-pages';

export interface TypeChange {
  from: PageType;
  to: PageType;
  /** The hypercall, or the step of the domain's builder. */
  by: string;
  /** Instructions that the domain had retired. */
  at: number;
}

const KEPT = 1 << 16;
const NONE = -1;

export class TypeHistory {
  /** What is being done for the domain now. */
  doing = 'the hypervisor';
  private readonly names: string[] = [];
  private readonly numbers = new Map<string, number>();
  private ring?: { mfn: Int32Array; types: Uint8Array; by: Uint16Array; at: Float64Array; before: Float64Array };
  /** Number of the frame's last change. */
  private readonly last = new Map<number, number>();
  private next = 0;

  constructor(private readonly now: () => number) {}

  /** `act` is done in the name of this. */
  during<T>(doing: string, act: () => T): T {
    const before = this.doing;
    this.doing = doing;
    try {
      return act();
    } finally {
      this.doing = before;
    }
  }

  note(mfn: number, from: PageType, to: PageType): void {
    const ring = (this.ring ??= {
      mfn: new Int32Array(KEPT).fill(NONE),
      types: new Uint8Array(KEPT),
      by: new Uint16Array(KEPT),
      at: new Float64Array(KEPT),
      before: new Float64Array(KEPT),
    });
    const place = this.next % KEPT;
    // Whose change is overwritten and has no later one has none that is kept.
    const lost = ring.mfn[place];
    if (lost !== NONE && this.last.get(lost) === this.next - KEPT) this.last.delete(lost);
    ring.mfn[place] = mfn;
    ring.types[place] = (from << 4) | to;
    ring.by[place] = this.numberOf(this.doing);
    ring.at[place] = this.now();
    ring.before[place] = this.last.get(mfn) ?? NONE;
    this.last.set(mfn, this.next++);
  }
  private numberOf(name: string): number {
    let number = this.numbers.get(name);
    if (number === undefined) this.numbers.set(name, (number = this.names.push(name) - 1));
    return number;
  }

  /** The last ones, at most `limit`, oldest first. */
  of(mfn: number, limit: number): TypeChange[] {
    const { ring } = this;
    const out: TypeChange[] = [];
    if (!ring) return out;
    const oldest = this.next - KEPT;
    for (let number = this.last.get(mfn) ?? NONE; number >= Math.max(0, oldest) && out.length < limit;) {
      const place = number % KEPT;
      const types = ring.types[place];
      out.push({ from: (types >> 4) as PageType, to: (types & 15) as PageType, by: this.names[ring.by[place]], at: ring.at[place] });
      number = ring.before[place];
    }
    return out.reverse();
  } // prettier-ignore
}
