/** Exits counted and told about while a client wants it. Unused, it asks nothing of anybody. */
import type { Machine } from '../emulator/machine/api';
import type { CustomEvents } from './protocol';

type Rates = CustomEvents['ringside/exits'];
/** At most five events a second: with what a slice of the run takes, at least four. */
const INTERVAL_MS = 200;
const NS_PER_MS = 1e6;

export class ExitWatch {
  counting = false;
  subscribed = false;
  private told: { total: number; counts: Map<string, number>; ms: number } = { total: 0, counts: new Map(), ms: 0 };

  constructor(
    private machine: Machine,
    private readonly tell: (rates: Rates) => void,
  ) {}

  /** Another machine: what was wanted of the former is wanted of it. */
  attach(machine: Machine): void {
    this.machine = machine;
    if (this.counting) this.start();
    if (this.subscribed) this.begin();
  }
  count(on: boolean): void {
    if (on === this.counting) return;
    this.counting = on;
    if (on) this.start();
    else this.machine.virtualization?.exits.stopProfile();
  }
  private start(): void {
    const { machine } = this;
    machine.virtualization?.exits.startProfile(machine.instructions, () => performance.now() * NS_PER_MS);
  }
  subscribe(on: boolean): void {
    this.subscribed = on;
    if (on) this.begin();
  }
  private begin(): void {
    const exits = this.machine.virtualization?.exits;
    this.told = { total: exits?.total ?? 0, counts: this.now(), ms: performance.now() };
  }
  private now(): Map<string, number> {
    const counts = this.machine.virtualization?.exits.counts ?? new Map<string, { count: number }>();
    return new Map([...counts].map(([reason, { count }]) => [reason, count]));
  }

  /** After a slice of the run, and `standing` at a stop. */
  sliced(standing = false): void {
    if (!this.subscribed) return;
    const ms = performance.now();
    if (!standing && ms - this.told.ms < INTERVAL_MS) return;
    const exits = this.machine.virtualization?.exits;
    if (!exits) return;
    const counts = this.now();
    const reasons: Record<string, number> = {};
    for (const [reason, count] of counts) {
      const more = count - (this.told.counts.get(reason) ?? 0);
      if (more > 0) reasons[reason] = more;
    }
    const milliseconds = ms - this.told.ms;
    this.told = { total: exits.total, counts, ms };
    this.tell({ instructions: this.machine.instructions, total: exits.total, milliseconds, reasons });
  }
}
