/**
 * A VS Code whose extensions run in Node, for tests: code-server, and the newer Node that it needs, in a folder of their own
 * (.cache/vscode-host), from the package registry, without compilers and without install scripts.
 *
 *   node --import tsx scripts/vscode-host.ts    installs it; does nothing where it is there already
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const CODE_SERVER = '4.139.1';
const NODE = '24.21.0';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const folder = join(root, '.cache', 'vscode-host');
const codeServer = join(folder, 'node_modules', 'code-server');
const nodePackage = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
/** The Node that goes with it. */
export const HOST_NODE = join(folder, 'node_modules', nodePackage, 'bin', 'node');
const complete = join(folder, `complete-${CODE_SERVER}-${NODE}`);

export const hostIsInstalled = (): boolean => existsSync(complete);
export const HOW_TO_INSTALL = 'node --import tsx scripts/vscode-host.ts';

export function installHost(): void {
  if (hostIsInstalled()) return;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
  const npm = (cwd: string, ...args: string[]): void => {
    const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
    const { status } = spawnSync('npm', ['install', ...options, ...args], { cwd, stdio: 'inherit' });
    if (status !== 0) throw new Error(`npm install failed in ${cwd}`);
  };
  npm(folder, `${nodePackage}@${NODE}`, `code-server@${CODE_SERVER}`);
  // Optional dependencies stay: without them no file is watched.
  for (const inside of ['lib/vscode', 'lib/vscode/extensions']) npm(join(codeServer, inside), '--omit=dev');
  writeFileSync(complete, '');
}

/** Nothing that asks, advertises, or calls a server. */
const SETTINGS = {
  'workbench.startupEditor': 'none',
  'workbench.tips.enabled': false,
  'workbench.enableExperiments': false,
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'chat.disableAIFeatures': true,
  'telemetry.telemetryLevel': 'off',
  'update.mode': 'none',
  'extensions.autoCheckUpdates': false,
  'extensions.autoUpdate': false,
  'extensions.ignoreRecommendations': true,
  'git.enabled': false,
  'remote.autoForwardPorts': false,
  'remote.restoreForwardedPorts': false,
};

export interface HostOptions {
  /** An empty folder: the profile, clean, and the extensions. */
  state: string;
  /** Installed before the editor starts, as a user would. */
  vsix?: string;
  /** Of the editor, besides those that keep it quiet. */
  settings?: Record<string, unknown>;
  /** Tests may run inside of the extension host. */
  drivable?: boolean;
  /** The editor asks whether the folder is trusted. */
  trust?: boolean;
  /** Seen by extensions. */
  environment?: Record<string, string>;
}

export interface RunningHost {
  /** Ends with a slash; `?folder=/absolute/path` opens a folder. */
  url: string;
  stop(): Promise<void>;
}

export async function serveHost(options: HostOptions): Promise<RunningHost> {
  const { state, vsix, settings = {}, drivable = false, trust = false, environment = {} } = options;
  const user = join(state, 'user');
  mkdirSync(join(user, 'User'), { recursive: true });
  writeFileSync(
    join(user, 'User', 'settings.json'),
    JSON.stringify({ ...SETTINGS, 'security.workspace.trust.enabled': trust, ...settings }),
  );
  writeFileSync(join(state, 'config.yaml'), '{}');
  const places = ['--config', join(state, 'config.yaml'), '--user-data-dir', user, '--extensions-dir', join(state, 'extensions')]; // prettier-ignore
  const program = [join(codeServer, 'out', 'node', 'entry.js'), ...places];
  const env = { ...process.env, ...environment, EXTENSIONS_GALLERY: '{"serviceUrl":""}' };
  if (vsix !== undefined) {
    const { status, stdout, stderr } = spawnSync(HOST_NODE, [...program, '--install-extension', vsix], { env, encoding: 'utf8' }); // prettier-ignore
    if (status !== 0) throw new Error(`installing ${vsix} failed\n${stdout}${stderr}`);
  }
  const quiet = ['--auth', 'none', '--disable-telemetry', '--disable-update-check', '--disable-getting-started-override', ...(trust ? [] : ['--disable-workspace-trust'])]; // prettier-ignore
  const server = spawn(HOST_NODE, [...program, ...quiet, '--bind-addr', '127.0.0.1:0', ...(drivable ? ['--vscode-option', 'enable-smoke-test-driver'] : [])], { env, stdio: ['ignore', 'pipe', 'pipe'] }); // prettier-ignore
  let said = '';
  const url = await new Promise<string>((ready, failed) => {
    const hear = (chunk: Buffer): void => {
      said += chunk.toString();
      const [, address] = /listening on (http:\/\/127\.0\.0\.1:\d+)/.exec(said) ?? [];
      if (address !== undefined) ready(`${address}/`);
    };
    server.stdout.on('data', hear);
    server.stderr.on('data', hear);
    server.on('exit', (code) => failed(new Error(`code-server ended with ${code}\n${said}`)));
  });
  return {
    url,
    stop: () =>
      new Promise((stopped) => {
        if (server.exitCode !== null) return stopped();
        server.on('exit', () => stopped());
        server.kill('SIGTERM');
      }),
  };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) installHost();
