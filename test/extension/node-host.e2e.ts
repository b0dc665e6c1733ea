/**
 * As a new user would: the packaged extension in a clean profile, whose extensions run in Node, and a folder with kernels that
 * nobody here wrote: Debian's, without sources or symbols, and GRUB for Xen. No launch.json.
 */
import assert from 'node:assert/strict';
import { copyFileSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { busyboxOf, initramfs, kernelOf } from '../../scripts/initramfs';
import { nodeHost } from './support/hosts';
import { inBrowser } from './support/in-browser';
import type { Workbench } from './support/workbench';

const guest = (name: string): string => resolve('.cache', 'guests', name);
const GRUB = join(guest('grub-xen-host'), 'usr/lib/grub-xen/grub-x86_64-xen.bin');
/** Four and a half thousand million instructions: half a minute where nothing else runs. */
const BOOT_MS = 300_000;

let folder: string | undefined;
const host = nodeHost({
  packaged: true,
  folder() {
    folder = mkdtempSync(join(tmpdir(), 'ringside-kernels-'));
    copyFileSync(kernelOf(guest('linux-image-amd64')), join(folder, 'bzImage'));
    copyFileSync(GRUB, join(folder, 'grub-x86_64-xen.bin'));
    writeFileSync(join(folder, 'initrd.img'), initramfs({ busybox: busyboxOf(guest('busybox-static')) }));
    return folder;
  },
});
const lacking = ['linux-image-amd64', 'grub-xen-host', 'busybox-static'].filter((name) => !existsSync(guest(name)));
const missing = (): string | undefined =>
  host.missing() ?? (lacking.length > 0 ? `no guests: ${lacking.join(', ')}` : undefined);

inBrowser(
  'VS Code with Node debugs kernels that it finds in a folder',
  'node',
  (workbench) => {
    let code: Workbench;
    before(() => (code = workbench()));
    after(() => folder !== undefined && rmSync(folder, { recursive: true, force: true }));

    it('offers what boots, and what goes with it', async () => {
      await code.page.getByRole('treeitem', { name: 'bzImage' }).first().waitFor({ timeout: 60_000 });
      // Both now: the list of filters, once it is there, pushes the row to be typed in out of sight.
      await code.addFunctionBreakpoint('start_kernel');
      await code.addFunctionBreakpoint('hypercall');
      await code.command('Ringside: Debug a Kernel');
      const rows = code.page.locator('.quick-input-list .monaco-list-row');
      await rows.nth(1).waitFor({ timeout: 60_000 });
      const texts = (await rows.allInnerTexts()).map((text) => text.replace(/\s+/g, ' '));
      assert.match(texts[0]!, /bzImage ?initrd\.img/);
      assert.match(texts[1]!, /grub-x86_64-xen\.bin ?paravirtual/);
      await code.page.keyboard.press('Escape');
    });

    it('stops Debian’s kernel at start_kernel, by name', async function () {
      this.timeout(BOOT_MS);
      await code.debugFound('bzImage');
      await code.shows('debug-call-stack', /start_kernel/, BOOT_MS);
    });

    it('shows registers and code, though there is no source', async () => {
      await code.expandScope('Registers');
      await code.shows('debug-variables', /General/, 20_000);
      await code.page
        .locator('.disassembly-view .monaco-list-row', { hasText: /call|mov|push/ })
        .first()
        .waitFor();
      await code.statusBarShows(/bare machine · long · ring 0 · [\d,]+ instructions/);
      await code.screenshot('linux');
    });

    it('shows each of the views', async () => {
      await code.command('Focus on Page Tables View');
      await code
        .webview()
        .getByText(/^0xffff/)
        .first()
        .waitFor();
      await code.command('Focus on Guest Screen View');
      await code.webview().locator('.screen').waitFor();
      await code.command('Focus on Structures View');
      await code.page.getByRole('treeitem', { name: /^GDT/ }).first().waitFor();
      await code.command('Focus on Domains View');
      await code.page
        .getByRole('treeitem', { name: /domain 1/ })
        .first()
        .waitFor();
      await code.screenshot('views');
    });

    it('explains the stop', async () => {
      await code.command('Ringside: Explain This Stop');
      await code.page.locator('.monaco-editor .view-line', { hasText: 'start_kernel' }).first().waitFor();
      await code.page.locator('.codelens-decoration', { hasText: 'Open Call Stack' }).first().waitFor();
      await code.screenshot('explained');
    });

    it('stops when told to', async () => {
      await code.toolbar('Stop').click();
      await code.page.locator('.debug-toolbar').waitFor({ state: 'hidden' });
    });

    it('boots GRUB for Xen, and stops at its first hypercall', async () => {
      await code.debugFound('grub-x86_64-xen.bin');
      await code.statusBarShows(/paravirtual · long · ring 3/);
      await code.command('Ringside: Explain This Stop');
      await code.page.locator('.monaco-editor .view-line', { hasText: 'VM exit (hypercall)' }).first().waitFor();
      await code.screenshot('grub');
    });

    it('lists the hypercall, once it is done', async () => {
      await code.command('Focus on VM Exits View');
      await code.toolbar('Continue').click();
      await code.webview().getByText('grant_table_op').first().waitFor();
      await code.screenshot('grub-exits');
    });
  },
  { ...host, missing },
);
