/** What the exits panel shows, from what the adapter answers. Knows neither the DOM nor DAP. */
import type { CustomEvents, CustomRequests } from '../../debug-adapter/protocol';

export type Exits = CustomRequests['ringside/exits']['body'];
export type Exit = Exits['exits'][number];
export type Rates = CustomEvents['ringside/exits'];

/** Exits that are listed while the guest runs and waits for the answer: no more than are in sight, five times a second. */
export const LIVE = 50;

/** Most exits first; of the same colour in chart and table. */
export interface Reason {
  reason: string;
  count: number;
  /** Of all exits, 0 to 1. */
  share: number;
  /** Exits in a million instructions. */
  perMillion: number;
  /** ms of the host; absent: not measured. */
  milliseconds?: number;
}

export const reasons = ({ reasons: all, total, instructions }: Exits): Reason[] =>
  all.map(({ reason, count, hostNs }) => ({
    reason,
    count,
    share: total ? count / total : 0,
    perMillion: instructions ? (count * 1e6) / instructions : 0,
    ...(hostNs ? { milliseconds: hostNs / 1e6 } : {}),
  }));

/** What was answered, moved on by the counts of an event that came since. */
export function advanced(exits: Exits, { instructions, total, reasons: more }: Rates): Exits {
  const known = exits.reasons.map((row) => ({ ...row, count: row.count + (more[row.reason] ?? 0) }));
  const fresh = Object.entries(more).filter(([name]) => !exits.reasons.some(({ reason }) => reason === name));
  const counts = [...known, ...fresh.map(([reason, count]) => ({ reason, count, hostNs: 0 }))];
  return { ...exits, instructions, total, reasons: counts.sort((a, b) => b.count - a.count) };
}

/** A chart: instruction counts, and exits of each reason up to each of them. */
export interface Series {
  at: number[];
  /** `rank`: of the reason among all, most exits first: its colour. */
  lines: { reason: string; rank: number; values: number[] }[];
}

/** One line for each of the `limit` first reasons, and one for all others. */
function series(at: number[], order: string[], limit: number, values: (reasons: string[]) => number[]): Series {
  const lines = order.slice(0, limit).map((reason, rank) => ({ reason, rank, values: values([reason]) }));
  const rest = order.slice(limit);
  return { at, lines: rest.length ? [...lines, { reason: 'other', rank: limit, values: values(rest) }] : lines };
}

/** Exits over the guest's time, at most `limit` reasons and the rest together. */
export function history({ buckets, reasons: all }: Exits, limit: number): Series {
  if (!buckets) return { at: [], lines: [] };
  const { counts, from, bucketInstructions } = buckets;
  const length = Math.max(0, ...Object.values(counts).map((values) => values.length));
  const sum = (names: string[]): number[] =>
    Array.from({ length }, (_, n) => names.reduce((total, name) => total + (counts[name]?.[n] ?? 0), 0));
  const at = Array.from({ length }, (_, n) => from + n * bucketInstructions);
  return series(at, all.map(({ reason }) => reason), limit, sum); // prettier-ignore
}

/** Exits a second of each reason while the guest runs: the last events, oldest first. */
export class LiveRates {
  private readonly events: Rates[] = [];

  constructor(private readonly kept = 120) {}

  add(event: Rates): void {
    this.events.push(event);
    if (this.events.length > this.kept) this.events.shift();
  }
  clear(): void {
    this.events.length = 0;
  }
  /** `at` in instructions and reasons in the order of `history`, so that both share a chart. New reasons come last. */
  series({ reasons: all }: Pick<Exits, 'reasons'>, limit: number): Series {
    const names = [...all.map(({ reason }) => reason), ...this.events.flatMap((event) => Object.keys(event.reasons))];
    const rate = (of: string[]): number[] =>
      this.events.map(({ reasons: counts, milliseconds }) =>
        milliseconds ? (of.reduce((sum, name) => sum + (counts[name] ?? 0), 0) * 1000) / milliseconds : 0,
      );
    const at = this.events.map(({ instructions }) => instructions);
    return series(at, [...new Set(names)], limit, rate);
  }
}

/** Fields that tell exits of one reason apart, in the words of conditions. Addresses do so less than what was wanted. */
const TELLING = ['port', 'write', 'msr', 'register', 'access', 'vector', 'mnemonic'] as const;

/** Fields of an exit and of its cause, by the names that conditions use; what is no plain value is left out. */
export function fields(exit: Exit): [name: string, value: string | number | boolean][] {
  const plain = (source: object): [string, string | number | boolean][] =>
    Object.entries(source).filter((entry): entry is [string, string | number | boolean] =>
      ['string', 'number', 'boolean'].includes(typeof entry[1]),
    );
  const cause = exit.cause as object & { event?: object };
  const own = plain(exit).filter(([name]) => !['number', 'text', 'place', 'at', 'hostNs'].includes(name));
  const seen = new Map([...plain(cause.event ?? {}), ...plain(cause), ...own]);
  return [...seen];
}

/** Addresses that can be looked at, by the name of their field; the first that there is says more of an exit than the others. */
export const SPACES: Record<string, 'gv' | 'gp'> = { address: 'gv', gpa: 'gp', gva: 'gv' };
export const written = (value: string | number | boolean): string =>
  typeof value === 'number' && value > 9 ? `0x${value.toString(16)}` : String(value);

/** For the context menu of an exit: what its commands are given. */
export function menuOf(exit: Exit): { exit: true; condition: string; json: string; address?: string; preventDefaultContextMenuItems: true } {
  const values = new Map(fields(exit));
  const name = Object.keys(SPACES).find((each) => values.has(each));
  return {
    exit: true,
    condition: conditionFor(exit),
    json: JSON.stringify(exit, null, 2),
    ...(name === undefined ? {} : { address: `${SPACES[name]!}:${written(values.get(name)!)}` }),
    preventDefaultContextMenuItems: true,
  };
} // prettier-ignore

/** A condition that holds for this exit and those that want the same. */
export function conditionFor(exit: Exit): string {
  const values = new Map(fields(exit));
  const parts = TELLING.flatMap((name) => {
    const value = values.get(name);
    return value === undefined ? [] : [`exit.${name} == ${literal(value)}`];
  });
  return [`exit.reason == ${JSON.stringify(exit.reason)}`, ...parts].join(' && ');
}
const literal = (value: string | number | boolean): string =>
  typeof value === 'boolean'
    ? `${Number(value)}`
    : typeof value === 'number'
      ? `0x${value.toString(16)}`
      : quoted(value);
/** An address stands for itself. */
const quoted = (text: string): string => (/^0x[0-9a-f]+$/.test(text) ? text : JSON.stringify(text));

const CSV_FIELDS = ['number', 'at', 'reason', 'vcpu', 'gva', 'cpl', 'place', 'text', 'hostNs'] as const;

/** RFC 4180, with a head. */
export function csv(exits: readonly Exit[]): string {
  const cell = (value: unknown): string => {
    const text = value === undefined ? '' : String(value);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const line = (cells: readonly unknown[]): string => cells.map(cell).join(',');
  return [line(CSV_FIELDS), ...exits.map((exit) => line(CSV_FIELDS.map((name) => exit[name])))].join('\r\n') + '\r\n';
}

/** `1,234,567`; below 10 with two digits behind the point. */
export const count = (value: number): string =>
  Number.isInteger(value) || value >= 10
    ? Math.round(value).toLocaleString('en-US')
    : value.toLocaleString('en-US', { maximumFractionDigits: 2 });
/** Marks of an axis, short, with as many digits as tell them apart: `3.0839 G`, `3.0840 G`. */
export function ticks(marks: readonly number[]): string[] {
  const [unit, name] = ([[1e9, ' G'], [1e6, ' M'], [1e3, ' k']] as const).find(([each]) => (marks.at(-1) ?? 0) >= each) ?? [1, ''];
  const step = marks.length > 1 ? (marks[1]! - marks[0]!) / unit : 1;
  const digits = Math.min(9, Math.max(0, Math.ceil(-Math.log10(step) - 1e-9)));
  return marks.map((mark) => (mark === 0 ? '0' : `${(mark / unit).toFixed(digits)}${name}`));
} // prettier-ignore
/** `12.3 %`, `<0.1 %`. */
export const percent = (share: number): string =>
  share > 0 && share < 0.001 ? '<0.1 %' : `${(share * 100).toFixed(1)} %`;
