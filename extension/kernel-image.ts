/** Finds what can be booted in a folder: by name first, then by content, as the machine's loaders do. */
import * as vscode from 'vscode';
import { kernelKind, type Kind } from '../emulator/machine/loaders/kind';
import { filesBelow } from './folder-walk';

/** Names under which kernels go; a file is only read if its name is one of them. */
const KERNELS = /\.(elf|elf32|elf64|lkrn|multiboot|bin|sys)$|^(kernel|vmlinu[xz]|bzImage|xen|gnumach)[^/]*$/;
const INITRDS = /^(initrd|initramfs)[^/]*$/;
const DISKS = /\.(img|raw|iso)$/;
const FIRMWARES = /^bios(-256k)?\.bin$/;
const VGA_ROMS = /^vgabios[^/]*\.bin$/;
/** They lie near the root; a search must not crawl through a whole source tree. */
const LIMITS = { depth: 4, folders: 500 };
const MAX_FOUND = 16;
/** Larger files are taken by their name, without reading them. */
const READ_BYTES = 16 << 20;
const PLAIN_ELF = /\.(elf|elf32|elf64)$|^(kernel|vmlinux)[^/]*$/;
const ET_EXEC = 2;

export interface Bootable {
  /** Relative to the folder. */
  path: string;
  /** `disk`: by a BIOS. */
  kind: Kind | 'xen' | 'disk';
  /** Beside it, or elsewhere in the folder where there is only one. */
  initrd?: string;
  firmware?: string;
  vgaRom?: string;
  /** Of a boot sector, which has none itself: the ELF file of the same name that it was made of. */
  symbols?: string;
}

const baseOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);
const stemOf = (path: string): string => path.replace(/\.\w+$/, '');
const folderOf = (path: string): string => path.slice(0, path.lastIndexOf('/') + 1);

/**
 * In alphabetical order. Reads directories instead of asking the editor's search, which file systems in a browser do not
 * have.
 */
export async function findBootables(folder: vscode.Uri): Promise<Bootable[]> {
  const paths: string[] = [];
  for await (const path of filesBelow(folder, LIMITS)) paths.push(path);
  const named = (pattern: RegExp): string[] => paths.filter((path) => pattern.test(baseOf(path)));
  const initrds = named(INITRDS);
  const found: Bootable[] = [];
  for (const path of named(KERNELS)) {
    if (found.length >= MAX_FOUND) break;
    if (FIRMWARES.test(baseOf(path)) || VGA_ROMS.test(baseOf(path))) continue;
    const kind = await kindAt(vscode.Uri.joinPath(folder, path), path);
    if (kind === undefined) continue;
    const initrd = kind === 'linux' ? companion(path, initrds) : undefined;
    found.push({ path, kind, ...(initrd === undefined ? {} : { initrd }) });
  }
  const disks = named(DISKS).filter((each) => !initrds.includes(each));
  const [firmware] = named(FIRMWARES);
  const [vgaRom] = named(VGA_ROMS);
  if (firmware !== undefined)
    for (const path of disks) found.push({ path, kind: 'disk', firmware, ...(vgaRom === undefined ? {} : { vgaRom }) });
  // A disk's first sector may hold anything: it is offered where nothing else boots, but what it was made of.
  if (found.every(({ kind, path }) => kind === 'elf' && disks.some((disk) => stemOf(disk) === stemOf(path))))
    for (const path of disks)
      if ((await kindAt(vscode.Uri.joinPath(folder, path), path)) === 'boot-sector')
        found.push({ path, kind: 'boot-sector' });
  return withSymbols(found)
    .slice(0, MAX_FOUND)
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** `boot.elf` is what `boot.bin` was made of, and boots nowhere itself. */
function withSymbols(found: readonly Bootable[]): Bootable[] {
  const sectors = new Set(found.flatMap(({ kind, path }) => (kind === 'boot-sector' ? [stemOf(path)] : [])));
  const elves = new Map(found.flatMap(({ kind, path }) => (kind === 'elf' && sectors.has(stemOf(path)) ? [[stemOf(path), path]] : [])));
  return found.flatMap((each) => {
    const symbols = elves.get(stemOf(each.path));
    if (symbols === each.path) return [];
    return [each.kind === 'boot-sector' && symbols !== undefined ? { ...each, symbols } : each];
  });
} // prettier-ignore

/** Of several, the one of the same version; else one beside the kernel; else the only one. */
function companion(kernel: string, candidates: readonly string[]): string | undefined {
  const version = /-(.+)$/.exec(baseOf(kernel))?.[1];
  const same = version === undefined ? undefined : candidates.find((each) => each.includes(version));
  const beside = candidates.filter((each) => folderOf(each) === folderOf(kernel));
  return same ?? beside[0] ?? (candidates.length === 1 ? candidates[0] : undefined);
}

async function kindAt(uri: vscode.Uri, path: string): Promise<Kind | 'xen' | undefined> {
  try {
    const { size } = await vscode.workspace.fs.stat(uri);
    if (size > READ_BYTES) return PLAIN_ELF.test(baseOf(path)) ? 'elf' : undefined;
    const bytes = await vscode.workspace.fs.readFile(uri);
    const kind = kernelKind(path, bytes);
    // Programs are executable ELF files, too, and many files happen to end their first sector so: there, the name decides.
    if (kind === 'elf') return PLAIN_ELF.test(baseOf(path)) && bytes[16] === ET_EXEC ? kind : undefined;
    return kind === 'boot-sector' && !/\.bin$/.test(path) && !DISKS.test(path) ? undefined : kind;
  } catch {
    // It cannot be read, or is a damaged ELF file, or one for other processors.
    return undefined;
  }
}
