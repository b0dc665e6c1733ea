/** `npm run package`: builds the .vsix and checks that it holds what runs, and no more. */
import { spawnSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packageExtension } from './vsix';

const MAX_BYTES = 5 * 1024 * 1024;
/** What the editor loads when the extension starts: no emulator, and no language client. */
const MAX_START_BYTES = 400 * 1024;

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const require = createRequire(import.meta.url);
const { name, version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Record<string, string>;
const output = join(root, `${name}-${version}.vsix`);

const webpack = join(dirname(require.resolve('webpack/package.json')), 'bin', 'webpack.js');
const { status } = spawnSync(process.execPath, [webpack], { cwd: root, stdio: 'inherit' });
if (status !== 0) process.exit(status ?? 1);
packageExtension(output);

const start = statSync(join(root, 'dist', 'extension.js')).size;
if (start > MAX_START_BYTES) {
  console.error(`dist/extension.js has ${start} bytes: something large is imported that could be imported late.`);
  process.exit(1);
}

const bytes = statSync(output).size;
console.log(`${output}: ${(bytes / 1024 / 1024).toFixed(2)} MiB`);
if (bytes > MAX_BYTES) {
  console.error(`The package is larger than ${MAX_BYTES / 1024 / 1024} MiB: see .vscodeignore for what goes in.`);
  process.exit(1);
}
