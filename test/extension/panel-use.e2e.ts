/** The panels of a guest under shadow page tables in use, on a real disk: exports, keys and menus, memory, breakpoints on entries, edits. */
import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeHost } from './support/hosts';
import { inBrowser } from './support/in-browser';
import type { Workbench } from './support/workbench';

let folder: string;
const host = nodeHost({
  packaged: true,
  folder() {
    folder = mkdtempSync(join(tmpdir(), 'ringside-panels-'));
    cpSync('guests/sample', folder, { recursive: true, filter: (path) => !path.endsWith('.o') });
    return folder;
  },
});
/** An address that is mapped soon after the first stop. */
const NEXT = 'current->regions[0].start + 4096';

interface Saved {
  total: number;
  technique: string;
  exits: { number: number; reason: string }[];
  reasons: { reason: string; count: number }[];
}

inBrowser(
  'VS Code with Node: panels in use',
  'use',
  (workbench) => {
    let code: Workbench;
    before(() => (code = workbench()));
    after(() => folder !== undefined && rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
    const view = () => code.webview();
    const breakpoints = async (wanted: RegExp): Promise<void> => {
      const list = code.page.locator('.debug-breakpoints .monaco-list');
      await list.focus();
      // Below the filters.
      await code.page.keyboard.press('End');
      await code.shows('debug-breakpoints', wanted);
    };
    /** Of a file that the editor is writing. */
    async function saved(name: string): Promise<string> {
      const path = join(folder, name);
      for (let tries = 0; tries < 100 && !(existsSync(path) && statSync(path).size > 0); tries++)
        await code.page.waitForTimeout(100);
      return readFileSync(path, 'utf8');
    }

    it('starts the sample under shadow page tables, and stops in its page-fault handler', async () => {
      await code.openFile('tasks.c');
      await code.breakAt('tasks.c', 'page_faults++');
      await code.startConfiguration('VT-x with shadow page tables');
      await code.stopped();
      await code.command('Focus on VM Exits View');
      await view().locator('.virtual-list .row').first().waitFor();
    });

    for (const [button, name] of [
      ['Save JSON', 'exits.json'],
      ['Save CSV', 'exits.csv'],
    ] as const)
      it(`${button} writes ${name} where it is told to`, async () => {
        await view().locator('vscode-button', { hasText: button }).click();
        const dialog = code.page.locator('.quick-input-widget');
        await dialog.locator('.quick-input-action .monaco-button').first().waitFor();
        const path = dialog.locator('input[type=text]').first();
        await code.until(() => path.inputValue(), (text) => text === join(folder, name)); // prettier-ignore
        await dialog.locator('.quick-input-action .monaco-button').first().click();
        await dialog.waitFor({ state: 'hidden' });
        assert.notEqual(await saved(name), '');
      });

    it('both exports hold every exit that is kept', async () => {
      const json = JSON.parse(await saved('exits.json')) as Saved;
      const [head, ...lines] = (await saved('exits.csv')).trimEnd().split('\r\n');
      assert.equal(json.technique, 'vt-x');
      assert.equal(json.total, json.reasons.reduce((sum, { count }) => sum + count, 0)); // prettier-ignore
      assert(json.exits.length > 100, `${json.exits.length} exits`);
      assert.match(head!, /^number,at,reason,/);
      assert.deepEqual(
        lines.map((line) => line.split(',', 3)).map(([number, , reason]) => `${number} ${reason}`),
        json.exits.map(({ number, reason }) => `${number} ${reason}`),
      );
    });

    it('keys: down to an exit, into its details, and its context menu', async () => {
      const list = view().locator('.virtual-list');
      await list.focus();
      for (const key of ['ArrowDown', 'ArrowDown', 'ArrowUp', 'End', 'Home', 'ArrowDown']) await list.press(key);
      const chosen = view().locator('.row.selected');
      assert.equal(await chosen.getAttribute('aria-posinset'), '2');
      await list.press('Enter');
      await view().locator('.details:focus').waitFor();
      await code.page.keyboard.press('Tab');
      assert.equal(await view().locator('.details :focus').count(), 1, 'its buttons come next');
      await list.focus();
      await list.press('Shift+F10');
      const menu = code.page.locator('.context-view .monaco-menu');
      await menu.locator('.action-label', { hasText: 'Break on Exits Like This' }).waitFor();
      await code.screenshot('menu');
      await code.page.keyboard.press('Escape');
      await menu.waitFor({ state: 'detached' });
    });

    it('the context menu of an exit copies it, and breaks on its like', async () => {
      const row = view().locator('.virtual-list .row', { hasText: 'page-table-write' }).first();
      await row.click({ button: 'right' });
      await code.choose('Copy the Exit as JSON');
      const exit = JSON.parse(await code.copied(/"reason": "page-table-write"/)) as { text: string };
      assert(exit.text.length > 0);
      await row.click({ button: 'right' });
      await code.choose('Break on Exits Like This');
      await breakpoints(/vm-exit/);
    });

    const walk = async (address: string): Promise<void> => {
      const input = view().locator('.walker vscode-textfield input');
      await input.fill(address);
      await input.press('Enter');
    };
    /** The last entry of the guest's walk. */
    const leaf = () => view().locator('.walk', { hasText: /^gv:/ }).locator('tbody tr').last();

    it('an entry of a walk leads to its memory', async () => {
      await code.command('Focus on Page Tables View');
      await walk('$rip');
      await leaf().waitFor();
      const [, place, value] = await leaf().locator('td').allInnerTexts();
      assert.match(place!, /^gp:0x/);
      await leaf().locator('button', { hasText: place! }).click();
      const address = Number(place!.slice(3));
      // As it lies: eight bytes, the lowest first.
      const bytes = value!.slice(2).padStart(16, '0').match(/../g)!.reverse().join(' ');
      const line = code.page.locator('.view-line', { hasText: `gp:0x${(address - (address % 16)).toString(16).padStart(12, '0')}` });
      await line.waitFor();
      const text = (await line.innerText()).replace(/\s/g, ' ').replaceAll('  ', ' ');
      assert(text.includes(bytes), `${text} has ${bytes}`);
      await code.screenshot('memory');
    }); // prettier-ignore

    it('a walk is copied as text', async () => {
      await code.command('Focus on Page Tables View');
      const chain = (await view().locator('.chain').innerText()).match(/gp:(0x[0-9a-f]+)/)![1]!;
      await view().locator('vscode-button', { hasText: 'Copy as text' }).click();
      const text = await code.copied(/PML4E/);
      assert(text.includes(chain), text);
    });

    it('a bit of an entry in the tree is changed, and changed back', async () => {
      await view().locator('vscode-checkbox', { hasText: 'Edit bits' }).click();
      // Of the page itself, which was among its neighbours in one line until now.
      const bit = view().locator('.tree', { hasText: 'Guest' }).locator('.row.walked .bit[aria-label=writable]').last();
      const pressed = async (): Promise<string> => (await bit.getAttribute('aria-pressed'))!;
      for (const wanted of ['true', 'false']) {
        assert.notEqual(await pressed(), wanted);
        await bit.click();
        await code.until(pressed, (text) => text === wanted);
        await code.until(() => leaf().innerText(), (text) => /PW/.test(text.replace(/\s/g, '')) === (wanted === 'true'));
      }
      await code.screenshot('bits');
    }); // prettier-ignore

    it('a breakpoint on an entry stops at its write, and the way leads back', async () => {
      await code.command('Disable All Breakpoints');
      await code.command('Focus on Page Tables View');
      // Of the heap, which the task touches next: the handler maps its first page, and the tables above it.
      await walk(NEXT);
      await view().locator('.result.fault').first().waitFor();
      const next = (await view().locator('.walk caption').first().innerText()).trim();
      await walk(next);
      const [, place, value] = await leaf().locator('td').allInnerTexts();
      await leaf().locator('button', { hasText: 'break' }).click();
      await breakpoints(new RegExp(`write ${place},8`));
      await code.toolbar('Continue').click();
      await code.shows('debug-call-stack', /map_page/, 60_000);
      await code.command('Focus on Page Tables View');
      const entry = view().locator('.walk', { hasText: /^gv:/ }).locator('tbody tr', { hasText: place! });
      await code.until(() => entry.locator('td').nth(2).innerText(), (text) => text !== value); // prettier-ignore
      await code.screenshot('written');
      for (const address of [NEXT, '$rip']) {
        await view().locator('vscode-button', { hasText: 'Back' }).click();
        const field = view().locator('.walker vscode-textfield input');
        await code.until(() => field.inputValue(), (text) => text === address); // prettier-ignore
      }
    });
  },
  host,
);
