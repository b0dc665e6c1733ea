/**
 * Several domains on one host: created, run by turns, paused, destroyed. Each is a machine of its own, with its own memory,
 * devices and time; none notices the others. What one does to itself, a triple fault or a loop with interrupts off, ends or
 * occupies that one alone.
 */
import type { DomainConfig, DomainControl, DomainInfo } from '../hypervisor/domain';
import { isEnd } from '../hypervisor/domain';
import { Host } from '../hypervisor/host';
import { DEFAULT_WEIGHT, MAX_WEIGHT, Scheduler } from '../hypervisor/scheduler';
import type { Share } from '../hypervisor/scheduler';
import { UserError } from '../util/assert';
import type { BootInput, FirmwareInput, Machine, Stop } from './api';
import { checkConfig } from './place';
import { placeDomain } from './techniques';
import type { Placed } from './techniques';

export interface Domain {
  readonly id: number;
  readonly name: string;
  readonly machine: Machine;
}
interface Entry extends Domain, Placed {
  readonly machine: Placed['machine'];
  readonly share: Share;
  /** It has been started: before that nothing is there to run. */
  booted: boolean;
  end?: Stop;
}

export interface DomainsOptions {
  /** Room for domains that are created later: bytes of memory and processors of each. */
  spare?: readonly { memory: number; cpus: number }[];
}

/** Turns in which nothing retired, one after the other: all that happens are timers that nobody hears. The user must get out. */
const FRUITLESS = 1000;
/** A turn of a user's step that does not come lets the others run so long before it returns. */
const STEP_PATIENCE = 200_000;

export class Domains implements DomainControl {
  readonly host: Host;
  private readonly entries: Entry[] = [];
  private readonly scheduler = new Scheduler();
  private nextId: number;
  /** Instructions of those that have been destroyed. */
  private gone = 0;
  /** Who is inside `run`. */
  private executing: Entry | undefined;
  private later: (() => void)[] = [];
  private stopWanted = false;

  /** None has booted. UserError: a bad configuration. All have the tier and the processor model of the first. `firstId`: Xen's domain 0 is one. */
  constructor(
    configs: readonly DomainConfig[],
    { spare = [], firstId = 1 }: DomainsOptions & { firstId?: number } = {},
  ) {
    this.nextId = firstId;
    configs.forEach(checkConfig);
    this.host = new Host({ domains: configs, spare, tier: configs[0]?.tier, cpu: configs[0]?.cpu });
    this.host.domains = this;
    for (const config of configs) this.create(config);
  }

  // --- Their lives

  /** Paused until it is booted, or resumed by who has filled its memory. UserError: bad configuration, name taken, or no room. */
  create(config: DomainConfig): Domain {
    const { name, weight = DEFAULT_WEIGHT, cap = 0 } = config;
    if (this.entries.some((each) => each.name === name))
      throw new UserError(`Two domains are named "${name}"; give each a name of its own.`);
    const share = checkShare(name, { weight, cap });
    const id = this.nextId++;
    const placed = placeDomain(this.host, config, id, name);
    const entry: Entry = { ...placed, id, name, share, booted: false };
    this.entries.push(entry);
    this.scheduler.add(id, share);
    this.scheduler.pause(id, true);
    placed.machine.onInput = () => this.wake(id);
    return entry;
  }
  /** Loads, resets, and lets it run. Another time: it begins anew. UserError: a bad image. */
  boot(id: number, input: BootInput | FirmwareInput): void {
    const entry = this.entry(id);
    entry.machine.boot(input);
    entry.booted = true;
    if (entry.end) this.scheduler.add(id, entry.share);
    entry.end = undefined;
    this.scheduler.wake(id);
    this.scheduler.pause(id, false);
  }
  /** Paused, and empty: whoever asked for it fills it. */
  createEmpty(config: DomainConfig): Domain {
    const entry = this.entry(this.create(config).id);
    entry.machine.boot({ name: entry.name, kernel: new Uint8Array(0), empty: true });
    entry.booted = true;
    // Whoever asked is in the middle of its turn: what it retires from here on is its own.
    this.executing?.machine.takeBack();
    return entry;
  }
  pause(id: number): void {
    const entry = this.alive(id);
    this.soon(() => entry.end ?? this.scheduler.pause(entry.id, true));
  }
  resume(id: number): void {
    const entry = this.alive(id);
    this.soon(() => entry.end ?? this.scheduler.pause(entry.id, false));
  }
  destroy(id: number): void {
    const entry = this.entry(id);
    if (!entry.end) this.scheduler.remove(id);
    this.entries.splice(this.entries.indexOf(entry), 1);
    this.soon(() => {
      this.gone += entry.machine.instructions;
      entry.release();
    });
  }
  setShare(id: number, share: Partial<Share>): void {
    const entry = this.alive(id);
    const checked = checkShare(entry.name, { ...entry.share, ...share });
    Object.assign(entry.share, checked);
    this.soon(() => entry.end ?? this.scheduler.setShare(id, checked));
  }
  wake(id: number): void {
    const entry = this.entries.find((each) => each.id === id);
    if (entry && !entry.end) this.scheduler.wake(id);
  }
  /** Now, or when whoever executes has come to the end of its turn. */
  private soon(work: () => void): void {
    if (this.executing) this.later.push(work);
    else work();
  }

  // --- What there is

  get all(): readonly Domain[] {
    return this.entries;
  }
  list(): DomainInfo[] {
    return this.entries.map((entry) => this.describe(entry));
  }
  private describe(entry: Entry): DomainInfo {
    const { id, name, machine, reservations, share, end } = entry;
    const { inspect, config, virtualization, instructions } = machine;
    const cpus = Array.from({ length: config.cpus }, (_, cpu) => cpu);
    const vcpu = (cpu: number) => ({ cpu, state: inspect.halted(cpu) ? ('blocked' as const) : ('runnable' as const) });
    const sum = (of: 'frames' | 'used'): number => reservations.reduce((total, each) => total + each[of], 0);
    return {
      id,
      name,
      technique: virtualization?.technique ?? 'none',
      paging: virtualization?.paging ?? 'none',
      state: end ? 'dead' : this.scheduler.stateOf(id),
      ...this.why(entry),
      memory: config.memory,
      frames: { reserved: sum('frames'), used: sum('used') },
      instructions,
      weight: share.weight,
      cap: share.cap,
      vcpus: cpus.map(vcpu),
    };
  }
  private why({ id, end, booted }: Entry): { why?: string } {
    if (end) return { why: REASONS[end.kind] ?? end.kind };
    if (!booted) return { why: 'It has not been booted yet.' };
    const state = this.scheduler.stateOf(id);
    if (state === 'runnable' && this.scheduler.isCapped(id)) return { why: 'It has had its cap of this period.' };
    if (state !== 'blocked') return {};
    return { why: this.scheduler.sleepsFor(id) === Infinity ? 'It waits for input.' : 'It is halted until its next timer.' };
  } // prettier-ignore

  // --- Running

  /** Retired by all of them, also by those that have been destroyed. */
  get instructions(): number {
    return this.entries.reduce((sum, { machine }) => sum + machine.instructions, this.gone);
  }
  /**
   * Until `instructions` have retired, in all, or one of them stops. One that has come to its end is dead; calling again goes on
   * with the others. `idle`: nobody can run before something comes from outside; `dead-halt` without a domain: all are dead.
   */
  run(instructions: number): Stop {
    let left = instructions;
    for (let fruitless = 0; fruitless < FRUITLESS; fruitless++) {
      if (this.stopWanted) return this.requested();
      const turn = this.scheduler.next();
      if (!turn) return { kind: this.entries.every(({ end }) => end) ? 'dead-halt' : 'idle' };
      const entry = this.entry(turn.id);
      const { stop, done } = this.advance(entry, () => entry.machine.run(Math.min(left, turn.left)));
      if (stop) return { ...stop, domain: entry.id };
      left -= done;
      if (left <= 0) break;
      if (done > 0) fruitless = 0;
    }
    return { kind: 'limit' };
  }
  /**
   * Exactly one instruction of one processor of a domain. The others go on as they would until it is that one's turn: their
   * stops are reported, and `requested` says that it has had none yet.
   */
  step(id: number, cpu: number): Stop {
    const entry = this.alive(id);
    if (this.scheduler.stateOf(id) === 'paused')
      throw new UserError(`Domain "${entry.name}" is paused; resume it before it can step.`);
    for (let left = STEP_PATIENCE; left > 0;) {
      const turn = this.scheduler.next();
      if (!turn) break;
      const due = this.entry(turn.id);
      const { stop, done } = this.advance(due, () =>
        due === entry ? due.machine.step(cpu) : due.machine.run(turn.left),
      );
      if (stop) return { ...stop, domain: due.id };
      if (due === entry && done > 0) return { kind: 'limit', domain: id };
      left -= Math.max(1, done);
    }
    return { kind: 'requested' };
  }
  /** From a hook: `run` returns after the current instruction. */
  requestStop(): void {
    this.stopWanted = true;
    this.executing?.machine.requestStop();
  }
  private requested(): Stop {
    this.stopWanted = false;
    return { kind: 'requested' };
  }

  /** What one does in its turn. `stop`: what concerns others than the scheduler. */
  private advance(entry: Entry, go: () => Stop): { done: number; stop?: Stop } {
    const { machine } = entry;
    const { instructions, idle } = machine;
    this.executing = entry;
    machine.sharesIdleTime = true;
    let stop: Stop;
    try {
      stop = go();
    } finally {
      this.executing = undefined;
      machine.sharesIdleTime = false;
    }
    const done = machine.instructions - instructions;
    if (this.entries.includes(entry)) this.account(entry, stop, done, machine.idle - idle);
    for (const work of this.later.splice(0)) work();
    if (stop.kind === 'requested') this.stopWanted = false;
    return stop.kind === 'limit' || stop.kind === 'idle' ? { done } : { done, stop };
  }
  private account(entry: Entry, stop: Stop, done: number, idleNs: number): void {
    this.scheduler.spend(done, idleNs);
    if (stop.kind === 'idle') this.scheduler.sleep(entry.id);
    if (!isEnd(stop)) return;
    entry.end = stop;
    this.scheduler.remove(entry.id);
  }

  private entry(id: number): Entry {
    const found = this.entries.find((each) => each.id === id);
    if (!found) throw new UserError(`There is no domain ${id}.`);
    return found;
  }
  private alive(id: number): Entry {
    const entry = this.entry(id);
    if (entry.end) throw new UserError(`Domain "${entry.name}" is dead; it can only be destroyed.`);
    return entry;
  }
}

const REASONS: Partial<Record<Stop['kind'], string>> = {
  'triple-fault': 'Triple fault: an exception whose delivery failed twice over.',
  'dead-halt': 'It halted with interrupts off: nothing would ever have woken it.',
  'power-off': 'It powered itself off.',
  suspend: 'It suspended itself, to be saved.',
  reset: 'It asked for a reset.',
  'debug-exit': 'It ended itself by the debug-exit port.',
  crash: 'It crashed: the hypervisor, or it itself, gave it up.',
};

/** UserError: which, and what it may be. */
function checkShare(name: string, { weight, cap }: Share): Share {
  if (!Number.isInteger(weight) || weight < 1 || weight > MAX_WEIGHT)
    throw new UserError(`weight: ${weight} of domain "${name}"; give a whole number from 1 to ${MAX_WEIGHT}.`);
  if (!Number.isInteger(cap) || cap < 0 || cap > 100)
    throw new UserError(`cap: ${cap} of domain "${name}"; give percent of the processor from 1 to 100, or 0 for none.`);
  return { weight, cap };
}
