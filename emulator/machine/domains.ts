/** A host with domains on it: each a machine of its own, with its own memory, devices and time, on a processor that they share. */
import { Host } from '../hypervisor/host';
import { PAGE_BYTES, PhysicalMemory } from '../mmu/physical-memory';
import type { MachineConfig } from './api';
import { Pc } from './machine';

/** Frames in whole runs, as they are given out. */
const RUN = 512;

export class Domains {
  readonly host: Host;
  readonly machines: readonly Pc[];

  constructor(configs: readonly MachineConfig[], unsupported?: (what: string) => void) {
    this.host = new Host({ domains: configs, tier: configs[0].tier, cpu: configs[0].cpu, unsupported });
    let number = 1;
    this.machines = configs.map((config, index) => {
      const { memory, physical: host, frames, generated } = this.host;
      const pages = config.memory / PAGE_BYTES;
      const reservation = frames.reserve(`domain ${index}`, Math.ceil(pages / RUN) * RUN);
      const physical = new PhysicalMemory(memory, config.memory, { host, frames: reservation.takeRuns(pages) });
      const machine = new Pc(config, { memory, physical, number, generated });
      number += config.cpus;
      return machine;
    });
  }
}
