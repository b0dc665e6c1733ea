/** What both flavours of the extension contribute. Registrations only. */
import * as vscode from 'vscode';
import { provideLaunchConfigurations, resolveLaunchConfiguration, checkLaunchConfiguration } from './launch-config';
import { PageTablePanel } from './panels/host';
import { SerialTerminals } from './terminal';

const TYPE = 'ringside';

export function register(context: vscode.ExtensionContext, adapters: vscode.DebugAdapterDescriptorFactory): void {
  const pageTables = new PageTablePanel(context.extensionUri);
  const terminals = new SerialTerminals();
  const dynamic = vscode.DebugConfigurationProviderTriggerKind.Dynamic;
  context.subscriptions.push(
    vscode.debug.registerDebugAdapterDescriptorFactory(TYPE, adapters),
    vscode.debug.registerDebugConfigurationProvider(TYPE, {
      resolveDebugConfiguration: resolveLaunchConfiguration,
      resolveDebugConfigurationWithSubstitutedVariables: checkLaunchConfiguration,
    }),
    vscode.debug.registerDebugConfigurationProvider(
      TYPE,
      { provideDebugConfigurations: provideLaunchConfigurations },
      dynamic,
    ),
    vscode.debug.registerDebugAdapterTrackerFactory(TYPE, pageTables),
    vscode.debug.onDidChangeActiveDebugSession(() => pageTables.refresh()),
    vscode.window.registerWebviewViewProvider(PageTablePanel.viewId, pageTables),
    vscode.commands.registerCommand('ringside.walkAddress', (clicked?: unknown) => pageTables.walk(clicked)),
    vscode.debug.onDidStartDebugSession((session) => void (session.type === TYPE && terminals.open(session))),
    vscode.debug.onDidTerminateDebugSession((session) => void (session.type === TYPE && terminals.ended(session))),
    vscode.debug.onDidReceiveDebugSessionCustomEvent((event) => terminals.receive(event)),
    terminals,
  );
}
