/** A suite of tests in one VS Code in a browser: each goes on where the one before it stopped. */
import assert from 'node:assert/strict';
import { skipUnlessHere, webHost, type Host } from './hosts';
import { Workbench } from './workbench';

const SAMPLE = webHost('guests/sample');

/**
 * `name`: of its pictures. `tests` gets the workbench when it asks: it is there once the first test runs. `host`: the sample's
 * folder in a browser unless said.
 */
export function inBrowser(title: string, name: string, tests: (code: () => Workbench) => void, host: Host = SAMPLE): void {
  describe(title, function () {
    this.timeout(180_000);
    let failed = false;
    let started: Awaited<ReturnType<Host['start']>> | undefined;
    let code: Workbench | undefined;

    before(async function () {
      skipUnlessHere(this, host);
      started = await host.start();
      code = await Workbench.open(started.url, name);
    });
    // A row begins where the one before it ended. (Mocha's own bail would leave out the suites behind this one, too.)
    beforeEach(function () {
      if (failed) this.skip();
    });
    afterEach(async function () {
      if (this.currentTest?.state !== 'failed') return;
      failed = true;
      await code?.screenshot('failed');
      console.log(code?.log.slice(-30).join('\n'));
    });
    afterEach(() => assert.deepEqual(code?.refused.splice(0) ?? [], [], 'refused by a content security policy'));
    after(async () => {
      await code?.close();
      await started?.stop();
    });

    tests(() => code!);
  });
} // prettier-ignore
