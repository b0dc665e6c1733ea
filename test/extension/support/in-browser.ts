/** A suite of tests in one VS Code in a browser, with the sample's folder open: each goes on where the one before it stopped. */
import type { Server } from 'node:http';
import { serve } from '../../../scripts/web-server';
import { browserIsHere, CHROMIUM, Workbench } from './workbench';

/** `name`: of its pictures. `tests` gets the workbench when it asks: it is there once the first test runs. */
export function inBrowser(title: string, name: string, tests: (code: () => Workbench) => void): void {
  describe(title, function () {
    this.timeout(180_000);
    this.bail(true);
    let server: Server | undefined;
    let code: Workbench | undefined;

    before(async function () {
      if (!browserIsHere()) {
        console.log(`no browser at ${CHROMIUM}`);
        return this.skip();
      }
      const started = await serve({ port: 0, workspace: 'guests/sample' });
      server = started.server;
      code = await Workbench.open(started.url, name);
    });
    afterEach(async function () {
      if (this.currentTest?.state !== 'failed') return;
      await code?.screenshot('failed');
      console.log(code?.log.slice(-30).join('\n'));
    });
    after(async () => {
      await code?.close();
      server?.closeAllConnections();
      server?.close();
    });

    tests(() => code!);
  });
}
