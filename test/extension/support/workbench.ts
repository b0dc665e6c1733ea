/** A real VS Code in a real browser, for tests: opens it, presses its keys, knows its selectors (VS Code 1.91 and 1.139). */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { chromium, type BrowserContext, type FrameLocator, type Locator, type Page } from 'playwright-core';

export const CHROMIUM = '/usr/bin/chromium';
export const browserIsHere = (): boolean => existsSync(CHROMIUM);

const SCREENSHOTS = resolve('test', 'extension', 'screenshots');
// Runs as root in containers, without a GPU, and calls no server of its maker.
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync']; // prettier-ignore

/** Of code-server without native modules, and of a browser without a GPU. */
const NOISE = /bindings file|Ignoring fetching|GPU stall/;

const POLICY = /Content.Security.Policy/i;

export class Workbench {
  /** What the browser's console said: printed when a test fails. */
  readonly log: string[] = [];
  /** What a content security policy has refused to our pages: a test that sees one fails. */
  readonly refused: string[] = [];
  private shots = 0;

  private constructor(
    readonly page: Page,
    private readonly context: BrowserContext,
    private readonly profile: string,
    private readonly name: string,
  ) {
    page.on('console', (message) => {
      if (POLICY.test(message.text())) this.refused.push(`${message.text()} at ${message.location().url}`);
      if (!NOISE.test(message.text())) this.log.push(`${message.type()}: ${message.text().slice(0, 500)}`);
    });
    page.on('response', (response) => {
      if (response.status() >= 400) this.log.push(`${response.status()} ${response.url()}`);
    });
    page.on('pageerror', (error) => this.log.push(`page error: ${error.message}`));
  }

  /** `prepare`: before the editor is loaded. */
  static async open(url: string, name: string, prepare?: (page: Page) => Promise<void>): Promise<Workbench> {
    const profile = mkdtempSync(join(tmpdir(), 'ringside-browser-'));
    const context = await chromium.launchPersistentContext(profile, {
      executablePath: CHROMIUM,
      headless: true,
      viewport: { width: 1600, height: 1000 },
      args: FLAGS,
    });
    // Where much else runs an answer may take its time.
    context.setDefaultTimeout(45_000);
    await context.grantPermissions(['clipboard-read', 'clipboard-write']);
    const page = context.pages()[0] ?? (await context.newPage());
    const workbench = new Workbench(page, context, profile, name);
    await prepare?.(page);
    await page.goto(url, { timeout: 60_000 });
    await page.waitForSelector('.monaco-workbench', { timeout: 60_000 });
    return workbench;
  }

  async close(): Promise<void> {
    await this.context.close();
    rmSync(this.profile, { recursive: true, force: true });
  }

  async screenshot(what: string): Promise<void> {
    mkdirSync(SCREENSHOTS, { recursive: true });
    const number = String(++this.shots).padStart(2, '0');
    await this.page.screenshot({ path: join(SCREENSHOTS, `${this.name}-${number}-${what}.png`) });
  }

  /** From a context menu that is open. Just after it opens it takes no click. */
  async choose(title: string): Promise<void> {
    const item = this.page.locator('.context-view .monaco-menu .action-label', { hasText: title });
    await item.waitFor();
    for (let tries = 0; tries < 20; tries++) {
      await item.click({ timeout: 2_000 }).catch(() => undefined);
      if (await item.waitFor({ state: 'detached', timeout: 1_000 }).then(() => true, () => false)) return; // prettier-ignore
    }
    throw new Error(`the menu keeps "${title}"`);
  }

  /** Waits until a text is as wanted: what is shown, or held by the clipboard, comes bit by bit. */
  async until(read: () => Promise<string>, wanted: (text: string) => boolean): Promise<string> {
    let text = '';
    for (let tries = 0; tries < 100; tries++) {
      text = await read();
      if (wanted(text)) return text;
      await this.page.waitForTimeout(100);
    }
    throw new Error(`still ${JSON.stringify(text)}`);
  }

  copied(wanted: RegExp): Promise<string> {
    const held = () => this.page.evaluate(() => navigator.clipboard.readText());
    return this.until(held, (text) => wanted.test(text));
  }

  async openFile(name: string): Promise<void> {
    await this.page.getByRole('treeitem', { name }).first().dblclick({ timeout: 60_000 });
    await this.page.locator('.monaco-editor .view-line').first().waitFor();
  }

  /** From the palette. What takes the focus meanwhile, as a stop does, closes it: then again. */
  async command(title: string): Promise<void> {
    const row = this.page.locator('.quick-input-list .monaco-list-row', { hasText: title }).first();
    for (let tries = 0; tries < 5; tries++) {
      // A terminal or a panel keeps the keys that it has the focus for.
      if (tries > 0) await this.page.locator('.part.statusbar').click({ position: { x: 2, y: 2 }, timeout: 5_000 }).catch(() => undefined); // prettier-ignore
      await this.page.keyboard.press('F1');
      const input = this.page.locator('.quick-input-widget .quick-input-box input');
      const chosen = await input
        .fill(`>${title}`, { timeout: 5_000 })
        .then(() => row.click({ timeout: 5_000 }))
        .then(() => true, () => false); // prettier-ignore
      if (chosen) return;
    }
    throw new Error(`no command "${title}"`);
  }

  async theme(name: string): Promise<void> {
    await this.command('Preferences: Color Theme');
    await this.page.locator('.quick-input-widget .quick-input-box input').fill(name);
    await this.page.locator('.quick-input-list .monaco-list-row', { hasText: name }).first().waitFor();
    await this.page.keyboard.press('Enter');
    await this.page.locator('.quick-input-widget').waitFor({ state: 'hidden' });
  }

  async goToLine(line: number): Promise<void> {
    const input = this.page.locator('.quick-input-widget .quick-input-box input');
    for (let tries = 0; tries < 5; tries++) {
      await this.page.keyboard.press('Control+G');
      const gone = await input
        .fill(`:${line}`, { timeout: 8_000 })
        .then(() => input.press('Enter'))
        .then(() => this.page.locator('.quick-input-widget').waitFor({ state: 'hidden' }))
        .then(() => true, () => false); // prettier-ignore
      if (gone) return;
    }
    throw new Error(`line ${line} is not gone to`);
  }

  /** The hover at the cursor, once it says this: a server that still starts has nothing to say. */
  async hover(...texts: string[]): Promise<void> {
    const hovers = this.page.locator('.monaco-hover-content:visible');
    for (let tries = 0; tries < 10; tries++) {
      for (const key of ['Control+K', 'Control+I']) await this.page.keyboard.press(key);
      const all = texts.map((text) => hovers.filter({ hasText: text }).first().waitFor({ timeout: 4_000 }));
      if (await Promise.all(all).then(() => true, () => false)) return; // prettier-ignore
      await this.page.keyboard.press('Escape');
    }
    throw new Error(`no hover says ${texts.join(', ')}`);
  }

  /** A breakpoint on the first line of an open file of the sample that has this text. Before extensions are known no file can have one. */
  async breakAt(file: string, text: string): Promise<void> {
    const mark = this.page.locator('.monaco-editor .codicon-debug-breakpoint').first();
    for (let tries = 0; tries < 8; tries++) {
      await this.goToLine(lineOf(file, text));
      await this.page.keyboard.press('F9');
      if (await mark.waitFor({ timeout: 5_000 }).then(() => true, () => false)) return; // prettier-ignore
    }
    throw new Error(`no breakpoint in ${file}`);
  }

  /** Pressed too early, while extensions still start, F5 does nothing of use. */
  async startDebugging(): Promise<void> {
    for (let tries = 0; tries < 10; tries++) {
      await this.page.keyboard.press('F5');
      const started = await this.page.waitForSelector('.debug-toolbar', { timeout: 6_000 }).catch(() => undefined);
      if (started) return;
      if (await this.page.locator('.monaco-dialog-box').count()) await this.page.keyboard.press('Escape');
    }
    throw new Error('F5 started no debug session');
  }

  /** On the debug console. */
  async evaluate(text: string): Promise<void> {
    await this.command('Debug Console: Focus on Debug Console View');
    await this.page.locator('.repl-input-wrapper .monaco-editor').click();
    await this.page.keyboard.type(text);
    await this.page.keyboard.press('Enter');
  }

  /** A launch configuration by its name. On a busy machine a session may come late: no second one is started then. */
  async startConfiguration(name: string): Promise<void> {
    const started = this.page.locator('.debug-toolbar');
    for (let tries = 0; tries < 10; tries++) {
      await this.page.keyboard.press('Control+P');
      await this.page.locator('.quick-input-widget .quick-input-box input').fill(`debug ${name}`);
      const row = this.page.locator('.quick-input-list .monaco-list-row', { hasText: name }).first();
      const listed = await row.waitFor({ timeout: 6_000 }).then(() => true, () => false); // prettier-ignore
      // Between two sessions it is hidden, not gone.
      if (listed && !(await started.isVisible())) await this.page.keyboard.press('Enter');
      else await this.page.keyboard.press('Escape');
      if (listed && (await started.waitFor({ timeout: 10_000 }).then(() => true, () => false))) break; // prettier-ignore
    }
    while (await this.page.locator('.monaco-dialog-box').count()) await this.page.keyboard.press('Escape');
    if (!(await started.isVisible())) throw new Error(`no debug session of ${name}`);
  }

  /** What the extension finds in the folder, without a launch.json; `name` is offered where there are several. */
  async debugFound(name: string): Promise<void> {
    await this.pick(name, () => this.command('Ringside: Debug a Kernel'));
    await this.page.waitForSelector('.debug-toolbar');
  }

  /** A row of the list that `open` opens. What takes the focus meanwhile, as a page that is drawn again does, closes it: then again, and sooner than where it is being filled. */
  async pick(row: string, open: () => Promise<void>): Promise<void> {
    const list = this.page.locator('.quick-input-widget');
    const found = this.page.locator('.quick-input-list .monaco-list-row', { hasText: row }).first();
    for (let tries = 0; tries < 5; tries++) {
      await open();
      for (let looks = 0, hidden = 0; looks < 450 && hidden < 40; looks++) {
        if ((await found.isVisible()) && (await found.click({ timeout: 5_000 }).then(() => true, () => false))) return; // prettier-ignore
        hidden = (await list.isVisible()) ? 0 : hidden + 1;
        await this.page.waitForTimeout(100);
      }
    }
    throw new Error(`no row "${row}" in a list`);
  }

  /** The view of breakpoints is there once the side bar shows debugging. */
  async addFunctionBreakpoint(name: string): Promise<void> {
    const input = this.page.locator('.debug-breakpoints input:not([type=checkbox])').last();
    for (let tries = 0; (await input.count()) === 0; tries++) {
      assert(tries < 5, 'the view of breakpoints asks for no name');
      await this.page.keyboard.press('Control+Shift+D');
      await this.command('Add Function Breakpoint');
      await input.waitFor({ timeout: 5_000 }).catch(() => undefined);
    }
    await input.fill(name);
    await input.press('Enter');
    await input.waitFor({ state: 'detached' });
  }

  /** What the extension's item in the status bar says. */
  async statusBar(): Promise<string> {
    const item = this.page.locator('.statusbar-item [aria-label^="Ringside: "]').first();
    await item.waitFor();
    return (await item.getAttribute('aria-label')) ?? '';
  }

  async statusBarShows(wanted: RegExp): Promise<void> {
    let text = '';
    for (let tries = 0; tries < 200; tries++) {
      text = await this.statusBar();
      if (wanted.test(text)) return;
      await this.page.waitForTimeout(100);
    }
    assert.match(text, wanted);
  }

  /** The editor shows where execution stands. */
  async stopped(): Promise<void> {
    await this.page
      .locator('.debug-top-stack-frame-line, .debug-top-stack-frame-column')
      .first()
      .waitFor({ state: 'attached', timeout: 60_000 });
  }

  toolbar(label: string): Locator {
    return this.page.locator(`.debug-toolbar .action-label[aria-label^="${label}"]`);
  }

  /** Waits until the rows of a view, as one text, match: views fill bit by bit. */
  async shows(view: Parameters<Workbench['rows']>[0], wanted: RegExp, patienceMs = 10_000): Promise<void> {
    let text = '';
    for (let tries = 0; tries < patienceMs / 100; tries++) {
      text = (await this.rows(view).allInnerTexts()).join(' / ').replace(/\s+/g, ' ');
      if (wanted.test(text)) return;
      await this.page.waitForTimeout(100);
    }
    assert.match(text, wanted);
  }

  rows(view: 'debug-variables' | 'debug-call-stack' | 'debug-breakpoints'): Locator {
    return this.page.locator(`.${view} .monaco-list-row`);
  }

  async expandScope(name: string): Promise<void> {
    const scope = this.page.locator('.debug-variables').getByRole('treeitem', { name: new RegExp(`Scope ${name}`) });
    await scope.first().waitFor();
    if ((await scope.first().getAttribute('aria-expanded')) === 'false') await scope.first().click();
  }

  /** The content of the panel in front: those behind it are hidden. */
  webview(): FrameLocator {
    return this.page.frameLocator('iframe.webview.ready:visible').first().frameLocator('#active-frame');
  }
}

/** Line of the first text in a file of the sample. */
export function lineOf(file: string, text: string): number {
  const index = readFileSync(join('guests', 'sample', file), 'utf8').split('\n').findIndex((line) => line.includes(text)); // prettier-ignore
  assert(index >= 0, `${file} contains ${text}`);
  return index + 1;
}
