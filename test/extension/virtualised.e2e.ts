/** A guest under a hypervisor, in VS Code in a browser: exits, both walks, control blocks, domains, screen. */
import assert from 'node:assert/strict';
import { inBrowser } from './support/in-browser';
import type { Workbench } from './support/workbench';

inBrowser('VS Code in a browser shows what is under a guest', 'virtualised', (workbench) => {
  let code: Workbench;
  before(() => (code = workbench()));

  it('starts the sample under shadow page tables, and stops in its page-fault handler', async () => {
    await code.openFile('tasks.c');
    await code.breakAt('tasks.c', 'page_faults++');
    await code.startConfiguration('VT-x with shadow page tables');
    await code.stopped();
    await code.shows('debug-call-stack', /handle_page_fault/);
  });

  it('counts exits by reason, and shows one', async () => {
    await code.command('Focus on VM Exits View');
    const view = code.webview();
    await view.locator('table.counts tbody tr', { hasText: 'shadow-fault' }).waitFor();
    assert(await view.locator('.chart canvas').isVisible(), 'the chart');
    const rows = view.locator('.virtual-list .row');
    await rows.first().click();
    await view.locator('.details .said li', { hasText: 'virtual processor: 0' }).waitFor();
    await code.screenshot('exits');
  });

  it('filters the list by a condition, and says what is wrong with another', async () => {
    const view = code.webview();
    const field = view.locator('vscode-textfield input');
    await field.fill('exit.reason == "cr-access"');
    await field.press('Enter');
    await view.locator('.virtual-list .row .reason', { hasText: 'cr-access' }).first().waitFor();
    const others = view.locator('.virtual-list .row .reason', { hasText: 'shadow-fault' });
    await others.first().waitFor({ state: 'detached' });
    await field.fill('exit.reason ==');
    await field.press('Enter');
    await view.locator('[role=alert]').waitFor();
    await field.fill('');
    await field.press('Enter');
    await view.locator('[role=alert]').waitFor({ state: 'detached' });
  });

  it('breaks on exits like the one chosen', async () => {
    const view = code.webview();
    await view.locator('.virtual-list .row', { hasText: 'shadow-fault' }).first().click();
    await view.locator('vscode-button', { hasText: 'Break on exits like this' }).click();
    // Below the filters.
    await code.page.locator('.debug-breakpoints .monaco-list').focus();
    await code.page.keyboard.press('End');
    await code.shows('debug-breakpoints', /vm-exit/);
  });

  it('walks an address through the guest tables and the shadow', async () => {
    await code.command('Focus on Page Tables View');
    const view = code.webview();
    const input = view.locator('.walker vscode-textfield input');
    await input.fill('$rip');
    await input.press('Enter');
    await view.locator('.walk caption', { hasText: 'shadow' }).waitFor();
    assert.match(await view.locator('.chain').innerText(), /gv:0x.*→ gp:0x.*→ hp:0x/s);
    await view.locator('.verdicts').waitFor();
    await code.screenshot('walk');
  });

  it('shows trees of both tables, and a map of the address space', async () => {
    const view = code.webview();
    await view.locator('h2', { hasText: 'Shadow' }).waitFor();
    await code.screenshot('trees');
    await view.locator('.choice', { hasText: 'map of shadow' }).click();
    await view.locator('.map .row:not(.dim)').first().waitFor();
    await code.screenshot('map');
  });

  it('marks a stale shadow entry: in its walk, in the tree, and when the shadow is checked', async () => {
    const view = code.webview();
    await view.locator('.choice', { hasText: 'trees' }).click();
    const check = view.locator('vscode-button', { hasText: 'Check the shadow' });
    await check.click();
    await view.locator('.check', { hasText: 'Every shadow entry agrees' }).waitFor();
    const leaf = view.locator('.walk', { hasText: 'shadow' }).locator('tbody tr').last();
    const place = await leaf.locator('td', { hasText: 'hp:' }).first().innerText();
    await code.evaluate(`*(unsigned long *)${place} += 0x1000`);
    await code.command('Focus on Page Tables View');
    await view.locator('.result.fault', { hasText: 'Shadow: stale' }).waitFor();
    await view.locator('[role=treeitem].bad').first().waitFor();
    await check.click();
    await view.locator('.check .fault', { hasText: 'stale' }).waitFor();
    await code.screenshot('stale');
    await code.evaluate(`*(unsigned long *)${place} -= 0x1000`);
    await code.command('Focus on Page Tables View');
    await view.locator('.result.fault').waitFor({ state: 'detached' });
  });

  it('decodes control blocks and registers in the side bar', async () => {
    await code.command('Focus on Structures View');
    await code.page.getByRole('treeitem', { name: /VMCS/ }).first().waitFor();
    await code.page.getByRole('treeitem', { name: /VMCS/ }).first().click();
    await code.screenshot('structures');
  });

  it('shows domains and the screen', async () => {
    await code.command('Focus on Domains View');
    await code.page.getByRole('treeitem', { name: /vt-x/ }).first().waitFor();
    await code.command('Focus on Guest Screen View');
    await code.webview().locator('.screen').waitFor();
    await code.screenshot('screen');
  });

  for (const theme of ['Dark Modern', 'Dark High Contrast', 'Light High Contrast'])
    it(`looks right in the theme ${theme}`, async () => {
      await code.theme(theme);
      for (const [view, name] of [['VM Exits', 'exits'], ['Page Tables', 'walk']] as const) {
        await code.command(`Focus on ${view} View`);
        await code.webview().locator('main').waitFor();
        await code.page.waitForTimeout(500);
        await code.screenshot(`${name}-${theme.toLowerCase().replaceAll(' ', '-')}`);
      } // prettier-ignore
    });
});
