/** Build tasks for kernels: `make` in each folder whose Makefile builds something that runs without an operating system. */
import * as vscode from 'vscode';
import { filesBelow } from '../folder-walk';

export const TASK_TYPE = 'ringside';
const LIMITS = { depth: 3, folders: 200 };
const MAKEFILE = /(^|\/)(GNUm|M|m)akefile$/;
/** What compilers and linkers are told for kernels alone. */
const FREESTANDING = /-ffreestanding|-nostdlib|-f\s*(elf32|elf64|bin)\b/;
/** Declared in package.json: messages of gcc, GNU as, ld and NASM. */
const PROBLEM_MATCHER = '$ringside';

interface Definition extends vscode.TaskDefinition {
  type: typeof TASK_TYPE;
  /** Relative to the workspace folder; the folder itself unless said. */
  folder?: string;
  /** What make is to build; its first target unless said. */
  target?: string;
}

export const registerBuildTasks = (): vscode.Disposable =>
  vscode.tasks.registerTaskProvider(TASK_TYPE, {
    async provideTasks(): Promise<vscode.Task[]> {
      const folders = vscode.workspace.workspaceFolders ?? [];
      return (await Promise.all(folders.map(tasksOf))).flat();
    },
    // From tasks.json: with its own definition, or the editor does not take it for the same.
    resolveTask({ definition, scope }): vscode.Task | undefined {
      const folder = typeof scope === 'object' ? scope : vscode.workspace.workspaceFolders?.[0];
      return folder && taskOf(folder, definition as Definition);
    },
  });

async function tasksOf(folder: vscode.WorkspaceFolder): Promise<vscode.Task[]> {
  // There is no shell elsewhere.
  if (folder.uri.scheme !== 'file') return [];
  const tasks: vscode.Task[] = [];
  for await (const path of filesBelow(folder.uri, LIMITS)) {
    if (!MAKEFILE.test(path)) continue;
    const text = new TextDecoder().decode(await vscode.workspace.fs.readFile(vscode.Uri.joinPath(folder.uri, path)));
    if (!FREESTANDING.test(text)) continue;
    const inside = path.includes('/') ? { folder: path.slice(0, path.lastIndexOf('/')) } : {};
    tasks.push(taskOf(folder, { type: TASK_TYPE, ...inside }));
    if (/^clean:/m.test(text)) tasks.push(taskOf(folder, { type: TASK_TYPE, ...inside, target: 'clean' }));
  }
  return tasks;
}

function taskOf(folder: vscode.WorkspaceFolder, definition: Definition): vscode.Task {
  const { folder: inside, target } = definition;
  const name = ['make', ...(target ? [target] : []), ...(inside ? [vscode.l10n.t('in {0}', inside)] : [])].join(' ');
  const cwd = inside ? vscode.Uri.joinPath(folder.uri, inside).fsPath : folder.uri.fsPath;
  const execution = new vscode.ShellExecution('make', target ? [target] : [], { cwd });
  const task = new vscode.Task(definition, folder, name, 'Ringside', execution, PROBLEM_MATCHER);
  task.group = target === 'clean' ? vscode.TaskGroup.Clean : vscode.TaskGroup.Build;
  return task;
}
