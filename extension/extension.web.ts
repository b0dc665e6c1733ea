/** The extension in a browser: the debug adapter is a web worker. */
import * as vscode from 'vscode';
import { register } from './registrations';
import { WorkerAdapter } from './worker-adapter';

export function activate(context: vscode.ExtensionContext): void {
  const script = vscode.Uri.joinPath(context.extensionUri, 'dist', 'web', 'debug-adapter.js');
  register(context, {
    adapters: {
      createDebugAdapterDescriptor: () =>
        new vscode.DebugAdapterInlineImplementation(
          new WorkerAdapter(new Worker(script.toString(true)), vscode.workspace.fs),
        ),
    },
    startLanguageClient: async (options) => {
      const { startInWorker } = await import('./language/client-web');
      return startInWorker(context.extensionUri, options);
    },
  });
}
