/**
 * Every row of the opcode table that runs in user mode, in every form, against the processor that this runs on.
 * COUNT: cases for each row and code size (default 4; 2000 makes millions); SEED repeats a run; ROWS: a pattern of mnemonics.
 */
import { strict as assert } from 'node:assert';
import { ROWS } from '../../emulator/isa/opcodes';
import { differences, undefinedResult } from './compare';
import { Generator } from './generate';
import type { Generated } from './generate';
import { HostOracle } from './oracle';
import { Random } from './random';
import { Ringside } from './ringside';

const count = Number(process.env.COUNT ?? 4);
const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);
const pattern = new RegExp(process.env.ROWS ?? '');
const BATCH = 4096;
/** Within one unit in the last place, as the manuals promise. */
const TRANSCENDENTAL = /^(f2xm1|fyl2x|fyl2xp1|fptan|fpatan|fsin|fcos|fsincos)$/;

describe('instructions agree with the host processor', function () {
  this.timeout(0);
  let host: HostOracle;
  let ours: Ringside;
  before(function () {
    const reason = HostOracle.unavailable();
    if (reason) {
      console.log(`      skipped: ${reason}`);
      this.skip();
    }
    host = new HostOracle();
    ours = new Ringside();
  });

  function compareBatch(batch: readonly Generated[], found: Map<string, string>): void {
    const results = host.run(batch.map((g) => g.case));
    batch.forEach(({ row, case: c }, i) => {
      if (results[i].stray || undefinedResult(c, row)) return;
      const ulps = TRANSCENDENTAL.test(row.mnemonic) ? 1 : 0;
      const [mine] = ours.run([c]);
      const different = differences(c, { host: results[i], ours: mine, row, ulps });
      const key = `${row.mnemonic} ${row.opcode} ${row.operands}`;
      if (different.length && !found.has(key))
        found.set(key, `${key}: ${Buffer.from(c.code).toString('hex')}: ${different.slice(0, 3).join('; ')}`);
    });
  }

  for (const codeSize of [64, 32] as const)
    it(`${codeSize}-bit code, SEED=${seed} COUNT=${count}`, () => {
      // What VT-x and AMD-V do needs another privilege: test/guests/hypervisors.test.ts.
      const user = ROWS.filter(({ attributes }) => attributes.feature !== 'vmx' && attributes.feature !== 'svm');
      const known = user.filter((row) => pattern.test(row.mnemonic) && host.has(row.attributes.feature));
      const found = new Map<string, string>();
      let batch: Generated[] = [];
      for (const generated of new Generator(known, new Random(seed)).cases(codeSize, count)) {
        batch.push(generated);
        if (batch.length === BATCH) {
          compareBatch(batch, found);
          batch = [];
        }
      }
      compareBatch(batch, found);
      assert.deepEqual([...found.values()], [], `on ${host.name}, SEED=${seed} COUNT=${count}`);
    });
});
