/** Several processors, and task switches, under every technique: the guest ends as on the bare machine, after as many instructions. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createMachine } from '../../../emulator/index';
import type { MachineConfig } from '../../../emulator/index';

const WAYS: readonly Pick<MachineConfig, 'technique' | 'paging'>[] = [
  { technique: 'vt-x', paging: 'nested' },
  { technique: 'vt-x', paging: 'shadow' },
  { technique: 'amd-v', paging: 'nested' },
  { technique: 'amd-v', paging: 'shadow' },
  { technique: 'binary-translation' },
];
const GUESTS = [
  /** Locks with PAUSE, INIT and start-up IPIs, processors that begin in real mode. */
  { name: 'processors.elf', cpus: 4 },
  /** TSSs with a CR3 of their own. */
  { name: 'tasks.elf', cpus: 1 },
] as const;

for (const { name, cpus } of GUESTS)
  describe(`${name} with ${cpus} processors`, () => {
    const kernel = readFileSync(new URL(`../../../guests/tests/${name}`, import.meta.url));
    const ending = (config: Partial<MachineConfig>): unknown => {
      const machine = createMachine({ memory: 256 << 20, cpus, ...config });
      machine.boot({ name, kernel });
      const { kind } = machine.run(10_000_000);
      return { kind, instructions: machine.instructions, hash: machine.stateHash() };
    };
    const bare = ending({});
    for (const way of WAYS)
      it([way.technique, way.paging].filter(Boolean).join(', '), () => assert.deepEqual(ending(way), bare));
  });
