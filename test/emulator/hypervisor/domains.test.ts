/** Domains on one host: what a guest can see of itself is what it would see alone; their lives; whose turn it is. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createMachine } from '../../../emulator/index';
import type { Machine, MachineConfig, Technique } from '../../../emulator/index';
import { Domains } from '../../../emulator/machine/domains';
import { LOW_RAM_LIMIT } from '../../../emulator/mmu/physical-memory';

const kernel = readFileSync(new URL('../../../guests/sample/sample.elf', import.meta.url));
const input = { name: 'sample.elf', kernel, append: 'exit' };
const EAGER: MachineConfig['tier'] = { threshold: 25, batch: 4, moduleBytes: 100_000 };
const config: MachineConfig = { memory: 16 << 20, cpus: 1, tier: EAGER };
const named = (name: string, more: object = {}) => ({ ...config, name, ...more });
const boot = (machine: Machine): string[] => {
  const lines: string[] = [];
  machine.onConsole = (bytes) => lines.push(String.fromCharCode(...bytes));
  machine.boot(input);
  return lines;
};
/** Booted. */
const domainsOf = (...configs: ReturnType<typeof named>[]): Domains => {
  const domains = new Domains(configs);
  for (const { id } of domains.all) domains.boot(id, input);
  return domains;
};
const POINT = 150_000;

describe('domains', () => {
  const alone = createMachine(config);
  const said = boot(alone);
  const stop = alone.run(POINT);
  const expected = alone.stateHash();

  it('run as they would alone, in frames that are not where they seem', () => {
    const [{ machine }] = new Domains([named('one')]).all;
    const lines = boot(machine);
    assert.deepEqual(machine.run(POINT), stop);
    assert.equal(machine.stateHash(), expected);
    assert.deepEqual(lines, said);
  });

  it('do not notice each other, however their turns are cut', () => {
    const machines = new Domains([named('a'), named('b'), named('c', { memory: 32 << 20 })]).all.map((each) => each.machine);
    machines.forEach(boot);
    const left = machines.map(() => POINT);
    for (let slice = 1; left.some((n) => n > 0); slice = (slice * 7) % 10_007)
      machines.forEach((machine, i) => {
        const n = Math.min(slice, left[i]);
        left[i] = n > 0 && machine.run(n).kind === 'limit' ? left[i] - n : 0;
      });
    assert.equal(machines[0].stateHash(), expected);
    assert.equal(machines[1].stateHash(), expected);
  }); // prettier-ignore

  it('run as they would alone, in frames above the 3 GiB where a PC has no RAM', () => {
    const ways = [
      ['none'], ['trap-and-emulate'], ['binary-translation'], ['vt-x'], ['vt-x', 'shadow'], ['amd-v'], ['amd-v', 'shadow'],
    ] as const; // prettier-ignore
    const small = ways.map(([technique, paging], i) => named(`${i}`, { technique, ...(paging && { paging }) }));
    // The first have the last frames; the large one has no more than its reservation.
    const domains = new Domains([...small, named('large', { memory: 2800 * 2 ** 20 })]);
    const { host } = domains;
    domains.all.slice(0, ways.length).forEach(({ machine }, i) => {
      const own = host.owners.find(({ domain }) => domain === domains.all[i].id)!.physical;
      assert.ok(own.hpa(0) >= LOW_RAM_LIMIT, `hp:0x${own.hpa(0).toString(16)}`);
      const lines = boot(machine);
      assert.deepEqual(machine.run(POINT), stop);
      if (ways[i][0] === 'trap-and-emulate') return;
      assert.equal(machine.stateHash(), expected, ways[i].join(', '));
      assert.deepEqual(lines, said);
    });
  });

  it('have turns that do not depend on the cuts, nor on steps', () => {
    const shares = (go: (domains: Domains, left: number) => number): number[] => {
      const domains = domainsOf(
        named('heavy', { weight: 512 }),
        named('light', { technique: 'amd-v' }),
        named('capped', { cap: 10 }),
      );
      for (let left = 250_000; left > 0;) left -= go(domains, left);
      return domains.list().map(({ instructions }) => instructions);
    };
    const whole = shares((domains, left) => (domains.run(left), left));
    assert.equal(whole.reduce((sum, n) => sum + n), 250_000); // prettier-ignore
    assert.deepEqual(shares((domains, left) => {
      const n = Math.min(left, 1 + (left % 3001));
      domains.run(n);
      return n;
    }), whole); // prettier-ignore
    assert.deepEqual(shares((domains, left) => {
      const before = domains.instructions;
      // A step of one that has no turn lets the others run, perhaps further than wanted here.
      if (left > 201_000) for (let i = 0; i < 40; i++) assert.equal(domains.step(domains.all[0].id, 0).kind, 'limit');
      domains.run(Math.min(left - (domains.instructions - before), 5_000));
      return domains.instructions - before;
    }), whole); // prettier-ignore
  });
});

describe('the life of a domain', () => {
  const reference = createMachine(config);
  reference.boot(input);
  reference.run(10_000_000);
  const atEnd = reference.stateHash();
  const toTheEnd = (domains: Domains, name: string): void => {
    for (let i = 0; i < 100 && domains.list().find((each) => each.name === name)!.state !== 'dead'; i++) domains.run(100_000);
  }; // prettier-ignore

  it('is told: who it is, what it has, what it does', () => {
    const domains = domainsOf(named('first', { technique: 'vt-x', paging: 'shadow', weight: 100 }), named('second'));
    domains.run(50_000);
    const [first, second] = domains.list();
    const { frames, ...rest } = first;
    assert.deepEqual(rest, {
      id: 1, name: 'first', technique: 'vt-x', paging: 'shadow', state: 'running', memory: 16 << 20,
      instructions: 50_000, weight: 100, cap: 0, vcpus: [{ cpu: 0, state: 'runnable' }],
    }); // prettier-ignore
    assert.ok(frames.used > 4096 && frames.used < frames.reserved, JSON.stringify(frames));
    assert.deepEqual([second.paging, second.state, second.instructions], ['none', 'runnable', 0]);
  });

  it('can be interrupted, and goes on as if it had not been', () => {
    const domains = domainsOf(named('a', { technique: 'binary-translation' }), named('b'));
    domains.run(60_000);
    domains.pause(1);
    const before = domains.all[0].machine.instructions;
    toTheEnd(domains, 'b');
    assert.deepEqual(domains.list().map(({ state }) => state), ['paused', 'dead']); // prettier-ignore
    assert.equal(domains.all[0].machine.instructions, before);
    assert.equal(domains.run(1).kind, 'idle');
    assert.throws(() => domains.step(1, 0), /"a" is paused; resume it/);
    domains.resume(1);
    toTheEnd(domains, 'a');
    assert.equal(domains.all[0].machine.stateHash(), atEnd);
    assert.equal(domains.run(1).kind, 'dead-halt');
    assert.throws(() => domains.pause(1), /"a" is dead; it can only be destroyed/);
  });

  const room = { memory: 4 << 20, cpus: 2 };
  const refusals: [string, object, RegExp][] = [
    ['its name is taken', { ...room, name: 'a' }, /Two domains are named "a"/],
    ['more memory than is left', { memory: 64 << 20 }, /big asks for 64 MiB of host memory, of which \d+ MiB are not reserved; give it less memory/],
    ['more processors than are left', { ...room, cpus: 3 }, /big has 3 processors, and this host has no room/],
    ['a paging that the technique has not', { ...room, technique: 'vt-x', paging: 'direct' }, /paging: direct; technique vt-x works with/],
    ['no memory', { memory: 0 }, /memory: 0 bytes; give/],
    ['a weight of nothing', { ...room, weight: 0 }, /weight: 0 of domain "big"; give a whole number from 1/],
    ['more than the processor', { ...room, cap: 101 }, /cap: 101 of domain "big"; give percent/],
  ]; // prettier-ignore
  for (const [why, more, message] of refusals)
    it(`is refused, and takes nothing: ${why}`, () => {
      const domains = new Domains([named('a', { memory: 2 << 20 })], { spare: [room] });
      const free = domains.host.frames.unreserved;
      assert.throws(() => domains.create(named('big', more)), message);
      assert.equal(domains.host.frames.unreserved, free);
      assert.ok(domains.create(named('fits', room)).id > 1);
    });

  it('leaves nothing behind, a thousand times, and another one does not notice', () => {
    const TECHNIQUES: Technique[] = ['none', 'vt-x', 'amd-v', 'binary-translation', 'trap-and-emulate'];
    const domains = new Domains([named('survivor', { technique: 'amd-v' })], { spare: [room] });
    domains.boot(1, input);
    const free = domains.host.frames.unreserved;
    for (let i = 0; i < 1000; i++) {
      const { id } = domains.create({ ...named('passing'), ...room, technique: TECHNIQUES[i % 5] });
      if (i % 50 === 0) {
        domains.boot(id, input);
        domains.run(7_000);
      }
      domains.destroy(id);
    }
    assert.equal(domains.host.frames.unreserved, free);
    toTheEnd(domains, 'survivor');
    assert.equal(domains.all[0].machine.stateHash(), atEnd);
  }).timeout(120_000);
});
