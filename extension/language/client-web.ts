/** In a browser the server is a worker. */
import * as vscode from 'vscode';
import { LanguageClient, type LanguageClientOptions } from 'vscode-languageclient/browser';

export function startInWorker(extension: vscode.Uri, options: LanguageClientOptions): LanguageClient {
  const script = vscode.Uri.joinPath(extension, 'dist', 'web', 'language-server.js');
  return new LanguageClient('ringside', 'Ringside Assembly', new Worker(script.toString(true)), options);
}
