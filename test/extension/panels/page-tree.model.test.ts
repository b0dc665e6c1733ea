import assert from 'node:assert/strict';
import type { Entry } from '../../../extension/panels/page-table.model';
import {
  endOfWalk,
  linesOf,
  parentOf,
  treeText,
  type Answer,
  type Line,
} from '../../../extension/panels/page-tree.model';

const entry = (level: number, index: number, more: Partial<Entry> = {}): Entry => ({
  index, gva: `0x${(index * 4096 * 512 ** (level - 1)).toString(16)}`, name: `L${level}`, level, gpa: level * 4096 + index * 8,
  entry: '0x7', bytes: 8, present: true, writable: true, user: true, executable: true, accessed: false, dirty: false,
  global: false, leaf: level === 1, reserved: '0x0', target: (level - 1) * 4096, targetSpace: 'gp', ...more,
}); // prettier-ignore
const answer = (level: number, entries: Entry[]): Answer => ({
  table: { tables: 'guest', available: ['guest'], format: '4-level', level, gpa: level * 4096, total: entries.length, entries },
}); // prettier-ignore

const READ = new Map<string, Answer>([
  ['', answer(3, [entry(3, 0), entry(3, 5)])],
  ['/5', answer(2, [entry(2, 1), entry(2, 2, { leaf: true }), entry(2, 4, { gone: true })])],
  ['/5/1', answer(1, [entry(1, 7), entry(1, 9)])],
]);

const texts = (lines: readonly Line[]): string[] =>
  lines.map(({ depth, row, note, branch, open, walked }) => {
    const what = row ? `${row.first.name}[${row.first.index}] ${row.first.gva}` : note;
    return `${'  '.repeat(depth)}${branch ? (open ? '- ' : '+ ') : ''}${what}${walked ? ' !' : ''}`;
  });

describe('page-table view: lines of a tree', () => {
  const CASES: [name: string, open: string[], walked: string[], lines: string[]][] = [
    ['closed', [], [], ['+ L3[0] 0x0', '+ L3[5] 0x140000000']],
    ['open, with addresses of its own', ['/5'], [], ['+ L3[0] 0x0', '- L3[5] 0x140000000', '  + L2[1] 0x140200000', '  L2[2] 0x140400000', '  L2[4] 0x140800000']],
    ['what is not read yet', ['/0'], [], ['- L3[0] 0x0', '  …', '+ L3[5] 0x140000000']],
    ['two levels, and a walk through them', ['/5', '/5/1'], ['guest 12328', 'guest 8200', 'guest 4168'],
      ['+ L3[0] 0x0', '- L3[5] 0x140000000 !', '  - L2[1] 0x140200000 !', '    L1[7] 0x140207000', '    L1[9] 0x140209000 !', '  L2[2] 0x140400000', '  L2[4] 0x140800000']],
    ['what is open below something closed is not seen', ['/5/1'], [], ['+ L3[0] 0x0', '+ L3[5] 0x140000000']],
  ]; // prettier-ignore
  for (const [name, open, walked, lines] of CASES)
    it(name, () => assert.deepEqual(texts(linesOf('guest', READ, new Set(open), new Set(walked))), lines));

  it('a walk passes a row of several entries', () => {
    const read = new Map([
      [
        '',
        answer(
          1,
          [0, 1, 2].map((index) => entry(1, index, { target: index * 4096 })),
        ),
      ],
    ]);
    const walked = (gpa: number) => texts(linesOf('guest', read, new Set(), new Set([`guest ${gpa}`])));
    assert.deepEqual([walked(4096 + 16), walked(4096 + 24)], [['L1[0] 0x0 !'], ['L1[0] 0x0']]);
  });

  const ENDS: [name: string, walked: string[], end: string | undefined][] = [
    ['the last of the walk, not the lowest line', ['guest 4168', 'guest 12328', 'guest 8200'], '/5/1'],
    ['the last that is present', ['guest 12328', 'guest 8200', 'guest 4160'], '/5/1'],
    ['no walk', [], undefined],
  ];
  for (const [name, walked, end] of ENDS)
    it(`a walk ends at ${name}`, () => {
      const places = new Set(walked);
      const lines = linesOf('guest', READ, new Set(['/5', '/5/1']), places);
      assert.equal(endOfWalk('guest', places, lines)?.path, end);
    });

  it('says what is wrong, and what is empty', () => {
    const read = new Map(READ).set('/0', answer(2, [])).set('/5', { error: 'There is no RAM.' });
    const lines = linesOf('guest', read, new Set(['/0', '/5']), new Set());
    assert.deepEqual(texts(lines), ['- L3[0] 0x0', '  nothing is mapped', '- L3[5] 0x140000000', '  There is no RAM.']);
  });

  it('is text for the clipboard', () => {
    const read = new Map(READ).set('/0', answer(2, [entry(2, 0, { leaf: true, mark: 'stale', was: '0x3' }), entry(2, 9, { was: '0x0' })])); // prettier-ignore
    assert.equal(
      treeText(linesOf('guest', read, new Set(['/0']), new Set())),
      `0x0  L3[0] → gp:0x2000  PWUX···
  0x0  L2[0] → gp:0x1000 · 2 MiB  PWUX···  stale  was 0x3
  0x1200000  L2[9] → gp:0x1000  PWUX···  new
0x140000000  L3[5] → gp:0x2000  PWUX···
`,
    );
  });

  it('knows what a line stands below', () => {
    const lines = linesOf('guest', READ, new Set(['/5', '/5/1']), new Set());
    assert.deepEqual(lines.map((_, index) => parentOf(lines, index)), [-1, -1, 1, 2, 2, 1, 1]); // prettier-ignore
  });
});
