/** Assembly by the editor's API, where the language server is a process. */
import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { file, until } from './support';

describe('assembly', () => {
  let document: vscode.TextDocument;
  const at = (text: string): vscode.Position => document.positionAt(document.getText().indexOf(text) + 1);
  before(async () => {
    document = await vscode.workspace.openTextDocument(file('boot.S'));
    await vscode.window.showTextDocument(document);
  });

  it('tells what an instruction does', async () => {
    const hovers = await until(
      () => vscode.commands.executeCommand<vscode.Hover[]>('vscode.executeHoverProvider', document.uri, at('lgdt')),
      (found) => found.length > 0,
      'a hover',
    );
    const text = hovers.flatMap(({ contents }) => contents.map((each) => (typeof each === 'string' ? each : each.value))).join();
    assert.match(text, /LGDT/);
  });

  it('finds where a label is defined, and its symbols', async () => {
    const symbols = await vscode.commands.executeCommand<vscode.SymbolInformation[]>('vscode.executeDocumentSymbolProvider', document.uri);
    assert(symbols.some(({ name }) => name === 'start'));
    const found = await vscode.commands.executeCommand<(vscode.Location | vscode.LocationLink)[]>('vscode.executeDefinitionProvider', document.uri, at('start_multiboot, @function'));
    assert(found.length > 0);
  });

  it('completes instructions', async () => {
    const { items } = await vscode.commands.executeCommand<vscode.CompletionList>('vscode.executeCompletionItemProvider', document.uri, at('lgdt').translate(0, 1));
    assert(items.some(({ label }) => label === 'lgdt'));
  });
}); // prettier-ignore
