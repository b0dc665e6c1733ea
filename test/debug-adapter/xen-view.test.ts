/** What a user sees of a paravirtualised guest's memory under the adapter: machine frames by their names, types and their history. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { Client } from './support/client';
import { clientForEach } from './support/server';

const folder = join(__dirname, '../../guests/xen');
interface Node {
  name: string;
  value?: string;
  text?: string;
  children?: Node[];
}

describe("a paravirtualised guest's memory", () => {
  let client: Client;
  clientForEach((own) => (client = own));

  /** Stops before its first hypercall. */
  const launch = async (image: string): Promise<void> => {
    await client.request('initialize', { adapterID: 'ringside' });
    const launched = client.request('launch', { kernel: join(folder, image), technique: 'paravirtual', memory: '16M' });
    await client.event('initialized');
    await client.request('setExceptionBreakpoints', { filters: ['hypercall'] });
    await client.request('configurationDone', {});
    await launched;
    await client.event('stopped');
  };
  const translate = async (address: string) => client.request('ringside/translate', { address });

  for (const [image, levels, first] of [['pair-64.elf', 4, 'PML4E'], ['pair-32.elf', 2, 'PDE']] as const)
    it(`${image}: a walk names machine frames, and what the guest calls them`, async () => {
      await launch(image);
      const { text, view, gpa, hpa } = await translate('&main');
      const inMemory = (view.references as { name: string; hpa?: number; gpa?: number; targetSpace: string }[]).filter(({ hpa: at }) => at !== undefined);
      assert.equal(inMemory.length, levels, text);
      assert.equal(inMemory[0]!.name, first);
      for (const { hpa: at, gpa: own, targetSpace } of inMemory) {
        assert.equal(targetSpace, 'hp');
        assert.notEqual(own, at, 'machine frames of this host are not numbered as the guest numbers its own');
      }
      assert.match(text, /=> gp:0x\w+ = hp:0x\w+, page of 4 KiB/);
      // An entry that forbids something is named where the walk shows it.
      const { view: none } = await translate(`gv:0x${(BigInt(view.gva) + (32n << 20n)).toString(16)}`);
      const { name, gpa: at } = none.references.at(-1) as { name: string; gpa: number };
      const [{ reason }] = none.verdicts as { reason: string }[];
      assert(reason.startsWith(`The ${name} at gp:0x${at.toString(16)} is not present`), reason);
      // There and back: p2m, m2p.
      const [machine, own] = [await translate(`hp:0x${hpa.toString(16)}`), await translate(`gp:0x${gpa.toString(16)}`)];
      assert.deepEqual([machine.gpa, own.hpa], [gpa, hpa]);
      assert.equal(machine.aliases.length, 1);
      assert.deepEqual(machine.aliases, own.aliases);
    }); // prettier-ignore

  for (const [image, bits, ring] of [['pair-64.elf', 64, 3], ['pair-32.elf', 32, 1]] as const)
    it(`${image}: the thread says that it is a kernel, in ring ${ring}`, async () => {
      await launch(image);
      const { threads } = await client.request('threads');
      assert.deepEqual(threads, [{ id: 1, name: `CPU 0 (${bits}-bit, kernel in ring ${ring})` }]);
    }); // prettier-ignore

  it('its screen says why it is empty', async () => {
    await launch('pair-64.elf');
    const { note } = await client.request('ringside/screen', {});
    assert.match(note, /no display of its own/);
  });

  it('a frame says its type, its counts and what gave it that type', async () => {
    await launch('pair-64.elf');
    const { view } = await translate('&main');
    const [root] = view.references as { hpa: number }[];
    const { use, text } = await translate(`hp:0x${(root!.hpa & ~0xfff).toString(16)}`);
    const { history, ...typed } = use.typed;
    assert.deepEqual(typed, { frame: Math.floor(root!.hpa / 4096), type: 'L4', typeCount: 2, count: 4, pinned: true });
    assert.deepEqual(history, [{ from: 'none', to: 'L4', by: 'the domain builder', at: 0 }]);
    assert.match(text, /frame 0x\w+: L4, 2 of type, 4 in all, pinned/);
    assert.match(text, /at 0: none -> L4 by the domain builder/);
  });

  it('structures: processors, frames by type, event channels, the grant table', async () => {
    await launch('pair-64.elf');
    const { nodes } = await client.request('ringside/structures', {});
    const named = (name: string): Node => (nodes as Node[]).find((node) => node.name === name)!;
    const [cpu] = named('Xen: virtual processors').children!;
    assert.equal(cpu!.value, 'up');
    assert.match(cpu!.children!.find(({ name }) => name === 'kernel root')!.value!, /^frame 0x/);
    assert.deepEqual(named('Xen: event channels').children!.map(({ name, text }) => `${name}: ${text ?? ''}`), [
      'upcall of vcpu 0: ', 'port 1: to xenstore, for domain 0; vcpu 0', 'port 2: to console, for domain 0; vcpu 0',
    ]);
    assert.equal(named('Xen: grant table').value, 'version 1');
    const types = new Map(named('Xen: frames by type').children!.map(({ name, value }) => [name, Number(value)]));
    assert.equal(types.get('L4'), 1);
    assert(types.get('writable')! > 500);
  }); // prettier-ignore

  it("the tables of the guest open one in another, the hypervisor's among them", async () => {
    await launch('pair-64.elf');
    const root = await client.request('ringside/pageTables', {});
    assert.equal(root.entries.length, 3);
    for (const { target, targetSpace, level } of root.entries) {
      assert.equal(targetSpace, 'hp');
      const below = await client.request('ringside/pageTables', { table: { hpa: target, level: level - 1 } });
      assert.equal(below.hpa, target);
      assert(below.total > 0);
    }
    const refused = await client.refusal('ringside/setEntry', { gpa: root.gpa, level: 4, set: { writable: false } });
    assert.match(refused, /changes them by hypercall/);
  });

  it('exits name operations, and a batch its calls with their results', async () => {
    await launch('pair-64.elf');
    await client.request('setExceptionBreakpoints', { filters: [], filterOptions: [{ filterId: 'hypercall', condition: 'hypercall.command == "poll"' }] });
    await client.run('continue');
    const { exits } = await client.request('ringside/exits', {});
    const texts = (exits as { text: string }[]).map(({ text }) => text);
    assert(texts.some((text) => /^event_channel_op\(send, 0x\w+/.test(text)), texts.join('\n'));
  }); // prettier-ignore
});
