/** ringside/pageTables, ringside/setEntry, ringside/checkShadow. */
import type {
  EntryPlace,
  MappedRun,
  MappedRuns,
  TableContents,
  TableEntry,
  TableKind,
} from '../../emulator/machine/inspect-api';
import { UserError } from '../../emulator/util/assert';
import { hex, parseAddress, shortHex } from '../addresses';
import { boolean, integer, maybeObject, object, oneOf, optional, string, type Checked } from '../arguments';
import type { Debuggee } from '../debuggee';
import { toJson } from '../json';
import type { Earlier } from '../table-changes';
import { checkText } from '../translation-text';
import { cpuOf, handler } from './handler';

/** A table has at most 1024 entries. */
const MAX_ENTRIES = 1024;
const MAX_RUNS = 1000;
const RUNS = 200;

const KIND = oneOf('guest', 'shadow', 'nested');
const PLACE = { gpa: optional(integer(0)), hpa: optional(integer(0)) };
const SEARCH = object({
  write: optional(boolean),
  user: optional(boolean),
  execute: optional(boolean),
  maps: optional(string),
  contains: optional(string),
});
const MAPPINGS = object({
  from: optional(string),
  index: optional(integer(0)),
  limit: optional(integer(1, MAX_RUNS)),
  search: optional(SEARCH),
});

export const pageTables = handler(
  maybeObject({
    cpu: optional(integer(0)),
    tables: optional(KIND),
    table: optional(object({ ...PLACE, level: integer(1, 5) })),
    from: optional(integer(0)),
    limit: optional(integer(1)),
    changes: optional(boolean),
    mappings: optional(MAPPINGS),
  }),
  (session, args) => {
    const target = session.target;
    const { tables = 'guest', table, from = 0, limit = MAX_ENTRIES, changes = false } = args;
    const cpu = cpuOf(target, args.cpu);
    const available = target.machine.inspect.tables.kinds(cpu);
    const found = target.machine.inspect.tables.contents(cpu, tables, table && placed(target, tables, table));
    if (!found) throw new UserError(missing(tables, available));
    const { entries, ...where } = found;
    const earlier = changes ? earlierEntries(target, cpu, found) : undefined;
    const all = withChanges(entries, earlier?.before);
    const shown = all.filter(({ index }) => index >= from).slice(0, limit);
    return {
      ...where,
      available,
      total: entries.length,
      entries: toJson(shown),
      ...(earlier?.since === undefined ? {} : { since: earlier.since }),
      ...(args.mappings ? { mappings: mappingsOf(target, cpu, tables, args.mappings, changes) } : {}),
    };
  },
);

const missing = (tables: TableKind, available: readonly TableKind[]): string =>
  available.includes(tables)
    ? `There are no ${tables} tables yet; they are built when the guest runs.`
    : `There are no ${tables} tables here, only those of the ${available.join(' and the ')}.`;

/** Tables hold the host's addresses, also the guest's own. */
const direct = ({ machine }: Debuggee): boolean => machine.virtualization?.paging === 'direct';

/** Where guest tables lie is a gpa, where the hypervisor's lie an hpa; a table of the hypervisor's in a guest's own is none of the guest's. */
function placed(target: Debuggee, tables: TableKind, { gpa, hpa, level }: EntryPlace & { level: number }): EntryPlace & { level: number } {
  const [name, at] = tables === 'guest' && !(direct(target) && gpa === undefined) ? ['gpa', gpa] : ['hpa', hpa];
  if (at === undefined) throw new UserError(`'table.${name}' is missing; ${tables} tables are found by it.`);
  return { [name as string]: at, level };
} // prettier-ignore

type Entry = TableContents['entries'][number] & { was?: bigint; gone?: true };

function earlierEntries(target: Debuggee, cpu: number, found: TableContents): Earlier<Map<number, Entry>> {
  const key = ['entries', cpu, found.tables, found.level, found.gpa ?? found.hpa ?? ''].join();
  return target.tableChanges.exchange(key, new Map(found.entries.map((entry) => [entry.index, entry])));
}
function withChanges(entries: readonly Entry[], before: Map<number, Entry> | undefined): Entry[] {
  if (!before) return [...entries];
  const now = entries.map((entry): Entry => {
    const was = before.get(entry.index)?.entry ?? 0n;
    return was === entry.entry ? entry : { ...entry, was };
  });
  const present = new Set(entries.map(({ index }) => index));
  const gone = [...before.values()].filter(({ index }) => !present.has(index));
  const lost = gone.map((entry): Entry => ({ ...entry, present: false, entry: 0n, was: entry.entry, gone: true }));
  return [...now, ...lost].sort((a, b) => a.index - b.index);
}

type Mappings = Checked<typeof MAPPINGS>;

function mappingsOf(target: Debuggee, cpu: number, tables: TableKind, asked: Mappings, changes: boolean): object {
  const { limit = RUNS, index, search } = asked;
  const from = asked.from === undefined ? 0n : parseAddress(asked.from, 'mappings.from').value;
  const { tables: inspect } = target.machine.inspect;
  const all = (): MappedRuns => target.tableChanges.once(`runs ${cpu} ${tables}`, () => inspect.allRuns(cpu, tables));
  const page =
    search || index !== undefined
      ? pageOf(all(), found(target, cpu, tables, all(), search), limit, index ?? from)
      : pageFrom(inspect.runs(cpu, tables, from, limit), limit);
  const { runs, next, ...rest } = page;
  const answer = { runs: toJson(runs), ...(next === undefined ? {} : { next: hex(next, 1) }), ...rest };
  if (!changes) return answer;
  const { before, since } = target.tableChanges.exchange(['runs', cpu, tables].join(), all());
  return { ...answer, ...(before ? { since, ...toJson(all().changes(before, MAX_RUNS)) } : {}) };
}

interface Page {
  runs: MappedRun[];
  next?: bigint;
  index?: number;
  total?: number;
}

function pageFrom(runs: MappedRun[], limit: number): Page {
  const last = runs.at(-1);
  const next = last === undefined || runs.length < limit ? 0n : BigInt.asUintN(64, last.gva + last.size);
  return { runs, ...(next === 0n ? {} : { next }) };
}

/** Indices of the runs that a search lets through; undefined: all. */
function found(
  target: Debuggee,
  cpu: number,
  tables: TableKind,
  all: MappedRuns,
  search: Mappings['search'],
): Uint32Array | undefined {
  if (!search) return undefined;
  const { maps, contains, ...rights } = search;
  return target.tableChanges.once(`search ${cpu} ${tables} ${JSON.stringify(search)}`, () => {
    const at = maps === undefined ? {} : { target: targetOf(target, cpu, tables, maps) };
    const matching = all.matching({ ...rights, ...at });
    if (contains === undefined) return matching;
    return matching.filter(holding(all, parseAddress(contains, 'mappings.search.contains').value));
  });
}
function holding(all: MappedRuns, gva: bigint): (index: number) => boolean {
  const wanted = all.indexOf(gva);
  return (index) => index === wanted && all.at(index).gva <= gva;
}

/** `from`: the number of the first, or an address in it or before it. */
function pageOf(all: MappedRuns, chosen: Uint32Array | undefined, limit: number, from: number | bigint): Page {
  const total = chosen ? chosen.length : all.length;
  const numberOf = (n: number): number => (chosen ? chosen[n]! : n);
  const atAddress = (gva: bigint): number => {
    const wanted = all.indexOf(gva);
    if (!chosen) return wanted;
    const n = chosen.findIndex((each) => each >= wanted);
    return n < 0 ? total : n;
  };
  const index = Math.min(total, typeof from === 'number' ? from : atAddress(from));
  const count = Math.min(limit, total - index);
  const runs = Array.from({ length: count }, (_, n) => all.at(numberOf(index + n)));
  const end = index + count;
  return { runs, index, total, ...(end < total ? { next: all.at(numberOf(end)).gva } : {}) };
}

/** Guest tables lead to guest-physical memory, the others to the host's. */
function targetOf(target: Debuggee, cpu: number, tables: TableKind, text: string): number {
  const { machine } = target;
  const { space, value } = parseAddress(text, 'mappings.search.maps');
  if (space === 'gv') throw new UserError(`'mappings.search.maps' is ${text}; what is mapped is a gp: or hp: address.`);
  const at = Number(value);
  const host = tables !== 'guest' || direct(target);
  if (!host && space === 'hp') {
    const use = machine.inspect.tables.use(at);
    return use.kind === 'guest' ? use.gpa : -1;
  }
  if (host && space === 'gp') return machine.inspect.tables.walkPhysical(cpu, at).hpa ?? -1;
  return at;
}

const BITS = ['present', 'writable', 'user', 'executable', 'accessed', 'dirty', 'global'] as const;
const SET = object(Object.fromEntries(BITS.map((bit) => [bit, optional(boolean)])) as Record<(typeof BITS)[number], ReturnType<typeof optional<boolean>>>); // prettier-ignore

export const setEntry = handler(
  object({
    cpu: optional(integer(0)),
    tables: optional(KIND),
    ...PLACE,
    level: integer(1, 5),
    value: optional(string),
    set: optional(SET),
  }),
  (session, { tables = 'guest', gpa, hpa, level, value, set, ...args }) => {
    const target = session.stopped;
    const cpu = cpuOf(target, args.cpu);
    const { tables: inspect } = target.machine.inspect;
    const place: EntryPlace = tables === 'guest' ? (gpa === undefined ? {} : { gpa }) : hpa === undefined ? {} : { hpa };
    const old = inspect.entryAt(cpu, tables, place, level);
    const wanted = value === undefined ? withBits(old, set ?? {}) : valueOf(value, old);
    const entry = inspect.setEntry(cpu, tables, place, level, wanted);
    session.edited(['all']);
    return { entry: toJson(entry), was: hex(old.entry, old.bytes * 2) };
  },
); // prettier-ignore

function valueOf(text: string, { bytes }: TableEntry): bigint {
  const match = /^0x[0-9a-f]{1,16}$/i.exec(text);
  const value = match ? BigInt(text) : -1n;
  if (value < 0n || value >= 1n << BigInt(bytes * 8))
    throw new UserError(`'value' is ${JSON.stringify(text)}; give the entry of ${bytes} bytes as 0x...`);
  return value;
}

/** Where the named bits are: in EPT (SDM vol. 3C 29.3.2) they mean other things than in all other formats. */
const GUEST_BITS = { present: 0, writable: 1, user: 2, executable: -63, accessed: 5, dirty: 6, global: 8 } as const;
const EPT_BITS = { present: 0, writable: 1, user: undefined, executable: 2, accessed: 8, dirty: 9, global: undefined } as const; // prettier-ignore

function withBits(old: TableEntry, set: Partial<Checked<typeof SET>>): bigint {
  const numbers = old.name.startsWith('EPT') ? EPT_BITS : GUEST_BITS;
  let value = old.entry;
  for (const bit of BITS) {
    const on = set[bit];
    if (on === undefined) continue;
    const number = numbers[bit];
    if (number === undefined || (number < 0 && old.bytes === 4))
      throw new UserError(`A ${old.name} has no bit '${bit}' here; its bytes are ${shortHex(old.entry)}.`);
    const mask = 1n << BigInt(Math.abs(number));
    // Execution is forbidden by a bit, not allowed.
    value = on === number >= 0 ? value | mask : value & ~mask;
  }
  return value;
}

const FINDINGS = 10;

export const checkShadow = handler(maybeObject({ limit: optional(integer(1, 1000)) }), (session, { limit = FINDINGS }) => {
  const { machine } = session.stopped;
  if (machine.virtualization?.paging !== 'shadow') throw new UserError(checkText(machine));
  return { findings: toJson(machine.virtualization.inspect.checkShadow(limit)), text: checkText(machine, limit) };
}); // prettier-ignore
