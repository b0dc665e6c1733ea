/** The sample kernel under the adapter: stops, stacks across borders, values, steps. Over a socket, one session a test. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { Client } from './support/client';
import { brief, evaluate, frames, launchSample, sampleSource, scope, clientForEach, stopAt } from './support/server';

/** The line of a source file that holds this text: the sample may grow. */
const lineOf = (file: string, text: string): number =>
  readFileSync(sampleSource(file), 'utf8')
    .split('\n')
    .findIndex((line) => line.includes(text)) + 1;

describe('debugging the sample kernel', () => {
  let client: Client;
  const connect = clientForEach((own) => (client = own));

  const stack = async (): Promise<string[]> => (await frames(client)).map(brief);

  it('walks from the page-fault handler through the interrupt frame into the faulting user line', async () => {
    const found = await stopAt(client, 'handle_page_fault');
    assert.deepEqual(found.map(brief), [
      'handle_page_fault (tasks.c:165)',
      'handle_interrupt (interrupts.c:128)',
      'interrupt_common (interrupts.S:82)',
      '--- #PF at user mode, error 0x6 ---',
      'user_walker (user.c:66)',
    ]);
    assert.equal(found[3]!.presentationHint, 'label');
    assert.equal((await scope(client, found[0]!.id, 'Arguments')).error!.value, '6');
    assert.equal((await scope(client, found[4]!.id, 'Arguments')).rounds!.value, '5');
    assert.deepEqual((await client.request('scopes', { frameId: found[3]!.id })).scopes, []);
  });

  it('walks through a system call into the caller in ring 3', async () => {
    await stopAt(client, 'handle_syscall');
    const found = await stack();
    assert.match(found[1]!, /^syscall_entry \(interrupts\.S:\d+\)$/);
    assert.equal(found[2], '--- system call ---');
    assert.match(found[3]!, /^system_call.*\(user\.c:\d+\)$/);
    assert.ok(
      found.some((each) => each.startsWith('user_walker (')),
      found.join('\n'),
    );
  });

  it('labels a timer interrupt with its vector', async () => {
    await stopAt(client, 'handle_timer');
    const labels = (await stack()).filter((each) => each.startsWith('---'));
    assert.match(labels[0]!, /^--- interrupt 0x20 at (user|kernel) mode ---$/);
  });

  it('steps out of the handler, through the interrupt frame, back into user code', async () => {
    await stopAt(client, 'handle_page_fault');
    for (const place of [/^handle_interrupt/, /^interrupt_common/, /^user_walker \(user\.c:66\)/]) {
      assert.equal((await client.run('stepOut')).reason, 'step');
      assert.match((await stack())[0]!, place);
    }
    const { threads } = await client.request('threads');
    assert.match(threads[0].name, /^CPU 0 \(64-bit, user mode\)$/);
  });

  it('steps over lines, into calls behind the prologue, and out again', async () => {
    await stopAt(client, 'run_tasks');
    const call = lineOf('tasks.c', 'set_kernel_stack(current->stack_top);');
    const places: string[] = [];
    for (let n = 0; n < 6 && !places.at(-1)?.endsWith(`:${call})`); n++) {
      assert.equal((await client.run('next')).reason, 'step');
      places.push((await stack())[0]!);
    }
    assert.equal(places.at(-1), `run_tasks (tasks.c:${call})`);
    await client.run('stepIn');
    assert.match((await stack())[0]!, /^set_kernel_stack \(interrupts\.c:\d+\)$/);
    await client.run('stepOut');
    assert.match((await stack())[0]!, /^run_tasks \(tasks\.c:\d+\)$/);
  });

  it('steps by instruction, exactly one', async () => {
    await stopAt(client, 'run_tasks');
    const before = await evaluate(client, 'instructions');
    await client.run('stepIn', { granularity: 'instruction' });
    assert.equal(BigInt(await evaluate(client, 'instructions')) - BigInt(before), 1n);
  });

  it('runs interrupts through during a step in user code', async () => {
    await launchSample(client, {
      configure: async () => {
        await client.request('setBreakpoints', {
          source: { path: sampleSource('user.c') },
          breakpoints: [{ line: 101 }],
        });
      },
    });
    await client.event('stopped');
    // Long recursions with timer interrupts on the way: one step over is one line further in the same function.
    for (let round = 0; round < 3; round++) {
      await client.request('setBreakpoints', { source: { path: sampleSource('user.c') }, breakpoints: [] });
      const [before] = await stack();
      await client.run('next');
      const [after] = await stack();
      assert.match(after!, /^user_counter \(user\.c/);
      assert.notEqual(before, after);
    }
  });

  it('moves a breakpoint to the next line with code and stops there', async () => {
    await launchSample(client, {
      configure: async () => {
        const path = sampleSource('tasks.c');
        const { breakpoints } = await client.request('setBreakpoints', { source: { path }, breakpoints: [{ line: 161 }, { line: 9999 }] }); // prettier-ignore
        assert.deepEqual([breakpoints[0].verified, breakpoints[1].verified], [true, false]);
        assert.ok(breakpoints[0].line > 161 || breakpoints[0].line === 161);
        assert.match(breakpoints[1].message, /no code at or after/);
        const locations = await client.request('breakpointLocations', { source: { path }, line: 158, endLine: 175 });
        assert.ok(locations.breakpoints.length >= 5);
      },
    });
    const stopped = await client.event('stopped');
    assert.equal(stopped.reason, 'breakpoint');
    assert.equal(stopped.hitBreakpointIds.length, 1);
    assert.match((await stack())[0]!, /^handle_page_fault \(tasks\.c:16\d\)/);
  });

  it('obeys conditions, hit counts and log messages', async () => {
    const name = 'handle_page_fault';
    await launchSample(client, {
      configure: async () => {
        const refinements = [
          { condition: 'error == 6 && current->id == 2' },
          { hitCondition: '% 3' },
          { logMessage: 'fault at {address} of {current->name}, {nothing' },
          { logMessage: 'fault of {current->name} at {(void *)address}' },
          { condition: 'no_such_name == 1' },
          { condition: '1 +' },
        ];
        const { breakpoints } = await client.request('setFunctionBreakpoints', { breakpoints: refinements.map((each) => ({ name, ...each })) }); // prettier-ignore
        assert.deepEqual(breakpoints.map((each: { verified: boolean }) => each.verified), [true, true, false, true, false, false]); // prettier-ignore
        assert.match(breakpoints[2].message, /'\{' without '\}'/);
        assert.match(breakpoints[4].message, /no_such_name/);
      },
    });
    const first = await client.event('stopped');
    const second = await client.run('continue');
    assert.ok(first.hitBreakpointIds.length >= 1 && second.hitBreakpointIds.length >= 1);
    const logged = client
      .output_('console')
      .split('\n')
      .filter((line) => line.startsWith('fault of'));
    assert.ok(logged.length >= 2);
    assert.match(logged[0]!, /^fault of \{?"walker.*at 0x7ffff000ffe0/);
  });

  it('watches a page-table entry and says old and new', async () => {
    await stopAt(client, 'handle_page_fault');
    await client.request('setFunctionBreakpoints', { breakpoints: [] });
    const page = 0x7ffff000f000n;
    const walk = await client.request('ringside/translate', { address: `gv:0x${page.toString(16)}`, access: 'write', user: true });
    assert.equal(walk.translation.gpa, undefined);
    const step = walk.translation.steps.at(-1);
    assert.equal(step.present, false);
    const index = (page >> BigInt({ 4: 39, 3: 30, 2: 21, 1: 12 }[step.level as 1 | 2 | 3 | 4])) & 511n;
    assert.equal(BigInt(step.gpa) & 0xfffn, index * 8n);
    // The kernel reaches tables through its direct map.
    const gva = 0xffff800000000000n + BigInt(step.gpa);
    const info = await client.request('dataBreakpointInfo', { name: `gv:0x${gva.toString(16)}`, asAddress: true, bytes: 8 });
    await client.request('setDataBreakpoints', { breakpoints: [{ dataId: info.dataId, accessType: 'write' }] });
    const stopped = await client.run('continue');
    assert.equal(stopped.reason, 'data breakpoint');
    assert.match(stopped.text, /^write of 8 bytes at gv:0xffff8000.*: 0x0 -> 0x[0-9a-f]+7?$/);
    assert.match((await stack()).join('\n'), /memory\.c/);
  }); // prettier-ignore

  it('explains a page fault bit by bit and shows the failing walk', async () => {
    await launchSample(client, {
      configure: async () => {
        const { breakpoints } = await client.request('setExceptionBreakpoints', {
          filters: ['triple-fault'],
          filterOptions: [
            { filterId: 'trap:#PF', condition: 'trap.vector == 14 && trap.address < 0x20000000' },
            { filterId: 'trap:#GP' },
            { filterId: 'trap:#XX' },
          ],
        });
        assert.deepEqual(breakpoints.map((each: { verified: boolean }) => each.verified), [true, true, true, false]);
      },
    }); // prettier-ignore
    const stopped = await client.event('stopped');
    assert.equal(stopped.reason, 'exception');
    assert.match(
      stopped.text,
      /^#PF Page fault in user mode at user_walker.*: write of gv:0x0000000010001000, not present$/,
    );
    const info = await client.request('exceptionInfo', { threadId: 1 });
    assert.equal(info.exceptionId, '#PF');
    assert.match(info.details.stackTrace, /P {4}= 0: a table entry or the page is not present/);
    assert.match(info.details.stackTrace, /U\/S {2}= 1: from user mode/);
    assert.match(info.details.stackTrace, /PDE? +at gp:0x|PTE +at gp:0x/);
    assert.match(info.details.stackTrace, /=> fault, error code 0x6: /);
    // Nothing was delivered yet: the top frame is the faulting line itself.
    assert.match((await stack())[0]!, /^user_walker \(user\.c:/);
  });

  it('steps into the handler of an exception that it stopped before, or over it', async () => {
    const configure = (own: Client): Promise<void> =>
      own.request('setExceptionBreakpoints', { filters: ['trap:#PF'] }) as Promise<void>;
    await launchSample(client, { configure });
    await client.event('stopped');
    const [faulting] = await stack();
    await client.request('setExceptionBreakpoints', { filters: [] });
    await client.run('next');
    assert.match((await stack())[0]!, /^user_walker \(user\.c/);
    assert.notEqual((await stack())[0], faulting);
    await client.request('setExceptionBreakpoints', { filters: ['trap:#PF'] });
    await client.run('continue');
    await client.run('stepIn');
    const found = await stack();
    assert.match(found[0]!, /^interrupt_stub_14/);
    assert.equal(found[1], '--- #PF at user mode, error 0x6 ---');
  });

  it('gives the console to a terminal, and takes what is typed', async () => {
    await launchSample(client, { attributes: { stopOnEntry: true } });
    await client.event('stopped');
    assert.deepEqual(await client.request('ringside/console', { attach: true }), { attached: true, text: '' });
    await client.request('continue', { threadId: 1 });
    assert.equal((await client.event('exited')).exitCode, 1);
    await client.event('terminated');
    const events = client.log.filter((each) => each.type === 'event' && (each as { event?: string }).event === 'ringside/console');
    const text = events.map((each) => (each as unknown as { body: { text: string } }).body.text).join('');
    assert.match(text, /^Ringside sample kernel[\s\S]*all tasks have exited/);
    assert.equal(client.output_('stdout'), '');
    assert.deepEqual(await client.request('ringside/consoleInput', { text: 'ü' }), { bytes: 2 });
  }); // prettier-ignore

  it('restarts the same run', async () => {
    await stopAt(client, 'handle_page_fault');
    const before = await evaluate(client, 'instructions');
    client.forget('stopped');
    await client.request('restart', {});
    await client.event('stopped');
    assert.equal(await evaluate(client, 'instructions'), before);
  });

  it('runs to the same end with breakpoints as without', async () => {
    const finish = async (configure?: (client: Client) => Promise<void>): Promise<string> => {
      const own = await connect();
      await launchSample(own, configure ? { configure } : {});
      await own.event('terminated');
      const result = `${own.output_('stdout')} ${(await own.request('evaluate', { expression: 'instructions', context: 'repl' })).result}`;
      own.kill();
      return result;
    };
    const plain = await finish();
    const watched = await finish(async (own) => {
      await own.request('setFunctionBreakpoints', { breakpoints: [{ name: 'fibonacci', condition: 'n == 1000' }, { name: 'handle_interrupt', logMessage: '{frame->vector}' }] }); // prettier-ignore
      await own.request('setExceptionBreakpoints', { filters: [], filterOptions: [{ filterId: 'trap', condition: 'trap.vector == 6' }] }); // prettier-ignore
    });
    assert.equal(watched, plain);
  });
});
