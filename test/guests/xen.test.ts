/**
 * Guests of our own for Xen's ABI: the port of guests/porting in ring 1, and two domains (guests/xen/pair.c) that talk over a shared
 * page and an event channel, in every pair of widths.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMachine } from '../../emulator/index';
import { Domains } from '../../emulator/machine/domains';
import type { Stop } from '../../emulator/machine/api';
import { goldenText, guests, have } from './oracles';

const folder = join(guests, 'xen');
const kernel = readFileSync(join(guests, 'porting/paravirtual.elf'));
type Width = 32 | 64;

function pair(first: Width, second: Width, from = folder) {
  const domains = new Domains([1, 2].map((i) => ({ name: `domain ${i}`, memory: 16 << 20, cpus: 1, technique: 'paravirtual' as const }))); // prettier-ignore
  const said = ['', ''];
  const reports: string[] = [];
  domains.all.forEach(({ machine }, i) => {
    machine.onConsole = (bytes) => (said[i] += String.fromCharCode(...bytes));
    machine.onUnsupported = (what) => reports.push(what);
  });
  [first, second].forEach((width, i) => {
    const name = `pair-${width}.elf`;
    domains.boot(domains.all[i].id, { name, kernel: readFileSync(join(from, name)) });
  });
  return { domains, said, reports, hashes: () => domains.all.map(({ machine }) => machine.stateHash()) };
}
const asked = (width: Width): string => `domain 1, ${width} bits\nasked 200 times, the squares sum up to 2646700\n`;
const answered = (width: Width): string => `domain 2, ${width} bits\nanswered 200 times\n`;
function toTheEnd({ domains }: ReturnType<typeof pair>): void {
  for (let turns = 0; turns < 100; turns++) if (domains.run(1_000_000).kind === 'dead-halt') return;
  assert.fail('they did not come to an end');
}

describe('guests for Xen', () => {
  it('a kernel in ring 1 of Xen: its programs end as on the bare machine', () => {
    const machine = createMachine({ memory: 32 << 20, cpus: 1, technique: 'paravirtual' });
    let text = '';
    machine.onConsole = (bytes) => (text += String.fromCharCode(...bytes));
    machine.boot({ name: 'paravirtual.elf', kernel });
    assert.deepEqual(machine.run(60_000_000), { kind: 'power-off' });
    const lines = text.replaceAll('\r', '');
    assert.equal(lines.slice(lines.indexOf('\n') + 1), goldenText('porting.txt', () => ''));
    assert.match(lines, /^A kernel in ring 1 of Xen, \d+ frames of memory\.\n/);
  });

  for (const [first, second] of [
    [32, 64],
    [64, 32],
  ] as const)
    it(`two domains of ${first} and ${second} bits talk over a shared page and an event channel`, () => {
      const both = pair(first, second);
      toTheEnd(both);
      assert.deepEqual(both.said, [asked(first), answered(second)]);
      assert.deepEqual(both.reports, []);
    });

  it('what they share is there to see while they talk', () => {
    const { domains } = pair(64, 64);
    const seen = (i: number): Record<string, string> =>
      domains.all[i]!.machine.inspect.structures(0).xen as Record<string, string>;
    for (let turns = 0; turns < 10_000 && !('mapping 0' in seen(1)); turns++) domains.run(1000);
    domains.run(5000);
    const [asking, answering] = [seen(0), seen(1)];
    assert.match(answering['mapping 0']!, /^grant 8 of domain 1, frame 0x[0-9a-f]+$/);
    assert.match(asking['grant 8']!, /^the page, frame 0x[0-9a-f]+, for domain 2; in use: mapping by domain 2$/);
    assert.equal(asking['port 3']!.slice(0, 31), 'to port 3 of domain 2; vcpu 0; ');
    assert.equal(asking['/local/domain/1/data/port'], '"3" (n1 r2)');
    assert.match(asking['upcall of vcpu 0']!, /masked/);
  });

  it('run in slices they end in the same states', () => {
    const [whole, sliced] = [pair(32, 64), pair(32, 64)];
    toTheEnd(whole);
    for (let i = 0; i < 1_000_000 && sliced.domains.run(997).kind !== 'dead-halt'; i++);
    assert.deepEqual(sliced.hashes(), whole.hashes());
  });

  it('domain 0 pauses, resumes, builds, saves, restores and destroys others of both widths by hypercalls; their lives leave no frame behind', () => {
    const config = (name: string) => ({ name, memory: 8 << 20, cpus: 1, technique: 'paravirtual' as const });
    const domains = new Domains([config('control'), config('other')], { firstId: 0, spare: Array.from({ length: 4 }, () => ({ memory: 2 << 20, cpus: 1 })) });
    const said = ['', ''];
    const bytes = readFileSync(join(folder, 'control-64.elf'));
    domains.all.forEach(({ machine }, i) => {
      machine.onConsole = (part) => (said[i] += String.fromCharCode(...part));
      domains.boot(i, { name: 'control-64.elf', kernel: bytes, append: '100' });
    });
    const free = domains.host.frames.unreserved;
    // The others power themselves off, too.
    const isOver = ({ kind, domain }: Stop): boolean => kind === 'crash' || (kind === 'power-off' && domain === 0);
    for (let turns = 0; turns < 1000 && !isOver(domains.run(1_000_000)); turns++);
    const lives = (first: number, bits: Width): string[] => [
      `domain ${first}: ${bits} bits, 512 frames, told stay`, 'paused: 0 instructions',
      `stands in its kernel, tables of each level ${bits === 64 ? '1 1 1 1' : '1 1 1 0'}, 1 pinned, memory at rest`, 'resumed, and it runs',
      `domain ${first + 1}: goes on (0): count kept, registers kept`, 'suspended, saved, destroyed, restored, run to its end',
    ];
    assert.deepEqual(said[0]!.split('\n'), [
      'domain 0: 2048 pages, 1 processors', 'domain 1: 2048 pages, 1 processors',
      'paused: 0 instructions', 'resumed, and it runs', '100 domains created and destroyed',
      ...lives(102, 64), ...lives(104, 32),
      'domain 106: 64 bits, 512 frames, told to end, the first', 'domain 107: 32 bits, 512 frames, told to end, the first',
      '100 domains built, run to their end and destroyed',
      'domain 0: 2048 pages, 1 processors', '',
    ]);
    assert.equal(said[1], 'not privileged: domctl says 1\n');
    assert(domains.host.frames.unreserved > free, 'what the other had is free');
  }); // prettier-ignore

  it('the built images are those of the sources', function () {
    if (!have('gcc') || !have('make')) this.skip();
    const out = mkdtempSync(join(tmpdir(), 'ringside-'));
    try {
      execFileSync('make', ['-s', '-C', folder, `OUT=${out}`], { stdio: 'pipe' });
      const names = ['pair-32.elf', 'pair-64.elf', 'child-32.elf', 'child-64.elf', 'control-64.elf'];
      if (names.every((name) => readFileSync(join(out, name)).equals(readFileSync(join(folder, name))))) return;
      // Another compiler: what counts is what they say.
      const both = pair(32, 64, out);
      toTheEnd(both);
      assert.deepEqual(both.said, [asked(32), answered(64)], 'they were not built again');
    } finally {
      rmSync(out, { recursive: true });
    }
  }).timeout(60_000);
}).timeout(60_000);
