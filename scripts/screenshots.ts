/**
 * `npm run screenshots [NAME...]`: the pictures of README.md, taken of a real VS Code that debugs the samples, into media/screenshots.
 * Needs what test:e2e needs, and `npm run build`.
 */
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { webHost } from '../test/extension/support/hosts';
import { browserIsHere, CHROMIUM, lineOf, Workbench } from '../test/extension/support/workbench';
import { decode, encode } from './png';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const folder = join(root, 'media', 'screenshots');
const SIZE = { width: 1600, height: 1000 };
/** Animations end. */
const SETTLED_MS = 1500;

interface Picture {
  name: string;
  /** Folder in guests whose kernel it is, and whose files in guests/samples go with it. */
  sample: { source: string; id: string };
  /** Drives the editor to what is to be seen. */
  show(code: Workbench): Promise<void>;
}

const sample = (id: string): Picture['sample'] => ({ source: 'sample', id });

/** Up to a stop in the page-fault handler of the sample. `seen`: what stands in the editor at its start. */
async function faulted(code: Workbench, configuration?: string, seen?: () => Promise<void>): Promise<void> {
  await code.openFile('tasks.c');
  await code.breakAt('tasks.c', 'page_faults++');
  await seen?.();
  if (configuration === undefined) await code.startDebugging();
  else await code.startConfiguration(configuration);
  await code.stopped();
  await code.shows('debug-call-stack', /handle_page_fault/);
}

async function walk(code: Workbench, address: string): Promise<void> {
  await code.command('Focus on Page Tables View');
  const field = code.webview().locator('.walker vscode-textfield input');
  await field.fill(address);
  await field.press('Enter');
  await code.webview().locator('.walk caption').first().waitFor();
}

/** Away from what says something when the mouse is over it: the empty part of the activity bar. */
const rest = (code: Workbench): Promise<void> => code.page.mouse.move(20, SIZE.height / 2);

/** A panel alone below the title bar. */
async function maximized(code: Workbench): Promise<void> {
  await code.command('View: Toggle Maximized Panel');
  await rest(code);
}

const PICTURES: Picture[] = [
  {
    name: 'stop',
    sample: sample('bare-kernel'),
    async show(code) {
      await faulted(code);
      await code.expandScope('Locals');
      await walk(code, '$cr2');
      await rest(code);
    },
  },
  {
    name: 'page-tables',
    sample: sample('nested-paging'),
    async show(code) {
      await faulted(code, 'VT-x with nested page tables');
      await walk(code, '$rip');
      await maximized(code);
    },
  },
  {
    name: 'exits',
    sample: sample('shadow-paging'),
    async show(code) {
      await faulted(code, 'VT-x with shadow page tables');
      await code.command('Focus on VM Exits View');
      await code.webview().locator('.virtual-list .row', { hasText: 'page-table-write' }).first().click();
      await code.webview().locator('.details h2').waitFor();
      await maximized(code);
    },
  },
  {
    name: 'translated',
    sample: sample('trap-and-emulate-hole'),
    async show(code) {
      await faulted(code, 'Binary translation');
      await code.command('Show Translated Code');
      await code.webview().locator('.line.here .guest .at').waitFor();
      await maximized(code);
    },
  },
  {
    name: 'xen',
    sample: { source: 'porting', id: 'xen-domain' },
    async show(code) {
      await code.openFile('hardware.c');
      await code.addFunctionBreakpoint('hypercall');
      await code.startConfiguration('The ported kernel');
      await code.statusBarShows(/paravirtual/);
      for (let stops = 0; stops < 8; stops++) await code.toolbar('Continue').click();
      await code.command('Focus on VM Exits View');
      await code.webview().locator('.virtual-list .row').first().click();
      await code.command('Ringside: Explain This Stop');
      await rest(code);
    },
  },
  {
    name: 'assembly',
    sample: sample('shadow-paging'),
    async show(code) {
      const look = async (): Promise<void> => {
        await code.openFile('boot.S');
        await code.goToLine(lineOf('boot.S', 'lgdt'));
        await code.page.keyboard.press('Home');
        await code.hover('LGDT');
        await code.page.keyboard.press('Escape');
      };
      // Exits are counted by line from when somebody looks at lines.
      await faulted(code, 'VT-x with shadow page tables', look);
      await code.command('View: Show Explorer');
      await look();
      await code.page.locator('.codelens-decoration:visible', { hasText: 'in this run' }).first().waitFor();
      await rest(code);
      await code.hover('LGDT', 'the guest trapped');
    },
  },
  {
    name: 'walkthrough',
    sample: sample('bare-kernel'),
    async show(code) {
      await code.command('Ringside: Get Started');
      await code.page.locator('.gettingStartedContainer .step-title').first().waitFor();
      await rest(code);
    },
  },
];

async function take({ name, sample: { source, id }, show }: Picture): Promise<void> {
  const workspace = join(mkdtempSync(join(tmpdir(), 'ringside-pictures-')), id);
  for (const from of [source, join('samples', id)])
    cpSync(join(root, 'guests', from), workspace, { recursive: true, filter: (path) => !/\.(o|program)$/.test(path) });
  const host = await webHost(workspace).start();
  const code = await Workbench.open(host.url, 'pictures');
  try {
    await code.page.setViewportSize(SIZE);
    await show(code);
    await code.page.waitForTimeout(SETTLED_MS);
    const picture = encode(decode(await code.page.screenshot()));
    writeFileSync(join(folder, `${name}.png`), picture);
    console.log(`media/screenshots/${name}.png: ${Math.ceil(picture.length / 1024)} KiB`);
  } catch (error) {
    await code.screenshot(name);
    throw error;
  } finally {
    await code.close();
    await host.stop();
    rmSync(dirname(workspace), { recursive: true, force: true });
  }
}

async function main(): Promise<void> {
  if (!browserIsHere()) throw new Error(`no browser at ${CHROMIUM}`);
  mkdirSync(folder, { recursive: true });
  const wanted = process.argv.slice(2);
  for (const picture of PICTURES.filter(({ name }) => wanted.length === 0 || wanted.includes(name)))
    await take(picture).catch((error: Error) => {
      console.error(`${picture.name}: ${error.message}`);
      process.exitCode = 1;
    });
}

void main();
