/** Answers of the features in the types of the protocol. */
import { CompletionItemKind, DiagnosticSeverity, MarkupKind, SymbolKind } from 'vscode-languageserver-types';
import type { CompletionItem, Diagnostic, DocumentSymbol, Hover, Location, SymbolInformation, WorkspaceEdit } from 'vscode-languageserver-types'; // prettier-ignore
import type { Completion } from './features/completion';
import type { Finding } from './features/diagnostics';
import type { Hover as FoundHover } from './features/hover';
import type { Edit, Place, SymbolItem } from './features/navigation';
import { TOKEN_MODIFIERS, TOKEN_TYPES } from './features/tokens';
import type { SemanticToken } from './features/tokens';
import type { AssemblyDocument } from './workspace/document';
import type { Found } from './workspace/index';
import type { Definition } from './workspace/names';

const SOURCE = 'ringside';

export const locationOf = ({ document, span }: Place): Location => ({ uri: document.uri, range: document.range(span) });

export const hoverOf = (document: AssemblyDocument, { text, span }: FoundHover): Hover => ({
  contents: { kind: MarkupKind.Markdown, value: text },
  range: document.range(span),
});

export const diagnosticOf = (document: AssemblyDocument, { span, message, code, related }: Finding): Diagnostic => ({
  range: document.range(span),
  severity: DiagnosticSeverity.Error,
  source: SOURCE,
  code,
  message,
  ...(related ? { relatedInformation: [{ location: { uri: document.uri, range: document.range(related) }, message: 'The other one.' }] } : {}),
}); // prettier-ignore

const COMPLETION_KINDS: Record<Completion['kind'], CompletionItemKind> = {
  instruction: CompletionItemKind.Keyword,
  register: CompletionItemKind.Variable,
  directive: CompletionItemKind.Keyword,
  label: CompletionItemKind.Function,
  constant: CompletionItemKind.Constant,
  macro: CompletionItemKind.Snippet,
  file: CompletionItemKind.File,
};
export const completionOf = (document: AssemblyDocument, item: Completion): CompletionItem => ({
  label: item.label,
  kind: COMPLETION_KINDS[item.kind],
  textEdit: { range: document.range(item), newText: item.label },
  ...(item.detail ? { detail: item.detail } : {}),
  data: { uri: document.uri },
});

const SYMBOL_KINDS: Record<SymbolItem['kind'], SymbolKind> = {
  label: SymbolKind.Function,
  constant: SymbolKind.Constant,
  macro: SymbolKind.Method,
  define: SymbolKind.Constant,
  common: SymbolKind.Variable,
  structure: SymbolKind.Struct,
  section: SymbolKind.Namespace,
};
export const symbolOf = (document: AssemblyDocument, item: SymbolItem): DocumentSymbol => ({
  name: item.name,
  kind: SYMBOL_KINDS[item.kind],
  range: document.range(item.span),
  selectionRange: document.range(item.at),
  ...(item.detail ? { detail: item.detail } : {}),
  children: item.children.map((child) => symbolOf(document, child)),
});
export const workspaceSymbolOf = ({ document, item }: Found<Definition>): SymbolInformation => ({
  name: item.name,
  kind: SYMBOL_KINDS[item.kind],
  location: locationOf({ document, span: item.at }),
});

export function editsOf(edits: readonly Edit[]): WorkspaceEdit {
  const changes: NonNullable<WorkspaceEdit['changes']> = {};
  for (const { document, span, text } of edits) (changes[document.uri] ??= []).push({ range: document.range(span), newText: text }); // prettier-ignore
  return { changes };
}

/** Five numbers a token, relative to the token before; tokens of several lines are left out. */
export function encodeTokens(document: AssemblyDocument, tokens: readonly SemanticToken[]): number[] {
  const data: number[] = [];
  let last = { line: 0, character: 0 };
  for (const { start, end, type, modifiers } of tokens) {
    const at = document.position(start);
    if (document.lineOf(end) !== at.line) continue;
    const bits = modifiers.reduce((mask, modifier) => mask | (1 << TOKEN_MODIFIERS.indexOf(modifier)), 0);
    const sameLine = at.line === last.line;
    data.push(at.line - last.line, sameLine ? at.character - last.character : at.character, end - start, TOKEN_TYPES.indexOf(type), bits); // prettier-ignore
    last = at;
  }
  return data;
}
