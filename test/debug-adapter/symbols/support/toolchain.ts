/** Programs built at test time, and what other tools say about them. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const PROGRAMS = new URL('../programs/', import.meta.url).pathname;

const has = (tool: string): boolean => {
  try {
    execFileSync(tool, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};
export const hasGcc = has('gcc') && has('readelf');
export const hasGdb = hasGcc && has('gdb');

const directory = mkdtempSync(join(tmpdir(), 'ringside-symbols-'));
process.on('exit', () => rmSync(directory, { recursive: true, force: true }));

export const run = (tool: string, ...args: string[]): string =>
  execFileSync(tool, args, {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    stdio: ['ignore', 'pipe', 'ignore'],
    cwd: directory,
  });

/** Path of the program built from `sources` with `flags`; built once for each set. */
export const build = (flags: readonly string[], sources: readonly string[] = ['shapes.c', 'calls.c']): string => {
  const output = join(directory, `${[...sources, ...flags].join('_').replace(/[^\w.=+-]/g, '_')}.elf`);
  if (!existsSync(output)) run('gcc', '-g', ...flags, ...sources.map((s) => join(PROGRAMS, s)), '-o', output);
  return output;
};
export const bytesOf = (path: string): Uint8Array => new Uint8Array(readFileSync(path));
export const inDirectory = (name: string): string => join(directory, name);
