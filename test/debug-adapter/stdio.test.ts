/** The whole program over real stdio: a transcript as a golden, wrong use, endings. UPDATE=1 rewrites the golden. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { Client } from './support/client';
import { ADAPTER, SAMPLE, sampleSource } from './support/server';

const golden = (name: string, actual: string): void => {
  const path = resolve('test/golden/dap', name);
  if (process.env.UPDATE === '1' || !existsSync(path)) {
    assert.ok(process.env.UPDATE === '1', `${path} does not exist; UPDATE=1 writes it`);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, actual);
  }
  assert.equal(actual, readFileSync(path, 'utf8'));
};

/** Messages as lines for human eyes; what differs from machine to machine is left out. */
const transcript = (client: Client): string =>
  client.log
    .map((message) => {
      const { type, command, event, body, success, arguments: args, message: text } = message as unknown as Record<string, unknown>;
      if (type === 'request') return `> ${command as string} ${JSON.stringify(args ?? {})}`;
      if (type === 'event') return `! ${event as string} ${JSON.stringify(body ?? {})}`;
      return `< ${command as string} ${success ? JSON.stringify(body ?? {}) : `refused: ${text as string}`}`;
    })
    .join('\n')
    .replaceAll(resolve('.'), '.')
    .concat('\n'); // prettier-ignore

describe('the adapter as a program', function () {
  it('speaks DAP on stdio: launch, breakpoint, stack, variables, step, end', async () => {
    const client = Client.start(ADAPTER);
    await client.request('initialize', { adapterID: 'ringside' });
    client.log.length = 0;
    const launched = client.request('launch', { kernel: SAMPLE, memory: '64M', append: 'exit', colour: 'red' });
    await client.event('initialized');
    await launched;
    const source = { path: sampleSource('kernel.c') };
    const line = readFileSync(source.path, 'utf8').split('\n').findIndex((each) => each.includes('run_tasks();')) + 1; // prettier-ignore
    assert.ok(line > 0);
    await client.request('setBreakpoints', { source, breakpoints: [{ line }] });
    await client.request('setExceptionBreakpoints', { filters: ['triple-fault'] });
    await client.request('configurationDone');
    await client.event('stopped');
    await client.request('threads');
    const { stackFrames } = await client.request('stackTrace', { threadId: 1 });
    await client.request('scopes', { frameId: stackFrames[0].id });
    await client.request('evaluate', { expression: 'task_count', frameId: stackFrames[0].id, context: 'hover' });
    await client.response('evaluate', { expression: 'nothing', frameId: stackFrames[0].id, context: 'watch' });
    await client.request('setBreakpoints', { source, breakpoints: [] });
    await client.run('stepIn');
    await client.response('launch', { kernel: SAMPLE });
    await client.response('stackTrace', { threadId: 7 });
    await client.request('continue', { threadId: 1 });
    await client.event('terminated');
    const exit = client.exit();
    await client.request('disconnect', {});
    assert.equal(await exit, 0);
    // Output comes in pieces as the host's speed has it.
    const quiet = client.log.filter((each) => (each as { event?: string; body?: { category?: string } }).body?.category !== 'stdout');
    client.log.splice(0, client.log.length, ...quiet);
    golden('session.txt', transcript(client));
  }); // prettier-ignore

  it('ends when the client goes away', async () => {
    const client = Client.start(ADAPTER);
    await client.request('initialize', {});
    const exit = client.exit();
    client.kill();
    assert.notEqual(await exit, 1);
  });

  const wrongUse = (args: string[], message: RegExp): void => {
    it(`refuses ${args.join(' ')}`, () => {
      const { status, stderr, stdout } = spawnSync(process.execPath, ['--import', 'tsx', ADAPTER, ...args], { encoding: 'utf8' });
      assert.deepEqual([status, stdout], [2, '']);
      assert.match(stderr, message);
    });
  }; // prettier-ignore
  it('says with --help how it is started', () => {
    const { status, stdout } = spawnSync(process.execPath, ['--import', 'tsx', ADAPTER, '--help'], {
      encoding: 'utf8',
    });
    assert.equal(status, 0);
    assert.match(stdout, /^Usage: debug-adapter\.js \[--port N\]/);
  });
  wrongUse(['--prot', '1'], /--prot is not an option/);
  wrongUse(['--port'], /--port is without a number/);
  wrongUse(['--port', '70000'], /--port is '70000'; give a port/);
  wrongUse(['--port', '1', '2'], /2 is one argument too many/);

  it('names the attribute when a kernel cannot be read or is none', async () => {
    const client = Client.start(ADAPTER);
    await client.request('initialize', {});
    assert.match(await client.refusal('launch', { kernel: '/no/such/kernel' }), /^Launch attribute 'kernel': Cannot read .*there is no such file/); // prettier-ignore
    assert.match(await client.refusal('launch', { kernel: ADAPTER }), /main\.ts/);
    assert.match(await client.refusal('launch', { kernel: SAMPLE, symbols: ['/nope'] }), /'symbols\[0\]'.*\/nope/);
    assert.match(
      await client.refusal('launch', { kernel: SAMPLE, cpus: 9 }),
      /'cpus' is 9; give a whole number from 1 to 8/,
    );
    assert.match(await client.refusal('stackTrace', { threadId: 1 }), /Nothing has been launched/);
    client.kill();
  });
});
