/** What leads somebody who is new: samples that can be copied, built and debugged; what is registered. */
import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { file, folder, until } from './support';

describe('the first hour', () => {
  it('every command of the manifest is there once the extension is active', async () => {
    const extension = vscode.extensions.getExtension('ringside.ringside')!;
    await extension.activate();
    const known = new Set(await vscode.commands.getCommands(true));
    const manifest = extension.packageJSON as { contributes: { commands: { command: string }[] } };
    assert.deepEqual(manifest.contributes.commands.map(({ command }) => command).filter((command) => !known.has(command)), []);
  });

  for (const id of ['bare-kernel', 'trap-and-emulate-hole', 'shadow-paging', 'xen-domain', 'nested-paging'])
    it(`copies the sample ${id}, with a kernel for each of its configurations`, async () => {
      const target = (await vscode.commands.executeCommand('ringside.openSample', id, folder().uri)) as vscode.Uri;
      const read = async (name: string): Promise<string> => new TextDecoder().decode(await vscode.workspace.fs.readFile(vscode.Uri.joinPath(target, name)));
      const { configurations } = JSON.parse(await read('.vscode/launch.json')) as { configurations: { kernel: string }[] };
      assert(configurations.length > 0);
      for (const { kernel } of configurations) assert.match(await read(kernel.replace('${workspaceFolder}/', '')), /^\x7fELF/);
      assert.match(await read('README.md'), /^# /);
      const again = (await vscode.commands.executeCommand('ringside.openSample', id, folder().uri)) as vscode.Uri;
      assert.equal(again.path, `${target.path}-2`);
    });

  it('builds the sample by its task, and marks what the compiler refuses', async function () {
    const tasks = await until(() => vscode.tasks.fetchTasks({ type: 'ringside' }), (found) => found.length > 0, 'a task');
    const make = tasks.find(({ definition }) => definition['folder'] === undefined && definition['target'] === undefined)!;
    assert.equal(make.group, vscode.TaskGroup.Build);
    const source = file('kernel.c');
    // A mistake that gcc has one message for, and no note.
    const before = await vscode.workspace.fs.readFile(source);
    await vscode.workspace.fs.writeFile(source, new TextEncoder().encode('int broken = nowhere;\n'));
    try {
      assert.notEqual(await exitCodeOf(make), 0);
      const marks = await until(() => Promise.resolve(vscode.languages.getDiagnostics(source)), (found) => found.length > 0, 'a mark at the mistake');
      assert.deepEqual(marks.map(({ severity, range, source: by }) => [severity, range.start.line, range.start.character, by]), [[vscode.DiagnosticSeverity.Error, 0, 13, 'make']]);
      assert.match(marks[0]!.message, /nowhere/);
    } finally {
      await vscode.workspace.fs.writeFile(source, before);
    }
    assert.equal(await exitCodeOf(make), 0);
    await until(() => Promise.resolve(vscode.languages.getDiagnostics(source)), (found) => found.length === 0, 'no mark');
  });
}); // prettier-ignore

async function exitCodeOf(task: vscode.Task): Promise<number | undefined> {
  const execution = await vscode.tasks.executeTask(task);
  return new Promise((resolve) => {
    const listener = vscode.tasks.onDidEndTaskProcess((ended) => {
      if (ended.execution !== execution) return;
      listener.dispose();
      resolve(ended.exitCode);
    });
  });
}
