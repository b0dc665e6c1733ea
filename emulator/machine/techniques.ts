/** A domain's machine: memory from host frames, the technique that runs it, and a place among the host's processors. */
import type { Cpu } from '../cpu/cpu';
import type { Executor } from '../cpu/step-host';
import { Paravirtual } from '../hypervisor/engines/paravirtual';
import { AmdV } from '../hypervisor/engines/amd-v';
import { BinaryTranslation } from '../hypervisor/engines/binary-translation';
import { TrapAndEmulate } from '../hypervisor/engines/trap-and-emulate';
import { VtX } from '../hypervisor/engines/vt-x';
import { ExitLog } from '../hypervisor/exits';
import type { Reservation } from '../hypervisor/frames';
import { RUN_FRAMES, runsOf } from '../hypervisor/frames';
import { HoleLog } from '../hypervisor/guest';
import type { Guest } from '../hypervisor/guest';
import { overheadOf } from '../hypervisor/host';
import type { Host } from '../hypervisor/host';
import type { Viewed } from '../hypervisor/inspect/engine-view';
import { GuestInspector } from '../hypervisor/inspect/inspector';
import { TranslationSteps } from '../hypervisor/translation/steps';
import { PAGE_BYTES, PhysicalMemory } from '../mmu/physical-memory';
import { UserError } from '../util/assert';
import type { MachineConfig, Paging, Technique } from './api';
import { Pc } from './machine';
import { PvPlatform } from './paravirtual';
import { checkConfig } from './place';

interface TechniqueSpec {
  /** The first is its own. */
  pagings: readonly Paging[];
  make(host: Host, guest: Guest, paging: Paging, cpus: number): Executor & Viewed;
}
const ENGINES: Record<Exclude<Technique, 'none'>, TechniqueSpec> = {
  'vt-x': { pagings: ['nested', 'shadow'], make: (host, guest, paging, cpus) => new VtX(host, guest, paging, cpus) },
  'amd-v': { pagings: ['nested', 'shadow'], make: (host, guest, paging, cpus) => new AmdV(host, guest, paging, cpus) },
  'binary-translation': { pagings: ['shadow'], make: (host, guest) => new BinaryTranslation(host, guest) },
  'trap-and-emulate': { pagings: ['shadow'], make: (host, guest) => new TrapAndEmulate(host, guest) },
  paravirtual: { pagings: ['direct'], make: (host, guest) => new Paravirtual(host, guest) },
};

/** UserError: which attribute, and what it may be. */
function pagingOf({ technique = 'none', paging }: MachineConfig): Paging | 'none' {
  if (technique === 'none') return 'none';
  const { pagings } = ENGINES[technique];
  const wanted = paging ?? pagings[0];
  if (!pagings.includes(wanted))
    throw new UserError(`paging: ${wanted}; technique ${technique} works with ${pagings.join(' or ')}.`);
  return wanted;
}

/** A machine, and what of the host it has. */
export interface Placed {
  machine: Pc;
  reservations: Reservation[];
  /** Number of its first processor on the host. */
  number: number;
  /** The host gets back what it gave. Not while it is executing. */
  release(): void;
}

/** `index`: its identifier. UserError: a bad configuration, or more than the host has left, of which it then has taken nothing. */
export function placeDomain(host: Host, config: MachineConfig, index: number, name: string): Placed {
  checkConfig(config);
  const paging = pagingOf(config);
  const pages = config.memory / PAGE_BYTES;
  const frames = runsOf(pages) * RUN_FRAMES;
  const ram = host.frames.reserve(name, frames, 'top');
  const reservations = [ram];
  try {
    if (paging !== 'none') reservations.push(host.frames.reserve(`the hypervisor for ${name}`, overheadOf(frames)));
    const number = host.takeNumbers(name, config.cpus);
    const list = ram.takeRuns(pages);
    const physical = new PhysicalMemory(host.memory, config.memory, { host: host.physical, frames: list });
    const place = { memory: host.memory, physical, number, generated: host.generated };
    const machine = paging === 'none' ? new Pc(config, place) : virtualized(host, config, place, { index, paging, tables: reservations[1], frames: list });
    const owner = { domain: index, physical, tables: reservations[1] };
    host.owners = [...host.owners, owner];
    const release = (): void => {
      host.owners = host.owners.filter((each) => each !== owner);
      machine.forsake();
      host.retire(number, config.cpus, reservations);
    };
    return { machine, reservations, number, release };
  } catch (error) {
    for (const reservation of reservations) reservation.dissolve();
    throw error;
  }
} // prettier-ignore

type Where = Pick<NonNullable<ConstructorParameters<typeof Pc>[1]>, 'memory' | 'physical' | 'number' | 'generated'>;

function virtualized(
  host: Host,
  config: MachineConfig,
  place: Where,
  { index, paging, tables, frames }: { index: number; paging: Paging; tables: Reservation; frames: Int32Array },
): Pc {
  const technique = config.technique as Exclude<Technique, 'none'>;
  let machine: Pc | undefined = undefined as Pc | undefined;
  const guest: Guest = {
    index,
    physical: place.physical,
    frames: tables,
    exits: new ExitLog(),
    holes: new HoleLog(),
    get cpus(): readonly Cpu[] {
      return machine?.cpus ?? [];
    },
    get instructions(): number {
      return machine?.instructions ?? 0;
    },
    get ns(): number {
      return machine?.ns ?? 0;
    },
  };
  const executor = ENGINES[technique].make(host, guest, paging, config.cpus);
  const { view } = executor;
  const inspect = new GuestInspector(host, guest, view, paging);
  const translation = view.translations && new TranslationSteps(view.translations, guest);
  const virtualization = {
    domain: index, technique, paging, exits: guest.exits, holes: guest.holes, inspect, ...(translation ? { translation } : {}),
  }; // prettier-ignore
  const paravirtual =
    executor instanceof Paravirtual ? new PvPlatform(host, guest, executor, config.cpus, frames) : undefined;
  const { mmu } = host.processor;
  machine = new Pc(config, { ...place, executor, mmu, virtualization, ...(paravirtual ? { paravirtual } : {}) });
  return machine;
}
