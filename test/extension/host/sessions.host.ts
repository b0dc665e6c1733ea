/** Debug sessions by the editor's API: launch, stop, custom requests. */
import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import type { CustomRequests } from '../../../debug-adapter/protocol';
import { debugSample, stopDebugging } from './support';

const FAULT = 'handle_page_fault';

describe('sessions', () => {
  let session: vscode.DebugSession;
  const ask = <C extends keyof CustomRequests>(command: C, args: object = {}): Thenable<CustomRequests[C]['body']> =>
    session.customRequest(command, args) as Thenable<CustomRequests[C]['body']>;

  const rows = [
    { technique: 'none', paging: 'none', launch: {} },
    { technique: 'vt-x', paging: 'shadow', launch: { technique: 'vt-x', paging: 'shadow' } },
    { technique: 'amd-v', paging: 'nested', launch: { technique: 'amd-v' } },
  ];
  for (const { technique, paging, launch } of rows)
    it(`stops in ${FAULT} under ${technique}, ${paging} page tables`, async () => {
      session = await debugSample(launch, new vscode.FunctionBreakpoint(FAULT));
      try {
        const { stackFrames } = await session.customRequest('stackTrace', { threadId: 1, levels: 1 });
        assert.equal(stackFrames[0].name, FAULT);
        const status = await ask('ringside/status');
        assert.deepEqual([status.technique, status.paging, status.mode, status.ring, status.running], [technique, paging, 'long', 0, false]); // prettier-ignore
        assert(status.instructions > 0);
        const explanation = await ask('ringside/explainStop');
        assert.match(explanation.what, new RegExp(`function breakpoint, at ${FAULT}`));
        const { view } = await ask('ringside/translate', { address: '$rip' });
        assert.equal(view !== undefined, true);
      } finally {
        await stopDebugging(session);
      }
    });

  it('says what is wrong with a kernel that is none, and starts nothing', async () => {
    const config = { type: 'ringside', request: 'launch', name: 'bad', kernel: 7 };
    // Dialogs are refused while tests drive the editor, with what they would say.
    await assert.rejects(Promise.resolve(vscode.debug.startDebugging(undefined, config)), /'kernel' is 7; give a string/);
    assert.equal(vscode.debug.activeDebugSession, undefined);
  });
}); // prettier-ignore
