/** What has a name is described, and what the documents say leads somewhere. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { checkLaunch } from '../../debug-adapter/launch';
import { reference, REFERENCE } from '../../scripts/reference';

interface Manifest {
  icon: string;
  scripts: Record<string, string>;
  contributes: {
    debuggers: {
      configurationAttributes: { launch: { properties: Record<string, { examples?: unknown[]; default?: unknown }> } };
    }[];
  };
}
const json = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'));
const manifest = json('package.json') as Manifest;
/** Those that people read here; samples have theirs in folders of their own. */
const DOCUMENTS = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'bench/README.md', 'docs', 'guests', 'media/walkthrough'].flatMap(documentsIn); // prettier-ignore

function documentsIn(path: string): string[] {
  return path.endsWith('.md') ? [path] : readdirSync(path, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.md')).map((name) => join(path, name)); // prettier-ignore
}
/** Without what is quoted from programs. */
const proseOf = (path: string): string => readFileSync(path, 'utf8').replace(/^```[\s\S]*?^```/gm, '');

describe('documents', () => {
  it('docs/reference.md has everything that has a name: npm run reference writes it', () => {
    assert.equal(readFileSync(REFERENCE, 'utf8'), reference());
  });

  it('everything in it is described', () => {
    const rows = readFileSync(REFERENCE, 'utf8').split('\n').filter((line) => /^\| `/.test(line));
    assert.ok(rows.length > 100);
    assert.deepEqual(rows.filter((row) => / \|\s*\|$/.test(row)), []);
  });

  for (const path of DOCUMENTS)
    it(`${path}: links lead somewhere`, () => {
      const links = [...proseOf(path).matchAll(/\]\((?!https?:|command:|#)([^)#\s]+)/g)].map(([, link]) => link!);
      assert.deepEqual(links.filter((link) => !existsSync(join(dirname(path), link))), []);
    });

  for (const path of DOCUMENTS)
    it(`${path}: scripts exist`, () => {
      const named = [...readFileSync(path, 'utf8').matchAll(/npm run ([\w:]+)/g)].map(([, name]) => name!);
      const files = [...readFileSync(path, 'utf8').matchAll(/(?:npx tsx|node) ((?:scripts|bench)\/[\w./-]+)/g)].map(([, file]) => file!);
      assert.deepEqual(named.filter((name) => !(name in manifest.scripts)), []);
      assert.deepEqual(files.filter((file) => !existsSync(file)), []);
    });

  it('what the editor offers for launch attributes can be launched', () => {
    const { properties } = manifest.contributes.debuggers[0]!.configurationAttributes.launch;
    for (const [name, { examples = [], default: preset }] of Object.entries(properties))
      for (const value of [...examples, ...(preset === undefined ? [] : [preset])])
        assert.doesNotThrow(() => checkLaunch({ kernel: 'kernel.elf', [name]: value }), `${name}: ${JSON.stringify(value)}`);
  });

  it('the icon is a PNG of the size that is wanted', () => {
    const png = readFileSync(manifest.icon);
    assert.equal(png.toString('latin1', 1, 4), 'PNG');
    // IHDR begins with width and height.
    assert.deepEqual([png.readUInt32BE(16), png.readUInt32BE(20)], [128, 128]);
  });
}); // prettier-ignore
