/** Real sources assemble, so nothing is to be said of them: this repository's, and those that Debian's packages carry. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { WorkspaceIndex } from '../../../extension/language/workspace/index';
import { findingsOf } from './support';

const ROOT = resolve(__dirname, '../../..');
const guest = (path: string): string => join(ROOT, '.cache/guests', path);

interface Corpus {
  name: string;
  folders: string[];
  /** At least so many files, so that an empty folder is no success. */
  files: number;
  includePaths?: string[];
  /** Too large to be fetched for CI: where it is not, there is no test of it that could seem to have passed. */
  optional?: boolean;
}
const CORPORA: Corpus[] = [
  { name: 'guests and benchmarks of this repository', folders: ['guests', 'bench/kernels'].map((each) => join(ROOT, each)), files: 20 },
  { name: 'the C library', folders: [guest('glibc-source/sysdeps')], files: 1000 },
  { name: 'SASM\'s examples for NASM and GNU as', folders: [guest('sasm/usr/share/sasm')], files: 4 },
  // Beside x86's, of GNU as and NASM, they have ARM's, MASM's and WebAssembly's.
  { name: 'ring, a library of cryptography', folders: [guest('librust-ring-dev/usr/share/cargo')], files: 90 },
  { name: 'rav1e, an encoder of video', folders: [guest('librust-rav1e-dev/usr/share/cargo')], files: 70 },
  { name: 'BLAKE3', folders: [guest('librust-blake3-dev/usr/share/cargo')], files: 12 },
  { name: 'portable stack manipulation', folders: [guest('librust-psm-dev/usr/share/cargo')], files: 20 },
  { name: 'uClibc', folders: [guest('uclibc-source')], files: 100 },
  {
    name: 'the Linux kernel',
    folders: [guest('linux-source-6.1/arch/x86')],
    files: 100,
    includePaths: ['arch/x86/include', 'include'].map((each) => guest(`linux-source-6.1/${each}`)),
    optional: true,
  },
]; // prettier-ignore

const sourcesIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.(S|s|asm)$/.test(path) && !/FASM/.test(path))
    .map((path) => join(folder, path))
    .filter((path) => statSync(path).isFile());

describe('real assembly sources', () => {
  const here = ({ folders }: Corpus): boolean => folders.every((each) => existsSync(each));
  for (const corpus of CORPORA.filter((each) => !each.optional || here(each))) {
    const { name, folders, files, includePaths = [] } = corpus;
    it(`${name}: no finding`, async function () {
      this.timeout(120_000);
      if (!here(corpus)) return this.skip();
      const read = (uri: string): Promise<string | undefined> => {
        const path = uri.replace('file://', '');
        const there = existsSync(path) && statSync(path).isFile();
        return Promise.resolve(there ? readFileSync(path, 'latin1') : undefined);
      };
      const index = new WorkspaceIndex({ read });
      const uris = (paths: string[]): string[] => paths.map((path) => `file://${path}`);
      index.folders = { roots: uris(folders), includePaths: uris(includePaths) };
      const sources = uris(folders.flatMap(sourcesIn));
      assert.ok(sources.length >= files, `${sources.length} sources`);
      for (const uri of sources) await index.load(uri);
      const findings: string[] = [];
      for (const uri of sources)
        for (const { span, message } of await findingsOf(index, uri))
          findings.push(`${uri}:${index.get(uri)!.lineOf(span.start) + 1}: ${message}`);
      assert.deepEqual(findings, []);
    });
  }
});
