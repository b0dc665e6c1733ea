/** What users read can be translated: messages are in l10n/bundle.l10n.json. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundle, BUNDLE, messages } from '../../scripts/l10n';

const json = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'));

/** Literals that go to the editor's messages, lists and titles; words, not icons, examples or commands. */
const SAID =
  /\b(?:show(?:Error|Information|Warning)Message\(|(?:title|prompt|placeHolder|placeholder|tooltip|openLabel)\s*[:=]\s*)(['"`])([A-Z][^'"`]* [^'"`]*)\1/g;
/** The language server says what assemblers say, and panels have a bundle of their own. */
const EXEMPT = /^(language\/(features|isa|server)|panels\/.*\.(tsx|model\.ts)$)/;

describe('words that users read', () => {
  it('l10n/bundle.l10n.json has every message of the extension, and no other: npm run l10n writes it', () => {
    assert.deepEqual(json(BUNDLE), bundle());
  });

  it('messages are whole: what is put together cannot be looked up', () => {
    assert.deepEqual(messages().filter(({ text }) => text === undefined).map(({ place }) => place), []);
  });

  it('nothing is said past the bundle', () => {
    const names = readdirSync('extension', { recursive: true, encoding: 'utf8' });
    const past = names.filter((name) => /\.tsx?$/.test(name) && !EXEMPT.test(name)).flatMap((name) => {
      const source = readFileSync(join('extension', name), 'utf8');
      return [...source.matchAll(SAID)].map(({ 2: text }) => `${name}: ${text}`);
    });
    assert.deepEqual(past, []);
  });
}); // prettier-ignore
