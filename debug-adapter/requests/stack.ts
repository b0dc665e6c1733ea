/** threads, stackTrace, scopes. */
import type { DebugProtocol } from '@vscode/debugprotocol';
import { shortHex } from '../addresses';
import { integer, object, optional } from '../arguments';
import type { Debuggee } from '../debuggee';
import type { ShownFrame } from '../handles';
import { frameScopes } from '../scopes/frame';
import type { RingsideSession } from '../session';
import { sourceOf } from '../stops';
import { privilegeName } from '../trap-log';
import type { CodeFrame, Frame, LabelFrame } from '../frames';
import { handler } from './handler';

const MODES: Record<string, string> = {
  real: 'real mode',
  'virtual-8086': 'virtual-8086',
  'protected-16': '16-bit',
  'protected-32': '32-bit',
  'compatibility-16': '16-bit compatibility',
  'compatibility-32': '32-bit compatibility',
  long: '64-bit',
};

export const threads = (session: RingsideSession): object => {
  return { threads: session.debuggees.flatMap(threadsOf) };
};
function threadsOf(target: Debuggee): DebugProtocol.Thread[] {
  const { inspect } = target.machine;
  const domain = target.place ? `${target.place.name}: ` : '';
  return target.threads.map((id, cpu) => {
    const mode = inspect.mode(cpu);
    const cpl = mode === 'real' ? 0 : Number((inspect.registers(cpu).get('cs') ?? 0n) & 3n);
    const ported = target.machine.virtualization?.inspect.runsPortedKernel(cpu) ?? false;
    const ring = mode === 'real' ? '' : `, ${privilegeName(cpl, ported)}`;
    const halted = inspect.halted(cpu) ? ', halted' : '';
    return { id, name: `${domain}CPU ${cpu} (${MODES[mode] ?? mode}${ring}${halted})` };
  });
}

/** Deeper stacks than this are loops or damage. */
const MAX_FRAMES = 1000;

export const stackTrace = handler(
  object({ threadId: integer(), startFrame: optional(integer(0)), levels: optional(integer(0)) }),
  async (session, { threadId, startFrame = 0, levels = 0 }) => {
    const target = session.stopped;
    const cpu = target.cpuOf(threadId);
    const end = Math.min(MAX_FRAMES, levels === 0 ? MAX_FRAMES : startFrame + levels);
    // Each code frame shows at least once, so `end` frames are enough; one more tells whether the stack goes on.
    const frames = target.framesOf(cpu, end + 1);
    const shown = frames.flatMap((frame) => expand(target, cpu, frame));
    const part = shown.slice(startFrame, end).map((frame) => target.handles.addFrame(frame));
    const stackFrames = await Promise.all(part.map((frame) => describeFrame(session, target, frame)));
    const readable = stackFrames.some(({ source }) => source !== undefined && source.presentationHint === undefined);
    return { stackFrames: stackFrames.map((frame, i) => withEmphasis(frame, startFrame + i === 0, readable)), totalFrames: shown.length }; // prettier-ignore
  },
);

/** One shown frame for each function inlined at the address, the innermost first. */
function expand(target: Debuggee, cpu: number, frame: Frame): Omit<ShownFrame, 'id'>[] {
  if (frame.kind === 'label') return [{ cpu, frame, depth: 0 }];
  const inlines = target.program.framesAt(frame.lookup);
  if (inlines.length === 0) return [{ cpu, frame, depth: 0 }];
  return inlines.map((inline, depth) => ({ cpu, frame, depth, inline }));
}

/**
 * Editors fold frames that are not emphasised, and look for another one to show. So not the one where the guest stands, and none in
 * a stack of which nobody can read a source: there would be nothing left, no frame chosen, and no variables.
 */
function withEmphasis(frame: DebugProtocol.StackFrame, top: boolean, readable: boolean): DebugProtocol.StackFrame {
  const { presentationHint, source, ...rest } = frame;
  if (presentationHint === 'label') return frame;
  const { presentationHint: hint, ...plain } = source ?? {};
  const guessed = presentationHint === 'subtle' && !top;
  return {
    ...rest,
    ...(source ? { source: hint && readable && !top ? source : plain } : {}),
    ...(guessed || (!source && readable && !top) ? { presentationHint: 'subtle' } : {}),
  };
}

const userName = (target: Debuggee, { cpl, cpu, pc }: CodeFrame): string | undefined =>
  cpl === 3 ? target.linux.describeUser(cpu, pc) : undefined;

async function describeFrame(
  session: RingsideSession,
  target: Debuggee,
  shown: ShownFrame,
): Promise<DebugProtocol.StackFrame> {
  const { frame, inline, id } = shown;
  if (frame.kind === 'label') return labelFrame(id, frame);
  const { firstLine, firstColumn } = session.client;
  const result: DebugProtocol.StackFrame = {
    id,
    name: inline
      ? inline.function + (inline.inlined ? ' [inlined]' : '')
      : (target.program.describe(frame.lookup) ?? userName(target, frame) ?? target.address(frame.pc)),
    line: 0,
    column: 0,
    instructionPointerReference: target.address(frame.pc),
  };
  const module = target.program.moduleAt(frame.lookup);
  if (module !== undefined) result.moduleId = module.id;
  if (frame.guessed) result.presentationHint = 'subtle';
  if (inline?.at !== undefined && inline.at.line > 0) {
    result.source = await sourceOf(session, inline.at.path);
    result.line = inline.at.line - 1 + firstLine;
    result.column = Math.max(1, inline.at.column) - 1 + firstColumn;
  }
  return result;
}

function labelFrame(id: number, { text, hpa }: LabelFrame): DebugProtocol.StackFrame {
  const label = { id, name: text, line: 0, column: 0, presentationHint: 'label' } as const;
  return hpa === undefined ? label : { ...label, instructionPointerReference: `hp:${shortHex(hpa)}` };
}

export const scopes = handler(object({ frameId: integer(0) }), (session, { frameId }) => {
  const target = session.stopped;
  const shown = target.frameOf(frameId);
  if (shown.frame.kind === 'label') return { scopes: [] };
  const found = frameScopes(target, shown, shown.frame, () => session.edited(['all']));
  return {
    scopes: found.map(({ name, hint, expensive, children }) => ({
      name,
      ...(hint === undefined ? {} : { presentationHint: hint }),
      variablesReference: target.handles.addContainer({ children, frame: shown }),
      expensive,
    })),
  };
});
