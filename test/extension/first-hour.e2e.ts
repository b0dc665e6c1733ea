/** What leads somebody who is new, in a VS Code in a browser: the walkthrough and its buttons, a sample that is copied and debugged where it is. */
import assert from 'node:assert/strict';
import type { Frame } from 'playwright-core';
import { violationsIn } from './support/accessibility';
import { inBrowser } from './support/in-browser';
import type { Workbench } from './support/workbench';

/** What a page of the walkthrough can do wrong: the document around it is the editor's. */
const OURS = ['color-contrast', 'image-alt', 'svg-img-alt', 'role-img-alt', 'empty-heading', 'heading-order', 'list', 'listitem', 'link-name', 'td-headers-attr', 'th-has-data-cells', 'empty-table-header', 'scrollable-region-focusable']; // prettier-ignore

inBrowser('VS Code in a browser leads through the first hour', 'first-hour', (workbench) => {
  let code: Workbench;
  before(() => (code = workbench()));

  const step = (title: string) => code.page.locator('button.getting-started-step', { hasText: title });
  /** Opens a step of the walkthrough, which stays open beside what it leads to, and presses its button. */
  const press = async (title: string, button: string): Promise<void> => {
    await code.command('Ringside: Get Started');
    await step(title).locator('.step-title').click();
    await step(title).locator('.monaco-button', { hasText: button }).click();
  };
  /** In one of several webviews, not in the editor's own page: pages of the walkthrough and previews are some, too. */
  const shown = async (selector: string): Promise<Frame> => {
    for (let tries = 0; tries < 200; tries++) {
      for (const frame of code.page.frames().slice(1))
        if (await frame.locator(selector).first().isVisible().catch(() => false)) return frame;
      await code.page.waitForTimeout(100);
    }
    assert.fail(`no ${selector}`);
  };

  let former = '';
  /** Of the page of a step that was just opened: for a while the one before it is still there. */
  const violationsOfPage = async (): Promise<string[]> => {
    for (let tries = 0; tries < 100; tries++) {
      const page = await shown('body > svg, .vscode-body > svg, body table, body blockquote, body li');
      const html = await page.locator('body').innerHTML({ timeout: 2_000 }).catch(() => former);
      // A picture's page runs no scripts, axe's neither; it has the alternative text of the manifest.
      const picture = html.includes('<svg');
      const found = html === former ? undefined : picture ? [] : await violationsIn(page, OURS, 'editor').catch(() => undefined);
      if (found === undefined) await code.page.waitForTimeout(100);
      else return ((former = html), found);
    }
    return assert.fail('the page of the step does not come');
  };

  it('opens the walkthrough, with a picture or a page for every step', async () => {
    await code.page.getByRole('treeitem', { name: 'tasks.c' }).first().waitFor({ timeout: 60_000 });
    await code.command('Ringside: Get Started');
    const titles = code.page.locator('button.getting-started-step .step-title');
    await titles.first().waitFor();
    const steps = await titles.allInnerTexts();
    assert.equal(steps.length, 7, steps.join(', '));
    for (const title of steps) {
      await step(title).locator('.step-title').click();
      assert.deepEqual(await violationsOfPage(), [], title);
      await code.screenshot(title.toLowerCase().replaceAll(' ', '-'));
    }
  });

  it('opens a sample from its first step', async () => {
    await code.pick('Bare kernel', async () => {
      await press('Open a sample', 'Open Sample');
      await code.page.locator('.quick-input-list .monaco-list-row').nth(4).waitFor();
      await code.screenshot('samples');
    });
    // Where to: the editor's own dialog, of file systems that are no disk.
    await code.page.locator('.quick-input-widget .quick-input-action .monaco-button').first().click();
    await code.page.locator('.notification-toast', { hasText: 'The sample "Bare kernel" is in /sample/bare-kernel' }).waitFor();
    await code.screenshot('copied');
  });

  it('debugs the sample where it is, beside the page that leads through it', async () => {
    await code.page.locator('.notification-toast .monaco-button', { hasText: 'Debug It Here' }).click();
    await code.statusBarShows(/bare machine/);
    await code.page.locator('.tab', { hasText: /Preview README\.md/ }).first().waitFor();
    await code.toolbar('Pause').click();
    await code.stopped();
    await code.screenshot('debugged');
  });

  it('leads from its steps to the panels', async () => {
    await press('Follow an address', 'Open Page Tables');
    await shown('.walker');
    await press('See what it costs', 'Open VM Exits');
    await shown('text=has no hypervisor');
    await press('Have a stop explained', 'Explain This Stop');
    await code.page.locator('.tab', { hasText: 'This Stop.md' }).first().waitFor();
  });

  it('starts what is chosen, from its steps', async () => {
    await code.toolbar('Stop').click();
    await code.page.locator('.debug-toolbar').waitFor({ state: 'hidden' });
    await code.pick('VT-x with nested page tables', () => press('Put a hypervisor under it', 'Select and Start'));
    await code.statusBarShows(/vt-x/);
    await code.toolbar('Stop').click();
    await code.page.locator('.debug-toolbar').waitFor({ state: 'hidden' });
    await code.pick('sample.elf', () => press('Debug your own kernel', 'Debug a Kernel'));
    await code.statusBarShows(/bare machine/);
  });
}); // prettier-ignore
