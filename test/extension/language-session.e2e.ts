/** Assembly beside a guest that runs: counts above lines and in hovers, registers behind lines, conditions that complete. */
import { inBrowser } from './support/in-browser';
import { lineOf, type Workbench } from './support/workbench';

inBrowser('VS Code in a browser shows a run in the assembly', 'language-session', (workbench) => {
  let code: Workbench;
  before(() => (code = workbench()));

  it('stops in assembly, under a hypervisor', async () => {
    await code.openFile('interrupts.S');
    await code.breakAt('interrupts.S', 'call    handle_interrupt');
    await code.startConfiguration('VT-x with shadow page tables');
    await code.stopped();
    await code.shows('debug-call-stack', /interrupt_common/);
  });

  it('shows registers behind the lines around the stop', async () => {
    // Its spaces do not break.
    await code.page.locator('.monaco-editor .view-line', { hasText: /\$rdi\s=\s0x[0-9a-f]+/ }).first().waitFor();
    await code.screenshot('registers');
  });

  it('says how often lines have left the guest', async () => {
    await code.toolbar('Continue').click();
    await code.stopped();
    await code.command('View: Show Explorer');
    await code.openFile('boot.S');
    await code.goToLine(lineOf('boot.S', 'lgdt'));
    // Those out of sight are there, and hidden.
    await code.page.locator('.codelens-decoration:visible', { hasText: /trapped (once|[\d,]+ times) in this run/ }).first().waitFor();
    await code.screenshot('counts');
  });

  it('says so in a hover, too, by reason', async () => {
    await code.page.keyboard.press('Home');
    await code.hover('LGDT', 'the guest trapped');
    await code.screenshot('hover');
  });
}); // prettier-ignore
