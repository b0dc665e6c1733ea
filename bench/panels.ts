/**
 * Panels in a real VS Code in a real browser: a table of a million mappings is opened and scrolled; the panel of exits
 * follows a running guest; and, beside the adapter alone, what its questions cost the guest. Needs `npm run build`.
 */
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { FrameLocator, Page } from 'playwright-core';
import { serve } from '../scripts/web-server';
import { browserIsHere, Workbench } from '../test/extension/support/workbench';
import { LIVE } from '../extension/panels/exits.model';
import { workFolder } from './support/bundle';
import { Adapter } from './support/dap';
import { figure, median, table } from './support/figures';
import type { BenchContext, Part } from './support/part';

const root = resolve(__dirname, '..');
const SAMPLE = join(root, 'guests', 'sample', 'sample.elf');
/** Both guests' tables are built by then. */
const MAPPED = 40_000_000;
const FRAMES = 240;
const LIVE_MS = 8_000;
/** What the panel costs: pairs of windows without and with it, and how often it asks. */
const PAIRS = 40;
const WINDOW_MS = 800;
const UPDATE_MS = 200;
const WARM_MS = 4_000;

const MAPPINGS = { name: 'mappings', kernel: 'mappings.elf', memory: '64M', maxInstructions: MAPPED };
const EXITS = { name: 'exits', kernel: 'sample.elf', memory: '128M', technique: 'vt-x', paging: 'shadow' };

function workspace(): string {
  const folder = join(workFolder(), 'panels');
  mkdirSync(join(folder, '.vscode'), { recursive: true });
  copyFileSync(join(__dirname, 'kernels', 'mappings.elf'), join(folder, 'mappings.elf'));
  copyFileSync(SAMPLE, join(folder, 'sample.elf'));
  const configurations = [MAPPINGS, EXITS].map(({ kernel, ...rest }) => ({
    type: 'ringside',
    request: 'launch',
    kernel: `\${workspaceFolder}/${kernel}`,
    ...rest,
  }));
  writeFileSync(join(folder, '.vscode', 'launch.json'), JSON.stringify({ configurations }));
  return folder;
}

/** CPU time of the panel's main thread so far, ms: scripts, styles, layout, painting. Unlike frames it does not depend on what else runs. */
async function clock(view: FrameLocator, page: Page): Promise<() => Promise<number>> {
  const frame = await (await view.locator('body').elementHandle())?.ownerFrame();
  // A frame in its parent's process has no session of its own.
  const session = await page.context().newCDPSession(frame!).catch(() => page.context().newCDPSession(page)); // prettier-ignore
  await session.send('Performance.enable', { timeDomain: 'threadTicks' });
  return async () => {
    const { metrics } = await session.send('Performance.getMetrics');
    return (metrics.find(({ name }) => name === 'TaskDuration')?.value ?? NaN) * 1000;
  };
}

/** ms between frames while the list is scrolled so many pixels a frame; from one end to the other with `jump`. */
const scroll = (view: FrameLocator, pixels: number | 'jump'): Promise<number[]> =>
  view.locator('.virtual-list').evaluate(
    (list, [by, frames]) =>
      new Promise<number[]>((done) => {
        const gaps: number[] = [];
        let last = performance.now();
        const step = (now: number): void => {
          gaps.push(now - last);
          last = now;
          if (gaps.length > frames) return done(gaps.slice(1));
          list.scrollTop += by === 'jump' ? list.scrollHeight / frames : by;
          requestAnimationFrame(step);
        };
        requestAnimationFrame(step);
      }),
    [pixels, FRAMES] as const,
  );

async function million(code: Workbench): Promise<string[][]> {
  await code.startConfiguration(MAPPINGS.name);
  await code.page.locator('.debug-toolbar .action-label[aria-label^="Continue"]').waitFor({ timeout: 120_000 });
  await code.command('Focus on Page Tables View');
  const view = code.webview();
  const choice = view.locator('.choice', { hasText: 'map of guest' });
  await choice.waitFor();
  // In the page, so that the driver's own way there and back does not count.
  const opened = await choice.evaluate(
    (button) =>
      new Promise<number>((done) => {
        const begun = performance.now();
        const look = (): void => {
          if (document.querySelector('.map .row:not(.dim)')) done(performance.now() - begun);
          else requestAnimationFrame(look);
        };
        (button as unknown as { click(): void }).click();
        look();
      }),
  );
  const runs = await view.locator('.map > p').innerText();
  if (!/^1,048,57\d runs/.test(runs)) throw new Error(`the map says ${runs}`);
  const rows: string[][] = [['a million mappings: shown after, ms', figure(opened)]];
  const used = await clock(view, code.page);
  for (const [name, by] of [
    ['scrolled by a row a frame', 20],
    ['scrolled by a page a frame', 320],
    ['dragged from end to end', 'jump'],
  ] as const) {
    const before = await used();
    const gaps = await scroll(view, by);
    const cpu = ((await used()) - before) / gaps.length;
    const late = gaps.filter((gap) => gap > 1.5 * (1000 / 60)).length / gaps.length;
    rows.push([`${name}: frames a second`, figure(1000 / (gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length))]);
    rows.push([`${name}: frames that came late, %`, figure(late * 100)]);
    rows.push([`${name}: CPU of the panel's thread, ms a frame (60 frames a second leave 16.7)`, figure(cpu)]);
  }
  await code.toolbar('Stop').click();
  await code.page.locator('.debug-toolbar').waitFor({ state: 'hidden' });
  return rows;
}

/** How often a second the counters change while the guest runs. */
async function live(code: Workbench): Promise<string[][]> {
  await code.startConfiguration(EXITS.name);
  await code.command('Focus on VM Exits View');
  const caption = code.webview().locator('table.counts caption');
  await caption.waitFor({ timeout: 60_000 });
  const changes = await caption.evaluate(
    (element, ms) =>
      new Promise<number>((done) => {
        let count = 0;
        new MutationObserver(() => count++).observe(element, { characterData: true, childList: true, subtree: true });
        setTimeout(() => done(count), ms);
      }),
    LIVE_MS,
  );
  await code.toolbar('Stop').click();
  await code.page.locator('.debug-toolbar').waitFor({ state: 'hidden' });
  return [['the panel of exits while the guest runs: updates a second', figure(changes / (LIVE_MS / 1000))]];
}

/** A guest that runs on and on, and the questions of the panel of exits: put or not put. */
class Watched {
  private constructor(
    private readonly adapter: Adapter,
    private last: { cpu: number; instructions: number },
  ) {}

  static async start(): Promise<Watched> {
    const adapter = await Adapter.launch({ kernel: SAMPLE, memory: '128M', technique: 'vt-x', paging: 'shadow' });
    await adapter.request('continue', { threadId: 1 });
    return new Watched(adapter, { cpu: 0, instructions: 0 });
  }
  end(): void {
    this.adapter.end();
  }

  /** CPU seconds of the adapter for a million instructions, from now on for a while. */
  async measure(watched: boolean): Promise<number> {
    await this.adapter.request('ringside/exits', { limit: watched ? LIVE : 0, subscribe: watched });
    await this.look();
    for (const until = performance.now() + WINDOW_MS; performance.now() < until;) {
      await new Promise((wake) => setTimeout(wake, UPDATE_MS));
      if (watched) await this.adapter.request('ringside/exits', { limit: LIVE });
    }
    return this.look();
  }
  /** Since it was last asked. */
  private async look(): Promise<number> {
    const { instructions } = (await this.adapter.request('ringside/status')) as { instructions: number };
    const { cpu } = this.adapter;
    const before = this.last;
    this.last = { cpu, instructions };
    return ((cpu - before.cpu) * 1e6) / (instructions - before.instructions);
  }
}

/** The same guest with and without, in turns: what else the computer does slows both. */
export async function cost({ log }: BenchContext): Promise<string[][]> {
  const guest = await Watched.start();
  try {
    for (const until = performance.now() + WARM_MS; performance.now() < until;) await guest.measure(true);
    const [alone, watched, slower]: [number[], number[], number[]] = [[], [], []];
    for (let pair = 0; pair < PAIRS; pair++) {
      // Which comes first changes, so that what drifts counts for neither.
      const first = await guest.measure(pair % 2 === 1);
      const second = await guest.measure(pair % 2 === 0);
      const [without, seen] = pair % 2 === 1 ? [second, first] : [first, second];
      alone.push(without);
      watched.push(seen);
      slower.push((seen / without - 1) * 100);
    }
    slower.sort((a, b) => a - b);
    const [low, high] = [slower[PAIRS >> 2], slower[PAIRS - 1 - (PAIRS >> 2)]];
    log(`panels: slower by ${figure(median(slower))} %, half of the pairs between ${figure(low)} and ${figure(high)}`);
    return [
      ['a million instructions under VT-x with shadow tables, CPU ms', figure(median(alone) * 1000)],
      ['the same while the panel of exits is open, CPU ms', figure(median(watched) * 1000)],
      [`slower by, %, median of ${PAIRS} pairs`, figure(median(slower))],
      ['half of the pairs are between, %', `${figure(low)} and ${figure(high)}`],
    ];
  } finally {
    guest.end();
  }
}

export async function browser(): Promise<string[][]> {
  if (!browserIsHere()) return [['no browser', 'n/a']];
  const { server, url } = await serve({ port: 0, workspace: workspace() });
  const code = await Workbench.open(url, 'bench');
  // The loader of TypeScript names functions by a helper, which pages do not have.
  await code.page.addInitScript('globalThis.__name ??= (value) => value');
  try {
    await code.page.getByRole('treeitem', { name: 'mappings.elf' }).first().waitFor({ timeout: 60_000 });
    return [...(await million(code)), ...(await live(code))];
  } catch (error) {
    await code.screenshot('failed');
    throw error;
  } finally {
    await code.close();
    server.closeAllConnections();
    server.close();
  }
}

export const panels: Part = {
  name: 'panels',
  async run(context) {
    const rows = [...(await browser()), ...(await cost(context))];
    return table(['', 'measured'], rows);
  },
};
