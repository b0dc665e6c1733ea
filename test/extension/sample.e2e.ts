/** The whole path: VS Code in a browser, F5 on the sample kernel, a line breakpoint, variables, the page-table view. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { serve } from '../../scripts/web-server';
import { browserIsHere, CHROMIUM, Workbench } from './support/workbench';

describe('VS Code in a browser debugs the sample kernel', function () {
  this.timeout(180_000);
  this.bail(true);
  let server: Server;
  let code: Workbench;

  before(async function () {
    if (!browserIsHere()) {
      console.log(`no browser at ${CHROMIUM}`);
      return this.skip();
    }
    const started = await serve({ port: 0, workspace: 'guests/sample' });
    server = started.server;
    code = await Workbench.open(started.url, 'sample');
  });

  afterEach(async function () {
    if (this.currentTest?.state !== 'failed') return;
    await code.screenshot('failed');
    console.log(code.log.slice(-30).join('\n'));
  });

  after(async () => {
    await code?.close();
    server?.closeAllConnections();
    server?.close();
  });

  it('F5 starts a session and stops at a breakpoint in the page-fault handler', async () => {
    await code.openFile('memory.c');
    await code.goToLine(lineOf('memory.c', 'page_fault'));
    await code.page.keyboard.press('F9');
    await code.page.locator('.monaco-editor .codicon-debug-breakpoint').first().waitFor();
    await code.startDebugging();
    await code.stopped();
    await code.screenshot('stopped');
  });
});

/** Line of the first text in a file of the sample. */
function lineOf(file: string, text: string): number {
  const lines = readFileSync(`guests/sample/${file}`, 'utf8').split('\n');
  const index = lines.findIndex((line) => line.includes(text));
  assert(index >= 0, `${file} contains ${text}`);
  return index + 1;
}
