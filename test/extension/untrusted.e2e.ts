/** Restricted Mode: a folder that nobody has vouched for is read and explained; nothing of it is started before the user has said so. */
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeHost } from './support/hosts';
import { inBrowser } from './support/in-browser';
import { lineOf, type Workbench } from './support/workbench';

let folder: string | undefined;
const host = nodeHost({
  packaged: true,
  trust: true,
  settings: { 'security.workspace.trust.startupPrompt': 'never' },
  folder() {
    folder = mkdtempSync(join(tmpdir(), 'ringside-untrusted-'));
    cpSync('guests/sample', folder, { recursive: true, filter: (path) => !path.endsWith('.o') });
    return folder;
  },
});

inBrowser('VS Code in Restricted Mode', 'untrusted', (workbench) => {
  let code: Workbench;
  before(() => (code = workbench()));
  after(() => folder !== undefined && rmSync(folder, { recursive: true, force: true }));
  const dialog = () => code.page.locator('.monaco-dialog-box');

  it('explains assembly', async () => {
    await code.page.locator('.statusbar-item', { hasText: 'Restricted Mode' }).first().waitFor({ timeout: 60_000 });
    await code.openFile('boot.S');
    await code.goToLine(lineOf('boot.S', 'jmp     start'));
    await code.page.keyboard.press('Home');
    await code.hover('JMP');
    await code.page.keyboard.press('Escape');
  });

  it('says what is switched off, and why', async () => {
    await code.command('Workspaces: Manage Workspace Trust');
    await code.page.locator('.workspace-trust-editor').waitFor();
    await code.screenshot('trust');
    // Above everything else, and with the keys.
    await code.page.keyboard.press('Escape');
    await code.page.locator('.workspace-trust-editor').waitFor({ state: 'hidden' });
  });

  it('starts nothing unasked', async () => {
    await code.page.keyboard.press('F5');
    await dialog().waitFor({ timeout: 60_000 });
    await code.screenshot('asked');
    await code.page.keyboard.press('Escape');
    await dialog().waitFor({ state: 'detached' });
    assert.equal(await code.page.locator('.debug-toolbar').count(), 0);
  });
}, host); // prettier-ignore
