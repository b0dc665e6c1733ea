/** Conditions against a program: names are checked as one types, and a bad one is marked with its column before the run. */
import assert from 'node:assert/strict';
import type { CustomRequests } from '../../debug-adapter/protocol';
import type { Client } from './support/client';
import { launchSample, sampleSource, clientForEach } from './support/server';

type Answer = CustomRequests['ringside/condition']['body'];

describe('conditions', () => {
  let client: Client;
  clientForEach((own) => (client = own));

  it('are checked before the run starts, everywhere: a bad one is not verified and names the column', async () => {
    const bad = '$cs == 8 && nope > 1';
    const problem = /^Column 13: no variable, register or symbol is named "nope"/;
    await launchSample(client, {
      attributes: { technique: 'trap-and-emulate', stopOnEntry: true },
      configure: async (own: Client) => {
        const functions = await own.request('setFunctionBreakpoints', { breakpoints: [{ name: 'handle_page_fault', condition: bad }] }); // prettier-ignore
        const filterOptions = ['vm-exit', 'trap:#PF', 'silent-hole'].map((filterId) => ({ filterId, condition: bad }));
        const filters = await own.request('setExceptionBreakpoints', { filters: [], filterOptions });
        const lines = await own.request('setBreakpoints', { source: { path: sampleSource('boot.S') }, breakpoints: [{ line: 111, condition: bad }] }); // prettier-ignore
        for (const { breakpoints } of [functions, filters, lines])
          for (const { verified, message } of breakpoints) {
            assert.equal(verified, false);
            assert.match(message, problem);
          }
      },
    });
    await client.event('stopped');
    const ask = (text: string): Promise<Answer> => client.request('ringside/condition', { text }) as Promise<Answer>;
    assert.deepEqual((await ask(bad)).problem?.column, 13);
    assert.equal((await ask('$cs == 8 && exit.port == 0x3f8')).problem, undefined);
    const labels = async (text: string): Promise<string[]> => (await ask(text)).items.map(({ label }) => label);
    assert.ok((await labels('exit.reason == "cr')).includes('cr-access'));
    assert.ok((await labels('handle_pa')).includes('handle_page_fault'));
    assert.ok((await labels('$cr')).includes('$cr3'));
    assert.ok((await labels('trap.ve')).includes('trap.vector'));
  });
});
