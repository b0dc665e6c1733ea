/** The sample kernel deprivileged, under the adapter: filters over exits and silent holes, breakpoints and stacks as ever. */
import assert from 'node:assert/strict';
import type { Client } from './support/client';
import { brief, evaluate, frames, launchSample, clientForEach } from './support/server';

const technique = 'trap-and-emulate';

describe('debugging a guest under trap-and-emulate', () => {
  let client: Client;
  clientForEach((own) => (client = own));

  const filters =
    (...filterOptions: { filterId: string; condition?: string }[]) =>
    async (own: Client): Promise<void> => {
      const { breakpoints } = await own.request('setExceptionBreakpoints', { filters: [], filterOptions });
      assert.ok(breakpoints.every((each: { verified: boolean }) => each.verified));
    };

  it('stops at the exit that a condition names, and says what it was', async () => {
    const condition = 'exit.reason == "io" && exit.port == 0x3fb';
    await launchSample(client, { attributes: { technique }, configure: filters({ filterId: 'vm-exit', condition }) });
    const stopped = await client.event('stopped');
    assert.deepEqual([stopped.reason, stopped.description], ['exception', 'VM exit: io']);
    const info = await client.request('exceptionInfo', { threadId: 1 });
    assert.equal(info.exceptionId, 'VM exit (io)');
    assert.match(info.description, /^I\/O port: 0x3fb \(COM1: line control\)$/m);
    const [border, top] = await frames(client);
    assert.equal(brief(border!), '--- VM exit: io, hypervisor (trap-and-emulate) ---');
    assert.match(brief(top!), /^out8 \[inlined\]/);
    assert.equal(await evaluate(client, 'exit.reason'), '"io"');
  });

  it('takes filters and data by name among the function breakpoints, in their order', async () => {
    const named = ['vm-exit:io', 'handle_page_fault', 'vm-exit:nothing', 'write gp:0xfffffffffff'];
    const configure = async (own: Client): Promise<void> => {
      const { breakpoints } = await own.request('setFunctionBreakpoints', {
        breakpoints: named.map((name) => ({ name, ...(name === named[0] ? { condition: 'exit.port == 0x3fb' } : {}) })),
      });
      const verified = breakpoints.map((each: { verified: boolean }) => each.verified);
      assert.deepEqual(verified, [true, true, false, false]);
      assert.match(breakpoints[2].message, /nothing/);
      assert.match(breakpoints[3].message, /no RAM/);
    };
    await launchSample(client, { attributes: { technique }, configure });
    assert.equal((await client.event('stopped')).description, 'VM exit: io');
    await client.request('setFunctionBreakpoints', { breakpoints: [{ name: 'write ticks' }] });
    const stopped = await client.run('continue');
    assert.equal(stopped.reason, 'data breakpoint');
  });

  it('stops before IRET leaves interrupts off without a trap', async () => {
    await launchSample(client, {
      attributes: { technique },
      configure: filters({ filterId: 'silent-hole', condition: 'hole.mnemonic == "iret"' }),
    });
    const stopped = await client.event('stopped');
    assert.equal(stopped.description, 'Silent hole: iret');
    assert.match(stopped.text, /IF should have become 1 and stays 0/);
    assert.match(brief((await frames(client))[0]!), /interrupts\.S/);
  });

  it('a breakpoint stops with the stack of the bare machine, and its condition sees the guest', async () => {
    const { breakpoints } = { breakpoints: [{ name: 'handle_page_fault', condition: '$cr2 != 0 && $cs == 8' }] };
    await launchSample(client, {
      attributes: { technique },
      configure: (own: Client) => own.request('setFunctionBreakpoints', { breakpoints }) as Promise<void>,
    });
    assert.equal((await client.event('stopped')).reason, 'function breakpoint');
    const found = (await frames(client)).map(brief);
    assert.match(found[0]!, /^handle_page_fault/);
    assert.match(found[3]!, /^--- #PF at user mode/);
  });

  it('without a hypervisor the filters say what they need', async () => {
    await launchSample(client, {
      configure: async (own: Client) => {
        const { breakpoints } = await own.request('setExceptionBreakpoints', { filters: ['vm-exit'] });
        assert.match(breakpoints[0].message, /needs a hypervisor under the guest; launch with a "technique"/);
      },
    });
  });
});
