/** Files below a folder, by reading directories: file systems in a browser do not have the editor's search. */
import * as vscode from 'vscode';

const SKIPPED = /^(\..*|node_modules)$/;

export interface WalkLimits {
  depth: number;
  folders: number;
}

/** Paths relative to the folder, those near its root first. What cannot be read is left out. */
export async function* filesBelow(folder: vscode.Uri, limits: WalkLimits): AsyncGenerator<string> {
  let pending = [''];
  let visited = 0;
  for (let depth = 0; depth < limits.depth; depth++) {
    const next: string[] = [];
    for (const path of pending) {
      if (++visited > limits.folders) return;
      for (const [name, type] of await list(vscode.Uri.joinPath(folder, path))) {
        const entry = path === '' ? name : `${path}/${name}`;
        if (type & vscode.FileType.Directory && !SKIPPED.test(name)) next.push(entry);
        else if (type & vscode.FileType.File) yield entry;
      }
    }
    pending = next;
  }
}

const list = async (uri: vscode.Uri): Promise<[string, vscode.FileType][]> =>
  Promise.resolve(vscode.workspace.fs.readDirectory(uri)).catch(() => []);
