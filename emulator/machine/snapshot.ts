/** A machine's whole state as plain data, and which machine it fits. */
import type { Cpu } from '../cpu/cpu';
import type { Turn } from '../cpu/turns';
import { UserError } from '../util/assert';
import type { MachineConfig } from './api';
import type { BoardSaved } from './board';

export interface Saved {
  cpus: ReturnType<Cpu['save']>[];
  turn: Turn;
  board: BoardSaved;
  equipment: string;
  ram: Uint8Array;
  retired: number;
  idle: number;
}

/** UserError: the snapshot is of another machine. */
export function checkSnapshot({ ram, cpus, equipment: had }: Saved, { memory, cpus: count }: MachineConfig, equipment: string): void {
  if (ram?.length !== memory)
    throw new UserError('The snapshot is of a machine with another memory size; create the machine with that size.');
  if (cpus.length !== count)
    throw new UserError(
      `The snapshot is of a machine with ${cpus.length} processors; create the machine with cpus: ${cpus.length}.`,
    );
  if (had !== equipment)
    throw new UserError(`The snapshot is of a machine with other equipment (${had}); boot with the same first.`);
} // prettier-ignore
