/**
 * A machine, wired: linear memory, RAM, processor, board, firmware's leavings, an image. Implements what the command
 * line, the debug adapter and tests see (api.ts).
 */
import { Cpu } from '../cpu/cpu';
import { makeModel } from '../cpu/models';
import { StepLoop } from '../cpu/run';
import type { StepHost } from '../cpu/step-host';
import * as layout from '../execution/layout';
import { PhysicalMemory } from '../mmu/physical-memory';
import { UserError } from '../util/assert';
import type {
  BootInput, BreakpointSpec, FirmwareInput, Inspector, Machine, MachineConfig, Screen, Stop, TrapEvent, TrapFilter, Virtualization, WatchpointSpec,
} from './api'; // prettier-ignore
import { Board } from './board';
import { checkFirmware, firmwareDevices } from './firmware-image';
import { BiosServices } from './firmware/bios';
import type { BiosDisk } from './firmware/bios';
import { SaidOnce } from '../util/said-once';
import { NS_PER_INSTRUCTION } from '../util/time';
import { MachineInspector } from './inspect';
import { checkSnapshot } from './snapshot';
import type { Saved } from './snapshot';
import type { PvPlatform } from './paravirtual';
import { checkConfig, linearMemory } from './place';
import type { Place } from './place';
import { realModeProcessor } from './real-mode';
import { startKernel } from './start';
import { stateHash } from './state-hash';

export class Pc implements Machine, StepHost {
  readonly virtualization?: Virtualization;
  readonly inspect: Inspector;
  onConsole?: (bytes: Uint8Array) => void;
  onUnsupported?: (what: string) => void;
  onFirmwareLog?: (line: string) => void;
  /** Something came from outside: a domain that waits for it can run. */
  onInput?: () => void;
  /** StepHost. */
  sharesIdleTime = false;
  /** StepHost: ns that were skipped while halted. */
  idle = 0;

  private readonly physical: PhysicalMemory;
  private readonly board: Board;
  readonly cpus: readonly Cpu[];
  private readonly loop: StepLoop;
  private readonly paravirtual?: PvPlatform;
  private pendingStop?: Stop;
  private deadline = Infinity;
  private filters: readonly TrapFilter[] = [];
  private disks: readonly BiosDisk[] = [];
  /** RAM may hold something. */
  private used: boolean;

  constructor(
    readonly config: Readonly<MachineConfig>,
    place?: Place,
  ) {
    checkConfig(config);
    this.virtualization = place?.virtualization;
    this.used = place !== undefined;
    const model = makeModel(config.cpu, place && { virtualization: 'none' });
    const memory = place?.memory ?? linearMemory(config, model);
    this.physical = place?.physical ?? new PhysicalMemory(memory, config.memory);
    this.board = this.buildBoard();
    this.board.attach(this.bios());
    this.paravirtual = place?.paravirtual && this.connect(place.paravirtual);
    const seen = this.paravirtual?.machine ?? this.physical;
    const makeCpu = (_: unknown, apicId: number): Cpu =>
      new Cpu({
        memory,
        physical: seen,
        bus: this.board.busOf(apicId),
        interrupts: this.paravirtual?.interrupts(apicId) ?? this.board.interruptSource(apicId),
        ticks: () => BigInt(Math.floor(this.ns / NS_PER_INSTRUCTION)),
        model,
        apicId,
        number: place && place.number + apicId,
        processors: config.cpus,
        unsupported: (what) => this.report(what),
      });
    this.cpus = Array.from({ length: config.cpus }, makeCpu);
    this.loop = new StepLoop(this.cpus, this, memory, config.tier ?? 'compiler', place);
    this.inspect = new MachineInspector({
      cpus: this.cpus,
      physical: seen,
      ...(this.virtualization && { hypervisor: this.virtualization.inspect }),
      devices: () => this.board.parts,
      edited: () => this.edited(),
    });
  }

  private connect(domain: PvPlatform): PvPlatform {
    this.board.attach(domain);
    domain.connect({
      stop: (stop) => void (this.pendingStop ??= stop),
      output: (bytes) => this.onConsole?.(bytes),
      report: (what) => this.report(what),
      disks: () => this.board.sockets.disks,
      giveWay: () => (this.loop.generated.gaveWay = true),
      deadlineMoved: () => (this.deadline = this.board.nextDeadline()),
    });
    return domain;
  }
  /** Its memory is no more. */
  forsake(): void {
    this.physical.forsake();
    this.paravirtual?.machine.forsake();
    this.paravirtual?.discard();
  }

  private buildBoard(): Board {
    const leave = (): void => this.loop?.requestExit();
    const stop = (reason: Stop): void => {
      this.pendingStop ??= reason;
      leave();
    };
    return new Board(
      { memoryBytes: this.config.memory, cpus: this.config.cpus },
      {
        clock: { now: () => this.ns },
        memory: this.physical,
        onConsole: (byte) => this.onConsole?.(Uint8Array.of(byte)),
        unsupported: (what) => this.report(what),
        powerOff: () => stop({ kind: 'power-off' }),
        resetRequested: () => stop({ kind: 'reset' }),
        debugExit: (code) => stop({ kind: 'debug-exit', code }),
        a20: (level) => (this.physical.a20 = level),
        cpuAttention: leave,
        deadlineMoved: () => {
          this.deadline = this.board.nextDeadline();
          leave();
        },
        tscOffset: (cpu) => this.cpus[cpu].state.system('tsc_offset'),
      },
    );
  }

  private bios(): BiosServices {
    const disks = (): readonly BiosDisk[] => this.disks;
    return new BiosServices(
      realModeProcessor(() => this.loop.cpu),
      this.board.bus,
      {
        memoryBytes: this.config.memory,
        get disks() {
          return disks();
        },
        onTeletype: (byte) => this.onConsole?.(Uint8Array.of(byte)),
        bootFailed: () => (this.pendingStop ??= { kind: 'dead-halt' }),
        reboot: () => (this.pendingStop ??= { kind: 'reset' }),
        unsupported: (what) => this.report(what),
      },
    );
  }

  private readonly reported = new SaidOnce((what) => this.onUnsupported?.(what));
  private report(what: string): void {
    this.reported.say(what);
  }

  // --- StepHost
  nextDeadline = (): number => this.deadline;
  tick(): void {
    this.board.tick();
    this.deadline = this.board.nextDeadline();
  }
  stopRequested(): Stop | undefined {
    const stop = this.pendingStop;
    this.pendingStop = undefined;
    return stop;
  }

  get instructions(): number {
    return this.loop.instructions;
  }
  get ns(): number {
    // The board asks while it is being built.
    return this.loop ? this.loop.now : 0;
  }

  boot(input: BootInput | FirmwareInput): void {
    this.loop.resume();
    const firmware = 'firmware' in input ? input : undefined;
    if (firmware) checkFirmware(firmware);
    const signature = this.cpus[0].cpuid(1, 0)[0];
    this.board.plug(input, firmware?.firmware, (paths) =>
      firmware ? firmwareDevices(firmware, this.physical, { ...this.config, signature, paths }, (line) => this.onFirmwareLog?.(line)) : [],
    );
    this.powerOn();
    const { lacking } = this.cpus[0].model;
    if (lacking.length > 0) this.report(`features of the processor model: ${lacking.join(', ')}`);
    if (this.paravirtual) this.startDomain(this.paravirtual, input);
    else this.disks = 'firmware' in input ? [] : startKernel(this.config, this.cpus, this.physical, this.board.bus, input);
    for (const cpu of this.cpus) cpu.refresh();
    this.deadline = this.board.nextDeadline();
  } // prettier-ignore
  private startDomain(domain: PvPlatform, input: BootInput | FirmwareInput): void {
    if ('firmware' in input)
      throw new UserError(`${input.name}: technique paravirtual starts kernels, not firmware; leave firmware out.`);
    domain.start(input, this.cpus);
  }
  private powerOn(): void {
    if (this.used) this.physical.clear();
    this.used = true;
    this.idle = 0;
    this.pendingStop = undefined;
    this.loop.restart();
    for (const cpu of this.cpus) cpu.reset();
    this.board.powerOn();
    this.pendingStop = undefined;
  }
  diskChanges(disk: number): { offset: number; bytes: Uint8Array }[] {
    return this.board.sockets.disks[disk].changes();
  }

  run(instructions: number): Stop {
    this.loop.resume();
    return this.loop.run(instructions);
  }
  readonly takeBack = (): void => this.loop.resume();
  step(cpu: number): Stop {
    this.loop.resume();
    return this.loop.step(this.cpus[cpu]);
  }
  requestStop(): void {
    this.pendingStop ??= { kind: 'requested' };
    this.loop.requestExit();
  }

  setBreakpoints(specs: readonly BreakpointSpec[]): void {
    this.loop.breakpoints.set(specs);
  }
  setWatchpoints(specs: readonly WatchpointSpec[]): void {
    this.loop.breakpoints.setWatchpoints(specs);
  }
  setTrapFilters(filters: readonly TrapFilter[]): void {
    this.filters = filters;
    for (const cpu of this.cpus)
      cpu.onEvent = filters.length === 0 ? undefined : (event) => this.filtered(event, cpu.apicId);
  }
  private filtered(event: TrapEvent, cpu: number): boolean {
    return this.filters.some((f) => (f.vector ?? event.vector) === event.vector && (f.when?.(event, cpu) ?? true));
  }

  typeConsole(bytes: Uint8Array): void {
    if (this.paravirtual) this.paravirtual.type(bytes);
    else this.board.typeConsole(bytes);
    this.deadline = this.board.nextDeadline();
    this.onInput?.();
  }
  typeKeyboard = (text: string): void => this.board.typeKeyboard(text);
  key = (name: string, down: boolean): boolean => this.board.key(name, down);
  screen = (): Screen => this.board.screen();
  private edited(): void {
    this.used = true;
    for (const cpu of this.cpus) cpu.mmu.tlbs.flush();
    this.deadline = this.board.nextDeadline();
    this.virtualization?.inspect.edited();
  }

  stateHash(): string {
    const cpus = this.cpus.map((cpu) => {
      const saved = cpu.save();
      // The flags themselves count, not the words that some tier computed them from.
      saved.state.fill(0, layout.FLAG_S - layout.STATE, layout.RFLAGS_SYSTEM - layout.STATE);
      return [saved, cpu.state.rflags];
    });
    return stateHash({
      state: [cpus, this.loop.saveTurn(), this.board.save(), this.loop.instructions, this.idle],
      words: this.physical.words,
      pages: this.physical.hostPages(),
    });
  }
  save(): Saved {
    return {
      cpus: this.cpus.map((cpu) => cpu.save()),
      turn: this.loop.saveTurn(),
      board: this.board.save(),
      equipment: this.board.sockets.summary,
      ram: this.physical.image(),
      retired: this.loop.instructions,
      idle: this.idle,
    };
  }
  restore(saved: unknown): void {
    const { cpus, turn, board, ram, retired, idle } = saved as Saved;
    checkSnapshot(saved as Saved, this.config, this.board.sockets.summary);
    this.loop.resume();
    this.used = true;
    this.physical.setImage(ram);
    this.idle = idle;
    this.loop.restart(retired, turn);
    this.board.restore(board);
    this.cpus.forEach((cpu, i) => cpu.restore(cpus[i]));
    this.deadline = this.board.nextDeadline();
  }
}
