/**
 * Several processors: a run is the same however it is cut, looked at or restored, and stops name the processor. The guest
 * is guests/tests/processors.S; that it prints what it should is test/guests/features.test.ts.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { createMachine } from '../../../emulator/index';
import type { Machine, MachineConfig, Stop } from '../../../emulator/index';
import { QUANTUM } from '../../../emulator/cpu/turns';
import { runInSlices } from './slices';

const kernel = readFileSync(new URL('../../../guests/tests/processors.elf', import.meta.url));
const CPUS = 4;
const create = (cpus = CPUS, tier: MachineConfig['tier'] = 'interpreter'): Machine =>
  createMachine({ memory: 16 << 20, cpus, tier });
const boot = (tier?: MachineConfig['tier']): Machine => {
  const machine = create(CPUS, tier);
  machine.boot({ name: 'processors.elf', kernel });
  return machine;
};
const each = Array.from({ length: CPUS }, (_, cpu) => cpu);
/** All four count under a lock; before and after it three wait. */
const POINT = 400_000;

describe('several processors', () => {
  const whole = boot();
  assert.deepEqual(whole.run(POINT), { kind: 'limit' });
  const expected = whole.stateHash();

  it('run the same twice, to the end', () => {
    const ends = [boot(), boot()].map((machine) => {
      let stop: Stop;
      do stop = machine.run(1 << 20);
      while (stop.kind === 'limit');
      return [stop.kind, machine.instructions, machine.stateHash()];
    });
    assert.deepEqual(ends[0], ends[1]);
    assert.equal(ends[0][0], 'debug-exit');
  });

  it('stop after exactly N instructions, however they are sliced', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 3 * QUANTUM }), { minLength: 1, maxLength: 40 }), (slices) => {
        const machine = boot();
        runInSlices(machine, slices, POINT);
        assert.equal(machine.stateHash(), expected);
      }),
      { numRuns: 10 },
    );
  });

  it('end in the same state in the compiler, which gets to work at once', () => {
    for (const slice of [POINT, 33_333]) {
      const machine = boot({ threshold: 4, batch: 1 });
      while (machine.instructions < POINT) machine.run(Math.min(slice, POINT - machine.instructions));
      assert.equal(machine.stateHash(), expected);
    }
  });

  it('are all stepped without a change of who runs when', () => {
    const machine = boot();
    machine.run(150_000);
    for (let i = 0; machine.instructions < 300_000; i++) {
      const cpu = i % CPUS;
      const before = machine.inspect.registers(cpu).get('rip');
      const stop = machine.step(cpu);
      if (stop.kind === 'limit') assert.notEqual(machine.inspect.registers(cpu).get('rip'), before, `step ${i}`);
      else assert.equal(stop.kind, 'requested');
    }
    machine.run(POINT - machine.instructions);
    assert.equal(machine.stateHash(), expected);
  });

  it('a step of one that waits for its start-up interrupt returns', () => {
    const machine = boot();
    assert.equal(machine.inspect.halted(1), true);
    assert.deepEqual(machine.step(1), { kind: 'requested' });
    assert.equal(machine.inspect.halted(1), true);
  });

  it('end in the same state with breakpoints, watchpoints and filters that never stop', () => {
    const machine = boot();
    const asked = new Set<number>();
    const never = (cpu = 0): boolean => (asked.add(cpu), false);
    const trapped = new Set<number>();
    machine.run(200_000);
    const pcs = new Set<bigint>();
    for (let i = 0; i < 200; i++) {
      machine.run(7);
      for (const cpu of each) pcs.add(machine.inspect.pc(cpu));
    }
    machine.setBreakpoints([...pcs].map((gva, id) => ({ id, gva, when: never })));
    machine.setWatchpoints([{ id: 1, gva: 0x10_8000n, bytes: 4096, access: 'readWrite', when: never }]);
    machine.setTrapFilters([{ when: (_, cpu) => (trapped.add(cpu), false) }]);
    while (machine.instructions < POINT) assert.equal(machine.run(POINT - machine.instructions).kind, 'limit');
    assert.equal(machine.stateHash(), expected);
    assert.deepEqual([...asked].sort(), each);
    machine.setBreakpoints([]);
    machine.setWatchpoints([]);
    machine.run(1_000_000);
    assert.deepEqual([...trapped].sort(), each);
  });

  it('go on from a restored snapshot as if nothing had happened, in a new machine and in one that has run', () => {
    for (const at of [17, 100_003, 210_007, 333_333]) {
      const first = boot();
      first.run(at);
      const saved = structuredClone(first.save());
      for (const second of [create(), whole]) {
        second.restore(saved);
        second.run(POINT - second.instructions);
        assert.equal(second.stateHash(), expected);
      }
    }
    assert.throws(() => create(2).restore(boot().save()), /4 processors; create the machine with cpus: 4/);
  });

  it('stops name the processor, and its registers are the ones there', () => {
    const machine = boot();
    machine.run(250_000);
    const gva = machine.inspect.pc(2);
    machine.setBreakpoints([{ id: 7, gva, when: (cpu) => cpu === 2 }]);
    const stop = machine.run(1_000_000);
    assert.deepEqual(stop, { kind: 'breakpoint', cpu: 2, gva, ids: [7] });
    assert.equal(machine.inspect.pc(2), gva);
    machine.setBreakpoints([]);
    const sp = machine.inspect.registers(3).get('rsp')!;
    machine.setWatchpoints([{ id: 8, gva: sp - 4n, bytes: 4, access: 'write' }]);
    const watched = machine.run(1_000_000);
    assert.ok(watched.kind === 'watchpoint' && watched.cpu === 3, JSON.stringify(watched.kind));
  });

  it('edits reach a processor that is not running', () => {
    const machine = boot();
    machine.run(250_000);
    for (const cpu of each) machine.inspect.registers(cpu).set('r15', BigInt(cpu + 100));
    machine.run(3 * QUANTUM);
    for (const cpu of each) assert.equal(machine.inspect.registers(cpu).get('r15'), BigInt(cpu + 100));
  });

  it('are as many as can be named', () => {
    for (const cpus of [0, 9, 1.5])
      assert.throws(() => create(cpus), { name: 'UserError', message: /^cpus: .*give a whole number from 1 to 8\.$/ });
  });
});
