/** GRUB as a paravirtualised guest under the adapter: the filter over hypercalls, with conditions over what they are about. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from './support/client';
import { evaluate, clientForEach } from './support/server';

const kernel = join(__dirname, '../../.cache/guests/grub-xen-host/usr/lib/grub-xen/grub-x86_64-xen.bin');

describe('debugging a paravirtualised guest', () => {
  let client: Client;
  clientForEach((own) => (client = own));

  const launch = async (condition?: string): Promise<void> => {
    await client.request('initialize', { adapterID: 'ringside' });
    const launched = client.request('launch', { kernel, technique: 'paravirtual', memory: '64M' });
    await client.event('initialized');
    const option = { filterId: 'hypercall', ...(condition === undefined ? {} : { condition }) };
    const { breakpoints } = await client.request('setExceptionBreakpoints', { filters: [], filterOptions: [option] });
    assert.deepEqual(breakpoints, [{ verified: true }]);
    await client.request('configurationDone', {});
    await launched;
  };

  it('stops at mmu_update with what it is about, and goes on', async function () {
    if (!existsSync(kernel)) this.skip();
    await launch('hypercall.name == "mmu_update" && hypercall.count == 4 && hypercall.frame != 0');
    const stopped = await client.event('stopped');
    assert.equal(stopped.description, 'Hypercall: mmu_update');
    assert.match(stopped.text, /^mmu_update\(0x\w+, 4, 0, 0x7ff0/);
    // Of the kernel, though it shares its programs' ring.
    const { description } = await client.request('exceptionInfo', { threadId: 1 });
    assert.match(description, /, in kernel in ring 3 at /);
    assert.match(description, /^ {2}domid: 0x7ff0 \(DOMID_SELF, the caller\)$/m);
    assert.match(description, /^ {2}first operation: machphys_update, machine frame 0x/m);
    assert.equal(await evaluate(client, 'hypercall.name'), '"mmu_update"');
    assert.match(await evaluate(client, 'hypercall.frame'), /^\d+|0x/);
    assert.equal(await evaluate(client, 'exit.reason'), '"hypercall"');
    await client.request('setExceptionBreakpoints', {
      filters: [],
      filterOptions: [{ filterId: 'hypercall', condition: 'hypercall.command == "new_baseptr" || hypercall.name == "update_va_mapping"' }],
    }); // prettier-ignore
    await client.request('continue', { threadId: 1 });
    assert.match((await client.event('stopped')).description, /update_va_mapping|mmuext_op/);
  });
});
