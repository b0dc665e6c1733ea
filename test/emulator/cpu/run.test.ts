/**
 * The step loop on a real kernel: stops are exact, slices do not matter, and looking does not change what is looked at
 * (DESIGN rule 7).
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { createMachine } from '../../../emulator/index';
import type { Machine, MachineConfig, Stop } from '../../../emulator/index';
import { runInSlices } from './slices';

const kernel = readFileSync(new URL('../../../guests/sample/sample.elf', import.meta.url));
type Tier = MachineConfig['tier'];
/** So eager that most of what runs is compiled, and that batches and eviction happen. */
const EAGER: Tier = { threshold: 25, batch: 4, moduleBytes: 100_000 };
const create = (tier: Tier): Machine => createMachine({ memory: 16 << 20, cpus: 1, tier });
const bootIn = (tier: Tier): Machine => {
  const machine = create(tier);
  machine.boot({ name: 'sample.elf', kernel, append: 'exit' });
  return machine;
};
/** Somewhere in the middle: paging, interrupts and user programs are on. */
const POINT = 60_000;

for (const [name, tier] of [
  ['interpreter', 'interpreter'],
  ['compiler', EAGER],
] as const)
  describe(`the step loop, ${name}`, () => {
    const boot = (): Machine => bootIn(tier);
    const whole = boot();
    assert.deepEqual(whole.run(POINT), { kind: 'limit' });
    const expected = whole.stateHash();

    it('is in the state that the interpreter comes to', () => {
      const reference = bootIn('interpreter');
      reference.run(POINT);
      assert.equal(expected, reference.stateHash());
    });

    it('runs the same twice, to its end', () => {
      const ends = [boot(), boot()].map((machine) => {
        let stop: Stop;
        do stop = machine.run(1 << 20);
        while (stop.kind === 'limit');
        return [stop.kind, machine.instructions, machine.stateHash()];
      });
      assert.deepEqual(ends[0], ends[1]);
      assert.equal(ends[0][0], 'debug-exit');
    });

    it('stops after exactly N instructions, however it is sliced', () => {
      fc.assert(
        fc.property(fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1, maxLength: 40 }), (slices) => {
          const machine = boot();
          runInSlices(machine, slices, POINT);
          assert.equal(machine.stateHash(), expected);
        }),
        { numRuns: 12 },
      );
    });

    it('ends in the same state one instruction at a time', () => {
      const machine = boot();
      while (machine.instructions < POINT) assert.equal(machine.step(0).kind, 'limit');
      assert.equal(machine.stateHash(), expected);
    });

    it('ends in the same state with breakpoints, watchpoints and filters that never stop', () => {
      const machine = boot();
      let asked = 0;
      const never = (): boolean => (asked++, false);
      machine.run(20_000);
      const pcs = new Set<bigint>();
      for (let i = 0; i < 200; i++) {
        machine.run(7);
        pcs.add(machine.inspect.pc(0));
      }
      machine.setBreakpoints([...pcs].map((gva, id) => ({ id, gva, when: never })));
      const rsp = machine.inspect.registers(0).get('rsp')!;
      machine.setWatchpoints([{ id: 1, gva: rsp & ~0xfffn, bytes: 4096, access: 'readWrite', when: never }]);
      machine.setTrapFilters([{ when: never }]);
      while (machine.instructions < POINT) assert.equal(machine.run(POINT - machine.instructions).kind, 'limit');
      assert.ok(asked > 1000, `conditions were asked only ${asked} times`);
      assert.equal(machine.stateHash(), expected);
    });

    it('goes on from a restored snapshot as if nothing had happened', () => {
      const first = boot();
      first.run(POINT / 2);
      const saved = structuredClone(first.save());
      const second = create(tier);
      second.restore(saved);
      second.run(POINT - second.instructions);
      assert.equal(second.stateHash(), expected);
    });
  });
