/** One image under several techniques, side by side. */
import type { Machine } from '../../emulator/machine/api';
import type { Way } from './arguments';
import type { Outcome } from './outcome';
import type { Run } from './run';
import type { Divergence } from './divergence';

export interface Compared {
  way: Way;
  outcome: Outcome;
  instructions: number;
  seconds: number;
  exits: Record<string, number>;
  /** Of `seconds`, those in which the hypervisor handled exits. */
  hypervisorSeconds: number;
  holes: { mnemonic: string; places: number; count: number }[];
  stateHash: string;
  output: string;
}

export const nameOf = ({ technique, paging }: Way): string =>
  paging === undefined ? technique : `${technique}/${paging}`;

export const exitCounts = ({ virtualization }: Machine): Record<string, number> =>
  Object.fromEntries([...(virtualization?.exits.counts ?? [])].map(([reason, { count }]) => [reason, count]));

/** By mnemonic. */
const holesOf = ({ virtualization }: Machine): Compared['holes'] => {
  const byMnemonic = new Map<string, { mnemonic: string; places: number; count: number }>();
  for (const { mnemonic, count } of virtualization?.holes.list ?? []) {
    const known = byMnemonic.get(mnemonic);
    if (!known) byMnemonic.set(mnemonic, { mnemonic, places: 1, count });
    else Object.assign(known, { places: known.places + 1, count: known.count + count });
  }
  return [...byMnemonic.values()].sort((a, b) => b.count - a.count);
};

/** Where a run fell through: one line for each place, the first ones. */
export function holesText({ virtualization }: Machine): string[] {
  const list = virtualization?.holes.list ?? [];
  const shown = list.slice(0, 20).map(({ mnemonic, gva, count, difference }) => {
    const times = count === 1 ? 'once' : `${count} times`;
    return `silent hole: ${mnemonic} at gv:0x${gva.toString(16)}, ${times}. ${difference}`;
  });
  if (list.length > shown.length) shown.push(`silent holes at ${list.length - shown.length} more places.`);
  return shown;
}

export async function runOne(
  way: Way,
  boot: (way: Way) => Machine,
  make: (machine: Machine) => Run,
): Promise<Compared> {
  const machine = boot(way);
  const exits = machine.virtualization?.exits;
  if (exits) exits.clock = () => performance.now() * 1e6;
  const run = make(machine);
  let output = '';
  const { onConsole } = machine;
  machine.onConsole = (bytes) => {
    output += String.fromCharCode(...bytes);
    onConsole?.(bytes);
  };
  const start = performance.now();
  const outcome = await run.toTheEnd();
  const seconds = (performance.now() - start) / 1000;
  let hypervisorNs = 0;
  for (const { hostNs } of exits?.counts.values() ?? []) hypervisorNs += hostNs;
  return {
    way,
    outcome,
    instructions: machine.instructions,
    seconds,
    exits: exitCounts(machine),
    hypervisorSeconds: hypervisorNs / 1e9,
    holes: holesOf(machine),
    stateHash: machine.stateHash(),
    output,
  };
}

const total = (counts: Record<string, number>): number => Object.values(counts).reduce((sum, n) => sum + n, 0);
const perMillion = ({ exits, instructions }: Compared): number => (total(exits) / instructions) * 1e6;
const rounded = (value: number): string => value.toFixed(value >= 100 ? 0 : value >= 1 ? 1 : 2);

/** A table in Markdown: a row a technique, a column a figure; then exits by reason, a column a technique. */
export function comparisonText(results: readonly Compared[]): string {
  const [first] = results;
  const same = (equal: boolean): string => (equal ? 'same' : 'differs');
  const figures = results.map((r) => [
    nameOf(r.way),
    r.outcome.stop,
    String(r.instructions),
    rounded(r.seconds),
    rounded(r.hypervisorSeconds),
    String(total(r.exits)),
    rounded(perMillion(r)),
    String(r.holes.reduce((sum, hole) => sum + hole.count, 0)),
    r === first ? r.stateHash : same(r.stateHash === first.stateHash),
    r === first ? `${r.output.length} bytes` : same(r.output === first.output),
  ]);
  const head = ['technique', 'end', 'instructions', 's', 'hypervisor s', 'exits', 'exits/M', 'silent holes', 'state', 'console']; // prettier-ignore
  const reasons = [...new Set(results.flatMap((r) => Object.keys(r.exits)))];
  reasons.sort((a, b) => Math.max(...results.map((r) => r.exits[b] ?? 0)) - Math.max(...results.map((r) => r.exits[a] ?? 0))); // prettier-ignore
  const byReason = reasons.map((reason) => [reason, ...results.map((r) => String(r.exits[reason] ?? 0))]);
  const parts = [table(head, figures)];
  if (reasons.length > 0) parts.push(table(['exits by reason', ...results.map((r) => nameOf(r.way))], byReason));
  return `${parts.join('\n')}\n`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, i) => Math.max(title.length, 3, ...rows.map((row) => row[i].length)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join(' | ')} |\n`;
  const rule = `|${widths.map((width, i) => (i === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|\n`;
  return line(head) + rule + rows.map(line).join('');
}

export const comparisonReport = (
  results: readonly Compared[],
  divergences: readonly (Divergence | undefined)[],
): unknown =>
  results.map(({ way, outcome, output, ...rest }, i) => ({
    technique: way.technique,
    paging: way.paging,
    stop: outcome.stop,
    ...rest,
    consoleBytes: output.length,
    divergence: i === 0 ? undefined : divergences[i - 1]?.text,
  }));
