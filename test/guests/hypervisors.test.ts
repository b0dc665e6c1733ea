/**
 * Hypervisors that run on the machine (guests/hypervisors): each runs a guest under nested paging, answers its exits, and
 * then breaks every rule of entry once. What svm.elf prints of its guest is what it prints under QEMU, which has AMD-V.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { VMRUN_CHECKS } from '../../emulator/cpu/svm-checks';
import { CONTROL_CHECKS, GUEST_CHECKS, HOST_CHECKS } from '../../emulator/cpu/vmx-checks';
import { createMachine } from '../../emulator/index';
import type { Machine, MachineConfig, Stop } from '../../emulator/index';
import { goldenText, guests, have, haveQemu } from './oracles';

const folder = join(guests, 'hypervisors');
const CPU = { vmx: 'haswell', svm: 'epyc' } as const;
type Name = keyof typeof CPU;
const EAGER: MachineConfig['tier'] = { threshold: 25, batch: 4, moduleBytes: 100_000 };

const boot = (name: Name, tier: MachineConfig['tier'] = EAGER, file = join(folder, `${name}.elf`)): { machine: Machine; text: () => string } => {
  const machine = createMachine({ memory: 64 << 20, cpus: 1, tier, cpu: CPU[name] });
  let said = '';
  machine.onConsole = (bytes) => (said += String.fromCharCode(...bytes));
  machine.boot({ name: `${name}.elf`, kernel: readFileSync(file) });
  return { machine, text: () => said };
}; // prettier-ignore
const END: Stop = { kind: 'debug-exit', code: 1 };
const MOST = 10_000_000;

/** Rules that the guest cannot break without breaking another one first, or that its own entry code keeps. */
const OUT_OF_REACH: Record<Name, string[]> = {
  vmx: [
  'ENTRY_CONTROLS: an IA-32e mode guest needs a 64-bit host',
  'HOST_SS: it may not be 0 in a 32-bit host',
  'HOST_RIP: canonical in a 64-bit host, below 4 GiB in another',
  'HOST_CR4: a 32-bit host has no PCIDE',
],
  svm: ['nested paging: the host must have paging on'],
};

describe('guest hypervisors', () => {
  for (const name of ['vmx', 'svm'] as const) {
    it(`${name}: its transcript`, () => {
      const { machine, text } = boot(name);
      assert.deepEqual(machine.run(MOST), END);
      assert.equal(text(), goldenText(`${name}.txt`, text));
      assert.match(text(), /otherwise than the manual says: 0x0\n/);
    });
    it(`${name}: the same in both tiers, sliced, and from a snapshot in its guest`, () => {
      const whole = boot(name);
      whole.machine.run(MOST);
      const { machine } = boot(name, 'interpreter');
      machine.run(2_115_000);
      const saved = machine.save();
      for (let i = 0; i < 300; i++) machine.run(1);
      machine.restore(saved);
      let stop: Stop;
      do stop = machine.run(997);
      while (stop.kind === 'limit');
      assert.deepEqual(stop, END);
      assert.equal(machine.stateHash(), whole.machine.stateHash());
    });
  }

  const CHECKS = { vmx: [...CONTROL_CHECKS, ...HOST_CHECKS, ...GUEST_CHECKS], svm: VMRUN_CHECKS };
  for (const name of ['vmx', 'svm'] as const)
    it(`${name}: every check of entry has refused an entry`, () => {
      const { machine } = boot(name);
      const unit = (machine as unknown as { cpus: Record<Name, object>[] }).cpus[0]![name];
      const seen = new Set<unknown>();
      Object.defineProperty(unit, 'lastRefusal', { set: (check: unknown) => seen.add(check) });
      machine.run(MOST);
      const missed = CHECKS[name].filter((check) => !seen.has(check)).map(({ field, rule }) => `${field}: ${rule}`);
      assert.deepEqual(missed, OUT_OF_REACH[name]);
    });

  it('svm: QEMU says the same of its guest', function () {
    if (!haveQemu()) this.skip();
    const { stdout } = spawnSync('qemu-system-x86_64', ['-cpu', 'EPYC,-monitor', '-m', '64', '-kernel', 'svm.elf', '-display', 'none', '-monitor', 'none', '-serial', 'stdio', '-no-reboot', '-device', 'isa-debug-exit,iobase=0xf4,iosize=4'], { cwd: folder, timeout: 30_000, encoding: 'latin1', input: '' }); // prettier-ignore
    // How QEMU judges entries is another matter: it checks less, and writes half of the exit code.
    const ofGuest = (text: string): string => text.slice(0, text.indexOf('call 0x4'));
    const { machine, text } = boot('svm');
    machine.run(MOST);
    assert.equal(ofGuest(stdout.replaceAll('\r', '')), ofGuest(text()));
  });

  it('the built images are those of the sources', function () {
    if (!have('gcc') || !have('make')) this.skip();
    const out = mkdtempSync(join(tmpdir(), 'ringside-'));
    try {
      execFileSync('make', ['-s', '-C', folder, `OUT=${out}`], { stdio: 'pipe' });
      for (const name of ['vmx', 'svm'] as const) {
        const file = join(out, `${name}.elf`);
        if (readFileSync(file).equals(readFileSync(join(folder, `${name}.elf`)))) continue;
        // Another compiler: what counts is what it says.
        const { machine, text } = boot(name, EAGER, file);
        machine.run(MOST);
        assert.equal(text(), goldenText(`${name}.txt`, text), `${name} was not built again`);
      }
    } finally {
      rmSync(out, { recursive: true });
    }
  }).timeout(60_000);
}).timeout(60_000);
