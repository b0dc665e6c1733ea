/** Serves sessions from Node: DAP on stdio, or one session a connection on 127.0.0.1. */
import { createServer } from 'node:net';
import { nodeFiles } from './files-node';
import { RingsideSession } from './session';
import { serve } from './transport';

const USAGE = 'Usage: debug-adapter.js [--port N]   DAP on stdio, or on 127.0.0.1:N, one session a connection.';

const wrongUse = (why: string): number => {
  process.stderr.write(`${why}\n${USAGE}\n`);
  return 2;
};

/** Undefined: stdio. A text: what is wrong. */
function parsePort(args: readonly string[]): number | undefined | string {
  if (args.length === 0) return undefined;
  const [flag, ...rest] = args;
  const [name, inline] = flag!.split('=', 2) as [string, string | undefined];
  if (name !== '--port') return `${flag} is not an option of the debug adapter.`;
  const value = inline ?? rest.shift();
  if (rest.length > 0) return `${rest[0]} is one argument too many.`;
  if (value === undefined || !/^\d{1,5}$/.test(value) || Number(value) > 65535) {
    return `--port is ${value === undefined ? 'without a number' : `'${value}'`}; give a port from 0 to 65535 (0: any free one).`;
  }
  return Number(value);
}

/** Runs until the last session ends; the exit status. `makeSession` is another one in tests. */
export function serveProcess(
  args: readonly string[],
  makeSession = (): RingsideSession => new RingsideSession(nodeFiles),
): Promise<number> {
  if (args.some((arg) => arg === '--help' || arg === '-h')) {
    process.stdout.write(`${USAGE}\n`);
    return Promise.resolve(0);
  }
  const port = parsePort(args);
  if (typeof port === 'string') return Promise.resolve(wrongUse(port));
  if (port === undefined) {
    return new Promise((resolve) => serve(makeSession(), process.stdin, process.stdout, () => resolve(0)));
  }
  return new Promise((resolve) => {
    const server = createServer((socket) => {
      socket.setNoDelay(true);
      serve(makeSession(), socket, socket, () => socket.destroy());
    });
    server.on('error', (error: NodeJS.ErrnoException) => {
      const why = error.code === 'EADDRINUSE' ? 'another program listens there' : (error.code ?? error.message);
      resolve(wrongUse(`--port ${port}: ${why}; choose another port.`));
    });
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      const actual = typeof address === 'object' && address !== null ? address.port : port;
      process.stderr.write(`Listening on 127.0.0.1:${actual}\n`);
    });
  });
}
