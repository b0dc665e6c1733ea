/** Names of expressions and conditions that mean the guest's Linux: `linux.comm == "sh" && linux.pid > 1`. */
import { UserError } from '../../emulator/util/assert';
import type { LinuxGuest } from './guest';
import type { Kernel } from './kernel';

type Read = (kernel: Kernel, task: bigint, cpu: number) => bigint | string | undefined;

const ofTask =
  (field: string): Read =>
  ({ structures }, task) =>
    structures.number(task, 'task_struct', field);

const SPECIALS: Readonly<Record<string, Read>> = {
  'linux.comm': ({ structures }, task) => structures.text(task, 'task_struct', 'comm'),
  'linux.pid': ofTask('pid'),
  'linux.tgid': ofTask('tgid'),
  'linux.mm': ofTask('mm'),
  'linux.state': ({ tasks }, task) => tasks.describe(task).state,
  /** Address of the `task_struct`. */
  'linux.task': (_, task) => task,
  'linux.program': ({ tasks }, task) => tasks.programOf(task)?.name,
  'linux.cpu': (_, __, cpu) => BigInt(cpu),
};
export const LINUX_NAMES: readonly string[] = Object.keys(SPECIALS);

/** Of the task that the processor runs; no value before there is a kernel. Reading throws UserError where types are lacking. */
export function linuxSpecial(
  linux: LinuxGuest,
  name: string,
  cpu: () => number,
): (() => bigint | string | undefined) | undefined {
  const read = Object.hasOwn(SPECIALS, name) ? SPECIALS[name] : undefined;
  if (read === undefined) return undefined;
  return () => {
    const { kernel } = linux;
    if (kernel !== undefined && kernel.types === undefined)
      throw new UserError(`${name} needs the kernel's types, and it was built without CONFIG_DEBUG_INFO_BTF.`);
    const task = kernel?.tasks.currentOn(cpu());
    return kernel === undefined || task === undefined ? undefined : read(kernel, task, cpu());
  };
}
