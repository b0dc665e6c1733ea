/** gdb on QEMU's stub: a script, and what a part of it took. */
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { QEMU } from './host';
import { qemuArguments } from './qemu';
import type { QemuOptions } from './qemu';

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });

export interface GdbReport {
  /** What gdb printed between the two readings of the clock. */
  output: string;
  wall: number;
  /** User and system time of QEMU and of gdb, s. */
  cpu: number;
}

/** QEMU stands at its first instruction; gdb connects and does `prepare`, then `measured`, which alone counts. */
export async function underGdb(
  options: QemuOptions,
  prepare: readonly string[],
  measured: readonly string[],
): Promise<GdbReport> {
  const port = await freePort();
  const more = ['-serial', 'null', '-S', '-gdb', `tcp:127.0.0.1:${port}`];
  const qemu = spawn(QEMU, qemuArguments({ ...options, more }), { stdio: 'ignore' });
  try {
    // The shell's parent is gdb itself.
    const clock = `shell echo MARK $(date +%s%N) $(cat /proc/${qemu.pid}/task/*/schedstat /proc/$PPID/task/*/schedstat | awk '{s+=$1} END {printf "%d", s}')`;
    const begin = ['set confirm off', 'set pagination off', 'set tcp connect-timeout 30', `target remote 127.0.0.1:${port}`]; // prettier-ignore
    const script = [...begin, ...prepare, clock, ...measured, clock, 'kill'].flatMap((command) => ['-ex', command]);
    const output = await outputOf('gdb', ['-nx', '-batch', options.kernel, ...script]);
    const [, first, between, second] = /MARK (\d+ \d+)\n([\s\S]*)MARK (\d+ \d+)/.exec(output) ?? [];
    if (first === undefined || second === undefined) throw new Error(`gdb did not get to the end:\n${output}`);
    const [from, to] = [first, second].map((mark) => mark.split(' ').map(Number));
    return { output: between!, wall: (to![0]! - from![0]!) / 1e9, cpu: (to![1]! - from![1]!) / 1e9 };
  } finally {
    qemu.kill('SIGKILL');
  }
}

function outputOf(program: string, args: readonly string[]): Promise<string> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (part: string) => (text += part)); // prettier-ignore
  return new Promise((resolve, reject) => child.on('error', reject).on('close', () => resolve(text)));
}
