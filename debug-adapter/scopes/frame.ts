/** The scopes of one frame: arguments, locals, globals, registers. Knows no DAP handles. */
import type { Debuggee } from '../debuggee';
import { variableValue } from '../expressions/evaluate';
import { frameScope, isTopFrame } from '../expression-scope';
import type { ShownFrame } from '../handles';
import type { Variable } from '../symbols/api';
import { topFrame, type CodeFrame } from '../frames';
import { linuxNodes } from './linux';
import type { Children, Node } from './node';
import { registerGroups, type Override, type ProcessorView } from './processor';
import { valueNode } from './value-node';

export interface Scope {
  name: string;
  hint?: 'arguments' | 'locals' | 'registers';
  expensive: boolean;
  children: Children;
}

const MAX_GLOBALS = 2000;

export function processorView(target: Debuggee, cpu: number, edited: () => void): ProcessorView {
  const { inspect } = target.machine;
  return { inspect, cpu, describe: (gva) => target.program.describe(gva), edited };
}

export function frameScopes(target: Debuggee, shown: ShownFrame, frame: CodeFrame, edited: () => void): Scope[] {
  const { program } = target;
  const top = isTopFrame(target, frame);
  // The frame as it is when it is looked at: an edit may have changed registers since the stack was asked for.
  const list = (variables: () => Variable[]) => (): Node[] => {
    const current = top ? topFrame(target.unwinding, frame.cpu) : frame;
    const scope = frameScope(target, current, shown.depth, undefined, edited);
    return variables().map((each) =>
      valueNode(each.name, variableValue(each, scope), scope, target.formatting, each.name),
    );
  };
  const scopes: Scope[] = [];
  const variables = program.variablesAt(frame.lookup, shown.depth);
  const locals = variables.filter((each) => each.kind === 'local' || each.kind === 'static');
  const args = variables.filter((each) => each.kind === 'argument');
  if (locals.length > 0) {
    scopes.push({ name: 'Locals', hint: 'locals', expensive: false, children: { list: list(() => locals) } });
  }
  if (args.length > 0) {
    scopes.push({ name: 'Arguments', hint: 'arguments', expensive: false, children: { list: list(() => args) } });
  }
  if (program.modules.length > 0) {
    const globals = list(() => program.globals(frame.lookup, MAX_GLOBALS));
    scopes.push({ name: 'Globals', expensive: true, children: { list: globals } });
  }
  const { kernel } = target.linux;
  if (kernel !== undefined) {
    const scope = frameScope(target, frame, shown.depth, undefined, edited);
    const children = { list: () => linuxNodes(target, kernel, frame.cpu, scope) };
    scopes.push({ name: 'Linux', expensive: true, children });
  }
  const override: Override | undefined = top
    ? undefined
    : (name) => frame.registers.get(frame.numbers.numberOf(name) ?? -1);
  const groups = (): Node[] => registerGroups(processorView(target, frame.cpu, edited), override);
  scopes.push({ name: 'Registers', hint: 'registers', expensive: false, children: { list: groups } });
  return scopes;
}
