/** Runs cut into pieces: tests ask that the pieces do not show. */
import assert from 'node:assert/strict';
import type { Machine } from '../../../emulator/machine/api';

/** On to instruction `point` in slices of these lengths, over and over; each retires exactly what was asked. */
export function runInSlices(machine: Machine, slices: readonly number[], point: number): void {
  for (let i = 0; machine.instructions < point; i++) {
    const n = Math.min(slices[i % slices.length], point - machine.instructions);
    const before = machine.instructions;
    assert.equal(machine.run(n).kind, 'limit');
    assert.equal(machine.instructions - before, n);
  }
}
