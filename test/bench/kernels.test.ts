/** The bench at small sizes: its guests give the right results, its tables are made as they should be. Nothing is timed. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { runsOf, workloadSpec, WORKLOADS } from '../../bench/kernels';
import { figure, geometricMean, median, ratio, table } from '../../bench/support/figures';
import { runGuest } from '../../bench/support/guest-run';
import { replacePart } from '../../bench/support/report';
import { have } from '../guests/oracles';

describe('bench: workloads', () => {
  for (const { name, small } of WORKLOADS)
    it(`${name} gives its checksum, twice`, () => {
      const runs = runsOf(runGuest(workloadSpec(name, small.count, 2, undefined)), name, small.sum);
      assert.equal(runs.length, 2);
      assert.ok(runs.every(({ instructions }) => instructions > 0));
    });

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

  it('the checksums are those of a native build', function () {
    if (!have('gcc') || !have('make')) this.skip();
    const out = mkdtempSync(join(tmpdir(), 'ringside-'));
    try {
      execFileSync('make', ['-s', '-C', resolve('bench/kernels'), `OUT=${out}`, join(out, 'native')], {
        stdio: 'pipe',
      });
      for (const { name, full, small } of WORKLOADS)
        for (const { count, sum } of [small, full])
          assert.equal(execFileSync(join(out, 'native'), [name, `${count}`], { encoding: 'latin1' }), `${sum}\n`, name);
    } finally {
      rmSync(out, { recursive: true });
    }
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
