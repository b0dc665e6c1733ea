/**
 * Debian's amd64 Linux as a paravirtual guest under the built adapter, stopped where it and its hypervisor meet. Needs `npm run build` and
 * scripts/fetch-guests.mjs.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { busyboxOf, initramfs, kernelOf } from '../../scripts/initramfs';
import { Client } from '../debug-adapter/support/client';
import { guest } from './support/run';

const adapter = join(import.meta.dirname, '../../dist/debug-adapter.js');

describe('paravirtual Linux in the debugger', function () {
  this.timeout(1_200_000);
  let folder: string;
  let client: Client;
  before(function () {
    if (!existsSync(guest('linux-image-amd64')) || !existsSync(busyboxOf(guest('busybox-static')))) this.skip();
    folder = mkdtempSync(join(tmpdir(), 'ringside-'));
    writeFileSync(join(folder, 'initrd'), initramfs({ busybox: busyboxOf(guest('busybox-static')) }));
  });
  after(() => {
    client?.kill();
    if (folder) rmSync(folder, { recursive: true });
  });

  const filter = async (filterId: string, condition?: string): Promise<void> => {
    const option = { filterId, ...(condition === undefined ? {} : { condition }) };
    const { breakpoints } = await client.request('setExceptionBreakpoints', { filters: [], filterOptions: [option] });
    assert.deepEqual(breakpoints, [{ verified: true }]);
  };
  const frames = async (): Promise<{ id: number; name: string; instructionPointerReference?: string }[]> =>
    (await client.request('stackTrace', { threadId: 1, levels: 8 })).stackFrames;
  const evaluate = async (expression: string): Promise<string> =>
    (await client.request('evaluate', { expression, context: 'watch' })).result as string;

  it('stops at set_trap_table, with the hypervisor on top of the stack', async () => {
    client = Client.start(adapter);
    client.patience = 600_000;
    await client.request('initialize', { adapterID: 'ringside' });
    const launched = client.request('launch', { kernel: kernelOf(guest('linux-image-amd64')), initrd: join(folder, 'initrd'), technique: 'paravirtual', memory: '256M', append: 'console=hvc0' });
    await client.event('initialized');
    await filter('hypercall', 'hypercall.name == "set_trap_table"');
    await client.request('configurationDone', {});
    await launched;
    assert.equal((await client.event('stopped')).description, 'Hypercall: set_trap_table');
    assert.equal((await frames())[0]!.name, '--- hypercall set_trap_table, hypervisor (paravirtual) ---');
    const registered = async (): Promise<string> => {
      const { nodes } = await client.request('ringside/structures', { roots: ['Xen: virtual processors'] });
      const [vcpu] = nodes[0].children;
      return vcpu.children.find(({ name }: { name: string }) => name === 'trap table').value as string;
    };
    const before = await registered();
    // Over the hypercall: the next instruction is the one behind SYSCALL, and its result is there.
    const at = BigInt((await frames())[1]!.instructionPointerReference!);
    await client.run('next', { granularity: 'instruction' });
    assert.equal(BigInt((await frames())[0]!.instructionPointerReference!), at + 2n);
    assert.equal(BigInt(await evaluate('$rax')), 0n);
    assert.notEqual(await registered(), before);
  }); // prettier-ignore

  it('stops at an mmu_update of one frame, which says what it is', async () => {
    await filter('hypercall', 'hypercall.name == "mmu_update" && hypercall.frame != 0');
    await client.run('continue');
    const frame = BigInt(await evaluate('hypercall.frame'));
    await filter('hypercall', `hypercall.name == "mmu_update" && hypercall.frame == ${frame}`);
    await client.run('continue');
    assert.equal(BigInt(await evaluate('hypercall.frame')), frame);
    const { use, text } = await client.request('ringside/translate', { address: `hp:0x${(frame << 12n).toString(16)}` });
    assert.match(use.typed.type, /^L[1-4]$/);
    assert.equal(use.typed.history.at(-1).to, use.typed.type);
    assert.match(text, /by (the domain builder|mmuext_op|mmu_update|a write to a page table)/);
  });

  it('stops on an event-channel upcall', async () => {
    await filter('trap:irq', 'trap.vector == 0xf3');
    const { description, text } = await client.run('continue');
    assert.match(`${description} ${text}`, /0xf3/);
    const { nodes } = await client.request('ringside/structures', { roots: ['Xen: event channels'] });
    const [upcall, ...ports] = nodes[0].children as { name: string; value: string }[];
    assert.match(upcall!.value, /^pending/);
    assert(ports.some(({ value }) => value === 'pending'));
  });

  it("knows the kernel's symbols, whose pages are of ring 3", async () => {
    assert.match(await evaluate('&init_task'), /0xffffffff8/);
    const names = (await frames()).map(({ name }) => name);
    assert(names.some((name) => /^[a-z_]\w+$/.test(name)), `a frame has a name: ${names.join(', ')}`);
  });

  it('stops on the page fault of a user program', async () => {
    await filter('trap:#PF', 'trap.rip < 0x800000000000');
    await client.run('continue');
    const place = BigInt(await evaluate('$rip'));
    assert(place < 1n << 47n);
    const { exits } = await client.request('ringside/exits', { limit: 1 });
    assert.match(exits[0].text, /#PF/);
    const { nodes } = await client.request('ringside/structures', { roots: ['Xen: virtual processors'] });
    const [vcpu] = nodes[0].children;
    assert.equal(vcpu.children.find(({ name }: { name: string }) => name === 'runs in').value, 'a program');
  });
});
