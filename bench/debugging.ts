/**
 * What debugging costs, through the adapter as an editor drives it: a process of its own, DAP on stdio. Beside it QEMU's gdb
 * stub, and gdb on it. Where one side waits for the other, wall time says what a user sees and CPU time what the host pays.
 */
import { QemuStub } from '../test/differential/qemu-stub';
import { IMAGE, MEMORY_MIB } from './workloads';
import { Adapter } from './support/dap';
import { figure, median, ratio, table } from './support/figures';
import { underGdb } from './support/gdb';
import { cpuSeconds, haveGdb, haveQemu } from './support/host';
import type { BenchContext, Part } from './support/part';

/** A second of wall and of CPU time: how often it was done. */
interface Rate {
  wall: number;
  cpu: number;
}
const rateOf = (count: number, { wall, cpu }: { wall: number; cpu: number }): Rate => ({
  wall: count / wall,
  cpu: count / cpu,
});

type Measure = () => Promise<Rate>;
interface Row {
  name: string;
  ours: Measure;
  theirs: Measure | undefined;
}

const guest = (append: string) => ({ kernel: IMAGE, append, memoryMib: MEMORY_MIB });
const attributes = (append: string): object => ({ kernel: IMAGE, append, memory: `${MEMORY_MIB}M` });

/** What `work` takes in a debugged guest that `prepare` has brought to its place. */
async function adapted(
  append: string,
  prepare: (adapter: Adapter) => Promise<unknown>,
  work: (adapter: Adapter) => Promise<unknown>,
): Promise<{ wall: number; cpu: number }> {
  const adapter = await Adapter.launch(attributes(append));
  try {
    await prepare(adapter);
    const [cpu, wall] = [adapter.cpu, performance.now()];
    await work(adapter);
    return { wall: (performance.now() - wall) / 1000, cpu: adapter.cpu - cpu };
  } finally {
    adapter.end();
  }
}

const at = async (adapter: Adapter, name: string): Promise<void> => {
  await adapter.request('setFunctionBreakpoints', { breakpoints: [{ name }] });
  await adapter.run('continue');
  await adapter.request('setFunctionBreakpoints', { breakpoints: [] });
};
/** To the guest's end. */
const finish = async (adapter: Adapter): Promise<void> => {
  const ended = adapter.event('exited');
  await adapter.request('continue', { threadId: 1 });
  const { exitCode } = (await ended) as { exitCode: number };
  if (exitCode !== 1) throw new Error(`the guest ended with ${exitCode}`);
};

const steps = (count: number, ahead: number): Measure => async () =>
  rateOf(count, await adapted('fib 40 1', async (adapter) => {
    await at(adapter, 'fib');
    // What is compiled once is compiled before.
    await adapter.steps(Math.min(count, 20_000), ahead);
  }, (adapter) => adapter.steps(count, ahead))); // prettier-ignore

const stepi = (count: number): Measure => async () =>
  rateOf(count, await adapted('fib 40 1', (adapter) => at(adapter, 'fib'), async (adapter) => {
    const stopped = adapter.event('stopped');
    await adapter.request('evaluate', { expression: `stepi ${count}`, context: 'repl' });
    await stopped;
  })); // prettier-ignore

const stubSteps =
  (count: number): Measure =>
  async () => {
    const stub = await QemuStub.start([
      '-accel',
      'tcg',
      '-m',
      `${MEMORY_MIB}M`,
      '-kernel',
      IMAGE,
      '-append',
      'fib 40 1',
    ]);
    try {
      for (let n = 0; n < 200; n++) await stub.step();
      const [cpu, wall] = [cpuSeconds(stub.pid), performance.now()];
      for (let n = 0; n < count; n++) await stub.step();
      return rateOf(count, { wall: (performance.now() - wall) / 1000, cpu: cpuSeconds(stub.pid) - cpu });
    } finally {
      stub.stop();
    }
  };

/** In the loop of hash.c: a few instructions a line. */
const lines = (count: number): Measure => async () =>
  rateOf(count, await adapted('hash 100000000 1', async (adapter) => {
    await at(adapter, 'hash');
    await adapter.steps(Math.min(count, 1000), 1, 'next', 'line');
  }, (adapter) => adapter.steps(count, 1, 'next', 'line'))); // prettier-ignore

const conditions =
  (count: number, condition: string): Measure =>
  async () =>
    rateOf(count, await adapted(`visits ${count} 1`, (adapter) => falseAt(adapter, condition), finish));
async function falseAt(adapter: Adapter, condition: string): Promise<void> {
  const { breakpoints } = await adapter.request('setFunctionBreakpoints', {
    breakpoints: [{ name: 'visit', condition }],
  });
  if (!breakpoints[0].verified) throw new Error(`the breakpoint: ${breakpoints[0].message}`);
}

/** A page that nobody writes. */
const QUIET = '0x3000000';
/** Rounds of `stores` with eight bytes watched; the condition is never true. */
const stores = (count: number, watched: ((adapter: Adapter) => Promise<string>) | undefined): Measure => async () =>
  rateOf(count, await adapted(`stores ${count} 1`, async (adapter) => {
    await at(adapter, 'stores');
    if (watched === undefined) return;
    const watch = { dataId: `gv:${await watched(adapter)}:8`, accessType: 'write', condition: 'watched.rare == 1' };
    const { breakpoints } = await adapter.request('setDataBreakpoints', { breakpoints: [watch] });
    if (!breakpoints[0].verified) throw new Error(`the data breakpoint: ${breakpoints[0].message}`);
  }, finish)); // prettier-ignore
const rare = async (adapter: Adapter): Promise<string> => {
  const { result } = await adapter.request('evaluate', { expression: '&watched.rare', context: 'watch' });
  const [address] = /0x[0-9a-f]+/.exec(result as string) ?? [];
  if (address === undefined) throw new Error(`&watched.rare is ${result}`);
  return address;
};
/** `rare` is written every so many rounds (kernels/debugged.c): what it is after the write number `writes`. */
const RARE_ROUNDS = 65536;
const rareAfter = (writes: number): number => (RARE_ROUNDS * writes * (writes + 1)) / 2;

const gdb = (append: string, prepare: readonly string[], measured: readonly string[], count: number, expected: RegExp): Measure => async () => {
  const report = await underGdb(guest(append), prepare, measured);
  if (!expected.test(report.output)) throw new Error(`gdb said something else:\n${report.output}`);
  return rateOf(count, report);
}; // prettier-ignore

/** Sizes: how often each thing is done. */
export interface Sizes {
  steps: number;
  stepi: number;
  lines: number;
  conditions: number;
  /** Rounds. */
  stores: number;
  theirs: number;
  /** Writes to what is watched rarely. */
  theirWrites: number;
}
export const FULL: Sizes = {
  steps: 20_000,
  stepi: 200_000,
  lines: 5000,
  conditions: 2_000_000,
  stores: 20_000_000,
  theirs: 1000,
  theirWrites: 20,
};
export const SMALL: Sizes = {
  steps: 50,
  stepi: 1000,
  lines: 5,
  conditions: 2000,
  stores: 200_000,
  theirs: 10,
  theirWrites: 1,
};

export function rowsOf(sizes: Sizes, withQemu: boolean, withGdb: boolean): Row[] {
  const stub = withQemu ? stubSteps(sizes.theirs * 2) : undefined;
  const onGdb = withQemu && withGdb;
  const { theirs, theirWrites } = sizes;
  const rounds = RARE_ROUNDS * theirWrites;
  const onStores = (measured: string[], expected: RegExp): Measure | undefined =>
    onGdb ? gdb(`stores ${rounds + 1} 1`, ['tbreak stores', 'continue'], measured, rounds, expected) : undefined;
  const atFib = ['tbreak fib', 'continue'];
  return [
    { name: 'single steps, each waits for the last one / stub, `s` packets', ours: steps(sizes.steps, 1), theirs: stub },
    { name: 'single steps, 64 requests sent ahead / stub, `s` packets', ours: steps(sizes.steps * 3, 64), theirs: stub },
    { name: '`stepi N` in the console / gdb `stepi N`', ours: stepi(sizes.stepi), theirs: onGdb ? gdb('fib 40 1', atFib, [`stepi ${theirs}`], theirs, /fib/) : undefined },
    { name: '`next` over lines of hash.c / gdb `next N`', ours: lines(sizes.lines), theirs: onGdb ? gdb('hash 100000000 1', ['tbreak hash', 'continue'], [`next ${Math.ceil(theirs / 10)}`], Math.ceil(theirs / 10), /\d/) : undefined },
    { name: 'false conditions, register (`$rdi == -1`)', ours: conditions(sizes.conditions, '$rdi == -1'), theirs: onGdb ? gdb(`visits ${sizes.conditions} 1`, ['tbreak visit', 'continue', `break visit if $rdi == ${theirs}`], ['continue'], theirs, /Breakpoint 2/) : undefined },
    { name: 'false conditions, argument and global (`number > 5 && visit_sum == 1`)', ours: conditions(sizes.conditions, 'number > 5 && visit_sum == 1'), theirs: onGdb ? gdb(`visits ${sizes.conditions} 1`, ['tbreak visit', 'continue', `break visit if number == ${theirs} || (number > 5 && visit_sum == 1)`], ['continue'], theirs, /Breakpoint 2/) : undefined },
    { name: 'rounds of `stores`, nothing watched / gdb `finish`', ours: stores(sizes.stores, undefined), theirs: onStores(['finish'], /Value returned/) },
    { name: 'the same, a data breakpoint on a quiet page / gdb `watch`', ours: stores(sizes.stores, () => Promise.resolve(QUIET)), theirs: onStores([`watch *(long *)${QUIET}`, 'finish'], /Value returned/) },
    { name: 'the same, on `rare`, whose page is written every 16 rounds / gdb `watch if`', ours: stores(sizes.stores, rare), theirs: onStores([`watch watched.rare if watched.rare == ${rareAfter(theirWrites)}`, 'continue'], /New value/) },
  ]; // prettier-ignore
}

async function medians(measure: Measure, rounds: number): Promise<Rate> {
  const all: Rate[] = [];
  for (let round = 0; round < rounds; round++) all.push(await measure());
  return { wall: median(all.map(({ wall }) => wall)), cpu: median(all.map(({ cpu }) => cpu)) };
}

export const debugging: Part = {
  name: 'debugging',
  async run({ rounds, log }: BenchContext) {
    const cells: string[][] = [];
    for (const { name, ours, theirs } of rowsOf(FULL, haveQemu(), haveGdb())) {
      const our = await medians(ours, rounds);
      const their = theirs && (await medians(theirs, rounds));
      log(`${name}: ${figure(our.wall)}/s`);
      cells.push([name, figure(our.wall), figure(their?.wall), ratio(their && our.wall / their.wall), figure(our.cpu), figure(their?.cpu), ratio(their && our.cpu / their.cpu)]); // prettier-ignore
    }
    return table(['', 'ringside, /s', 'QEMU, /s', 'speed', 'ringside, /CPU s', 'QEMU, /CPU s', 'speed by CPU'], cells);
  },
};
