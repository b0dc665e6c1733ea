/** A small DAP client for tests: over a child process's stdio or a socket; waits for responses and events. */
import { spawn, type ChildProcess } from 'node:child_process';
import { connect } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import type { DebugProtocol } from '@vscode/debugprotocol';

type Message = DebugProtocol.Response | DebugProtocol.Event;
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- bodies are compared, not typed, in tests
type Body = any;

interface Waiter {
  matches(message: Message): boolean;
  resolve(message: Message): void;
}

const WAIT_MS = 20_000;

export class Client {
  private seq = 1;
  private buffer = Buffer.alloc(0);
  private waiters: Waiter[] = [];
  /** Events that nobody has waited for yet. */
  readonly events: DebugProtocol.Event[] = [];
  /** Everything, in order: for transcripts. */
  readonly log: (Message | DebugProtocol.Request)[] = [];
  private process: ChildProcess | undefined;
  closed = false;
  /** How long an answer may take, ms. */
  patience = WAIT_MS;

  constructor(
    input: Readable,
    private readonly output: Writable,
  ) {
    input.on('data', (chunk: Buffer) => this.receive(chunk));
    input.on('close', () => (this.closed = true));
    output.on('error', () => (this.closed = true));
  }

  /** Starts an adapter: a TypeScript file with arguments. */
  static start(script: string, args: string[] = []): Client {
    const child = spawn(process.execPath, ['--import', 'tsx', script, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
    const client = new Client(child.stdout, child.stdin);
    client.process = child;
    return client;
  }

  static connect(port: number): Promise<Client> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1', () => resolve(new Client(socket, socket)));
      socket.on('error', reject);
    });
  }

  /** The exit status, once the process has ended. */
  exit(): Promise<number | null> {
    return new Promise((resolve) => this.process!.on('exit', resolve));
  }

  kill(): void {
    this.process?.kill();
    this.output.end();
  }

  raw(bytes: Buffer | string): void {
    this.output.write(bytes);
  }

  sendMessage(message: unknown): void {
    const body = Buffer.from(JSON.stringify(message));
    this.raw(`Content-Length: ${body.length}\r\n\r\n`);
    this.raw(body);
  }

  /** The response, also when it is a refusal. */
  async response(command: string, args?: unknown): Promise<DebugProtocol.Response> {
    const request = { seq: this.seq++, type: 'request', command, arguments: args };
    this.log.push(request as DebugProtocol.Request);
    const answer = this.wait((message) => message.type === 'response' && (message as DebugProtocol.Response).request_seq === request.seq, command); // prettier-ignore
    this.sendMessage(request);
    return (await answer) as DebugProtocol.Response;
  }

  /** The body; a refusal throws. */
  async request(command: string, args?: unknown): Promise<Body> {
    const response = await this.response(command, args);
    if (!response.success) throw new Error(`${command}: ${response.message}`);
    return response.body;
  }

  /** The message of a refusal; success throws. */
  async refusal(command: string, args?: unknown): Promise<string> {
    const response = await this.response(command, args);
    if (response.success) throw new Error(`${command} was not refused: ${JSON.stringify(response.body)}`);
    return response.message ?? '';
  }

  /** The next event of that name: one that came already, or one to come. */
  async event(name: string): Promise<Body> {
    const index = this.events.findIndex((event) => event.event === name);
    if (index >= 0) return this.events.splice(index, 1)[0]!.body;
    const message = (await this.wait(
      (each) => each.type === 'event' && (each as DebugProtocol.Event).event === name,
      name,
    )) as DebugProtocol.Event;
    this.events.splice(this.events.indexOf(message), 1);
    return message.body;
  }

  /** A request that makes the machine run, and how it stopped. */
  async run(command: string, args: object = {}): Promise<Body> {
    this.forget('stopped');
    await this.request(command, { threadId: 1, ...args });
    return this.event('stopped');
  }

  forget(name: string): void {
    for (let at = this.events.length - 1; at >= 0; at--) if (this.events[at]!.event === name) this.events.splice(at, 1);
  }

  /** Output so far, of a category. */
  output_(category: string): string {
    return this.log
      .filter((each) => each.type === 'event' && (each as DebugProtocol.Event).event === 'output')
      .map((each) => (each as DebugProtocol.OutputEvent).body)
      .filter((body) => body.category === category)
      .map((body) => body.output)
      .join('');
  }

  private wait(matches: (message: Message) => boolean, what: string): Promise<Message> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no answer within ${this.patience} ms: ${what}`)), this.patience);
      this.waiters.push({
        matches,
        resolve: (message) => {
          clearTimeout(timer);
          resolve(message);
        },
      });
    });
  }

  private receive(chunk: Buffer): void {
    this.buffer = Buffer.concat([this.buffer, chunk]);
    for (;;) {
      const end = this.buffer.indexOf('\r\n\r\n');
      const length = Number(/Content-Length: (\d+)/.exec(this.buffer.toString('latin1', 0, Math.max(end, 0)))?.[1]);
      if (end < 0 || this.buffer.length < end + 4 + length) return;
      const message = JSON.parse(this.buffer.toString('utf8', end + 4, end + 4 + length)) as Message;
      this.buffer = this.buffer.subarray(end + 4 + length);
      this.accept(message);
    }
  }

  private accept(message: Message): void {
    this.log.push(message);
    if (message.type === 'event') this.events.push(message as DebugProtocol.Event);
    const index = this.waiters.findIndex((waiter) => waiter.matches(message));
    if (index >= 0) this.waiters.splice(index, 1)[0]!.resolve(message);
  }
}
