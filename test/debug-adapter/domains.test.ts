/** Several domains in one session: threads, stops, stacks, conditions, consoles, and what is done to them. Over stdio. */
import assert from 'node:assert/strict';
import type { Client } from './support/client';
import type { DomainEntry } from '../../debug-adapter/protocol';
import { brief, clientForEach, evaluate, SAMPLE, type StackFrame } from './support/server';

const DOMAINS = [
  { name: 'web', technique: 'vt-x', weight: 512 },
  { name: 'db', technique: 'binary-translation', append: 'exit', cpus: 1 },
  { name: 'log', technique: 'amd-v', paging: 'shadow', cap: 50 },
];
type Configure = (own: Client) => Promise<unknown>;

describe('several domains in one session', () => {
  let client: Client;
  clientForEach((own) => {
    client = own;
    client.patience = 50_000;
  });

  const launch = async (configure: Configure = async () => {}, more: object = {}): Promise<void> => {
    await client.request('initialize', { supportsInvalidatedEvent: true });
    await client.request('launch', { kernel: SAMPLE, memory: '16M', domains: DOMAINS, ...more });
    await configure(client);
    await client.request('configurationDone');
  };
  const list = async (args: object = {}): Promise<DomainEntry[]> =>
    (await client.request('ringside/domains', args)).domains;
  const frames = async (threadId: number): Promise<StackFrame[]> =>
    (await client.request('stackTrace', { threadId })).stackFrames;
  const states = (domains: DomainEntry[]): string[] => domains.map(({ name, state }) => `${name} ${state}`);
  const functions = (breakpoints: object[]) => (own: Client) => own.request('setFunctionBreakpoints', { breakpoints });

  it('each has threads with its name, and ringside/domains tells of it', async () => {
    await launch(undefined, { stopOnEntry: true });
    await client.event('stopped');
    const { threads } = await client.request('threads');
    assert.deepEqual(threads.map((each: { id: number; name: string }) => `${each.id} ${each.name.split(' (')[0]}`), ['1 web: CPU 0', '2 db: CPU 0', '3 log: CPU 0']); // prettier-ignore
    const { domains, host, actions } = await client.request('ringside/domains');
    assert.deepEqual(domains.map(({ name, technique, paging, weight, cap, threads: own }: DomainEntry) => [name, technique, paging, weight, cap, own]), [
      ['web', 'vt-x', 'nested', 512, 0, [1]], ['db', 'binary-translation', 'shadow', 256, 0, [2]], ['log', 'amd-v', 'shadow', 256, 50, [3]],
    ]); // prettier-ignore
    assert.ok(actions && host.reserved < host.frames);
    assert.match((await client.response('stackTrace', { threadId: 4 })).message!, /no thread 4/);
  });

  it('a breakpoint is met in each; its condition knows whose it is; time of nobody passes meanwhile', async () => {
    await launch(functions([{ name: 'handle_page_fault', condition: 'domain.name == "log"' }]));
    const stopped = await client.event('stopped');
    assert.deepEqual([stopped.reason, stopped.threadId, stopped.allThreadsStopped], ['function breakpoint', 3, true]);
    assert.match(brief((await frames(3))[0]!), /^handle_page_fault/);
    assert.equal(await evaluate(client, 'domain.name'), '"log"');
    const before = await list();
    // All are held, one is where it stopped.
    assert(before.every(({ held }) => held));
    const [where, ...others] = before.filter((domain) => domain.stopped !== undefined);
    assert.deepEqual([where!.name, others], ['log', []]);
    assert.match(where!.stopped!, /^function breakpoint, at handle_page_fault/);
    await frames(1);
    await frames(2);
    assert.deepEqual(await list(), before);
  });

  it('stacks, variables and steps are of the thread that was asked for', async () => {
    await launch(functions([{ name: 'handle_page_fault' }]));
    const met = new Set<number>([(await client.event('stopped')).threadId]);
    for (let i = 0; i < 12 && met.size < 3; i++) met.add((await client.run('continue')).threadId);
    assert.equal(met.size, 3);
    const stopped = await client.run('continue');
    const [top] = await frames(stopped.threadId);
    const { scopes } = await client.request('scopes', { frameId: top!.id });
    assert.ok(scopes.length > 1);
    await client.request('setFunctionBreakpoints', { breakpoints: [] });
    const others = (await list()).filter(({ threads }) => !threads.includes(stopped.threadId));
    const { instructionPointerReference } = top as unknown as { instructionPointerReference: string };
    const step = await client.run('stepIn', { threadId: stopped.threadId, granularity: 'instruction' });
    assert.deepEqual([step.reason, step.threadId], ['step', stopped.threadId]);
    assert.notEqual((await frames(stopped.threadId))[0]!.instructionPointerReference, instructionPointerReference);
    const now = (await list()).filter(({ threads }) => !threads.includes(stopped.threadId));
    assert.equal(now.length, others.length);
    const other = others[0]!.threads[0]!;
    const over = await client.run('next', { threadId: other });
    assert.deepEqual([over.reason, over.threadId], ['step', other]);
  }); // prettier-ignore

  it('one that ends is told, and the others go on', async () => {
    await launch();
    while (states(await list())[1] !== 'db dead') await new Promise((resolve) => setTimeout(resolve, 50));
    await client.request('pause', { threadId: 1 });
    assert.equal((await client.event('stopped')).threadId, 1);
    assert.match(client.output_('important'), /db: The guest ended the run with code 1/);
    const domains = await list();
    assert.match(domains[1]!.why!, /debug-exit/);
    assert.ok(domains[0]!.state !== 'dead' && domains[2]!.state !== 'dead');
    const said = client.output_('stdout');
    for (const line of said.split('\n').filter((each) => each !== '')) assert.match(line, /^\[(web|db|log)\] /);
    // Its memory is there to be looked at.
    assert.ok((await frames(2)).length > 0);
  });

  it('the console of one can be taken over and typed to', async () => {
    await launch(undefined, { stopOnEntry: true });
    await client.event('stopped');
    assert.deepEqual(await client.request('ringside/console', { attach: true, domain: 'log' }), { attached: true, text: '' });
    assert.match((await client.response('ringside/console', { attach: true, domain: 'nobody' })).message!, /"nobody", which there is not/);
    assert.equal((await client.request('ringside/consoleInput', { text: 'x', domain: 'log' })).bytes, 1);
    await client.request('continue', { threadId: 1 });
    assert.equal((await client.event('ringside/console')).domain, 'log');
    await client.request('pause', { threadId: 1 });
    await client.event('stopped');
    assert.doesNotMatch(client.output_('stdout'), /^\[log\]/m);
  }); // prettier-ignore

  it('pauses, resumes, shares, creates and destroys', async () => {
    await launch(undefined, { stopOnEntry: true });
    await client.event('stopped');
    assert.deepEqual(states(await list({ action: 'pause', domain: 'web' })), [
      'web paused',
      'db runnable',
      'log runnable',
    ]);
    const [web] = await list({ action: 'resume', domain: '1' });
    assert.equal(web!.state, 'runnable');
    const shared = await list({ action: 'share', domain: 'log', weight: 7, cap: 0 });
    assert.deepEqual([shared[2]!.weight, shared[2]!.cap], [7, 0]);
    const created = await list({
      action: 'create',
      launch: { name: 'late', kernel: SAMPLE, memory: '16M', technique: 'amd-v', cpus: 2 },
    });
    assert.deepEqual(created[3]!.threads, [4, 5]);
    const { host } = await client.request('ringside/domains');
    await list({ action: 'destroy', domain: 'late' });
    const after = await client.request('ringside/domains');
    assert.deepEqual([after.domains.length, after.host.reserved < host.reserved], [3, true]);
    assert.match((await client.response('stackTrace', { threadId: 4 })).message!, /no thread 4/);
    assert.deepEqual((await client.request('threads')).threads.length, 3);
  });

  const refusals: [string, object, RegExp][] = [
    ['an unknown domain', { action: 'pause', domain: 'dbs' }, /'domain' is "dbs", which there is not; there are "web", "db", "log"/],
    ['no domain', { action: 'destroy' }, /'domain' is missing/],
    ['an unknown action', { action: 'clone', domain: 'db' }, /'action' is "clone"; give "pause" or/],
    ['a name twice', { action: 'create', launch: { name: 'db', kernel: SAMPLE } }, /Two domains are named "db"/],
    ['no kernel', { action: 'create', launch: { name: 'new' } }, /attribute 'kernel' is missing/],
    ['a file', { action: 'create', launch: { name: 'new', kernel: 'nowhere.elf' } }, /Domain "new": .*'kernel'.*nowhere\.elf/],
    ['too much', { action: 'create', launch: { name: 'new', kernel: SAMPLE, memory: '2G' } }, /new asks for 2048 MiB of host memory/],
  ]; // prettier-ignore
  it('says what is wrong, and nothing has changed', async () => {
    await launch(undefined, { stopOnEntry: true });
    await client.event('stopped');
    const before = await list();
    for (const [, args, message] of refusals) assert.match(await client.refusal('ringside/domains', args), message);
    assert.deepEqual(await list(), before);
  });

  const launches: [string, object, RegExp][] = [
    ['no list', { domains: 3 }, /'domains' is 3; give a list/],
    ['empty', { domains: [] }, /'domains' is empty/],
    ['a weight', { domains: [{ weight: 0 }] }, /'domains\[0\]\.weight' is 0; give a whole number from 1 to 65535/],
    ['names', { domains: [{ name: 'a' }, { name: 'a' }] }, /two that are named "a"/],
    ['an attribute of one', { domains: [{}, { memory: 'much' }] }, /'domains\[1\]\.memory' is "much"/],
  ];
  for (const [what, more, message] of launches)
    it(`refuses a launch: ${what}`, async () => {
      await client.request('initialize', {});
      assert.match(await client.refusal('launch', { kernel: SAMPLE, memory: '16M', ...more }), message);
    });
});
