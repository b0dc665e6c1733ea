/** Exits: filters by reason, the log with its counters, profiles and rates; and translated code beside the guest's. */
import assert from 'node:assert/strict';
import type { CustomRequests } from '../../../debug-adapter/protocol';
import type { Client } from '../support/client';
import { brief, evaluate, frames, launchSample, clientForEach } from '../support/server';

type Exits = CustomRequests['ringside/exits']['body'];

describe('exits', () => {
  let client: Client;
  clientForEach((own) => (client = own));

  const exits = (args: object = {}): Promise<Exits> => client.request('ringside/exits', args) as Promise<Exits>;
  const filtered = async (attributes: object, filterOptions: object[]): Promise<void> =>
    launchSample(client, {
      attributes,
      configure: async (own) => {
        const { breakpoints } = await own.request('setExceptionBreakpoints', { filters: [], filterOptions });
        assert.ok(breakpoints.every((each: { verified: boolean }) => each.verified), JSON.stringify(breakpoints)); // prettier-ignore
      },
    });
  const atFault = async (attributes: object, asked: object = {}): Promise<void> => {
    await launchSample(client, {
      attributes,
      configure: async (own) => {
        await own.request('ringside/exits', asked);
        await own.request('setFunctionBreakpoints', { breakpoints: [{ name: 'handle_page_fault' }] });
      },
    });
    await client.event('stopped');
  };

  const STOPS: [attributes: object, filter: string, condition: string | undefined, reason: string, text: RegExp][] = [
    [{ technique: 'vt-x' }, 'vm-exit:msr-write', undefined, 'msr-write', /^WRMSR 0xc0000080 \(EFER\)$/],
    [{ technique: 'vt-x' }, 'vm-exit:wrmsr', 'exit.msr == 0xc0000081', 'msr-write', /^WRMSR 0xc0000081 \(STAR\)$/],
    [{ technique: 'vt-x' }, 'vm-exit', 'exit.reason == "rdmsr"', 'msr-read', /^RDMSR 0xc0000080 \(EFER\)$/],
    [{ technique: 'amd-v' }, 'vm-exit:io', 'exit.port == 0x3fb && exit.write', 'io', /^OUT: 1 byte to port 0x3fb$/],
    [{ technique: 'amd-v', paging: 'shadow' }, 'vm-exit:cr-access', 'exit.register == 3', 'cr-access', /^MOV to CR3 from r/],
    [{ technique: 'binary-translation' }, 'vm-exit:page-table-write', undefined, 'page-table-write', /a write to a guest page table at gp:/],
  ]; // prettier-ignore
  for (const [attributes, filterId, condition, reason, text] of STOPS)
    it(`${filterId}, ${condition ?? 'always'}, ${JSON.stringify(attributes)}`, async () => {
      await filtered(attributes, [{ filterId, ...(condition === undefined ? {} : { condition }) }]);
      const stopped = await client.event('stopped');
      assert.equal(stopped.description, `VM exit: ${reason}`);
      assert.match(stopped.text, text);
      const [border] = await frames(client);
      assert.match(brief(border!), new RegExp(`^--- VM exit: ${reason}, hypervisor \\(`));
      const { description, details } = await client.request('exceptionInfo', { threadId: 1 });
      assert.match(details.message, /in ring [03]|in (kernel|supervisor|user) mode/);
      assert.match(description, /^virtual processor: 0$/m);
      // The border stands for the frame below it.
      assert.match(await evaluate(client, '$rip', (border as { id: number }).id), /^0x/);
    });

  it('several filters stop for any of them; what is no reason or no name is refused with its column', async () => {
    const refused = async (filterId: string, condition?: string): Promise<string> => {
      const options = [{ filterId, ...(condition === undefined ? {} : { condition }) }];
      const { breakpoints } = await client.request('setExceptionBreakpoints', { filters: [], filterOptions: options });
      assert.equal(breakpoints[0].verified, false);
      return breakpoints[0].message;
    };
    await launchSample(client, {
      attributes: { technique: 'vt-x' },
      configure: async (own) => {
        assert.match(await refused('vm-exit:nothing'), /^"nothing" is no reason of an exit; reasons are cpuid, /);
        assert.match(await refused('vm-exit', 'exit.reason == "iO"'), /^Column 16: "iO" is no reason/);
        assert.match(
          await refused('trap:#PF', 'trap.vectr == 1'),
          /^Column \d+: "trap.vectr" does not exist: of trap there are vector/,
        );
        assert.match(await refused('vm-exit', 'exit.prot == 1'), /^Column \d+: "exit.prot" does not exist: of exit/);
        assert.match(await refused('vm-exit', 'exit.port == '), /^Column 14/);
        await own.request('setExceptionBreakpoints', { filters: ['vm-exit:cpuid', 'vm-exit:msr-write'] });
      },
    });
    assert.equal((await client.event('stopped')).description, 'VM exit: msr-write');
    const completed = async (text: string): Promise<string[]> => {
      const { targets } = await client.request('completions', { text, column: text.length + 1 });
      return targets.map(({ label }: { label: string }) => label);
    };
    assert.ok((await completed('exit.mis')).includes('exit.misconfigured'));
    assert.deepEqual(await completed('exit.reason == "page'), ['page-table-write']);
  });

  it('the log: counted by reason, paged, filtered, by function and over time', async () => {
    await atFault({ technique: 'vt-x' }, { count: true });
    const all = await exits({ limit: 4096, functions: 5, buckets: 7 });
    assert.equal(all.exits.length, all.total);
    assert.equal(all.reasons.reduce((sum, { count }) => sum + count, 0), all.total); // prettier-ignore
    assert.ok(all.reasons.every(({ hostNs }) => hostNs > 0));
    assert.deepEqual(all.exits.map(({ number }) => number), all.exits.map((_, i) => i)); // prettier-ignore
    const pages = [];
    for (let from: number | undefined = 0; from !== undefined;) {
      const page: Exits = await exits({ from, limit: 100 });
      pages.push(...page.exits);
      from = page.next;
    }
    assert.deepEqual(pages, all.exits);
    const { list, of } = all.functions!;
    assert.equal(of, 'all');
    assert.equal(list[0]!.name, 'put');
    const { counts, bucketInstructions, from } = all.buckets!;
    assert.equal(Object.values(counts).flat().reduce((sum, each) => sum + each, 0), all.total); // prettier-ignore
    assert.ok(from + bucketInstructions * 7 > all.instructions);
    const some = await exits({ filter: 'exit.reason == "io" && !exit.write', limit: 4096 });
    assert.deepEqual(some.exits, all.exits.filter((each) => each.mnemonic === 'in')); // prettier-ignore
    const [io] = (await exits({ filter: 'exit.reason == "io"', limit: 1, details: true })).exits;
    assert.ok(io!.details!.includes('virtual processor: 0'), io!.details!.join('\n'));
    assert.equal(some.exits[0]!.details, undefined);
    assert.match(await client.refusal('ringside/exits', { filter: 'exit.reason == 1 +' }), /^Column/);
    assert.equal((await exits({ count: false })).counting, false);
    assert.equal((await exits({ functions: 1 })).functions!.of, 'kept');
  });

  it('rates come while the guest runs, at most five a second, and only to who subscribed', async () => {
    await atFault({ technique: 'amd-v' }, { subscribe: true });
    const events = client.events.filter(({ event }) => event === 'ringside/exits').map(({ body }) => body);
    assert.ok(events.length > 0);
    assert.ok(events.slice(1, -1).every(({ milliseconds }) => milliseconds >= 200));
    const { total, reasons } = await exits({ subscribe: false });
    assert.equal(events.at(-1).total, total);
    for (const { reason, count } of reasons) {
      const told = events.reduce((sum, each) => sum + (each.reasons[reason] ?? 0), 0);
      assert.equal(told, count, reason);
    }
    client.forget('ringside/exits');
    await client.run('continue');
    assert.ok(!client.events.some(({ event }) => event === 'ringside/exits'));
  });

  it('on the bare machine there are none', async () => {
    await atFault({});
    const none = await exits({ functions: 1, buckets: 1 });
    assert.deepEqual([none.technique, none.total, none.exits], ['none', 0, []]);
    assert.match(await client.refusal('ringside/translated', {}), /binary-translation/);
    assert.match(await client.refusal('ringside/checkShadow', {}), /no shadow tables/);
  });

  it('guest code beside its translation', async () => {
    await atFault({ technique: 'binary-translation' });
    const { blocks, gva, cache, text } = await client.request('ringside/translated', {});
    assert.ok(cache.counts.blocks > 10 && cache.used > 0);
    const [block] = blocks;
    const here = block.instructions.find((each: { gva: string }) => each.gva === gva);
    assert.ok(here && here.translated.length > 0);
    assert.match(text, new RegExp(`^=> gv:0x0*${gva.slice(2)} `, 'm'));
    const kinds = new Set(block.instructions.map((each: { treatment: string }) => each.treatment));
    assert.ok(kinds.has('same') && kinds.has('relocated'));
    // From the translation back, and what lies there as code.
    const place = `hp:0x${here.translated[0].hpa.toString(16)}`;
    assert.equal((await client.request('ringside/translated', { address: place })).gva, gva);
    const { instructions } = await client.request('disassemble', { memoryReference: place, instructionCount: 1 });
    assert.equal(instructions[0].instruction, here.translated[0].text);
    assert.equal(instructions[0].address, `hp:0x${here.translated[0].hpa.toString(16).padStart(16, '0')}`);
    // Call-outs say what they are for.
    const { blocks: others } = await client.request('ringside/translated', { address: '&interrupts_init' });
    const all = others.flatMap((each: { instructions: object[] }) => each.instructions) as { treatment: string; text: string }[]; // prettier-ignore
    for (const each of all) if (/^l[ig]dt|^ltr/.test(each.text)) assert.equal(each.treatment, 'call-out', each.text);
    // One step is one instruction of the guest's, and of the translation's.
    await client.run('stepIn', { granularity: 'instruction' });
    const next = await client.request('ringside/translated', {});
    assert.equal(next.gva, block.instructions[block.instructions.indexOf(here) + 1].gva);
  });
}).timeout(120_000);
