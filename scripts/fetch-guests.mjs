#!/usr/bin/env node
/**
 * Real guests for tests and benchmarks: Debian packages, downloaded and unpacked without installing them.
 *
 *   node scripts/fetch-guests.mjs [--require] [NAME[:ARCH]...]
 *
 * Each package is unpacked into .cache/guests/NAME (NAME_ARCH for a foreign architecture). A package that contains no
 * files of interest because it only depends on the current kernel (`linux-image-amd64`) is replaced by what it depends
 * on, under its own name, so that the path does not change with the kernel's version. What is there already is kept.
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
const usual = ['memtest86+', 'ipxe', 'grub-pc-bin', 'linux-image-amd64', 'busybox-static'];

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

/** A kernel metapackage names the real one as its first dependency. */
const realPackage = (name) => {
  if (!/^linux-image-(amd64|686-pae|686|cloud-amd64|rt-amd64)$/.test(name.split(':')[0])) return name;
  const depends = run('apt-cache', ['depends', '--important', name]);
  const found = /Depends: (linux-image-[\w.+-]+(?::\w+)?)/.exec(depends);
  if (!found) throw new Error(`${name} names no kernel that it depends on`);
  return found[1];
};

const checkArchitecture = (name) => {
  const arch = name.split(':')[1];
  if (!arch || arch === 'all') return;
  const enabled = `${run('dpkg', ['--print-architecture'])}${run('dpkg', ['--print-foreign-architectures'])}`.split(
    '\n',
  );
  if (!enabled.includes(arch))
    throw new Error(`architecture ${arch} is not enabled (dpkg --add-architecture ${arch} && apt-get update)`);
};

let listsFresh = false;
const download = (name, into) => {
  for (;;) {
    try {
      // Unsandboxed, because the `_apt` user cannot write into the checkout; apt says so on stderr, which is not shown.
      run('apt-get', ['download', '-o', 'APT::Sandbox::User=root', name], { cwd: into });
      return readdirSync(into).filter((file) => file.endsWith('.deb'))[0];
    } catch (error) {
      if (listsFresh) throw error;
      listsFresh = true;
      run('apt-get', ['update', '-qq']);
    }
  }
};

const fetch = (name) => {
  const folder = join(cache, name.replace(':', '_'));
  const marker = join(folder, '.version');
  if (existsSync(marker)) return `${name} ${readFileSync(marker, 'utf8').trim()} ${folder}`;
  checkArchitecture(name);
  mkdirSync(cache, { recursive: true });
  const work = mkdtempSync(join(cache, '.partial-'));
  try {
    const deb = join(work, download(realPackage(name), work));
    const version = run('dpkg-deb', ['-f', deb, 'Version']).trim();
    const unpacked = join(work, 'unpacked');
    run('dpkg-deb', ['-x', deb, unpacked]);
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
    const there = existsSync(join(cache, name.replace(':', '_'), '.version'));
    if (missing.length && !there) throw new Error(`${missing.join(' and ')} not found on this machine`);
    console.log(fetch(name));
  } catch (error) {
    skipped++;
    console.log(`skipped ${name}: ${lastWords(error)}`);
  }
}
process.exitCode = required && skipped ? 1 : 0;
