/**
 * The emulated bare metal that a hypervisor owns: one linear memory as host-physical memory, the physical processor that
 * guests run on, the generated code that all of them share. No devices: those that guests see are their domains'.
 */
import { Cpu } from '../cpu/cpu';
import { GeneratedRun } from '../cpu/generated-run';
import { makeModel } from '../cpu/models';
import type { Bus, InterruptSource } from '../cpu/ports';
import type { RunUser } from '../cpu/step-host';
import * as layout from '../execution/layout';
import type { Tier } from '../execution/tier';
import { PAGE_BYTES, PhysicalMemory } from '../mmu/physical-memory';
import { FrameAllocator, RUN_FRAMES } from './frames';

/** Where no chip answers. */
const EMPTY_BUS: Bus = {
  readPort: (_, bytes) => 2 ** (8 * bytes) - 1,
  writePort: () => {},
  readMmio: (_, bytes) => 2 ** (8 * bytes) - 1,
  writeMmio: () => {},
};
/** Interrupts are the domains' own affair: none comes from outside. */
const NO_INTERRUPTS: InterruptSource = {
  pending: () => false,
  acknowledge: () => 0xff,
  signals: () => ({ nmi: false, init: false, sipi: false }),
  takeNmi: () => false,
  takeInit: () => false,
  takeSipi: () => -1,
  getTpr: () => 0,
  setTpr: () => {},
  readMsr: () => undefined,
  writeMsr: () => false,
};
const NOBODY: RunUser = { idle: 0, retired: 0, isBreakpoint: () => false, stopsAt: () => false };

/** Frames for the hypervisor's own tables, by frames of guests' RAM: second-stage and shadow tables, a translation cache. */
export const overheadOf = (guestFrames: number): number =>
  Math.ceil((guestFrames / 8 + 4096) / RUN_FRAMES) * RUN_FRAMES;

export interface HostConfig {
  /** Bytes of RAM of each domain, and its virtual processors. */
  domains: readonly { memory: number; cpus: number }[];
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

  constructor(config: HostConfig) {
    const runs = (bytes: number): number => Math.ceil(bytes / PAGE_BYTES / RUN_FRAMES) * RUN_FRAMES;
    const guestFrames = config.domains.reduce((sum, domain) => sum + runs(domain.memory), 0);
    const overhead = config.domains.reduce((sum, domain) => sum + overheadOf(runs(domain.memory)), 0);
    const bytes = (guestFrames + overhead) * PAGE_BYTES;
    const processors = 1 + config.domains.reduce((sum, domain) => sum + domain.cpus, 0);
    const pages = Math.ceil(layout.memoryBytes(processors, bytes) / 0x1_0000);
    this.memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    this.physical = new PhysicalMemory(this.memory, bytes);
    // No hole for a display: this RAM is no PC's.
    this.physical.setKind(0, bytes - 1, 'ram');
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
  }
}
