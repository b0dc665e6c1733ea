/** Steps in translated code: they are seen where they are, and the guest is as if nobody had stepped. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createMachine } from '../../../emulator/index';
import type { Machine, MachineConfig, TranslatedPosition } from '../../../emulator/index';

const folder = join(__dirname, '../../../guests');
function boot(name: string, technique: MachineConfig['technique'], cpus = 1): Machine {
  const machine = createMachine({ memory: 16 << 20, cpus, technique });
  machine.boot({ name, kernel: readFileSync(join(folder, `${name}.elf`)), append: '' });
  return machine;
}
const FREE = ['join', 'stub', 'lookup', 'untranslated'];
/** Each step is checked against what is said of it before. */
function step(machine: Machine, cpu: number, compared: boolean): { kind: TranslatedPosition['kind']; ended: boolean } {
  const { inspect, translation } = machine.virtualization!;
  const position = inspect.translatedPosition(cpu)!;
  const { kind, gva, rip, hpa, to } = position;
  assert.equal(gva, machine.inspect.pc(cpu));
  const { instructions } = machine;
  const hash = compared && FREE.includes(kind) ? machine.stateHash() : undefined;
  if (hpa === undefined) assert.equal(rip, gva);
  else if (kind !== 'stub') assert.equal(inspect.gvaOfTranslation(hpa), gva);
  const followed = translation!.follow(cpu);
  if (followed) {
    assert.ok(FREE.includes(kind), `a ${kind} is no step without time`);
    assert.equal(machine.instructions, instructions);
    assert.equal(machine.inspect.pc(cpu), gva);
    if (hash !== undefined) assert.equal(machine.stateHash(), hash, kind);
    const after = inspect.translatedPosition(cpu)!;
    assert.ok(after.hpa !== undefined && after.hpa !== hpa);
    if (to !== undefined) assert.equal(after.hpa, to);
    return { kind, ended: false };
  }
  const { kind: stop } = machine.step(cpu);
  translation!.executed(cpu, position);
  // A page fault of the fetch is found by the guest.
  if (FREE.includes(kind)) assert.notEqual(kind, 'join');
  return { kind, ended: stop !== 'limit' && stop !== 'requested' };
}

describe('steps in translated code', () => {
  /** `every`: of how many instructions one is stepped to in the translation. */
  const ROWS: { name: string; steps: number; every: number; kinds: readonly string[] }[] = [
    { name: 'tests/sensitive', steps: 6000, every: 1, kinds: ['instruction', 'in-line', 'call-out', 'join', 'stub', 'lookup'] },
    { name: 'tests/sensitive-long', steps: 6000, every: 1, kinds: ['instruction', 'in-line', 'call-out', 'join', 'stub'] },
    { name: 'tests/exceptions', steps: 4000, every: 3, kinds: ['instruction', 'call-out'] },
    { name: 'tests/tasks', steps: 4000, every: 7, kinds: ['instruction', 'call-out'] },
    { name: 'tests/long-mode', steps: 4000, every: 11, kinds: ['instruction'] },
    { name: 'sample/sample', steps: 4000, every: 3989, kinds: ['instruction', 'direct', 'join', 'stub'] },
  ]; // prettier-ignore
  for (const { name, steps, every, kinds } of ROWS)
    it(name, () => {
      const stepped = boot(name, 'binary-translation');
      const seen = new Set<string>();
      for (let i = 0, ended = false; i < steps && !ended; i++) {
        const last = step(stepped, 0, i % 29 === 0);
        seen.add(last.kind);
        ended = last.ended;
        if (every > 1 && !ended && i % 8 === 7) ended = stepped.run(every).kind !== 'limit';
      }
      for (const kind of kinds) assert.ok(seen.has(kind), `${kind} among ${[...seen].join()}`);
      // Nothing that the guest could see has changed by it, here or later.
      for (const technique of ['binary-translation', 'none'] as const) {
        const plain = boot(name, technique);
        plain.run(stepped.instructions);
        assert.equal(plain.instructions, stepped.instructions);
        assert.equal(plain.stateHash(), stepped.stateHash(), technique);
      }
      assert.deepEqual(stepped.virtualization!.inspect.checkShadow(10), []);
    }).timeout(60_000);
});
