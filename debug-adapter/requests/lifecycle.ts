/** initialize, launch, attach, configurationDone, restart, disconnect, terminate, cancel. */
import type { Technique } from '../../emulator/index';
import { UserError } from '../../emulator/util/assert';
import { boolean, isObject, maybeObject, oneOf, optional } from '../arguments';
import { readBootInput } from '../boot-input';
import { CAPABILITIES } from '../capabilities';
import { Debuggee } from '../debuggee';
import { directoryOf } from '../files';
import { checkLaunch, startedFile, type LaunchConfig } from '../launch';
import { Program } from '../program';
import type { RingsideSession } from '../session';
import { SourcePaths } from '../source-paths';
import { reportStop, sourceOf } from '../stops';
import { resume } from '../stepping';
import { loadSymbols } from '../load-symbols';
import { reportRebound } from './breakpoints';
import { handler } from './handler';
import { describeModule } from './sources';

export const initialize = handler(
  maybeObject({
    linesStartAt1: optional(boolean),
    columnsStartAt1: optional(boolean),
    pathFormat: optional(oneOf('path', 'uri')),
    supportsProgressReporting: optional(boolean),
    supportsInvalidatedEvent: optional(boolean),
    supportsMemoryEvent: optional(boolean),
  }),
  (session, args) => {
    session.client = {
      firstLine: args.linesStartAt1 === false ? 0 : 1,
      firstColumn: args.columnsStartAt1 === false ? 0 : 1,
      progress: args.supportsProgressReporting === true,
      invalidated: args.supportsInvalidatedEvent === true,
      memory: args.supportsMemoryEvent === true,
    };
    return CAPABILITIES;
  },
);

/** Reads everything, makes the machine, then tells the client that it may set breakpoints. */
export const launch = async (session: RingsideSession, raw: unknown): Promise<void> => {
  if (session.debuggee !== undefined)
    throw new UserError('This session has launched a machine already; start another session.');
  const { config, remarks } = checkLaunch(raw);
  for (const remark of remarks) session.output('console', `${remark}\n`);
  const boot = await readBootInput(session.files, config);
  const machine = await session.parts.createMachine(machineConfig(config));
  const program = new Program();
  const kernel = session.files.resolve(startedFile(config));
  const paths = new SourcePaths(session.files, () => program.sources(), config.sourceMap ?? {}, directoryOf(kernel));
  const debuggee = new Debuggee(
    { config, machine, boot, program, paths },
    {
      afterAnswer: (work) => session.afterAnswer(work),
      output: (category, text, at) => void outputAt(session, category, text, at),
      guestConsole: (text, attached) =>
        attached ? session.event('ringside/console', { text }) : session.output('stdout', text),
      exits: (rates) => session.event('ringside/exits', rates),
      stopped: (stop) => reportStop(session, stop),
      failed: (error) => fail(session, error),
      rebound: (breakpoints) => void reportRebound(session, breakpoints),
      module: (reason, module) => session.event('module', { reason, module: describeModule(module) }),
    },
  );
  if (config.noDebug !== true) await loadSymbols(session, config, 'kernel' in boot ? boot.kernel : undefined, program);
  session.debuggee = debuggee;
  session.launched = raw as Record<string, unknown>;
  session.event('initialized');
};

const machineConfig = (config: LaunchConfig) => ({
  memory: config.memory ?? 256 << 20,
  cpus: config.cpus ?? 1,
  ...(config.tier === undefined ? {} : { tier: config.tier }),
  ...(config.technique === undefined ? {} : { technique: config.technique as Technique }),
  ...(config.paging === undefined ? {} : { paging: config.paging }),
  ...(config.cpu === undefined ? {} : { cpu: config.cpu }),
});

async function outputAt(
  session: RingsideSession,
  category: string,
  text: string,
  at: bigint | undefined,
): Promise<void> {
  const target = session.debuggee;
  const line = at === undefined || target === undefined ? undefined : target.program.lineAt(at);
  if (line === undefined || target === undefined) return session.output(category, text);
  const source = await sourceOf(session, line.path);
  session.output(category, text, { source, line: line.line - 1 + session.client.firstLine });
}

/** The machine itself failed: no more than a message and the end of the run, the session stays to look around. */
function fail(session: RingsideSession, error: unknown): void {
  const text = error instanceof Error ? error.message : String(error);
  session.output('important', `${text}\n`);
  reportStop(session, { kind: 'requested' }, text);
}

export const attach = (): never => {
  throw new UserError('Ringside has no running machine to attach to; use "request": "launch".');
};

export const configurationDone = (session: RingsideSession): void => {
  const target = session.target;
  if (target.running || target.lastStop !== undefined) return;
  begin(session);
};

/** From power-on: stops at once, or runs. */
function begin(session: RingsideSession): void {
  const target = session.target;
  if (target.config.stopOnEntry === true && target.config.noDebug !== true) {
    target.lastStop = { kind: 'requested' };
    setTimeout(() => session.event('stopped', { reason: 'entry', threadId: 1, allThreadsStopped: true }), 0);
  } else target.resume(resume(), 0);
}

export const restart = async (session: RingsideSession, raw: unknown): Promise<void> => {
  const target = session.target;
  const changed = isObject(raw) && isObject(raw.arguments) ? checkLaunch(raw.arguments).config : undefined;
  if (changed !== undefined && startedFile(changed) !== startedFile(target.config)) {
    throw new UserError('Restart keeps the kernel; end this session and launch the other one.');
  }
  const machine = await session.parts.createMachine(machineConfig(target.config));
  target.restart(machine);
  begin(session);
};

export const terminate = (session: RingsideSession): void => {
  session.debuggee?.runner.abandon();
  session.debuggee?.console.flush();
  setTimeout(() => session.event('terminated'), 0);
};

export const disconnect = (session: RingsideSession): void => {
  for (const cancelWork of session.cancellable.values()) cancelWork();
  session.debuggee?.runner.abandon();
  setTimeout(() => session.end(), 0);
};

/** Ends what can be ended: loading of symbols. An unknown id is no error (DAP: best effort). */
export const cancel = (session: RingsideSession, raw: unknown): void => {
  if (!isObject(raw)) return;
  for (const id of [raw.progressId, raw.requestId]) {
    if (typeof id === 'string' || typeof id === 'number') session.cancellable.get(id)?.();
  }
};
