/** How often a line has left the guest, above it and in its hover. */
import assert from 'node:assert/strict';
import '../support/fake-vscode';
import { countText, lineText, type LineCounts } from '../../../extension/language/count-text';

const ROWS: { counts: LineCounts; lens: string; hover: string }[] = [
  {
    counts: { exits: 1, reasons: { io: 1 }, holes: 0 },
    lens: 'trapped once in this run (io)',
    hover: 'Here, the guest trapped once in this run (io).',
  },
  {
    counts: { exits: 1203, reasons: { io: 3, 'cr-access': 1200 }, holes: 0 },
    lens: 'trapped 1,203 times in this run (cr-access, io)',
    hover: 'Here, the guest trapped 1,203 times in this run (cr-access, io).\n- cr-access: 1,200\n- io: 3',
  },
  {
    counts: { exits: 0, reasons: {}, holes: 2 },
    lens: 'fell through 2 times without a trap',
    hover: 'Here, the guest fell through 2 times without a trap.',
  },
  {
    counts: { exits: 1, reasons: { hlt: 1 }, holes: 1 },
    lens: 'trapped once in this run (hlt); fell through once without a trap',
    hover: 'Here, the guest trapped once in this run (hlt); fell through once without a trap.',
  },
];

describe('counts of a line in words', () => {
  for (const { counts, lens, hover } of ROWS)
    it(lens, () => assert.deepEqual([countText(counts), lineText(counts, undefined)], [lens, hover]));

  it('says that what could leave the guest has not', () => {
    assert.equal(lineText(undefined, { mnemonic: 'lgdt' }), 'In this run lgdt has not left the guest here.');
    assert.equal(lineText(undefined, undefined), undefined);
  });
});
