/** A launch that cannot be: one message, and buttons that repair what can be repaired. */
import * as vscode from 'vscode';

/** No session; with `null` the editor opens launch.json. */
export type Refused = undefined | null;

const openLaunch = (): string => vscode.l10n.t('Open launch.json');

export async function refuse(message: string): Promise<Refused> {
  const open = openLaunch();
  return (await vscode.window.showErrorMessage(message, { modal: true }, open)) === open ? null : undefined;
}

/** Nothing that boots was found; `folder`: undefined where none is open. A file that the user names instead, or a sample. */
export async function noKernel(folder: vscode.Uri | undefined): Promise<vscode.Uri | Refused> {
  const choose = vscode.l10n.t('Choose a Kernel…');
  const sample = vscode.l10n.t('Open Sample…');
  const open = openLaunch();
  const message = folder
    ? vscode.l10n.t('No kernel was found in this folder: name one as "kernel" in launch.json.')
    : vscode.l10n.t('No folder is open: choose a kernel, or look at a sample.');
  const answer = await vscode.window.showErrorMessage(message, { modal: true }, choose, sample, ...(folder ? [open] : [])); // prettier-ignore
  if (answer === choose) return pickFile(folder);
  if (answer === sample) await vscode.commands.executeCommand('ringside.openSample');
  return answer === open ? null : undefined;
}

/** A file that cannot be read: another one for this run, or a build that makes it. */
export async function noFile(message: string, folder: vscode.Uri | undefined): Promise<vscode.Uri | 'built' | Refused> {
  const choose = vscode.l10n.t('Choose a File…');
  const build = vscode.l10n.t('Build');
  const open = openLaunch();
  const task = await buildTask(folder);
  const answer = await vscode.window.showErrorMessage(message, { modal: true }, ...(task ? [build] : []), choose, open);
  if (answer === choose) return pickFile(folder);
  if (answer === build && task) return (await succeeds(task)) ? 'built' : undefined;
  return answer === open ? null : undefined;
}

async function pickFile(folder: vscode.Uri | undefined): Promise<vscode.Uri | undefined> {
  const picked = await vscode.window.showOpenDialog({
    canSelectMany: false,
    ...(folder ? { defaultUri: folder } : {}),
  });
  return picked?.[0];
}

/** What a Makefile of the folder builds (first-hour/build-tasks.ts). */
async function buildTask(folder: vscode.Uri | undefined): Promise<vscode.Task | undefined> {
  const tasks = await vscode.tasks.fetchTasks({ type: 'ringside' });
  return tasks.find(
    ({ group, scope }) =>
      group === vscode.TaskGroup.Build && typeof scope === 'object' && scope.uri.toString() === folder?.toString(),
  );
}

/** What the compiler says is in the terminal and among the problems. */
async function succeeds(task: vscode.Task): Promise<boolean> {
  const listeners: vscode.Disposable[] = [];
  const ended = new Promise<number | undefined>((resolve) => {
    const ours = ({ execution }: vscode.TaskEndEvent): boolean => execution.task.name === task.name;
    listeners.push(
      vscode.tasks.onDidEndTaskProcess((event) => ours(event) && resolve(event.exitCode)),
      // Later, and also where no process came to be.
      vscode.tasks.onDidEndTask((event) => ours(event) && resolve(undefined)),
    );
  });
  try {
    await vscode.tasks.executeTask(task);
    return (await ended) === 0;
  } finally {
    listeners.forEach((each) => void each.dispose());
  }
}
