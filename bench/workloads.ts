/** Seven workloads as bare guests (kernels/), in 64 and in 32 bits: how much of each, what it must answer, how long it took. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { bundle } from './support/bundle';
import type { GuestReport, GuestSpec } from './support/guest-run';

export const IMAGE = join(__dirname, 'kernels', 'kernels.elf');
/** The same sources, and the same answers. */
export const IMAGE_32 = join(__dirname, 'kernels', 'kernels32.elf');
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

export const workloadSpec = (
  name: string,
  count: number,
  runs: number,
  tier: GuestSpec['tier'],
  kernel = IMAGE,
): GuestSpec => ({
  kernel,
  append: `${name} ${count} ${runs}`,
  memoryMib: MEMORY_MIB,
  ...(tier && { tier }),
});

export interface Timed {
  cpu: number;
  instructions: number;
}
/** CPU time from each `start` to its checksum, which must be right. */
export function runsOf(report: GuestReport, name: string, sum: string, where = 'ringside'): Timed[] {
  const runs: Timed[] = [];
  report.lines.forEach(({ line, cpu, instructions }, i) => {
    const before = report.lines[i - 1];
    if (before?.line !== 'start') return;
    expectSum(line, sum, name, where);
    runs.push({ cpu: cpu - before.cpu, instructions: instructions - before.instructions });
  });
  if (runs.length === 0) throw new Error(`${name} on ${where} ended by ${report.stop} without a checksum`);
  return runs;
}
export function expectSum(got: string, sum: string, name: string, where: string): void {
  if (got !== sum) throw new Error(`${name} on ${where}: the checksum is ${got} instead of ${sum}`);
}

/** As runGuest, in a process of its own. */
export const inChild = (spec: GuestSpec): GuestReport =>
  JSON.parse(
    execFileSync(process.execPath, [bundle('bench/support/guest-child.ts'), JSON.stringify(spec)], {
      encoding: 'utf8',
      maxBuffer: 64 << 20,
    }),
  ) as GuestReport;
