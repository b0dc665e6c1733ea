/** The debugging part of the bench at small sizes: every row can be measured. Nothing is timed. */
import assert from 'node:assert/strict';
import { rowsOf, SMALL } from '../../bench/debugging';
import { haveGdb, haveQemu } from '../../bench/support/host';

describe('bench: debugging', () => {
  for (const { name, ours, theirs } of rowsOf(SMALL, haveQemu(), haveGdb()))
    it(name, async () => {
      const rate = await ours();
      assert.ok(rate.wall > 0 && rate.cpu > 0);
      if (theirs) assert.ok((await theirs()).wall > 0);
    }).timeout(60_000);
});
