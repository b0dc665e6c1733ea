/** On the desktop and on remote hosts the server is a process of its own, run by the editor's own Node. */
import * as vscode from 'vscode';
import { LanguageClient, TransportKind } from 'vscode-languageclient/node';
import type { StartClient } from './client';

export const startInProcess =
  (extension: vscode.Uri): StartClient =>
  (options) => {
    const module = vscode.Uri.joinPath(extension, 'dist', 'language-server.js').fsPath;
    return new LanguageClient('ringside', 'Ringside Assembly', { module, transport: TransportKind.ipc }, options);
  };
