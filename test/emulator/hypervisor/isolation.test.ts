/** What one domain does to itself is its own affair: the others end in the state that they would end in alone. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { createMachine } from '../../../emulator/index';
import type { Machine, Technique } from '../../../emulator/index';
import { Domains } from '../../../emulator/machine/domains';

const name = 'sample.elf';
const kernel = readFileSync(new URL('../../../guests/sample/sample.elf', import.meta.url));
const input = { name, kernel, append: 'exit' };
const config = (technique: Technique, label: string) => ({ memory: 16 << 20, cpus: 1, technique, name: label });
/** Percent: while the others sleep, time jumps instead of being filled. */
const CAP = 2;
const VIRTUAL = ['vt-x', 'amd-v', 'binary-translation'] as const;

/** Replaces what the sample begins with, in 32-bit protected mode without paging. */
const begin = (machine: Machine, code: readonly number[]): void =>
  void machine.inspect.writeVirtual(0, machine.inspect.pc(0), Uint8Array.from(code));

/** At the end of the sample's five rounds. */
const alone = createMachine({ memory: 16 << 20, cpus: 1 });
alone.boot(input);
const end = alone.run(10_000_000);
const expected = alone.stateHash();

const LOOP = [0xfa, 0xeb, 0xfe]; // cli; jmp to itself
const TRIPLE_FAULT = [0x6a, 0x00, 0x6a, 0x00, 0x0f, 0x01, 0x1c, 0x24, 0x0f, 0x0b]; // push 0; push 0; lidt [esp]; ud2
const FLOOD = [0x31, 0xff, 0x83, 0xc9, 0xff, 0xfc, 0xf3, 0xaa, 0xeb, 0xf6]; // xor edi, edi; or ecx, -1; cld; rep stosb; again
const HALT = [0xfa, 0xf4]; // cli; hlt

/** Until the well-behaved ones have ended; how the others ended, if they did. */
function run(domains: Domains, good: readonly string[]): Map<string, string> {
  const ended = new Map<string, string>();
  for (let runs = 0; runs < 400 && !good.every((each) => ended.has(each)); runs++) {
    const stop = domains.run(123_457);
    const domain = domains.all.find(({ id }) => id === stop.domain);
    if (domain) ended.set(domain.name, stop.kind);
  }
  return ended;
}

describe('fault isolation', () => {
  before(() => assert.equal(end.kind, 'debug-exit'));

  const rows: [string, number[], string | undefined][] = [
    ['a triple fault', TRIPLE_FAULT, 'triple-fault'],
    ['an endless loop with interrupts off', LOOP, undefined],
    ['writes to every address there is', FLOOD, undefined],
    ['a halt with interrupts off', HALT, 'dead-halt'],
  ];
  rows.forEach(([what, code, fate], i) => {
    const bad = VIRTUAL[i % 3];
    const good = VIRTUAL[(i + 1) % 3];
    it(`${what} under ${bad}, beside ${good}`, () => {
      const domains = new Domains([{ ...config(bad, 'bad'), cap: CAP }, config(good, 'good')]);
      for (const { id } of domains.all) domains.boot(id, input);
      begin(domains.all[0].machine, code);
      const ended = run(domains, ['good']);
      assert.equal(ended.get('bad'), fate);
      assert.equal(ended.get('good'), end.kind);
      assert.equal(domains.all[1].machine.stateHash(), expected);
      const [{ state, why }] = domains.list();
      assert.equal(state === 'dead', fate !== undefined, `${state}: ${why}`);
    });
  });

  for (const technique of VIRTUAL)
    it(`two that do the same at the same time do not meet: ${technique}`, () => {
      const names = ['a', 'b'];
      const domains = new Domains(names.map((each) => config(technique, each)));
      for (const { id } of domains.all) domains.boot(id, input);
      const ended = run(domains, names);
      assert.deepEqual([...ended.values()], names.map(() => end.kind)); // prettier-ignore
      for (const { machine } of domains.all) assert.equal(machine.stateHash(), expected);
    });

  it('whatever bytes a domain executes', () => {
    const code = fc.uint8Array({ minLength: 20, maxLength: 200 });
    fc.assert(
      fc.property(code, fc.constantFrom(...VIRTUAL), (bytes, technique) => {
        const domains = new Domains([{ ...config(technique, 'random'), cap: CAP }, config('vt-x', 'good')]);
        for (const { id } of domains.all) domains.boot(id, input);
        begin(domains.all[0].machine, [...bytes]);
        run(domains, ['good']);
        assert.equal(domains.all[1].machine.stateHash(), expected);
      }),
      { numRuns: 3 },
    );
  });
});
