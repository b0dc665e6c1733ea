/** The debug adapter in a process of its own, and a client that is no slower than it has to be. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { bundle } from './bundle';
import { cpuSeconds } from './host';

interface Message {
  type: string;
  event?: string;
  request_seq?: number;
  success?: boolean;
  message?: string;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- bodies are of many shapes
  body?: any;
}
type Body = Message['body'];

const HEADER_END = '\r\n\r\n';
const frame = (message: object): string => {
  const body = JSON.stringify(message);
  return `Content-Length: ${Buffer.byteLength(body)}${HEADER_END}${body}`;
};

export class Adapter {
  private readonly process: ChildProcess;
  private buffered = '';
  private seq = 1;
  private readonly answers = new Map<number, (message: Message) => void>();
  private hear: ((message: Message) => void) | undefined;
  private readonly events: Message[] = [];

  constructor() {
    const program = bundle('debug-adapter/main.ts');
    this.process = spawn(process.execPath, [program], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.process.stdout!.setEncoding('latin1').on('data', (text: string) => this.receive(text));
  }

  /** Launched and configured, standing at the entry. */
  static async launch(attributes: object, configure?: (adapter: Adapter) => Promise<void>): Promise<Adapter> {
    const adapter = new Adapter();
    await adapter.request('initialize', { adapterID: 'ringside' });
    await adapter.request('launch', { stopOnEntry: true, ...attributes });
    await adapter.event('initialized');
    await configure?.(adapter);
    await adapter.request('configurationDone');
    await adapter.event('stopped');
    return adapter;
  }

  /** User and system time of the adapter, s. */
  get cpu(): number {
    return cpuSeconds(this.process.pid!);
  }
  end(): void {
    this.process.kill('SIGKILL');
  }

  /** Lengths are in bytes; what is not ASCII came in as one character a byte. */
  private receive(text: string): void {
    this.buffered = this.buffered === '' ? text : this.buffered + text;
    let at = 0;
    for (;;) {
      const end = this.buffered.indexOf(HEADER_END, at);
      if (end < 0) break;
      const from = end + HEADER_END.length;
      const length = Number(this.buffered.slice(this.buffered.indexOf(':', at) + 1, end));
      if (this.buffered.length < from + length) break;
      this.accept(JSON.parse(this.buffered.slice(from, from + length)) as Message);
      at = from + length;
    }
    this.buffered = this.buffered.slice(at);
  }
  private accept(message: Message): void {
    if (message.type === 'response') {
      this.answers.get(message.request_seq!)?.(message);
      this.answers.delete(message.request_seq!);
    } else {
      this.events.push(message);
      this.hear?.(message);
    }
  }

  request(command: string, args: object = {}): Promise<Body> {
    const seq = this.seq++;
    return new Promise((resolve, reject) => {
      this.answers.set(seq, ({ success, message, body }) =>
        success ? resolve(body) : reject(new Error(`${command}: ${message}`)),
      );
      this.process.stdin!.write(frame({ seq, type: 'request', command, arguments: args }));
    });
  }
  /** The next event of that name; those before it are forgotten. */
  async event(name: string): Promise<Body> {
    for (;;) {
      const at = this.events.findIndex(({ event }) => event === name);
      if (at >= 0) return this.events.splice(0, at + 1)[at]!.body;
      await new Promise<void>((resolve) => {
        this.hear = () => {
          this.hear = undefined;
          resolve();
        };
      });
    }
  }
  /** A request that makes the machine run, and how it stopped. */
  async run(command: string, args: object = {}): Promise<Body> {
    this.events.length = 0;
    const stopped = this.event('stopped');
    await this.request(command, { threadId: 1, ...args });
    return stopped;
  }

  /**
   * `count` steps, each a request, a response and a `stopped` event, of which at most `ahead` are under way: 1 waits for
   * each event before it sends the next request.
   */
  steps(count: number, ahead: number, command = 'stepIn', granularity = 'instruction'): Promise<void> {
    return new Promise((resolve, reject) => {
      let sent = 0;
      let stopped = 0;
      let due = false;
      const send = (): void => {
        due = false;
        let text = '';
        for (; sent < count && sent < stopped + ahead; sent++) {
          const seq = this.seq++;
          this.answers.set(seq, (answer) => answer.success || reject(new Error(answer.message)));
          text += frame({ seq, type: 'request', command, arguments: { threadId: 1, granularity } });
        }
        if (text !== '') this.process.stdin!.write(text);
      };
      this.events.length = 0;
      this.hear = ({ event, body }) => {
        this.events.length = 0;
        if (event === 'terminated') reject(new Error(`the guest ended after ${stopped} steps`));
        if (event !== 'stopped') return;
        const { reason } = body as { reason: string };
        if (reason !== 'step') reject(new Error(`a step stopped because of ${reason}`));
        if (++stopped < count) {
          // One write for what came in with one read.
          if (!due) queueMicrotask(send);
          return void (due = true);
        }
        this.hear = undefined;
        resolve();
      };
      send();
    });
  }
}
