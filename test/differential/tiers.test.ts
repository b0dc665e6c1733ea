/** Random programs in both tiers; `npm run test:tiers` for more of them. */
import assert from 'node:assert/strict';
import { TierComparison } from './tiers';

describe('tiers', () => {
  it('agree on random programs, at random stops, through faults', () => {
    const tiers = new TierComparison();
    for (let seed = 1; seed <= 12; seed++) tiers.compare(seed, 20_000);
    const { executed, compiled, regions } = tiers.figures;
    assert.ok(regions > 40, `only ${regions} regions were compiled`);
    assert.ok(compiled > executed / 2, `compiled code retired only ${compiled} of ${executed} instructions`);
  }).timeout(120_000);
});
