/** Debian's kernel in VS Code in a browser, under shadow page tables and under EPT: its tables beside those of the hypervisor. */
import assert from 'node:assert/strict';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { kernelOf } from '../../scripts/initramfs';
import { webHost } from './support/hosts';
import { inBrowser } from './support/in-browser';
import type { Workbench } from './support/workbench';

const KERNEL = resolve('.cache', 'guests', 'linux-image-amd64');
/** It has tables of its own by then, and unpacks itself. */
const INSTRUCTIONS = 300_000_000;
/** Where nothing else runs it is a few seconds. */
const RUN_MS = 170_000;

const WAYS = [
  { name: 'Shadow', paging: 'shadow', second: 'Shadow, GV → HP' },
  { name: 'EPT', paging: 'nested', second: 'Nested, GP → HP' },
] as const;

let folder: string | undefined;
/** A folder with the kernel and a launch configuration for each. */
function workspace(): string {
  folder = mkdtempSync(join(tmpdir(), 'ringside-linux-'));
  copyFileSync(kernelOf(KERNEL), join(folder, 'bzImage'));
  mkdirSync(join(folder, '.vscode'));
  const configurations = WAYS.map(({ name, paging }) => ({
    type: 'ringside', request: 'launch', name, kernel: '${workspaceFolder}/bzImage', memory: '256M', technique: 'vt-x', paging,
    append: 'console=ttyS0', maxInstructions: INSTRUCTIONS,
  })); // prettier-ignore
  writeFileSync(join(folder, '.vscode', 'launch.json'), JSON.stringify({ configurations }));
  return folder;
}

inBrowser(
  "VS Code in a browser shows Linux' page tables",
  'linux-tables',
  (workbench) => {
    let code: Workbench;
    before(() => (code = workbench()));
    after(() => folder !== undefined && rmSync(folder, { recursive: true, force: true }));
    const view = () => code.webview();
    const walk = async (address: string): Promise<void> => {
      const input = view().locator('.walker vscode-textfield input');
      await input.fill(address);
      await input.press('Enter');
    };

    it('opens the folder', () =>
      code.page.getByRole('treeitem', { name: 'bzImage' }).first().waitFor({ timeout: 60_000 }));

    for (const { name, paging, second } of WAYS) {
      it(`${name}: runs the kernel, and stops it`, async () => {
        await code.startConfiguration(name);
        await code.toolbar('Continue').waitFor({ timeout: RUN_MS });
        await code.statusBarShows(/300,000,000 instructions/);
      });

      it(`${name}: both trees stand side by side, and an address is walked through both`, async () => {
        await code.command('Focus on Page Tables View');
        for (const title of ['Guest, GV → GP', second]) await view().locator('h2', { hasText: title }).waitFor();
        await walk('$rip');
        await view()
          .locator('.chain', { hasText: /gv:0x.*gp:0x.*hp:0x/s })
          .waitFor();
        const rows = view().locator('.walk:not(.verdicts) tbody tr');
        if (paging === 'nested') assert((await rows.count()) > 10, 'the second stage before each entry');
        else assert(await view().locator('.walk caption', { hasText: 'shadow' }).count());
        // The trees follow the walk to its end.
        for (const tree of await view().locator('.tree').all()) await tree.locator('.walked.selected').waitFor();
        await code.screenshot(`${paging}-walk`);
      });

      it(`${name}: a map of the address space`, async () => {
        await view()
          .locator('.choice', { hasText: `map of ${paging}` })
          .click();
        await view().locator('.map .row:not(.dim)').first().waitFor();
        await code.screenshot(`${paging}-map`);
        await view().locator('.choice', { hasText: 'trees' }).click();
      });

      if (paging === 'shadow')
        it('Shadow: a stale entry is marked, in the walk, in the tree and by the check', async () => {
          const leaf = view().locator('.walk', { hasText: 'shadow' }).locator('tbody tr').last();
          const place = await leaf.locator('td', { hasText: 'hp:' }).first().innerText();
          await code.evaluate(`*(unsigned long *)${place} += 0x200000`);
          await code.command('Focus on Page Tables View');
          await view().locator('.result.fault', { hasText: 'Shadow: stale' }).waitFor();
          await view().locator('.tree .row.bad', { hasText: 'stale' }).first().waitFor();
          await view().locator('vscode-button', { hasText: 'Check the shadow' }).click();
          await view().locator('.check .fault', { hasText: 'stale' }).waitFor({ timeout: 60_000 });
          await code.screenshot('stale');
        });

      for (const theme of ['Light Modern', 'Dark High Contrast', 'Dark Modern'])
        it(`${name}: looks right in the theme ${theme}`, async () => {
          await code.theme(theme);
          await code.command('Focus on Page Tables View');
          await view().locator('.tree .row').first().waitFor();
          await code.screenshot(`${paging}-${theme.toLowerCase().replaceAll(' ', '-')}`);
        });

      it(`${name}: ends`, async () => {
        await code.toolbar('Stop').click();
        await code.page.locator('.debug-toolbar').waitFor({ state: 'hidden' });
      });
    }
  },
  {
    missing: () => (existsSync(KERNEL) ? undefined : `no ${KERNEL}: run scripts/fetch-guests.mjs`),
    start: () => webHost(workspace()).start(),
  },
);
