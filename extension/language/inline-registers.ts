/** Values of registers behind the lines around the place where the guest stands. */
import * as vscode from 'vscode';
import type { BaseLanguageClient } from 'vscode-languageclient';
import { REGISTERS_IN } from './protocol';
import type { RegisterPlace, RegistersIn } from './protocol';

/** Lines above the one where the guest stands: what it has just done. */
const LINES_ABOVE = 12;

export class InlineRegisters implements vscode.InlineValuesProvider {
  constructor(private readonly client: BaseLanguageClient) {}

  register(languages: readonly string[]): vscode.Disposable {
    return vscode.languages.registerInlineValuesProvider([...languages], this);
  }

  async provideInlineValues(
    document: vscode.TextDocument,
    viewPort: vscode.Range,
    context: vscode.InlineValueContext,
  ): Promise<vscode.InlineValue[]> {
    if (vscode.debug.activeDebugSession?.type !== 'ringside') return [];
    const { line } = context.stoppedLocation.start;
    const params: RegistersIn = {
      uri: document.uri.toString(),
      fromLine: Math.max(viewPort.start.line, line - LINES_ABOVE),
      toLine: line,
    };
    const places = await this.client.sendRequest<RegisterPlace[]>(REGISTERS_IN, params);
    // The adapter is asked by name with a dollar: a register, whatever else is called so.
    return places.map(
      ({ line: at, start, end, name }) =>
        new vscode.InlineValueEvaluatableExpression(new vscode.Range(at, start, at, end), `$${name}`),
    );
  }
}
