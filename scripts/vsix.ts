/** The package of what is built. */
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const require = createRequire(import.meta.url);

/** Error: what vsce says. */
export function packageExtension(output: string): void {
  const vsce = join(dirname(require.resolve('@vscode/vsce/package.json')), 'vsce');
  // Everything is bundled: nothing of node_modules goes along.
  const options = ['--no-dependencies', '--allow-missing-repository', '--no-rewrite-relative-links', '--out', output];
  const { status, stdout, stderr } = spawnSync(process.execPath, [vsce, 'package', ...options], { cwd: root, encoding: 'utf8' }); // prettier-ignore
  if (status !== 0) throw new Error(`vsce package failed\n${stdout}${stderr}`);
}
