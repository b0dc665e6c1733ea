/** Kernels without debug information: stacks by frame pointers, return addresses and what the processor pushed. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSymbols } from '../../debug-adapter/symbols/index';
import type { Client } from './support/client';
import { frames, SAMPLE, Server, stopAt } from './support/server';

/** Without section headers there are no symbols (ELF header: e_shoff, e_shnum, e_shstrndx). */
function withoutSections(): Buffer {
  const bytes = readFileSync(SAMPLE);
  bytes.writeBigUInt64LE(0n, 0x28);
  bytes.writeUInt32LE(0, 0x3c);
  return bytes;
}

describe('a kernel without debug information', () => {
  let server: Server;
  let client: Client;
  let folder: string;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'ringside-'));
    writeFileSync(join(folder, 'bare.elf'), withoutSections());
    server = await Server.start();
  });
  after(() => {
    server.stop();
    rmSync(folder, { recursive: true });
  });
  beforeEach(async () => (client = await server.connect()));
  afterEach(() => client.kill());

  const names = async (): Promise<string[]> => (await frames(client)).map(({ name }) => name);

  it('shows addresses and borders when nothing is known', async () => {
    const symbols = await openSymbols('sample.elf', readFileSync(SAMPLE));
    const gva = symbols.symbol('handle_page_fault')!;
    await stopAt(client, `gv:0x${gva.toString(16)}`, { kernel: join(folder, 'bare.elf') });
    const found = await names();
    assert.equal(found.length, 5);
    assert.match(found[0]!, /^0xffffffff8010[0-9a-f]{4}$/);
    assert.equal(found[3], '--- #PF at user mode, error 0x6 ---');
    assert.match(found[4]!, /^0x00000000004[0-9a-f]{5}$/);
  });

  const withSymbols = (name: string, expected: (RegExp | string)[]): void => {
    it(`walks from ${name} by the symbol table alone`, async function () {
      if (spawnSync('objcopy', ['--strip-debug', SAMPLE, join(folder, 'symbols.elf')]).status !== 0) {
        console.log('      skipped: objcopy is not installed');
        return this.skip();
      }
      await stopAt(client, name, { kernel: join(folder, 'symbols.elf') });
      const found = await names();
      expected.forEach((each, n) => (typeof each === 'string' ? assert.equal(found[n], each) : assert.match(found[n]!, each)));
    });
  }; // prettier-ignore
  const USER = [/^system_call/, /^say/, /^user_walker/];
  withSymbols('handle_page_fault', ['handle_page_fault', /^handle_interrupt/, /^interrupt_common/, '--- #PF at user mode, error 0x6 ---', /^user_walker/]); // prettier-ignore
  withSymbols('interrupt_stub_14', ['interrupt_stub_14', '--- #PF at user mode, error 0x6 ---', /^user_walker/]);
  withSymbols('handle_timer', ['handle_timer', /^handle_interrupt/, /^interrupt_common/, /^--- interrupt 0x20 at/]);
  withSymbols('syscall_entry', ['syscall_entry', '--- system call ---', ...USER]);
  withSymbols('handle_syscall', ['handle_syscall', /^syscall_entry/, '--- system call ---', ...USER]);

  it('steps out of the entry stub into user code', async () => {
    const symbols = await openSymbols('sample.elf', readFileSync(SAMPLE));
    await stopAt(client, `gv:0x${symbols.symbol('interrupt_stub_14')!.toString(16)}`, { kernel: join(folder, 'bare.elf') });
    assert.equal((await client.run('stepOut')).reason, 'step');
    assert.match((await client.request('threads')).threads[0].name, /user mode/);
  }); // prettier-ignore
});
