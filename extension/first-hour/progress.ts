/** What the walkthrough's steps wait for, as context keys: that a guest has stopped, and that one ran under a hypervisor. */
import * as vscode from 'vscode';
import { DEBUG_TYPE, type Sessions } from '../sessions';

const STOPPED = 'ringside.hasStopped';
const VIRTUALISED = 'ringside.hasVirtualised';

export function watchProgress(sessions: Sessions): vscode.Disposable {
  const reached = (key: string): void => void vscode.commands.executeCommand('setContext', key, true);
  return vscode.Disposable.from(
    sessions.onDidChange((state) => state === 'stopped' && reached(STOPPED)),
    vscode.debug.onDidStartDebugSession(({ type, configuration }) => {
      const wanted = [configuration, ...domainsOf(configuration)].map(({ technique }) => technique);
      if (type === DEBUG_TYPE && wanted.some((technique) => technique && technique !== 'none')) reached(VIRTUALISED);
    }),
  );
}

const domainsOf = ({ domains }: Record<string, unknown>): { technique?: unknown }[] =>
  Array.isArray(domains) ? (domains as { technique?: unknown }[]) : [];
