/** The language server: the protocol on one side, the features on the other. Knows neither Node nor a browser. */
import { TextDocument } from 'vscode-languageserver-textdocument';
import { FileChangeType, ResponseError, TextDocuments, TextDocumentSyncKind } from 'vscode-languageserver';
import type { Connection, InitializeResult, TextDocumentPositionParams } from 'vscode-languageserver';
import { completionsAt, completionText } from './features/completion';
import { diagnose } from './features/diagnostics';
import { hoverAt } from './features/hover';
import { definitionAt, documentSymbols, folds, referencesAt, rename, renameable, workspaceSymbols } from './features/navigation'; // prettier-ignore
import { natureOf, registersIn, sensitiveLines } from './features/session';
import { signaturesAt } from './features/signature';
import { semanticTokens, TOKEN_MODIFIERS, TOKEN_TYPES } from './features/tokens';
import { completionOf, diagnosticOf, editsOf, encodeTokens, hoverOf, locationOf, symbolOf, workspaceSymbolOf } from './lsp'; // prettier-ignore
import { LIST_FILES, MAX_FILES, READ_FILE, REGISTERS_IN, SENSITIVE_LINES } from './protocol';
import type { InitializationOptions, RegistersIn } from './protocol';
import type { AssemblyDocument } from './workspace/document';
import { WorkspaceIndex } from './workspace/index';

/** After the last keystroke. */
const DIAGNOSE_AFTER_MS = 150;
const REFUSED = -32803;

const CAPABILITIES: InitializeResult['capabilities'] = {
  textDocumentSync: TextDocumentSyncKind.Incremental,
  hoverProvider: true,
  completionProvider: { triggerCharacters: ['%', '.', '$'], resolveProvider: true },
  signatureHelpProvider: { triggerCharacters: [' ', ','] },
  definitionProvider: true,
  referencesProvider: true,
  renameProvider: { prepareProvider: true },
  documentSymbolProvider: true,
  workspaceSymbolProvider: true,
  foldingRangeProvider: true,
  semanticTokensProvider: { legend: { tokenTypes: [...TOKEN_TYPES], tokenModifiers: [...TOKEN_MODIFIERS] }, full: true }, // prettier-ignore
};

export function serve(connection: Connection): void {
  const index = new WorkspaceIndex({
    read: async (uri) => (await connection.sendRequest<string | null>(READ_FILE, { uri })) ?? undefined,
  });
  const documents = new TextDocuments(TextDocument);
  const pending = new Map<string, ReturnType<typeof setTimeout>>();

  connection.onInitialize(({ initializationOptions }) => {
    const { roots = [], includePaths = [] } = (initializationOptions ?? {}) as Partial<InitializationOptions>;
    index.folders = { roots, includePaths };
    return { capabilities: CAPABILITIES };
  });
  connection.onInitialized(async () => {
    const uris = await connection.sendRequest<string[]>(LIST_FILES);
    for (const uri of uris.slice(0, MAX_FILES)) await index.load(uri);
    refreshAll();
    if (uris.length > MAX_FILES)
      connection.window.showInformationMessage(
        `This workspace has more than ${MAX_FILES} files of assembly. Names that are defined in the others are known once those are opened: open a folder below for all of its names.`,
      );
  });

  const update = (uri: string): AssemblyDocument | undefined => {
    const open = documents.get(uri);
    const known = index.get(uri);
    if (!open || known?.version === open.version) return known;
    return index.set(uri, open.getText(), open.version, open.languageId);
  };
  const publish = async (uri: string): Promise<void> => {
    const document = update(uri);
    if (!document || !documents.get(uri)) return;
    const findings = diagnose(document, { unit: await index.unit(uri), included: await index.isIncluded(uri) });
    if (document.version !== documents.get(uri)?.version) return;
    await connection.sendDiagnostics({ uri, version: document.version, diagnostics: findings.map((each) => diagnosticOf(document, each)) }); // prettier-ignore
  };
  const soon = (uri: string): void => {
    clearTimeout(pending.get(uri));
    pending.set(uri, setTimeout(() => void publish(uri), DIAGNOSE_AFTER_MS)); // prettier-ignore
  };
  const refreshAll = (): void => documents.keys().forEach(soon);

  documents.onDidChangeContent(({ document }) => soon(document.uri));
  documents.onDidClose(({ document }) => {
    clearTimeout(pending.get(document.uri));
    index.close(document.uri);
    void connection.sendDiagnostics({ uri: document.uri, diagnostics: [] });
  });
  connection.onDidChangeWatchedFiles(async ({ changes }) => {
    for (const { uri, type } of changes)
      if (type !== FileChangeType.Created || !documents.get(uri)) await index.changed(uri);
    refreshAll();
  });
  answer(connection, index, update);
  documents.listen(connection);
  connection.listen();
}

/** One line a request: find the document and the place, ask the feature, put it into the protocol's types. */
function answer(connection: Connection, index: WorkspaceIndex, update: (uri: string) => AssemblyDocument | undefined): void {
  const at = ({ textDocument, position }: TextDocumentPositionParams): { document: AssemblyDocument; offset: number } | undefined => {
    const document = update(textDocument.uri);
    return document && { document, offset: document.offset(position) };
  };
  connection.onHover(async (params) => {
    const place = at(params);
    const hover = place && (await hoverAt(index, place.document, place.offset));
    return hover ? hoverOf(place.document, hover) : null;
  });
  connection.onCompletion(async (params) => {
    const place = at(params);
    return place ? (await completionsAt(index, place.document, place.offset)).map((item) => completionOf(place.document, item)) : []; // prettier-ignore
  });
  connection.onCompletionResolve((item) => {
    const document = update((item.data as { uri?: string } | undefined)?.uri ?? '');
    const text = document && completionText(item.label, document.language.dialect);
    return text ? { ...item, documentation: { kind: 'markdown', value: text } } : item;
  });
  connection.onSignatureHelp((params) => {
    const place = at(params);
    const found = place && signaturesAt(place.document, place.offset);
    if (!found) return null;
    const signatures = found.signatures.map(({ label, text, parameters }) => ({ label, documentation: text, parameters: parameters.map((each) => ({ label: each })) })); // prettier-ignore
    return { signatures, activeSignature: 0, activeParameter: found.active };
  });
  connection.onDefinition(async (params) => {
    const place = at(params);
    return place ? (await definitionAt(index, place.document, place.offset)).map(locationOf) : [];
  });
  connection.onReferences(async (params) => {
    const place = at(params);
    return place ? (await referencesAt(index, place.document, place.offset, params.context.includeDeclaration)).map(locationOf) : []; // prettier-ignore
  });
  connection.onPrepareRename(async (params) => {
    const place = at(params);
    if (!place) return null;
    const found = await renameable(index, place.document, place.offset);
    if (typeof found === 'string') throw new ResponseError(REFUSED, found);
    return { range: place.document.range(found.span), placeholder: found.name };
  });
  connection.onRenameRequest(async (params) => {
    const place = at(params);
    if (!place) return null;
    const edits = await rename(index, place.document, place.offset, params.newName);
    if (typeof edits === 'string') throw new ResponseError(REFUSED, edits);
    return editsOf(edits);
  });
  connection.onDocumentSymbol(({ textDocument }) => {
    const document = update(textDocument.uri);
    return document ? documentSymbols(document).map((item) => symbolOf(document, item)) : [];
  });
  connection.onWorkspaceSymbol(({ query }) => workspaceSymbols(index, query).map(workspaceSymbolOf));
  connection.onFoldingRanges(({ textDocument }) => {
    const document = update(textDocument.uri);
    return document ? folds(document) : [];
  });
  connection.languages.semanticTokens.on(async ({ textDocument }) => {
    const document = update(textDocument.uri);
    if (!document) return { data: [] };
    return { data: encodeTokens(document, semanticTokens(document, await index.unit(document.uri), natureOf)) };
  });
  connection.onRequest(REGISTERS_IN, ({ uri, fromLine, toLine }: RegistersIn) => {
    const document = update(uri);
    return document ? registersIn(document, fromLine, toLine) : [];
  });
  connection.onRequest(SENSITIVE_LINES, ({ uri }: { uri: string }) => {
    const document = update(uri);
    return document ? sensitiveLines(document) : [];
  });
} // prettier-ignore
