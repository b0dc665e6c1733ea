/**
 * Several domains of one launch: one debuggee each, on one host, run by one runner. A stop in one is a standstill of all, in
 * which nobody's time passes; one that comes to its end is told, and the others go on.
 */
import type { Domains } from '../emulator/index';
import type { Stop } from '../emulator/machine/api';
import { assert } from '../emulator/util/assert';
import type { Debuggee } from './debuggee';
import { Runner, type Runnable, type RunnerEvents } from './runner';

/** A debuggee's place among the others. */
export interface DomainPlace {
  readonly party: Party;
  readonly id: number;
  readonly name: string;
  /** Its processors are the threads from here on. */
  readonly firstThread: number;
}

export interface PartyEvents extends Pick<RunnerEvents, 'afterAnswer' | 'failed'> {
  /** It has come to its end, and nobody wants to stop there. */
  ended(debuggee: Debuggee, stop: Stop): void;
}

export class Party implements Runnable {
  readonly debuggees: Debuggee[] = [];
  readonly runner: Runner;
  /** References of the client mean one thing in all of them. */
  readonly handles = { next: 1 };
  private threads = 1;
  /** Whose step or run it is. */
  private active: Debuggee | undefined;
  private stepping = false;
  /** Where they stopped last, whoever is looked at since. */
  stoppedIn: Debuggee | undefined;

  constructor(
    readonly domains: Domains,
    private readonly events: PartyEvents,
  ) {
    this.runner = new Runner(this, {
      afterAnswer: (work) => events.afterAnswer(work),
      sliced: () => this.debuggees.forEach((each) => each.sliced()),
      between: () => this.between(),
      stopped: (stop) => this.stopped(stop),
      failed: (error) => events.failed(error),
    });
  }

  place(id: number, name: string, cpus: number): DomainPlace {
    const firstThread = this.threads;
    this.threads += cpus;
    return { party: this, id, name, firstThread };
  }
  /** It is gone. */
  remove(debuggee: Debuggee): void {
    this.debuggees.splice(this.debuggees.indexOf(debuggee), 1);
    if (this.active === debuggee) this.active = undefined;
    if (this.stoppedIn === debuggee) this.stoppedIn = undefined;
  }

  /** Its activity is about to run, and the others with it. */
  resume(active: Debuggee, stepping: boolean): void {
    this.active = active;
    this.stepping = stepping;
    for (const each of this.debuggees) if (each !== active) each.goOn();
  }
  private between(): Promise<void> | undefined {
    const works = this.debuggees.flatMap((each) => each.linux.between() ?? []);
    return works.length === 0 ? undefined : Promise.all(works).then(() => {});
  }
  /** What the client asked for stops where the client looks; the rest where it happened. */
  private stopped(stop: Stop): void {
    const found = stop.kind === 'requested' ? undefined : this.debuggees.find(({ place }) => place?.id === stop.domain);
    const where = found ?? this.active ?? this.debuggees[0];
    for (const each of this.debuggees) if (each !== where) each.standStill();
    this.stoppedIn = where;
    where?.stopped(stop);
  }

  // --- Runnable

  get instructions(): number {
    return this.domains.instructions;
  }
  run(instructions: number): Stop {
    return this.unlessEnd(this.domains.run(instructions));
  }
  step(cpu: number): Stop {
    assert(this.active?.place, 'steps are of a domain');
    return this.unlessEnd(this.domains.step(this.active.place.id, cpu));
  }
  requestStop(): void {
    this.domains.requestStop();
  }
  /** The end of a domain whose step it is not, and at which nobody wants to stop, is no stop. */
  private unlessEnd(stop: Stop): Stop {
    const debuggee = this.debuggees.find(({ place }) => place?.id === stop.domain);
    const state = debuggee && this.domains.list().find(({ id }) => id === stop.domain)?.state;
    if (!debuggee || state !== 'dead') return stop;
    if (stop.kind === 'triple-fault' && debuggee.stopsAtTripleFault(stop.event, stop.cpu)) return stop;
    this.events.ended(debuggee, stop);
    return debuggee === this.active && this.stepping ? stop : { kind: 'limit' };
  }
}
