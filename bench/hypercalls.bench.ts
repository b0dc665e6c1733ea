/**
 * What Debian's amd64 kernel asks of Xen on its way to the busybox prompt, by hypercall, also within batches: the table of docs/xen.md.
 * Needs the guests of fetch-guests.mjs.
 *
 *   npx tsx bench/hypercalls.bench.ts
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { createMachine } from '../emulator/index';
import type { VmExit } from '../emulator/machine/api';
import { busyboxOf, initramfs, kernelOf } from '../scripts/initramfs';

const top = resolve(import.meta.dirname, '..');
const DOCUMENT = join(top, 'docs/xen.md');
const guest = (...path: string[]): string => join(top, '.cache', 'guests', ...path);
const PROMPT = 'ringside#';
const MOST_INSTRUCTIONS = 12_000_000_000;
const SLICE = 100_000;

const image = kernelOf(guest('linux-image-amd64'));
const machine = createMachine({ memory: 256 << 20, cpus: 1, technique: 'paravirtual' });
let text = '';
machine.onConsole = (bytes) => (text = (text + String.fromCharCode(...bytes)).slice(-4096));
const counts = new Map<string, { alone: number; batched: number }>();
function count({ name }: { name: string }, how: 'alone' | 'batched'): void {
  const known = counts.get(name) ?? { alone: 0, batched: 0 };
  known[how]++;
  counts.set(name, known);
}
const { exits } = machine.virtualization!;
let seen = 0;
/** Exits are complete when they have been handled, and kept long enough. */
function collect(): void {
  if (exits.oldest > seen) throw new Error(`${exits.oldest - seen} exits were missed; take shorter slices`);
  for (; seen < exits.following; seen++) {
    const { hypercall }: VmExit = exits.at(seen)!;
    if (!hypercall) continue;
    count(hypercall, 'alone');
    for (const each of hypercall.batch ?? []) count(each, 'batched');
  }
}
const initrd = initramfs({ busybox: busyboxOf(guest('busybox-static')) });
machine.boot({
  name: basename(image),
  kernel: readFileSync(image),
  initrd: { name: 'initrd', bytes: initrd },
  append: 'console=hvc0',
});
while (!text.includes(PROMPT)) {
  const { kind } = machine.run(SLICE);
  collect();
  if ((kind !== 'limit' && kind !== 'idle') || machine.instructions > MOST_INSTRUCTIONS)
    throw new Error(`it came to ${kind}: ${text.slice(-400)}`);
}
const rows = [...counts].sort(([, a], [, b]) => b.alone + b.batched - a.alone - a.batched);
const whole = (n: number): string => (n === 0 ? '' : n.toLocaleString('en-US'));
const others = [...exits.counts].filter(([reason]) => reason !== 'hypercall').sort(([, a], [, b]) => b.count - a.count);
const table = [
  `${machine.instructions.toLocaleString('en-US')} instructions, ${exits.total.toLocaleString('en-US')} exits, ${((exits.total / machine.instructions) * 1e6).toFixed(1)} per million.`,
  '',
  '| | alone | in a batch |',
  '|---|--:|--:|',
  ...rows.map(([name, { alone, batched }]) => `| \`${name}\` | ${whole(alone)} | ${whole(batched)} |`),
  ...others.map(([reason, { count: times }]) => `| ${reason} | ${whole(times)} | |`),
];
const document = readFileSync(DOCUMENT, 'utf8');
const [before, rest] = document.split('<!-- written by bench/hypercalls.bench.ts -->');
const after = rest?.slice(rest.indexOf('<!-- end -->'));
if (!after) throw new Error('docs/xen.md has no place for the table');
writeFileSync(DOCUMENT, `${before}<!-- written by bench/hypercalls.bench.ts -->\n\n${table.join('\n')}\n\n${after}`);
