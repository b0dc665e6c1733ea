/**
 * Webpack plugin: one file that names every package which went into a bundle, with its licence. Their authors ask for it, and the
 * package is what reaches users. One instance serves all bundles.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const LICENCE_FILE = /^(licen[cs]e|copying)(\.|-|$)/i;
const RULE = '-'.repeat(80);

/** The folder of the package that a file belongs to; undefined: it is ours. */
function packageOf(file) {
  const match = /^(.*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+)[\\/]/.exec(file);
  return match?.[1];
}

function* filesOf(module) {
  if (module.resource) yield module.resource.split('?')[0];
  for (const inner of module.modules ?? []) yield* filesOf(inner);
}

function noticeOf(folder) {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const file = readdirSync(folder).find((each) => LICENCE_FILE.test(each));
  if (!file) throw new Error(`${folder} has no licence file: find out what its authors ask for before it is shipped.`);
  return { title: `${name} ${version} (${license})`, text: readFileSync(join(folder, file), 'utf8').trim() };
}

export class Notices {
  constructor(output) {
    this.output = output;
    this.folders = new Set();
  }

  apply(compiler) {
    compiler.hooks.done.tap('Notices', ({ compilation }) => {
      for (const module of compilation.modules)
        for (const file of filesOf(module)) {
          const folder = packageOf(file);
          if (folder && existsSync(join(folder, 'package.json'))) this.folders.add(folder);
        }
      this.write();
    });
  }

  write() {
    const notices = new Map([...this.folders].map(noticeOf).map(({ title, text }) => [title, text]));
    const parts = [...notices]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([title, text]) => `${RULE}\n${title}\n${RULE}\n\n${text}\n`);
    mkdirSync(dirname(this.output), { recursive: true });
    writeFileSync(
      this.output,
      `Ringside contains these packages, each under the licence of its authors.\n\n${parts.join('\n')}`,
    );
  }
}
