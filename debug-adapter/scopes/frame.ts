/** The scopes of one frame: arguments, locals, globals, registers. Knows no DAP handles. */
import { UserError } from '../../emulator/util/assert';
import type { Debuggee } from '../debuggee';
import type { ShownFrame } from '../handles';
import type { Variable } from '../symbols/api';
import { targetOf, topFrame, type CodeFrame } from '../unwind';
import type { Children, Node } from './node';
import { registerGroups, type Override, type ProcessorView } from './processor';
import { valueNode, type ValueAccess } from './typed-values';

export interface Scope {
  name: string;
  hint?: 'arguments' | 'locals' | 'registers';
  expensive: boolean;
  children: Children;
}

const MAX_GLOBALS = 2000;

export const isTopFrame = (target: Debuggee, frame: CodeFrame): boolean =>
  frame.pc === target.machine.inspect.pc(frame.cpu) && frame.pc === frame.lookup;

/** How values of a frame are read and written. */
export function accessOf(target: Debuggee, frame: CodeFrame, edited: () => void): ValueAccess {
  const { inspect } = target.machine;
  return {
    memory: (gva, bytes) => inspect.readVirtual(frame.cpu, gva, bytes),
    register: (number) => frame.registers.get(number),
    writeMemory: (gva, bytes) => {
      if (inspect.writeVirtual(frame.cpu, gva, bytes) < bytes.length) {
        throw new UserError(`gv:${target.address(gva)} is not mapped; nothing, or only a part, was written.`);
      }
    },
    writeRegister: (number, value) => {
      const name = frame.numbers.names[number];
      if (!isTopFrame(target, frame)) throw new UserError('Registers can be changed in the innermost frame only.');
      if (!name || !inspect.registers(frame.cpu).set(name, value))
        throw new UserError(`${name ?? 'This register'} cannot be written.`);
      frame.registers.set(number, value);
    },
    describe: (gva) => target.program.describe(gva),
    edited,
  };
}

export function processorView(target: Debuggee, cpu: number, edited: () => void): ProcessorView {
  const { inspect } = target.machine;
  return { inspect, cpu, describe: (gva) => target.program.describe(gva), edited };
}

export function variableNode(target: Debuggee, variable: Variable, frame: CodeFrame, access: ValueAccess): Node {
  const location = variable.locate(targetOf(target.unwinding, frame), frame.lookup);
  return valueNode(variable.name, variable.type, location, access, variable.name);
}

export function frameScopes(target: Debuggee, shown: ShownFrame, frame: CodeFrame, edited: () => void): Scope[] {
  const { program } = target;
  // The frame as it is now: an edit may have changed registers since the stack was asked for.
  const current = isTopFrame(target, frame) ? topFrame(target.unwinding, frame.cpu) : frame;
  const access = accessOf(target, current, edited);
  const list = (variables: Variable[]) => (): Node[] =>
    variables.map((variable) => variableNode(target, variable, current, access));
  const scopes: Scope[] = [];
  const variables = program.variablesAt(frame.lookup, shown.depth);
  const locals = variables.filter((each) => each.kind === 'local' || each.kind === 'static');
  const args = variables.filter((each) => each.kind === 'argument');
  if (locals.length > 0)
    scopes.push({ name: 'Locals', hint: 'locals', expensive: false, children: { list: list(locals) } });
  if (args.length > 0)
    scopes.push({ name: 'Arguments', hint: 'arguments', expensive: false, children: { list: list(args) } });
  if (program.modules.length > 0) {
    scopes.push({
      name: 'Globals',
      expensive: true,
      children: { list: () => list(program.globals(frame.lookup, MAX_GLOBALS))() },
    });
  }
  const override: Override | undefined = isTopFrame(target, frame)
    ? undefined
    : (name) => current.registers.get(current.numbers.numberOf(name) ?? -1);
  scopes.push({
    name: 'Registers',
    hint: 'registers',
    expensive: false,
    children: { list: () => registerGroups(processorView(target, frame.cpu, edited), override) },
  });
  return scopes;
}
