/** Random programs in both tiers; `npm run test:tiers` for more of them. */
import assert from 'node:assert/strict';
import { compareTiers } from './tiers';

describe('tiers', () => {
  it('agree on random programs, at random stops, through faults', () => {
    const regions = compareTiers(1, 12, 1500);
    assert.ok(regions > 40, `only ${regions} regions were compiled`);
  }).timeout(120_000);
});
