/** A launched machine and all that belongs to it: program, breakpoints, runner, console, what the client has been shown. */
import type { BootInput, FirmwareInput, Machine, SilentHole, Stop, TrapEvent, VmExit } from '../emulator/machine/api';
import { UserError } from '../emulator/util/assert';
import { addressDigits, hex } from './addresses';
import { Breakpoints, type UserBreakpoint } from './breakpoints';
import { GuestConsole } from './console';
import { ExitWatch } from './exit-watch';
import { Evaluator } from './evaluation';
import type { WantedFilters } from './exception-filters';
import { Handles, type ShownFrame } from './handles';
import type { LaunchConfig } from './launch';
import { LinuxGuest } from './linux/guest';
import type { DomainPlace } from './party';
import type { Module, Program } from './program';
import type { CustomEvents } from './protocol';
import { Runner, type Activity } from './runner';
import type { SourcePaths } from './source-paths';
import { TableChanges } from './table-changes';
import { TrapLog } from './trap-log';
import { topFrame, type CodeFrame, type Frame } from './frames';
import { framesAbove } from './frames-above';
import { unwindStack } from './unwind';

/** What a debuggee tells the session. */
export interface DebuggeeEvents {
  afterAnswer(work: () => void): void;
  output(category: 'console' | 'stdout' | 'stderr' | 'important', text: string, at?: bigint): void;
  guestConsole(text: string, attached: boolean): void;
  exits(rates: CustomEvents['ringside/exits']): void;
  stopped(stop: Stop): void;
  failed(error: unknown): void;
  /** Other symbols are known now: breakpoints that moved or were found. */
  rebound(breakpoints: UserBreakpoint[]): void;
  module(reason: 'new' | 'removed', module: Module): void;
}

export interface DebuggeeParts {
  /** Among several. */
  place?: DomainPlace;
  config: LaunchConfig;
  machine: Machine;
  boot: BootInput | FirmwareInput;
  program: Program;
  paths: SourcePaths;
}

const ENCODER = new TextEncoder();

export class Debuggee {
  config: LaunchConfig;
  readonly program: Program;
  readonly paths: SourcePaths;
  private boot: BootInput | FirmwareInput;
  machine: Machine;
  runner: Runner;
  readonly breakpoints: Breakpoints;
  readonly traps = new TrapLog();
  readonly handles: Handles;
  readonly place: DomainPlace | undefined;
  readonly exitWatch: ExitWatch;
  /** Standstills so far. */
  private stops = 0;
  readonly tableChanges = new TableChanges(() => ({ stop: this.stops, instructions: this.machine.instructions }));
  readonly console: GuestConsole;
  readonly evaluator: Evaluator;
  /** What is known of the guest, when it is Linux. */
  readonly linux: LinuxGuest;
  /** Why it stands still; undefined while it runs and before it first ran. */
  lastStop: Stop | undefined;
  /** The processor that steps and stops refer to. */
  currentCpu = 0;
  /** From the filter `triple-fault`; on until the client says otherwise, as `initialize` announced. */
  stopsAtTripleFault: (event: TrapEvent, cpu: number) => boolean = () => true;
  private frames = new Map<number, Frame[]>();
  private complained = new Set<string>();

  constructor(
    parts: DebuggeeParts,
    private readonly events: DebuggeeEvents,
  ) {
    ({ config: this.config, program: this.program, paths: this.paths, boot: this.boot } = parts);
    this.machine = parts.machine;
    this.place = parts.place;
    this.handles = new Handles(this.place?.party.handles);
    this.console = new GuestConsole((text, attached) => events.guestConsole(text, attached));
    this.evaluator = new Evaluator(this);
    this.breakpoints = new Breakpoints(this.machine, {
      compileCondition: (text, place) => this.evaluator.condition(text, place),
      compileText: (text, place) => this.evaluator.text(text, place),
      log: (text, at) => events.output('console', `${text}\n`, at),
      complain: (text) => this.complain(text),
      checkTime: () => this.runner.checkTime(),
    });
    this.linux = this.linuxGuest();
    this.exitWatch = new ExitWatch(this.machine, (rates) => events.exits(rates));
    this.runner = this.start(parts.machine);
  }

  private linuxGuest(): LinuxGuest {
    return new LinuxGuest({
      inspect: () => this.machine.inspect,
      cpu: () => this.currentCpu,
      program: this.program,
      attend: () => this.runner.attend(),
      watch: (places) => this.breakpoints.setWatched(places),
      changed: () => {
        this.invalidate(true);
        this.events.rebound(this.breakpoints.rebind());
      },
      moduleEvent: (reason, module) => this.events.module(reason, module),
    });
  }

  /** Wires a machine that is about to boot: the first one, or the one of a restart. */
  private start(machine: Machine): Runner {
    machine.onConsole = this.console.receive;
    machine.onUnsupported = (what) => this.events.output('console', `The guest uses what Ringside lacks: ${what}\n`);
    machine.onFirmwareLog = (line) => this.events.output('console', `firmware: ${line}\n`);
    if (this.place) this.place.party.domains.boot(this.place.id, this.boot);
    else machine.boot(this.boot);
    const runner = this.place?.party.runner ?? this.ownRunner(machine);
    runner.limit = this.config.maxInstructions ?? 0;
    if (this.config.input !== undefined) machine.typeConsole(ENCODER.encode(this.config.input));
    this.breakpoints.enabled = this.config.noDebug !== true;
    this.breakpoints.observeTraps(this.traps.record);
    if (this.breakpoints.enabled) this.linux.attach();
    return runner;
  }

  private ownRunner(machine: Machine): Runner {
    return new Runner(machine, {
      afterAnswer: (work) => this.events.afterAnswer(work),
      sliced: () => this.sliced(),
      between: () => this.linux.between(),
      stopped: (stop) => this.stopped(stop),
      failed: (error) => this.events.failed(error),
    });
  }
  sliced(): void {
    this.console.flush();
    this.exitWatch.sliced();
  }

  /** What the editor ticked, as `initialize` announced it until it says otherwise, and what function breakpoints name. */
  readonly filters: WantedFilters = { exception: [{ filterId: 'triple-fault' }], function: [] };
  /** Over what the hypervisor sees: on once the client asks. */
  virtualFilters: { exit?: (exit: VmExit) => boolean; hole?: (hole: SilentHole) => boolean } = {};
  applyVirtualFilters(): void {
    const { virtualization } = this.machine;
    if (!virtualization) return;
    virtualization.exits.filter = this.breakpoints.enabled ? this.virtualFilters.exit : undefined;
    virtualization.holes.filter = this.breakpoints.enabled ? this.virtualFilters.hole : undefined;
  }

  /** `boot`: read anew, as files may have been built since. */
  restart(machine: Machine, boot: BootInput | FirmwareInput, config: LaunchConfig): void {
    this.runner.abandon();
    this.config = config;
    this.machine = machine;
    this.boot = boot;
    this.traps.clear();
    this.tableChanges.clear();
    this.exitWatch.attach(machine);
    this.invalidate();
    this.breakpoints.attach(machine);
    this.runner = this.start(machine);
    this.applyVirtualFilters();
    this.lastStop = undefined;
  }

  get running(): boolean {
    return this.runner.running;
  }

  resume(activity: Activity, cpu: number, kind: 'run' | 'step' = 'run'): void {
    if (this.running) throw new UserError('The machine is running already; pause it first.');
    if (this.lastStop?.kind === 'limit' && this.runner.limitReached) this.runner.limit = 0;
    this.currentCpu = cpu;
    this.goOn();
    this.place?.party.resume(this, kind === 'step');
    this.runner.start(activity);
  }
  /** It is about to run, by its own activity or beside another's. */
  goOn(): void {
    this.lastStop = this.translatedStep = undefined;
    this.invalidate();
    this.breakpoints.resumeFrom(this.currentCpu);
  }

  /** How values are written. */
  readonly formatting = { symbolAt: (gva: bigint) => this.program.symbolAt(gva) };

  stopped(stop: Stop): void {
    if ('cpu' in stop) this.currentCpu = stop.cpu;
    this.standStill(stop);
    this.events.stopped(stop);
  }
  /** Also where it was another that stopped. */
  standStill(stop: Stop = { kind: 'requested' }): void {
    this.lastStop = stop;
    this.stops++;
    this.exitWatch.sliced(true);
    this.invalidate();
  }

  type(text: string): number {
    const bytes = ENCODER.encode(text);
    this.machine.typeConsole(bytes);
    this.runner.wake();
    return bytes.length;
  }

  /** What was read of the machine is out of date: it ran, or the user edited it. Handles stay valid after an edit. */
  invalidate(edit = false): void {
    this.frames.clear();
    this.tableChanges.edited();
    if (!edit) this.handles.clear();
  }

  /** Said once, however often it happens. */
  complain(text: string): void {
    if (this.complained.has(text)) return;
    this.complained.add(text);
    this.events.output('important', `${text}\n`);
  }

  /** Frames of a processor, innermost first, unwound once a stop. */
  framesOf(cpu: number, limit: number): Frame[] {
    const known = this.frames.get(cpu);
    if (known !== undefined && (known.length >= limit || this.complete.has(known))) return known;
    const frames = [...framesAbove(this, cpu), ...unwindStack(this.unwinding, cpu, limit)];
    if (frames.length < limit) this.complete.add(frames);
    this.frames.set(cpu, frames);
    return frames;
  }
  private complete = new WeakSet<Frame[]>();
  /** The last step was one in translated code. */
  translatedStep: { cpu: number } | undefined;
  get unwinding() {
    const { program, traps, breakpoints } = this;
    return { inspect: this.machine.inspect, program, traps, breakpoints };
  }

  /** The frame of a `frameId`; without one the top frame of the current processor. */
  frameOf(id: number | undefined): ShownFrame {
    if (id !== undefined) {
      const found = this.handles.frame(id);
      if (found === undefined)
        throw new UserError(`Frame ${id} is gone: the machine has run since. Ask for the stack again.`);
      return found;
    }
    return { id: 0, cpu: this.currentCpu, frame: topFrame(this.unwinding, this.currentCpu), depth: 0 };
  }

  codeFrameOf(id: number | undefined): { shown: ShownFrame; frame: CodeFrame } {
    const shown = this.frameOf(id);
    if (shown.frame.kind === 'label' && shown.frame.top) {
      const frame = topFrame(this.unwinding, shown.cpu);
      return { shown: { ...shown, frame }, frame };
    }
    if (shown.frame.kind === 'label')
      throw new UserError('This frame is a border between two stacks; choose the one above or below.');
    return { shown, frame: shown.frame };
  }

  /** A gva with the digits of the processor's mode. */
  address(gva: bigint, cpu = this.currentCpu): string {
    return hex(gva, gva >> 32n ? 16 : addressDigits(this.machine.inspect.mode(cpu)));
  }

  /** `main+0x10 (kernel.c:12)` or an address. */
  placeName(gva: bigint): string {
    const symbol = this.program.describe(gva);
    return symbol === undefined ? `gv:${this.address(gva)}` : `${symbol} (gv:${this.address(gva)})`;
  }

  get firstThread(): number {
    return this.place?.firstThread ?? 1;
  }
  threadOf(cpu: number): number {
    return this.firstThread + cpu;
  }
  get threads(): number[] {
    return Array.from({ length: this.machine.config.cpus }, (_, cpu) => this.threadOf(cpu));
  }
  cpuOf(threadId: number): number {
    const { firstThread } = this;
    const last = firstThread + this.machine.config.cpus - 1;
    if (threadId < firstThread || threadId > last)
      throw new UserError(`There is no thread ${threadId}; processors are threads ${firstThread} to ${last}.`);
    return threadId - firstThread;
  }

  mustStand(): void {
    if (this.running) throw new UserError('The machine is running; pause it first.');
  }
}
