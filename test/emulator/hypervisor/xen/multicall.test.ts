/** multicall (xen.h): what comes of a batch in a batch, and of a call in it that is refused. */
import assert from 'node:assert/strict';
import { pvGuests } from './pv-guest';
import type { PvGuest } from './pv-guest';

const [MULTICALL, VERSION, UNKNOWN] = [13, 17, 55];
const [EINVAL, ENOSYS] = [-22n, -38n];
const IS_4_17 = 0x4_0011n;

for (const word of [8, 4] as const)
  describe(`multicall of a ${word * 8}-bit guest`, () => {
    const rows: readonly [what: string, calls: readonly number[], results: readonly bigint[]][] = [
      ['each has its result', [VERSION, VERSION], [IS_4_17, IS_4_17]],
      ['a batch in a batch is refused alone', [VERSION, MULTICALL, VERSION], [IS_4_17, EINVAL, IS_4_17]],
      ['an unknown call is refused alone', [UNKNOWN, VERSION], [ENOSYS, IS_4_17]],
    ];
    for (const [what, calls, results] of rows)
      it(what, () => {
        const [{ caller, call, scratch }] = pvGuests([word]).guests as [PvGuest];
        const w = BigInt(word);
        const entry = (i: number): bigint => scratch(0) + BigInt(i * 8) * w;
        calls.forEach((number, i) => {
          caller.writeBytes(entry(i), new Uint8Array(8 * word));
          caller.writeWord(entry(i), BigInt(number));
        });
        assert.equal(call(MULTICALL, scratch(0), calls.length).result, 0n);
        const signed = (value: bigint): bigint => BigInt.asIntN(word * 8, value);
        assert.deepEqual(calls.map((_, i) => signed(caller.readWord(entry(i) + w))), results); // prettier-ignore
      });
  });
