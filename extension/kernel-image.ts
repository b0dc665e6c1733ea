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
}

const baseOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);
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
  const [firmware] = named(FIRMWARES);
  const [vgaRom] = named(VGA_ROMS);
  if (firmware !== undefined)
    for (const path of named(DISKS).filter((each) => !initrds.includes(each)))
      found.push({ path, kind: 'disk', firmware, ...(vgaRom === undefined ? {} : { vgaRom }) });
  return found.slice(0, MAX_FOUND).sort((a, b) => (a.path < b.path ? -1 : 1));
}

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
    // Programs are executable ELF files, too, and any disk begins with a boot sector: there, the name decides.
    if (kind === 'elf') return PLAIN_ELF.test(baseOf(path)) && bytes[16] === ET_EXEC ? kind : undefined;
    return kind === 'boot-sector' && !path.endsWith('.bin') ? undefined : kind;
  } catch {
    // It cannot be read, or is a damaged ELF file, or one for other processors.
    return undefined;
  }
}
