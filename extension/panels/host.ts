/** The panels, and the commands that lead to them. */
import * as vscode from 'vscode';
import type { Sessions } from '../sessions';
import { act } from './actions';
import { MemoryText } from './memory-text';
import { Panel } from './panel';

export function registerPanels(extensionUri: vscode.Uri, sessions: Sessions): vscode.Disposable {
  const panel = (name: string, script: string, title: string, styles: readonly string[] = [], onHidden?: () => unknown): Panel =>
    new Panel(extensionUri, sessions, { id: `ringside.${name}`, script, title, styles, ...(onHidden && { onHidden }) });
  const pageTables = panel('pageTables', 'page-table', vscode.l10n.t('Page Tables'), ['virtual-list', 'walk']);
  const exits = panel('exits', 'exits', vscode.l10n.t('VM Exits'), ['virtual-list', 'uPlot.min'], () => quiet(sessions));
  const translated = panel('translated', 'translated', vscode.l10n.t('Translated Code'));
  const screen = panel('screen', 'screen', vscode.l10n.t('Screen'));
  return vscode.Disposable.from(
    ...[pageTables, exits, translated, screen].map((each) => each.register()),
    new MemoryText(sessions).register(),
    vscode.commands.registerCommand('ringside.walkAddress', (clicked?: unknown) => walk(pageTables, clicked)),
    vscode.commands.registerCommand('ringside.showTranslated', (clicked?: unknown) =>
      translated.tell({ kind: 'translated', address: addressOf(clicked) ?? '' }),
    ),
    // From the context menu of an exit, with what exits.model.ts says of it.
    vscode.commands.registerCommand('ringside.breakOnExits', ({ condition }: { condition: string }) =>
      act({ do: 'break', on: 'vm-exit', condition }, sessions),
    ),
    vscode.commands.registerCommand('ringside.copyExit', ({ json }: { json: string }) =>
      act({ do: 'copy', text: json }, sessions),
    ),
  );
} // prettier-ignore

/** A session that ends meanwhile tells nothing any more. */
const quiet = (sessions: Sessions): Promise<unknown> =>
  sessions.request('ringside/exits', { limit: 0, subscribe: false }).catch(() => undefined);

/** An address of a variable from its context menu, of a panel, or what the user types. */
async function walk(pageTables: Panel, clicked: unknown): Promise<void> {
  const address = addressOf(clicked) ?? (await askForAddress());
  if (address !== undefined) await pageTables.tell({ kind: 'walk', address });
}

/** What the variables view, or a panel, hands to a command. */
function addressOf(clicked: unknown): string | undefined {
  const { address, variable } = (clicked ?? {}) as {
    address?: string;
    variable?: { value?: string; evaluateName?: string; memoryReference?: string };
  };
  return address ?? variable?.memoryReference ?? variable?.evaluateName ?? variable?.value;
}

const askForAddress = (): Thenable<string | undefined> =>
  vscode.window.showInputBox({
    prompt: vscode.l10n.t('Address to walk through the page tables'),
    placeHolder: 'gv:0xffff800000000000, $rip, &variable',
  });
