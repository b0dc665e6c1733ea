/**
 * GRUB as a paravirtualised guest, as Debian builds it (package grub-xen-host): 64-bit in ring 3, 32-bit PAE in ring 1. It speaks
 * over the PV console, asks xenstore for disks, and answers what is typed.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createMachine } from '../../../../emulator/index';
import type { Machine, MachineConfig } from '../../../../emulator/index';

const folder = join(__dirname, '../../../../.cache/guests/grub-xen-host/usr/lib/grub-xen');
const MIB = 0x10_0000;
const MOST = 80_000_000;

interface Run {
  machine: Machine;
  said(): string;
}
function boot(file: string, tier?: MachineConfig['tier']): Run {
  const machine = createMachine({ memory: 64 * MIB, cpus: 1, technique: 'paravirtual', tier });
  let said = '';
  machine.onConsole = (bytes) => (said += String.fromCharCode(...bytes));
  machine.boot({ name: file, kernel: readFileSync(join(folder, file)) });
  return { machine, said: () => said };
}
function until({ machine, said }: Run, text: string, slice = 500_000): void {
  const from = said().length;
  while (!said().slice(from).includes(text)) {
    assert.ok(machine.instructions < MOST, said());
    const stop = machine.run(slice);
    assert.ok(stop.kind === 'limit' || stop.kind === 'idle', JSON.stringify(stop));
  }
}
const type = ({ machine }: Run, text: string): void => machine.typeConsole(new TextEncoder().encode(text));

describe('GRUB for Xen', function () {
  this.timeout(60_000);
  for (const [file, ring, mode] of [
    ['grub-x86_64-xen.bin', 3n, 'long'],
    ['grub-i386-xen.bin', 1n, 'protected-32'],
  ] as const)
    it(`${file} reaches its prompt in ring ${ring} and answers ls and help`, function () {
      if (!existsSync(folder)) this.skip();
      const run = boot(file);
      until(run, 'grub> ');
      assert.equal(run.machine.inspect.registers(0).get('cs')! & 3n, ring);
      assert.equal(run.machine.inspect.mode(0), mode);
      const saved = run.machine.save();
      const at = run.machine.instructions;
      type(run, 'ls\rhelp halt\r');
      until(run, 'Usage: halt');
      const { exits } = run.machine.virtualization!;
      assert.ok(exits.counts.get('hypercall')!.count > 20);
      assert.equal(
        exits.recent().find(({ refusal }) => refusal),
        undefined,
      );
      const end = run.machine.instructions;
      const hash = run.machine.stateHash();
      // From a snapshot, in other slices, the same again.
      run.machine.restore(saved);
      assert.equal(run.machine.instructions, at);
      type(run, 'ls\rhelp halt\r');
      while (run.machine.instructions < end) run.machine.run(Math.min(77_777, end - run.machine.instructions));
      assert.equal(run.machine.stateHash(), hash);
    });
});
