/** The server over a pair of streams, as an editor talks to it: documents come, findings go, requests are answered. */
import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { createConnection, createProtocolConnection, ProposedFeatures, StreamMessageReader, StreamMessageWriter } from 'vscode-languageserver/node'; // prettier-ignore
import type { ProtocolConnection, PublishDiagnosticsParams } from 'vscode-languageserver/node';
import { LIST_FILES, MAX_FILES, READ_FILE, REGISTERS_IN } from '../../../extension/language/protocol';
import { serve } from '../../../extension/language/server';

const FILES: Record<string, string> = {
  'file:///w/lib.S': '.globl helper\nhelper: ret\n',
  'file:///w/defs.h': '#define SIZE $5\n',
};
const MAIN = 'file:///w/main.S';

describe('language server', () => {
  let client: ProtocolConnection;
  let diagnostics: PublishDiagnosticsParams[] = [];
  /** With these there are more files than are read. */
  const more = Array.from({ length: MAX_FILES }, (_, n) => `file:///w/more/${n}.S`);
  const said: string[] = [];
  before(async () => {
    const [up, down] = [new PassThrough(), new PassThrough()];
    serve(createConnection(ProposedFeatures.all, new StreamMessageReader(up), new StreamMessageWriter(down)));
    client = createProtocolConnection(new StreamMessageReader(down), new StreamMessageWriter(up));
    client.onRequest(READ_FILE, ({ uri }: { uri: string }) => FILES[uri] ?? null);
    client.onRequest(LIST_FILES, () => [...Object.keys(FILES).filter((uri) => uri.endsWith('.S')), ...more]);
    client.onRequest('window/showMessageRequest', ({ message }: { message: string }) => (said.push(message), null));
    client.onNotification('textDocument/publishDiagnostics', (params: PublishDiagnosticsParams) => void diagnostics.push(params)); // prettier-ignore
    client.listen();
    const initializationOptions = { roots: ['file:///w'], includePaths: [] };
    await client.sendRequest('initialize', { processId: null, rootUri: null, capabilities: {}, initializationOptions });
    await client.sendNotification('initialized', {});
  });
  after(() => client.dispose());

  const published = async (version: number): Promise<string[]> => {
    for (;;) {
      const found = diagnostics.find((each) => each.uri === MAIN && each.version === version);
      if (found) return found.diagnostics.map(({ message, range }) => `${range.start.line}: ${message}`);
      await new Promise((done) => setTimeout(done, 20));
    }
  };
  const ask = <T>(method: string, line: number, character: number, more: object = {}): Promise<T> =>
    client.sendRequest(method, { textDocument: { uri: MAIN }, position: { line, character }, ...more });

  it('finds mistakes while one types, in what is open', async () => {
    const text = '#include "defs.h"\nmain: movl SIZE, %eax\n call helper\n movv %eax, %ebx\n';
    await client.sendNotification('textDocument/didOpen', { textDocument: { uri: MAIN, languageId: 'asm', version: 1, text } }); // prettier-ignore
    assert.deepEqual(await published(1), ["3: No instruction or macro is named 'movv'."]);
    diagnostics = [];
    const range = { start: { line: 3, character: 4 }, end: { line: 3, character: 5 } };
    await client.sendNotification('textDocument/didChange', { textDocument: { uri: MAIN, version: 2 }, contentChanges: [{ range, text: 'l' }] }); // prettier-ignore
    assert.deepEqual(await published(2), []);
  });

  it('says once that it does not read every file of a workspace that is too large', async () => {
    for (let tries = 0; said.length === 0 && tries < 500; tries++) await new Promise((done) => setTimeout(done, 20));
    assert.equal(said.length, 1);
    assert.match(said[0]!, new RegExp(`more than ${MAX_FILES} files`));
  });

  it('answers', async () => {
    const hover = await ask<{ contents: { value: string } }>('textDocument/hover', 3, 3);
    assert.match(hover.contents.value, /\*\*MOV\*\*/);
    const definition = await ask<{ uri: string; range: object }[]>('textDocument/definition', 2, 8);
    assert.deepEqual(definition.map(({ uri }) => uri), ['file:///w/lib.S']); // prettier-ignore
    const completion = await ask<{ label: string }[]>('textDocument/completion', 2, 7);
    assert.ok(completion.some(({ label }) => label === 'helper'));
    const symbols = await client.sendRequest<{ name: string }[]>('workspace/symbol', { query: 'help' });
    assert.deepEqual(symbols.map(({ name }) => name), ['helper']); // prettier-ignore
    const tokens = await client.sendRequest<{ data: number[] }>('textDocument/semanticTokens/full', { textDocument: { uri: MAIN } }); // prettier-ignore
    assert.ok(tokens.data.length > 0 && tokens.data.length % 5 === 0);
    const registers = await client.sendRequest<{ name: string }[]>(REGISTERS_IN, { uri: MAIN, fromLine: 3, toLine: 3 });
    assert.deepEqual(registers.map(({ name }) => name), ['eax', 'ebx']); // prettier-ignore
    await assert.rejects(ask('textDocument/rename', 2, 8, { newName: '5' }), /no name for a label/);
  });
});
