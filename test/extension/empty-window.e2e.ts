/** The very first minute: the packaged extension in a clean profile, a window without a folder, and F5. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeHost } from './support/hosts';
import { inBrowser } from './support/in-browser';
import type { Workbench } from './support/workbench';

inBrowser('VS Code with Node, without a folder', 'empty-window', (workbench) => {
  let code: Workbench;
  const target = mkdtempSync(join(tmpdir(), 'ringside-empty-'));
  before(() => (code = workbench()));
  after(() => rmSync(target, { recursive: true, force: true }));
  const dialog = () => code.page.locator('.monaco-dialog-box');
  const rows = () => code.page.locator('.quick-input-list .monaco-list-row');

  it('F5 says that there is no folder, and offers a kernel or a sample', async () => {
    for (let tries = 0; tries < 10 && !(await dialog().isVisible()); tries++) {
      await code.page.keyboard.press('F5');
      // Of several debuggers the editor asks for one.
      await dialog().or(rows().filter({ hasText: 'Ringside' }).first()).first().waitFor({ timeout: 8_000 }).catch(() => undefined); // prettier-ignore
      if (await rows().count()) await rows().filter({ hasText: 'Ringside' }).first().click({ timeout: 3_000 }).catch(() => undefined); // prettier-ignore
      await dialog().waitFor({ timeout: 5_000 }).catch(() => undefined);
    }
    await code.screenshot('no-folder');
    assert.match(await dialog().innerText(), /No folder is open: choose a kernel, or look at a sample/);
  });

  it('a sample is copied to where the user says', async () => {
    await dialog().locator('.monaco-button', { hasText: 'Open Sample…' }).click();
    await rows().filter({ hasText: 'Shadow paging' }).first().click();
    const input = code.page.locator('.quick-input-widget .quick-input-box input');
    await input.fill(`${target}/`);
    await code.page.locator('.quick-input-widget .monaco-button', { hasText: 'Copy Sample Here' }).click();
    await code.page.locator('.notification-toast', { hasText: 'The sample "Shadow paging" is in' }).waitFor();
    await code.screenshot('copied');
    assert(readdirSync(join(target, 'shadow-paging')).includes('sample.elf'));
  });

  it('the folder is opened, and F5 debugs its first configuration', async () => {
    await code.page.locator('.notification-toast .monaco-button', { hasText: 'Open Folder' }).first().click();
    await code.page.getByRole('treeitem', { name: 'tasks.c' }).first().waitFor({ timeout: 60_000 });
    await code.startDebugging();
    await code.statusBarShows(/vt-x|binary-translation/);
    await code.screenshot('debugged');
  });
}, nodeHost({ packaged: true })); // prettier-ignore
