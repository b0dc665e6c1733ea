/** A file system over HTTP: reads from the server that gave us, keeps writes in memory until the page is reloaded. */
const vscode = require('vscode');

exports.activate = (context) => {
  const base = context.extensionUri.with({ path: '/workspace-files' }).toString(true);
  const changes = new vscode.EventEmitter();
  /** By path; null: deleted. */
  const written = new Map();
  /** Paths of those made here. */
  const folders = new Set();

  const get = async (uri, what) => {
    if (written.get(uri.path) === null) throw vscode.FileSystemError.FileNotFound(uri);
    const response = await fetch(`${base}${encodeURI(uri.path)}?${what}`);
    if (!response.ok) throw vscode.FileSystemError.FileNotFound(uri);
    return response;
  };
  const changed = (uri, type, content) => {
    written.set(uri.path, content);
    changes.fire([{ type, uri }]);
  };

  const provider = {
    onDidChangeFile: changes.event,
    watch: () => ({ dispose() {} }),
    async stat(uri) {
      if (folders.has(uri.path)) return { type: vscode.FileType.Directory, ctime: 0, mtime: 0, size: 0 };
      const content = written.get(uri.path);
      if (content) return { type: vscode.FileType.File, ctime: 0, mtime: Date.now(), size: content.length };
      return (await get(uri, 'stat')).json();
    },
    async readDirectory(uri) {
      const folder = `${uri.path.replace(/\/$/, '')}/`;
      const entries = new Map(folders.has(uri.path) ? [] : await (await get(uri, 'list')).json());
      for (const path of folders) {
        const name = path.slice(folder.length);
        if (path.startsWith(folder) && name !== '' && !name.includes('/')) entries.set(name, vscode.FileType.Directory);
      }
      for (const [path, content] of written) {
        const name = path.slice(folder.length);
        if (!path.startsWith(folder) || name.includes('/')) continue;
        if (content === null) entries.delete(name);
        else entries.set(name, vscode.FileType.File);
      }
      return [...entries];
    },
    async readFile(uri) {
      return written.get(uri.path) ?? new Uint8Array(await (await get(uri, 'read')).arrayBuffer());
    },
    writeFile(uri, content) {
      changed(uri, vscode.FileChangeType.Changed, content);
    },
    delete(uri) {
      changed(uri, vscode.FileChangeType.Deleted, null);
    },
    createDirectory(uri) {
      folders.add(uri.path);
      changes.fire([{ type: vscode.FileChangeType.Created, uri }]);
    },
    async rename(from, to) {
      changed(to, vscode.FileChangeType.Created, await provider.readFile(from));
      changed(from, vscode.FileChangeType.Deleted, null);
    },
  };
  context.subscriptions.push(
    vscode.workspace.registerFileSystemProvider('workspace', provider, { isCaseSensitive: true }),
  );
};
