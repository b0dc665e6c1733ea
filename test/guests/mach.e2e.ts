/**
 * GNU Mach for Xen under the built adapter, over stdio: a kernel that nobody here wrote, with its DWARF and without its sources. Its
 * functions, lines, arguments, locals, expressions, stacks and page tables, and where it comes to. Needs `npm run build` and
 * scripts/fetch-guests.mjs.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { Client } from '../debug-adapter/support/client';
import { guest } from './support/run';

const image = guest('gnumach-image-1.8-xen-486-dbg/boot/gnumach-1.8-xen-486-dbg.gz');
const adapter = join(import.meta.dirname, '../../dist/debug-adapter.js');

interface Frame {
  id: number;
  name: string;
  line: number;
  source?: { path: string; origin?: string };
}

describe('GNU Mach for Xen in the debugger', function () {
  this.timeout(300_000);
  let folder: string;
  let client: Client;
  before(function () {
    if (!existsSync(image)) this.skip();
    folder = mkdtempSync(join(tmpdir(), 'ringside-'));
    writeFileSync(join(folder, 'gnumach'), gunzipSync(readFileSync(image)));
    // One of its sources is there, in another folder than when it was built.
    mkdirSync(join(folder, 'src/kern'), { recursive: true });
    writeFileSync(join(folder, 'src/kern/debug.c'), '');
  });
  after(() => folder && rmSync(folder, { recursive: true }));
  afterEach(() => client?.kill());

  const launch = async (...functions: string[]): Promise<void> => {
    client = Client.start(adapter);
    client.patience = 240_000;
    await client.request('initialize', { adapterID: 'ringside', linesStartAt1: true });
    const launched = client.request('launch', {
      kernel: join(folder, 'gnumach'),
      technique: 'paravirtual',
      memory: '64M',
      sourceMap: { 'kern/': join(folder, 'src/kern/') },
    });
    await client.event('initialized');
    const { breakpoints } = await client.request('setFunctionBreakpoints', { breakpoints: functions.map((name) => ({ name })) }); // prettier-ignore
    for (const { verified } of breakpoints) assert(verified);
    await client.request('configurationDone', {});
    await launched;
    assert.equal((await client.event('stopped')).reason, 'function breakpoint');
  };
  const stack = async (): Promise<Frame[]> => (await client.request('stackTrace', { threadId: 1 })).stackFrames;
  const places = async (): Promise<string[]> => (await stack()).map(({ name, line, source }) => `${name} ${source?.path ?? ''}:${line}`); // prettier-ignore
  const evaluate = async (expression: string, frame = 0): Promise<string> => {
    const frameId = (await stack())[frame]!.id;
    return (await client.request('evaluate', { expression, frameId, context: 'watch' })).result as string;
  };
  const variables = async (scope: string): Promise<Record<string, string>> => {
    const { scopes } = await client.request('scopes', { frameId: (await stack())[0]!.id });
    const { variablesReference } = (scopes as { name: string; variablesReference: number }[]).find(({ name }) => name === scope)!; // prettier-ignore
    const list = (await client.request('variables', { variablesReference })).variables;
    return Object.fromEntries((list as { name: string; value: string }[]).map(({ name, value }) => [name, value]));
  };

  it('stops in a function by its name, with its callers and lines, and goes on line by line', async () => {
    await launch('pmap_bootstrap');
    assert.deepEqual((await places()).slice(0, 3), [
      'pmap_bootstrap i386/intel/pmap.c:615',
      'i386at_init i386/i386at/model_dep.c:447',
      'c_boot_entry i386/i386at/model_dep.c:633',
    ]);
    assert.equal((await stack())[0]!.source!.origin, 'not found; set sourceMap');
    assert('l1_map' in (await variables('Locals')));
    const lines: string[] = [];
    for (let i = 0; i < 3; i++) {
      assert.equal((await client.run('next')).reason, 'step');
      lines.push((await places())[0]!);
    }
    assert.deepEqual(lines, [623, 631, 632].map((line) => `pmap_bootstrap i386/intel/pmap.c:${line}`));
  });

  it('evaluates C over its data, and shows where they lie', async () => {
    await launch('bootstrap_create');
    assert.equal(await evaluate('boot_info.nr_pages'), '16384');
    assert.match(await evaluate('(char*)boot_info.magic'), /"xen-3\.0-x86_64"$/);
    assert.equal(await evaluate('kernel_pmap->ref_count + 1'), '4');
    assert.equal(await evaluate('sizeof(struct pmap)'), '56');
    const { text, gpa, hpa } = await client.request('ringside/translate', { address: '&boot_info' });
    assert.match(text, /PML4E .*\n.*PDPTE .*\n.*PDE .*\n.*PTE /);
    // Its list of machine frames says the same as the tables.
    assert.equal(Number(await evaluate(`mfn_list[${Math.floor(gpa / 4096)}]`)), Math.floor(hpa / 4096));
    const root = await client.request('ringside/pageTables', {});
    assert.equal(root.format, '4-level');
    // The root in force is the one that it keeps for its kernel.
    const l4 = await client.request('ringside/translate', { address: 'kernel_pmap->l4base' });
    assert.equal(l4.hpa, root.hpa);
    const { exits } = await client.request('ringside/exits', { limit: 4096 });
    assert((exits as { text: string }[]).some((exit) => /^mmuext_op\(/.test(exit.text)));
  });

  it('comes to its debugger, because nobody gives it a program to start, and says so on its stack', async () => {
    await launch('Debugger');
    const frames = await places();
    assert.deepEqual(frames.slice(0, 4), [
      `Debugger ${join(folder, 'src/kern/debug.c')}:108`,
      `Panic ${join(folder, 'src/kern/debug.c')}:169`,
      `bootstrap_create ${join(folder, 'src/kern/bootstrap.c')}:181`,
      `start_kernel_threads ${join(folder, 'src/kern/startup.c')}:265`,
    ]);
    const [debug, , create] = await stack();
    assert.deepEqual([debug!.source!.origin, create!.source!.origin], [undefined, 'not found; set sourceMap']);
    assert.match((await variables('Arguments')).message!, /"panic"$/);
    assert.match(await evaluate('panicstr'), /"No bootstrap code loaded with the kernel!"$/);
  });
});
