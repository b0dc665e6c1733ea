/**
 * The emulated bare metal that a hypervisor owns: one linear memory as host-physical memory, the physical processor that
 * guests run on, the generated code that all of them share. No devices: those that guests see are their domains'.
 */
import { Cpu } from '../cpu/cpu';
import { GeneratedRun } from '../cpu/generated-run';
import { makeModel } from '../cpu/models';
import type { Bus } from '../cpu/ports';
import type { RunUser } from '../cpu/step-host';
import * as layout from '../execution/layout';
import type { Tier } from '../execution/tier';
import { PAGE_BYTES, PhysicalMemory } from '../mmu/physical-memory';
import { assert, UserError } from '../util/assert';
import type { DomainControl } from './domain';
import { NO_INTERRUPTS } from './no-interrupts';
import { FrameAllocator, RUN_FRAMES, runsOf } from './frames';
import type { Reservation } from './frames';

/** Where no chip answers. */
const EMPTY_BUS: Bus = {
  readPort: (_, bytes) => 2 ** (8 * bytes) - 1,
  writePort: () => {},
  readMmio: (_, bytes) => 2 ** (8 * bytes) - 1,
  writeMmio: () => {},
};
const NOBODY: RunUser = {
  idle: 0,
  retired: 0,
  isBreakpoint: () => false,
  hasBreakpoints: false,
  stopsAt: () => false,
  undisturbed: false,
};

/** Frames for the hypervisor's own tables, by frames of guests' RAM: second-stage and shadow tables, a translation cache. */
export const overheadOf = (guestFrames: number): number => runsOf(guestFrames / 8 + 4096) * RUN_FRAMES;
/** Of a domain: its memory and the hypervisor's tables for it. */
const framesOf = (bytes: number): number => {
  const frames = runsOf(bytes / PAGE_BYTES) * RUN_FRAMES;
  return frames + overheadOf(frames);
};

const MIB = 0x10_0000;
/** What a wasm32 memory can have. */
const MOST_PAGES = 0x1_0000;
const WASM_PAGE = 0x1_0000;

/** Bytes of RAM, and virtual processors. */
interface Size {
  memory: number;
  cpus: number;
}
export interface HostConfig {
  domains: readonly Size[];
  /** Room for domains that are created later. */
  spare?: readonly Size[];
  tier?: Tier;
  cpu?: string;
  unsupported?: (what: string) => void;
}

export class Host {
  readonly memory: WebAssembly.Memory;
  readonly physical: PhysicalMemory;
  readonly frames: FrameAllocator;
  /** Guests run on it, one at a time. */
  readonly processor: Cpu;
  readonly generated: GeneratedRun;

  /** Numbers of processors that no domain has; the first of all is the physical one. */
  private readonly numbers: number[];
  /** Whose frames are whose: for debuggers. `tables`: of its hypervisor. */
  owners: readonly { domain: number; physical: PhysicalMemory; tables?: Reservation }[] = [];
  /** Whoever manages the domains on this host: for one of them that may. */
  domains?: DomainControl;
  /** The virtual processor of a technique whose registers the physical one holds. */
  inside?: Cpu;

  /** UserError: more than the linear memory can hold. */
  constructor(config: HostConfig) {
    const sizes = [...config.domains, ...(config.spare ?? [])];
    const bytes = sizes.reduce((sum, { memory }) => sum + framesOf(memory), 0) * PAGE_BYTES;
    const processors = 1 + sizes.reduce((sum, { cpus }) => sum + cpus, 0);
    const pages = Math.ceil(layout.memoryBytes(processors, bytes) / WASM_PAGE);
    if (pages > MOST_PAGES)
      throw new UserError(
        `The domains need ${bytes / MIB} MiB of host memory with what the hypervisor keeps for them, and a host has at most ${hostMib(processors)} MiB; give them less memory.`,
      );
    this.memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    this.physical = new PhysicalMemory(this.memory, bytes, layout.RAM, true);
    this.frames = new FrameAllocator(this.physical);
    this.processor = new Cpu({
      memory: this.memory,
      physical: this.physical,
      bus: EMPTY_BUS,
      interrupts: NO_INTERRUPTS,
      ticks: () => this.generated.ticks(),
      model: makeModel(config.cpu, { virtualization: 'all' }),
      number: 0,
      unsupported: config.unsupported,
    });
    this.generated = new GeneratedRun(this.processor, NOBODY, this.memory, config.tier, this.physical);
    this.processor.mmu.tlb.onFlush = (what) => this.generated.code.cache.flushJumpCache(0, what);
    this.generated.onUser = () => this.leave();
    this.numbers = Array.from({ length: processors - 1 }, (_, i) => i + 1);
  }
  /** Another domain goes on: what the physical processor holds is none of its business. */
  private leave(): void {
    this.inside = undefined;
    // A second stage in force would translate the addresses of the next one's tables.
    this.processor.leaveGuest();
    this.processor.flushTlb('all');
  }

  /** Consecutive numbers for a domain's processors: the first of them. UserError: there is no room for so many. */
  takeNumbers(owner: string, count: number): number {
    const at = this.numbers.findIndex((first, i) => this.numbers[i + count - 1] === first + count - 1);
    if (at < 0)
      throw new UserError(
        `${owner} has ${count} processors, and this host has no room for them; destroy a domain first.`,
      );
    return this.numbers.splice(at, count)[0];
  }
  /** A domain is gone: nobody runs on its processors, and nothing that was decoded in its frames is left. */
  retire(first: number, count: number, reservations: readonly Reservation[]): void {
    this.generated.retire(this.processor, NOBODY);
    for (const reservation of reservations) {
      for (const frame of reservation.all()) this.physical.pages[frame] = 0;
      reservation.dissolve();
    }
    for (let number = first; number < first + count; number++) {
      this.generated.code.cache.flushJumpCache(number, 'all');
      this.numbers.push(number);
    }
    this.numbers.sort((a, b) => a - b);
    assert(new Set(this.numbers).size === this.numbers.length, 'a processor was retired twice');
  }
}

const hostMib = (processors: number): number =>
  Math.floor((MOST_PAGES * WASM_PAGE - layout.memoryBytes(processors, 0)) / MIB);
