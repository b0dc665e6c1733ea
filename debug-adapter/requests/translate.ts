/** ringside/translate, ringside/pageTables, ringside/structures, ringside/console, ringside/consoleInput. */
import { UserError } from '../../emulator/util/assert';
import type { StructureNode } from '../../emulator/machine/inspect-api';
import { looksLikeAddress, parseAddress, shortHex } from '../addresses';
import { boolean, integer, isObject, maybeObject, object, oneOf, optional, string } from '../arguments';
import type { Debuggee } from '../debuggee';
import { toJson } from '../json';
import { describeTranslation } from '../trap-explanation';
import { handler } from './handler';

const cpuOf = (target: Debuggee, cpu: number | undefined): number =>
  cpu === undefined ? target.currentCpu : target.cpuOf(cpu + 1);

export const translate = handler(
  object({
    address: string,
    access: optional(oneOf('read', 'write', 'execute')),
    user: optional(boolean),
    cpu: optional(integer(0)),
    frameId: optional(integer(0)),
  }),
  (session, args) => {
    const target = session.target;
    const gva = guestVirtual(target, args.address, args.frameId);
    const options = args.user === undefined ? {} : { user: args.user };
    const translation = target.machine.inspect.translate(cpuOf(target, args.cpu), gva, args.access ?? 'read', options);
    const { gpa } = translation;
    const place = gpa === undefined ? {} : { gpa };
    return { space: 'gv', translation: toJson(translation), ...place, text: describeTranslation(translation) };
  },
);

function guestVirtual(target: Debuggee, text: string, frameId: number | undefined): bigint {
  if (!looksLikeAddress(text)) return target.evaluator.address(text, frameId);
  const { space, value } = parseAddress(text, 'address');
  if (space !== 'gv') throw new UserError(`'address' is ${text}; it is guest-physical already. Give gv:0x...`);
  return value;
}

/** A table has at most 1024 entries. */
const MAX_ENTRIES = 1024;

export const pageTables = handler(
  maybeObject({
    cpu: optional(integer(0)),
    table: optional(object({ gpa: integer(0), level: integer(1, 5) })),
    from: optional(integer(0)),
    limit: optional(integer(1)),
  }),
  (session, { cpu, table, from = 0, limit = MAX_ENTRIES }) => {
    const target = session.target;
    const found = target.machine.inspect.table(cpuOf(target, cpu), table);
    const entries = found.entries.filter((entry) => entry.index >= from).slice(0, limit);
    const shown = entries.map((entry) => ({ ...entry, targetSpace: 'gp' as const }));
    return { ...found, tables: 'guest', available: ['guest'], total: found.entries.length, entries: toJson(shown) };
  },
);

export const structures = handler(maybeObject({ cpu: optional(integer(0)) }), (session, { cpu }) => {
  const target = session.target;
  const found = target.machine.inspect.structures(cpuOf(target, cpu));
  const nodes = Object.entries(found).map(([name, value]) => structureNode(name, value));
  return { structures: toJson(found), nodes, roots: Object.keys(found) };
});

/** Plain values as a tree. */
const structureNode = (name: string, value: unknown): StructureNode =>
  isObject(value)
    ? { name, children: Object.entries(value).map(([key, each]) => structureNode(key, each)) }
    : { name, value: typeof value === 'number' || typeof value === 'bigint' ? shortHex(value) : String(value) };

export const consoleRequest = handler(object({ attach: boolean }), (session, { attach }) => {
  const { console } = session.target;
  const text = console.text();
  console.attached = attach;
  return { attached: attach, text };
});

export const consoleInput = handler(object({ text: string }), (session, { text }) => ({
  bytes: session.target.type(text),
}));
