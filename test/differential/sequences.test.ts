/** Random programs on the processor that this runs on; `npm run test:tiers` for more of them. */
import assert from 'node:assert/strict';
import { HostOracle } from './oracle';
import { HostComparison } from './sequences';

describe('programs end as on the host processor', () => {
  it('random ones of user mode, through faults and code that is written', function () {
    const reason = HostOracle.unavailable();
    if (reason) {
      console.log(`      skipped: ${reason}`);
      return this.skip();
    }
    const host = new HostComparison();
    for (let seed = 1; seed <= 40; seed++) host.compare(seed, 20_000);
    host.flush();
    const { programs, endless, executed } = host.figures;
    assert.ok(endless < 5, `${endless} programs came to no end`);
    assert.ok(executed > programs * 500, `only ${executed} instructions were executed`);
  }).timeout(120_000);
});
