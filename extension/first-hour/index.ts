/** What leads somebody who sees all of this for the first time: samples, kernels found in a folder, builds, explanations. */
import * as vscode from 'vscode';
import type { Sessions } from '../sessions';
import { registerBuildTasks } from './build-tasks';
import { registerDebugKernel } from './debug-kernel';
import { StopExplanation } from './explain-stop';
import { watchProgress } from './progress';
import { registerSamples } from './samples';
import { StatusBar } from './status-bar';

/** Publisher, extension, and the id in package.json. */
const WALKTHROUGH = 'ringside.ringside#firstHour';

export const registerFirstHour = (extension: vscode.Uri, sessions: Sessions): vscode.Disposable =>
  vscode.Disposable.from(
    registerSamples(extension),
    registerDebugKernel(),
    vscode.commands.registerCommand('ringside.openWalkthrough', () =>
      vscode.commands.executeCommand('workbench.action.openWalkthrough', WALKTHROUGH),
    ),
    registerBuildTasks(),
    new StopExplanation(sessions).register(),
    new StatusBar(sessions),
    watchProgress(sessions),
  );
