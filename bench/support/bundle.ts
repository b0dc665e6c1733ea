/** Programs as they are shipped, in one file: the loader that runs TypeScript directly slows hot code several-fold. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const root = resolve(__dirname, '../..');

interface Bundler {
  buildSync(options: object): unknown;
}
/** The one that tsx brings along. */
const bundler = (): Bundler => createRequire(createRequire(__filename).resolve('tsx'))('esbuild') as Bundler;

let folder: string | undefined;

/** Where bundles and other files of this run lie; gone when the process ends. */
export function workFolder(): string {
  if (folder === undefined) {
    const made = (folder = mkdtempSync(join(tmpdir(), 'ringside-bench-')));
    process.on('exit', () => rmSync(made, { recursive: true, force: true }));
  }
  return folder;
}

const built = new Map<string, string>();

/** The program that begins in `entry` (from the root), for Node: where it lies. */
export function bundle(entry: string): string {
  const known = built.get(entry);
  if (known !== undefined) return known;
  const outfile = join(workFolder(), entry.replace(/\.ts$/, '.cjs').replaceAll('/', '-'));
  bundler().buildSync({ entryPoints: [join(root, entry)], bundle: true, platform: 'node', format: 'cjs', outfile });
  built.set(entry, outfile);
  return outfile;
}
