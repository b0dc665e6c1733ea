/**
 * `npm run l10n`: writes l10n/bundle.l10n.json, every message of the extension and its panels, for
 * translators.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
export const BUNDLE = join(root, 'l10n', 'bundle.l10n.json');
/** In the extension, and in its webviews. */
const CALL = /(?<!function )\b(?:l10n\.t|translate)\(\s*(?:(['"`])((?:\\.|(?!\1)[^\\])*)\1|([^'"`\s]))/g;

export interface Found {
  /** `extension/terminal.ts:12`. */
  place: string;
  /** Undefined: it is put together, and cannot be looked up. */
  text: string | undefined;
}

/** What the source says, with its escapes undone. */
const unescaped = (text: string): string => JSON.parse(`"${text.replace(/\\(['`])/g, '$1').replace(/(?<!\\)"/g, '\\"')}"`) as string; // prettier-ignore

export function messages(): Found[] {
  const names = readdirSync(join(root, 'extension'), { recursive: true, encoding: 'utf8' }).filter((name) => /\.tsx?$/.test(name)); // prettier-ignore
  return names.sort().flatMap((name) => {
    const source = readFileSync(join(root, 'extension', name), 'utf8');
    return [...source.matchAll(CALL)].map(({ index, 1: quote, 2: text }): Found => {
      const place = `extension/${name.replaceAll('\\', '/')}:${source.slice(0, index).split('\n').length}`;
      const whole = quote !== undefined && !(quote === '`' && text!.includes('${'));
      return { place, text: whole ? unescaped(text!) : undefined };
    });
  });
}

export function bundle(): Record<string, string> {
  const texts = messages().flatMap(({ text }) => (text === undefined ? [] : [text]));
  return Object.fromEntries([...new Set(texts)].sort().map((text) => [text, text]));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href)
  writeFileSync(BUNDLE, `${JSON.stringify(bundle(), null, 2)}\n`);
