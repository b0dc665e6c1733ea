/** Lines of the sample kernel's assembly with what they cost under trap-and-emulate: as the editor shows above them. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { CustomRequests } from '../../debug-adapter/protocol';
import type { Client } from './support/client';
import { launchSample, clientForEach } from './support/server';

const FOLDER = resolve(__dirname, '../../guests/sample');
type Body = CustomRequests['ringside/exitLines']['body'];

describe('exits by line', () => {
  let client: Client;
  clientForEach((own) => (client = own));

  const stop = async (own: Client): Promise<void> => {
    await own.request('setFunctionBreakpoints', { breakpoints: [{ name: 'handle_page_fault' }] });
  };
  const linesOf = async (file: string, count = true): Promise<Body> =>
    (await client.request('ringside/exitLines', { source: { path: join(FOLDER, file) }, count })) as Body;

  it('every line that is told of holds a privileged or sensitive instruction', async () => {
    await launchSample(client, {
      attributes: { technique: 'trap-and-emulate' },
      configure: async (own: Client) => {
        assert.deepEqual(await linesOf('boot.S'), { of: 'all', lines: [] });
        await stop(own);
      },
    });
    await client.event('stopped');
    const source = readFileSync(join(FOLDER, 'boot.S'), 'utf8').split('\n');
    const { of, lines } = await linesOf('boot.S');
    assert.equal(of, 'all');
    const words = lines.map(({ line }) => source[line - 1].trim().split(/\s+/)[0]);
    for (const wanted of ['lgdt', 'mov', 'wrmsr']) assert.ok(words.some((word) => word.startsWith(wanted)), `${wanted} of ${words.join(', ')}`); // prettier-ignore
    for (const { exits, reasons, holes } of lines) {
      assert.equal(exits, Object.values(reasons).reduce((sum, each) => sum + each, 0)); // prettier-ignore
      assert.ok(exits + holes > 0);
    }
    const { lines: inC } = await linesOf('interrupts.S');
    assert.ok(inC.some(({ holes }) => holes > 0), 'IRET falls through'); // prettier-ignore
    assert.deepEqual((await linesOf('nowhere.S')).lines, []);
  });

  it('counting that begins at a stop loses nothing that is kept, and counts nothing twice', async () => {
    await launchSample(client, { attributes: { technique: 'trap-and-emulate' }, configure: stop });
    await client.event('stopped');
    const kept = await linesOf('boot.S', false);
    assert.ok(kept.lines.length > 3);
    assert.deepEqual([kept.of, (await linesOf('boot.S')).lines], ['kept', kept.lines]);
    await client.run('continue');
    // What boots is executed once.
    assert.deepEqual((await linesOf('boot.S')).lines, kept.lines);
  });

  it('without a hypervisor there are none', async () => {
    await launchSample(client, { configure: stop });
    await client.event('stopped');
    assert.deepEqual((await linesOf('boot.S')).lines, []);
  });
});
