/** The extension on the desktop and on remote hosts: the debug adapter is a process of its own. */
import * as vscode from 'vscode';
import { register } from './registrations';

export function activate(context: vscode.ExtensionContext): void {
  const program = vscode.Uri.joinPath(context.extensionUri, 'dist', 'debug-adapter.js').fsPath;
  register(context, {
    adapters: {
      // The command `node` with a script means the editor's own Node: nothing has to be installed.
      createDebugAdapterDescriptor: () => new vscode.DebugAdapterExecutable('node', [program]),
    },
    // Half of all code, for those who read assembly: a file of its own.
    startLanguageClient: async (options) => {
      const { startInProcess } = await import(/* webpackChunkName: "language-client" */ './language/client-node');
      return startInProcess(context.extensionUri, options);
    },
  });
}
