/**
 * Conditions at breakpoints, asked from inside generated code: each time once, however the run is cut, and a run in which
 * none holds ends as one without breakpoints. The workloads of the bench: `visit` is called in a loop.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { createMachine } from '../../../emulator/index';
import type { BreakpointSpec, Machine, MachineConfig, Stop } from '../../../emulator/index';
import { readElf } from '../../../emulator/machine/elf';

const IMAGE = readFileSync(resolve('bench/kernels/kernels.elf'));
const symbol = (name: string): bigint => [...readElf('kernels.elf', IMAGE).symbols()].find((s) => s.name === name)!.value; // prettier-ignore
const CALLS = 20_000;
const TIERS = ['interpreter', 'compiler'] as const;

function machineWith(tier: MachineConfig['tier'], specs: readonly BreakpointSpec[], append: string): Machine {
  const machine = createMachine({ memory: 64 << 20, cpus: 1, tier });
  machine.boot({ name: 'kernels.elf', kernel: IMAGE, append });
  machine.setBreakpoints(specs);
  return machine;
}
/** To the end, in slices of so many instructions. */
function finish(machine: Machine, slice: number): Stop {
  for (;;) {
    const stop = machine.run(slice);
    if (stop.kind !== 'limit' && stop.kind !== 'requested') return stop;
  }
}

describe('conditions at breakpoints', () => {
  const visit = symbol('visit');
  for (const tier of TIERS)
    for (const slice of [1_000_000, 777])
      it(`${tier}, slices of ${slice}: asked once a call, the end is the same`, () => {
        const plain = machineWith(tier, [], `visits ${CALLS} 1`);
        assert.equal(finish(plain, 1_000_000).kind, 'debug-exit');
        let asked = 0;
        const seen: bigint[] = [];
        const when = (): boolean => {
          if (asked % 1000 === 7) machine.requestStop();
          if (asked++ < 3) seen.push(machine.inspect.registers(0).get('rdi')!, machine.inspect.pc(0));
          return false;
        };
        const machine = machineWith(tier, [{ id: 1, gva: visit, when }], `visits ${CALLS} 1`);
        assert.equal(finish(machine, slice).kind, 'debug-exit');
        assert.equal(asked, CALLS);
        assert.deepEqual(seen, [0n, visit, 1n, visit, 2n, visit]);
        assert.equal(machine.stateHash(), plain.stateHash());
      });

  for (const tier of TIERS)
    it(`${tier}: a loop's head asks each time around, and stops where the condition holds`, () => {
      const { inspect } = machineWith(tier, [], '');
      const loop = inspect.disassemble(0, symbol('visits'), 20, 64).find(({ text }) => text.startsWith('jne'))!; // prettier-ignore
      let asked = 0;
      const machine = machineWith(tier, [{ id: 4, gva: loop.target!, when: () => ++asked === 9000 }], `visits ${CALLS} 1`); // prettier-ignore
      assert.deepEqual(finish(machine, 100_000_000), { kind: 'breakpoint', cpu: 0, gva: loop.target!, ids: [4] });
      assert.equal(asked, 9000);
      const stopped = machine.instructions;
      assert.equal(finish(machine, 100_000_000).kind, 'debug-exit');
      assert.ok(machine.instructions > stopped);
      assert.ok(asked >= CALLS - 1 && asked <= CALLS);
    });

  it('what a condition throws comes out of the run, which can go on', () => {
    let asked = 0;
    const when = (): boolean => {
      if (++asked === 5000) throw new Error('no value');
      return false;
    };
    const machine = machineWith('compiler', [{ id: 1, gva: visit, when }], `visits ${CALLS} 1`);
    assert.throws(() => finish(machine, 100_000_000), /no value/);
    assert.equal(machine.inspect.pc(0), visit);
    machine.setBreakpoints([]);
    assert.equal(finish(machine, 100_000_000).kind, 'debug-exit');
  });
});
