/** What this computer has, and what its programs have used of it. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { cpus } from 'node:os';
import { resolve } from 'node:path';
import { v86Version } from './v86';

/** The first line that a program says of its version; undefined: not installed. */
export function version(program: string, flag = '--version'): string | undefined {
  const { stdout, error } = spawnSync(program, [flag], { encoding: 'utf8' });
  return error ? undefined : (/\d+(\.\d+)+/.exec(stdout)?.[0] ?? '?');
}

export const QEMU = 'qemu-system-x86_64';
export const haveQemu = (): boolean => version(QEMU) !== undefined;
export const haveGdb = (): boolean => version('gdb') !== undefined;

/** One sentence for the head of each table. */
export function surroundings(): string {
  const named = (name: string, found: string | undefined): string => (found ? `${name} ${found}` : `${name} absent`);
  const date = new Date().toISOString().slice(0, 10);
  const all = cpus();
  return [
    `${date}; ${all.length} x ${all[0]?.model.trim() ?? 'unknown processor'}`,
    `Node ${process.versions.node}`,
    named('QEMU', version(QEMU)),
    named('gdb', version('gdb')),
    named('Bochs', version('bochs', '--help')),
    named('v86', v86Version()),
  ].join(', ');
}

/** User and system time of a running process, all threads, s. To the nanosecond, where /proc/PID/stat has ticks of 10 ms. */
export function cpuSeconds(pid: number): number {
  const tasks = `/proc/${pid}/task`;
  if (!existsSync(tasks)) throw new Error(`${tasks} does not exist: CPU time of other processes is read on Linux only`);
  let ns = 0;
  for (const task of readdirSync(tasks))
    ns += Number(readFileSync(`${tasks}/${task}/schedstat`, 'latin1').split(' ')[0]);
  return ns / 1e9;
}

/** Where the images of benches are: a bundle lies elsewhere, and is told. */
export const benchFolder = (): string => process.env.RINGSIDE_BENCH ?? resolve(__dirname, '..');
