/** The same stop, seen by gdb on QEMU and by the adapter: arguments, locals and what they point to, frame by frame. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { createServer } from 'node:net';
import { evaluate, frames, SAMPLE, Server, stopAt } from './support/server';

const present = (program: string): boolean => spawnSync(program, ['--version']).status === 0;

/**
 * By function, from the innermost out. Not `frame->rflags`: faults push RF as 1 (SDM vol. 3B section 18.3.1.1), which QEMU's
 * TCG leaves 0.
 */
const QUESTIONS: [frame: string, expressions: string[]][] = [
  ['handle_page_fault', ['address', 'error', 'current->name', 'current->id', 'current->regions[1].kind', 'task_count', 'ticks', 'sizeof(struct task)']],
  ['handle_interrupt', ['address', 'frame->vector', 'frame->error', 'frame->rip', 'frame->cs', 'frame->rsp', 'frame->ss', 'frame->rdi', 'current->counters']],
  ['user_walker', ['rounds', 'round', 'line.length', '$rip', '$rsp', 'statistics']],
]; // prettier-ignore

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });

/** What differs in notation only: types before pointers, symbols behind them, `= {` of structures. */
const plain = (text: string): string =>
  text
    .replace(/^\(.*?\*?\) (?=0x)/, '')
    .replace(/ <[^>]*>/g, '')
    .replace(/, '\\0{3}' <repeats \d+ times>|(\\000)+(?=")/g, '')
    .replace(/0x0*(?=[0-9a-f])/g, '0x')
    .trim();

function askGdb(port: number): Map<string, string> {
  const commands = [`target remote 127.0.0.1:${port}`, 'break handle_page_fault', 'continue'];
  for (const [name, expressions] of QUESTIONS) {
    commands.push(`frame function ${name}`);
    for (const expression of expressions) commands.push(`printf "@${name} ${expression.replace(/"/g, '\\"').replace(/%/g, '%%')}\\n"`, `output ${expression}`, 'printf "\\n"'); // prettier-ignore
  }
  const args = ['-batch', '-nx', SAMPLE, ...commands.flatMap((each) => ['-ex', each])];
  const { stdout } = spawnSync('gdb', args, { encoding: 'utf8', timeout: 30_000 });
  const answers = new Map<string, string>();
  for (const part of stdout.split('\n@').slice(1)) {
    const [question = '', ...lines] = part.split('\n');
    answers.set(question, lines[0] ?? '');
  }
  return answers;
}

describe('agreement with gdb on QEMU', () => {
  it('sees the same values in the page-fault handler and in the user code below', async function () {
    if (!present('gdb') || !present('qemu-system-x86_64')) {
      console.log('      skipped: gdb and qemu-system-x86_64 are not installed');
      return this.skip();
    }
    const port = await freePort();
    const options = ['-kernel', SAMPLE, '-append', 'exit', '-m', '64', '-display', 'none', '-serial', 'null', '-no-reboot', '-S', '-gdb', `tcp:127.0.0.1:${port}`]; // prettier-ignore
    const qemu = spawn('qemu-system-x86_64', options, { stdio: 'ignore' });
    let answers: Map<string, string>;
    try {
      await new Promise((resolve) => setTimeout(resolve, 1500));
      answers = askGdb(port);
    } finally {
      qemu.kill();
    }
    const server = await Server.start();
    const client = await server.connect();
    try {
      await stopAt(client, 'handle_page_fault');
      const stack = await frames(client);
      let compared = 0;
      for (const [name, expressions] of QUESTIONS) {
        const frame = stack.find((each) => each.name === name);
        assert.ok(frame, `${name} is on the stack`);
        for (const expression of expressions) {
          const expected = answers.get(`${name} ${expression}`);
          if (expected === undefined || expected === '') continue;
          const ours = plain(await evaluate(client, expression, frame.id));
          const same = ours === plain(expected) || (/^0x/.test(ours) && /^(0x[0-9a-f]+|\d+)$/.test(plain(expected)) && BigInt(ours) === BigInt(plain(expected))); // prettier-ignore
          assert.ok(same, `${name}: ${expression} is ${ours} here and ${plain(expected)} in gdb`);
          compared++;
        }
      }
      assert.ok(compared >= 15, `only ${compared} values were compared`);
    } finally {
      client.kill();
      server.stop();
    }
  });
});
