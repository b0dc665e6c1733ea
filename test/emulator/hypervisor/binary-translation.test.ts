/**
 * The tiny kernels that try out one feature of the processor each, under binary translation: they print what they print on
 * the bare machine, and end in its state.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createMachine } from '../../../emulator/index';
import type { MachineConfig } from '../../../emulator/index';

const folder = join(__dirname, '../../../guests/tests');
const names = readdirSync(folder).flatMap((file) => (file.endsWith('.elf') ? [file.slice(0, -4)] : []));
const CPUS: Record<string, number> = { processors: 4 };

function run(name: string, technique: MachineConfig['technique']) {
  const machine = createMachine({ memory: 16 << 20, cpus: CPUS[name] ?? 1, technique });
  let text = '';
  machine.onConsole = (bytes) => (text += Buffer.from(bytes).toString('latin1'));
  machine.boot({ name, kernel: readFileSync(join(folder, `${name}.elf`)), append: '' });
  const { kind } = machine.run(20_000_000);
  return { text, kind, stateHash: machine.stateHash() };
}

describe('features of the processor, under binary translation', () => {
  for (const name of names)
    it(name, () => {
      const bare = run(name, 'none');
      assert.deepEqual(run(name, 'binary-translation'), bare);
    }).timeout(60_000);
});
