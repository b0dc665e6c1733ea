/**
 * Which domain runs next, and for how long: each gets the processor in proportion to its weight, and no more than its cap.
 *
 * Everything is counted in retired instructions. What a domain has had, divided by its weight, is its virtual time, and
 * whoever is furthest behind runs: so nobody who can run starves, and two who always can are never further apart than a
 * slice. Who could not run for a while starts beside those that did, without credit for what it had no use for. A cap limits
 * what a domain has of each period, also when nobody else wants the rest. A domain that halts gives its turn away and sleeps
 * for as long as its own time jumped. When nobody can run, host time jumps.
 *
 * All of it follows from what the domains did, so that a run is the same however it is cut into pieces. None of it is visible in
 * a domain, whose time is its own: the instructions that it has retired itself, and the idling that it skipped.
 */
import { assert } from '../util/assert';
import { NS_PER_INSTRUCTION } from '../util/time';

export interface Share {
  /** 1 to MAX_WEIGHT; only its proportion to the others' counts. */
  weight: number;
  /** Percent of the processor, 1 to 100; 0: no limit. */
  cap: number;
}
export const DEFAULT_WEIGHT = 256;
export const MAX_WEIGHT = 65_535;

/** Instructions of one turn: few enough that none waits long, enough that changing domains costs next to nothing. */
export const SLICE = 100_000;
/** Instructions after which what counts against caps begins anew. */
export const PERIOD = 3_000_000;

export interface Turn {
  id: number;
  /** Instructions. */
  left: number;
}

/** Plain data. */
interface Entry extends Share {
  id: number;
  /** Virtual time: `base`, and what it has had since, in instructions, over its weight. Sums of quotients would depend on the cuts. */
  base: number;
  had: number;
  /** Instructions of the period that began at `period`. */
  used: number;
  period: number;
  /** Host time until which it sleeps; Infinity: until it is woken. */
  until: number;
  paused: boolean;
  /** It could not run when somebody was last chosen. */
  away: boolean;
}

/** Plain data. */
export interface SchedulerSaved {
  time: number;
  floor: number;
  turn: Turn | undefined;
  entries: Entry[];
}

export class Scheduler {
  private entries: Entry[] = [];
  private turn?: Turn;
  /** Host time in instructions: those that all have retired together, and those for which there was time when nobody could run. */
  private time = 0;
  /** Virtual time of the last one chosen. Never decreases. */
  private floor = 0;

  get now(): number {
    return this.time;
  }

  add(id: number, { weight, cap }: Share): void {
    assert(!this.entries.some((each) => each.id === id), `domain ${id} is scheduled already`);
    const own = { base: this.floor, had: 0, used: 0, period: this.period(), until: 0, paused: false, away: false };
    this.entries.push({ id, weight, cap, ...own });
  }
  remove(id: number): void {
    this.entries = this.entries.filter((each) => each.id !== id);
    if (this.turn?.id === id) this.turn = undefined;
  }
  setShare(id: number, { weight, cap }: Share): void {
    const entry = this.entry(id);
    Object.assign(entry, { base: virtual(entry), had: 0, weight, cap });
    if (this.turn?.id === id) this.turn = undefined;
  }

  /** Whose turn it is, and how many instructions are left of it; undefined: nobody will run before somebody is woken. */
  next(): Turn | undefined {
    if (this.turn) return this.turn;
    const ready = this.ready();
    if (ready.length > 0) {
      const chosen = ready.reduce((best, each) => (virtual(each) < virtual(best) ? each : best));
      this.floor = virtual(chosen);
      return (this.turn = { id: chosen.id, left: Math.min(SLICE, this.allowance(chosen)) });
    }
    const wake = Math.min(...this.entries.map((each) => this.readyAt(each)));
    if (wake === Infinity) return undefined;
    this.time = wake;
    return this.next();
  }
  private ready(): Entry[] {
    return this.entries.filter((entry) => {
      const can = this.readyAt(entry) <= this.time;
      if (can && entry.away) Object.assign(entry, { base: Math.max(virtual(entry), this.floor), had: 0 });
      entry.away = !can;
      return can;
    });
  }
  private readyAt(entry: Entry): number {
    if (entry.paused) return Infinity;
    return Math.max(entry.until, this.allowance(entry) > 0 ? 0 : this.period() + PERIOD);
  }
  /** Instructions that its cap leaves it in this period. */
  private allowance(entry: Entry): number {
    if (entry.cap === 0) return Infinity;
    const used = entry.period === this.period() ? entry.used : 0;
    return Math.floor((PERIOD * entry.cap) / 100) - used;
  }
  private period(): number {
    return this.time - (this.time % PERIOD);
  }

  /** Whose turn it is has retired so many instructions, then perhaps has halted and skipped so much of its own time. */
  spend(instructions: number, idleNs: number): void {
    const { turn } = this;
    assert(turn && instructions <= turn.left, 'a domain ran longer than its turn');
    const entry = this.entry(turn.id);
    const period = this.period();
    if (entry.period !== period) Object.assign(entry, { period, used: 0 });
    entry.used += instructions;
    entry.had += instructions;
    this.time += instructions;
    turn.left -= instructions;
    if (idleNs > 0) entry.until = this.time + Math.ceil(idleNs / NS_PER_INSTRUCTION);
    if (idleNs > 0 || turn.left === 0) this.turn = undefined;
  }
  /** Nothing but input from outside gives it something to do. */
  sleep(id: number): void {
    this.entry(id).until = Infinity;
    if (this.turn?.id === id) this.turn = undefined;
  }
  /** Something came from outside. */
  wake(id: number): void {
    const entry = this.entry(id);
    entry.until = Math.min(entry.until, this.time);
  }
  pause(id: number, paused: boolean): void {
    this.entry(id).paused = paused;
    if (paused && this.turn?.id === id) this.turn = undefined;
  }

  stateOf(id: number): 'running' | 'runnable' | 'blocked' | 'paused' {
    const entry = this.entry(id);
    if (entry.paused) return 'paused';
    if (this.turn?.id === id) return 'running';
    return entry.until > this.time ? 'blocked' : 'runnable';
  }
  /** It has had its cap, and waits for the next period. */
  isCapped(id: number): boolean {
    return this.allowance(this.entry(id)) <= 0;
  }
  /** Instructions of host time; Infinity: until it is woken. */
  sleepsFor(id: number): number {
    return Math.max(0, this.entry(id).until - this.time);
  }
  private entry(id: number): Entry {
    const found = this.entries.find((each) => each.id === id);
    assert(found, `domain ${id} is not scheduled`);
    return found;
  }

  save(): SchedulerSaved {
    const { time, floor, turn, entries } = this;
    return structuredClone({ time, floor, turn, entries });
  }
  restore(saved: SchedulerSaved): void {
    Object.assign(this, structuredClone(saved));
  }
}

const virtual = ({ base, had, weight }: Entry): number => base + had / weight;
