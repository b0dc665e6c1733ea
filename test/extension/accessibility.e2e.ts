/** Panels for those who do not see them, or use no mouse: axe finds nothing serious, Tab reaches every control and shows where it is, Escape leaves. */
import assert from 'node:assert/strict';
import { controlsIn, panelFrame, tabStopsIn, violationsIn } from './support/accessibility';
import { inBrowser } from './support/in-browser';
import type { Workbench } from './support/workbench';

/** With what is there once it is filled. */
const PANELS = [
  { view: 'Page Tables', filled: '.walk' },
  { view: 'VM Exits', filled: '.virtual-list .row' },
  { view: 'Translated Code', filled: '.line.here' },
  { view: 'Guest Screen', filled: '.screen .line' },
] as const;

type Panel = (typeof PANELS)[number];
const [first] = PANELS;
const last = PANELS.at(-1)!;

inBrowser('Panels without sight or mouse', 'accessibility', (workbench) => {
  let code: Workbench;
  let front: Panel | undefined;
  before(() => (code = workbench()));
  /** One that is in front already stays. */
  const open = async (panel: Panel) => {
    if (front !== panel) await code.command(`Focus on ${panel.view} View`);
    front = panel;
    await code.webview().locator(panel.filled).first().waitFor();
    return panelFrame(code);
  };

  it('a guest stands, an exit is chosen, an address is walked', async () => {
    await code.openFile('tasks.c');
    await code.breakAt('tasks.c', 'page_faults++');
    await code.startConfiguration('Binary translation');
    await code.stopped();
    await code.theme('Light Modern');
    await code.command('Focus on VM Exits View');
    await code.webview().locator('.virtual-list .row').first().click();
    await code.webview().locator('.details h2').waitFor();
    await code.command(`Focus on ${first.view} View`);
    const input = code.webview().locator('.walker vscode-textfield input');
    await input.fill('$rip');
    await input.press('Enter');
    await code.webview().locator(first.filled).first().waitFor();
    front = first;
  });

  for (const panel of PANELS) {
    it(`${panel.view}: its page runs the extension's scripts alone`, async () => {
      const frame = await open(panel);
      const policy = (await frame.locator('meta[http-equiv="Content-Security-Policy"]').getAttribute('content')) ?? '';
      assert.match(policy, /default-src 'none'; script-src 'nonce-[\w-]{20,}';/);
      assert.doesNotMatch(policy, /unsafe/);
    });

    // The screen gives Tab to the guest: there one goes backwards.
    const key = panel.view === 'Guest Screen' ? 'Shift+Tab' : 'Tab';
    it(`${panel.view}: ${key} reaches every control, shows where it is, and goes on`, async () => {
      const frame = await open(panel);
      const stops = await tabStopsIn(frame, key);
      const controls = await controlsIn(frame);
      assert.deepEqual(stops.map(({ what }) => what), key === 'Tab' ? controls : controls.reverse());
      assert.deepEqual(stops.filter(({ marked }) => !marked), []);
    });

    it(`${panel.view}, Light Modern: axe finds nothing serious`, async () => {
      assert.deepEqual(await violationsIn(await open(panel)), []);
    });

    if (panel !== last)
      it(`${panel.view}: Escape leads back to the editor`, async () => {
        await (await open(panel)).locator('button, [tabindex="0"]').first().focus();
        await code.page.keyboard.press('Escape');
        await code.page.locator('.editor-group-container .monaco-editor.focused').waitFor();
      });
  }

  // Of another theme only the colours are others. The last panel is in front.
  for (const panel of [...PANELS].reverse())
    it(`${panel.view}, Dark Modern: axe finds nothing serious`, async () => {
      if (panel === last) await code.theme('Dark Modern');
      assert.deepEqual(await violationsIn(await open(panel), ['color-contrast']), []);
    });
}); // prettier-ignore
