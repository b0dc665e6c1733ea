/** Conditions in VS Code in a browser, before there is a session: they complete as one types, and a mistake shows its column. */
import assert from 'node:assert/strict';
import { inBrowser } from './support/in-browser';
import type { Workbench } from './support/workbench';

inBrowser('VS Code in a browser completes conditions', 'conditions', (workbench) => {
  let code: Workbench;
  before(() => (code = workbench()));
  const input = () => code.page.locator('.quick-input-widget .quick-input-box input');
  const rows = () => code.page.locator('.quick-input-list .monaco-list-row');
  const row = (text: string | RegExp) => rows().filter({ hasText: text }).first();

  const chosen = (text: string) => code.page.locator('.quick-input-list .monaco-list-row.focused', { hasText: text });

  it('completes names, and values after a comparison', async () => {
    await code.openFile('tasks.c');
    await code.breakAt('tasks.c', 'page_faults++');
    await code.command('Ringside: Edit Condition');
    // Until the extension has started, keys go to the editor.
    await code.page.locator('.quick-input-title', { hasText: 'Condition of the breakpoint' }).waitFor();
    await input().pressSequentially('trap.vec');
    // A name that is not finished is not what Enter takes.
    await chosen('trap.vector').waitFor();
    await input().press('Enter');
    await chosen('Enter takes it').waitFor();
    assert.equal(await input().inputValue(), 'trap.vector');
    await input().fill('exit.reason == "cr');
    await row('cr-access').waitFor();
    await code.screenshot('values');
  });

  it('shows what is wrong, and where', async () => {
    await input().fill('trap.vector == 14 && )');
    await row('▸').waitFor();
    assert.match(await rows().first().innerText(), /Column 22: .*trap\.vector == 14 && ▸\)/s);
    await code.screenshot('mistake');
    // It is not taken.
    await input().press('Enter');
    assert(await input().isVisible());
  });

  it('sets it at the breakpoint', async () => {
    await input().fill('current->counters.page_faults > 2');
    await row('current->counters.page_faults > 2').waitFor();
    await input().press('Enter');
    await input().waitFor({ state: 'hidden' });
    await code.page.locator('.monaco-editor .codicon-debug-breakpoint-conditional').first().waitFor();
  });

  it('stops where it holds', async () => {
    await code.startDebugging();
    await code.stopped();
    await code.shows('debug-call-stack', /handle_page_fault/);
    await code.evaluate('current->counters.page_faults');
    await code.page.locator('.repl .value', { hasText: /^3\b/ }).first().waitFor();
  });
}); // prettier-ignore
