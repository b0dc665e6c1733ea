/** Several processors as threads: names, stacks, steps of one, stops that say which. The guest is guests/tests/processors.S. */
import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { InProcess } from './support/in-process';

const KERNEL = fileURLToPath(new URL('../../guests/tests/processors.elf', import.meta.url));
const THREADS = [1, 2, 3, 4];

describe('several processors in the adapter', () => {
  let adapter: InProcess;
  beforeEach(async () => {
    adapter = new InProcess();
    await adapter.launch({ kernel: KERNEL, cpus: 4 });
    await adapter.enter();
  });
  afterEach(() => adapter.request('disconnect'));

  const run = async (command: string, args: object): Promise<{ reason: string; threadId: number; allThreadsStopped: boolean }> => {
    const stopped = adapter.next('stopped');
    await adapter.request(command, args);
    return stopped;
  }; // prettier-ignore
  const top = async (threadId: number): Promise<{ id: number; instructionPointerReference: string }> =>
    (await adapter.request('stackTrace', { threadId, levels: 1 })).stackFrames[0];
  const register = async (threadId: number, name: string): Promise<string> =>
    (await adapter.request('evaluate', { expression: `$${name}`, frameId: (await top(threadId)).id, context: 'watch' })).result; // prettier-ignore
  /** At the first interrupt that one processor sends to the others: all four are at work. */
  const toTheFirstInterrupt = async (): Promise<number> => {
    await adapter.request('setExceptionBreakpoints', { filters: ['trap:irq'] });
    const { reason, threadId, allThreadsStopped } = await run('continue', { threadId: 1 });
    assert.deepEqual([reason, allThreadsStopped], ['exception', true]);
    await adapter.request('setExceptionBreakpoints', { filters: [] });
    return threadId;
  };

  it('are threads, and all but the first wait to be started', async () => {
    const { threads } = await adapter.request('threads');
    assert.deepEqual(threads.map((each: { id: number }) => each.id), THREADS); // prettier-ignore
    assert.match(threads[0].name, /^CPU 0 \(.*32.*\)$/);
    for (const thread of threads.slice(1)) assert.match(thread.name, /^CPU \d \(real.*, halted\)$/);
    assert.match((await adapter.response('stackTrace', { threadId: 5 })).message!, /no thread 5; .* 1 to 4/);
  });

  it('a stop says which, and only that one stopped at an exception', async () => {
    const threadId = await toTheFirstInterrupt();
    assert.ok(threadId > 1, 'the first one sends to all but itself');
    assert.match((await adapter.request('exceptionInfo', { threadId })).description, /0x31/);
    assert.match((await adapter.response('exceptionInfo', { threadId: 1 })).message!, /Processor 0 did not stop/);
  });

  it('each has its registers and its stack, and edits stay with it', async () => {
    await toTheFirstInterrupt();
    const stacks = await Promise.all(THREADS.map((threadId) => register(threadId, 'rsp')));
    assert.equal(new Set(stacks).size, THREADS.length);
    for (const threadId of THREADS) {
      const frameId = (await top(threadId)).id;
      await adapter.request('setExpression', { expression: '$r15', value: `${threadId}`, frameId });
    }
    await run('stepIn', { threadId: 1, granularity: 'instruction' });
    for (const threadId of THREADS) assert.equal(BigInt(await register(threadId, 'r15')), BigInt(threadId));
  });

  it('one steps while the others go on', async () => {
    await toTheFirstInterrupt();
    for (const threadId of [3, 1, 4, 3]) {
      const before = await register(threadId, 'rip');
      const stop = await run('stepIn', { threadId, granularity: 'instruction' });
      assert.deepEqual([stop.reason, stop.threadId], ['step', threadId]);
      assert.notEqual(await register(threadId, 'rip'), before);
    }
  });

  it('a breakpoint stops whoever comes by, and its condition sees that one', async () => {
    await toTheFirstInterrupt();
    const { instructionPointerReference } = await top(3);
    const at = async (condition?: string): Promise<number> => {
      const breakpoint = { instructionReference: instructionPointerReference, ...(condition ? { condition } : {}) };
      await adapter.request('setInstructionBreakpoints', { breakpoints: [breakpoint] });
      const stop = await run('continue', { threadId: 1 });
      assert.equal(stop.reason, 'instruction breakpoint');
      assert.equal((await top(stop.threadId)).instructionPointerReference, instructionPointerReference);
      return stop.threadId;
    };
    const seen = new Set<number>();
    for (let n = 0; n < 12; n++) seen.add(await at());
    assert.ok(seen.size > 1, `only thread ${[...seen].join()}`);
    // In the guest EBP is the processor's number.
    for (let n = 0; n < 3; n++) assert.equal(await at('$ebp == 3'), 4);
  });

  it('a step of one that waits to be started lets the others run until it is, or until pause', async () => {
    const stepped = adapter.next('stopped');
    await adapter.request('stepIn', { threadId: 2, granularity: 'instruction' });
    await new Promise((resolve) => setTimeout(resolve, 1));
    await adapter.request('pause', { threadId: 2 });
    assert.ok(['pause', 'step'].includes((await stepped).reason));
    const stop = await run('stepIn', { threadId: 2, granularity: 'instruction' });
    assert.deepEqual([stop.reason, stop.threadId], ['step', 2]);
    assert.notEqual(adapter.session.target.machine.inspect.halted(1), true);
  });
});
