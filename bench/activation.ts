/**
 * What the extension costs an editor that has no kernel to debug yet: the package in a clean profile, activated by its first command, as
 * the editor itself accounts for it. Needs `npm run build`, and the VS Code of scripts/vscode-host.ts.
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HOW_TO_INSTALL, hostIsInstalled, serveHost } from '../scripts/vscode-host';
import { packageExtension } from '../scripts/vsix';
import { browserIsHere, Workbench } from '../test/extension/support/workbench';
import { figure, median, table } from './support/figures';
import type { BenchContext, Part } from './support/part';

/** Each in an extension host of its own. */
const STARTS_A_ROUND = 3;

async function activationOf(code: Workbench): Promise<number> {
  await code.command('Ringside: Get Started');
  await code.page.locator('button.getting-started-step').first().waitFor();
  await code.command('Developer: Show Running Extensions');
  const row = code.page.locator('.runtime-extensions-editor .extension', { hasText: 'Ringside' }).first();
  const text = await row.locator('.activation-time').innerText();
  const ms = /(\d+)\s*ms/.exec(text)?.[1];
  if (ms === undefined) throw new Error(`no time of activation in ${JSON.stringify(text)}`);
  return Number(ms);
}

export const activation: Part = {
  name: 'activation',
  async run({ rounds, log }: BenchContext): Promise<string> {
    if (!browserIsHere() || !hostIsInstalled()) return `Not measured: ${HOW_TO_INSTALL}`;
    const state = mkdtempSync(join(tmpdir(), 'ringside-activation-'));
    const vsix = join(state, 'ringside.vsix');
    packageExtension(vsix);
    const mib = statSync(vsix).size / (1 << 20);
    const host = await serveHost({ state, vsix });
    const code = await Workbench.open(`${host.url}?ew=true`, 'activation');
    const times: number[] = [];
    try {
      for (let n = 0; n < rounds * STARTS_A_ROUND; n++) {
        if (n > 0) {
          await code.page.reload();
          await code.page.waitForSelector('.monaco-workbench');
        }
        times.push(await activationOf(code));
        log(`activation ${times.at(-1)} ms`);
      }
    } finally {
      await code.close();
      await host.stop();
      rmSync(state, { recursive: true, force: true, maxRetries: 5 });
    }
    return table(['', 'median', 'least', 'most'], [
      ['loading and activation, ms', ...[median(times), Math.min(...times), Math.max(...times)].map((ms) => figure(ms))],
      ['package, MiB', figure(mib), '', ''],
    ]); // prettier-ignore
  },
};
