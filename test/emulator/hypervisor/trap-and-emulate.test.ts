/** The sample kernel deprivileged: what traps is carried out as if it had not, what does not trap is reported. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createMachine } from '../../../emulator/index';
import type { Machine, MachineConfig, Stop } from '../../../emulator/index';
import { goldenText, guests } from '../../guests/oracles';

const EAGER: MachineConfig['tier'] = { threshold: 25, batch: 4, moduleBytes: 100_000 };
const boot = (tier: MachineConfig['tier'], technique: MachineConfig['technique'], image = 'sample/sample.elf'): { machine: Machine; text: () => string } => {
  const machine = createMachine({ memory: 16 << 20, cpus: 1, tier, technique });
  let said = '';
  machine.onConsole = (bytes) => (said += String.fromCharCode(...bytes));
  const kernel = readFileSync(join(guests, image));
  machine.boot({ name: image, kernel, append: 'exit' });
  return { machine, text: () => said };
}; // prettier-ignore

describe('trap-and-emulate', () => {
  const bare = boot('interpreter', 'none');
  bare.machine.run(1_000_000);

  for (const [name, tier] of [
    ['interpreter', 'interpreter'],
    ['compiler', EAGER],
  ] as const)
    it(`the sample says what it says on the bare machine, ${name}`, () => {
      const { machine, text } = boot(tier, 'trap-and-emulate');
      assert.deepEqual(machine.run(1_000_000), { kind: 'debug-exit', code: 1 } satisfies Stop);
      assert.equal(text(), bare.text());
    });

  it('exits are counted by reason, with what the instruction was', () => {
    const { machine } = boot(EAGER, 'trap-and-emulate');
    machine.run(1_000_000);
    const { exits } = machine.virtualization!;
    const counts = Object.fromEntries([...exits.counts].map(([reason, { count }]) => [reason, count]));
    // The serial port, a byte at a time; six control registers and the like at start; a table for each program.
    for (const reason of ['io', 'cr-access', 'descriptor-table', 'hlt', 'shadow-fault', 'page-table-write'])
      assert.ok(counts[reason] > 0, reason);
    const last = exits
      .recent()
      .filter((exit) => exit.reason === 'io')
      .at(-1)!;
    assert.deepEqual([last.mnemonic, last.cause.reason, 'port' in last.cause && last.cause.port], ['out', 'io', 0xf4]);
  });

  it('IRET to a program leaves interrupts off without a trap: a silent hole, which can stop the run', () => {
    const { machine } = boot(EAGER, 'trap-and-emulate');
    const { holes } = machine.virtualization!;
    holes.filter = (hole) => hole.mnemonic === 'iret';
    const stop = machine.run(1_000_000);
    assert.equal(stop.kind, 'silent-hole');
    assert.match(stop.kind === 'silent-hole' ? stop.hole.difference : '', /IF should have become 1 and stays 0/);
    assert.equal(machine.inspect.pc(0), stop.kind === 'silent-hole' && stop.hole.gva);
    assert.equal(machine.inspect.registers(0).get('cpl') ?? 0n, 0n);
    holes.filter = undefined;
    assert.equal(machine.run(1_000_000).kind, 'debug-exit');
    assert.ok(holes.list.length > 0);
  });

  it('CPUID of another model than the guest was given: a silent hole, in kernels and in programs', () => {
    const machine = createMachine({ memory: 16 << 20, cpus: 1, technique: 'trap-and-emulate', cpu: 'haswell' });
    // MOV EAX, 1; CPUID; JMP to itself: over what the sample begins with.
    const kernel = readFileSync(join(guests, 'sample/sample.elf'));
    machine.boot({ name: 'sample', kernel, append: '' });
    machine.inspect.writeVirtual(0, machine.inspect.pc(0), Uint8Array.of(0xb8, 1, 0, 0, 0, 0x0f, 0xa2, 0xeb, 0xfe));
    const { holes } = machine.virtualization!;
    holes.filter = ({ mnemonic }) => mnemonic === 'cpuid';
    const stop = machine.run(1000);
    assert.equal(stop.kind, 'silent-hole');
    const { hole } = stop as Extract<Stop, { kind: 'silent-hole' }>;
    assert.equal(hole.gva, machine.inspect.pc(0));
    const [, got, expected] = /^Leaf 0x1 of the hypervisor's processor is (.*); the guest's is (.*)\.$/.exec(hole.difference)!; // prettier-ignore
    assert.notEqual(got, expected);
    holes.filter = undefined;
    machine.run(2);
    const said = ['eax', 'ebx', 'ecx', 'edx'].map(
      (name) => `0x${machine.inspect.registers(0).get(name)!.toString(16)}`,
    );
    assert.equal(said.join(' '), got);
    // The techniques that close it give the guest its own.
    const translated = createMachine({ memory: 16 << 20, cpus: 1, technique: 'binary-translation', cpu: 'haswell' });
    translated.boot({ name: 'sample', kernel, append: '' });
    translated.inspect.writeVirtual(0, translated.inspect.pc(0), machine.inspect.readVirtual(0, hole.gva - 5n, 9));
    translated.run(3);
    const own = ['eax', 'ebx', 'ecx', 'edx'].map(
      (name) => `0x${translated.inspect.registers(0).get(name)!.toString(16)}`,
    );
    assert.equal(own.join(' '), expected);
  });

  it('an exit filter stops before the exit is handled, and the end is the same', () => {
    const plain = boot(EAGER, 'trap-and-emulate').machine;
    plain.run(1_000_000);
    const { machine } = boot(EAGER, 'trap-and-emulate');
    machine.virtualization!.exits.filter = (exit) => exit.reason === 'cr-access';
    let stops = 0;
    for (;;) {
      const stop = machine.run(1_000_000);
      if (stop.kind !== 'vm-exit') break;
      stops++;
      assert.equal(machine.inspect.pc(0), stop.exit.gva);
    }
    assert.equal(stops, machine.virtualization!.exits.counts.get('cr-access')!.count);
    assert.equal(machine.stateHash(), plain.stateHash());
  });

  // The holes can be read off the console; test/golden/guests has what the bare machine and complete techniques print.
  const HOLES = ['iret', 'lar', 'lsl', 'mov', 'popf', 'pushf', 'sgdt', 'sidt', 'sldt', 'str', 'verr', 'verw'];
  for (const [name, found] of [
    ['sensitive', [...HOLES.filter((mnemonic) => mnemonic !== 'iret'), 'call', 'iret', 'jmp', 'push'].sort()],
    ['sensitive-long', HOLES],
  ] as const)
    it(`${name}: each sensitive instruction shows the ring, and is found`, () => {
      const { machine, text } = boot('interpreter', 'trap-and-emulate', `tests/${name}.elf`);
      assert.equal(machine.run(300_000).kind, 'debug-exit');
      assert.equal(
        text().replaceAll('\r', ''),
        goldenText(`../holes/${name}.txt`, () => text().replaceAll('\r', '')),
      );
      assert.deepEqual([...new Set(machine.virtualization!.holes.list.map((hole) => hole.mnemonic))].sort(), found);
    });
});
