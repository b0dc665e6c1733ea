/** A domain 0 that maps another domain's frames: once an entry is gone, nothing that a processor remembers reaches the frame. */
import assert from 'node:assert/strict';
import type { HypercallError } from '../../../../emulator/hypervisor/xen/ports';
import { pvGuests } from './pv-guest';
import type { PvGuest } from './pv-guest';

const MMU_UPDATE = 1;
const UPDATE_VA_MAPPING_OTHERDOMAIN = 22;
const PAGE = 3;

describe('mappings of other domains\' frames', () => {
  it('are forgotten by the processor with their entry, whoever asks for no flush', () => {
    const [zero, other] = pvGuests([8, 8], { firstId: 0 }).guests as [PvGuest, PvGuest];
    const gva = zero.scratch(PAGE);
    const mfn = other.frame(other.scratch(PAGE));
    const map = zero.call(UPDATE_VA_MAPPING_OTHERDOMAIN, gva, (BigInt(mfn) << 12n) | 0x67n, 2, other.domain.id);
    assert.equal(map.refusal, undefined);
    zero.caller.write(gva, 4, 0x1234);
    assert.equal(other.caller.read(other.scratch(PAGE), 4), 0x1234);
    const { mfn: table, offset } = zero.domain.entryFor(gva);
    zero.caller.write64(zero.scratch(0), (BigInt(table) << 12n) | BigInt(offset));
    zero.caller.write64(zero.scratch(0) + 8n, 0n);
    assert.equal(zero.call(MMU_UPDATE, zero.scratch(0), 1, 0, other.domain.id).refusal, undefined);
    assert.throws(() => zero.caller.write(gva, 4, 0x5678), ({ message }: HypercallError) => message.includes('cannot be accessed'));
    assert.equal(other.caller.read(other.scratch(PAGE), 4), 0x1234);
  });
}); // prettier-ignore
