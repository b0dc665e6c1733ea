/** Finds kernels in a folder: by name first, then by what loaders look for. */
import * as vscode from 'vscode';
import { filesBelow } from './folder-walk';

const NAMES = /(\.(elf|elf32|elf64|lkrn|multiboot)|^kernel|^vmlinu[xz][^/]*|^bzImage[^/]*)$/;
/** Kernels lie near the root; a search must not crawl through a whole source tree. */
const LIMITS = { depth: 4, folders: 500 };
const MAX_KERNELS = 16;
/** Larger files are taken by their name, without reading them. */
const READ_BYTES = 16 << 20;

/**
 * Paths relative to the folder, in alphabetical order. Reads directories instead of asking the editor's search, which
 * file systems in a browser do not have.
 */
export async function findKernels(folder: vscode.Uri): Promise<string[]> {
  const found: string[] = [];
  for await (const path of filesBelow(folder, LIMITS)) {
    if (NAMES.test(path.slice(path.lastIndexOf('/') + 1)) && (await isKernel(folder, path))) found.push(path);
    if (found.length >= MAX_KERNELS) break;
  }
  return found.sort();
}

async function isKernel(folder: vscode.Uri, path: string): Promise<boolean> {
  const uri = vscode.Uri.joinPath(folder, path);
  try {
    const { size } = await vscode.workspace.fs.stat(uri);
    return size > READ_BYTES || isKernelImage(await vscode.workspace.fs.readFile(uri));
  } catch {
    return false;
  }
}

const ET_EXEC = 2;
const EM_386 = 3;
const EM_X86_64 = 62;
/** Boot protocol magic of Linux, at a fixed offset (Documentation/arch/x86/boot.rst). */
const LINUX_MAGIC = 'HdrS';
const LINUX_MAGIC_OFFSET = 0x202;

export function isKernelImage(bytes: Uint8Array): boolean {
  const text = (offset: number, length: number): string =>
    String.fromCharCode(...bytes.subarray(offset, offset + length));
  if (text(LINUX_MAGIC_OFFSET, LINUX_MAGIC.length) === LINUX_MAGIC) return true;
  if (bytes.length < 20 || text(0, 4) !== '\x7fELF') return false;
  const [type, machine] = [bytes[16], bytes[18]];
  return type === ET_EXEC && (machine === EM_386 || machine === EM_X86_64);
}
