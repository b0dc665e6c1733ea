/** `Ringside: Debug a Kernel`: what boots in the folder, without a launch.json; or the file that was clicked. */
import * as vscode from 'vscode';
import { configurationFor, resolveLaunchConfiguration } from '../launch-config';

export const registerDebugKernel = (): vscode.Disposable =>
  vscode.commands.registerCommand('ringside.debugKernel', (file?: unknown) =>
    file instanceof vscode.Uri ? debugFile(file) : debugFolder(),
  );

async function debugFolder(): Promise<void> {
  const folders = vscode.workspace.workspaceFolders ?? [];
  const folder = folders.length > 1 ? await vscode.window.showWorkspaceFolderPick() : folders[0];
  if (folder === undefined && folders.length > 0) return;
  // As F5 in a folder without launch.json: it is empty where one is to be found.
  const config = await resolveLaunchConfiguration(folder, { type: '', request: '', name: '' });
  if (config) await vscode.debug.startDebugging(folder, config);
}

/** With what lies beside it, as the search in the folder would find it. */
async function debugFile(file: vscode.Uri): Promise<void> {
  const folder = vscode.workspace.getWorkspaceFolder(file);
  await vscode.debug.startDebugging(folder, await configurationFor(folder, file));
}
