/** A kernel appears, loads a module, has tasks: what the adapter makes of it, without a machine. */
import assert from 'node:assert/strict';
import { LinuxGuest } from '../../../debug-adapter/linux/guest';
import { linuxCommand } from '../../../debug-adapter/linux/commands';
import { LINUX_NAMES, linuxSpecial } from '../../../debug-adapter/linux/specials';
import { Program } from '../../../debug-adapter/program';
import { SmallKernel, taskAt, TEXT } from './small-kernel';

function guest(memory = new SmallKernel()) {
  const seen = { attended: 0, changed: 0, modules: [] as string[], watched: [] as { gva: bigint; when: () => boolean }[] };
  const program = new Program();
  const linux = new LinuxGuest({
    inspect: () => memory.inspect,
    cpu: () => 0,
    program,
    attend: () => seen.attended++,
    watch: (places) => (seen.watched = places),
    changed: () => seen.changed++,
    moduleEvent: (reason, { path }) => seen.modules.push(`${reason} ${path}`),
  });
  return { memory, program, linux, seen };
} // prettier-ignore

/** After it has been found. */
async function found(memory = new SmallKernel()) {
  const made = guest(memory);
  made.linux.attach();
  await made.linux.between();
  assert.ok(made.linux.kernel, 'the kernel was not found');
  return { ...made, kernel: made.linux.kernel };
}

describe('Linux guest', () => {
  it('is found when the kernel turns its page tables on, before anything else runs', async () => {
    const { memory, linux, program, seen } = guest();
    memory.mapped = false;
    linux.attach();
    memory.inspect.onAddressSpace!(0);
    assert.deepEqual([seen.attended, linux.between()], [0, undefined]);
    assert.equal(program.symbol('start_kernel'), undefined);

    memory.mapped = true;
    memory.inspect.onAddressSpace!(0);
    assert.equal(seen.attended, 1);
    await linux.between();
    assert.equal(program.symbol('start_kernel'), TEXT + 0x2000n);
    assert.deepEqual([seen.changed, seen.modules], [1, ['new vmlinux']]);
    assert.equal(memory.inspect.onAddressSpace, undefined, 'it still watches');
    assert.equal(linux.kernel?.slide, 0x1960_0000n);
  });

  it('notices modules come and go', async () => {
    const { memory, linux, seen, program } = await found();
    assert.deepEqual(seen.watched.map(({ gva }) => gva), [TEXT + 0x1000n]); // prettier-ignore
    memory.listModule(true);
    assert.equal(seen.watched[0]!.when(), false);
    await linux.between();
    memory.listModule(false);
    seen.watched[0]!.when();
    await linux.between();
    assert.deepEqual(seen.modules, ['new vmlinux', 'new loop.ko', 'removed loop.ko']);
    assert.equal(program.modules.length, 1);
  });

  it('tells the task that runs, by name', async () => {
    const { linux } = await found();
    const read = (name: string): unknown => linuxSpecial(linux, name, () => 0)?.();
    assert.deepEqual([read('linux.comm'), read('linux.pid'), read('linux.task')], ['sh', 2n, taskAt(2)]);
    assert.equal(
      linuxSpecial(linux, 'linux.nothing', () => 0),
      undefined,
    );
    for (const name of LINUX_NAMES) assert.doesNotThrow(() => read(name));
  });
  it('has no task before there is a kernel', () => {
    const { linux } = guest();
    assert.equal(linuxSpecial(linux, 'linux.comm', () => 0)!(), undefined);
  });

  it('lists tasks, and ends where the list is damaged', async () => {
    const { kernel, memory } = await found();
    const names = (): string[] => [...kernel.tasks.all()].map(({ comm }) => comm);
    assert.deepEqual(names(), ['init', 'sh']);
    memory.link(2, taskAt(1) + 32n);
    assert.deepEqual(names(), ['init', 'sh'], 'a ring');
    memory.link(2, 0n);
    assert.deepEqual(names(), ['init', 'sh'], 'a null pointer');
    memory.link(1, 0x1234_5678n);
    assert.deepEqual(names()[0], 'init', 'a wild pointer');
  });

  it('types variables and arguments', async () => {
    const { program } = await found();
    const pid = program.global('init_task')?.type;
    assert.equal(pid?.name, 'struct task_struct');
    const current = program.global('current_task');
    assert.deepEqual([current?.kind, current?.type.name], ['per-cpu', 'struct task_struct *']);
    const target = { register: () => 7n, memory: () => new Uint8Array(), cpu: () => 0 };
    assert.deepEqual(current?.locate(target, 0n), { kind: 'memory', gva: TEXT + 0x38_0040n });
    const [code] = program.variablesAt(TEXT + 0x3000n, 0);
    assert.deepEqual(code?.locate(target, TEXT + 0x3000n), { kind: 'register', number: 5 });
    assert.equal(code?.locate(target, TEXT + 0x3010n).kind, 'unavailable');
  });

  it('answers commands, and says once what is lacking', async () => {
    const { linux } = await found();
    assert.match(await linuxCommand(linux, 'linux')!, /^Linux version 0\.1 \(test\)\n.*moved by KASLR by 0x19600000/);
    assert.match(await linuxCommand(linux, 'tasks')!, /2 +running +\[sh\]/);
    assert.equal(await linuxCommand(linux, 'lsmod')!, 'No module is loaded.');
    await assert.rejects(linuxCommand(linux, 'dmesg')!, /keeps its messages in a way that is not known/);
    assert.equal(linuxCommand(linux, 'tasks + 1'), undefined);
    const other = new SmallKernel();
    other.mapped = false;
    await assert.rejects(linuxCommand(guest(other).linux, 'tasks')!, /No Linux kernel is found/);
  });

  it('looks at another system a few times only', async () => {
    const memory = new SmallKernel();
    memory.image.fill(0);
    const { linux, seen } = guest(memory);
    linux.attach();
    for (let n = 0; n < 10; n++) {
      memory.inspect.onAddressSpace?.(0);
      await linux.between();
    }
    assert.equal(linux.kernel, undefined);
    assert.ok(seen.attended < 5, `${seen.attended} times`);
    assert.equal(linux.expected, false);
  });

  it('forgets a kernel when the machine boots again', async () => {
    const { linux, memory, program } = await found();
    memory.mapped = false;
    linux.attach();
    assert.deepEqual([linux.kernel, program.modules.length], [undefined, 0]);
  });
});
