/**
 * Conditions of breakpoints with completion and a check at each key. The editor's own box for conditions asks no extension
 * for completions, so this is one of ours: `Ringside: Edit Condition`.
 */
import * as vscode from 'vscode';
import { endsUnfinished } from '../debug-adapter/condition-names';
import type { CustomRequests } from '../debug-adapter/protocol';
import { checkOffline } from './condition-check';
import type { Sessions } from './sessions';

type Answer = CustomRequests['ringside/condition']['body'];

interface Item extends vscode.QuickPickItem {
  /** The whole condition, once this is taken. */
  whole: string;
  done: boolean;
}

/** What the menu of line numbers hands over. */
interface Clicked {
  lineNumber?: number;
}

export class ConditionEditor {
  constructor(private readonly sessions: Sessions) {}

  register(): vscode.Disposable {
    return vscode.commands.registerCommand('ringside.editCondition', (clicked?: Clicked) => this.edit(clicked));
  }

  /** Of the breakpoint in the line of the cursor; where there is none, it is made. */
  private async edit(clicked?: Clicked): Promise<void> {
    const editor = vscode.window.activeTextEditor;
    if (editor === undefined) {
      void vscode.window.showInformationMessage(vscode.l10n.t('Open a source and put the cursor into the line of the breakpoint.'));
      return;
    }
    const line = clicked?.lineNumber === undefined ? editor.selection.active.line : clicked.lineNumber - 1;
    const { uri } = editor.document;
    const here = vscode.debug.breakpoints.find(
      (each): each is vscode.SourceBreakpoint =>
        each instanceof vscode.SourceBreakpoint && each.location.uri.toString() === uri.toString() && each.location.range.start.line === line,
    );
    const condition = await this.ask(here?.condition ?? '', uri, line);
    if (condition === undefined) return;
    if (here) vscode.debug.removeBreakpoints([here]);
    const location = new vscode.Location(uri, new vscode.Position(line, 0));
    vscode.debug.addBreakpoints([
      new vscode.SourceBreakpoint(location, here?.enabled ?? true, condition.trim() || undefined, here?.hitCondition, here?.logMessage),
    ]);
  }

  /** Undefined: the user gave up. A condition that is wrong is not taken. */
  private ask(text: string, uri: vscode.Uri, line: number): Promise<string | undefined> {
    const pick = vscode.window.createQuickPick<Item>();
    pick.title = vscode.l10n.t('Condition of the breakpoint in line {0}', line + 1);
    pick.placeholder = 'exit.reason == "io" && exit.port == 0x3f8';
    pick.value = text;
    let latest = 0;
    const update = async (): Promise<void> => {
      const mine = ++latest;
      const typed = pick.value;
      const answer = await this.answer(typed, uri, line);
      if (mine !== latest) return;
      pick.items = itemsOf(typed, answer);
      // The box sorts them by what is typed: Enter takes ours.
      pick.activeItems = pick.items.slice(0, 1);
    };
    return new Promise((resolve) => {
      const finish = (value: string | undefined): void => {
        resolve(value);
        pick.dispose();
      };
      pick.onDidChangeValue(update);
      pick.onDidHide(() => finish(undefined));
      pick.onDidAccept(() => {
        const [taken] = pick.activeItems;
        if (taken?.done) finish(taken.whole);
        else if (taken && taken.whole !== pick.value) {
          pick.value = taken.whole;
          void update();
        }
      });
      pick.show();
      void update();
    });
  }

  private async answer(text: string, uri: vscode.Uri, line: number): Promise<Answer> {
    if (this.sessions.active === undefined) return checkOffline(text);
    const path = uri.scheme === 'file' ? uri.fsPath : uri.toString(true);
    const args: CustomRequests['ringside/condition']['arguments'] = { text, source: { path }, line: line + 1 };
    return this.sessions.request<Answer>('ringside/condition', args).catch(() => checkOffline(text));
  }
} // prettier-ignore

/** The condition as it stands first, or what is wrong with it and where; then what may come next. */
function itemsOf(typed: string, { items, problem }: Answer): Item[] {
  const first: Item = problem
    ? { label: `$(error) ${problem.message}`, description: pointer(typed, problem.column), whole: typed, done: false, alwaysShow: true }
    : { label: typed.trim() === '' ? vscode.l10n.t('No condition') : `$(check) ${typed}`, description: vscode.l10n.t('Enter takes it'), whole: typed, done: true, alwaysShow: true };
  const next = items.map(({ label, text, detail, start, length }): Item => {
    const whole = typed.slice(0, start) + text + typed.slice(start + length);
    return { label, whole, done: false, alwaysShow: true, ...(detail ? { description: detail } : {}) };
  });
  // While a word is typed, the word that it may become comes first: Enter completes, and Enter again takes. Without a session nobody says
  // that `trap.vec` does not exist.
  return (problem || endsUnfinished(typed)) && next.length > 0 ? [...next, first] : [first, ...next];
} // prettier-ignore

/** The text up to the column of the mistake. */
const pointer = (text: string, column: number): string => `${text.slice(0, column - 1)}▸${text.slice(column - 1)}`;
