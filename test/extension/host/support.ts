/** What tests inside of the extension host have in common. */
import * as vscode from 'vscode';

export const folder = (): vscode.WorkspaceFolder => vscode.workspace.workspaceFolders![0]!;
export const file = (name: string): vscode.Uri => vscode.Uri.joinPath(folder().uri, name);

/** The first answer that is wanted: the editor's parts start by and by. */
export async function until<T>(ask: () => Thenable<T>, wanted: (answer: T) => boolean, what: string): Promise<T> {
  for (let tries = 0; tries < 300; tries++) {
    const answer = await ask();
    if (wanted(answer)) return answer;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`${what} did not come`);
}

/** Starts the sample and resolves at its first stop. */
export async function debugSample(more: object, ...breakpoints: vscode.Breakpoint[]): Promise<vscode.DebugSession> {
  vscode.debug.removeBreakpoints(vscode.debug.breakpoints);
  vscode.debug.addBreakpoints(breakpoints);
  const stopped = new Promise<vscode.DebugSession>((resolve) => {
    const tracker = vscode.debug.registerDebugAdapterTrackerFactory('ringside', {
      createDebugAdapterTracker: (session) => ({
        onDidSendMessage({ event }: { event?: string }) {
          if (event !== 'stopped') return;
          tracker.dispose();
          resolve(session);
        },
      }),
    });
  });
  const config = { type: 'ringside', request: 'launch', name: 'sample', kernel: 'sample.elf', memory: '128M', ...more };
  if (!(await vscode.debug.startDebugging(folder(), config))) throw new Error('the session did not start');
  return stopped;
}

export async function stopDebugging(session: vscode.DebugSession): Promise<void> {
  const ended = new Promise<void>((resolve) => {
    const listener = vscode.debug.onDidTerminateDebugSession((each) => {
      if (each.id !== session.id) return;
      listener.dispose();
      resolve();
    });
  });
  await vscode.debug.stopDebugging(session);
  await ended;
}
