/** The guest's serial console and its screen in use, on a real disk: memtest86+ is silent, speaks, is asked by a key, and is read again. */
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { nodeHost } from './support/hosts';
import { inBrowser } from './support/in-browser';
import type { Workbench } from './support/workbench';

const MEMTEST = resolve('.cache', 'guests', 'memtest86+', 'boot', 'memtest86+x64.bin');
const LAUNCH = {
  type: 'ringside', request: 'launch', name: 'Memory test', kernel: '${workspaceFolder}/memtest.bin', memory: '64M',
  append: 'console=ttyS0', stopOnEntry: true,
}; // prettier-ignore

let folder: string;
const host = nodeHost({
  packaged: true,
  // Text, not pixels.
  settings: { 'terminal.integrated.gpuAcceleration': 'off' },
  folder() {
    folder = mkdtempSync(join(tmpdir(), 'ringside-console-'));
    copyFileSync(MEMTEST, join(folder, 'memtest.bin'));
    mkdirSync(join(folder, '.vscode'));
    writeFileSync(join(folder, '.vscode', 'launch.json'), JSON.stringify({ configurations: [LAUNCH] }));
    return folder;
  },
});

inBrowser(
  'VS Code with Node: console and screen in use',
  'console',
  (workbench) => {
    let code: Workbench;
    before(() => (code = workbench()));
    after(() => folder !== undefined && rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));

    const rows = () => code.page.locator('.terminal-wrapper.active .xterm-rows');
    const terminal = (wanted: RegExp): Promise<string> =>
      code.until(
        async () => (await rows().allInnerTexts()).join('\n').replaceAll('\xa0', ' '),
        (text) => wanted.test(text),
      );

    it('says that the guest is silent, and follows it once it speaks', async () => {
      await code.page.getByRole('treeitem', { name: 'memtest.bin' }).first().waitFor({ timeout: 60_000 });
      await code.startConfiguration(LAUNCH.name);
      await terminal(/has not written to its console yet/);
      await code.screenshot('silent');
      await code.toolbar('Continue').click();
      await terminal(/Memtest86\+/);
    });

    it('comes back with its history when it is closed and opened again', async () => {
      await code.command('Terminal: Kill the Active Terminal Instance');
      await rows().waitFor({ state: 'detached' });
      await code.command("Ringside: Show the Guest's Console");
      await terminal(/Memtest86\+/);
      await code.screenshot('again');
    });

    it('a key that is pressed on the screen reaches the guest', async () => {
      await code.command('Focus on Guest Screen View');
      const screen = code.webview().locator('.screen');
      const shows = (wanted: RegExp) => code.until(() => screen.innerText(), (text) => wanted.test(text)); // prettier-ignore
      await shows(/Memtest86\+[^]*Configuration/);
      await screen.focus();
      await screen.press('F1');
      await shows(/Settings:/);
      await code.screenshot('screen');
    });
  },
  { ...host, missing: () => host.missing() ?? (existsSync(MEMTEST) ? undefined : `no ${MEMTEST}: run scripts/fetch-guests.mjs`) },
); // prettier-ignore
