/**
 * The share of a kernel's lines that its port to Xen changed: guests/porting, one source with `#ifdef PARAVIRTUAL`, counted line
 * by line. Writes the table of docs/porting.md.
 *
 *   npx tsx scripts/porting-share.ts
 */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const top = resolve(import.meta.dirname, '..');
const folder = join(top, 'guests/porting');
export const DOCUMENT = join(top, 'docs/porting.md');
const [BEGIN, END] = ['<!-- written by scripts/porting-share.ts -->', '<!-- end -->'];

export interface Lines {
  /** In both builds. */
  common: number;
  /** In the bare machine's build alone: what the port took out. */
  native: number;
  /** In the paravirtual build alone: what the port wrote. */
  paravirtual: number;
}
type Kind = keyof Lines;

/** Lines with code: neither blank, nor comment alone, nor the conditions themselves. */
export function countLines(source: string): Lines {
  const lines: Lines = { common: 0, native: 0, paravirtual: 0 };
  const kinds: Kind[] = ['common'];
  let inComment = false;
  for (const line of source.split('\n')) {
    const code = line.replaceAll(/\/\*.*?\*\//g, '').trim();
    const opens = code.indexOf('/*');
    const wasIn: boolean = inComment;
    inComment = wasIn ? !line.includes('*/') : opens >= 0;
    if (wasIn || code === '' || opens === 0) continue;
    if (/^#\s*if/.test(code)) {
      const kind = /^#\s*ifdef PARAVIRTUAL/.test(code) ? 'paravirtual' : kinds.at(-1)!;
      kinds.push(kind);
    } else if (/^#\s*else/.test(code)) kinds.push(kinds.pop() === 'paravirtual' ? 'native' : 'common');
    else if (/^#\s*endif/.test(code)) kinds.pop();
    else lines[kinds.at(-1)!]++;
  }
  return lines;
}

const add = (a: Lines, b: Lines): Lines => ({ common: a.common + b.common, native: a.native + b.native, paravirtual: a.paravirtual + b.paravirtual }); // prettier-ignore
const share = ({ common, native, paravirtual }: Lines): string => `${((100 * paravirtual) / (common + native)).toFixed(1)} %`; // prettier-ignore

function filesOf(directory: string): [name: string, lines: Lines][] {
  const names = readdirSync(join(folder, directory)).filter((name) => /\.(?:c|h|S|ld)$/.test(name));
  return names.sort().map((name) => [name, countLines(readFileSync(join(folder, directory, name), 'utf8'))]);
}

/** The part of the document that follows from the sources. */
export function shareTable(): string {
  const kernel = filesOf('.');
  const programs = filesOf('programs').map(([, lines]) => lines).reduce(add); // prettier-ignore
  const total = kernel.map(([, lines]) => lines).reduce(add);
  const row = (name: string, lines: Lines): string => `| ${name} | ${lines.common} | ${lines.native} | ${lines.paravirtual} | ${share(lines)} |`; // prettier-ignore
  return [
    '| file | lines in both | bare machine only | Xen only | written for the port |',
    '|---|--:|--:|--:|--:|',
    ...kernel.map(([name, lines]) => row(name, lines)),
    row('**kernel**', total),
    row('programs', programs),
    row('**all**', add(total, programs)),
  ].join('\n');
}

export function documentWith(table: string, document: string): string {
  const [start, end] = [document.indexOf(BEGIN), document.indexOf(END)];
  if (start < 0 || end < start) throw new Error(`docs/porting.md has lost its marks ${BEGIN} and ${END}`);
  return `${document.slice(0, start)}${BEGIN}\n\n${table}\n\n${document.slice(end)}`;
}

if (process.argv[1] === import.meta.filename) writeFileSync(DOCUMENT, documentWith(shareTable(), readFileSync(DOCUMENT, 'utf8'))); // prettier-ignore
