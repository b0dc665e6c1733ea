/** On the desktop and on remote hosts the server is a process of its own, run by the editor's own Node. */
import * as vscode from 'vscode';
import { LanguageClient, TransportKind, type LanguageClientOptions } from 'vscode-languageclient/node';

export function startInProcess(extension: vscode.Uri, options: LanguageClientOptions): LanguageClient {
  const module = vscode.Uri.joinPath(extension, 'dist', 'language-server.js').fsPath;
  return new LanguageClient('ringside', 'Ringside Assembly', { module, transport: TransportKind.ipc }, options);
}
