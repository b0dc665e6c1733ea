/** Binary translation in VS Code in a browser: the guest's code beside what is executed for it. */
import assert from 'node:assert/strict';
import { inBrowser } from './support/in-browser';
import type { Workbench } from './support/workbench';

inBrowser('VS Code in a browser shows translated code', 'translated', (workbench) => {
  let code: Workbench;
  before(() => (code = workbench()));
  const view = () => code.webview();
  const here = () => view().locator('.line.here .guest .at');

  it('stops in translated code', async () => {
    await code.openFile('tasks.c');
    await code.breakAt('tasks.c', 'page_faults++');
    await code.startConfiguration('Binary translation');
    await code.stopped();
    await code.shows('debug-call-stack', /handle_page_fault/);
  });

  it('shows both columns, with symbols, and where the processor stands', async () => {
    await code.command('Show Translated Code');
    await here().waitFor();
    assert.match(await here().innerText(), /handle_page_fault/);
    const [lines, made] = [view().locator('.line'), view().locator('.line .made > div')];
    assert((await made.count()) >= (await lines.count()), 'beside each instruction is at least one');
    await view().locator('.treatment.relocated').first().waitFor();
    await code.screenshot('columns');
  });

  for (const [column, mark] of [
    ['Step guest', '.line.here .guest .at'],
    ['Step translated', '.made .stands .at'],
  ] as const)
    it(`${column}: a step, and the mark follows`, async () => {
      const stands = view().locator(mark);
      const before = await stands.innerText();
      await view().locator('vscode-button', { hasText: column }).click();
      for (let tries = 0; (await stands.innerText()) === before && tries < 100; tries++)
        await code.page.waitForTimeout(100);
      assert.notEqual(await stands.innerText(), before);
    });

  it('shows what becomes of sensitive instructions, and comes back', async () => {
    const field = view().locator('vscode-textfield input');
    await field.fill('&load_gdt');
    await field.press('Enter');
    // LGDT and LTR have a block of their own behind this one.
    await view().locator('.ways .link', { hasText: 'load_gdt' }).first().click();
    await view().locator('.treatment.call-out').first().waitFor();
    await code.screenshot('call-out');
    await view().locator('vscode-button', { hasText: 'Back' }).click();
    await view().locator('.ways .link', { hasText: 'load_gdt' }).first().waitFor();
    await view().locator('vscode-button', { hasText: 'Follow the processor' }).click();
    await here().waitFor();
  });

  it('is moved by keys, and leads to the source', async () => {
    await view().locator('.lines').focus();
    await code.page.keyboard.press('Home');
    await view().locator('.line.selected[id="line-0"]').waitFor();
    await code.page.keyboard.press('ArrowDown');
    await view().locator('.line.selected[id="line-1"]').waitFor();
    await code.page.keyboard.press('Enter');
    await code.page.locator('.tab.active', { hasText: 'tasks.c' }).waitFor();
  });

  for (const theme of ['Dark Modern', 'Dark High Contrast', 'Light High Contrast'])
    it(`looks right in the theme ${theme}`, async () => {
      await code.theme(theme);
      await code.command('Focus on Translated Code View');
      await view().locator('.line.here').waitFor();
      await code.screenshot(theme.toLowerCase().replaceAll(' ', '-'));
    });
});
