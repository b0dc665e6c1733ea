/**
 * Seven workloads as bare guests (kernels/), CPU time of each: the same image on QEMU and on ours. Time is taken inside a
 * run, so that start-up counts for nobody.
 */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { bundle } from './support/bundle';
import { figure, geometricMean, median, ratio, table } from './support/figures';
import type { GuestReport, GuestSpec } from './support/guest-run';
import { haveQemu } from './support/host';
import type { Part } from './support/part';
import { QemuGuest } from './support/qemu';

export const IMAGE = join(__dirname, 'kernels', 'kernels.elf');
export const MEMORY_MIB = 64;

/** How much work, and its checksum by `native` (kernels/native.c). */
interface Work {
  count: number;
  sum: string;
}
export interface Workload {
  name: string;
  full: Work;
  small: Work;
}

export const WORKLOADS: readonly Workload[] = [
  { name: 'crc', full: { count: 600, sum: '0000000038bf7e94' }, small: { count: 1, sum: '0000000052c975fa' } },
  { name: 'sieve', full: { count: 25, sum: '007b746ac750fe39' }, small: { count: 1, sum: '0000000000014069' } },
  { name: 'qsort', full: { count: 1_200_000, sum: '9da74f1a88f1decc' }, small: { count: 5000, sum: 'f702bac2c16f79ac' } },
  { name: 'hash', full: { count: 75_000_000, sum: '44d404650858ce0c' }, small: { count: 10_000, sum: 'a56d384c6428037e' } },
  { name: 'fib', full: { count: 33, sum: '000000000035c7e2' }, small: { count: 12, sum: '0000000000000090' } },
  { name: 'list', full: { count: 1_500_000, sum: 'ca38837a34759df0' }, small: { count: 1000, sum: '6f61dd2b6b64a444' } },
  { name: 'bytecode', full: { count: 1_000_000, sum: '003c1235495c16ec' }, small: { count: 500, sum: '5f5b3420c6145986' } },
]; // prettier-ignore

export const workloadSpec = (name: string, count: number, runs: number, tier: GuestSpec['tier']): GuestSpec => ({
  kernel: IMAGE,
  append: `${name} ${count} ${runs}`,
  memoryMib: MEMORY_MIB,
  ...(tier && { tier }),
});

interface Timed {
  cpu: number;
  instructions: number;
}
/** CPU time from each `start` to its checksum, which must be right. */
export function runsOf(report: GuestReport, name: string, sum: string): Timed[] {
  const runs: Timed[] = [];
  report.lines.forEach(({ line, cpu, instructions }, i) => {
    const before = report.lines[i - 1];
    if (before?.line !== 'start') return;
    if (line !== sum) throw new Error(`${name} on ringside: the checksum is ${line} instead of ${sum}`);
    runs.push({ cpu: cpu - before.cpu, instructions: instructions - before.instructions });
  });
  if (runs.length === 0) throw new Error(`${name} on ringside ended by ${report.stop} without a checksum`);
  return runs;
}

/** As runGuest, in a process of its own. */
export const inChild = (spec: GuestSpec): GuestReport =>
  JSON.parse(
    execFileSync(process.execPath, [bundle('bench/support/guest-child.ts'), JSON.stringify(spec)], {
      encoding: 'utf8',
      maxBuffer: 64 << 20,
    }),
  ) as GuestReport;

/** The guest waits for a byte and stands still behind its checksum, so that both readings of the clock are exact. */
async function onQemu({ name, full }: Workload): Promise<number> {
  const append = `${name} ${full.count} 1 wait halt`;
  const guest = new QemuGuest({ kernel: IMAGE, append, memoryMib: MEMORY_MIB });
  try {
    await guest.line('ready');
    const before = guest.cpu;
    guest.type('x');
    await guest.line('start');
    const sum = await guest.line('');
    if (sum !== full.sum) throw new Error(`${name} on QEMU: the checksum is ${sum} instead of ${full.sum}`);
    return guest.cpu - before;
  } finally {
    guest.stop();
  }
}

interface Column {
  qemu: number[];
  interpreter: Timed[];
  first: Timed[];
  steady: Timed[];
}

/** The last of so many runs in one machine is the steady state. */
const RUNS = 3;

function onOurs({ name, full }: Workload, tier: 'interpreter' | 'compiler', runs: number): Timed[] {
  return runsOf(inChild(workloadSpec(name, full.count, runs, tier)), name, full.sum);
}

export const kernels: Part = {
  name: 'kernels',
  async run({ rounds, log, tiers }) {
    const columns = new Map<string, Column>(WORKLOADS.map(({ name }) => [name, { qemu: [], interpreter: [], first: [], steady: [] }])); // prettier-ignore
    const withQemu = haveQemu();
    for (let round = 0; round < rounds; round++)
      for (const work of WORKLOADS) {
        const column = columns.get(work.name)!;
        if (withQemu) column.qemu.push(await onQemu(work));
        if (tiers.includes('interpreter')) column.interpreter.push(onOurs(work, 'interpreter', 1)[0]!);
        if (tiers.includes('compiler')) {
          const runs = onOurs(work, 'compiler', RUNS);
          column.first.push(runs[0]!);
          column.steady.push(runs.at(-1)!);
        }
        log(`${work.name}, round ${round + 1}`);
      }
    return tableOf(columns);
  },
};

const cpuOf = (runs: Timed[]): number | undefined => (runs.length ? median(runs.map(({ cpu }) => cpu)) : undefined);
const against = (qemu: number | undefined, ours: number | undefined): number | undefined =>
  qemu !== undefined && ours !== undefined ? qemu / ours : undefined;

function tableOf(columns: Map<string, Column>): string {
  const ratios: (number | undefined)[][] = [[], [], []];
  const rows = [...columns].map(([name, { qemu, interpreter, first, steady }]) => {
    const theirs = qemu.length ? median(qemu) : undefined;
    const ours = [interpreter, first, steady].map(cpuOf);
    ours.forEach((cpu, i) => ratios[i]!.push(against(theirs, cpu)));
    const last = [steady, first, interpreter].find((runs) => runs.length);
    const speed = last && median(last.map(({ cpu, instructions }) => instructions / cpu / 1e6));
    const cells = ours.flatMap((cpu) => [figure(cpu), ratio(against(theirs, cpu))]);
    return [name, figure(theirs), ...cells, figure(speed)];
  });
  const means = ratios.map((all) => (all.every((r) => r !== undefined) ? geometricMean(all) : undefined));
  rows.push(['**geometric mean**', '', ...means.flatMap((mean) => ['', `**${ratio(mean)}**`]), '']);
  return table(
    ['kernel', 'QEMU TCG, s', 'interpreter, s', 'speed / QEMU', 'compiler, first run, s', 'speed / QEMU', 'compiler, steady, s', 'speed / QEMU', 'million instructions/s'],
    rows,
  ); // prettier-ignore
}
