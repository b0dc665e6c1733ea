/** The part of the bench about exits at a small size: each loop leaves for what it says, and its guest cannot tell. Nothing is timed. */
import assert from 'node:assert/strict';
import { hypercallRate, KINDS, rateOf, SMALL, unusedFilter, WAYS } from '../../bench/exits';
import { HOSTED, rateHosted } from '../../bench/hosted-exits';

/** With nested paging the page tables are the guest's own. */
const NESTED_HAS_NONE: readonly string[] = ['3', 'p'];

describe('bench: exits', () => {
  for (const way of WAYS)
    for (const kind of KINDS)
      it(`${kind.name}, ${way.technique}, ${way.paging}`, () => {
        const none = way.paging === 'nested' ? NESTED_HAS_NONE.includes(kind.append) : way.technique === 'trap-and-emulate' && kind.append === 'c';
        assert.equal(rateOf(kind, way, SMALL) === 0, none);
      }); // prettier-ignore
  it('hypercalls', () => assert.ok(hypercallRate(SMALL) > 0));
  it('exits to a hypervisor of ours', () => assert.ok(rateHosted(HOSTED[1], 0, 1) > 0)).timeout(60_000);
  it('a loop without exits', () => assert.ok(unusedFilter(SMALL.measured) > 0));
});
