/** One adapter process for many tests: a session a connection. */
import { spawn, type ChildProcess } from 'node:child_process';
import { resolve } from 'node:path';
import { Client } from './client';

export const ADAPTER = resolve('debug-adapter/main.ts');
export const SAMPLE = resolve('guests/sample/sample.elf');
export const sampleSource = (name: string): string => resolve('guests/sample', name);

export class Server {
  private constructor(
    private readonly process: ChildProcess,
    readonly port: number,
  ) {}

  static start(): Promise<Server> {
    const child = spawn(process.execPath, ['--import', 'tsx', ADAPTER, '--port', '0'], { stdio: ['ignore', 'ignore', 'pipe'] });
    let text = '';
    return new Promise((resolve, reject) => {
      child.stderr.on('data', (chunk: Buffer) => {
        text += chunk.toString();
        const port = /Listening on 127\.0\.0\.1:(\d+)/.exec(text)?.[1];
        if (port !== undefined) resolve(new Server(child, Number(port)));
      });
      child.on('exit', (status) => reject(new Error(`the adapter ended with ${status}: ${text}`)));
    });
  } // prettier-ignore

  connect(): Promise<Client> {
    return Client.connect(this.port);
  }

  stop(): void {
    this.process.removeAllListeners('exit');
    this.process.kill();
  }
}

/** For a suite: one adapter for its tests, and a client for each of them. What is returned connects further clients. */
export function clientForEach(take: (client: Client) => void): () => Promise<Client> {
  let server: Server;
  let client: Client;
  before(async () => (server = await Server.start()));
  after(() => server.stop());
  beforeEach(async () => take((client = await server.connect())));
  afterEach(() => client.kill());
  return () => server.connect();
}

export interface LaunchOptions {
  attributes?: object;
  /** Requests between `initialized` and `configurationDone`. */
  configure?: (client: Client) => Promise<void>;
}

/** Launches the sample kernel and lets it run. */
export async function launchSample(client: Client, { attributes = {}, configure }: LaunchOptions = {}): Promise<void> {
  await client.request('initialize', { adapterID: 'ringside', supportsInvalidatedEvent: true, supportsMemoryEvent: true });
  await client.request('launch', { kernel: SAMPLE, memory: '64M', append: 'exit', ...attributes });
  await client.event('initialized');
  await configure?.(client);
  await client.request('configurationDone');
} // prettier-ignore

/** Stops at a function and returns the frames there. */
export async function stopAt(client: Client, name: string, attributes: object = {}): Promise<StackFrame[]> {
  await launchSample(client, {
    attributes,
    configure: async () => {
      const { breakpoints } = await client.request('setFunctionBreakpoints', { breakpoints: [{ name }] });
      if (!breakpoints[0].verified) throw new Error(`${name}: ${breakpoints[0].message}`);
    },
  });
  await client.event('stopped');
  return frames(client);
}

export interface StackFrame {
  id: number;
  name: string;
  line: number;
  presentationHint?: string;
  instructionPointerReference?: string;
  source?: { name: string; path: string };
}

export async function frames(client: Client, levels = 0): Promise<StackFrame[]> {
  return (await client.request('stackTrace', { threadId: 1, levels })).stackFrames;
}

/** `name (file:line)`, for reading. */
export const brief = (frame: StackFrame): string =>
  frame.source === undefined ? frame.name : `${frame.name} (${frame.source.name}:${frame.line})`;

export async function evaluate(
  client: Client,
  expression: string,
  frameId?: number,
  context = 'watch',
): Promise<string> {
  return (await client.request('evaluate', { expression, context, ...(frameId === undefined ? {} : { frameId }) }))
    .result;
}

/** The variables of a scope or container, by name. */
export async function variables(client: Client, variablesReference: number): Promise<Record<string, Variable>> {
  const found = (await client.request('variables', { variablesReference })).variables as Variable[];
  return Object.fromEntries(found.map((each) => [each.name, each]));
}
export interface Variable {
  name: string;
  value: string;
  type?: string;
  variablesReference: number;
  memoryReference?: string;
  evaluateName?: string;
  indexedVariables?: number;
}

export async function scope(client: Client, frameId: number, name: string): Promise<Record<string, Variable>> {
  const { scopes } = await client.request('scopes', { frameId });
  const found = (scopes as { name: string; variablesReference: number }[]).find((each) => each.name === name);
  if (found === undefined) throw new Error(`no scope ${name}`);
  return variables(client, found.variablesReference);
}
