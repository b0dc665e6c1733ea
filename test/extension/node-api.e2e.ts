/** Tests inside of the extension host (test/extension/host): what the editor's API says of this extension. They are run there and reported here. */
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import Mocha from 'mocha';
import { RESULTS, type Result } from './host/run';
import { nodeHost, skipUnlessHere } from './support/hosts';
import { Workbench } from './support/workbench';

const PATIENCE_MS = 300_000;

describe('inside the extension host', function () {
  this.timeout(PATIENCE_MS);
  const folder = mkdtempSync(join(tmpdir(), 'ringside-api-'));
  const results = join(folder, 'results.json');
  const workspace = join(folder, 'sample');
  const host = nodeHost({
    drivable: true,
    environment: { [RESULTS]: results },
    folder: workspace,
    query(authority) {
      const at = (path: string): string => `vscode-remote://${authority}${resolve(path)}`;
      const payload = [['extensionDevelopmentPath', at('.')], ['extensionTestsPath', at('test/extension/host/index.cjs')]]; // prettier-ignore
      return { payload: JSON.stringify(payload) };
    },
  });
  let stop: (() => void | Promise<void>) | undefined;
  let code: Workbench | undefined;

  before(async function () {
    skipUnlessHere(this, host);
    cpSync('guests/sample', workspace, { recursive: true, filter: (path) => !path.endsWith('.o') });
    const started = await host.start();
    stop = started.stop;
    const ended = new Promise<void>((done) => {
      const ready = async (page: Workbench['page']): Promise<void> => {
        // The editor calls these when it drives tests.
        await page.exposeFunction('codeAutomationLog', () => undefined);
        await page.exposeFunction('codeAutomationExit', () => done());
      };
      void Workbench.open(started.url, 'api', ready).then((opened) => (code = opened));
    });
    await ended;
    const found = JSON.parse(readFileSync(results, 'utf8')) as Result[];
    for (const { title, error } of found)
      this.test!.parent!.addTest(new Mocha.Test(title, () => assert(error === undefined, error)));
  });
  after(async () => {
    await code?.screenshot('end');
    await code?.close();
    await stop?.();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });

  it('every file of tests was run', () => {
    const found = JSON.parse(readFileSync(results, 'utf8')) as Result[];
    assert(found.length >= readdirSync('test/extension/host').filter((name) => name.endsWith('.host.ts')).length);
  });
});
