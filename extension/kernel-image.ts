/** Finds kernels in a folder: by name first, then by what loaders look for. */
import * as vscode from 'vscode';

const NAMES = /(\.(elf|elf32|elf64|lkrn|multiboot)|^kernel|^vmlinu[xz][^/]*|^bzImage[^/]*)$/;
const SKIPPED = /^(\..*|node_modules)$/;
/** Kernels lie near the root; a search must not crawl through a whole source tree. */
const MAX_DEPTH = 4;
const MAX_FOLDERS = 500;
const MAX_KERNELS = 16;
/** Larger files are taken by their name, without reading them. */
const READ_BYTES = 16 << 20;

/**
 * Paths relative to the folder, in alphabetical order. Reads directories instead of asking the editor's search, which
 * file systems in a browser do not have.
 */
export async function findKernels(folder: vscode.Uri): Promise<string[]> {
  const found: string[] = [];
  let pending = [''];
  let visited = 0;
  for (let depth = 0; depth < MAX_DEPTH; depth++) {
    const next: string[] = [];
    for (const path of pending) {
      if (++visited > MAX_FOLDERS || found.length >= MAX_KERNELS) break;
      for (const [name, type] of await list(vscode.Uri.joinPath(folder, path))) {
        const entry = path === '' ? name : `${path}/${name}`;
        if (type & vscode.FileType.Directory && !SKIPPED.test(name)) next.push(entry);
        else if (type & vscode.FileType.File && NAMES.test(name) && (await isKernel(folder, entry))) found.push(entry);
      }
    }
    pending = next;
  }
  return found.sort();
}

const list = async (uri: vscode.Uri): Promise<[string, vscode.FileType][]> =>
  Promise.resolve(vscode.workspace.fs.readDirectory(uri)).catch(() => []);

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
