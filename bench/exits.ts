/**
 * What an exit costs, technique by technique: loops of a guest that does nothing but leave (exits/exits.S), CPU time, exits a
 * second. The guest must end as it does on the bare machine. A ported kernel has one kind of its own, the hypercall
 * (exits/hypercalls.S); beside all of them hypervisors of ours as guests (hosted-exits.ts).
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { createMachine } from '../emulator';
import type { Machine, Paging, Technique } from '../emulator';
import { HOSTED, rateHosted, rateInBochs, rateInQemu } from './hosted-exits';
import { bundle } from './support/bundle';
import { figure, median, ratio, table } from './support/figures';
import { benchFolder } from './support/host';
import type { Part } from './support/part';

const image = (name: string): Uint8Array => readFileSync(resolve(benchFolder(), 'exits', name));
const kernel = image('exits.elf');

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
/** With a shorter start V8 is still at it: the rates were up to a quarter lower after 200,000. */
const LARGE: Size = { warm: 500_000, measured: 100_000 };

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

/** Hypercalls a second of a paravirtual kernel. */
export function hypercallRate({ warm, measured }: Size): number {
  const machine = createMachine({ memory: 16 << 20, cpus: 1, technique: 'paravirtual' });
  machine.boot({ name: 'hypercalls.elf', kernel: image('hypercalls.elf') });
  const count = (): number => machine.virtualization!.exits.counts.get('hypercall')?.count ?? 0;
  machine.run(warm);
  const before = count();
  const seconds = timed(machine, measured);
  return (count() - before) / seconds;
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

/** `row`, `way`: by place in KINDS, WAYS and HOSTED. */
export type Measurement =
  { what: 'exits'; row: number; way: number } | { what: 'hosted'; row: number } | { what: 'hypercall' | 'filter' };
const WARM_MARKS = 2;
const MARKS = 3;
export function measure(one: Measurement): number {
  switch (one.what) {
    case 'exits':
      return rateOf(KINDS[one.row]!, WAYS[one.way]!, LARGE);
    case 'hosted':
      return rateHosted(HOSTED[one.row]!, WARM_MARKS, MARKS);
    case 'hypercall':
      return hypercallRate(LARGE);
    case 'filter':
      return unusedFilter(200_000_000);
  }
}
/** Median of what processes of their own say. */
function medianOf(rounds: number, one: Measurement): number {
  const env = { ...process.env, RINGSIDE_BENCH: benchFolder() };
  const say = (): string => execFileSync(process.execPath, [bundle('bench/exits-child.ts'), JSON.stringify(one)], { env, encoding: 'utf8' });
  return median(Array.from({ length: rounds }, () => Number(say())));
} // prettier-ignore

/** Exits a second, 0 for none, and how long one takes. */
const cell = (rate: number): string => (rate === 0 ? 'none' : `${figure(rate)} (${figure(1e6 / rate)} µs)`);

/**
 * Our hypervisors as guests, rounds interleaved with those of Bochs, which has VT-x, and QEMU, which has AMD-V. `cpuid`: CPUID's exits a
 * second under our own engines, by place in WAYS.
 */
async function besideOthers(rounds: number, cpuid: readonly number[], log: (text: string) => void): Promise<string> {
  const rows: string[][] = [];
  for (const [row, hosted] of HOSTED.entries()) {
    const ours: number[] = [];
    const theirs: number[] = [];
    for (let round = 0; round < rounds; round++) {
      ours.push(medianOf(1, { what: 'hosted', row }));
      const rate = (await rateInBochs(hosted, WARM_MARKS, MARKS)) ?? (await rateInQemu(hosted, WARM_MARKS, MARKS));
      if (rate !== undefined) theirs.push(rate);
      log(`a hypervisor by ${hosted.name}, round ${round + 1}`);
    }
    const peer = theirs.length ? median(theirs) : undefined;
    const engine = cpuid[WAYS.findIndex(({ technique }) => technique === hosted.engine)]!;
    rows.push([`${hosted.name}, ${hosted.peer}`, cell(median(ours)), peer === undefined ? 'n/a' : cell(peer), ratio(peer && median(ours) / peer), ratio(peer && engine / peer)]);
  }
  return table(["CPUID of a guest's guest, exits a CPU second", 'ringside', 'the other', 'ringside / the other', 'our own engine / the other'], rows);
} // prettier-ignore

export const exits: Part = {
  name: 'exits',
  async run({ rounds, log }) {
    const rates = KINDS.map((kind, row) =>
      WAYS.map((way, i) => {
        const rate = medianOf(rounds, { what: 'exits', row, way: i });
        log(`${kind.name}, ${way.technique}, ${way.paging}: ${figure(rate)}/s`);
        return rate;
      }),
    );
    const rows = KINDS.map(({ name }, row) => [name, ...rates[row]!.map(cell), '']);
    const hypercalls = medianOf(rounds, { what: 'hypercall' });
    rows.push(['hypercall', ...WAYS.map(() => 'none'), cell(hypercalls)]);
    const peers = await besideOthers(rounds, rates[0]!, log);
    const filter = medianOf(rounds, { what: 'filter' });
    const head = [
      'exits a CPU second',
      ...WAYS.map(({ technique, paging }) => `${technique}, ${paging}`),
      'paravirtual, direct',
    ];
    return `${table(head, rows)}\n\n${peers}\n\nA filter that was set and is gone: ${ratio(filter)} the CPU time of a run that never had one.`;
  },
};
