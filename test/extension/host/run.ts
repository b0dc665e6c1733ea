/** Runs the tests that lie beside this file, inside the extension host, and leaves the results where the outer tests read them. */
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Mocha from 'mocha';

/** Names a file; the outer tests set it. */
export const RESULTS = 'RINGSIDE_RESULTS';
export interface Result {
  title: string;
  error?: string;
}

export function run(): Promise<void> {
  const mocha = new Mocha({ timeout: 120_000, reporter: 'min' });
  for (const file of readdirSync(__dirname)) if (file.endsWith('.host.ts')) mocha.addFile(join(__dirname, file));
  const results: Result[] = [];
  return new Promise((resolve, reject) => {
    mocha
      .run((failures) => {
        writeFileSync(process.env[RESULTS]!, JSON.stringify(results));
        if (failures > 0) reject(new Error(`${failures} failed`));
        else resolve();
      })
      .on('pass', (test) => results.push({ title: test.fullTitle() }))
      .on('pending', (test) => results.push({ title: test.fullTitle(), error: 'skipped' }))
      .on('fail', (test, error: Error) =>
        results.push({ title: test.fullTitle(), error: error.stack ?? error.message }),
      );
  });
}
