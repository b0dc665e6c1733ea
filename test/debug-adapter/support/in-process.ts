/** A session in this process, for what must be measured from inside. */
import { nodeFiles } from '../../../debug-adapter/files-node';
import { RingsideSession, type Parts } from '../../../debug-adapter/session';
import { createMachine } from '../../../emulator/index';
import { openSymbols } from '../../../debug-adapter/symbols/index';
import { SAMPLE } from './server';

interface Response {
  success: boolean;
  message?: string;
  body: any; // eslint-disable-line @typescript-eslint/no-explicit-any
}
interface Event {
  event: string;
  body: any; // eslint-disable-line @typescript-eslint/no-explicit-any
}

export class InProcess {
  readonly session: RingsideSession;
  readonly events: Event[] = [];
  private waiting = new Map<number, (response: Response) => void>();
  private listeners: { name: string; resolve: (body: unknown) => void }[] = [];
  private seq = 1;

  constructor(parts: Partial<Parts> = {}) {
    this.session = new RingsideSession(nodeFiles, { createMachine, openSymbols, ...parts });
    this.session.onDidSendMessage((message) => {
      const copy = JSON.parse(JSON.stringify(message)) as Event & Response & { type: string; request_seq: number };
      if (copy.type === 'response') this.waiting.get(copy.request_seq)?.(copy);
      else this.receive(copy);
    });
  }

  private receive(event: Event): void {
    this.events.push(event);
    const index = this.listeners.findIndex(({ name }) => name === event.event);
    if (index >= 0) this.listeners.splice(index, 1)[0]!.resolve(event.body);
  }

  response(command: string, args?: unknown): Promise<Response> {
    const seq = this.seq++;
    return new Promise((resolve) => {
      this.waiting.set(seq, resolve);
      this.session.handleMessage({ seq, type: 'request', command, arguments: args } as never);
    });
  }
  async request(command: string, args?: unknown): Promise<Response['body']> {
    const response = await this.response(command, args);
    if (!response.success) throw new Error(`${command}: ${response.message}`);
    return response.body;
  }
  /** The next event of that name from now on. */
  next(name: string): Promise<any> { // eslint-disable-line @typescript-eslint/no-explicit-any
    return new Promise((resolve) => this.listeners.push({ name, resolve }));
  } // prettier-ignore

  async launch(attributes: object = {}): Promise<void> {
    await this.request('initialize', { supportsProgressReporting: true });
    await this.request('launch', { kernel: SAMPLE, memory: '64M', stopOnEntry: true, ...attributes });
  }

  /** To the stop at entry. */
  async enter(): Promise<void> {
    const stopped = this.next('stopped');
    await this.request('configurationDone');
    await stopped;
  }

  /** Runs the machine's slices in CPU time, ms: the longest. Wall time would measure what else the host does. */
  measureSlices(): { longest: () => number; forget: () => void } {
    const { machine } = this.session.target;
    const run = machine.run.bind(machine);
    let longest = 0;
    machine.run = (instructions) => {
      const before = process.cpuUsage();
      const stop = run(instructions);
      const used = process.cpuUsage(before);
      longest = Math.max(longest, (used.user + used.system) / 1000);
      return stop;
    };
    return { longest: () => longest, forget: () => (longest = 0) };
  }
}
