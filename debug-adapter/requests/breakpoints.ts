/** setBreakpoints, setFunctionBreakpoints, setInstructionBreakpoints, setDataBreakpoints, dataBreakpointInfo, breakpointLocations. */
import type { DebugProtocol } from '@vscode/debugprotocol';
import { UserError } from '../../emulator/util/assert';
import { hex, parseAddress, looksLikeAddress, wrap64 } from '../addresses';
import { array, boolean, integer, object, oneOf, optional, string, type Checked } from '../arguments';
import type { Place, UserBreakpoint, Wanted } from '../breakpoints';
import type { Debuggee } from '../debuggee';
import { namesFilter } from '../exception-filters';
import type { RingsideSession } from '../session';
import { sourceOf } from '../stops';
import { installFilters } from './exceptions';
import { handler } from './handler';

const REFINEMENT = {
  condition: optional(string),
  hitCondition: optional(string),
  logMessage: optional(string),
};
const SOURCE = object({ path: optional(string), name: optional(string), sourceReference: optional(integer()) });

const missing = (kind: UserBreakpoint['kind'], message: string): Place => ({
  kind,
  verified: false,
  message,
  addresses: [],
});
/** Symbols may move or appear when a kernel unpacks itself or loads a module. */
const movable = (again: () => Place, refinement: Wanted['refinement']): Wanted => ({
  breakpoint: again(),
  refinement,
  again,
});

const pathOf = (source: Checked<typeof SOURCE>): string => {
  if (source.path === undefined) throw new UserError("'source.path' is missing; breakpoints need a file.");
  return source.path;
};

export const setBreakpoints = handler(
  object({
    source: SOURCE,
    breakpoints: optional(array(object({ line: integer(), column: optional(integer()), ...REFINEMENT }))),
  }),
  async (session, { source, breakpoints = [] }) => {
    const target = session.target;
    const path = pathOf(source);
    const wanted = breakpoints.map((each): Wanted => {
      const line = each.line + 1 - session.client.firstLine;
      return movable(() => atLine(target, target.paths.toProgram(path), line), each);
    });
    const made = target.breakpoints.replace(`source ${path}`, wanted);
    return { breakpoints: await Promise.all(made.map((each) => describe(session, each))) };
  },
);

/** The line, or the next one that has code, in every place where the compiler put it. */
function atLine(target: Debuggee, paths: string[], line: number): Place {
  for (const path of paths) {
    for (const { file } of target.program.modules) {
      const found = file.addressesOf(path, line);
      if (found.addresses.length > 0) {
        return { kind: 'source', path, line: found.line, verified: true, addresses: found.addresses };
      }
    }
  }
  if (target.program.modules.length === 0)
    return missing('source', 'No symbols are loaded; see launch attribute symbols.');
  return missing(
    'source',
    paths.length === 0
      ? 'No code of this file is in the loaded symbols; set sourceMap if it was built elsewhere.'
      : 'There is no code at or after this line.',
  );
}

/** Breakpoints that were found, or moved, when other symbols became known. */
export async function reportRebound(
  session: RingsideSession,
  target: Debuggee,
  changed: readonly UserBreakpoint[],
): Promise<void> {
  for (const each of changed)
    session.event('breakpoint', { reason: 'changed', breakpoint: await describe(session, each, target) });
}

async function describe(
  session: RingsideSession,
  made: UserBreakpoint,
  target = session.target,
): Promise<DebugProtocol.Breakpoint> {
  const result: DebugProtocol.Breakpoint = { id: made.id, verified: made.verified };
  if (made.message !== undefined)
    Object.assign(result, { message: made.message, reason: made.pending === true ? 'pending' : 'failed' });
  const [first] = made.addresses;
  if (first !== undefined) result.instructionReference = target.address(first);
  const line = made.line ?? (first === undefined ? undefined : target.program.lineAt(first)?.line);
  const path = made.path ?? (first === undefined ? undefined : target.program.lineAt(first)?.path);
  if (line !== undefined) result.line = line - 1 + session.client.firstLine;
  if (path !== undefined && line !== undefined) result.source = await sourceOf(session, path, target);
  return result;
}

export const setFunctionBreakpoints = handler(
  object({ breakpoints: array(object({ name: string, ...REFINEMENT })) }),
  async (session, { breakpoints }) => {
    const target = session.target;
    const named = breakpoints.map((each) => ({ ...each, name: each.name.trim() }));
    const filters = named.filter(({ name }) => namesFilter(name));
    target.filters.function = filters.map(({ name, condition }) => ({ filterId: name, condition }));
    const installed = installFilters(target).function;
    const places = named.filter(({ name }) => !namesFilter(name));
    const wanted = places.map((each) => movable(() => placeNamed(target, each.name), each));
    const made = target.breakpoints.replace('function', wanted);
    const described = await Promise.all(made.map((each) => describe(session, each)));
    // In the order of the request.
    return { breakpoints: named.map(({ name }) => (namesFilter(name) ? installed.shift() : described.shift())!) };
  },
);

/** `write gp:0x1000,8`: the data there; `access` also reads. Anything else names code. */
const DATA = /^(write|access)\s+([^,]+?)\s*(?:,\s*(\d{1,4}))?$/;
function placeNamed(target: Debuggee, name: string): Place {
  const [, verb, address, count] = DATA.exec(name) ?? [];
  if (address === undefined) return atFunction(target, name);
  const place = watchable(target, { name: address, variablesReference: undefined, frameId: undefined, bytes: undefined, asAddress: undefined }); // prettier-ignore
  if (typeof place === 'string') return missing('function', place);
  const bytes = count === undefined ? place.bytes : Number(count);
  if (bytes < 1 || bytes > MAX_WATCHED_BYTES)
    return missing('function', `${name}: from 1 to ${MAX_WATCHED_BYTES} bytes can be watched.`);
  const watch = { ...place, bytes, access: verb === 'write' ? ('write' as const) : ('readWrite' as const) };
  return { kind: 'function', verified: true, addresses: [], watch };
}

/** A function by name, behind its prologue; any other symbol or address as it is. */
function atFunction(target: Debuggee, name: string): Place {
  if (looksLikeAddress(name)) {
    const { space, value } = parseAddress(name, 'name');
    if (space !== 'gv')
      return missing('function', `${name}: instructions are found by guest-virtual address; write gv:0x...`);
    return { kind: 'function', verified: true, addresses: [value] };
  }
  const functions = target.program.functionsNamed(name);
  if (functions.length > 0) {
    // What only the symbol table knows is assembly: its first instruction may be all that matters.
    const places = functions.map(({ source, start }) =>
      source === 'elf' ? start : target.program.afterPrologue(start),
    );
    return { kind: 'function', verified: true, addresses: [...new Set(places)] };
  }
  const symbol = target.program.symbol(name);
  if (symbol !== undefined) return { kind: 'function', verified: true, addresses: [symbol] };
  const { linux } = target;
  const nowhere = `No function or symbol is named '${name}'`;
  if (!linux.expected) return missing('function', `${nowhere}.`);
  const message =
    linux.kernel === undefined
      ? `${nowhere}. In a Linux kernel it is looked for again once that has unpacked itself.`
      : `${nowhere} yet; it is looked for again with each module that is loaded.`;
  return {
    ...missing('function', message),
    pending: true,
  };
}

export const setInstructionBreakpoints = handler(
  object({
    breakpoints: array(object({ instructionReference: string, offset: optional(integer()), ...REFINEMENT })),
  }),
  async (session, { breakpoints }) => {
    const target = session.target;
    const wanted = breakpoints.map((each): Wanted => {
      const { space, value } = parseAddress(each.instructionReference, 'instructionReference');
      const breakpoint: Place =
        space === 'gv'
          ? { kind: 'instruction', verified: true, addresses: [wrap64(value + BigInt(each.offset ?? 0))] }
          : missing('instruction', 'Instructions are found by guest-virtual address; write gv:0x...');
      return { breakpoint, refinement: each };
    });
    const made = target.breakpoints.replace('instruction', wanted);
    return { breakpoints: await Promise.all(made.map((each) => describe(session, each))) };
  },
);

/** Larger ranges would make every store of the guest slow. */
const MAX_WATCHED_BYTES = 4096;

export const setDataBreakpoints = handler(
  object({
    breakpoints: array(
      object({
        dataId: string,
        accessType: optional(oneOf('read', 'write', 'readWrite')),
        condition: optional(string),
        hitCondition: optional(string),
      }),
    ),
  }),
  async (session, { breakpoints }) => {
    const target = session.target;
    const wanted = breakpoints.map((each): Wanted => {
      const match = /^(g[vp]):(0x[0-9a-f]{1,16}):(\d{1,4})$/.exec(each.dataId);
      const bytes = Number(match?.[3]);
      if (!match || bytes < 1 || bytes > MAX_WATCHED_BYTES) {
        return {
          breakpoint: missing('data', `'${each.dataId}' is not a data id that dataBreakpointInfo gave.`),
          refinement: {},
        };
      }
      const at = BigInt(match[2]!);
      const place = match[1] === 'gv' ? { gva: at } : { gpa: Number(at) };
      const watch = { ...place, bytes, access: each.accessType ?? 'write' };
      return { breakpoint: { kind: 'data', verified: true, addresses: [], watch }, refinement: each };
    });
    const made = target.breakpoints.replace('data', wanted);
    return { breakpoints: await Promise.all(made.map((each) => describe(session, each))) };
  },
);

const INFO = object({
  variablesReference: optional(integer(0)),
  name: string,
  frameId: optional(integer(0)),
  bytes: optional(integer(1, MAX_WATCHED_BYTES)),
  asAddress: optional(boolean),
});

export const dataBreakpointInfo = handler(INFO, (session, args) => {
  const target = session.target;
  const place = watchable(target, args);
  if (typeof place === 'string') return { dataId: null, description: place };
  const bytes = args.bytes ?? place.bytes;
  if (bytes < 1 || bytes > MAX_WATCHED_BYTES) {
    return {
      dataId: null,
      description: `${args.name} has ${bytes} bytes; at most ${MAX_WATCHED_BYTES} can be watched.`,
    };
  }
  const text = 'gpa' in place ? `gp:${hex(place.gpa)}` : `gv:${target.address(place.gva)}`;
  return {
    dataId: `${text}:${bytes}`,
    description: `${args.name} (${bytes} bytes at ${text})`,
    accessTypes: ['read', 'write', 'readWrite'],
    // An address means the same in the next session; a variable of a frame may not.
    canPersist: args.asAddress === true,
  };
});

/** Where the data lie, or why they cannot be watched. */
type Watchable = { gva: bigint; bytes: number } | { gpa: number; bytes: number };

function watchable(target: Debuggee, args: Checked<typeof INFO>): Watchable | string {
  if (args.asAddress === true || (!args.variablesReference && looksLikeAddress(args.name))) {
    const { space, value } = parseAddress(args.name, 'name');
    if (space === 'gv') return { gva: value, bytes: 8 };
    return physicalPlace(target, space, Number(value));
  }
  if (args.variablesReference) {
    const container = target.handles.container(args.variablesReference);
    if (container === undefined) throw new UserError('These variables are gone: the machine has run since.');
    const node = container.children.list().find((each) => each.name === args.name);
    if (node === undefined) throw new UserError(`There is no variable '${args.name}' here.`);
    return node.memory ?? `${args.name} is not in memory: registers and computed values cannot be watched.`;
  }
  const place = target.evaluator.locate(args.name, target.codeFrameOf(args.frameId));
  return place ?? `${args.name} is not in memory: registers and computed values cannot be watched.`;
}

/** RAM of the guest's, whatever address leads there: an entry of a page table, for one. */
function physicalPlace({ machine }: Debuggee, space: 'gp' | 'hp', at: number): Watchable | string {
  const use = space === 'hp' ? machine.inspect.tables.use(at) : undefined;
  const gpa = use ? (use.kind === 'guest' ? use.gpa : undefined) : at;
  if (gpa === undefined)
    return `hp:${hex(at)} is none of the guest's memory: what it does not touch cannot be watched.`;
  if (machine.inspect.readPhysical(gpa, 1).length === 0) return `gp:${hex(gpa)} is no RAM: it cannot be watched.`;
  return { gpa, bytes: 8 };
}

export const breakpointLocations = handler(
  object({ source: SOURCE, line: integer(), endLine: optional(integer()) }),
  (session, { source, line, endLine }) => {
    const target = session.target;
    const toProgram = 1 - session.client.firstLine;
    const lines = new Set<number>();
    for (const path of target.paths.toProgram(pathOf(source))) {
      for (const { file } of target.program.modules) {
        file.linesOf(path, line + toProgram, (endLine ?? line) + toProgram).forEach((each) => lines.add(each));
      }
    }
    return { breakpoints: [...lines].sort((a, b) => a - b).map((each) => ({ line: each - toProgram })) };
  },
);
