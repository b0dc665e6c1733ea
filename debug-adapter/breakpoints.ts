/**
 * Every breakpoint of a session, whoever set it, and what the machine is told of them. Conditions are compiled once and
 * evaluated inside the run loop, so that one that is never true costs no stop.
 */
import type { HypercallView } from './exit-specials';
import type {
  BreakpointSpec,
  Machine,
  SilentHole,
  TrapEvent,
  TrapFilter,
  VmExit,
  WatchpointSpec,
} from '../emulator/machine/api';
import { UserError } from '../emulator/util/assert';
import { parseHitCondition, parseLogMessage } from './hit-condition';

/** Where a condition is evaluated. `gva`: at that instruction, so that its locals can be named. */
export interface ConditionPlace {
  gva?: bigint;
  /** Names `trap.vector` and so on are this event's. */
  trap?: () => TrapEvent;
  /** Likewise `exit.reason`..., `hole.mnemonic`... */
  exit?: () => VmExit;
  hole?: () => SilentHole;
  /** Likewise `hypercall.name`...: the exit's own unless one in its batch is meant. */
  hypercall?: () => HypercallView | undefined;
}

/** What breakpoints need of the rest of the session. */
export interface BreakpointHost {
  /** Whether the expression is true, now. Compiles at once: UserError for what cannot be understood there. */
  compileCondition(text: string, place: ConditionPlace): (cpu: number) => boolean;
  /** The expression as text, now. */
  compileText(text: string, place: ConditionPlace): (cpu: number) => string;
  log(text: string, at: bigint): void;
  /** A condition failed while running: said once, and the breakpoint stops. */
  complain(text: string): void;
  checkTime(): void;
}

/** What a user may attach to any breakpoint. */
export interface Refinement {
  condition?: string | undefined;
  hitCondition?: string | undefined;
  logMessage?: string | undefined;
}

export type BreakpointKind = 'source' | 'function' | 'instruction' | 'data';

export interface UserBreakpoint {
  id: number;
  kind: BreakpointKind;
  /** For source breakpoints: the program's path that they belong to. */
  path?: string;
  line?: number;
  verified: boolean;
  message?: string;
  /** Not found yet, but it may be. */
  pending?: boolean;
  addresses: bigint[];
  watch?: Pick<WatchpointSpec, 'gva' | 'gpa' | 'bytes' | 'access'>;
  hits: number;
}

/** What a client asked for, where it is now. */
export type Place = Omit<UserBreakpoint, 'id' | 'hits'>;
export interface Wanted {
  breakpoint: Place;
  refinement: Refinement;
  /** Where it is once other symbols are known; absent: it cannot move. */
  again?: () => Place;
}

export interface Temporary {
  gva: bigint;
  when: (cpu: number) => boolean;
}

/** Ids below are temporary breakpoints of a step, which no client knows. */
const FIRST_ID = 1;
export const TEMPORARY_ID = 0;

type Test = (cpu: number, gva: bigint) => boolean;

export class Breakpoints {
  private nextId = FIRST_ID;
  private user: { breakpoint: UserBreakpoint; tests: Test[]; group: string; wanted: Wanted }[] = [];
  private temporary: Temporary[] = [];
  private watched: Temporary[] = [];
  private exceptions: TrapFilter[] = [];
  /** Set while stepping: stops before deliveries for which it says so. */
  private stepFilter: ((event: TrapEvent, cpu: number) => boolean) | undefined;
  private observer: ((event: TrapEvent, cpu: number) => void) | undefined;
  /** The place that execution was resumed from: it must not stop there again. */
  private resumedAt: { cpu: number; gva: bigint; instructions: number } | undefined;
  enabled = true;

  constructor(
    private machine: Machine,
    private readonly host: BreakpointHost,
  ) {}

  /** After a restart: the same breakpoints for a new machine. */
  attach(machine: Machine): void {
    this.machine = machine;
    this.temporary = [];
    this.watched = [];
    this.resumedAt = undefined;
    for (const { breakpoint } of this.user) breakpoint.hits = 0;
    this.apply();
    this.applyTraps();
  }

  /** Replaces all breakpoints of a group: one source file, or all function, instruction or data breakpoints. */
  replace(group: string, wanted: Wanted[]): UserBreakpoint[] {
    this.user = this.user.filter((each) => each.group !== group);
    const added = wanted.map((each) => {
      const breakpoint: UserBreakpoint = { ...each.breakpoint, id: this.nextId++, hits: 0 };
      this.user.push({ breakpoint, tests: this.compiled(breakpoint, each.refinement), group, wanted: each });
      return breakpoint;
    });
    this.apply();
    return added;
  }

  /** What cannot be compiled is not verified, and says why. */
  private compiled(breakpoint: UserBreakpoint, refinement: Refinement): Test[] {
    try {
      return this.testsOf(breakpoint, refinement);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      Object.assign(breakpoint, { verified: false, message: error.message, addresses: [] });
      delete breakpoint.watch;
      return [];
    }
  }

  /**
   * Symbols came or went: names are looked up again. Returns the breakpoints that changed. `anew`: also those in their conditions,
   * since all are other ones now.
   */
  rebind(anew = false): UserBreakpoint[] {
    const changed: UserBreakpoint[] = [];
    for (const each of this.user) {
      const { breakpoint, wanted } = each;
      if (wanted.again === undefined) continue;
      const before = placeText(breakpoint);
      const { id, hits } = breakpoint;
      const now: UserBreakpoint = { ...wanted.again(), id, hits };
      const tests = this.compiled(now, wanted.refinement);
      if (placeText(now) === before && !anew) continue;
      Object.assign(each, { breakpoint: now, tests });
      changed.push(now);
    }
    if (changed.length > 0) this.apply();
    return changed;
  }

  setTemporary(temporary: Temporary[]): void {
    if (temporary.length === 0 && this.temporary.length === 0) return;
    this.temporary = temporary;
    this.applyCode();
  }

  /** Places that the session itself wants to hear of: `when` must answer false. */
  setWatched(watched: Temporary[]): void {
    this.watched = watched;
    this.applyCode();
  }

  setExceptionFilters(filters: TrapFilter[]): void {
    this.exceptions = filters;
    this.applyTraps();
  }

  /** `when` undefined: no step is under way. */
  setStepFilter(when: ((event: TrapEvent, cpu: number) => boolean) | undefined): void {
    this.stepFilter = when;
  }

  /** Whether the user's exception filters stop before this delivery. */
  wantsTrap(event: TrapEvent, cpu: number): boolean {
    const wants = ({ vector, when }: TrapFilter): boolean =>
      (vector ?? event.vector) === event.vector && (when?.(event, cpu) ?? true);
    return this.enabled && this.exceptions.some(wants);
  }

  /** Sees each delivery, stops none. */
  observeTraps(record: (event: TrapEvent, cpu: number) => void): void {
    this.observer = record;
    this.applyTraps();
  }

  /** To be called before a processor runs on from where it stands: the breakpoints there have had their say. */
  resumeFrom(cpu: number): void {
    this.resumedAt = { cpu, gva: this.machine.inspect.pc(cpu), instructions: this.machine.instructions };
  }

  byId(id: number): UserBreakpoint | undefined {
    return this.user.find(({ breakpoint }) => breakpoint.id === id)?.breakpoint;
  }

  /** Ids of code breakpoints that stop at `gva` now: for steps, which the machine does not stop. */
  hitAt(cpu: number, gva: bigint): number[] {
    if (!this.enabled) return [];
    return this.user
      .filter(({ breakpoint, tests }) => breakpoint.addresses.some((at, n) => at === gva && tests[n]!(cpu, gva)))
      .map(({ breakpoint }) => breakpoint.id);
  }

  private testsOf(breakpoint: UserBreakpoint, refinement: Refinement): Test[] {
    const places = breakpoint.watch ? [undefined] : breakpoint.addresses;
    const hit = refinement.hitCondition?.trim() ? parseHitCondition(refinement.hitCondition) : undefined;
    return places.map((gva) => this.testAt(breakpoint, refinement, gva === undefined ? {} : { gva }, hit));
  }

  private testAt(
    breakpoint: UserBreakpoint,
    refinement: Refinement,
    place: ConditionPlace,
    hit: ((hits: number) => boolean) | undefined,
  ): Test {
    const condition = refinement.condition?.trim()
      ? this.host.compileCondition(refinement.condition, place)
      : undefined;
    const message = refinement.logMessage?.trim()
      ? parseLogMessage(refinement.logMessage).map((part) =>
          typeof part === 'string' ? () => part : this.host.compileText(part.expression, place),
        )
      : undefined;
    return (cpu, gva) => {
      this.host.checkTime();
      if (condition !== undefined && !condition(cpu)) return false;
      breakpoint.hits++;
      if (hit !== undefined && !hit(breakpoint.hits)) return false;
      if (message === undefined) return true;
      this.host.log(message.map((part) => part(cpu)).join(''), gva);
      return false;
    };
  }

  private apply(): void {
    this.applyCode();
    const watches: WatchpointSpec[] = [];
    for (const { breakpoint, tests } of this.enabled ? this.user : []) {
      if (breakpoint.watch === undefined) continue;
      const test = tests[0]!;
      watches.push({
        id: breakpoint.id,
        ...breakpoint.watch,
        when: (cpu = 0) => test(cpu, this.machine.inspect.pc(cpu)),
      });
    }
    this.machine.setWatchpoints(watches);
  }

  private applyCode(): void {
    const specs: BreakpointSpec[] = [...this.temporary, ...this.watched].map(({ gva, when }) => ({
      id: TEMPORARY_ID,
      gva,
      when: (cpu = 0) => {
        this.host.checkTime();
        return when(cpu);
      },
    }));
    for (const { breakpoint, tests } of this.enabled ? this.user : []) {
      breakpoint.addresses.forEach((gva, n) => {
        specs.push({ id: breakpoint.id, gva, when: this.unlessResumed(gva, tests[n]!) });
      });
    }
    this.machine.setBreakpoints(specs);
  }

  private unlessResumed(gva: bigint, test: Test): (cpu?: number) => boolean {
    return (cpu = 0) => {
      const resumed = this.resumedAt;
      if (resumed?.gva === gva && resumed.cpu === cpu && resumed.instructions === this.machine.instructions)
        return false;
      return test(cpu, gva);
    };
  }

  private applyTraps(): void {
    // The first is always there, so that a step's filter comes and goes without telling the machine.
    const first: TrapFilter = {
      when: (event, cpu) => {
        this.observer?.(event, cpu);
        return this.stepFilter?.(event, cpu) ?? false;
      },
    };
    this.machine.setTrapFilters([first, ...(this.enabled ? this.exceptions : [])]);
  }
}

const placeText = ({ verified, message, addresses, line }: UserBreakpoint): string =>
  [verified, message, line, ...addresses].join(' ');
