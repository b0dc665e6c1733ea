import assert from 'node:assert/strict';
import { meanings, pageBytes, rows, size, type Entry } from '../../../extension/panels/page-table.model';

const entry = (index: number, more: Partial<Entry> = {}): Entry => ({
  index,
  gva: `0x${(index * 4096).toString(16)}`,
  name: 'PTE',
  level: 1,
  gpa: 0x1000 + index * 8,
  entry: '0x1',
  bytes: 8,
  present: true,
  writable: true,
  user: false,
  executable: true,
  accessed: false,
  dirty: false,
  global: false,
  leaf: true,
  reserved: '0x0',
  target: index * 4096,
  targetSpace: 'gp',
  ...more,
});

const tableOf = (entries: Entry[]): Parameters<typeof rows>[0] => ({
  tables: 'guest',
  available: ['guest'],
  format: '4-level',
  level: 1,
  gpa: 0x1000,
  total: entries.length,
  entries,
});

describe('page-table view: rows', () => {
  const CASES: [name: string, entries: Entry[], counts: number[]][] = [
    ['neighbours are one row', [entry(0), entry(1), entry(2)], [3]],
    ['a gap in the index splits', [entry(0), entry(2)], [1, 1]],
    ['a gap in memory splits', [entry(0), entry(1, { target: 0x9000 })], [1, 1]],
    ['other rights split', [entry(0), entry(1, { writable: false }), entry(2, { writable: false })], [1, 2]],
    ['a mark splits', [entry(0), entry(1, { mark: 'stale' })], [1, 1]],
    ['what has changed stands alone', [entry(0), entry(1, { was: '0x3' }), entry(2)], [1, 1, 1]],
    ['tables stand alone', [entry(0, { leaf: false }), entry(1, { leaf: false })], [1, 1]],
    ['pages of 2 MiB', [0, 1].map((i) => entry(i, { level: 2, target: i << 21 })), [2]],
    ['pages of 4 MiB', [0, 1].map((i) => entry(i, { level: 2, bytes: 4, target: i << 22 })), [2]],
    ['nothing', [], []],
  ];
  for (const [name, entries, counts] of CASES) {
    it(name, () => {
      assert.deepEqual(rows(tableOf(entries)).map(({ count }) => count), counts); // prettier-ignore
    });
  }

  it('each is a row of its own where it can be changed', () => {
    assert.equal(rows(tableOf([entry(0), entry(1), entry(2)]), '0x0', true).length, 3);
  });

  it('addresses below the root count from where their table begins', () => {
    assert.equal(rows(tableOf([entry(2)]), '0xffff800000000000')[0]!.first.gva, '0xffff800000002000');
  });

  it('names sizes and rights', () => {
    assert.equal(size(pageBytes({ level: 1, bytes: 8 })), '4 KiB');
    assert.equal(size(pageBytes({ level: 2, bytes: 8 })), '2 MiB');
    assert.equal(size(pageBytes({ level: 2, bytes: 4 })), '4 MiB');
    assert.equal(size(pageBytes({ level: 3, bytes: 8 })), '1 GiB');
    assert.equal(meanings(entry(0)), 'writable, executable');
  });
});
