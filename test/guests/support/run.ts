/** The built command line on a guest: what it printed, how it ended, what its report says. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..', '..', '..');

/** Path in a package that scripts/fetch-guests.mjs unpacked. */
export const guest = (path: string): string => join(root, '.cache', 'guests', path);

export interface Report {
  instructions: number;
  stop: string;
  stateHash: string;
}

export interface Ended {
  status: number | null;
  console: string;
  /** The end of the console and what went to stderr, for messages of assertions. */
  tail: string;
  report?: Report;
}

/** Runs `dist/cli.js run IMAGE OPTIONS`, without an image where firmware starts a disk; `script` becomes the file of --script. */
export function runGuest(image: string | undefined, options: readonly string[], script?: string): Ended {
  return withFolder((folder) => {
    const json = join(folder, 'report.json');
    const conversation = join(folder, 'script.txt');
    if (script !== undefined) writeFileSync(conversation, script);
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [
        ...[join(root, 'dist', 'cli.js'), 'run', ...(image === undefined ? [] : [image]), '--json', json, ...options],
        ...(script === undefined ? [] : ['--script', conversation]),
      ],
      { encoding: 'utf8', maxBuffer: 1 << 26 },
    );
    const report = existsSync(json) ? (JSON.parse(readFileSync(json, 'utf8')) as Report) : undefined;
    return { status, console: stdout, tail: stdout.slice(-1500) + stderr, report };
  });
}

/** A folder of one's own for as long as `use` runs. */
export function withFolder<T>(use: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'ringside-'));
  try {
    return use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
