/**
 * The same kernels under every technique: exits, what they cost, and whether the guest could tell. Writes the tables of
 * docs/techniques.md. Needs `npm run build` and the guests of fetch-guests.mjs.
 *
 *   npx tsx scripts/techniques.ts [--only NAME]
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { busyboxOf, initramfs, kernelOf } from './initramfs';

const top = resolve(import.meta.dirname, '..');
const DOCUMENT = join(top, 'docs/techniques.md');
const guest = (...path: string[]): string => join(top, '.cache', 'guests', ...path);

/** Technique and paging; the first is what the others are compared with. */
const WAYS = [
  ['none'], ['trap-and-emulate', 'shadow'], ['binary-translation', 'shadow'], ['vt-x', 'nested'], ['vt-x', 'shadow'],
  ['amd-v', 'nested'], ['amd-v', 'shadow'],
] as const; // prettier-ignore
const PARAVIRTUAL = ['paravirtual', 'direct'] as const;
type Way = (typeof WAYS)[number] | typeof PARAVIRTUAL;

interface Row {
  name: string;
  title: string;
  image: string;
  /** Package of a static busybox for an initramfs; absent: none. */
  busybox?: string;
  options: readonly string[];
  /** Also as a kernel for Xen, with these in the place of `options`. */
  paravirtual?: readonly string[];
}
const LINUX = ['--append', 'console=ttyS0', '--until', 'ringside#', '--max-instructions', '20000000000'];
const MEMTEST = ['--memory', '64M', '--append', 'console=ttyS0', '--until', 'Status: Testing', '--max-instructions', '2000000000']; // prettier-ignore
const ROWS: readonly Row[] = [
  {
    name: 'amd64',
    title: "Debian's amd64 kernel (bzImage) to the busybox prompt",
    image: kernelOf(guest('linux-image-amd64')),
    busybox: 'busybox-static',
    options: LINUX,
    paravirtual: LINUX.map((each) => (each === 'console=ttyS0' ? 'console=hvc0' : each)),
  },
  {
    name: '686-pae',
    title: "Debian's 686-pae kernel (32-bit, PAE) to the busybox prompt",
    image: kernelOf(guest('linux-image-686-pae_i386')),
    busybox: 'busybox-static_i386',
    options: LINUX,
  },
  { name: 'memtest64', title: 'memtest86+, 64-bit, until it tests memory', image: guest('memtest86+/boot/memtest86+x64.bin'), options: MEMTEST },
  { name: 'memtest32', title: 'memtest86+, 32-bit, until it tests memory', image: guest('memtest86+/boot/memtest86+ia32.bin'), options: MEMTEST },
]; // prettier-ignore

interface Result {
  way: Way;
  instructions: number;
  seconds: number;
  stop: string;
  exits: Record<string, number>;
  stateHash: string;
  said: string[];
}

/** Of a guest that fell through a hole and may never come to an end of its own. */
const MOST_WITH_HOLES = 1_000_000_000;

/** `most`: instructions. */
function run(row: Row, way: Way, folder: string, most: number | undefined): Result {
  const [technique, paging] = way;
  const report = join(folder, 'report.json');
  const initrd = join(folder, 'initrd');
  if (row.busybox) writeFileSync(initrd, initramfs({ busybox: busyboxOf(guest(row.busybox)) }));
  const options = [...(technique === 'paravirtual' ? row.paravirtual! : row.options)];
  if (most !== undefined && technique !== 'paravirtual') options[options.indexOf('--max-instructions') + 1] = `${most}`;
  const how = ['--technique', technique, ...(paging ? ['--paging', paging] : []), '--json', report];
  const args = ['run', row.image, ...(row.busybox ? ['--initrd', initrd] : []), ...options, ...how];
  const { stderr } = spawnSync(process.execPath, [join(top, 'dist/cli.js'), ...args], { encoding: 'utf8', maxBuffer: 1 << 28 }); // prettier-ignore
  const said = stderr.split('\n').map((line) => line.replace(/^ringside: /, '')).filter(Boolean); // prettier-ignore
  return { way, ...(JSON.parse(readFileSync(report, 'utf8')) as Omit<Result, 'way' | 'said'>), said };
}

const count = (value: number): string => value.toLocaleString('en-US');
const total = ({ exits }: Result): number => Object.values(exits).reduce((sum, n) => sum + n, 0);
const nameOf = ([technique, paging]: Way): string => (paging ? `${technique}, ${paging}` : technique);
/** Most of them, so that a table stays one that people read. */
const REASONS = 5;

function tableOf(row: Row, results: Result[]): string {
  const [bare] = results;
  const lines = results.map((result) => {
    const { way, stop, instructions, seconds, exits, stateHash } = result;
    const reasons = Object.entries(exits).sort((a, b) => b[1] - a[1]).slice(0, REASONS).map(([name, n]) => `${name} ${count(n)}`); // prettier-ignore
    const state = way[0] === 'paravirtual' ? 'another guest' : stateHash === bare!.stateHash ? 'same' : 'differs';
    const time = result === bare ? '1' : (seconds / bare!.seconds).toFixed(1);
    const perMillion = ((total(result) / instructions) * 1e6).toFixed(1);
    const cells = [nameOf(way), stop, count(instructions), count(total(result)), perMillion, time, result === bare ? '' : state, reasons.join(', ')]; // prettier-ignore
    return `| ${cells.join(' | ')} |`;
  });
  const holes = results.flatMap(({ way, said }) => (way[0] === 'trap-and-emulate' ? said : []));
  return [
    `### ${row.title}`,
    '',
    '| technique | end | instructions | exits | per million | time, bare = 1 | state | most frequent |',
    '| --- | --- | --: | --: | --: | --: | --- | --- |',
    ...lines,
    '',
    ...(holes.length ? ['What trap-and-emulate alone makes of it:', '', '```', ...holes, '```', ''] : []),
  ].join('\n');
}

const mark = (name: string): string[] => [`<!-- techniques:${name} -->`, `<!-- /techniques:${name} -->`];

const { values } = parseArgs({ options: { only: { type: 'string' } } });
const folder = mkdtempSync(join(tmpdir(), 'ringside-techniques-'));
try {
  for (const row of ROWS.filter(({ name }) => values.only === undefined || values.only === name)) {
    const results: Result[] = [];
    for (const way of [...WAYS, ...(row.paravirtual ? [PARAVIRTUAL] : [])]) {
      console.log(`${row.name}: ${nameOf(way)}`);
      const bare = results[0] && results[0].instructions + 1;
      const most = bare && (way[0] === 'trap-and-emulate' ? Math.min(bare, MOST_WITH_HOLES) : bare);
      results.push(run(row, way, folder, most));
    }
    const [begin, end] = mark(row.name) as [string, string];
    const document = readFileSync(DOCUMENT, 'utf8');
    const [from, to] = [document.indexOf(begin), document.indexOf(end)];
    if (from < 0 || to < from) throw new Error(`${DOCUMENT} has no place for ${row.name}: ${begin} and ${end}`);
    writeFileSync(DOCUMENT, `${document.slice(0, from + begin.length)}\n\n${tableOf(row, results)}\n${document.slice(to)}`); // prettier-ignore
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
