/** `npx tsx scripts/icon.ts`: media/icon.png, which the manifest names, from media/icon.svg. Needs /usr/bin/chromium. */
import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { CHROMIUM } from '../test/extension/support/workbench';

/** What marketplaces show. */
const PIXELS = 128;
const media = join(resolve(dirname(fileURLToPath(import.meta.url)), '..'), 'media');

async function draw(): Promise<void> {
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'] });
  const page = await browser.newPage({ viewport: { width: PIXELS, height: PIXELS } });
  await page.setContent(`<style>body { margin: 0 }</style>${readFileSync(join(media, 'icon.svg'), 'utf8')}`);
  await page.screenshot({ path: join(media, 'icon.png'), omitBackground: true });
  await browser.close();
}

void draw();
