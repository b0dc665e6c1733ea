/** What a machine is given to run on: memory of its own, or a place as a domain on a host. */
import { hypervises } from '../cpu/models';
import type { Model } from '../cpu/models';
import type { SharedRun } from '../cpu/step-host';
import * as layout from '../execution/layout';
import type { PhysicalMemory } from '../mmu/physical-memory';
import { UserError } from '../util/assert';
import type { MachineConfig, Virtualization } from './api';
import type { PvPlatform } from './paravirtual';

const WASM_PAGE = 0x1_0000;
const MIB = 0x10_0000;
/** What a wasm32 memory leaves for RAM below our own tables. */
const MAX_MEMORY = 3072 * MIB;

/** As many as logical destinations of flat mode can name (SDM vol. 3A section 10.6.2.2). */
const MAX_CPUS = 8;

/** Where a machine is, if not by itself: a domain on a host that others share. */
export interface Place extends SharedRun {
  memory: WebAssembly.Memory;
  physical: PhysicalMemory;
  /** Of its first processor, among all on the host. */
  number: number;
  virtualization?: Virtualization;
  paravirtual?: PvPlatform;
}

/** Of a machine by itself. */
export function linearMemory({ cpus, memory }: MachineConfig, model: Model): WebAssembly.Memory {
  // A hypervisor's processors have another TLB for its guests (mmu/tlbs.ts).
  const pages = layout.memoryBytes(hypervises(model) ? 2 * cpus : cpus, memory) / WASM_PAGE;
  return new WebAssembly.Memory({ initial: pages, maximum: pages });
}

/** UserError: which setting, and what it may be. */
export function checkConfig({ memory, cpus }: MachineConfig): void {
  if (!Number.isInteger(memory) || memory % MIB !== 0 || memory < 2 * MIB || memory > MAX_MEMORY)
    throw new UserError(`memory: ${memory} bytes; give a whole number of MiB from 2M to ${MAX_MEMORY / MIB}M.`);
  if (!Number.isInteger(cpus) || cpus < 1 || cpus > MAX_CPUS)
    throw new UserError(`cpus: ${cpus}; give a whole number from 1 to ${MAX_CPUS}.`);
}
