/** Tables in bench/README.md, each between two markers that name its part. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const README = join(resolve(__dirname, '..'), 'README.md');

/** Replaces the part's text; the rest of the file is left as it is. */
export function replacePart(document: string, name: string, text: string): string {
  const [begin, end] = [`<!-- bench:${name} -->`, `<!-- /bench:${name} -->`];
  const from = document.indexOf(begin);
  const to = document.indexOf(end);
  if (from < 0 || to < from)
    throw new Error(`bench/README.md has no place for '${name}': put ${begin} and ${end} there`);
  return `${document.slice(0, from + begin.length)}\n\n${text.trim()}\n\n${document.slice(to)}`;
}

export function writePart(name: string, text: string): void {
  writeFileSync(README, replacePart(readFileSync(README, 'utf8'), name, text));
}
