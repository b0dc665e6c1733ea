/** What both flavours of the extension contribute. Registrations only. */
import * as vscode from 'vscode';
import { provideLaunchConfigurations, resolveLaunchConfiguration, checkLaunchConfiguration } from './launch-config';
import { ConditionEditor } from './conditions';
import { registerFirstHour } from './first-hour/index';
import { registerLanguage } from './language/client';
import type { StartClient } from './language/client';
import { registerPanels } from './panels/host';
import { DEBUG_TYPE, Sessions } from './sessions';
import { SerialTerminals } from './terminal';
import { DomainsView } from './views/domains';
import { StructuresView } from './views/structures';

/** What is started differently in a process and in a browser. */
export interface Flavour {
  adapters: vscode.DebugAdapterDescriptorFactory;
  startLanguageClient: StartClient;
}

export function register(context: vscode.ExtensionContext, { adapters, startLanguageClient }: Flavour): void {
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
    registerFirstHour(context.extensionUri, sessions),
    registerPanels(context.extensionUri, sessions),
    new StructuresView(sessions).register(),
    new DomainsView(sessions).register(),
    new ConditionEditor(sessions).register(),
    registerLanguage(sessions, startLanguageClient),
    sessions,
    sessions.onDidLaunch((session) => void terminals.open(session)),
    vscode.debug.onDidTerminateDebugSession(
      (session) => void (session.type === DEBUG_TYPE && terminals.ended(session)),
    ),
    vscode.debug.onDidReceiveDebugSessionCustomEvent((event) => terminals.receive(event)),
    vscode.commands.registerCommand('ringside.showConsole', () => sessions.active && terminals.open(sessions.active)),
    terminals,
  );
}
