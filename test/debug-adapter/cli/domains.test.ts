/** `domains CONFIG.json`: what the file may say, how each domain ends, what is written. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runDomains } from '../../../debug-adapter/cli/domains';
import { createMachine } from '../../../emulator/index';
import { readFileSync } from 'node:fs';
import { withFolder } from '../../guests/support/run';

const KERNEL = fileURLToPath(new URL('../../../guests/sample/sample.elf', import.meta.url));
const sample = { kernel: KERNEL, memory: '16M' };

interface Report {
  instructions: number;
  domains: { name: string; technique: string; paging: string; instructions: number; stop: string; exits: Record<string, number>; stateHash: string }[]; // prettier-ignore
}

async function run(config: unknown, most = 40_000_000) {
  let text = '';
  const warnings: string[] = [];
  const host = {
    write: (bytes: Uint8Array) => void (text += Buffer.from(bytes).toString('latin1')),
    warn: (message: string) => void warnings.push(message),
    interrupted: () => false,
  };
  const result = await withFolder((folder) => {
    const file = join(folder, 'config.json');
    writeFileSync(file, typeof config === 'string' ? config : JSON.stringify(config));
    return runDomains(file, most, host);
  });
  return { status: result.status, report: result.report as Report, text, warnings };
}

describe('domains on the command line', () => {
  it('each runs to its end, as it would alone, and its lines bear its name', async () => {
    const domains = [
      { ...sample, name: 'one', technique: 'vt-x', append: 'exit', weight: 512 },
      { ...sample, name: 'two', technique: 'amd-v', paging: 'shadow', until: 'round 2' },
    ];
    const { status, report, text, warnings } = await run({ domains });
    assert.deepEqual([status, warnings], [0, []]);
    const [one, two] = report.domains;
    assert.deepEqual([one.name, one.technique, one.paging, one.stop], ['one', 'vt-x', 'nested', 'debug-exit']);
    assert.deepEqual([two.name, two.technique, two.paging, two.stop], ['two', 'amd-v', 'shadow', 'until']);
    assert.ok(one.exits.io > 0 && two.exits['shadow-fault'] > 0);
    assert.equal(report.instructions, one.instructions + two.instructions);
    const alone = createMachine({ memory: 16 << 20, cpus: 1 });
    alone.boot({ name: 'sample.elf', kernel: readFileSync(KERNEL), append: 'exit' });
    assert.equal(alone.run(10_000_000).kind, 'debug-exit');
    assert.equal(one.stateHash, alone.stateHash());
    for (const line of text.split('\n').filter((each) => each !== '')) assert.match(line, /^\[(one|two)\] /);
    assert.match(text, /\[one\] .*round 2/);
  });

  it('one that dies leaves the others running, and is told', async () => {
    const domains = [
      { ...sample, name: 'mute', until: 'never said' },
      { ...sample, append: 'exit' },
    ];
    const { status, report, warnings } = await run({ domains }, 3_000_000);
    assert.equal(status, 3);
    assert.deepEqual(report.domains.map(({ name, stop }) => [name, stop]), [['mute', 'limit'], ['domain 2', 'debug-exit']]); // prettier-ignore
    assert.match(warnings[0], /^mute: reached --max-instructions/);
  });

  const one = (more: object): object => ({ domains: [{ ...sample, name: 'web', ...more }] });
  const refusals: [string, unknown, RegExp][] = [
    ['no JSON', '{ domains', /config\.json: this is no JSON \(.*\); write \{ "domains"/],
    ['no list', {}, /config\.json: 'domains' is missing; give a list/],
    ['an empty list', { domains: [] }, /'domains' is empty/],
    ['no domain', { domains: [3] }, /domains\[0\]: .* is 3; give an object/],
    ['an unknown attribute', one({ ram: '1M' }), /domains\[0\]: 'ram' is no attribute of a domain; there are name, kernel/],
    ['an option of run', one({ memory: '1K' }), /domains\[0\]: --memory is "1K"; give whole MiB/],
    ['no value', one({ memory: {} }), /domains\[0\]: 'memory' is \{\}; give a string/],
    ['a weight', one({ weight: 0 }), /weight: 0 of domain "web"/],
    ['a file', one({ kernel: 'nowhere.elf' }), /nowhere\.elf: there is no such file/],
    ['names', { domains: [{ ...sample, name: 'a' }, { ...sample, name: 'a' }] }, /Two domains are named "a"/],
    ['more memory than there is', { domains: [1, 2].map(() => ({ ...sample, memory: '2G', technique: 'vt-x' })) }, /need \d+ MiB of host memory .* has at most \d+ MiB/],
  ]; // prettier-ignore
  for (const [what, config, message] of refusals)
    it(`says what is wrong: ${what}`, async () => {
      await assert.rejects(run(config), (error: Error) => {
        assert.equal(error.name, 'UserError');
        assert.match(error.message, message);
        return true;
      });
    });
});
