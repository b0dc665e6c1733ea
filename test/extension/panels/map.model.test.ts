import assert from 'node:assert/strict';
import {
  changedLines,
  changeFinder,
  changesText,
  mapText,
  runRights,
  spanText,
  type MapLine,
  type MappedRun,
} from '../../../extension/panels/map.model';

const run = (start: number, pages: number, more: Partial<MappedRun> = {}): MappedRun => ({
  gva: `0x${(start * 4096).toString(16)}`, target: 0, targetSpace: 'gp', size: `0x${(pages * 4096).toString(16)}`,
  pageBytes: 4096, write: true, user: false, execute: false, global: true, ...more,
}); // prettier-ignore

describe('page-table view: the map of an address space', () => {
  it('describes runs', () => {
    assert.equal(spanText(run(0, 512)), '2 MiB in 4 KiB pages');
    assert.equal(spanText(run(0, 1)), '4 KiB page');
    assert.equal(runRights(run(0, 1)), 'rw- supervisor global');
  });

  const changes = { since: 1, added: [run(2, 1), run(10, 4)], removed: [run(1, 1), run(2, 1, { target: 0x5000 })] };
  const CASES: [name: string, run: MappedRun, change: MapLine['change']][] = [
    ['before all changes', run(0, 2), undefined],
    ['all of it is new', run(2, 1), 'added'],
    ['all of it is in a new part', run(11, 2), 'added'],
    ['its end is new', run(1, 2), 'part'],
    ['its middle is new', run(9, 6), 'part'],
    ['its begin is new', run(13, 3), 'part'],
    ['between changes', run(3, 7), undefined],
    ['behind all changes', run(14, 1), undefined],
  ];
  for (const [name, each, change] of CASES)
    it(`what has become of a run: ${name}`, () => assert.equal(changeFinder(changes)(each), change));

  it('lists changes by address, what was before what is', () => {
    assert.deepEqual(
      changedLines(changes).map((line) => [Number(line.run.gva) / 4096, line.change]),
      [[1, 'removed'], [2, 'removed'], [2, 'added'], [10, 'added']],
    ); // prettier-ignore
    assert.equal(
      mapText(changedLines(changes).slice(1, 3), 'gv'),
      '− gv:0x2000  4 KiB page  rw- supervisor global  gp:0x5000\n+ gv:0x2000  4 KiB page  rw- supervisor global  gp:0x0\n',
    );
    assert.equal(changesText(changes), '2 new, 2 gone');
    assert.equal(changesText({ since: 1, added: [], removed: [] }), 'none');
    assert.equal(
      changesText({ since: 1, added: Array(1000).fill(run(0, 1)), removed: [] }),
      '1000 or more new, 0 gone',
    );
  });
});
