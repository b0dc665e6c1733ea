/**
 * As much of the module `vscode` as our code touches, over files in memory. Import this before the code under test: from
 * then on `import 'vscode'` gives the fake.
 */
import Module from 'node:module';
import { posix } from 'node:path';

export class Uri {
  private constructor(
    readonly scheme: string,
    readonly path: string,
  ) {}
  static file = (path: string): Uri => new Uri('file', path);
  static parse(text: string): Uri {
    const [, scheme, path] = /^([\w+.-]+):(?:\/\/[^/]*)?(.*)$/.exec(text)!;
    return new Uri(scheme!, path!);
  }
  static joinPath = (base: Uri, ...parts: string[]): Uri => base.with({ path: posix.join(base.path, ...parts) });
  with = ({ path }: { path: string }): Uri => new Uri(this.scheme, path);
  get fsPath(): string {
    return this.path;
  }
  toString(): string {
    return `${this.scheme}:${this.scheme === 'file' ? '//' : ''}${this.path}`;
  }
}

export class EventEmitter<T> {
  private readonly listeners: ((value: T) => void)[] = [];
  readonly event = (listener: (value: T) => void): { dispose(): void } => {
    this.listeners.push(listener);
    return { dispose() {} };
  };
  fire = (value: T): void => this.listeners.forEach((listener) => listener(value));
  dispose(): void {}
}

class FileSystemError extends Error {
  constructor(readonly code: string) {
    super(code);
  }
  static FileNotFound = (): FileSystemError => new FileSystemError('FileNotFound');
  static FileIsADirectory = (): FileSystemError => new FileSystemError('FileIsADirectory');
}

/** By URI; a key that begins with another and a slash makes the other a folder. */
export const files = new Map<string, Uint8Array>();
interface Shown {
  /** Error messages, and the buttons of the last. */
  messages: string[];
  buttons: string[];
  /** The button that the user clicks, once. */
  answer: string | undefined;
  picked: number;
  /** The file that the user chooses. */
  chosen: Uri | undefined;
  commands: string[];
  /** What the task `make` does; undefined: there is none. */
  build: (() => number) | undefined;
}
const NOTHING_SHOWN: Shown = { messages: [], buttons: [], answer: undefined, picked: 0, chosen: undefined, commands: [], build: undefined }; // prettier-ignore
export const shown: Shown = structuredClone(NOTHING_SHOWN);
/** The last terminal made. */
export const terminals: { name: string; pty: FakePty; shown: boolean; disposed: boolean }[] = [];
export interface FakePty {
  onDidWrite(listener: (text: string) => void): void;
  open(): void;
  close(): void;
  handleInput(text: string): void;
}

const FileType = { Unknown: 0, File: 1, Directory: 2 } as const;
const childrenOf = (uri: Uri): [string, number][] => {
  const prefix = `${uri.toString().replace(/\/$/, '')}/`;
  const inside = [...files.keys()].filter((key) => key.startsWith(prefix)).map((key) => key.slice(prefix.length));
  return [...new Set(inside.map((name) => name.split('/')[0]!))].map((name) => [
    name,
    inside.includes(name) ? FileType.File : FileType.Directory,
  ]);
};

const fs = {
  readFile(uri: Uri): Promise<Uint8Array> {
    const bytes = files.get(uri.toString());
    return bytes ? Promise.resolve(bytes) : Promise.reject(FileSystemError.FileNotFound());
  },
  stat(uri: Uri): Promise<{ type: number; size: number }> {
    const bytes = files.get(uri.toString());
    if (bytes) return Promise.resolve({ type: FileType.File, size: bytes.length });
    if (childrenOf(uri).length > 0) return Promise.resolve({ type: FileType.Directory, size: 0 });
    return Promise.reject(FileSystemError.FileNotFound());
  },
  readDirectory: (uri: Uri): Promise<[string, number][]> => Promise.resolve(childrenOf(uri)),
};

const MAKE = { name: 'make', group: 'build', scope: { uri: Uri.file('/project') } };
const ended = new EventEmitter<object>();

export const fake = {
  Uri,
  EventEmitter,
  FileSystemError,
  FileType,
  ThemeIcon: class {},
  l10n: { t: (text: string, ...values: string[]) => text.replace(/\{(\d)\}/g, (_, n: string) => values[Number(n)]!) },
  workspace: { fs, workspaceFolders: undefined },
  commands: { executeCommand: (name: string) => Promise.resolve(void shown.commands.push(name)) },
  TaskGroup: { Build: 'build' },
  tasks: {
    fetchTasks: () => Promise.resolve(shown.build ? [MAKE] : []),
    executeTask: () => Promise.resolve(ended.fire({ execution: { task: MAKE }, exitCode: shown.build!() })),
    onDidEndTask: () => ({ dispose() {} }),
    onDidEndTaskProcess: (listener: (event: object) => void) => ended.event(listener),
  },
  window: {
    showErrorMessage(message: string, _options: object, ...buttons: string[]) {
      shown.messages.push(message);
      shown.buttons = buttons;
      const { answer } = shown;
      shown.answer = undefined;
      return Promise.resolve(answer);
    },
    showOpenDialog: () => Promise.resolve(shown.chosen && [shown.chosen]),
    showQuickPick: <T>(items: T[]) => Promise.resolve(items[shown.picked]),
    createTerminal({ name, pty }: { name: string; pty: FakePty }) {
      const made = { name, pty, shown: false, disposed: false };
      terminals.push(made);
      return { show: () => (made.shown = true), dispose: () => (made.disposed = true) };
    },
  },
};

export function reset(): void {
  files.clear();
  terminals.length = 0;
  Object.assign(shown, structuredClone(NOTHING_SHOWN));
}

type Load = (request: string, ...rest: unknown[]) => unknown;
const loader = Module as unknown as { _load: Load };
const load = loader._load;
loader._load = (request, ...rest) => (request === 'vscode' ? fake : load(request, ...rest));
