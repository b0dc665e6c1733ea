/** The whole path: VS Code in a browser, F5 on the sample kernel, a line breakpoint, variables, the page-table view. */
import assert from 'node:assert/strict';
import { inBrowser } from './support/in-browser';
import type { Workbench } from './support/workbench';

inBrowser('VS Code in a browser debugs the sample kernel', 'sample', (workbench) => {
  let code: Workbench;
  before(() => (code = workbench()));

  it('F5 starts a session, which stops at a line breakpoint in the page-fault handler', async () => {
    await code.openFile('tasks.c');
    await code.breakAt('tasks.c', 'page_faults++');
    await code.startDebugging();
    await code.stopped();
    await code.shows('debug-call-stack', /handle_page_fault/);
  });

  it('the stack leads through the interrupt into the task that faulted', () =>
    code.shows('debug-call-stack', /handle_page_fault tasks\.c.*user\.c/));

  it('shows local variables with their values', async () => {
    await code.expandScope('Locals');
    await code.shows('debug-variables', /region = 0x[0-9a-f]+ <tasks\+\d+>.*page = \d+.*frame = \d+/);
    await code.screenshot('stopped');
  });

  it('the serial console is a terminal', async () => {
    await code.page.locator('.terminal-wrapper.active .xterm-screen').waitFor();
    await code.page.locator('.single-terminal-tab, .terminal-tabs-entry', { hasText: 'Serial' }).first().waitFor();
  });

  it('the page-table view shows the address space, level by level', async () => {
    await code.command('Focus on Page Tables View');
    const view = code.webview();
    const items = view.getByRole('treeitem');
    await items.first().waitFor();
    const before = await items.count();
    await items.first().click();
    await view.locator('[role=treeitem][aria-level="2"]').first().waitFor();
    assert((await items.count()) > before, 'opening an entry shows the next level');
    await code.screenshot('page-tables');
  });

  it('shows nested entries at their own addresses, and walks to them', async () => {
    const view = code.webview();
    const higherHalf = view.locator('[role=treeitem][aria-level="1"]', { hasText: '0xffff800000000000' });
    await higherHalf.click();
    const nested = view.locator('[role=treeitem][aria-level="2"]', { hasText: '0xffff800000000000' });
    await nested.hover();
    await nested.locator('button', { hasText: 'walk' }).click();
    await view.locator('.walk caption', { hasText: 'gv:0xffff800000000000' }).waitFor();
  });

  it('walks an address through the tables, and says where a walk stops', async () => {
    const view = code.webview();
    await walk('$rip');
    // Not the rows of the walk before: those of an address in the kernel.
    await view.locator('.walk caption', { hasText: 'gv:0xffffffff8' }).waitFor();
    assert.equal(await view.locator('.walk:not(.verdicts) tbody tr').count(), 4);
    assert.match(await view.locator('.chain').innerText(), /gp:0x/);
    await code.screenshot('walk');
    await walk('gv:0x7f0000000000');
    await view.locator('.result.fault').waitFor();
    assert.match(await view.locator('.result').innerText(), /Page fault, error code 0x/);
    await code.screenshot('walk-fault');
  });

  it('steps over a line', async () => {
    const line = async (): Promise<string> =>
      (await code.rows('debug-call-stack').first().innerText()).replace(/\s+/g, ' ');
    const before = await line();
    await code.toolbar('Step Over').click();
    for (let tries = 0; (await line()) === before && tries < 50; tries++) await code.page.waitForTimeout(100);
    assert.notEqual(await line(), before);
  });

  it('stops when told to', async () => {
    await code.toolbar('Stop').click();
    await code.page.locator('.debug-toolbar').waitFor({ state: 'hidden' });
  });

  async function walk(address: string): Promise<void> {
    const input = code.webview().locator('vscode-textfield input');
    await input.fill(address);
    await input.press('Enter');
  }
});
