/**
 * The workloads (workloads.ts) on ours and on others, CPU time of each: the same image everywhere. Time is taken inside a run,
 * so that start-up counts for nobody.
 */
import { BochsGuest, haveBochs } from './support/bochs';
import { kernelDisk } from './support/bochs-disk';
import { figure, geometricMean, median, ratio, table } from './support/figures';
import { haveQemu } from './support/host';
import type { BenchContext, Part } from './support/part';
import { QemuGuest } from './support/qemu';
import { haveV86, inV86 } from './support/v86';
import { expectSum, IMAGE, IMAGE_32, inChild, MEMORY_MIB, runsOf, workloadSpec, WORKLOADS } from './workloads';
import type { Timed, Workload } from './workloads';

/** The guest waits for a byte and stands still behind its checksum, so that both readings of the clock are exact. */
async function onQemu({ name, full }: Workload, kernel: string): Promise<number> {
  const append = `${name} ${full.count} 1 wait halt`;
  const guest = new QemuGuest({ kernel, append, memoryMib: MEMORY_MIB });
  try {
    await guest.line('ready');
    const before = guest.cpu;
    guest.type('x');
    await guest.line('start');
    expectSum(await guest.line(''), full.sum, name, 'QEMU');
    return guest.cpu - before;
  } finally {
    guest.stop();
  }
}

/** Ends with `start`, and with the line behind it. */
const STARTED = /^start\n/m;
const DONE = /^start\n(.*)\n/m;
export async function onBochs({ name }: Workload, { count, sum }: Workload['full']): Promise<number> {
  const disk = kernelDisk(IMAGE, `${name} ${count} 1 halt`);
  const guest = new BochsGuest({ disk, memoryMib: MEMORY_MIB });
  try {
    await guest.console((text) => STARTED.test(text));
    const before = guest.cpu;
    const text = await guest.console((all) => DONE.test(all));
    expectSum(DONE.exec(text)![1]!, sum, name, 'Bochs');
    return guest.cpu - before;
  } finally {
    guest.stop();
  }
}

/** The last of so many runs in one machine is the steady state. */
const RUNS = 3;

const onOurs = ({ name, full }: Workload, kernel: string, tier: 'interpreter' | 'compiler', runs: number): Timed[] =>
  runsOf(inChild(workloadSpec(name, full.count, runs, tier, kernel)), name, full.sum);

/** The guest stands still at the end: v86 ends its process at once when a Multiboot kernel writes to the port for that. */
export function onV86({ name }: Workload, { count, sum }: Workload['full'], runs: number): Timed[] {
  const append = `${name} ${count} ${runs} halt`;
  const report = inV86({ protocol: 'multiboot', kernel: IMAGE_32, append, memoryMib: MEMORY_MIB, lines: 2 * runs });
  return runsOf(report, name, sum, 'v86');
}

/** Of one workload; what was not measured is empty. */
const COLUMNS = [
  'qemu',
  'bochs',
  'interpreter',
  'first',
  'steady',
  'millionsASecond',
  'v86First',
  'v86Steady',
] as const;
type Column = (typeof COLUMNS)[number];
type Columns = Record<Column, number[]>;
const noFigures = (): Columns => Object.fromEntries(COLUMNS.map((name) => [name, [] as number[]])) as Columns;

async function measured(
  { rounds, log }: BenchContext,
  bits: string,
  one: (work: Workload, columns: Columns, round: number) => Promise<void>,
): Promise<Map<string, Columns>> {
  const all = new Map(WORKLOADS.map(({ name }) => [name, noFigures()]));
  for (let round = 0; round < rounds; round++)
    for (const work of WORKLOADS) {
      await one(work, all.get(work.name)!, round);
      log(`${work.name}, ${bits}, round ${round + 1}`);
    }
  return all;
}
function addOurs(columns: Columns, runs: readonly Timed[]): void {
  const last = runs.at(-1)!;
  columns.first.push(runs[0]!.cpu);
  columns.steady.push(last.cpu);
  columns.millionsASecond.push(last.instructions / last.cpu / 1e6);
}

export const kernels: Part = {
  name: 'kernels',
  async run(context) {
    const { tiers } = context;
    const [withQemu, withBochs, withV86] = [haveQemu(), haveBochs(), haveV86()];
    const wide = await measured(context, '64 bits', async (work, columns, round) => {
      if (withQemu) columns.qemu.push(await onQemu(work, IMAGE));
      if (withBochs && round === 0) columns.bochs.push(await onBochs(work, work.full));
      if (tiers.includes('interpreter')) columns.interpreter.push(onOurs(work, IMAGE, 'interpreter', 1)[0]!.cpu);
      if (tiers.includes('compiler')) addOurs(columns, onOurs(work, IMAGE, 'compiler', RUNS));
    });
    const narrow = await measured(context, '32 bits', async (work, columns) => {
      if (withQemu) columns.qemu.push(await onQemu(work, IMAGE_32));
      if (withV86) {
        const runs = onV86(work, work.full, RUNS);
        columns.v86First.push(runs[0]!.cpu);
        columns.v86Steady.push(runs.at(-1)!.cpu);
      }
      if (tiers.includes('compiler')) addOurs(columns, onOurs(work, IMAGE_32, 'compiler', RUNS));
    });
    return `${tableOf(WIDE, wide)}\n\n${tableOf(NARROW, narrow)}`;
  },
};

/** A column of a table: a time, or how much faster `of` is than `than`. */
type Shown = { head: string } & ({ time: Column } | { of: Column; than: Column });
const WIDE: readonly Shown[] = [
  { head: 'QEMU TCG, s', time: 'qemu' },
  { head: 'Bochs, s', time: 'bochs' },
  { head: 'interpreter, s', time: 'interpreter' },
  { head: 'speed / QEMU', of: 'interpreter', than: 'qemu' },
  { head: 'speed / Bochs', of: 'interpreter', than: 'bochs' },
  { head: 'compiler, first run, s', time: 'first' },
  { head: 'speed / QEMU', of: 'first', than: 'qemu' },
  { head: 'compiler, steady, s', time: 'steady' },
  { head: 'speed / QEMU', of: 'steady', than: 'qemu' },
  { head: 'speed / Bochs', of: 'steady', than: 'bochs' },
  { head: 'million instructions/s', time: 'millionsASecond' },
];
const NARROW: readonly Shown[] = [
  { head: 'QEMU TCG, s', time: 'qemu' },
  { head: 'v86, first run, s', time: 'v86First' },
  { head: 'v86, steady, s', time: 'v86Steady' },
  { head: 'compiler, first run, s', time: 'first' },
  { head: 'speed / v86', of: 'first', than: 'v86First' },
  { head: 'compiler, steady, s', time: 'steady' },
  { head: 'speed / v86', of: 'steady', than: 'v86Steady' },
  { head: 'speed / QEMU', of: 'steady', than: 'qemu' },
];

function tableOf(shown: readonly Shown[], all: ReadonlyMap<string, Columns>): string {
  const ratios = shown.map((): (number | undefined)[] => []);
  const rows = [...all].map(([name, columns]) => {
    const of = (column: Column): number | undefined => columns[column].length ? median(columns[column]) : undefined; // prettier-ignore
    const cells = shown.map((column, i) => {
      if ('time' in column) return figure(of(column.time));
      const [ours, theirs] = [of(column.of), of(column.than)];
      const speed = ours !== undefined && theirs !== undefined ? theirs / ours : undefined;
      ratios[i]!.push(speed);
      return ratio(speed);
    });
    return [name, ...cells];
  });
  const means = ratios.map((all) => {
    if (all.length === 0) return '';
    return `**${ratio(all.every((r) => r !== undefined) ? geometricMean(all) : undefined)}**`;
  });
  return table(['kernel', ...shown.map(({ head }) => head)], [...rows, ['**geometric mean**', ...means]]);
}
