/** initialize, launch, attach, configurationDone, restart, disconnect, terminate, cancel. */
import { UserError } from '../../emulator/util/assert';
import { boolean, isObject, maybeObject, oneOf, optional, string } from '../arguments';
import { readBootInput } from '../boot-input';
import { CAPABILITIES } from '../capabilities';
import { checkLaunch, startedFile } from '../launch';
import { launchAlone, launchDomains, machineConfig } from '../launching';
import { loadSymbols } from '../load-symbols';
import type { RingsideSession } from '../session';
import { resume } from '../stepping';
import { sendStopped } from '../stops';
import { reportRebound } from './breakpoints';
import { installFilters } from './exceptions';
import { handler } from './handler';

export const initialize = handler(
  maybeObject({
    clientID: optional(string),
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
      needsSource: args.clientID === 'vscode',
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
  if (config.domains) await launchDomains(session, config.domains);
  else await launchAlone(session, config);
  session.launched = raw as Record<string, unknown>;
  session.event('initialized');
};

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
    setTimeout(() => sendStopped(session, { reason: 'entry', threadId: target.firstThread }), 0);
  } else target.resume(resume(), 0);
}

export const restart = async (session: RingsideSession, raw: unknown): Promise<void> => {
  const target = session.target;
  const given = isObject(raw) && isObject(raw.arguments) ? checkLaunch(raw.arguments).config : undefined;
  // Domains stay as they are.
  const changed = (session.party ?? given?.domains) ? undefined : given;
  if (changed !== undefined && startedFile(changed) !== startedFile(target.config)) {
    throw new UserError('Restart keeps the kernel; end this session and launch the other one.');
  }
  for (const each of session.party?.debuggees ?? [target]) {
    const { program } = each;
    const config = changed ?? each.config;
    const boot = await readBootInput(session.files, config);
    const built = config.noDebug !== true && (await loadSymbols(session, config, 'kernel' in boot ? boot.kernel : undefined, program)); // prettier-ignore
    each.restart(session.party ? each.machine : await session.parts.createMachine(machineConfig(config)), boot, config);
    if (!built) continue;
    installFilters(each);
    await reportRebound(session, each, each.breakpoints.rebind(true));
  }
  begin(session);
};

export const terminate = (session: RingsideSession): void => {
  session.debuggee?.runner.abandon();
  for (const each of session.debuggees) each.console.flush();
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
