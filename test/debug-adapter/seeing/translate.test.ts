/** An address through GV, GP and HP under each technique, page tables and their entries, over a socket. */
import assert from 'node:assert/strict';
import type { CustomRequests } from '../../../debug-adapter/protocol';
import type { Client } from '../support/client';
import { evaluate, launchSample, clientForEach } from '../support/server';

type Translated = CustomRequests['ringside/translate']['body'];
type Tables = CustomRequests['ringside/pageTables']['body'];

const RUNS = [
  { technique: 'none' },
  { technique: 'trap-and-emulate', paging: 'shadow' },
  { technique: 'binary-translation', paging: 'shadow' },
  { technique: 'vt-x', paging: 'nested' },
  { technique: 'vt-x', paging: 'shadow' },
  { technique: 'amd-v', paging: 'nested' },
  { technique: 'amd-v', paging: 'shadow' },
] as const;
type Run = (typeof RUNS)[number];
const pagingOf = (run: Run): string => ('paging' in run ? run.paging : 'none');

describe('addresses and page tables', () => {
  let client: Client;
  const connect = clientForEach((own) => (client = own));

  const stopIn = async (run: object): Promise<void> => {
    await launchSample(client, {
      attributes: run,
      configure: (own) => own.request('setFunctionBreakpoints', { breakpoints: [{ name: 'handle_page_fault' }] }),
    });
    await client.event('stopped');
  };
  const translate = (address: string, more: object = {}): Promise<Translated> =>
    client.request('ringside/translate', { address, ...more }) as Promise<Translated>;
  const tables = (args: object): Promise<Tables> => client.request('ringside/pageTables', args) as Promise<Tables>;

  for (const run of RUNS)
    it(`every space and back, ${run.technique}, ${pagingOf(run)}`, async () => {
      await stopIn(run);
      const paging = pagingOf(run);
      const there = await translate('&ticks', { access: 'write' });
      const { view, gpa, hpa } = there;
      assert.ok(view && gpa !== undefined && hpa !== undefined);
      assert.equal(view.paging, paging);
      assert.equal(gpa === hpa, paging === 'none');
      // Four guest entries; under nested paging the second stage before each, and for the page itself.
      const guest = view.references.filter((each) => each.tables === 'guest');
      assert.equal(guest.length, 4);
      const locates = view.references.filter((each) => each.tables === 'nested').map((each) => each.locates!.what);
      assert.deepEqual([...new Set(locates)], paging === 'nested' ? ['PML4E', 'PDPTE', 'PDE', 'PTE', 'page'] : []);
      assert.deepEqual(view.references.map(({ number }) => number), view.references.map((_, i) => i + 1)); // prettier-ignore
      assert.equal(view.shadow !== undefined, paging === 'shadow');
      // The same bytes, whichever way.
      const value = await evaluate(client, 'ticks');
      for (const place of [`gp:0x${gpa.toString(16)}`, `hp:0x${hpa.toString(16)}`])
        assert.equal(await evaluate(client, `*(unsigned long *)${place}`), value, place);
      // And back.
      const back = await translate(`hp:0x${hpa.toString(16)}`);
      assert.equal(back.use?.kind === 'guest' && back.use.gpa, gpa);
      const gvas = back.aliases!.map(({ gva }) => gva);
      assert.ok(gvas.includes(view.gva), gvas.join());
      const verdict = (access: string, user: boolean) =>
        view.verdicts.find((each) => each.access === access && each.user === user)!;
      assert.equal(verdict('read', true).outcome, 'page-fault');
      assert.match(verdict('execute', false).reason ?? '', /forbids execution/);
      assert.match(there.text, /^gv:0x[0-9a-f]{16} write as supervisor, 4-level paging/);
    });

  it('where a device is, the second stage or the shadow leaves to the hypervisor', async () => {
    const rows = [
      [{ technique: 'vt-x' }, 'mmio', /not present: gp:0xfee00000/],
      [{ technique: 'amd-v' }, 'mmio', /not present: gp:0xfee00000/],
      [{ technique: 'trap-and-emulate' }, 'mmio', /No RAM/],
    ] as const;
    for (const [run, exit, why] of rows) {
      const own = await connect();
      await launchSample(own, { attributes: { ...run, stopOnEntry: true } });
      await own.event('stopped');
      // Paging is off: the address is guest-physical as it is. The second stage exists once the guest has run.
      await own.run('stepIn', { granularity: 'instruction' });
      const { view } = (await own.request('ringside/translate', { address: 'gv:0xfee00000' })) as Translated;
      assert.deepEqual([view!.gpa, view!.hpa], [0xfee00000, undefined]);
      assert.equal(view!.verdicts[0]!.exit, exit);
      assert.match(view!.verdicts[0]!.reason!, why);
      own.kill();
    }
  });

  it('tables of every kind, and where each begins', async () => {
    await stopIn({ technique: 'vt-x' });
    const nested = await tables({ tables: 'nested', mappings: { limit: 3 } });
    assert.deepEqual(nested.available, ['guest', 'nested']);
    assert.equal(nested.format, 'EPT');
    assert.equal(nested.mappings!.runs.length, 3);
    const [first] = nested.entries;
    const below = await tables({ tables: 'nested', table: { hpa: first!.target, level: 3 } });
    assert.deepEqual([below.hpa, below.level], [first!.target, 3]);
    assert.match(await client.refusal('ringside/pageTables', { tables: 'shadow' }), /no shadow tables here, only those of the guest and the nested/); // prettier-ignore
    assert.match(await client.refusal('ringside/pageTables', { tables: 'nested', table: { gpa: 0, level: 3 } }), /'table.hpa' is missing/); // prettier-ignore
  });

  it('mappings come in pages, and are searched by right and by place', async () => {
    await stopIn({ technique: 'amd-v', paging: 'shadow' });
    const all = (await tables({ mappings: { limit: 1000 } })).mappings!;
    assert.equal(all.next, undefined);
    const runs = [];
    for (let from: string | undefined = '0x0'; from !== undefined;) {
      const page: NonNullable<Tables['mappings']> = (await tables({ mappings: { from, limit: 2 } })).mappings!;
      runs.push(...page.runs);
      from = page.next;
    }
    assert.deepEqual(runs, all.runs);
    const user = (await tables({ mappings: { search: { user: true } } })).mappings!.runs;
    assert.deepEqual(user, all.runs.filter((run) => run.user)); // prettier-ignore
    const { gpa, hpa, view } = await translate('&ticks');
    for (const maps of [`gp:0x${gpa!.toString(16)}`, `hp:0x${hpa!.toString(16)}`]) {
      const found = (await tables({ mappings: { search: { maps } } })).mappings!.runs;
      assert.ok(found.some((run) => BigInt(run.gva) <= BigInt(view!.gva) && BigInt(view!.gva) < BigInt(run.gva) + BigInt(run.size)), maps); // prettier-ignore
    }
    assert.equal((await tables({ mappings: { search: { contains: '0x12345000' } } })).mappings!.runs.length, 0);
  });

  it('what changed since an earlier stop, only of what was asked for', async () => {
    await stopIn({ technique: 'vt-x' });
    const first = await tables({ changes: true, mappings: {} });
    assert.deepEqual([first.since, first.mappings!.added], [undefined, undefined]);
    const missing = BigInt(await evaluate(client, '$cr2'));
    await client.run('stepOut');
    const then = await tables({ changes: true, mappings: {} });
    assert.ok(then.since! > 0);
    // The handler has mapped the page that was missing.
    const added = then.mappings!.added!;
    assert.equal(added.length, 1);
    assert.equal(BigInt(added[0]!.gva), missing & ~0xfffn);
    assert.deepEqual(then.mappings!.removed, []);
  });

  it('an entry is edited by bits, and what is no entry is refused', async () => {
    await stopIn({ technique: 'vt-x' });
    const { view } = await translate('&ticks');
    const leaf = view!.references.filter((each) => each.tables === 'guest').at(-1)!;
    const place = { gpa: leaf.gpa, level: 1 };
    const edited = await client.request('ringside/setEntry', { ...place, set: { present: false } });
    assert.equal(BigInt(edited.was), BigInt(leaf.entry));
    assert.equal((await translate('&ticks')).gpa, undefined);
    await client.request('ringside/setEntry', { ...place, value: edited.was });
    assert.equal((await translate('&ticks')).gpa, view!.gpa);
    const refusals: [object, RegExp][] = [
      [{ ...place, value: '0xf000000000001' }, /must be 0 in a PTE/],
      [{ gpa: leaf.gpa! + 4, level: 1, set: {} }, /multiples of 8/],
      [{ gpa: 0xfee00000, level: 1, set: {} }, /no RAM/],
      [{ gpa: leaf.gpa, level: 5, set: {} }, /'level' is 5/],
      [{ level: 1, set: {} }, /'gpa' is missing/],
      [{ ...place, value: 'many' }, /give the entry of 8 bytes as 0x/],
      [{ tables: 'shadow', hpa: 0, level: 1, set: {} }, /no shadow tables/],
    ];
    for (const [args, why] of refusals) assert.match(await client.refusal('ringside/setEntry', args), why);
  });

  it('a corrupted shadow entry is found and named, in the walk, in the table, by request and on the console', async () => {
    await stopIn({ technique: 'amd-v', paging: 'shadow' });
    assert.equal((await client.request('ringside/checkShadow', {})).text, 'Every shadow entry agrees with the guest.');
    const { view } = await translate('&ticks');
    const leaf = view!.shadow!.references.at(-1)!;
    const value = `0x${(BigInt(leaf.entry) + 0x1000n).toString(16)}`;
    await client.request('ringside/setEntry', { tables: 'shadow', hpa: leaf.hpa, level: 1, value });
    const { findings } = await client.request('ringside/checkShadow', {});
    assert.equal(findings.length, 1);
    assert.deepEqual([findings[0].mark, findings[0].hpa], ['stale', leaf.hpa]);
    assert.match(findings[0].rule, /lies at hp:/);
    const again = await translate('&ticks');
    assert.equal(again.view!.shadow!.state, 'stale');
    const level1 = view!.shadow!.references.at(-2)!.target;
    const table = await tables({ tables: 'shadow', table: { hpa: level1, level: 1 } });
    assert.deepEqual(table.entries.filter((each) => each.mark).map(({ hpa }) => hpa), [leaf.hpa]); // prettier-ignore
    assert.match(await evaluate(client, 'check shadow', undefined, 'repl'), /^stale: the shadow entry at hp:0x/);
    await client.request('ringside/setEntry', { tables: 'shadow', hpa: leaf.hpa, level: 1, value: leaf.entry });
    assert.equal((await client.request('ringside/checkShadow', {})).findings.length, 0);
  });

  it('a write to a page-table entry stops, by its guest-physical address', async () => {
    for (const run of [{ technique: 'none' }, { technique: 'vt-x' }, { technique: 'binary-translation' }]) {
      const own = await connect();
      await launchSample(own, {
        attributes: run,
        configure: (c) => c.request('setFunctionBreakpoints', { breakpoints: [{ name: 'handle_page_fault' }] }),
      });
      await own.event('stopped');
      // The page table that gets the entry for the page that is missing.
      const { translation } = (await own.request('ringside/translate', { address: '$cr2' })) as Translated;
      const missing = translation!.steps.at(-1)!;
      const info = await own.request('dataBreakpointInfo', {
        name: `gp:0x${missing.gpa.toString(16)}`,
        asAddress: true,
      });
      assert.match(info.dataId, /^gp:0x[0-9a-f]+:8$/);
      await own.request('setDataBreakpoints', { breakpoints: [{ dataId: info.dataId, accessType: 'write' }] });
      const stopped = await own.run('continue');
      assert.equal(stopped.reason, 'data breakpoint', run.technique);
      assert.match(stopped.text, /^write of 8 bytes at gp:0x[0-9a-f]+, which is gv:0xffff8000[0-9a-f]+: 0x0 -> 0x/);
      own.kill();
    }
  });
}).timeout(120_000);
