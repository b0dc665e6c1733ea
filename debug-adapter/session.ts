/**
 * One client: its messages in order, one table from command to handler, every error as one clear response. Works over
 * streams (main.ts) and over messages (worker.ts, which calls handleMessage and listens to onDidSendMessage).
 */
import { ProtocolServer } from '@vscode/debugadapter/lib/protocol';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { createMachine } from '../emulator/index';
import type { Machine, MachineConfig } from '../emulator/machine/api';
import { UserError } from '../emulator/util/assert';
import { isObject } from './arguments';
import type { Debuggee } from './debuggee';
import type { Files } from './files';
import { Interleaved } from './interleaved';
import type { Party } from './party';
import type { Command } from './protocol';
import { REQUESTS } from './requests/table';
import type { Progress, SymbolFile } from './symbols/api';
import { openSymbols } from './symbols/index';

/** The parts that a session puts together; tests put others in their place. */
export interface Parts {
  createMachine(config: MachineConfig): Machine | Promise<Machine>;
  openSymbols(name: string, bytes: Uint8Array, report: Progress): Promise<SymbolFile>;
}

/** Answers without waiting for what is under way. */
const URGENT: ReadonlySet<string> = new Set(['cancel', 'pause', 'disconnect', 'terminate', 'threads']);

/** Set in every domain. */
const EACH: ReadonlySet<string> = new Set([
  'setBreakpoints',
  'setFunctionBreakpoints',
  'setInstructionBreakpoints',
  'setDataBreakpoints',
  'setExceptionBreakpoints',
]);
/** They may name the domain whose console they mean. */
const CONSOLE: ReadonlySet<string> = new Set(['ringside/console', 'ringside/consoleInput']);

interface Request {
  seq: number;
  command: string;
  arguments: unknown;
}

export class RingsideSession extends ProtocolServer {
  /** What the client said in `initialize`. */
  client = { firstLine: 1, firstColumn: 1, progress: false, invalidated: false, memory: false, needsSource: false };
  /** The one that requests are about which name no thread, frame or variable: the last that one was about, or that stopped. */
  debuggee: Debuggee | undefined;
  readonly debuggees: Debuggee[] = [];
  /** What several have in common. */
  party: Party | undefined;
  readonly consoles = new Interleaved();
  /** Attributes of the launch, for restart. */
  launched: Record<string, unknown> | undefined;
  /** Work that `cancel` can end, by progress id or request id. */
  readonly cancellable = new Map<string | number, () => void>();
  /** Called when the client has left. */
  onEnd?: () => void;
  /** Requests that wait for the one before them. */
  private readonly waiting: Request[] = [];
  private answering = false;
  /** To be done when the request that is under way has been answered. */
  private after: (() => void)[] = [];

  constructor(
    readonly files: Files,
    readonly parts: Parts = { createMachine, openSymbols },
  ) {
    super();
  }

  /** Whatever a client sends: nothing in it is trusted. */
  override handleMessage(message: unknown): void {
    if (!isObject(message) || message.type === 'response' || message.type === 'event') return;
    const { seq, type, command } = message;
    if (type !== 'request' || typeof command !== 'string' || typeof seq !== 'number') {
      const request = { seq: typeof seq === 'number' ? seq : 0, command: typeof command === 'string' ? command : '' };
      this.refuse(request, 'A message needs "type": "request", a numeric "seq" and a "command".');
      return;
    }
    const request = { seq, command, arguments: message.arguments };
    if (URGENT.has(command)) void this.answer(request);
    else {
      this.waiting.push(request);
      this.answerWaiting();
    }
  }

  /** In order, each when the one before it has been answered; at once where nothing has to be waited for. */
  private answerWaiting(): void {
    while (!this.answering && this.waiting.length > 0) {
      this.answering = true;
      const answered = this.answer(this.waiting.shift()!);
      if (answered !== undefined)
        return void answered.then(() => {
          this.answered();
          this.answerWaiting();
        });
      this.answered();
    }
  }
  private answered(): void {
    this.answering = false;
    const after = this.after;
    this.after = [];
    for (const work of after) work();
  }

  /** `work` follows the response to the request that is being answered, before the next request. */
  afterAnswer(work: () => void): void {
    if (this.answering) this.after.push(work);
    else work();
  }

  /** A promise where the handler made one: the others are answered on return. */
  private answer(request: Request): Promise<void> | undefined {
    const done = (body: object | void): void =>
      this.respond(request, { success: true, ...(body === undefined ? {} : { body }) });
    try {
      if (!Object.hasOwn(REQUESTS, request.command))
        throw new UserError(`'${request.command.slice(0, 80)}' is not a request that Ringside knows.`);
      const command = request.command as Command;
      this.choose(command, request.arguments);
      const body =
        EACH.has(command) && this.debuggees.length > 1
          ? this.each(command, request)
          : REQUESTS[command](this, request.arguments, request.seq);
      if (body instanceof Promise) return body.then(done).catch((error: unknown) => this.failed(request, error));
      done(body);
    } catch (error) {
      this.failed(request, error);
    }
    return undefined;
  }

  /** Which of several the request is about. */
  private choose(command: string, raw: unknown): void {
    if (this.debuggees.length < 2 || !isObject(raw)) return;
    const { threadId, frameId, variablesReference, targetId, domain } = raw;
    const references = [frameId, variablesReference, targetId].filter((each) => typeof each === 'number');
    const found = this.debuggees.find(
      (each) =>
        (typeof threadId === 'number' && each.threads.includes(threadId)) ||
        references.some((reference) => each.handles.has(reference)) ||
        (CONSOLE.has(command) && each.place?.name === domain),
    );
    if (CONSOLE.has(command) && domain !== undefined && !found)
      throw new UserError(`'domain' is ${JSON.stringify(domain)}, which there is not; ask ringside/domains for names.`);
    if (found) this.debuggee = found;
  }
  /** Breakpoints and filters are set in all; an answer is good if it is in one of them. */
  private async each(command: Command, { arguments: raw, seq }: Request): Promise<object> {
    const current = this.debuggee;
    const answers: DebugProtocol.Breakpoint[][] = [];
    for (const each of [...this.debuggees]) {
      this.debuggee = each;
      const body = await REQUESTS[command](this, raw, seq);
      answers.push((body as { breakpoints: DebugProtocol.Breakpoint[] }).breakpoints);
    }
    this.debuggee = current;
    const [first, ...others] = answers;
    const best = (breakpoint: DebugProtocol.Breakpoint, i: number): DebugProtocol.Breakpoint =>
      [breakpoint, ...others.map((each) => each[i]!)].find(({ verified }) => verified) ?? breakpoint;
    return { breakpoints: first!.map(best) };
  }
  add(debuggee: Debuggee): void {
    this.debuggees.push(debuggee);
    this.debuggee ??= debuggee;
  }
  remove(debuggee: Debuggee): void {
    this.debuggees.splice(this.debuggees.indexOf(debuggee), 1);
    if (this.debuggee === debuggee) this.debuggee = this.debuggees[0];
  }

  private failed(request: Request, error: unknown): void {
    this.refuse(request, this.messageOf(error), request.command === 'launch' || request.command === 'attach');
  }

  private messageOf(error: unknown): string {
    if (error instanceof UserError) return error.message;
    return error instanceof Error ? error.message.split('\n')[0]! : String(error);
  }

  /** A message that could not even be read. */
  refuseMessage(why: string): void {
    this.refuse({ seq: 0, command: '' }, why);
  }

  private refuse(request: { seq: number; command: string }, text: string, showUser = false): void {
    // DAP formats `{name}` in messages: the text itself is passed as a variable.
    const error: DebugProtocol.Message = { id: 1, format: '{_text}', variables: { _text: text }, showUser };
    this.respond(request, { success: false, message: text, body: { error } });
  }

  private respond(
    request: { seq: number; command: string },
    rest: { success: boolean; message?: string; body?: unknown },
  ): void {
    this.sendResponse({ seq: 0, type: 'response', request_seq: request.seq, command: request.command, ...rest });
  }

  event(event: string, body?: unknown): void {
    this.sendEvent({ seq: 0, type: 'event', event, body });
  }

  output(category: string, text: string, more: object = {}): void {
    this.event('output', { category, output: text, ...more });
  }

  /** The launched machine. */
  get target(): Debuggee {
    if (this.debuggee === undefined) throw new UserError('Nothing has been launched yet; send a launch request first.');
    return this.debuggee;
  }

  /** The launched machine, which must stand still. */
  get stopped(): Debuggee {
    const target = this.target;
    target.mustStand();
    return target;
  }

  /** An edit changed what the client shows. */
  edited(areas: ('variables' | 'stacks' | 'all')[] = ['variables']): void {
    this.debuggee?.invalidate(true);
    if (this.client.invalidated) this.event('invalidated', { areas });
  }

  end(): void {
    this.debuggee?.runner.abandon();
    this.debuggee = undefined;
    this.debuggees.length = 0;
    this.onEnd?.();
    this.onEnd = undefined;
  }
}
