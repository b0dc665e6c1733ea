/** Assembly in a VS Code in a browser, where the language server is a worker: hover, mistakes, completion, definition. */
import type { Server } from 'node:http';
import { serve } from '../../scripts/web-server';
import { browserIsHere, CHROMIUM, Workbench } from './support/workbench';

describe('VS Code in a browser reads assembly', function () {
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
    code = await Workbench.open(started.url, 'language');
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

  const keys = async (...all: string[]): Promise<void> => {
    for (const key of all) await code.page.keyboard.press(key);
  };

  it('colours instructions, labels and registers', async () => {
    await code.openFile('boot.S');
    await code.page.locator('.monaco-editor .view-line span[class*="mtk"]', { hasText: '%eax' }).first().waitFor();
  });

  it('marks a mistake', async () => {
    await code.goToLine(1);
    await code.page.keyboard.type('\tpopf\n\tmovv %eax, %ebx\n');
    await code.page.locator('.monaco-editor .squiggly-error').first().waitFor({ state: 'attached', timeout: 60_000 });
  });

  it('tells what an instruction does, and that it is a hole', async () => {
    await code.goToLine(1);
    await keys('End', 'Control+K', 'Control+I');
    const hover = code.page.locator('.monaco-hover-content', { hasText: 'Sensitive and not privileged' });
    await hover.first().waitFor();
    await code.screenshot('hover');
    await keys('Escape');
  });

  it('offers instructions with their suffixes', async () => {
    await code.goToLine(2);
    await keys('End');
    await code.page.keyboard.type('\n\tcmpxchg');
    await keys('Control+Space');
    await code.page.locator('.suggest-widget .monaco-list-row', { hasText: 'cmpxchgq' }).first().waitFor();
    await code.screenshot('completion');
    await keys('Escape');
  });
});
