/** A host with domains on it: each a machine of its own, with its own memory, devices and time, on a processor that they share. */
import type { Cpu } from '../cpu/cpu';
import type { Executor } from '../cpu/step-host';
import { AmdV } from '../hypervisor/engines/amd-v';
import { BinaryTranslation } from '../hypervisor/engines/binary-translation';
import { VtX } from '../hypervisor/engines/vt-x';
import { TrapAndEmulate } from '../hypervisor/engines/trap-and-emulate';
import { ExitLog } from '../hypervisor/exits';
import { RUN_FRAMES } from '../hypervisor/frames';
import { HoleLog } from '../hypervisor/guest';
import type { Guest } from '../hypervisor/guest';
import { Host, overheadOf } from '../hypervisor/host';
import { PAGE_BYTES, PhysicalMemory } from '../mmu/physical-memory';
import { UserError } from '../util/assert';
import type { MachineConfig, Paging, Technique } from './api';
import { Pc } from './machine';
import { checkConfig } from './place';

interface TechniqueSpec {
  /** The first is its own. */
  pagings: readonly Paging[];
  make(host: Host, guest: Guest, paging: Paging, cpus: number): Executor;
}
const ENGINES: Record<Exclude<Technique, 'none'>, TechniqueSpec> = {
  'vt-x': { pagings: ['nested', 'shadow'], make: (host, guest, paging, cpus) => new VtX(host, guest, paging, cpus) },
  'amd-v': { pagings: ['nested', 'shadow'], make: (host, guest, paging, cpus) => new AmdV(host, guest, paging, cpus) },
  'binary-translation': { pagings: ['shadow'], make: (host, guest) => new BinaryTranslation(host, guest) },
  'trap-and-emulate': { pagings: ['shadow'], make: (host, guest) => new TrapAndEmulate(host, guest) },
};

export class Domains {
  readonly host: Host;
  readonly machines: readonly Pc[];

  /** UserError: a bad configuration. All have the tier and the processor model of the first. */
  constructor(configs: readonly MachineConfig[]) {
    configs.forEach(checkConfig);
    this.host = new Host({ domains: configs, tier: configs[0].tier, cpu: configs[0].cpu });
    let number = 1;
    this.machines = configs.map((config, index) => {
      const machine = this.domain(config, index, number);
      number += config.cpus;
      return machine;
    });
  }

  private domain(config: MachineConfig, index: number, number: number): Pc {
    const { memory, physical: host, frames, generated } = this.host;
    const pages = config.memory / PAGE_BYTES;
    const runs = Math.ceil(pages / RUN_FRAMES) * RUN_FRAMES;
    const ram = frames.reserve(`domain ${index}`, runs);
    const physical = new PhysicalMemory(memory, config.memory, { host, frames: ram.takeRuns(pages) });
    const place = { memory, physical, number, generated };
    const technique = config.technique ?? 'none';
    if (technique === 'none') return new Pc(config, place);
    const { pagings, make } = ENGINES[technique];
    const paging = config.paging ?? pagings[0];
    if (!pagings.includes(paging))
      throw new UserError(`paging: ${paging}; technique ${technique} works with ${pagings.join(' or ')}.`);
    let machine: Pc | undefined = undefined as Pc | undefined;
    const guest: Guest = {
      index,
      physical,
      frames: frames.reserve(`tables for domain ${index}`, overheadOf(runs)),
      exits: new ExitLog(),
      holes: new HoleLog(),
      get cpus(): readonly Cpu[] {
        return machine?.cpus ?? [];
      },
      get instructions(): number {
        return machine?.instructions ?? 0;
      },
    };
    const executor = make(this.host, guest, paging, config.cpus);
    const virtualization = { technique, paging, exits: guest.exits, holes: guest.holes };
    machine = new Pc(config, { ...place, executor, virtualization });
    return machine;
  }
}
