/** ringside/exits. */
import type { VmExit } from '../../emulator/machine/api';
import { boolean, integer, maybeObject, optional, string } from '../arguments';
import type { Debuggee } from '../debuggee';
import { exitDetails } from '../exit-details';
import { exitText } from '../exit-text';
import { toJson } from '../json';
import type { ExitRow, ExitsBody } from '../protocol';
import { handler } from './handler';

type Log = NonNullable<Debuggee['machine']['virtualization']>['exits'];
type Counts = ReadonlyMap<string, number>;

const MOST = 4096;
const LIMIT = 100;

export const exits = handler(
  maybeObject({
    filter: optional(string),
    from: optional(integer(0)),
    limit: optional(integer(0, MOST)),
    details: optional(boolean),
    buckets: optional(integer(1, 500)),
    functions: optional(integer(1, 1000)),
    count: optional(boolean),
    subscribe: optional(boolean),
  }),
  (session, { filter, from, limit = LIMIT, details = false, buckets, functions, count, subscribe }): ExitsBody => {
    const target = session.target;
    const { virtualization, instructions } = target.machine;
    const { exitWatch } = target;
    if (count !== undefined) exitWatch.count(count);
    if (subscribe !== undefined) exitWatch.subscribe(subscribe);
    const asked = { counting: exitWatch.counting, subscribed: exitWatch.subscribed };
    if (!virtualization)
      return { technique: 'none', paging: 'none', instructions, total: 0, oldest: 0, exits: [], reasons: [], holes: [], ...asked };
    const { exits: log, holes, technique, paging } = virtualization;
    const row = (number: number): ExitRow => rowOf(target, number, log.at(number)!, details);
    const fits = filter?.trim() ? filterOf(target, filter) : () => true;
    return {
      technique,
      paging,
      instructions,
      total: log.total,
      oldest: log.oldest,
      ...(from === undefined ? latest(log, limit, fits, row) : pageFrom(log, from, limit, fits, row)),
      reasons: [...log.counts].map(([reason, counted]) => ({ reason, ...counted })).sort((a, b) => b.count - a.count),
      ...(functions === undefined ? {} : { functions: functionsOf(target, log, functions, fits) }),
      ...(buckets === undefined ? {} : { buckets: bucketsOf(log, buckets, instructions, fits) }),
      holes: holes.list.map((hole) => ({ ...toJson(hole), ...placeOf(target, hole.gva) })),
      ...asked,
    };
  },
); // prettier-ignore

/** UserError: with the column of the mistake. */
function filterOf(target: Debuggee, text: string): (exit: VmExit) => boolean {
  let current: VmExit | undefined;
  const holds = target.evaluator.condition(text, { exit: () => current! });
  return (exit) => {
    current = exit;
    return holds(exit.vcpu);
  };
}
const placeOf = (target: Debuggee, gva: bigint): { place?: string } => {
  const place = target.program.describe(gva);
  return place === undefined ? {} : { place };
};
const rowOf = (target: Debuggee, number: number, exit: VmExit, details: boolean): ExitRow => ({
  ...toJson(exit),
  number,
  ...placeOf(target, exit.gva),
  text: exitText(exit),
  ...(details ? { details: detailsOf(target, exit) } : {}),
});
/** Every field in words, a line each. */
export const detailsOf = (target: Debuggee, exit: VmExit): string[] =>
  exitDetails(exit, {
    technique: target.machine.virtualization?.technique ?? 'none',
    place: (gva) => target.placeName(gva),
    ...(target.place ? { domain: target.place.name } : {}),
  });

function pageFrom(log: Log, from: number, limit: number, fits: (exit: VmExit) => boolean, row: (number: number) => ExitRow): Pick<ExitsBody, 'exits' | 'next'> {
  const found: ExitRow[] = [];
  let number = Math.max(from, log.oldest);
  for (; number < log.following && found.length < limit; number++) {
    if (fits(log.at(number)!)) found.push(row(number));
  }
  return { exits: found, ...(number < log.following ? { next: number } : {}) };
} // prettier-ignore
/** The last ones, oldest first. */
function latest(log: Log, limit: number, fits: (exit: VmExit) => boolean, row: (number: number) => ExitRow): Pick<ExitsBody, 'exits'> {
  const found: ExitRow[] = [];
  for (let number = log.following - 1; number >= log.oldest && found.length < limit; number--) {
    if (fits(log.at(number)!)) found.push(row(number));
  }
  return { exits: found.reverse() };
} // prettier-ignore

const plus = (counts: Map<string, number>, reason: string, more: number): void =>
  void counts.set(reason, (counts.get(reason) ?? 0) + more);

/** From the profile where there is one and no filter stands in the way, else from what is kept. */
function functionsOf(target: Debuggee, log: Log, most: number, fits: (exit: VmExit) => boolean): NonNullable<ExitsBody['functions']> {
  const { profile } = log;
  const places = profile?.places ?? placesOf(log, fits);
  const byName = new Map<string, { name: string; gva: string; counts: Map<string, number> }>();
  for (const [gva, reasons] of places) {
    const symbol = target.program.symbolAt(gva);
    const start = symbol ? gva - symbol.offset : gva & ~0xfffn;
    const name = symbol?.name ?? `page of gv:${target.address(start)}`;
    let known = byName.get(name);
    if (!known) byName.set(name, (known = { name, gva: target.address(start), counts: new Map() }));
    for (const [reason, times] of reasons) plus(known.counts, reason, times);
  }
  if (profile?.elsewhere.size) byName.set('', { name: 'elsewhere', gva: target.address(0n), counts: new Map(profile.elsewhere) });
  const list = [...byName.values()].map(({ name, gva, counts }) => ({ name, gva, count: sum(counts), reasons: Object.fromEntries(counts) }));
  return { of: profile ? 'all' : 'kept', list: list.sort((a, b) => b.count - a.count).slice(0, most) };
} // prettier-ignore
const sum = (counts: Counts): number => [...counts.values()].reduce((all, each) => all + each, 0);

function placesOf(log: Log, fits: (exit: VmExit) => boolean): Map<bigint, Map<string, number>> {
  const places = new Map<bigint, Map<string, number>>();
  for (const exit of log.recent()) {
    if (!fits(exit)) continue;
    let counts = places.get(exit.gva);
    if (!counts) places.set(exit.gva, (counts = new Map()));
    plus(counts, exit.reason, 1);
  }
  return places;
}

function bucketsOf(log: Log, most: number, instructions: number, fits: (exit: VmExit) => boolean): NonNullable<ExitsBody['buckets']> {
  const { profile } = log;
  const kept = log.recent();
  const from = profile?.time.from ?? kept[0]?.at ?? 0;
  const width = Math.max(1, Math.ceil((instructions - from + 1) / most));
  const counts: Record<string, number[]> = {};
  const add = (at: number, reason: string, times: number): void => {
    const series = (counts[reason] ??= new Array<number>(most).fill(0));
    series[Math.min(most - 1, Math.max(0, Math.floor((at - from) / width)))]! += times;
  };
  if (profile)
    profile.time.buckets.forEach((each, i) => {
      for (const [reason, times] of each ?? []) add(from + i * profile.time.width, reason, times);
    });
  else for (const exit of kept) if (fits(exit)) add(exit.at, exit.reason, 1);
  return { of: profile ? 'all' : 'kept', from, bucketInstructions: width, counts };
} // prettier-ignore
