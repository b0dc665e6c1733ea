/**
 * `npm start`: builds, then serves a VS Code for the browser with the sample guest open, and says where. PORT chooses the
 * port, else any free one; Ctrl+C ends it.
 */
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { serve } from './web-server';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const require = createRequire(import.meta.url);

function fail(message: string): never {
  console.error(message);
  process.exit(1);
}

const text = process.env['PORT'] ?? '0';
const port = Number(text);
if (!Number.isInteger(port) || port < 0 || port > 65535) fail(`PORT is ${text}; give a number from 1 to 65535.`);

// Silent when all is well: the one line that is printed is the address.
const webpack = join(dirname(require.resolve('webpack/package.json')), 'bin', 'webpack.js');
const built = spawnSync(process.execPath, [webpack], { cwd: root, encoding: 'utf8' });
if (built.status !== 0) fail(`The build failed.\n${built.stdout}${built.stderr}`);

async function main(): Promise<void> {
  const { server, url } = await serve({ port, workspace: join(root, 'guests', 'sample') });
  console.log(`Ringside is ready: ${url}`);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      server.close();
      server.closeAllConnections();
      process.exit(0);
    });
  }
}

main().catch((error: NodeJS.ErrnoException) => {
  if (error.code !== 'EADDRINUSE') throw error;
  fail(`Port ${port} is in use: choose another, as in PORT=8080 npm start.`);
});
