#!/usr/bin/env node
/**
 * Real guests for tests and benchmarks: Debian packages, downloaded and unpacked without installing them.
 *
 *   node scripts/fetch-guests.mjs [--require] [NAME[:ARCH|/RELEASE]...]
 *
 * Each package is unpacked into .cache/guests/NAME (NAME_ARCH for a foreign architecture, NAME_RELEASE where it is of another
 * release than the machine's). A package that contains no
 * files of interest because it only depends on the current kernel (`linux-image-amd64`) is replaced by what it depends
 * on, under its own name, so that the path does not change with the kernel's version. A package of sources carries an
 * archive: of that, what SOURCES names is unpacked, too. What is there already is kept.
 * Prints a line a package: `NAME VERSION PATH`, or `skipped NAME: why`. With --require, skipping is a failure.
 */
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const cache = join(root, '.cache', 'guests');
const usual = [
  'memtest86+',
  'grub-xen-host',
  'gnumach-image-1.8-xen-486-dbg',
  'ipxe',
  'seabios',
  'grub-pc-bin',
  'linux-image-amd64',
  'busybox-static',
  'xen-hypervisor-4.17-amd64',
  'linux-image-686-pae:i386',
  'linux-image-686:i386',
  // Debian 13.
  'linux-image-amd64/trixie',
  'busybox-static:i386',
  'glibc-source',
  'sasm',
  // Assembly, for the language server.
  'librust-ring-dev',
  'librust-rav1e-dev',
  'librust-blake3-dev',
  'librust-psm-dev',
  'uclibc-source',
];

/** Archives in packages: which, and what of them, without the first folder of their paths. */
const SOURCES = {
  'glibc-source': { archive: 'usr/src/glibc', wanted: ['*/sysdeps/*86*'] },
  'uclibc-source': { archive: 'usr/src', wanted: ['*86*'] },
  'linux-source-6.1': { archive: 'usr/src', wanted: ['*/arch/x86/*', '*/include/*'] },
};

const run = (command, args, options = {}) =>
  execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], ...options });

const works = (command, args) => {
  try {
    run(command, args);
    return true;
  } catch {
    return false;
  }
};

/** The last line that a failed command wrote to stderr. */
const lastWords = (error) =>
  String(error.stderr ?? error.message)
    .trim()
    .split('\n')
    .pop();

/** `NAME`, and where it is from: `:ARCH` or `/RELEASE`, if not from the machine's own lists. */
const partsOf = (name) => {
  const { plain, arch, release } = /^(?<plain>[^:/]+)(:(?<arch>\w+)|\/(?<release>\w+))?$/.exec(name)?.groups ?? {
    plain: name,
  };
  return { plain, ...(arch && arch !== 'all' && arch !== native() && { arch }), ...(release && { release }) };
};
const folderOf = (name) => join(cache, name.replace(/[:/]/, '_'));

/**
 * Options that let apt look for packages of another architecture or release than the machine's, in lists of its own, so that
 * nothing about the machine has to change.
 */
const aptOptions = ({ arch, release }) => {
  if (!arch && !release) return [];
  const state = join(cache, `.apt-${arch ?? release}`);
  mkdirSync(join(state, 'lists', 'partial'), { recursive: true });
  mkdirSync(join(state, 'archives', 'partial'), { recursive: true });
  writeFileSync(join(state, 'status'), '');
  const settings = {
    ...(arch && { 'APT::Architecture': arch, 'APT::Architectures': arch }),
    ...(release && { 'Dir::Etc::sourcelist': sourcesOf(release, state), 'Dir::Etc::sourceparts': '-' }),
    'Dir::State': state,
    'Dir::State::status': join(state, 'status'),
    'Dir::State::lists': join(state, 'lists'),
    'Dir::Cache': state,
  };
  return Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
};
/** A release comes from where the machine's own does. */
const sourcesOf = (release, state) => {
  const file = join(state, 'sources.list');
  const all = run('apt-get', ['indextargets', '--format', '$(ORIGIN)|$(REPO_URI)']).split('\n');
  const mirror = all.find((line) => /^Debian\|/.test(line) && !/security/.test(line))?.split('|')[1];
  if (!mirror) throw new Error(`apt's lists name no mirror of Debian for ${release}; apt-get update reads them`);
  writeFileSync(file, `deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ${mirror} ${release} main\n`);
  return file;
};
const native = () => run('dpkg', ['--print-architecture']).trim();

const refreshed = new Set();
/** Runs an apt command; when it fails, once more after reading the lists anew. */
const apt = (command, args, from, options) => {
  const own = aptOptions(from);
  const all = [...own, ...args];
  const lists = own.join(' ');
  const fresh = refreshed.has(lists);
  try {
    return run(command, all, options);
  } catch (error) {
    if (fresh) throw error;
    refreshed.add(lists);
    // A mirror may lack one index out of several: what counts is whether the package is found then.
    const update = ['update', '-qq', ...own, '-o', 'Acquire::Retries=3', '-o', 'APT::Sandbox::User=root'];
    const problem = works('apt-get', update) ? '' : ' (and the package lists could not all be read)';
    try {
      return run(command, all, options);
    } catch (again) {
      throw new Error(`${lastWords(again)}${problem}`, { cause: again });
    }
  }
};

/** A kernel metapackage names the real one as its first dependency. */
const realPackage = (plain, from) => {
  if (!/^linux-image-(amd64|686-pae|686|cloud-amd64|rt-amd64)$/.test(plain)) return plain;
  const shown = apt('apt-cache', ['show', '--no-all-versions', named(plain, from)], from);
  const found = /^Depends:.*?\b(linux-image-\d[\w.+-]+)/m.exec(shown);
  if (!found) throw new Error(`${plain} names no kernel that it depends on`);
  return found[1];
};
const named = (plain, { arch }) => (arch ? `${plain}:${arch}` : plain);

const download = (name, into) => {
  const { plain, ...from } = partsOf(name);
  // Unsandboxed, because the `_apt` user cannot write into the checkout; apt says so on stderr, which is not shown.
  const options = ['-o', 'APT::Sandbox::User=root', '-o', 'Acquire::Retries=3'];
  apt('apt-get', ['download', ...options, named(realPackage(plain, from), from)], from, { cwd: into });
  return readdirSync(into).filter((file) => file.endsWith('.deb'))[0];
};

/** In place of the archive, which is much larger. */
const unpackSources = (name, folder) => {
  if (!Object.hasOwn(SOURCES, name)) return;
  const { archive, wanted } = SOURCES[name];
  const inside = join(folder, archive);
  const file = readdirSync(inside).find((each) => each.endsWith('.tar.xz'));
  if (file === undefined) throw new Error(`${name} has no archive in ${archive}`);
  run('tar', ['-xf', join(inside, file), '-C', folder, '--strip-components=1', '--wildcards', ...wanted]);
  rmSync(join(folder, 'usr'), { recursive: true });
};

const fetch = (name) => {
  const folder = folderOf(name);
  const marker = join(folder, '.version');
  if (existsSync(marker)) return `${name} ${readFileSync(marker, 'utf8').trim()} ${folder}`;
  mkdirSync(cache, { recursive: true });
  const work = mkdtempSync(join(cache, '.partial-'));
  try {
    const deb = join(work, download(name, work));
    const version = run('dpkg-deb', ['-f', deb, 'Version']).trim();
    const unpacked = join(work, 'unpacked');
    run('dpkg-deb', ['-x', deb, unpacked]);
    unpackSources(name, unpacked);
    writeFileSync(join(unpacked, '.version'), `${version}\n`);
    rmSync(folder, { recursive: true, force: true });
    renameSync(unpacked, folder);
    return `${name} ${version} ${folder}`;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
};

const args = process.argv.slice(2);
const required = args.includes('--require');
const names = args.filter((arg) => !arg.startsWith('--'));
const missing = ['apt-get', 'dpkg-deb'].filter((tool) => !works(tool, ['--version']));
let skipped = 0;
for (const name of names.length ? names : usual) {
  try {
    const there = existsSync(join(folderOf(name), '.version'));
    if (missing.length && !there) throw new Error(`${missing.join(' and ')} not found on this machine`);
    console.log(fetch(name));
  } catch (error) {
    skipped++;
    console.log(`skipped ${name}: ${lastWords(error)}`);
  }
}
process.exitCode = required && skipped ? 1 : 0;
