/** Hostile input: whatever arrives, each message gets one answer and the session lives. */
import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { nodeFiles } from '../../debug-adapter/files-node';
import { REQUESTS } from '../../debug-adapter/requests/table';
import { RingsideSession } from '../../debug-adapter/session';
import { MessageReader } from '../../debug-adapter/transport';

interface Sent {
  type: string;
  request_seq?: number;
  success?: boolean;
  message?: string;
}

function session(): { session: RingsideSession; sent: Sent[] } {
  const made = new RingsideSession(nodeFiles);
  const sent: Sent[] = [];
  made.onDidSendMessage((message) => void sent.push(JSON.parse(JSON.stringify(message)) as Sent));
  return { session: made, sent };
}

const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));
const COMMANDS = Object.keys(REQUESTS).filter((each) => each !== 'disconnect');

describe('malformed messages', () => {
  it('answers any JSON with at most one error, and requests with exactly one response', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.anything(), { maxLength: 5 }), async (values) => {
        const { session: made, sent } = session();
        const messages = values.map((value) => JSON.parse(JSON.stringify(value) ?? 'null') as unknown);
        for (const message of messages) made.handleMessage(message as never);
        made.handleMessage({ seq: 99, type: 'request', command: 'threads' } as never);
        await settle();
        assert.ok(sent.every(({ type }) => type === 'response'));
        assert.ok(sent.length <= messages.length + 1);
        assert.deepEqual(sent.filter(({ request_seq }) => request_seq === 99).map(({ success }) => success), [true]);
      }),
      { numRuns: 50 },
    ); // prettier-ignore
  });

  it('answers every request with arguments of wrong types', async () => {
    const keys = ['threadId', 'frameId', 'variablesReference', 'source', 'breakpoints', 'memoryReference', 'count', 'expression', 'address', 'kernel', 'filters', 'instructionCount', 'data', 'name', 'value', 'text', 'column', 'table', 'attach']; // prettier-ignore
    const args = fc.oneof(fc.jsonValue(), fc.dictionary(fc.constantFrom(...keys), fc.jsonValue(), { maxKeys: 6 }));
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...COMMANDS), args, async (command, value) => {
        const { session: made, sent } = session();
        made.handleMessage({ seq: 1, type: 'request', command, arguments: value } as never);
        made.handleMessage({ seq: 2, type: 'request', command: 'initialize' } as never);
        await settle();
        const responses = sent.filter(({ type }) => type === 'response');
        assert.deepEqual(responses.map(({ request_seq }) => request_seq).sort(), [1, 2], command);
        const [first] = responses.filter(({ request_seq }) => request_seq === 1);
        if (first!.success === false) assert.match(first!.message!, /^[^\n]{5,400}$/, command);
        assert.doesNotMatch(
          first!.message ?? '',
          /undefined|TypeError|Cannot read properties|wrong about itself/,
          command,
        );
      }),
      { numRuns: 300 },
    );
  });

  it('does not know what is on the prototype', async () => {
    const { session: made, sent } = session();
    for (const command of ['constructor', '__proto__', 'toString', 'quit']) {
      made.handleMessage({ seq: 1, type: 'request', command } as never);
    }
    await settle();
    assert.equal(sent.length, 4);
    assert.ok(sent.every(({ success, message }) => success === false && /is not a request/.test(message!)));
  });
});

describe('byte streams', () => {
  const read = (chunks: (string | Buffer)[]): { values: unknown[]; damaged: string[] } => {
    const values: unknown[] = [];
    const damaged: string[] = [];
    const reader = new MessageReader({ message: (value) => values.push(value), damaged: (why) => damaged.push(why) });
    for (const chunk of chunks) reader.receive(Buffer.from(chunk as string));
    return { values, damaged };
  };
  const framed = (value: unknown): string => {
    const json = JSON.stringify(value);
    return `Content-Length: ${Buffer.byteLength(json)}\r\n\r\n${json}`;
  };

  it('finds messages however they are cut', () => {
    const bytes = Buffer.from([{ a: 1 }, { b: 'ü€' }, [], 'x'].map(framed).join(''));
    fc.assert(
      fc.property(fc.array(fc.nat(bytes.length), { maxLength: 8 }), (cuts) => {
        const at = [0, ...cuts.sort((a, b) => a - b), bytes.length];
        const chunks = at.slice(1).map((end, n) => bytes.subarray(at[n], end));
        assert.deepEqual(read(chunks), { values: [{ a: 1 }, { b: 'ü€' }, [], 'x'], damaged: [] });
      }),
    );
  });
  it('goes on after what is not JSON', () => {
    const { values, damaged } = read(['Content-Length: 3\r\n\r\n{a}', framed(1)]);
    assert.deepEqual([values, damaged.length], [[1], 1]);
  });
  it('goes on after a header without length, and after a huge one', () => {
    const { values, damaged } = read(['X: 1\r\n\r\n', framed(1), 'Content-Length: 99999999999\r\n\r\n', framed(2), 'Content-Length: -3\r\n\r\n', framed(3)]); // prettier-ignore
    assert.deepEqual([values, damaged.length], [[1, 2, 3], 3]);
  });
  it('accepts further header fields in any case', () => {
    assert.deepEqual(read(['Content-Type: x\r\ncontent-length: 1\r\n\r\n7']).values, [7]);
  });
  it('finds the next message behind endless garbage', () => {
    const { values, damaged } = read(['x'.repeat(3000), 'y'.repeat(3000), `\r\n\r\n${framed(5)}`]);
    assert.deepEqual([values, damaged.length], [[5], 1]);
  });
  it('survives any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        read([Buffer.from(bytes)]);
      }),
    );
  });
});
