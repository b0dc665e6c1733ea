/**
 * What an exit costs, technique by technique: loops of a guest that does nothing but leave (exits/exits.S), CPU time, exits a
 * second. The guest must end as it does on the bare machine.
 */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { createMachine } from '../emulator';
import type { Machine, Paging, Technique } from '../emulator';
import { figure, median, ratio, table } from './support/figures';
import type { Part } from './support/part';

const kernel = readFileSync(resolve(__dirname, 'exits/exits.elf'));

export const KINDS = [
  { name: 'CPUID', append: 'c', reasons: ['cpuid'] },
  { name: 'OUT to a port that nobody has', append: 'o', reasons: ['io'] },
  { name: 'read of the local APIC', append: 'm', reasons: ['mmio'] },
  { name: 'load of CR3', append: '3', reasons: ['cr-access'] },
  { name: 'new page-table entry, then its page', append: 'p', reasons: ['page-table-write', 'shadow-fault', 'invlpg'] },
] as const;
type Kind = (typeof KINDS)[number] | { name: string; append: string; reasons: readonly [] };
const NOTHING: Kind = { name: 'nothing', append: 'n', reasons: [] };

export const WAYS: readonly { technique: Exclude<Technique, 'none' | 'paravirtual'>; paging: Paging }[] = [
  { technique: 'vt-x', paging: 'nested' },
  { technique: 'amd-v', paging: 'nested' },
  { technique: 'vt-x', paging: 'shadow' },
  { technique: 'amd-v', paging: 'shadow' },
  { technique: 'binary-translation', paging: 'shadow' },
  { technique: 'trap-and-emulate', paging: 'shadow' },
];
type Way = (typeof WAYS)[number];

const cpuSeconds = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};
const booted = (kind: Kind, way?: Way): Machine => {
  const machine = createMachine({ memory: 16 << 20, cpus: 1, ...way });
  machine.boot({ name: 'exits.elf', kernel, append: kind.append });
  return machine;
};
const counted = ({ virtualization }: Machine, kind: Kind): number =>
  kind.reasons.reduce((sum, reason) => sum + (virtualization?.exits.counts.get(reason)?.count ?? 0), 0);
function timed(machine: Machine, instructions: number): number {
  const began = cpuSeconds();
  const { kind } = machine.run(instructions);
  if (kind !== 'limit') throw new Error(`the guest ended by ${kind}`);
  return cpuSeconds() - began;
}

/** Instructions: some in which V8 comes to know the way, and those that are measured. */
interface Size {
  warm: number;
  measured: number;
}
export const SMALL: Size = { warm: 300, measured: 3_000 };
const LARGE: Size = { warm: 600_000, measured: 600_000 };

/** Exits a second; 0: it has none. Trap-and-emulate's CPUID is a hole: it neither leaves nor says what the bare machine says. */
export function rateOf(kind: Kind, way: Way, { warm, measured }: Size): number {
  const machine = booted(kind, way);
  machine.run(warm);
  const before = counted(machine, kind);
  const seconds = timed(machine, measured);
  const exits = counted(machine, kind) - before;
  const bare = booted(kind);
  bare.run(warm + measured);
  const hole = way.technique === 'trap-and-emulate' && kind.append === 'c';
  if (!hole && machine.stateHash() !== bare.stateHash())
    throw new Error(`${kind.name} under ${way.technique}, ${way.paging}: the guest can tell`);
  return exits / seconds;
}

/** CPU time of a loop without exits after a filter was there and is gone, by that of one that never had any. */
export function unusedFilter(instructions: number): number {
  const [never, once] = [false, true].map((used) => {
    const machine = booted(NOTHING, WAYS[0]);
    const { exits } = machine.virtualization!;
    if (used) exits.filter = () => false;
    machine.run(instructions);
    exits.filter = undefined;
    return timed(machine, instructions);
  });
  return once! / never!;
}

export const exits: Part = {
  name: 'exits',
  run({ rounds, log }) {
    const rows = KINDS.map((kind) => {
      const cells = WAYS.map((way) => {
        const rate = median(Array.from({ length: rounds }, () => rateOf(kind, way, LARGE)));
        log(`${kind.name}, ${way.technique}, ${way.paging}: ${figure(rate)}/s`);
        return rate === 0 ? 'none' : `${figure(rate)} (${figure(1e6 / rate)} µs)`;
      });
      return [kind.name, ...cells];
    });
    const filter = median(Array.from({ length: rounds }, () => unusedFilter(200_000_000)));
    const head = ['exits a CPU second', ...WAYS.map(({ technique, paging }) => `${technique}, ${paging}`)];
    return Promise.resolve(
      `${table(head, rows)}\n\nA filter that was set and is gone: ${ratio(filter)} the CPU time of a run that never had one.`,
    );
  },
};
