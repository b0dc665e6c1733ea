/** Steps in translated code over the protocol: where they say that they are, and that guest addresses stay what all else speaks of. */
import assert from 'node:assert/strict';
import type { CustomRequests } from '../../../debug-adapter/protocol';
import type { Client } from '../support/client';
import { evaluate, frames, launchSample, clientForEach, stopAt } from '../support/server';

type Translated = CustomRequests['ringside/translated']['body'];

describe('steps in translated code', () => {
  let client: Client;
  clientForEach((own) => (client = own));

  const translated = (): Promise<Translated> => client.request('ringside/translated', {}) as Promise<Translated>;
  const reason = async (command: string, args: object = {}): Promise<string> => {
    await client.request(command, { threadId: 1, ...args });
    return (await client.event('stopped')).reason;
  };

  it('each is shown: in the block, above the stack, as code', async () => {
    const [, caller] = await stopAt(client, 'handle_page_fault', { technique: 'binary-translation' });
    const seen = new Set<string>();
    for (let i = 0; i < 60; i++) {
      const before = await translated();
      const { position } = before;
      seen.add(position.kind);
      if (position.block !== undefined) {
        const block = before.blocks.find(({ hpa }) => hpa === position.block)!;
        const line = block.instructions.flatMap((each) => each.translated.map((made) => ({ made, gva: each.gva })));
        const here = line.find(({ made }) => made.hpa === position.hpa)!;
        assert.equal(here.made.text, position.text);
        // A join behind an instruction stands for the one that comes next.
        if (position.kind !== 'join') assert.equal(here.gva, position.gva);
        assert.match(before.text, new RegExp(`^    -> hp:0x${position.hpa!.toString(16)} `, 'm'));
      }
      assert.equal(await reason('ringside/stepTranslated'), 'step');
      const { position: after } = await translated();
      const [label, top] = await frames(client, 2);
      assert.equal(label!.presentationHint, 'label');
      assert.equal(BigInt(top!.instructionPointerReference!), BigInt(after.gva));
      if (after.hpa === undefined) continue;
      const place = `hp:0x${after.hpa.toString(16)}`;
      assert.equal(label!.instructionPointerReference, place);
      assert.ok(label!.name.includes(`${place} ${after.text}`), label!.name);
      const { instructions } = await client.request('disassemble', { memoryReference: place, instructionCount: 1 });
      assert.equal(instructions[0].instruction, after.text);
    }
    for (const kind of ['instruction', 'join', 'stub', 'lookup']) assert.ok(seen.has(kind), [...seen].join());
    // The label goes with the next step of another kind, and the way out is the guest's.
    assert.equal(await reason('stepIn', { granularity: 'instruction' }), 'step');
    assert.ok(!(await frames(client, 1))[0]!.name.startsWith('---'));
    assert.ok((await frames(client)).some(({ name }) => name === caller!.name));
  });

  it('a command of the debug console does the same', async () => {
    await stopAt(client, 'handle_page_fault', { technique: 'binary-translation' });
    const stopped = client.event('stopped');
    await evaluate(client, 'step translated', undefined, 'repl');
    assert.equal((await stopped).reason, 'step');
    assert.match((await frames(client, 1))[0]!.name, /^--- .* ---$/);
  });

  it('breakpoints and filters stop a step as ever', async () => {
    await launchSample(client, {
      attributes: { technique: 'binary-translation' },
      configure: async (own) => {
        const filterOptions = [{ filterId: 'vm-exit:io' }];
        await own.request('setExceptionBreakpoints', { filters: [], filterOptions });
      },
    });
    assert.equal((await client.event('stopped')).description, 'VM exit: io');
    assert.equal((await translated()).position.kind, 'call-out');
    assert.equal(await reason('ringside/stepTranslated'), 'step');
  });

  it('elsewhere it is refused in a sentence', async () => {
    await stopAt(client, 'handle_page_fault', { technique: 'vt-x' });
    assert.match(await client.refusal('ringside/stepTranslated', { threadId: 1 }), /binary-translation/);
  });
}).timeout(120_000);
