/** Tasks of the guest's Linux: who runs, and all of them. */
import type { Kernel } from './kernel';

export interface Task {
  gva: bigint;
  pid: number;
  tgid: number;
  /** As the kernel cuts it: at most 15 characters. */
  comm: string;
  state: string;
  cpu: number | undefined;
  /** 0: a kernel thread. */
  mm: bigint;
  stack: bigint;
  /** Of the group's leader; its own address in the leader. */
  leader: bigint;
}

/** Tasks that are listed; a damaged list ends earlier. */
const MAX_TASKS = 16_384;

/** Bits of `task_struct.__state` (kernel: include/linux/sched.h), as `ps` and the kernel's own reports call them. */
const STATES: readonly (readonly [bit: bigint, name: string])[] = [
  [1n, 'sleeping'],
  [2n, 'waiting'],
  [4n, 'stopped'],
  [8n, 'traced'],
  [0x40n, 'parked'],
  [0x10n, 'dead'],
  [0x20n, 'zombie'],
  [0x80n, 'dead'],
];
/** TASK_UNINTERRUPTIBLE and TASK_NOLOAD: waits, but is not counted as load. */
const IDLE = 0x402n;

export class Tasks {
  constructor(private readonly kernel: Kernel) {}

  /** The `task_struct` that a processor runs. */
  currentOn(cpu: number): bigint | undefined {
    const { kernel } = this;
    const variable = kernel.perCpu('current_task', cpu);
    if (variable !== undefined) return this.valid(kernel.memory.pointer(variable));
    const hot = kernel.perCpu('pcpu_hot', cpu);
    return hot === undefined ? undefined : this.valid(kernel.structures.number(hot, 'pcpu_hot', 'current_task'));
  }
  private valid(task: bigint | undefined): bigint | undefined {
    return task === undefined || task === 0n ? undefined : task;
  }

  describe(gva: bigint): Task {
    const { structures } = this.kernel;
    const number = (path: string): bigint => structures.number(gva, 'task_struct', path) ?? 0n;
    const cpu = structures.either(gva, 'task_struct', 'thread_info.cpu', 'cpu');
    return {
      gva,
      pid: Number(number('pid')),
      tgid: Number(number('tgid')),
      comm: structures.text(gva, 'task_struct', 'comm'),
      state: this.stateOf(gva),
      cpu: cpu === undefined ? undefined : Number(cpu),
      mm: number('mm'),
      stack: number('stack'),
      leader: number('group_leader'),
    };
  }
  private stateOf(gva: bigint): string {
    const { structures } = this.kernel;
    const state = structures.either(gva, 'task_struct', '__state', 'state') ?? 0n;
    const exit = structures.number(gva, 'task_struct', 'exit_state') ?? 0n;
    if (state === 0n && exit === 0n) return 'running';
    if ((state & IDLE) === IDLE) return 'idle';
    return STATES.find(([bit]) => ((state | exit) & bit) !== 0n)?.[1] ?? `state 0x${state.toString(16)}`;
  }

  /** Processes in the order of their creation, each followed by its other threads. The idle tasks are not among them. */
  *all(): Generator<Task> {
    const { structures, file } = this.kernel;
    const init = file.symbol('init_task');
    const head = init && structures.at(init, 'task_struct', 'tasks');
    if (!head) return;
    let left = MAX_TASKS;
    for (const leader of structures.list(head, 'task_struct', 'tasks', MAX_TASKS)) {
      yield this.describe(leader);
      for (const thread of this.threadsOf(leader)) if (thread !== leader && left-- > 0) yield this.describe(thread);
    }
  }
  private *threadsOf(leader: bigint): Generator<bigint> {
    const { structures } = this.kernel;
    const signal = structures.number(leader, 'task_struct', 'signal');
    const head = signal && structures.at(signal, 'signal_struct', 'thread_head');
    if (head) yield* structures.list(head, 'task_struct', 'thread_node', MAX_TASKS);
  }

  /** The program's file name of a task, and where its code lies; kernel threads have none. */
  programOf(task: bigint): { name: string; start: bigint; end: bigint } | undefined {
    const { structures } = this.kernel;
    const mm = structures.number(task, 'task_struct', 'mm');
    if (!mm) return undefined;
    const start = structures.number(mm, 'mm_struct', 'start_code');
    const end = structures.number(mm, 'mm_struct', 'end_code');
    const exe = structures.number(mm, 'mm_struct', 'exe_file');
    const dentry = exe && structures.number(exe, 'file', 'f_path.dentry');
    const name = dentry && structures.number(dentry, 'dentry', 'd_name.name');
    if (start === undefined || end === undefined || !name) return undefined;
    return { name: this.kernel.memory.text(name, 256), start, end };
  }
}
