/**
 * Debian's stripped kernels in the debug adapter: stopped by names of functions before they have been unpacked, at a condition
 * on the task, and unwound out of an interrupt to the user program. Needs `npm run build` and scripts/fetch-guests.mjs.
 */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { busyboxOf, initramfs, kernelOf, moduleTreeOf } from '../../scripts/initramfs';
import { Client } from '../debug-adapter/support/client';

const root = resolve(import.meta.dirname, '..', '..');
const guest = (name: string): string => join(root, '.cache', 'guests', name);
const MINUTES = 60_000;

/** What process 1 starts: a program that ends, and one that computes until a timer interrupts it. */
const START = '#!/bin/sh\nls / > /dev/null\nn=0; while true; do n=$((n+1)); done\n';

interface Row {
  name: string;
  kernel: string;
  busybox: string;
  modules: string[];
  /** Built with BTF and with data among its symbols: then tasks can be read. */
  types: boolean;
  /** From the innermost frame to the border and beyond. */
  exit: RegExp[];
}
const rows: Row[] = [
  {
    name: 'amd64',
    kernel: 'linux-image-amd64',
    busybox: 'busybox-static',
    modules: ['loop'],
    types: true,
    exit: [/^do_exit$/, /^do_group_exit$/, /^__x64_sys_exit_group$/, /^do_syscall_64$/, /^entry_SYSCALL_64/, /^--- system call ---$/, /^busybox\+0x\w+ \(ls\)$/],
  },
  // Tables of kallsyms in another order, ORC with other types, modules described otherwise than in 6.1.
  {
    name: 'amd64 of Debian 13',
    kernel: 'linux-image-amd64_trixie',
    busybox: 'busybox-static',
    modules: ['loop'],
    types: true,
    exit: [/^do_exit$/, /^do_group_exit$/, /^__x64_sys_exit_group$/],
  },
  {
    name: '686-pae',
    kernel: 'linux-image-686-pae_i386',
    busybox: 'busybox-static_i386',
    modules: [],
    types: false,
    exit: [/^do_exit$/],
  },
]; // prettier-ignore

describe('stripped Linux kernels', () => {
  for (const row of rows)
    describe(row.name, () => {
      let folder: string;
      let child: ChildProcess | undefined;
      let client: Client;
      before(async function () {
        if (!existsSync(guest(row.kernel)) || !existsSync(guest(row.busybox))) this.skip();
        folder = mkdtempSync(join(tmpdir(), 'ringside-'));
        const moduleTree = row.modules.length > 0 ? moduleTreeOf(guest(row.kernel)) : undefined;
        const archive = initramfs({
          busybox: busyboxOf(guest(row.busybox)),
          ...(moduleTree === undefined ? {} : { moduleTree }),
          modules: row.modules,
          files: { start: new TextEncoder().encode(START) },
        });
        writeFileSync(join(folder, 'initrd'), archive);
        const adapter = join(root, 'dist', 'debug-adapter.js');
        child = spawn(process.execPath, [adapter], { stdio: ['pipe', 'pipe', 'inherit'] });
        client = new Client(child.stdout!, child.stdin!);
        client.patience = 15 * MINUTES;
        await client.request('initialize', { adapterID: 'ringside' });
        const attributes = { symbols: [], memory: '256M', tier: 'compiler', append: 'console=ttyS0 loglevel=3' };
        await client.request('launch', { kernel: kernelOf(guest(row.kernel)), initrd: join(folder, 'initrd'), ...attributes }); // prettier-ignore
        await client.event('initialized');
      });
      after(() => {
        child?.kill();
        if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
      });

      const names = async (): Promise<string[]> =>
        (await client.request('stackTrace', { threadId: 1 })).stackFrames.map(({ name }: { name: string }) => name);
      const evaluate = async (expression: string): Promise<string> =>
        (await client.request('evaluate', { expression, context: 'repl' })).result;
      const matches = (found: string[], expected: RegExp[]): void =>
        expected.forEach((each, n) => assert.match(found[n] ?? '', each, found.slice(0, 12).join('\n')));

      it('stops at start_kernel, whose name nobody knew at the launch', async () => {
        const condition = row.types ? 'linux.comm == "ls"' : '1';
        const wanted = [{ name: 'start_kernel' }, { name: 'do_exit', condition }];
        const { breakpoints } = await client.request('setFunctionBreakpoints', { breakpoints: wanted });
        assert.deepEqual([breakpoints[0].verified, breakpoints[0].reason], [false, 'pending']);
        await client.request('configurationDone');
        const { breakpoint } = await client.event('breakpoint');
        assert.equal(breakpoint.verified, true);
        await client.event('stopped');
        assert.equal((await names())[0], 'start_kernel');
        assert.match(await evaluate('linux'), row.types ? /^Linux version 6\.\d+/ : /^Linux/);
        if (row.types) assert.equal(await evaluate('init_task.comm'), '"swapper"');
      }).timeout(15 * MINUTES);

      it('stops at do_exit, for one program only where tasks can be read, with its argument', async () => {
        await client.run('continue');
        matches(await names(), row.exit);
        if (!row.types) {
          const refused = client.refusal('evaluate', { expression: 'linux.comm', context: 'repl' });
          return assert.match(await refused, /CONFIG_DEBUG_INFO_BTF/);
        }
        assert.equal(await evaluate('linux.comm'), '"ls"');
        assert.equal(await evaluate('code'), '0');
        assert.equal(await evaluate('((struct task_struct *)linux.task)->pid == linux.pid'), '1');
      }).timeout(15 * MINUTES);

      // Without BTF there are no tasks to list; that the debugger says so was seen above.
      if (!row.types) return;

      it('lists tasks, modules and messages', async () => {
        const { tasks, modules } = await client.request('ringside/linux', {});
        const comms = tasks.map(({ comm }: { comm: string }) => comm);
        for (const comm of ['kthreadd', 'ls', 'start']) assert.ok(comms.includes(comm), comms.join(' '));
        assert.deepEqual(modules.map(({ name }: { name: string }) => name), row.modules); // prettier-ignore
        assert.match(await evaluate('dmesg 5'), /\[ +\d+\.\d{6}\] /);
        const [top] = (await client.request('stackTrace', { threadId: 1, levels: 1 })).stackFrames;
        const { scopes } = await client.request('scopes', { frameId: top.id });
        const { variablesReference } = scopes.find(({ name }: { name: string }) => name === 'Linux');
        const { variables } = await client.request('variables', { variablesReference });
        assert.match(variables[0].value, /^ls \(pid \d+, running\)$/);
      }).timeout(MINUTES);

      it('unwinds a timer interrupt to the user program', async () => {
        const breakpoints = [{ name: '__sysvec_apic_timer_interrupt', condition: 'linux.comm == "start"' }];
        await client.request('setFunctionBreakpoints', { breakpoints });
        await client.run('continue');
        const found = await names();
        const border = found.findIndex((name) => /^--- interrupt 0x\w+ at user mode ---$/.test(name));
        assert.ok(border > 0, found.join('\n'));
        assert.match(found[border + 1]!, /\(start\)$/);
      }).timeout(5 * MINUTES);
    });
});
