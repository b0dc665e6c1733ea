/** The editor's side of the language server: starts it, reads files for it, and brings the debug session's facts to it. */
import * as vscode from 'vscode';
import type { BaseLanguageClient, LanguageClientOptions } from 'vscode-languageclient';
import type { Sessions } from '../sessions';
import { filesBelow } from '../folder-walk';
import { ExitCounts } from './exit-counts';
import { InlineRegisters } from './inline-registers';
import { LIST_FILES, MAX_FILES, READ_FILE } from './protocol';
import type { InitializationOptions, ReadFile } from './protocol';

/** Languages that the server reads. Those without a scheme also in browsers' file systems. */
export const LANGUAGES = ['asm', 'nasm'];
const FILES = '**/*.{s,S,sx,asm,nasm,inc,mac}';
const NAMES = /\.(s|S|sx|asm|nasm|inc|mac)$/;
const LIMITS = { depth: 6, folders: 500 };

/** A folder of a setting: absolute, or from the first folder of the workspace. */
const folderUri = (path: string): string => {
  const [first] = vscode.workspace.workspaceFolders ?? [];
  const absolute = path.startsWith('/') || first === undefined;
  return (absolute ? vscode.Uri.file(path) : vscode.Uri.joinPath(first.uri, path)).toString();
};

function initializationOptions(): InitializationOptions {
  const configured = vscode.workspace.getConfiguration('ringside').get<string[]>('assembly.includePaths', []);
  return {
    roots: (vscode.workspace.workspaceFolders ?? []).map(({ uri }) => uri.toString()),
    includePaths: configured.map(folderUri),
  };
}

/** Where the editor's search finds nothing because the file system has none. */
async function walk(): Promise<string[]> {
  const found: string[] = [];
  for (const { uri } of vscode.workspace.workspaceFolders ?? [])
    for await (const path of filesBelow(uri, LIMITS))
      if (NAMES.test(path) && found.push(vscode.Uri.joinPath(uri, path).toString()) > MAX_FILES) return found;
  return found;
}

/** Resolves when the client is loaded; it is not running yet. */
export type StartClient = (options: LanguageClientOptions) => Promise<BaseLanguageClient>;

/** Starts when the first assembly is opened. */
export function registerLanguage(sessions: Sessions, start: StartClient): vscode.Disposable {
  const owned: vscode.Disposable[] = [];
  let client: BaseLanguageClient | undefined;
  let begun = false;
  const begin = async (document: vscode.TextDocument): Promise<void> => {
    if (begun || !LANGUAGES.includes(document.languageId)) return;
    begun = true;
    const watcher = vscode.workspace.createFileSystemWatcher(FILES);
    client = await start({
      documentSelector: LANGUAGES.map((language) => ({ language })),
      initializationOptions: initializationOptions(),
      synchronize: { fileEvents: watcher },
    });
    client.onRequest(READ_FILE, async ({ uri }: ReadFile) => {
      try {
        return new TextDecoder().decode(await vscode.workspace.fs.readFile(vscode.Uri.parse(uri)));
      } catch {
        // There is no such file: the server goes on to the next folder.
        return null;
      }
    });
    client.onRequest(LIST_FILES, async () => {
      const found = await vscode.workspace.findFiles(FILES, '**/node_modules/**', MAX_FILES + 1);
      return found.length > 0 ? found.map((uri) => uri.toString()) : walk();
    });
    const counts = new ExitCounts(sessions, client);
    owned.push(watcher, counts, ...counts.register(LANGUAGES), new InlineRegisters(client).register(LANGUAGES));
    await client.start();
  };
  vscode.workspace.textDocuments.forEach((document) => void begin(document));
  owned.push(vscode.workspace.onDidOpenTextDocument((document) => void begin(document)));
  return { dispose: () => (owned.forEach((each) => each.dispose()), void client?.stop()) };
}
