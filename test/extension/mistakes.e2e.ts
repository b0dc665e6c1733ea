/** What goes wrong for somebody who is new, with the packaged extension in a clean profile: each has one message, which leads on. */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeHost } from './support/hosts';
import { inBrowser } from './support/in-browser';
import type { Workbench } from './support/workbench';

/** An ELF header of 64-bit ARM. */
const arm = (): Uint8Array => {
  const bytes = new Uint8Array(128);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  bytes.set([2, 0, 183, 0], 16);
  return bytes;
};
const launch = (name: string, more: object): object => ({ type: 'ringside', request: 'launch', name, kernel: '${workspaceFolder}/sample.elf', memory: '128M', ...more }); // prettier-ignore
const CONFIGURATIONS = [
  launch('Not built', {}),
  launch('Another processor', { kernel: '${workspaceFolder}/arm.elf' }),
  launch('Too little memory', { memory: '1K' }),
  launch('No such processor', { cpu: 'pentium9' }),
  launch('Slip of the finger', { tecnique: 'vt-x', stopOnEntry: true }),
  launch('Without end', { append: '' }),
];

let folder: string | undefined;
const host = nodeHost({
  packaged: true,
  folder() {
    folder = mkdtempSync(join(tmpdir(), 'ringside-mistakes-'));
    cpSync('guests/sample', folder, { recursive: true, filter: (path) => !/\.(o|elf)$/.test(path) });
    mkdirSync(join(folder, '.vscode'), { recursive: true });
    writeFileSync(join(folder, '.vscode', 'launch.json'), JSON.stringify({ configurations: CONFIGURATIONS }, null, 2));
    writeFileSync(join(folder, 'arm.elf'), arm());
    return folder;
  },
});

inBrowser('VS Code with Node leads on after a mistake', 'mistakes', (workbench) => {
  let code: Workbench;
  before(() => (code = workbench()));
  after(() => folder !== undefined && rmSync(folder, { recursive: true, force: true }));
  const dialog = () => code.page.locator('.monaco-dialog-box');
  const started = () => code.page.locator('.debug-toolbar');

  /** Starts it until a dialog says so: while extensions still start, the editor has nothing to say of it. */
  const refused = async (name: string, message: RegExp): Promise<void> => {
    const row = code.page.locator('.quick-input-list .monaco-list-row', { hasText: name }).first();
    for (let tries = 0; tries < 8 && !(await dialog().isVisible()); tries++) {
      await code.page.keyboard.press('Control+P');
      await code.page.locator('.quick-input-widget .quick-input-box input').fill(`debug ${name}`);
      if (await row.waitFor({ timeout: 6_000 }).then(() => true, () => false)) await code.page.keyboard.press('Enter'); // prettier-ignore
      else await code.page.keyboard.press('Escape');
      await dialog().waitFor({ timeout: 10_000 }).catch(() => undefined);
    }
    assert.match((await dialog().innerText()).replace(/\s+/g, ' '), message);
    await code.screenshot(name.toLowerCase().replaceAll(' ', '-'));
  };
  const button = (name: string | RegExp) => dialog().locator('.monaco-button', { hasText: name });
  const stop = async (): Promise<void> => {
    await code.toolbar('Stop').click();
    await started().waitFor({ state: 'hidden' });
  };

  it('a kernel that is not built yet is built from the message, and debugged', async () => {
    await code.page.getByRole('treeitem', { name: 'Makefile' }).first().waitFor({ timeout: 60_000 });
    await refused('Not built', /'kernel': cannot read .*sample\.elf: there is no such file/);
    await button('Build').click();
    await started().waitFor({ timeout: 120_000 });
    await code.statusBarShows(/bare machine/);
    await stop();
  });

  it('a kernel for another processor is named as such', async () => {
    await refused('Another processor', /arm\.elf: ELF field e_machine is 183 \(64-bit ARM\); give a file built for i386/);
    await code.page.keyboard.press('Escape');
  });

  const VALUES = [
    ['No such processor', /there is no model "pentium9"; give one of max, pentium3/],
    ['Too little memory', /'memory' is "1K"; give whole MiB from 2M to 3072M, for example "256M"/],
  ] as const;
  for (const [name, message] of VALUES)
    it(`${name}: says what there is, and leads to launch.json`, async () => {
      await refused(name, message);
      // The editor's own, where the adapter has refused.
      await button(/^Open '?launch\.json'?$/).click();
      await code.page.locator('.tab', { hasText: 'launch.json' }).first().waitFor();
    });

  it('what was refused has no terminal', async () => {
    await code.command('Terminal: Focus Terminal');
    // Of one alone the name stands in the panel's title, of several in a list.
    const names = await code.page.locator('.single-terminal-tab, .terminal-tabs-entry').allInnerTexts();
    assert.deepEqual(names.map((name) => name.trim()).filter((name) => name.startsWith('Serial')), ['Serial: Not built']);
  });

  it('an attribute that nobody knows is answered with the one that was meant', async () => {
    await code.startConfiguration('Slip of the finger');
    await code.command('Debug Console: Focus on Debug Console View');
    await code.page.locator('.repl', { hasText: "'tecnique' is not known and has no effect; did you mean 'technique'?" }).first().waitFor();
    await code.screenshot('slip');
    await stop();
  });

  it('a guest that never ends stops when told to', async () => {
    await code.startConfiguration('Without end');
    await code.statusBarShows(/running/);
    await stop();
    assert.equal(await dialog().count(), 0);
  });
}, host); // prettier-ignore
