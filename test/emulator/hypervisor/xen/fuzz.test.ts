import assert from 'node:assert/strict';
import { HypercallFuzzer } from './random-hypercalls';
import { PrivilegedFuzzer } from './random-privileged';

const CALLS = 15_000;
const AUDIT_EVERY = 500;
const CALLS_OF_ZERO = 6000;

describe('random hypercalls', function () {
  this.timeout(60_000);
  for (const word of [8, 4] as const)
    it(`of a ${word * 8}-bit guest keep its frames' counts true and leave the other domain alone`, () => {
      const fuzzer = new HypercallFuzzer(word, 20_240_101 + word);
      const other = fuzzer.guests[1].machine;
      const before = other.stateHash();
      for (let i = 1; i <= CALLS; i++) {
        fuzzer.step();
        if (i % AUDIT_EVERY === 0) assert.deepEqual(fuzzer.audit(), [], `after ${i} calls`);
      }
      assert.equal(other.stateHash(), before);
      assert.ok(fuzzer.done > CALLS / 15, `${fuzzer.done} calls did something`);
      assert.ok(fuzzer.refusals.size > 40, `${fuzzer.refusals.size} rules were met`);
    });
  for (const word of [8, 4] as const)
    it(`of a domain 0 of ${word * 8} bits about others keep everybody's counts true and leave no frame behind`, () => {
      const fuzzer = new PrivilegedFuzzer(word, 20_240_101 + word);
      for (let i = 1; i <= CALLS_OF_ZERO; i++) {
        fuzzer.step();
        if (i % (CALLS_OF_ZERO / 4) === 0) assert.deepEqual(fuzzer.audit(), [], `after ${i} calls`);
      }
      assert.ok(fuzzer.done > CALLS_OF_ZERO / 15, fuzzer.summary());
      assert.ok(fuzzer.refusals.size > 40, fuzzer.summary());
      assert.ok(fuzzer.mapped > 100, fuzzer.summary());
      assert.equal(fuzzer.leftovers(), 0);
    });
});
