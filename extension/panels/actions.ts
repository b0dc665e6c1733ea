/** What a panel asks of the editor, by its kind. */
import * as vscode from 'vscode';
import type { Sessions } from '../sessions';
import { showMemory } from './memory-text';
import type { PanelAction } from './protocol';

type Handlers = { [D in PanelAction['do']]: (action: Extract<PanelAction, { do: D }>, sessions: Sessions) => unknown };

const HANDLERS = {
  copy: async ({ text }) => {
    await vscode.env.clipboard.writeText(text);
    vscode.window.setStatusBarMessage(vscode.l10n.t('Copied.'), 3000);
  },
  save: async ({ name, text }) => {
    const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
    const target = await vscode.window.showSaveDialog({
      ...(folder ? { defaultUri: vscode.Uri.joinPath(folder, name) } : {}),
      filters: { [name.split('.').at(-1)!.toUpperCase()]: [name.split('.').at(-1)!] },
    });
    if (target) await vscode.workspace.fs.writeFile(target, new TextEncoder().encode(text));
  },
  memory: ({ reference, name }, sessions) => showMemory(sessions, reference, name),
  break: async ({ on, condition }) => {
    const exists = vscode.debug.breakpoints.some(
      (each) => each instanceof vscode.FunctionBreakpoint && each.functionName === on && each.condition === condition,
    );
    if (!exists) vscode.debug.addBreakpoints([new vscode.FunctionBreakpoint(on, true, condition)]);
    await vscode.commands.executeCommand('workbench.debug.action.focusBreakpointsView');
  },
  source: async ({ path, line }) => {
    // Adapters in a browser know files by URI; a scheme is longer than the letter of a drive.
    const uri = /^[a-z][\w+.-]+:/i.test(path) ? vscode.Uri.parse(path) : vscode.Uri.file(path);
    const at = new vscode.Position(line - 1, 0);
    await vscode.window.showTextDocument(uri, { selection: new vscode.Range(at, at) });
  },
  disassembly: () => vscode.commands.executeCommand('debug.action.openDisassemblyView'),
  step: ({ in: where }, { active }) => {
    const threadId = vscode.debug.activeStackItem?.threadId ?? 1;
    if (where === 'translation') return active?.customRequest('ringside/stepTranslated', { threadId });
    return active?.customRequest('stepIn', { threadId, granularity: 'instruction' });
  },
  walk: ({ address }) => vscode.commands.executeCommand('ringside.walkAddress', { address }),
} satisfies Handlers;

export async function act(action: PanelAction, sessions: Sessions): Promise<void> {
  try {
    await (HANDLERS[action.do] as (action: PanelAction, sessions: Sessions) => unknown)(action, sessions);
  } catch (error) {
    void vscode.window.showErrorMessage(error instanceof Error ? error.message : String(error));
  }
}
