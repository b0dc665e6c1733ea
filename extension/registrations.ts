/** What both flavours of the extension contribute. Registrations only. */
import * as vscode from 'vscode';
import { provideLaunchConfigurations, resolveLaunchConfiguration, checkLaunchConfiguration } from './launch-config';
import { registerPanels } from './panels/host';
import { DEBUG_TYPE, Sessions } from './sessions';
import { SerialTerminals } from './terminal';
import { DomainsView } from './views/domains';
import { StructuresView } from './views/structures';

export function register(context: vscode.ExtensionContext, adapters: vscode.DebugAdapterDescriptorFactory): void {
  const sessions = new Sessions();
  const terminals = new SerialTerminals();
  const dynamic = vscode.DebugConfigurationProviderTriggerKind.Dynamic;
  context.subscriptions.push(
    vscode.debug.registerDebugAdapterDescriptorFactory(DEBUG_TYPE, adapters),
    vscode.debug.registerDebugConfigurationProvider(DEBUG_TYPE, {
      resolveDebugConfiguration: resolveLaunchConfiguration,
      resolveDebugConfigurationWithSubstitutedVariables: checkLaunchConfiguration,
    }),
    vscode.debug.registerDebugConfigurationProvider(
      DEBUG_TYPE,
      { provideDebugConfigurations: provideLaunchConfigurations },
      dynamic,
    ),
    vscode.debug.registerDebugAdapterTrackerFactory(DEBUG_TYPE, sessions),
    registerPanels(context.extensionUri, sessions),
    new StructuresView(sessions).register(),
    new DomainsView(sessions).register(),
    sessions,
    vscode.debug.onDidStartDebugSession((session) => void (session.type === DEBUG_TYPE && terminals.open(session))),
    vscode.debug.onDidTerminateDebugSession(
      (session) => void (session.type === DEBUG_TYPE && terminals.ended(session)),
    ),
    vscode.debug.onDidReceiveDebugSessionCustomEvent((event) => terminals.receive(event)),
    terminals,
  );
}
