/** DAP's base protocol over byte streams (DAP "Base Protocol"): a header, an empty line, JSON. Hostile input ends nothing. */
import type { Readable, Writable } from 'node:stream';
import type { DebugProtocol } from '@vscode/debugprotocol';
import type { RingsideSession } from './session';

const MAX_HEADER_BYTES = 4096;
const MAX_MESSAGE_BYTES = 64 << 20;
const HEADER_END = '\r\n\r\n';

type MessageHandler = { message(value: unknown): void; damaged(why: string): void };

/** Cuts a stream into messages. What is no message is reported once and skipped. */
export class MessageReader {
  private chunks: Buffer[] = [];
  private length = 0;
  /** Bytes of the body to come; undefined: in a header. */
  private expected: number | undefined;
  private skipping = false;

  constructor(private readonly handler: MessageHandler) {}

  receive(chunk: Buffer): void {
    this.chunks.push(chunk);
    this.length += chunk.length;
    while (this.expected === undefined ? this.header() : this.body());
  }

  private joined(): Buffer {
    if (this.chunks.length !== 1) this.chunks = [Buffer.concat(this.chunks)];
    return this.chunks[0]!;
  }

  private consume(count: number): void {
    const rest = this.joined().subarray(count);
    this.chunks = rest.length === 0 ? [] : [rest];
    this.length = rest.length;
  }

  private header(): boolean {
    const bytes = this.joined();
    const end = bytes.indexOf(HEADER_END);
    if (end < 0) {
      if (this.length <= MAX_HEADER_BYTES) return false;
      this.damaged('A message header is longer than 4096 bytes; send Content-Length: N, an empty line and JSON.');
      // A true header may begin in what is left.
      const next = bytes.lastIndexOf('Content-Length:');
      this.consume(next > 0 ? next : this.length - HEADER_END.length);
      return false;
    }
    const match = /(?:^|\n)[ \t]*Content-Length:[ \t]*(\d{1,12})[ \t]*(?:\r|$)/i.exec(bytes.toString('latin1', 0, end));
    this.consume(end + HEADER_END.length);
    const expected = match === null ? NaN : Number(match[1]);
    if (!(expected <= MAX_MESSAGE_BYTES)) {
      this.damaged(`A message header has no usable Content-Length (at most ${MAX_MESSAGE_BYTES} bytes).`);
      return true;
    }
    this.expected = expected;
    return true;
  }

  private body(): boolean {
    const expected = this.expected!;
    if (this.length < expected) return false;
    const text = this.joined().toString('utf8', 0, expected);
    this.consume(expected);
    this.expected = undefined;
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      this.handler.damaged('A message is not JSON and was ignored.');
      return true;
    }
    this.skipping = false;
    this.handler.message(value);
    return true;
  }

  /** Once for a run of garbage. */
  private damaged(why: string): void {
    if (!this.skipping) this.handler.damaged(why);
    this.skipping = true;
  }
}

/** Ties a session to a pair of streams until one side closes. */
export function serve(session: RingsideSession, input: Readable, output: Writable, closed: () => void): void {
  const reader = new MessageReader({
    message: (value) => session.handleMessage(value as DebugProtocol.ProtocolMessage),
    damaged: (why) => session.refuseMessage(why),
  });
  // What is said in one turn of the event loop leaves in one write: a step's response and its `stopped` event, for one.
  let pending = '';
  const flush = (): void => {
    if (pending !== '' && output.writable) output.write(pending, 'utf8');
    pending = '';
  };
  session.onDidSendMessage((message) => {
    const body = JSON.stringify(message);
    if (pending === '') queueMicrotask(flush);
    pending += `Content-Length: ${Buffer.byteLength(body, 'utf8')}${HEADER_END}${body}`;
  });
  let open = true;
  const end = (): void => {
    if (!open) return;
    open = false;
    session.end();
    closed();
  };
  session.onEnd = () => {
    flush();
    output.end();
    end();
  };
  input.on('data', (chunk: Buffer) => reader.receive(chunk));
  input.on('close', end);
  input.on('end', end);
  input.on('error', end);
  output.on('error', end);
}
