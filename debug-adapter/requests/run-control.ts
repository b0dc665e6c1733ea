/** continue, pause, next, stepIn, stepOut, goto and its targets. */
import { UserError } from '../../emulator/util/assert';
import { boolean, integer, object, oneOf, optional, string } from '../arguments';
import { resume, step, type StepKind } from '../stepping';
import { handler, type Handler } from './handler';

const THREAD = { threadId: integer(), singleThread: optional(boolean) };

export const continueRequest = handler(object(THREAD), (session, { threadId }) => {
  const target = session.target;
  const cpu = target.cpuOf(threadId);
  // A client may send `continue` twice in a hurry: it runs already.
  if (!target.running) {
    if (target.lastStop?.kind === 'reset')
      throw new UserError('The guest asked for a reset; use restart to boot again.');
    target.resume(resume(), cpu);
  }
  return { allThreadsContinued: true };
});

/** Without effect when it stands already. */
export const pause = handler(object({ threadId: optional(integer()) }), (session, { threadId }) => {
  const target = session.target;
  if (threadId !== undefined && threadId !== 0) target.currentCpu = target.cpuOf(threadId);
  if (target.running) target.runner.pause();
});

const stepRequest = (kind: StepKind): Handler =>
  handler(
    object({ ...THREAD, granularity: optional(oneOf('statement', 'line', 'instruction')) }),
    (session, { threadId, granularity }) => {
      const target = session.target;
      const cpu = target.cpuOf(threadId);
      target.mustStand();
      const size = granularity === 'instruction' ? 'instruction' : 'line';
      const stop = target.lastStop;
      const undelivered = stop?.kind === 'trap' && stop.cpu === cpu;
      target.resume(step(target.unwinding, cpu, kind, size, undelivered), cpu, 'step');
    },
  );

export const next = stepRequest('over');
export const stepIn = stepRequest('in');
export const stepOut = stepRequest('out');

/** Where the instruction pointer may be set: the line's addresses. */
export const gotoTargets = handler(
  object({ source: object({ path: optional(string) }), line: integer() }),
  (session, { source, line }) => {
    const target = session.target;
    if (source.path === undefined) throw new UserError("'source.path' is missing; give the file.");
    const wanted = line + 1 - session.client.firstLine;
    const targets = target.paths.toProgram(source.path).flatMap((path) =>
      target.program.modules.flatMap(({ file }) => {
        const found = file.addressesOf(path, wanted);
        return found.addresses.map((gva) => ({ gva, line: found.line }));
      }),
    );
    return {
      targets: targets.map(({ gva, line: at }) => ({
        id: target.handles.addGoto(gva),
        label: target.placeName(gva),
        line: at - 1 + session.client.firstLine,
        instructionPointerReference: target.address(gva),
      })),
    };
  },
);

/** Sets the instruction pointer: nothing between is executed, nothing is undone. */
export const goto = handler(object({ threadId: integer(), targetId: integer() }), (session, { threadId, targetId }) => {
  const target = session.stopped;
  const cpu = target.cpuOf(threadId);
  const gva = target.handles.goto(targetId);
  if (gva === undefined) throw new UserError('This target is gone: the machine has run since. Ask for targets again.');
  const registers = target.machine.inspect.registers(cpu);
  const base = registers.get('cs.base') ?? 0n;
  if (!registers.set('rip', gva - base)) throw new UserError('The instruction pointer cannot be set here.');
  target.lastStop = { kind: 'requested' };
  target.invalidate();
  setTimeout(() => session.event('stopped', { reason: 'goto', threadId, allThreadsStopped: true }), 0);
});
