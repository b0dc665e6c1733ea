/** From why the machine stopped to what the client is told. */
import type { DebugProtocol } from '@vscode/debugprotocol';
import type { Stop, TrapEvent } from '../emulator/machine/api';
import { shortHex } from './addresses';
import type { Debuggee } from './debuggee';
import { exitText } from './exit-text';
import { baseName } from './files';
import type { RingsideSession } from './session';
import { explainTrap, trapTitle } from './trap-explanation';

type Body = DebugProtocol.StoppedEvent['body'];

/** A source as the editor opens it; where it does not exist, `source` requests will say why. */
export async function sourceOf(
  session: RingsideSession,
  programPath: string,
  target = session.target,
): Promise<DebugProtocol.Source> {
  const { path, exists } = await target.paths.toEditor(programPath);
  return exists
    ? { name: baseName(path), path }
    : { name: baseName(path), path, presentationHint: 'deemphasize', origin: 'not found; set sourceMap' };
}

/** Sends `stopped`, or `exited` and `terminated` when the guest has ended. `why` replaces the text of a failed run. */
export function reportStop(session: RingsideSession, stop: Stop, why?: string): void {
  const target = session.debuggee;
  if (target === undefined) return;
  target.console.flush();
  if (target.place && stop.kind === 'dead-halt' && stop.domain === undefined)
    return ended(session, 'Every domain has ended.', 0);
  const exitCode = target.place ? undefined : exitCodeOf(target, stop);
  if (exitCode !== undefined) return ended(session, explainEnd(target, stop), exitCode);
  const body = describeStop(target, stop);
  if (why !== undefined) Object.assign(body, { reason: 'exception', description: 'Ringside failed', text: why });
  sendStopped(session, { threadId: target.threadOf(target.currentCpu), ...body });
}

/**
 * VS Code chooses no frame, and so shows neither variables nor code, where the top one has no source: unless the guest stopped at an
 * instruction. What it shows of the reason is the description.
 */
export function sendStopped(session: RingsideSession, body: Body): void {
  const target = session.debuggee;
  if (target === undefined) return;
  const pc = target.machine.inspect.pc(target.currentCpu);
  const blind = session.client.needsSource && target.program.framesAt(pc).every(({ at }) => at === undefined);
  const { reason, description = `Paused on ${reason}` } = body;
  const instead = blind ? { reason: 'instruction breakpoint', description } : {};
  session.event('stopped', { threadId: body.threadId, allThreadsStopped: true, ...body, ...instead });
}

/** Undefined: it stays at a standstill. */
function exitCodeOf(target: Debuggee, stop: Stop): number | undefined {
  if (stop.kind === 'power-off') return 0;
  if (stop.kind === 'debug-exit') return stop.code;
  return stop.kind === 'triple-fault' && !target.stopsAtTripleFault(stop.event, stop.cpu) ? 1 : undefined;
}

/** One sentence. */
export function explainEnd(target: Debuggee, stop: Stop): string {
  switch (stop.kind) {
    case 'power-off':
      return 'The guest powered the machine off.';
    case 'debug-exit':
      return `The guest ended the run with code ${stop.code}.`;
    case 'triple-fault':
      return `Triple fault: ${explainTrap(stop.event, target.machine.inspect, stop.cpu, target.placeName(stop.event.rip)).description}`;
    default:
      return describeStop(target, stop).description ?? stop.kind;
  }
}

function ended(session: RingsideSession, text: string, exitCode: number): void {
  session.output('console', `${text}\n`);
  session.event('exited', { exitCode });
  session.event('terminated');
}

/** The cases that stay at a standstill. */
export function describeStop(target: Debuggee, stop: Stop): Body {
  switch (stop.kind) {
    case 'breakpoint':
      return { ...kindOfBreakpoint(target, stop.ids), hitBreakpointIds: stop.ids };
    case 'watchpoint': {
      const { access, old, new: now, ids } = stop;
      const change = access === 'write' ? `${shortHex(old)} -> ${shortHex(now)}` : `value ${shortHex(now)}`;
      const text = `${access} of ${stop.bytes} bytes at ${watchedPlace(target, ids, stop.gva)}: ${change}`;
      return { reason: 'data breakpoint', description: `Paused on data ${access}`, text, hitBreakpointIds: ids };
    }
    case 'trap':
      return exceptionBody(target, stop.event, stop.cpu, 'Paused before delivery');
    case 'triple-fault':
      return exceptionBody(target, stop.event, stop.cpu, 'Triple fault');
    case 'vm-exit': {
      const { hypercall, reason } = stop.exit;
      const description = hypercall ? `Hypercall: ${hypercall.name}` : `VM exit: ${reason}`;
      return { reason: 'exception', description, text: exitText(stop.exit) };
    }
    case 'silent-hole':
      return { reason: 'exception', description: `Silent hole: ${stop.hole.mnemonic}`, text: stop.hole.difference };
    case 'limit':
      if (target.runner.limitReached) return limitBody(target);
      return { reason: 'step' };
    case 'idle':
      return { reason: 'pause', description: 'Every processor waits for input' };
    case 'crash':
      return { reason: 'exception', description: 'The domain crashed', text: stop.reason };
    case 'suspend':
      return { reason: 'pause', description: 'The domain suspended itself, to be saved' };
    case 'dead-halt':
      return { reason: 'pause', description: 'Halted with interrupts off: nothing will ever happen again' };
    case 'reset':
      return { reason: 'pause', description: 'The guest asked for a reset; restart boots it again' };
    default:
      return { reason: 'pause' };
  }
}

const limitBody = (target: Debuggee): Body => ({
  reason: 'pause',
  description: `Limit reached: maxInstructions ${target.config.maxInstructions}; continue runs without it`,
});

/** As the user asked for it; `gva`: what was accessed. */
function watchedPlace(target: Debuggee, ids: number[], gva: bigint): string {
  const watch = ids.map((id) => target.breakpoints.byId(id)?.watch).find((each) => each !== undefined);
  if (watch?.gpa !== undefined) return `gp:${shortHex(watch.gpa)}, which is gv:${target.address(gva)}`;
  return `gv:${target.address(watch?.gva ?? gva)}`;
}

const KINDS = { source: 'breakpoint', function: 'function breakpoint', instruction: 'instruction breakpoint', data: 'data breakpoint' } as const; // prettier-ignore

function kindOfBreakpoint(target: Debuggee, ids: number[]): Body {
  const kind = ids.map((id) => target.breakpoints.byId(id)?.kind).find((each) => each !== undefined);
  return { reason: KINDS[kind ?? 'instruction'] };
}

function exceptionBody(target: Debuggee, event: TrapEvent, cpu: number, description: string): Body {
  const { id, description: text } = explainTrap(event, target.machine.inspect, cpu, target.placeName(event.rip));
  return { reason: 'exception', description: `${description}: ${id}`, text: text || trapTitle(event) };
}
