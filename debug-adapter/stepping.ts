/**
 * Steps as activities of the runner. A step follows one thread of control: an interrupt that is taken on the way is run
 * through, unless a breakpoint stops inside it. Other processors go on meanwhile, as they would without the step. Calls
 * are run through behind a temporary breakpoint that checks the stack, so that recursion does not stop it early.
 */
import type { DisassembledInstruction, Stop, TrapEvent } from '../emulator/machine/api';
import type { Activity, Need } from './runner';
import type { CodeFrame } from './frames';
import { stackPointer, until, type Part, type StepContext } from './run-until';
import { callAt, factsAt, type Facts } from './step-facts';
import { unwindStack } from './unwind';

export type StepKind = 'over' | 'in' | 'out';
export type Granularity = 'instruction' | 'line';

/** The step is done; nothing but the step stopped it. */
const DONE: Stop = { kind: 'limit' };

/** Runs until something stops it. */
export function* resume(): Activity {
  return yield { kind: 'run' };
}

/** Until `gva` on the current stack level: `goto`-like targets and step-out. */
export function* runTo(context: StepContext, cpu: number, gva: bigint, minimumSp: bigint | undefined): Activity {
  const stop = yield* until(context, cpu, gva, minimumSp);
  return stop ?? DONE;
}

/** `undelivered`: the machine stands before the delivery of an exception or interrupt. */
export function step(
  context: StepContext,
  cpu: number,
  kind: StepKind,
  granularity: Granularity,
  undelivered = false,
): Activity {
  return guarded(context, new Stepper(context, cpu).run(kind, granularity, undelivered));
}

/** `count` instructions of one thread of control, one after the other: what is met on the way stops as it stops a run. */
export function steps(context: StepContext, cpu: number, count: number, undelivered: boolean): Activity {
  return guarded(context, new Stepper(context, cpu).many(count, undelivered));
}

/** Whatever way a step ends, its temporary breakpoints and filters go. */
function* guarded(context: StepContext, activity: Activity): Activity {
  try {
    return yield* activity;
  } finally {
    context.breakpoints.setTemporary([]);
    context.breakpoints.setStepFilter(undefined);
  }
}

/** Where a line step begins, and thus what still belongs to it. */
interface Origin {
  path: string;
  line: number;
  function: bigint | undefined;
  /** Inlined functions around the address. */
  depth: number;
  /** Stack pointer once this function has returned: unwound when it is about to, for that is the dear part of a step. */
  callerSp: bigint | undefined;
}

class Stepper {
  private known = new Map<bigint, Facts>();

  constructor(
    private readonly context: StepContext,
    private readonly cpu: number,
  ) {}

  *run(kind: StepKind, granularity: Granularity, undelivered: boolean): Activity {
    if (undelivered && kind === 'in') {
      // Into the handler: its first instruction is where this step ends.
      const delivered = yield { kind: 'deliver' };
      return delivered.kind === 'limit' ? DONE : delivered;
    }
    if (undelivered && kind === 'over') {
      const stop = yield* until(this.context, this.cpu, this.pc, stackPointer(this.context.inspect, this.cpu), true);
      if (stop !== undefined) return stop;
    }
    if (kind === 'out') return yield* this.out();
    const origin = granularity === 'line' ? this.origin() : undefined;
    // Without line information there are no lines to step by.
    if (origin === undefined) return (yield* this.instruction(kind)) ?? DONE;
    return yield* this.line(kind, origin);
  }

  private get pc(): bigint {
    return this.context.inspect.pc(this.cpu);
  }

  private origin(): Origin | undefined {
    const { line: at, function: start, depth } = this.context.program.placeOf(this.pc);
    return at && { path: at.path, line: at.line, function: start, depth, callerSp: undefined };
  }

  private caller(): CodeFrame | undefined {
    return unwindStack(this.context, this.cpu, 3).filter((frame): frame is CodeFrame => frame.kind === 'code')[1];
  }

  private callerSp(): bigint | undefined {
    const caller = this.caller();
    return caller?.registers.get(caller.numbers.sp);
  }

  /** The frame with this caller is gone. */
  private returned(callerSp: bigint | undefined): boolean {
    return callerSp !== undefined && stackPointer(this.context.inspect, this.cpu) >= callerSp;
  }

  /** One instruction; `over` runs through what it calls. Undefined: done, and nothing else stopped. */
  private *instruction(kind: 'over' | 'in'): Part {
    const call = kind === 'over' ? callAt(this.context.inspect, this.cpu, this.pc) : undefined;
    return yield* call === undefined ? this.single(kind === 'in') : this.through(call);
  }

  *many(count: number, undelivered: boolean): Activity {
    const { breakpoints } = this.context;
    for (let left = count; left > 0; left--) {
      if (undelivered) {
        undelivered = false;
        const delivered = yield { kind: 'deliver' };
        if (delivered.kind !== 'limit') return delivered;
      } else {
        const stop = yield* this.single(true);
        if (stop !== undefined) return stop;
      }
      const ids = left > 1 ? breakpoints.hitAt(this.cpu, this.pc) : [];
      if (ids.length > 0) return { kind: 'breakpoint', cpu: this.cpu, gva: this.pc, ids };
    }
    return DONE;
  }

  /** Until other code ran, which may have changed this. */
  private factsAt(pc: bigint): Facts {
    let facts = this.known.get(pc);
    if (facts === undefined) {
      facts = factsAt(this.context, this.cpu, pc);
      this.known.set(pc, facts);
    }
    return facts;
  }

  /** Runs what the instruction calls, to the instruction behind it. */
  private *through(call: DisassembledInstruction): Part {
    return yield* until(
      this.context,
      this.cpu,
      call.gva + BigInt(call.bytes.length),
      stackPointer(this.context.inspect, this.cpu),
    );
  }

  /**
   * Exactly one instruction. Interrupts on the way are run through, and so are faults, unless they are to be followed:
   * then the step ends at the first instruction of the handler.
   */
  private *single(followFaults: boolean): Part {
    const { breakpoints } = this.context;
    const here = this.pc;
    for (;;) {
      breakpoints.setStepFilter((event, cpu) => cpu === this.cpu && (event.source !== 'software' || followFaults));
      const stop = yield { kind: 'step', cpu: this.cpu };
      breakpoints.setStepFilter(undefined);
      if (stop.kind === 'limit') return undefined;
      if (stop.kind !== 'trap' || this.asked(stop.event, stop.cpu)) return stop;
      if (followFaults && (stop.event.source === 'exception' || stop.event.source === 'software')) {
        const delivered = yield { kind: 'deliver' };
        return delivered.kind === 'limit' ? undefined : delivered;
      }
      // Delivered by running on: back here means that the handler has returned.
      const sp = stackPointer(this.context.inspect, this.cpu);
      const interrupted = yield* until(this.context, this.cpu, this.pc, sp, true);
      this.known.clear();
      if (interrupted !== undefined) return interrupted;
      if (this.pc !== here) return undefined;
    }
  }

  /** Whether the user's own exception filters want this event; then the step ends there. */
  private asked(event: TrapEvent, cpu: number): boolean {
    return this.context.breakpoints.wantsTrap(event, cpu);
  }

  private *line(kind: 'over' | 'in', origin: Origin): Activity {
    const { breakpoints } = this.context;
    for (;;) {
      const { call, isReturn } = this.factsAt(this.pc);
      if (isReturn) origin.callerSp = this.callerSp();
      let stop: Stop | undefined;
      if (call === undefined) stop = yield* this.single(false);
      else {
        this.known.clear();
        if (kind === 'over') stop = yield* this.through(call);
        else {
          const entered = yield* this.enter(call);
          if (entered !== 'returned') return entered ?? DONE;
        }
      }
      if (stop !== undefined) return stop;
      const { pc } = this;
      if (this.finished(kind, origin, pc)) return DONE;
      const hit = breakpoints.hitAt(this.cpu, pc);
      if (hit.length > 0) return { kind: 'breakpoint', cpu: this.cpu, gva: pc, ids: hit };
      const { line, function: start } = this.factsAt(pc);
      if (line === undefined && start !== origin.function) return DONE;
    }
  }

  /** Whether another line has been reached, at its beginning. */
  private finished(kind: 'over' | 'in', origin: Origin, pc: bigint): boolean {
    const { line: at, function: start, depth } = this.factsAt(pc);
    if (at === undefined) return false;
    if (start !== origin.function) return true;
    if (this.returned(origin.callerSp)) return true; // to a caller that is the same function
    if (kind === 'over' && depth > origin.depth) return false;
    if (at.path === origin.path && at.line === origin.line) return false;
    return at.isStatement && at.start === pc && at.line !== 0;
  }

  /** Into a function that has lines, behind its prologue; others are run through. */
  private *enter(call: DisassembledInstruction): Generator<Need, Stop | undefined | 'returned', Stop> {
    const behind = call.gva + BigInt(call.bytes.length);
    const sp = stackPointer(this.context.inspect, this.cpu);
    const stop = yield* this.single(true);
    if (stop !== undefined) return stop;
    const { program } = this.context;
    if (this.pc === behind) return 'returned';
    const hit = this.context.breakpoints.hitAt(this.cpu, this.pc);
    if (hit.length > 0) return { kind: 'breakpoint', cpu: this.cpu, gva: this.pc, ids: hit };
    const target = program.functionAt(this.pc);
    if (target === undefined || program.lineAt(this.pc) === undefined) {
      return (yield* until(this.context, this.cpu, behind, sp)) ?? 'returned';
    }
    const body = program.afterPrologue(target.start);
    if (body <= this.pc || target.start !== this.pc) return undefined;
    return yield* until(this.context, this.cpu, body, undefined);
  }

  /** To the caller, through whatever border lies between: an interrupt frame, a system call, an inlined body. */
  private *out(): Activity {
    const { program } = this.context;
    const depth = program.framesAt(this.pc).length;
    if (depth > 1) return yield* this.outOfInline(depth);
    const caller = this.caller();
    if (caller === undefined) return (yield* this.instruction('over')) ?? DONE;
    const sp = caller.registers.get(caller.numbers.sp);
    return (yield* until(this.context, this.cpu, caller.pc, sp)) ?? DONE;
  }

  private *outOfInline(depth: number): Activity {
    const { program, breakpoints } = this.context;
    const start = program.functionAt(this.pc)?.start;
    const callerSp = this.callerSp();
    for (;;) {
      const stop = yield* this.instruction('over');
      if (stop !== undefined) return stop;
      const hit = breakpoints.hitAt(this.cpu, this.pc);
      if (hit.length > 0) return { kind: 'breakpoint', cpu: this.cpu, gva: this.pc, ids: hit };
      const left = program.functionAt(this.pc)?.start !== start || this.returned(callerSp);
      if (left || program.framesAt(this.pc).length < depth) return DONE;
    }
  }
}
