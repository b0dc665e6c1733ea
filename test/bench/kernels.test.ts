/** The bench at small sizes: its guests give the right results, its tables are made as they should be. Nothing is timed. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { onBochs, onV86 } from '../../bench/kernels';
import { haveBochs } from '../../bench/support/bochs';
import { figure, geometricMean, median, ratio, table } from '../../bench/support/figures';
import { runGuest } from '../../bench/support/guest-run';
import { replacePart } from '../../bench/support/report';
import { haveV86 } from '../../bench/support/v86';
import { IMAGE, IMAGE_32, runsOf, workloadSpec, WORKLOADS } from '../../bench/workloads';
import { have } from '../guests/oracles';

const make = (out: string, ...targets: string[]): unknown =>
  execFileSync('make', ['-s', '-C', resolve('bench/kernels'), `OUT=${out}`, ...targets], { stdio: 'pipe' });
/** Headers for 32 bits come with gcc-multilib. */
const builds32 = (): boolean => spawnSync('gcc', ['-m32', '-E', '-include', 'stdio.h', '-xc', '-'], { input: '' }).status === 0; // prettier-ignore
function withFolder(use: (out: string) => void): void {
  const out = mkdtempSync(join(tmpdir(), 'ringside-'));
  try {
    use(out);
  } finally {
    rmSync(out, { recursive: true });
  }
}

describe('bench: workloads', () => {
  for (const [bits, image] of [
    ['64', IMAGE],
    ['32', IMAGE_32],
  ] as const)
    for (const { name, small } of WORKLOADS)
      it(`${name} gives its checksum, twice, in ${bits} bits`, () => {
        const runs = runsOf(runGuest(workloadSpec(name, small.count, 2, undefined, image)), name, small.sum);
        assert.equal(runs.length, 2);
        assert.ok(runs.every(({ instructions }) => instructions > 0));
      });

  it('v86 gives the checksum, too', function () {
    if (!haveV86()) this.skip();
    const [crc] = WORKLOADS;
    assert.equal(onV86(crc!, crc!.small, 2).length, 2);
  }).timeout(60_000);

  it('Bochs gives the checksum, too', async function () {
    if (!haveBochs()) this.skip();
    const [crc] = WORKLOADS;
    assert.ok((await onBochs(crc!, crc!.small)) >= 0);
  }).timeout(120_000);

  it('the code that the compiler tier made is counted, the interpreter makes none', () => {
    const bytes = (tier: 'interpreter' | 'compiler') => runGuest(workloadSpec('crc', 20, 1, tier)).codeBytes;
    assert.equal(bytes('interpreter'), 0);
    assert.ok(bytes('compiler') > 100);
  });

  it('another checksum is an error, not a figure', () => {
    const report = runGuest(workloadSpec('fib', 5, 1, undefined));
    assert.throws(() => runsOf(report, 'fib', '0000000000000000'), /the checksum is 0000000000000005 instead/);
    assert.throws(
      () => runsOf(runGuest(workloadSpec('nothing', 5, 1, undefined)), 'nothing', ''),
      /without a checksum/,
    );
  });

  for (const native of ['native', 'native32'])
    it(`the checksums are those of a native build: ${native}`, function () {
      if (!have('gcc') || !have('make') || (native === 'native32' && !builds32())) this.skip();
      withFolder((out) => {
        const program = join(out, native);
        make(out, program);
        for (const { name, full, small } of WORKLOADS)
          for (const { count, sum } of [small, full])
            assert.equal(execFileSync(program, [name, `${count}`], { encoding: 'latin1' }), `${sum}\n`, name);
      });
    }).timeout(60_000);

  it('the images are what their sources give, where gcc is that which built them', function () {
    if (!have('gcc') || !have('make') || process.platform !== 'linux' || process.arch !== 'x64') this.skip();
    const compiler = (file: string): string | undefined => /GNU C11 [\d.]+/.exec(readFileSync(file, 'latin1'))?.[0];
    withFolder((out) => {
      make(out);
      for (const file of [IMAGE, IMAGE_32]) {
        const rebuilt = join(out, basename(file));
        assert.ok(compiler(rebuilt));
        if (compiler(rebuilt) === compiler(file)) assert.ok(readFileSync(rebuilt).equals(readFileSync(file)), file);
      }
    });
  }).timeout(60_000);
});

describe('bench: tables', () => {
  it('figures', () => {
    assert.deepEqual([median([3, 1, 2]), median([4, 1, 2, 3])], [2, 2.5]);
    assert.equal(geometricMean([1, 4]), 2);
    assert.deepEqual([1234567, 12.345, 0.012345, 0, NaN, undefined].map(figure), ['1,234,567', '12.3', '0.0123', '0', 'n/a', 'n/a']); // prettier-ignore
    assert.equal(ratio(1.5), '1.5x');
    assert.equal(table(['a', 'b'], [['x', '1']]), '| a | b |\n| --- | --: |\n| x | 1 |');
  });
  it('a part is replaced, the rest stays', () => {
    const document = 'a <!-- bench:x -->old<!-- /bench:x --> b <!-- bench:y -->kept<!-- /bench:y -->';
    const now = 'a <!-- bench:x -->\n\nnew\n\n<!-- /bench:x --> b <!-- bench:y -->kept<!-- /bench:y -->';
    assert.equal(replacePart(document, 'x', 'new\n'), now);
    assert.throws(() => replacePart(document, 'z', ''), /has no place for 'z'/);
  });
});
