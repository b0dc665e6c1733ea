/** Steps that a client sends in a row: the REPL's `stepi COUNT`, and requests that do not wait for the one before. */
import assert from 'node:assert/strict';
import { Server, evaluate, stopAt } from './support/server';
import type { Client } from './support/client';

const instructions = async (client: Client): Promise<number> => Number(await evaluate(client, 'instructions'));
const pc = (client: Client): Promise<string> => evaluate(client, '$rip');

/** Where the processor is after so many more steps, which are not taken. */
const behind = async (client: Client, count: number): Promise<string> => {
  const { instructions: listed } = await client.request('disassemble', {
    memoryReference: (await pc(client)).split(' ')[0],
    instructionCount: count + 1,
  });
  return listed[count].address;
};

describe('many steps', function () {
  let server: Server;
  before(async () => (server = await Server.start()));
  after(() => server.stop());
  const atKernel = async (work: (client: Client) => Promise<void>): Promise<void> => {
    const client = await server.connect();
    await stopAt(client, 'kernel_main');
    await client.request('setFunctionBreakpoints', { breakpoints: [] });
    await work(client);
    client.kill();
  };
  const stepi = async (client: Client, count: string): Promise<{ reason: string }> => {
    client.forget('stopped');
    assert.equal(await evaluate(client, `stepi ${count}`, undefined, 'repl'), '');
    return client.event('stopped') as Promise<{ reason: string }>;
  };

  it('stepi goes as far as so many requests', async () => {
    let expected = ['', ''];
    await atKernel(async (client) => {
      const before = await instructions(client);
      for (let n = 0; n < 40; n++) await client.run('stepIn', { granularity: 'instruction' });
      expected = [await pc(client), String((await instructions(client)) - before)];
    });
    await atKernel(async (client) => {
      const before = await instructions(client);
      assert.equal((await stepi(client, '40')).reason, 'step');
      assert.deepEqual([await pc(client), String((await instructions(client)) - before)], expected);
    });
  });

  it('stepi stops at a breakpoint on the way', () =>
    atKernel(async (client) => {
      for (let n = 0; n < 5; n++) await client.run('stepIn', { granularity: 'instruction' });
      const before = await instructions(client);
      await client.run('stepIn', { granularity: 'instruction' });
      const { breakpoints } = await client.request('setInstructionBreakpoints', { breakpoints: [{ instructionReference: await behind(client, 3) }] }); // prettier-ignore
      assert.ok(breakpoints[0].verified);
      assert.equal((await stepi(client, '100')).reason, 'instruction breakpoint');
      assert.ok((await instructions(client)) < before + 100);
    }));

  it('requests may be sent ahead: each is answered, each stops', () =>
    atKernel(async (client) => {
      const before = await instructions(client);
      client.forget('stopped');
      const steps = Array.from({ length: 30 }, () => client.request('stepIn', { threadId: 1, granularity: 'instruction' })); // prettier-ignore
      await Promise.all(steps);
      for (let n = 0; n < 30; n++) assert.equal((await client.event('stopped') as { reason: string }).reason, 'step'); // prettier-ignore
      assert.equal(await instructions(client), before + 30);
    }));

  it('a count must be one', () =>
    atKernel(async (client) => {
      for (const text of ['0', '-1', 'many'])
        assert.match(
          await client.refusal('evaluate', { expression: `stepi ${text}`, context: 'repl' }),
          /give a number/,
        );
    }));
});
