/** What the names of an expression mean in a frame, or at a breakpoint that has not been reached yet. */
import type { TrapEvent } from '../emulator/machine/api';
import { UserError } from '../emulator/util/assert';
import { PHYSICAL_END, readSpace, writeSpace } from './addresses';
import { TRAP_NAMES } from './condition-names';
import type { Debuggee } from './debuggee';
import { deviceRegister, setDeviceRegister } from './device-registers';
import { REGISTERS_32, REGISTERS_64, registersOfMode, type RegisterNumbers } from './dwarf-registers';
import type { Scope } from './expressions/evaluate';
import { registerBits } from './scopes/processor';
import type { Location, Target, Variable } from './symbols/api';
import { targetOf, type CodeFrame } from './frames';
import { reasonOf } from './exit-text';
import { linuxSpecial } from './linux/specials';

/** Names that a stop gives: numbers or text. */
export type Specials = (name: string) => (() => bigint | string | undefined) | undefined;

/** `trap.vector`, `trap.error`, `trap.address`, `trap.rip`, `trap.cpl`, `trap.source`. */
export const trapSpecials =
  (event: () => TrapEvent | undefined): Specials =>
  (name) => {
    const number = (value: number | undefined): bigint | undefined => (value === undefined ? undefined : BigInt(value));
    switch (name) {
      case 'trap.vector':
        return () => number(event()?.vector);
      case 'trap.error':
      case 'trap.errorCode':
        return () => number(event()?.errorCode);
      case 'trap.address':
        return () => event()?.address;
      case 'trap.rip':
        return () => event()?.rip;
      case 'trap.cpl':
        return () => number(event()?.cpl);
      case 'trap.source':
        return () => event()?.source;
    }
    if (/^trap\.\w+$/.test(name))
      throw new UserError(`"${name}" does not exist: of trap there are ${TRAP_NAMES.join(', ')}`);
    return undefined;
  };

interface Basis {
  cpu: () => number;
  pointerBytes: 4 | 8;
  pc: (() => bigint) | undefined;
  /** Where names of variables are looked up. */
  names: { gva: bigint; depth: number } | undefined;
  target: () => Target;
  specials?: Specials | undefined;
}

function scopeOn(debuggee: Debuggee, basis: Basis): Scope {
  const { program } = debuggee;
  const inspect = () => debuggee.machine.inspect;
  return {
    pointerBytes: basis.pointerBytes,
    read: (space, address, bytes) => {
      if (space !== 'gv' && address >= PHYSICAL_END) return new Uint8Array(0);
      return readSpace(inspect(), basis.cpu(), { space, value: address }, bytes);
    },
    variable: (name) => variableNamed(debuggee, name, basis.names),
    target: basis.target,
    ...(basis.pc === undefined ? {} : { pc: basis.pc }),
    dwarfRegister: (number) => basis.target().register(number),
    typeNamed: (name) => program.typeNamed(name),
    enumerator: (name) => program.enumerator(name),
    symbol: (name) => program.symbol(name),
    synonym: reasonOf,
    special: (name) => basis.specials?.(name) ?? general(debuggee, name, basis.cpu),
  };
}

const general = (debuggee: Debuggee, name: string, cpu: () => number): ReturnType<Specials> =>
  name === 'domain.name' && debuggee.place
    ? () => debuggee.place!.name
    : name === 'instructions'
      ? () => BigInt(debuggee.machine.instructions)
      : linuxSpecial(debuggee.linux, name, cpu);

/** Of the function at the place and of those that it is inlined into, then globals. */
function variableNamed(debuggee: Debuggee, name: string, at: Basis['names']): Variable | undefined {
  const { program } = debuggee;
  if (at !== undefined) {
    const depths = Math.max(1, program.framesAt(at.gva).length);
    for (let depth = at.depth; depth < depths; depth++) {
      const found = program.variablesAt(at.gva, depth).find((each) => each.name === name);
      if (found !== undefined) return found;
    }
  }
  return program.global(name);
}

/** Types are those of the program, whatever mode the processor is in on its way there. */
function pointerBytesAt(debuggee: Debuggee, gva: bigint | undefined, otherwise: 4 | 8): 4 | 8 {
  const { program } = debuggee;
  const machine = ((gva !== undefined && program.moduleAt(gva)) || program.modules[0])?.file.machine;
  return machine === undefined ? otherwise : machine === 'i386' ? 4 : 8;
}

export const isTopFrame = (debuggee: Debuggee, frame: CodeFrame): boolean =>
  frame.pc === frame.lookup && frame.pc === debuggee.machine.inspect.pc(frame.cpu);

const mustBeTop = (top: boolean): void => {
  if (!top) throw new UserError('Registers can be changed in the innermost frame only.');
};

/** A standing frame: everything can be read, memory and the innermost frame's registers can be written. */
export function frameScope(
  debuggee: Debuggee,
  frame: CodeFrame,
  depth: number,
  specials: Specials | undefined,
  edited: () => void,
): Scope {
  const { inspect } = debuggee.machine;
  const file = inspect.registers(frame.cpu);
  const top = isTopFrame(debuggee, frame);
  const target = targetOf(debuggee.unwinding, frame);
  return {
    ...scopeOn(debuggee, {
      cpu: () => frame.cpu,
      pointerBytes: pointerBytesAt(debuggee, frame.lookup, frame.numbers.word),
      pc: () => frame.lookup,
      names: { gva: frame.lookup, depth },
      target: () => target,
      specials,
    }),
    write: (space, address, bytes) => {
      if (space !== 'gv' && address >= PHYSICAL_END) return 0;
      const written = writeSpace(inspect, frame.cpu, { space, value: address }, bytes);
      edited();
      return written;
    },
    setDwarfRegister: (number, value) => {
      mustBeTop(top);
      const name = frame.numbers.names[number];
      const done = name !== undefined && name !== '' && file.set(name, value);
      if (done) frame.registers.set(number, value);
      edited();
      return done;
    },
    setRegister: (name, value) => {
      mustBeTop(top);
      const done =
        file.get(name) === undefined
          ? setDeviceRegister(inspect, frame.cpu, name, value)
          : file.set(name, BigInt.asUintN(registerBits(name, file), value));
      edited();
      return done;
    },
    register: (name) => {
      const value = file.get(name);
      if (value === undefined) return deviceRegister(inspect, frame.cpu, name);
      const bytes = Math.ceil(registerBits(name, file) / 8);
      return { bytes, read: top ? () => file.get(name) ?? 0n : () => inCaller(frame, name, file.get(name) ?? 0n) };
    },
  };
}

/** In a caller's frame only what the unwinder knows; control registers and the like are the processor's everywhere. */
function inCaller(frame: CodeFrame, name: string, now: bigint): bigint {
  const number = frame.numbers.numberOf(name);
  if (number !== undefined) {
    const value = frame.registers.get(number);
    if (value === undefined) throw new UserError(`${name} is not known in this frame.`);
    return value;
  }
  const general = /^([re]?[abcd]x|[abcd][lh]|[re]?[sd]il?|[re]?[sb]pl?|r\d+[dwb]|e?ip|[re]?flags|[a-z]f|iopl)$/;
  if (general.test(name)) throw new UserError(`${name} is not known in this frame; ask in the innermost one.`);
  return now;
}

/**
 * At one address a variable that lives in a register lives there each time: its location is computed once, which is
 * most of what a condition costs.
 */
function remembering(variable: Variable | undefined): Variable | undefined {
  if (variable === undefined || variable.kind === 'global' || variable.kind === 'static') return variable;
  let known: Location | undefined;
  return {
    ...variable,
    locate: (target, pc) => {
      if (known !== undefined) return known;
      const location = variable.locate(target, pc);
      if (location.kind === 'register') known = location;
      return location;
    },
  };
}

/** The processor at the moment of evaluation: for conditions, which are compiled before the place is reached. */
export function liveScope(
  debuggee: Debuggee,
  cpu: () => number,
  gva: bigint | undefined,
  specials: Specials | undefined,
): Scope {
  const inspect = () => debuggee.machine.inspect;
  // A kernel's file says which registers its code will have, whatever mode the processor is in now.
  const machine = gva === undefined ? undefined : debuggee.program.moduleAt(gva)?.file.machine;
  const numbers: RegisterNumbers =
    machine === undefined ? registersOfMode(inspect().mode(cpu())) : machine === 'i386' ? REGISTERS_32 : REGISTERS_64;
  const lookup = (): bigint => gva ?? inspect().pc(cpu());
  const target: Target = {
    register: (number) => {
      const name = numbers.names[number];
      return name ? inspect().registers(cpu()).get(name) : undefined;
    },
    memory: (address, bytes) => inspect().readVirtual(cpu(), address, bytes),
    cpu,
    cfa: () => debuggee.program.unwind(lookup(), target)?.cfa,
  };
  const scope = scopeOn(debuggee, {
    cpu,
    pointerBytes: pointerBytesAt(debuggee, gva, numbers.word),
    pc: lookup,
    names: gva === undefined ? undefined : { gva, depth: 0 },
    target: () => target,
    specials,
  });
  return {
    ...scope,
    ...(gva === undefined ? {} : { variable: (name: string) => remembering(scope.variable?.(name)) }),
    register: (name) => {
      const file = inspect().registers(cpu());
      if (file.get(name) === undefined) return deviceRegister(inspect(), cpu(), name);
      const bytes = Math.ceil(registerBits(name, file) / 8);
      return { bytes, read: () => inspect().registers(cpu()).get(name) ?? 0n };
    },
  };
}
