/** Domains on one host: what a guest can see of itself is what it would see alone. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createMachine } from '../../../emulator/index';
import type { Machine, MachineConfig } from '../../../emulator/index';
import { Domains } from '../../../emulator/machine/domains';

const kernel = readFileSync(new URL('../../../guests/sample/sample.elf', import.meta.url));
const EAGER: MachineConfig['tier'] = { threshold: 25, batch: 4, moduleBytes: 100_000 };
const config: MachineConfig = { memory: 16 << 20, cpus: 1, tier: EAGER };
const boot = (machine: Machine): string[] => {
  const lines: string[] = [];
  machine.onConsole = (bytes) => lines.push(String.fromCharCode(...bytes));
  machine.boot({ name: 'sample.elf', kernel, append: 'exit' });
  return lines;
};
const POINT = 300_000;

describe('domains', () => {
  const alone = createMachine(config);
  const said = boot(alone);
  const stop = alone.run(POINT);
  const expected = alone.stateHash();

  it('run as they would alone, in frames that are not where they seem', () => {
    const [{ machine }] = new Domains([{ ...config, name: 'one' }]).all;
    const lines = boot(machine);
    assert.deepEqual(machine.run(POINT), stop);
    assert.equal(machine.stateHash(), expected);
    assert.deepEqual(lines, said);
  });

  it('do not notice each other, however their turns are cut', () => {
    const memory = [config.memory, config.memory, 32 << 20];
    const machines = new Domains(memory.map((bytes, i) => ({ ...config, memory: bytes, name: `${i}` }))).all.map(
      ({ machine }) => machine,
    );
    machines.forEach(boot);
    const left = machines.map(() => POINT);
    for (let slice = 1; left.some((n) => n > 0); slice = (slice * 7) % 10_007)
      machines.forEach((machine, i) => {
        const n = Math.min(slice, left[i]);
        left[i] = n > 0 && machine.run(n).kind === 'limit' ? left[i] - n : 0;
      });
    assert.equal(machines[0].stateHash(), expected);
    assert.equal(machines[1].stateHash(), expected);
  });
});
