/** Restart boots what is there now: a kernel that was built since comes with its symbols, and breakpoints move to them. */
import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InProcess } from './support/in-process';
import { SAMPLE } from './support/server';

const OTHER = 'guests/porting/native.elf';

describe('restart', () => {
  let folder: string;
  before(() => (folder = mkdtempSync(join(tmpdir(), 'ringside-'))));
  after(() => rmSync(folder, { recursive: true }));

  const ROWS = [
    { built: SAMPLE, function: 'handle_page_fault', verified: [true, false], moved: 0 },
    { built: OTHER, function: 'console_start', verified: [false, true], moved: 2 },
  ];
  for (const row of ROWS)
    it(`stops where ${row.built} has the breakpoint`, async () => {
      const kernel = join(folder, 'kernel.elf');
      copyFileSync(SAMPLE, kernel);
      const session = new InProcess();
      await session.launch({ kernel, stopOnEntry: false });
      const functions = { breakpoints: [{ name: 'handle_page_fault' }, { name: 'console_start' }] };
      const { breakpoints } = await session.request('setFunctionBreakpoints', functions);
      const verified = (breakpoints as { verified: boolean }[]).map((each) => each.verified);
      assert.deepEqual(verified, [true, false]);
      await session.enter();
      copyFileSync(row.built, kernel);
      const stopped = session.next('stopped');
      await session.request('restart', {});
      await stopped;
      const { stackFrames } = await session.request('stackTrace', { threadId: 1, levels: 1 });
      assert.equal(stackFrames[0].name, row.function);
      const changed = session.events.filter(({ event }) => event === 'breakpoint').map(({ body }) => body.breakpoint);
      assert.equal(changed.length, row.moved);
      for (const { id, verified: now } of changed)
        assert.equal(now, row.verified[breakpoints.findIndex((each: { id: number }) => each.id === id)]);
      await session.request('disconnect');
    });

  it('boots the machine that the attributes say now', async () => {
    const session = new InProcess();
    await session.launch({ kernel: SAMPLE });
    await session.enter();
    const threads = async (): Promise<number> => (await session.request('threads')).threads.length;
    assert.equal(await threads(), 1);
    const stopped = session.next('stopped');
    await session.request('restart', { arguments: { kernel: SAMPLE, stopOnEntry: true, cpus: 2, technique: 'vt-x' } });
    await stopped;
    assert.equal(await threads(), 2);
    const { roots } = await session.request('ringside/structures');
    assert.equal(roots.includes('VMCS'), true);
    await session.request('disconnect');
  });

  it('of a kernel that is gone is refused, and the session goes on', async () => {
    const kernel = join(folder, 'gone.elf');
    copyFileSync(SAMPLE, kernel);
    const session = new InProcess();
    await session.launch({ kernel });
    await session.enter();
    rmSync(kernel);
    const { success, message } = await session.response('restart', {});
    assert.equal(success, false);
    assert.match(message!, /'kernel': Cannot read .*gone\.elf: there is no such file/);
    const { stackFrames } = await session.request('stackTrace', { threadId: 1 });
    assert.equal(stackFrames.length > 0, true);
    await session.request('disconnect');
  });
});
