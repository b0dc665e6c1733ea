/**
 * An initramfs for Linux guests: busybox, an init of a few lines, and whatever modules the machine's devices need.
 *
 *   npx tsx scripts/initramfs.ts OUT [--package FOLDER] [--busybox FOLDER] [--module NAME]... [--file GUEST=HOST]... [--start HOST]
 *
 * FOLDERs are packages unpacked by fetch-guests.mjs. Modules are named without `.ko`; what they depend on comes along,
 * in the order in which they must be inserted. The archive is the same for the same input: no dates, no owners.
 */
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { unpacked } from './vmlinux';

const guests = resolve(import.meta.dirname, '..', '.cache', 'guests');

/** `init` runs as process 1; the shell it starts has job control on the console. */
const INIT = `#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin HOME=/ PS1='ringside# '
mkdir -p /proc /sys /dev /tmp
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev 2>/dev/null
for module in $(cat /modules/order); do insmod /modules/$module || echo "insmod $module failed"; done
[ -x /start ] && /start
exec setsid cttyhack sh -i
`;

export interface InitramfsOptions {
  /** Path of a static busybox for the guest's architecture. */
  busybox: string;
  /** `lib/modules/VERSION` of the kernel's package; needed with `modules`. */
  moduleTree?: string;
  modules?: readonly string[];
  /** Guest path to contents; a script that begins with `#!` becomes executable. */
  files?: Readonly<Record<string, Uint8Array>>;
}

interface Entry {
  name: string;
  mode: number;
  bytes: Uint8Array;
  /** Of a character device. */
  device?: [major: number, minor: number];
}

const DIRECTORY = 0o040755;
const EXECUTABLE = 0o100755;
const PLAIN = 0o100644;
const CHARACTER_DEVICE = 0o020600;

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const isScript = (bytes: Uint8Array): boolean => bytes[0] === 0x23 && bytes[1] === 0x21;

/** The newc format of cpio (kernel: Documentation/driver-api/early-userspace/buffer-format.rst). */
export function cpio(entries: readonly Entry[]): Uint8Array {
  const parts: Uint8Array[] = [];
  let size = 0;
  const put = (bytes: Uint8Array): void => {
    const padded = new Uint8Array((bytes.length + 3) & ~3);
    padded.set(bytes);
    parts.push(padded);
    size += padded.length;
  };
  const all = [...entries, { name: 'TRAILER!!!', mode: 0, bytes: new Uint8Array() } as Entry];
  all.forEach(({ name, mode, bytes, device }, i) => {
    const fields = [
      i + 1,
      mode,
      0,
      0,
      1,
      0,
      bytes.length,
      0,
      0,
      device?.[0] ?? 0,
      device?.[1] ?? 0,
      name.length + 1,
      0,
    ];
    put(text(`070701${fields.map((f) => f.toString(16).padStart(8, '0')).join('')}${name}\0`));
    put(bytes);
  });
  const archive = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    archive.set(part, at);
    at += part.length;
  }
  return archive;
}

/** Modules by name, from a kernel package that depmod has not seen: each says itself what it needs. */
class ModuleTree {
  private readonly paths = new Map<string, string>();

  constructor(folder: string) {
    for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
      const [, name] = /([^/\\]+)\.ko(\.xz)?$/.exec(file) ?? [];
      if (name !== undefined) this.paths.set(plainName(name), join(folder, file));
    }
  }
  /** The module and what it needs, dependencies first. Built-in ones have no file and are left out. */
  withDependencies(names: readonly string[]): Map<string, Uint8Array> {
    const found = new Map<string, Uint8Array>();
    const visit = (name: string, asked: boolean): void => {
      const path = this.paths.get(plainName(name));
      if (!path && asked) throw new Error(`module ${name} is not in the kernel's package; check the spelling`);
      if (!path || found.has(basename(path, '.xz'))) return;
      const bytes = path.endsWith('.xz') ? unpacked(readFileSync(path), path) : readFileSync(path);
      const depends = /\0depends=([^\0]*)\0/.exec(bytes.toString('latin1'))?.[1] ?? '';
      for (const other of depends.split(',').filter(Boolean)) visit(other, false);
      found.set(basename(path, '.xz'), bytes);
    };
    for (const name of names) visit(name, true);
    return found;
  }
}
const plainName = (name: string): string => name.replaceAll('-', '_');

export function initramfs(options: InitramfsOptions): Uint8Array {
  const { busybox, moduleTree, modules = [], files = {} } = options;
  if (modules.length && !moduleTree) throw new Error('modules need the kernel package that they come from');
  const found = moduleTree ? new ModuleTree(moduleTree).withDependencies(modules) : new Map<string, Uint8Array>();
  const contents: Record<string, Uint8Array> = {
    init: text(INIT),
    'bin/busybox': readFileSync(busybox),
    'modules/order': text([...found.keys()].join('\n')),
    ...Object.fromEntries([...found].map(([name, bytes]) => [`modules/${name}`, bytes])),
    ...files,
  };
  const folders = new Set<string>(['dev']);
  for (const name of Object.keys(contents)) {
    const parts = name.split('/').slice(0, -1);
    parts.forEach((_, i) => folders.add(parts.slice(0, i + 1).join('/')));
  }
  const mode = (name: string, bytes: Uint8Array): number => (isScript(bytes) || name.startsWith('bin/') ? EXECUTABLE : PLAIN); // prettier-ignore
  return cpio([
    ...[...folders].sort().map((name) => ({ name, mode: DIRECTORY, bytes: new Uint8Array() })),
    // The kernel opens it for init before anything is mounted.
    { name: 'dev/console', mode: CHARACTER_DEVICE, bytes: new Uint8Array(), device: [5, 1] },
    ...Object.entries(contents).map(([name, bytes]) => ({ name, mode: mode(name, bytes), bytes })),
  ]);
}

/** `lib/modules/VERSION` in an unpacked kernel package; Debian's are below /usr from version 13 on. */
export function moduleTreeOf(packageFolder: string): string {
  const folders = ['lib/modules', 'usr/lib/modules'].map((name) => join(packageFolder, name));
  const versions = folders
    .filter(existsSync)
    .flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)));
  const [found, ...others] = versions;
  if (found === undefined || others.length > 0)
    throw new Error(`${folders[0]} should hold the modules of one kernel; fetch the package anew`);
  return found;
}
/** The bzImage in an unpacked kernel package. */
export function kernelOf(packageFolder: string): string {
  const folder = join(packageFolder, 'boot');
  const name = existsSync(folder) ? readdirSync(folder).find((file) => file.startsWith('vmlinuz-')) : undefined;
  if (!name) throw new Error(`${folder} holds no vmlinuz; fetch the package anew`);
  return join(folder, name);
}
export const busyboxOf = (packageFolder: string): string => join(packageFolder, 'bin', 'busybox');

function main(args: string[]): void {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      package: { type: 'string', default: join(guests, 'linux-image-amd64') },
      busybox: { type: 'string', default: join(guests, 'busybox-static') },
      module: { type: 'string', multiple: true, default: [] },
      file: { type: 'string', multiple: true, default: [] },
      start: { type: 'string' },
    },
  });
  const [out] = positionals;
  if (out === undefined) throw new Error('usage: initramfs.ts OUT [--package FOLDER] [--busybox FOLDER] [--module NAME]... [--file GUEST=HOST]... [--start HOST]'); // prettier-ignore
  const files: Record<string, Uint8Array> = {};
  for (const pair of values.file) {
    const [guest, host] = pair.split('=', 2);
    if (!guest || !host) throw new Error(`--file ${pair}: write GUEST=HOST`);
    files[guest.replace(/^\//, '')] = readFileSync(host);
  }
  if (values.start) files.start = readFileSync(values.start);
  const modules = values.module;
  const archive = initramfs({
    busybox: busyboxOf(values.busybox),
    moduleTree: modules.length ? moduleTreeOf(values.package) : undefined,
    modules,
    files,
  });
  writeFileSync(out, archive);
}

if (process.argv[1] === import.meta.filename) {
  try {
    main(process.argv.slice(2));
  } catch (error) {
    console.error((error as Error).message);
    process.exitCode = 2;
  }
}
