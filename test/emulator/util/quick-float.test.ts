/** The quick way gives the bits and the flags of the exact one, or says that it cannot. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import * as exact from '../../../emulator/util/binary-float';
import type { Lane } from '../../../emulator/util/binary-float';
import { QUICK, isExact, perform } from '../../../emulator/util/quick-float';
import type { Quick } from '../../../emulator/util/quick-float';
import { EXCEPTION, FORMAT32, FORMAT64 } from '../../../emulator/util/softfloat';

const view = new DataView(new ArrayBuffer(8));
const WIDTHS = {
  32: { format: FORMAT32, numbers: fc.float(), bits: (x: number) => (view.setFloat32(0, x), BigInt(view.getUint32(0))) },
  64: { format: FORMAT64, numbers: fc.double(), bits: (x: number) => (view.setFloat64(0, x), view.getBigUint64(0)) },
} as const; // prettier-ignore
const OPERATIONS: [keyof typeof QUICK, Lane][] = [
  ['add', exact.add],
  ['subtract', exact.subtract],
  ['multiply', exact.multiply],
  ['divide', exact.divide],
  ['squareRoot', exact.squareRoot],
];
/** Few digits, so that results are often exact. */
const short = fc
  .tuple(fc.integer({ min: -9999, max: 9999 }), fc.integer({ min: -160, max: 160 }))
  .map(([m, e]) => Math.fround(m * 2 ** e));

describe('quick floats', () => {
  for (const width of [32, 64] as const)
    for (const [name, lane] of OPERATIONS)
      it(`${name}, ${width} bits`, () => {
        const quick: Quick = QUICK[name];
        const { format, numbers, bits } = WIDTHS[width];
        const operand = fc.oneof(numbers, short);
        let taken = 0;
        fc.assert(
          fc.property(operand, operand, (x, y) => {
            const r = perform(quick, width, x, y);
            if (Number.isNaN(r)) return;
            taken++;
            const env = new exact.SseEnvironment(0x1f80);
            assert.equal(bits(r), lane(env, format, bits(x), bits(y)));
            const kept = isExact(quick, x, y, r);
            assert.equal(env.flags & ~EXCEPTION.PRECISION, 0);
            if (kept !== undefined) assert.equal(env.flags === 0, kept);
          }),
          { numRuns: 2000 },
        );
        assert.ok(taken > 200, `only ${taken} were taken`);
      });
});
