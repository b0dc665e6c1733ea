/** ringside/status and ringside/explainStop: what the status bar and the explanation of a stop are told. */
import assert from 'node:assert/strict';
import type { CustomRequests } from '../../debug-adapter/protocol';
import type { Client } from './support/client';
import { launchSample, clientForEach } from './support/server';

type Explanation = CustomRequests['ringside/explainStop']['body'];

describe('explanations', () => {
  let client: Client;
  clientForEach((own) => (client = own));

  const rows = [
    {
      stop: 'a page fault',
      attributes: {},
      filter: 'trap:#PF',
      title: /^#PF$/,
      what: /Page fault in user mode/,
      why: /page tables do not allow/,
      manual: /interrupt 14$/,
      address: /^gv:0x[0-9a-f]+$/,
      ring: 3,
    },
    {
      stop: 'an exit to the shadow',
      attributes: { technique: 'vt-x', paging: 'shadow' },
      filter: 'vm-exit:shadow-fault',
      title: /^VM exit \(shadow-fault\)$/,
      what: /shadow table/,
      why: /GV to HP/,
      manual: /Memory Virtualization/,
      address: /^gv:0x[0-9a-f]+$/,
      ring: 0,
    },
    {
      stop: 'a silent hole',
      attributes: { technique: 'trap-and-emulate' },
      filter: 'silent-hole',
      title: /^silent hole \(mov\)$/,
      what: /^mov at .*SS/,
      why: /does not trap outside/,
      manual: /sensitive\.md/,
      address: undefined,
      ring: undefined,
    },
  ];
  for (const { stop, attributes, filter, title, what, why, manual, address, ring } of rows)
    it(`of ${stop}: what, why, what next, what to read; the widget says the same`, async () => {
      await launchSample(client, {
        attributes,
        configure: async (own: Client) => void (await own.request('setExceptionBreakpoints', { filters: [filter] })),
      });
      const { threadId } = await client.event('stopped');
      const found = (await client.request('ringside/explainStop')) as Explanation;
      assert.match(found.title, title);
      assert.match(found.what, what);
      assert.match(found.why!, why);
      assert.match(found.manual!, manual);
      assert(found.next.length > 0 && found.next.some(({ view }) => view !== undefined));
      if (address) assert.match(found.address!, address);
      else assert.equal(found.address, undefined);
      const { description } = await client.request('exceptionInfo', { threadId });
      assert(description.startsWith(found.what) && description.includes(`Why: ${found.why}\nLook next: `));
      const status = await client.request('ringside/status');
      if (ring !== undefined) assert.equal(status.ring, ring);
      assert.equal(status.technique, (attributes as { technique?: string }).technique ?? 'none');
      assert.equal(status.running, false);
    });

  it('a stop at a breakpoint is explained by where it is; status is answered while the guest runs', async () => {
    await launchSample(client, {
      attributes: { append: '' },
      configure: async (own: Client) =>
        void (await own.request('setFunctionBreakpoints', { breakpoints: [{ name: 'handle_page_fault' }] })),
    });
    const { threadId } = await client.event('stopped');
    const { title, what, next } = (await client.request('ringside/explainStop')) as Explanation;
    assert.equal(title, 'Paused on function breakpoint');
    assert.match(what, /at handle_page_fault/);
    assert.equal(next[0]?.view, 'callStack');
    const before = await client.request('ringside/status');
    await client.request('setFunctionBreakpoints', { breakpoints: [] });
    await client.request('continue', { threadId });
    const running = await client.request('ringside/status');
    assert.equal(running.running, true);
    assert(running.instructions >= before.instructions);
    assert.match(await client.refusal('ringside/explainStop'), /running/);
  });
});
