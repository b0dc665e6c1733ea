/** Paths of launch configurations and URIs of the workspace. */
import * as vscode from 'vscode';

/** `scheme:` of at least two letters: one letter is a Windows drive. */
const isUri = (path: string): boolean => /^[a-z][a-z0-9+.-]+:/i.test(path);
const isAbsolute = (path: string): boolean => path.startsWith('/') || /^[a-z]:[\\/]/i.test(path);

export const toUri = (path: string): vscode.Uri => (isUri(path) ? vscode.Uri.parse(path, true) : vscode.Uri.file(path));

/**
 * What the debug adapter gets for a path in a launch configuration: an absolute path of the host where the folder is one
 * of its folders, else the whole URI. Relative paths start at the folder; without a folder they stay as they are.
 */
export function resolvePath(path: string, folder: vscode.Uri | undefined): string {
  if (isUri(path) || folder === undefined) return path;
  if (folder.scheme === 'file') return isAbsolute(path) ? path : vscode.Uri.joinPath(folder, path).fsPath;
  return (isAbsolute(path) ? folder.with({ path }) : vscode.Uri.joinPath(folder, path)).toString(true);
}

/** Why a file-system call failed, in words. */
export function reasonOf(error: unknown): string {
  const code = error instanceof vscode.FileSystemError ? error.code : '';
  if (code === 'FileNotFound') return vscode.l10n.t('there is no such file');
  if (code === 'NoPermissions') return vscode.l10n.t('reading it is not permitted');
  if (code === 'FileIsADirectory') return vscode.l10n.t('it is a folder');
  return error instanceof Error ? error.message : String(error);
}
