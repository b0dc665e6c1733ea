/** The scope `Linux`: who runs, all tasks, this processor's own variables, modules. */
import { hex } from '../addresses';
import type { Debuggee } from '../debuggee';
import { variableValue, type Scope as Names } from '../expressions/evaluate';
import { valueAt } from '../expressions/values';
import type { Kernel } from '../linux/kernel';
import { loadedModules } from '../linux/modules';
import type { Task } from '../linux/tasks';
import { group, type Node } from './node';
import { valueNode } from './value-node';

/** `names` reads and writes the guest in the frame that the scope belongs to. */
export function linuxNodes(target: Debuggee, kernel: Kernel, cpu: number, names: Names): Node[] {
  const current = kernel.types === undefined ? undefined : kernel.tasks.currentOn(cpu);
  const text = (name: string, value: string): Node => ({ name, value });
  const { slide } = kernel;
  return [
    ...(current === undefined ? [] : [taskNode(target, kernel, kernel.tasks.describe(current), names, 'current')]),
    group('tasks', '', () =>
      [...kernel.tasks.all()].map((task) => taskNode(target, kernel, task, names, `${task.pid}`)),
    ),
    group('per-CPU variables', `of CPU ${cpu}`, () =>
      kernel.file
        .perCpuVariables()
        .map((each) => valueNode(each.name, variableValue(each, names), names, target.formatting, each.name)),
    ),
    group('modules', '', () =>
      (loadedModules(kernel) ?? []).map(({ name, start, end }) => text(name, `${hex(start)}-${hex(end)}`)),
    ),
    group('kernel', kernel.banner, () => [
      text('banner', kernel.banner),
      text('command line', kernel.commandLine),
      text('image', `${hex(kernel.range.start)}-${hex(kernel.range.end)}`),
      ...(slide === undefined ? [] : [text('moved by KASLR', `${slide}`)]),
    ]),
  ];
}

function taskNode(target: Debuggee, kernel: Kernel, task: Task, names: Names, name: string): Node {
  const kind = task.mm === 0n ? ', kernel thread' : '';
  const thread = task.pid === task.tgid ? '' : `, thread of ${task.tgid}`;
  const value = `${task.comm} (pid ${task.pid}${thread}, ${task.state}${kind})`;
  const type = kernel.file.typeNamed('struct task_struct');
  if (type === undefined) return { name, value, reference: { space: 'gv', value: task.gva } };
  const path = `(*(struct task_struct *)${hex(task.gva)})`;
  const place = { kind: 'memory', space: 'gv', address: task.gva } as const;
  return { ...valueNode(name, valueAt(names, type, place), names, target.formatting, path), value };
}
