/** The side bar in use, on a real disk: two domains, of which one is paused, and a hypervisor's refused entry. */
import assert from 'node:assert/strict';
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeHost } from './support/hosts';
import { inBrowser } from './support/in-browser';
import type { Workbench } from './support/workbench';

const CONFIGURATIONS = [
  {
    name: 'Domains', kernel: '${workspaceFolder}/sample.elf', memory: '64M',
    domains: [{ name: 'web', technique: 'vt-x' }, { name: 'db', technique: 'binary-translation' }],
  },
  { name: 'Hypervisor', kernel: '${workspaceFolder}/vmx.elf', cpu: 'haswell' },
]; // prettier-ignore

let folder: string;
const host = nodeHost({
  packaged: true,
  folder() {
    folder = mkdtempSync(join(tmpdir(), 'ringside-side-'));
    copyFileSync('guests/sample/sample.elf', join(folder, 'sample.elf'));
    cpSync('guests/hypervisors', folder, { recursive: true, filter: (path) => !path.endsWith('.o') });
    mkdirSync(join(folder, '.vscode'), { recursive: true });
    const configurations = CONFIGURATIONS.map((each) => ({ type: 'ringside', request: 'launch', ...each }));
    writeFileSync(join(folder, '.vscode', 'launch.json'), JSON.stringify({ configurations }));
    return folder;
  },
});

inBrowser(
  'VS Code with Node: the side bar in use',
  'side',
  (workbench) => {
    let code: Workbench;
    before(() => (code = workbench()));
    after(() => folder !== undefined && rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
    const item = (name: RegExp) => code.page.getByRole('treeitem', { name }).first();
    const end = async (): Promise<void> => {
      await code.toolbar('Stop').click();
      await code.page.locator('.debug-toolbar').waitFor({ state: 'hidden', timeout: 60_000 });
    };

    it('Domains: one is paused, the other goes on, and it is resumed', async () => {
      await code.page.getByRole('treeitem', { name: 'vmx.c' }).first().waitFor({ timeout: 60_000 });
      await code.startConfiguration('Domains');
      await code.command('Focus on Domains View');
      await item(/web.*vt-x/).waitFor();
      // Its buttons are there while the mouse is over it.
      for (const [button, state] of [['Pause', /web.*paused/], ['Resume', /web.*(running|runnable|blocked)/]] as const) {
        await item(/web.*vt-x/).hover();
        await item(/web.*vt-x/).locator(`.action-label[aria-label*="${button}"]`).click();
        await item(state).waitFor();
        await item(/db.*(running|runnable|blocked)/).waitFor();
        await code.screenshot(`domain-${button.toLowerCase()}`);
      }
      // Where the session stands still none of them runs.
      await code.toolbar('Pause').click();
      await item(/(web|db).*stopped: at /).waitFor();
      await item(/(web|db).*held, (runnable|blocked)/).waitFor();
      assert.equal(await code.page.getByRole('treeitem', { name: /(web|db).*running/ }).count(), 0);
      await code.screenshot('domains-held');
      await end();
    }); // prettier-ignore

    it('Structures: says which field a VM entry was refused for, and why; set right, the entry would succeed', async () => {
      await code.page.keyboard.press('Control+Shift+E');
      await code.openFile('vmx-checks.c');
      await code.breakAt(join('..', 'hypervisors', 'vmx-checks.c'), 'return failed == 2');
      await code.startConfiguration('Hypervisor');
      await code.stopped();
      await code.command('Focus on Structures View');
      for (const pane of ['Variables', 'Watch', 'Call Stack', 'Breakpoints', 'Domains']) {
        const head = code.page.locator('.pane-header[aria-expanded=true]', { hasText: pane });
        if (await head.count()) await head.first().click();
      }
      await item(/^VMCS of the guest.s hypervisor/).click();
      await item(/^last entry that was refused: PIN_CONTROLS/).waitFor();
      await item(/^VM entry: would be refused +PIN_CONTROLS = .*27\.2\.1\.1/).waitFor();
      await item(/^controls/).click();
      const field = item(/^PIN_CONTROLS: .*Entry refuses it/);
      for (let tries = 0; tries < 30 && !(await field.isVisible()); tries++) {
        await item(/^[A-Z]/).hover();
        await code.page.mouse.wheel(0, 150);
        await code.page.waitForTimeout(100);
      }
      await code.screenshot('refused');
      const [, value] = /: (0x[0-9a-f]+)/.exec((await field.getAttribute('aria-label'))!)!;
      await field.hover();
      await field.locator('.action-label[aria-label*="Edit Value"]').click();
      const input = code.page.locator('.quick-input-widget input[type=text]').first();
      await input.fill(`0x${(Number(value) | 2).toString(16)}`);
      await input.press('Enter');
      await item(/^PIN_CONTROLS: (?!.*refuses)/).waitFor();
      for (let tries = 0; tries < 30 && !(await item(/^VM entry/).isVisible()); tries++) {
        await item(/^[A-Z]/).hover();
        await code.page.mouse.wheel(0, -300);
      }
      await item(/^VM entry: would succeed/).waitFor();
      await code.screenshot('accepted');
      await end();
    });
  },
  host,
); // prettier-ignore
