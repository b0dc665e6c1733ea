/** In a browser the server is a worker. */
import * as vscode from 'vscode';
import { LanguageClient } from 'vscode-languageclient/browser';
import type { StartClient } from './client';

export const startInWorker =
  (extension: vscode.Uri): StartClient =>
  (options) => {
    const script = vscode.Uri.joinPath(extension, 'dist', 'web', 'language-server.js');
    return new LanguageClient('ringside', 'Ringside Assembly', new Worker(script.toString(true)), options);
  };
